"""Commands that download, run again where the network failed on the way."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

# What a build says when a download failed: of the network, not of what is tested.
NETWORK_TROUBLE = re.compile(
    r"Could not connect|Temporary failure|timed out|EAI_AGAIN|ETIMEDOUT|ECONNRESET|ENOTFOUND"
    r"|error sending request|Failed to fetch|network socket disconnected|SSL_ERROR|TLS handshake"
    r"|NewConnectionError|IncompleteRead",
    re.IGNORECASE,
)


def patient(
    attempt: Callable[[], subprocess.CompletedProcess[str]],
) -> subprocess.CompletedProcess[str]:
    """A command's result; it is run again where a download failed on the way, twice at most."""
    for _ in range(3):
        result = attempt()
        told = result.stdout + (result.stderr or "")
        if result.returncode == 0 or not NETWORK_TROUBLE.search(told):
            break
    return result
