import iniconfig  # noqa: F401


def price() -> int:
    return 12
