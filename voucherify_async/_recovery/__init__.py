"""What became of a write whose answer was lost."""
