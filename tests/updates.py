"""Projects rendered by an earlier commit, edited at random places, updated by this checkout.

    python -m tests.updates REVISION [CASE …]

Prints what became of every case; exits with 1 where an edit is lost or in conflict.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conftest import REPOSITORY, files_below

EDITS = 6
_ANSWERS = ".copier-answers.yml"
_LIST_CASES = "import json; from tests.cases import CASES; print(json.dumps(CASES))"


@dataclass(frozen=True)
class Updated:
    """What came of a case.

    Attributes:
        lost: Edits that are in no file any more, as `FILE: LINE`.
        conflicts: Files that hold both versions.
        changed: Files that the update changed, made or removed.
    """

    lost: tuple[str, ...]
    conflicts: tuple[str, ...]
    changed: tuple[str, ...]


def _python(checkout: Path, cache: Path, *arguments: str | Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(checkout), "XDG_CACHE_HOME": str(cache)}
    words = [str(word) for word in arguments]
    done = subprocess.run(
        [sys.executable, *words], cwd=checkout, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stderr}")
    return done.stdout


def _update(old: Path, name: str, shape: str, options: list[str], work: Path) -> Updated:
    project, cache = work / name, work / "cache"
    _python(old, cache, "-m", "tests.projects.compose", shape, project)
    before = set(files_below(project))
    other = options[:1] in (["generate"], ["deploy"])
    command = [options[0]] if other else ["build", "--prod"]
    spinbox = ("-m", "spinbox_wrapper")
    _python(old, cache, *spinbox, *command, "-C", project, *options[other:])
    generated = sorted(p for p in files_below(project).keys() - before if _ANSWERS not in p)
    chance = random.Random(name)
    edits = [(chance.choice(generated), f"# Edit {number} of {name}") for number in range(EDITS)]
    for path, edit in edits:
        lines = (project / path).read_text().split("\n")
        lines.insert(chance.randrange(len(lines)), edit)
        (project / path).write_text("\n".join(lines))
    edited = files_below(project)
    place = options[options.index("--output") :][:2] if "--output" in options else []
    _python(REPOSITORY, cache, *spinbox, "build", "--prod", "-C", project, *place)
    after = files_below(project)
    return Updated(
        tuple(f"{p}: {e}" for p, e in edits if not any(e.encode() in c for c in after.values())),
        tuple(path for path, content in after.items() if b"<<<<<<< " in content),
        tuple(sorted(p for p in edited.keys() | after.keys() if edited.get(p) != after.get(p))),
    )


def main() -> None:
    """Update every case, and say what became of it."""
    parser = argparse.ArgumentParser(prog="tests.updates", description=__doc__)
    parser.add_argument("revision", metavar="REVISION")
    parser.add_argument("cases", metavar="CASE", nargs="*")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="updates-") as temporary:
        work = Path(temporary)
        old = work / "old"
        git = ("git", "-c", "advice.detachedHead=false", "-C")
        subprocess.run([*git, REPOSITORY, "clone", "--quiet", "--shared", ".", old], check=True)
        subprocess.run([*git, old, "checkout", "--quiet", arguments.revision], check=True)
        cases = json.loads(_python(old, work / "cache", "-c", _LIST_CASES))
        names = arguments.cases or list(cases)

        def update(name: str) -> Updated:
            shape, options = cases[name]
            return _update(old, name, shape, options, work)

        with ThreadPoolExecutor(2) as pool:
            results = dict(zip(names, pool.map(update, names), strict=True))
    for name, result in results.items():
        print(name)
        for path in result.changed:
            print(f"    changed   {path}")
        for path in result.conflicts:
            print(f"    conflict  {path}")
        for edit in result.lost:
            print(f"    lost      {edit}")
    lost = sum(len(result.lost) for result in results.values())
    conflicts = sum(len(result.conflicts) for result in results.values())
    print(
        f"\n{len(names)} cases, {len(names) * EDITS} edits: {lost} lost, {conflicts} in conflict."
    )
    sys.exit(1 if lost or conflicts else 0)


if __name__ == "__main__":
    main()
