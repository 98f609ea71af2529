"""One call of the API, carried to its end: settings, admission, signature, repetition, outcome."""
