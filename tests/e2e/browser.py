"""Debian's Chromium looks at a page, with Playwright from PyPI: prints what it sees, as JSON.

    uv run --no-project --with playwright python tests/e2e/browser.py ADDRESS SELECTOR...

For each selector the text that it has, once there is one; `errors` are what the console says, and
requests that failed.
"""  # fmt: skip

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CHROMIUM = "chromium"
_SECONDS = 60


def look(address: str, *selectors: str) -> dict[str, Any]:
    """What a browser sees at an address; it runs in a process of its own, which has Playwright."""
    # Of the tests' own packages.
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "run", "--no-project", "--quiet", "--with", "playwright>=1.49", "python"]
    result = subprocess.run(
        [*command, str(Path(__file__)), address, *selectors],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _main(address: str, *selectors: str) -> None:
    # Not among what the tests install: only this process has it.
    playwright_module = importlib.import_module("playwright.sync_api")
    with playwright_module.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = browser.new_context(ignore_https_errors=True).new_page()
        errors: list[str] = []
        page.on("console", lambda m: _note(errors, m) if m.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", lambda r: errors.append(f"{r.url}: {r.failure}"))
        page.goto(address, timeout=_SECONDS * 1000)
        _read(page, selectors)
        # A deep link, as a visitor reloads it.
        page.reload(timeout=_SECONDS * 1000)
        seen = _read(page, selectors)
        browser.close()
    print(json.dumps({"seen": seen, "errors": errors}))


def _note(errors: list[str], message: Any) -> None:
    errors.append(f"{message.text} {(message.location or {}).get('url', '')}".strip())


def _read(page: Any, selectors: Sequence[str]) -> dict[str, str]:
    """The text of each, once it has one."""
    seen = {}
    for selector in selectors:
        page.wait_for_function(
            "selector => document.querySelector(selector)?.textContent",
            arg=selector,
            timeout=_SECONDS * 1000,
        )
        seen[selector] = page.text_content(selector)
    return seen


if __name__ == "__main__":
    _main(*sys.argv[1:])
