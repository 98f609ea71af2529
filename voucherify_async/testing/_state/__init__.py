"""What the embedded server remembers."""
