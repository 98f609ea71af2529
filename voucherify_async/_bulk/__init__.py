"""Many items in several requests, each one's fate known."""
