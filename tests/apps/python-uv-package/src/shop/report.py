def main() -> None:
    print("all sold")
