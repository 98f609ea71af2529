"""Never twice, never stuck."""
