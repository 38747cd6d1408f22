"""The logic of the script."""


def greeting(name: str) -> str:
    """Say hello."""
    return f"Hello from {name}"
