from pathlib import Path

from setuptools import setup

setup(long_description=(Path(__file__).parent / "README.md").read_text())
