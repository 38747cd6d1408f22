"""Variables that libraries read themselves, so that no code of the app's names them.

Source of the rules: next-auth.js.org/configuration/options, authjs.dev/reference/core/errors
(MissingSecret, UntrustedHost), better-auth.com/docs/reference/options, clerk.com/docs
("Clerk environment variables").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import javascript
from .environment_reads import Read
from .javascript import Script
from .node_source import Package
from .tree import Tree

_AUTH_JS = re.compile(r"@auth/(sveltekit|express|core|solid-start|qwik|astro)|auth-astro")
# A secret or an address in the settings of the library takes their place.
_SECRET = re.compile(r"\bsecret\s*[:,]")
_ADDRESS = re.compile(r"\b(baseURL|trustHost)\s*[:,]")
_PROVIDER = re.compile(r"""["'](?:next-auth|@auth/\w+)/providers/([\w-]+)["']""")
_WITHOUT_LOGIN = frozenset({"credentials", "email", "nodemailer", "webauthn", "passkey"})


def reads(tree: Tree, folder: str, package: Package) -> list[Read]:
    """What libraries of an app read, each at the line of its dependency.

    Args:
        tree: The project's files.
        folder: The app's.
        package: Its package.json.
    """
    path = package.path
    if path is None:
        return []
    return [
        Read(name, path, package.lines.get(("dependencies", library), 1), required)
        for library, name, required in _all(tree, folder, package)
    ]


def _all(tree: Tree, folder: str, package: Package) -> Iterator[tuple[str, str, bool]]:
    """The library, the variable, and whether the library does not work without it."""
    held = package.table("dependencies")
    for library, version in held.items():
        if library == "next-auth":
            newer = re.match(r"\D*5|beta|experimental", str(version)) is not None
            yield from _auth(tree, folder, library, "AUTH" if newer else "NEXTAUTH")
        elif _AUTH_JS.fullmatch(library):
            yield from _auth(tree, folder, library, "AUTH")
        elif library == "better-auth":
            yield from _auth(tree, folder, library, "BETTER_AUTH")
        elif library == "@clerk/nextjs":
            yield library, "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", True
            yield library, "CLERK_SECRET_KEY", True


def _auth(tree: Tree, folder: str, library: str, prefix: str) -> Iterator[tuple[str, str, bool]]:
    scripts = [s for s in javascript.scripts(tree, folder) if _uses(s, library)]
    if not scripts:
        return
    text = "\n".join(script.text for script in scripts)
    if not _SECRET.search(text):
        yield library, f"{prefix}_SECRET", True
    if not _ADDRESS.search(text):
        yield library, f"{prefix}_URL", False
    if prefix == "AUTH":
        for name in sorted(set(_PROVIDER.findall(text)) - _WITHOUT_LOGIN):
            upper = re.sub(r"[^A-Z0-9]+", "_", name.upper())
            for what in ("ID", "SECRET"):
                yield library, f"AUTH_{upper}_{what}", False


def _uses(script: Script, library: str) -> bool:
    """Whether a file imports the library, but for what its pages need in browsers."""
    return any(
        name == library or (name.startswith(f"{library}/") and "react" not in name)
        for name in javascript.imports(script)
    )
