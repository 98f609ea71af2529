"""Tasks and streams that their caller may drop at any moment."""
