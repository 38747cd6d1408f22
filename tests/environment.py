"""The environment that tests see: of this machine, where its programs and certificates are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# Where programs are found and how they reach the network, never what they do.
_KEPT = re.compile(
    r"PATH|TMPDIR|USER|LOGNAME|CI|LD_LIBRARY_PATH|PYENV_ROOT|XDG_RUNTIME_DIR"
    r"|(?:HTTPS?|ALL|NO)_PROXY|(?:PIP|UV|NPM_CONFIG|PYTEST)_\w+|COVERAGE_\w+"
    r"|\w*(?:CERTS?|CA_BUNDLE|CAINFO|CERT_FILE|CERT_DIR|CA_CERTS)(?:_\w+)?",
    re.IGNORECASE,
)
# What leads to this machine's engine, for the tests that need it: its address, logins, plugins.
_ENGINE = re.compile(r"HOME|DOCKER_\w+|BUILDX_\w+|BUILDKIT_\w+")


@contextmanager
def of_nobody(home: Path) -> Iterator[dict[str, str]]:
    """Take away what this machine's user has set; what leads to an engine is given back."""
    before = dict(os.environ)
    _become(
        {name: value for name, value in before.items() if _KEPT.fullmatch(name)}
        | {"HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm"}
        # New repositories without the twenty files of examples that git puts into each.
        | {"GIT_TEMPLATE_DIR": str(home)}
    )
    try:
        yield {name: value for name, value in before.items() if _ENGINE.fullmatch(name)}
    finally:
        _become(before)


def _become(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
