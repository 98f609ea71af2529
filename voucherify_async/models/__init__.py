"""The models: one module a noun."""
