from ._adder import add

__all__ = ["add"]
