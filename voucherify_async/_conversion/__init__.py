"""How JSON types become models and models JSON types; assembled in `converter`."""
