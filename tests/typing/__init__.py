"""What type checkers make of the public names: checked by mypy and pyright, never run."""
