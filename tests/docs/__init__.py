"""The documentation is held against the code: its examples run, its tables are complete."""
