"""What a Python app finds when it starts: files that git leaves out, models, locales."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator

from .. import started
from ..finding import Finding, where
from ..framework import volumes_command
from ..model import App, PythonBuild
from ..python_paths import ROOT, UNKNOWN, Paths
from ..python_source import Module, called_name
from ..subject import Subject
from ..tree import join

RUNTIME = "python"
_RULE = "start.data"
IDS = {_RULE: "Files and models that the apps read at the start are in the images"}

_WORDS = re.compile(r"\bopen\(|\bload\w*\(|\.read_\w+\(|fileConfig\(|setlocale\(")
# What reads a file that is named first: by the module that has it, or by its name alone.
_LOADERS = {
    "joblib": frozenset({"load"}),
    "torch": frozenset({"load"}),
    "np": frozenset({"load", "loadtxt"}),
    "numpy": frozenset({"load", "loadtxt"}),
    "pd": frozenset({"read_csv", "read_excel", "read_parquet", "read_json", "read_pickle"}),
    "pandas": frozenset({"read_csv", "read_excel", "read_parquet", "read_json", "read_pickle"}),
}
_ALONE = frozenset({"fileConfig", "load_model"})
# What makes the file that it names, or may do so.
_MAKES = re.compile(
    r"\bdump\(|\.to_(?:csv|pickle|parquet)\(|\.save\(|download|urlretrieve|copyfile"
)
_SPACY = re.compile(r"[a-z]{2}_\w+_(?:sm|md|lg|trf)")


def find(subject: Subject) -> Iterator[Finding]:
    """What each Python app reads, and does not find."""
    for app in subject.of("python"):
        run = started.of(subject, app)
        paths = Paths(run.program, app.directory, frozenset())
        told: set[str] = set()
        for module in run.modules:
            if not _WORDS.search(module.text):
                continue
            handled = _handled(module)
            for call, sure in run.calls(module):
                if id(call) in handled:
                    continue
                for one in (
                    *_files(subject, app, paths, module, call, sure),
                    *_spacy(subject, app, module, call, sure),
                    *_locale(app, module, call, sure),
                ):
                    if one.mend not in told:
                        told.add(one.mend)
                        yield one


def _handled(module: Module) -> set[int]:
    """Calls whose failure is looked after."""
    return {
        id(call)
        for node in ast.walk(module.body)
        if isinstance(node, ast.Try) and node.handlers
        for call in ast.walk(node)
    }


def _files(
    subject: Subject, app: App, paths: Paths, module: Module, call: ast.Call, sure: bool
) -> Iterator[Finding]:
    named = _read(call)
    path = paths.absolute(module, named) if named is not None else None
    if path is None or UNKNOWN in path or not path.startswith(f"{ROOT}/"):
        return
    inner = path.removeprefix(f"{ROOT}/")
    place, tree = join(app.directory, inner), subject.tree
    if tree.has(place):
        return
    elsewhere = any(tree.below(place)) or tree.has(inner)
    kept = any(path.startswith(f"{volume.path}/") for volume in app.volumes)
    if not sure or elsewhere or kept or _MAKES.search(module.text):
        return
    folder = posixpath.dirname(path)
    volume = f", or keep it in a volume: {volumes_command(app, folder)}" if folder != ROOT else ""
    yield Finding(
        _RULE,
        sure,
        f"{where(module.path, call.lineno)} reads {place} at the start, which is missing or "
        "ignored by git: the image lacks it.",
        f"Have git take it{volume}",
        module.path,
        call.lineno,
    )


def _read(call: ast.Call) -> ast.expr | None:
    """The path of a file that a call reads."""
    name = called_name(call)
    first = call.args[0] if call.args else None
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        return first if name in _LOADERS.get(call.func.value.id, _ALONE) else None
    if isinstance(call.func, ast.Attribute):
        return first if name in _ALONE else None
    if name == "open":
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        mode = call.args[1] if len(call.args) > 1 else given.get("mode")
        reads = mode is None or (
            isinstance(mode, ast.Constant) and not set(str(mode.value)) & set("wax+")
        )
        return first if reads else None
    return first if name in _ALONE else None


def _spacy(
    subject: Subject, app: App, module: Module, call: ast.Call, sure: bool
) -> Iterator[Finding]:
    """A model of spaCy, which is a package of its own (spacy.io, "Models & Languages")."""
    first = call.args[0] if call.args else None
    name = first.value if isinstance(first, ast.Constant) else None
    if called_name(call) != "load" or not isinstance(name, str) or not _SPACY.fullmatch(name):
        return
    build = app.build
    if not isinstance(build, PythonBuild) or not build.manager or "spacy" not in module.text:
        return
    texts = [subject.tree.read(join(app.directory, one)) for one in build.manifest_lists]
    if any(re.search(name.replace("_", "[-_]"), text) for text in texts):
        return
    if any(subject.tree.below(join(app.directory, name))):
        return
    main = join(app.directory, build.manifests[0])
    release = "https://github.com/explosion/spacy-models/releases/download"
    yield Finding(
        _RULE,
        sure,
        f"{where(module.path, call.lineno)} loads {name}, a package that no line of {main} has: "
        "the image lacks it.",
        f"Add its release for the project's spaCy: {name} @ {release}/{name}-3.8.0/"
        f"{name}-3.8.0-py3-none-any.whl",
        module.path,
        call.lineno,
    )


def _locale(app: App, module: Module, call: ast.Call, sure: bool) -> Iterator[Finding]:
    """A locale, of which slim images have none but C.UTF-8."""
    name = call.args[1] if len(call.args) > 1 else None
    said = name.value if isinstance(name, ast.Constant) else None
    if called_name(call) != "setlocale" or not isinstance(said, str):
        return
    if not re.match(r"[a-z]{2,3}_[A-Z]{2}", said):
        return
    yield Finding(
        _RULE,
        sure,
        f"{where(module.path, call.lineno)} sets the locale {said}, which the image lacks: "
        "locale.Error.",
        "Format with Babel, which brings its own, or take a base image that has it: "
        f"spinbox build --prod --set {app.kind}.image=IMAGE",
        module.path,
        call.lineno,
    )
