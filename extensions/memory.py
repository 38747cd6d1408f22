"""Python's own memory, where a project of many files makes it slow."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Keeps Python from looking for garbage in cycles; also a decorator.

    Syntax trees have none, but each look goes through all of them again: a thousand files were
    parsed five times as fast.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
