"""`python -m spinbox_wrapper`, and what the console scripts call."""

import sys


def run() -> None:
    """Run the command line; Ctrl-C is heard from the first import on."""
    try:
        from .cli import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
