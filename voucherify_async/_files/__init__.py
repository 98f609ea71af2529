"""CSV files in and out, and downloads."""
