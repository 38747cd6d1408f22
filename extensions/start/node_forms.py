"""Forms that a framework on Node refuses behind a proxy, as it takes its address for another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import javascript
from ..finding import Finding, where
from ..model import App
from ..origins import line_at
from ..subject import Subject

_RULE = "start.node_forms"
RUNTIME = "node"
IDS = {_RULE: "Forms of frameworks on Node are taken at the address that browsers have"}

_POSTS = re.compile(
    r"method\s*=\s*[\"'](?:post|POST)[\"']|export\s+(?:const|(?:async\s+)?function)\s+POST\b"
    r"|[\"']astro:actions[\"']|request\.method\s*===?\s*[\"']POST[\"']"
)


def concerns(subject: Subject) -> bool:
    """Where Astro renders on a server behind the stack's proxy."""
    return any(_is_astro(subject, app) for app in subject.of(RUNTIME))


def find(subject: Subject) -> Iterator[Finding]:
    """Astro trusts no proxy but for hosts that it is told of (docs.astro.build, "security")."""
    for app in subject.of(RUNTIME):
        if _is_astro(subject, app):
            yield from _astro(subject, app)


def _is_astro(subject: Subject, app: App) -> bool:
    return app.kind == "node" and subject.facts[app.kind].get("server") == "astro"


def _astro(subject: Subject, app: App) -> Iterator[Finding]:
    tree = subject.tree
    config = tree.first(app.directory, *(f"astro.config.{e}" for e in ("mjs", "ts", "js", "mts")))
    script = javascript.read(tree, config) if config else None
    if script and re.search(r"allowedDomains\s*:|checkOrigin\s*:\s*false", script.text):
        return
    for path in tree.below(app.directory):
        if not path.endswith((".astro", *javascript.ENDINGS)):
            continue
        if match := _POSTS.search(text := tree.read(path)):
            line = line_at(text, match.start())
            yield Finding(
                _RULE,
                certain=False,
                seen=f"{where(path, line)}: Astro answers 403 to what is sent by a form, as it "
                "takes itself for http:// behind the proxy, which browsers ask by https://.",
                mend="Write security: { allowedDomains: [{ hostname: 'YOUR-DOMAIN', protocol: "
                f"'https' }}] }} into {config or 'astro.config.mjs'}.",
                path=path,
                line=line,
            )
            return
