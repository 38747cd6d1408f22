"""A report that ends."""
