"""What each operation does: a function of the state and the request."""
