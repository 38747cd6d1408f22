def stars() -> str:
    return "*****"
