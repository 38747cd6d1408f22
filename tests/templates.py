"""Templates compiled once for a whole run of the tests: Copier compiles each anew for each project.

Half of a rendering is Jinja's compiler, which makes the same code of the same text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import jinja2
import pytest


@contextmanager
def compiled_once() -> Iterator[None]:
    """Keep what Jinja compiles, by all that it depends on."""
    compiled: dict[tuple[Any, ...], Any] = {}
    compile_ = cast("Any", jinja2.Environment.compile)

    def kept(
        self: jinja2.Environment,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> Any:
        # Copier's extension notes what it yields while it compiles.
        if not isinstance(source, str) or "yield" in source or raw:
            return compile_(self, source, name, filename, raw, defer_init)
        key = (type(self), *self.extensions, str(source), name, defer_init)
        if key in compiled:
            self.preprocess(source, name, filename)
        else:
            # The file is a copy that will be gone: its name would only stand in a traceback.
            compiled[key] = compile_(self, source, name, name, raw, defer_init)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", kept)
        yield
