def product(int a, int b):
    return a * b
