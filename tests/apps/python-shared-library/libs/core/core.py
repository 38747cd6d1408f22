def value() -> str:
    return "core"
