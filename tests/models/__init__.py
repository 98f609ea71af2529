"""Tests of the models and their conversion."""
