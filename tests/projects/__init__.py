"""Spinbox projects for the tests, composed from parts."""
