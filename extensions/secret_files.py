"""Files that hold secrets, by their names: the one list of what enters no image.

A Dockerfile's `.dockerignore` leaves them out, and the Dockerfile fails where one got in.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from .errors import ProjectError
from .origins import Fields, Found, and_more
from .package_registries import FILES as REGISTRY_FILES
from .tree import Tree, join

# Names as patterns, by what they are; those that end in a slash are folders.
NAMES: tuple[tuple[str, ...], ...] = (
    (
        ".env",
        ".env.*",
        "secrets.env",
        "secrets.json",
        "secrets.toml",
        "secrets.yaml",
        "secrets.yml",
    ),
    ("credentials.json", "service-account*.json", "kubeconfig", "*.tfstate", ".aws/"),
    (".netrc", ".pgpass", ".git-credentials", ".pypirc", *REGISTRY_FILES),
    ("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".ssh/"),
    ("*.key", "*.pem", "*.p12", "*.pfx", "*.jks", "*.keystore"),
    ("*.sqlite3", "dump.sql"),
)
# Of settings and registries, which code names without needing the file.
_EXPECTED = (".env", ".env.*", ".netrc", ".pypirc", *REGISTRY_FILES)
# Where a certificate or a public key stands, and nothing that is a secret (RFC 7468).
_PUBLIC = re.compile(r"-----BEGIN [A-Z0-9 ]*(CERTIFICATE|PUBLIC KEY|X509 CRL)-----")
_PRIVATE = "PRIVATE KEY-----"
_CODE = (
    ".py", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".sh", ".toml", ".yaml", ".yml", ".ini",
    ".cfg", ".json",
)  # fmt: skip
_LOCKFILE = re.compile(r"(^|/)(.*[.-]lock(\..*)?|package-lock\.json|npm-shrinkwrap\.json)$")
_TESTS = re.compile(r"^(tests?|__tests__)/|(^|/)__tests__/|(^|/)test_[^/]*$|[._-](test|spec)\.\w+$")


def matching(path: str) -> str | None:
    """The name in a path, a file's or a folder's, that secrets have; None for none."""
    *folders, file = path.split("/")
    for patterns in NAMES:
        for pattern in patterns:
            names = folders if pattern.endswith("/") else [file]
            for name in names:
                if fnmatchcase(name, pattern.rstrip("/")):
                    return name
    return None


def find_tests(width: int = 96) -> tuple[str, ...]:
    """The names as tests of find(1), which follow another one, in lines of at most `width`."""
    lines: list[str] = []
    for name in (name for names in NAMES for name in names):
        by = ("-path", f"*/{name}*") if name.endswith("/") else ("-name", name)
        test = f"-o {shlex.join(by)}"
        if lines and len(lines[-1]) + 1 + len(test) <= width:
            lines[-1] += f" {test}"
        else:
            lines.append(test)
    return tuple(lines)


def is_public(tree: Tree, path: str) -> bool:
    """Whether a `.pem` file holds certificates or public keys alone."""
    if not path.endswith(".pem"):
        return False
    try:
        text = tree.read(path)
    except ProjectError:
        return False
    return _PUBLIC.search(text) is not None and _PRIVATE not in text


def read(tree: Tree, folder: str, sources: Collection[str]) -> Fields:
    """What of an app has a name that secrets have.

    Args:
        tree: The project's files.
        folder: The app's.
        sources: At the root, what enters the image; folders end in a slash.

    Returns:
        `keep` (files that enter the image all the same, as they hold nothing but certificates or
        public keys) and `secret_files` (files that the code names, whether they are kept or not),
        both relative to `folder`.
    """
    files = list(_entering(tree.files, folder, sources))
    suspects = {file: name for file in files if (name := matching(file)) is not None}
    at = "" if folder == "." else f"{folder}/"
    public = [file for file in suspects if is_public(tree, at + file)]
    keep: Found[list[str]] = Found([], "no .pem file that holds certificates alone")
    if public:
        reason = f"certificates without a private key{and_more(public)}"
        keep = Found(public, reason, at + public[0])
    return {"keep": keep, "secret_files": _named(tree, at, files, suspects)}


def hidden(tree: Tree, folder: str, sources: Collection[str], keep: Collection[str]) -> list[str]:
    """The same of files that git ignores: those that the code names, but for what is kept.

    Args:
        tree: The project's files.
        folder: The app's.
        sources: At the root, what enters the image.
        keep: Files that enter it whatever they are called, relative to `folder`.
    """
    # At the root, a folder with nothing else in it is none of the sources.
    ignored = _entering(tree.hidden(), folder, None)
    suspects = {f: name for f in ignored if f not in keep and (name := matching(f)) is not None}
    at = "" if folder == "." else f"{folder}/"
    return _named(tree, at, list(_entering(tree.files, folder, sources)), suspects).value


def sentence(kind: str, folder: str, keep: Sequence[str], left: Sequence[str]) -> str:
    """What is said of one or more files that the code names and that no image gets."""
    which, it = ("stays", "it") if len(left) == 1 else ("stay", "them")
    return (
        f"The code names {join(folder, left[0])}{and_more(left)}, which {which} out of the image, "
        f"as secrets have such names: mount {it} there, or put {it} in with "
        f"--set {kind}.keep={','.join([*keep, *left])}"
    )


def _entering(paths: Iterable[str], folder: str, sources: Collection[str] | None) -> Iterator[str]:
    """An app's files that would enter its image, but for their names, relative to its folder.

    At the root, those are what is among `sources`; everything where that is None.
    """
    at = "" if folder == "." else f"{folder}/"
    tops = tuple(source for source in sources or () if source.endswith("/"))
    for path in paths:
        if not path.startswith(at):
            continue
        file = path.removeprefix(at)
        here = folder != "." or sources is None or file in sources or file.startswith(tops)
        # At the root, a file of such a name is none of the sources.
        if (here or ("/" not in file and matching(file))) and not _TESTS.search(file):
            yield file


def _named(tree: Tree, at: str, files: list[str], suspects: dict[str, str]) -> Found[list[str]]:
    wanted = {
        file: re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
        for file, name in suspects.items()
        if not any(fnmatchcase(name, pattern) for pattern in _EXPECTED)
    }
    found: dict[str, tuple[str, int]] = {}
    for code in files if wanted else ():
        if not code.endswith(_CODE) or code in suspects or _LOCKFILE.search(code):
            continue
        try:
            lines = tree.read(at + code).splitlines()
        except ProjectError:
            continue
        for number, line in enumerate(lines, start=1):
            for file, pattern in wanted.items():
                if pattern.search(line):
                    found.setdefault(file, (at + code, number))
    if not found:
        return Found([], "no code names a file that secrets are called as")
    names = sorted(found)
    return Found(names, f"names {names[0]}{and_more(names)}", *found[names[0]])
