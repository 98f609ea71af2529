"""What the API speaks, as pure functions and data: no I/O, no await."""
