from Cython.Build import cythonize
from setuptools import setup

setup(
    name="shop",
    version="4.2",
    packages=["shop"],
    ext_modules=cythonize(["shop/fast.pyx"]),
)
