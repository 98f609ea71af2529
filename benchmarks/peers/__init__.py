"""The clients that are compared, each opened by a function of its own."""
