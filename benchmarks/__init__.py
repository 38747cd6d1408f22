"""Measurements of what is generated."""
