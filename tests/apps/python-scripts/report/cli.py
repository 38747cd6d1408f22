import iniconfig


def main() -> int:
    print(f"reported with {iniconfig.__name__}")
    return 0
