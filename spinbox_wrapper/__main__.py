"""`python -m spinbox_wrapper`: the same as the console script."""

from .cli import main

main()
