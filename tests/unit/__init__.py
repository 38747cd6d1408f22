"""Unit tests of the derivation, written from its contract."""
