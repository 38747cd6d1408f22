"""Calls to a developer's own machine that are written into the code of pages and servers on Node.

What a variable falls back to is another rule's (`start.defaults`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from .. import source_text
from ..finding import Finding, where
from ..model import App
from ..origins import line_at
from ..subject import Subject
from ..tree import join

_RULE = "start.local_calls"
RUNTIME = "node"
IDS = {_RULE: "Pages and servers on Node call no address of a developer's machine"}

_ADDRESS = r"""(?P<quote>["'`])(?P<to>(?:https?|wss?)://(?:localhost|127\.0\.0\.1)(?::(?P<port>\d+))?)(?=[/"'`$?])"""
# Calls of the web and of the usual clients, and constants that are called after what they hold.
_CALLED = re.compile(
    r"(?:\b(?:fetch|\$fetch|useFetch|axios(?:\.\w+)?|ky(?:\.\w+)?|got(?:\.\w+)?|io|WebSocket|EventSource"
    r"|createClient|connect|HttpLink|useSWR)\s*(?:<[^<>()]*>)?\s*\(\s*"
    r"|\b(?:baseURL|baseUrl|prefixUrl|uri|destination)\s*:\s*"
    r"|\b(?:const|let|var)\s+\w*(?:api|base|server|backend|socket|endpoint)\w*\s*(?::\s*string\s*)?=\s*"
    r"|\b(?:const|let|var)\s+(?:url|uri|host)\s*=\s*)" + _ADDRESS,
    re.IGNORECASE,
)
_ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".svelte", ".astro")
_NOT_RUN = re.compile(
    r"(^|/)(tests?|__tests__|__mocks__|e2e|cypress|scripts|seeds?|stories|examples?|docs?|tools|mocks?)/"
    r"|\.(test|spec|stories|d)\.|(^|/)(setupTests|setupProxy|seed)\.|(vite|vitest|jest|playwright"
    r"|cypress|webpack|nuxt|astro|svelte|vue|codegen)\.config\.|(^|/)\.|\.dev(elopment)?\.|/environment\.ts$"
)
_CHOSEN = re.compile(
    r"\?|\|\||env\b|NODE_ENV|\bDEV\b|\bPROD\b|isDev|isProd|isLocal|development|cors|origin",
    re.IGNORECASE,
)


def find(subject: Subject) -> Iterator[Finding]:
    """The first of each app, as one constant is often used by all."""
    for app in subject.of("node"):
        if not app.job:
            yield from islice(_of(subject, app), 1)
        yield from _built_in(subject, app)


_SET = re.compile(
    r"""(?m)^(?:export\s+)?(\w+)\s*=\s*["']?((?:https?|wss?)://(?:localhost|127\.0\.0\.1)(?::\d+)?)"""
)


def _built_in(subject: Subject, app: App) -> Iterator[Finding]:
    """A committed `.env.production`, which comes before what the stack says."""
    path = join(app.directory, ".env.production")
    if not app.env_production:
        return
    text = subject.tree.read(path) if subject.tree.has(path) else ""
    if match := _SET.search(text):
        line = line_at(text, match.start())
        yield Finding(
            _RULE,
            False,
            f"{where(path, line)}: {match[1]} is {match[2]} in production, too, which is the "
            "visitor's own machine.",
            f"Take {match[1]} out of {path}: the stack fills it, or .env does.",
            path,
            line,
        )


def _of(subject: Subject, app: App) -> Iterator[Finding]:
    tree, folder = subject.tree, app.directory
    top = "" if folder == "." else f"{folder}/"
    for path in tree.below(folder):
        inner = path.removeprefix(top)
        if (
            not path.endswith(_ENDINGS)
            or _NOT_RUN.search(inner)
            or _is_anothers(subject, app, path)
        ):
            continue
        text = tree.read(path)
        if "localhost" not in text and "127.0.0.1" not in text:
            continue
        code = source_text.without_comments(text)
        for match in _CALLED.finditer(code):
            line = line_at(text, match.start("to"))
            around = code.splitlines()[max(line - 2, 0) : line]
            if any(_CHOSEN.search(re.sub(r"https?://\S+", "", one)) for one in around):
                continue
            if "destination" in match[0] and (
                len(subject.stack.web_apps) > 1 or not _is_next(path)
            ):
                continue
            yield _told(subject, app, path, line, match["to"])


def _is_next(path: str) -> bool:
    return re.search(r"(^|/)next\.config\.\w+$", path) is not None


def _is_anothers(subject: Subject, app: App, path: str) -> bool:
    """Whether a file lies in the folder of another app, which the top one holds."""
    return any(
        other is not app and other.directory != "." and path.startswith(f"{other.directory}/")
        for other in subject.stack.apps
    )


def _told(subject: Subject, app: App, path: str, line: int, to: str) -> Finding:
    first = path.partition("/")[0]
    by_browsers = path.endswith((".tsx", ".jsx", ".vue", ".svelte")) or (
        app.directory == "." and subject.tree.has(f"{first}/package.json")
    )
    whose = "its own container"
    if app.site or by_browsers:
        whose = "the visitor's own machine"
    elif app.kind == "nextjs":
        whose = "the visitor's machine, or the container"
    mend = "Take the address from a variable, so that each environment has its own."
    if whose != "its own container" and any(other.routes for other in subject.stack.web_apps):
        mend = "Write the path alone, as in /api/…: the proxy sends it to the API."
    return Finding(
        _RULE,
        False,
        f"{where(path, line)}: it calls {to}, which in production is {whose}.",
        mend,
        path,
        line,
    )
