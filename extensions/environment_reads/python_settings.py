"""Settings classes of pydantic: which variables fill their fields, in its versions 1 and 2.

Source of the rules: docs.pydantic.dev, "Settings Management" (2) and "Settings management" (1.10).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from .python_scan import Scan, argument, literal

# Where a name leads: the module that has it, and what is left of the name.
Resolve = Callable[[str], "tuple[Scan, str] | None"]

_SETTINGS = {
    "pydantic_settings.BaseSettings": 2,
    "pydantic.BaseSettings": 1,
    "pydantic.v1.BaseSettings": 1,
    "pydantic.env_settings.BaseSettings": 1,
    "pydantic_settings.main.BaseSettings": 2,
}
_MODELS = frozenset({"pydantic.BaseModel", "pydantic.v1.BaseModel", "pydantic.main.BaseModel"})
# What may fill fields from elsewhere.
_OTHER_SOURCES = frozenset({"settings_customise_sources", "customise_sources"})


@dataclass(frozen=True)
class Class:
    """A class of the project, and the module that it is in."""

    scan: Scan
    node: ast.ClassDef

    @property
    def name(self) -> str:
        """Its name in full."""
        return f"{self.scan.module.name}.{self.node.name}"


@dataclass(frozen=True)
class Field:
    """A field of a settings class, or one of a model in it.

    Attributes:
        names: The variables that fill it, any of them.
        key: What it is called in a call of the class; empty for one of a model in it.
        scan: The module that it stands in.
        line: The line.
        default: As in `Read`.
        needed: Nothing else fills it.
        made: Settings classes that its default is made of.
    """

    names: tuple[str, ...]
    key: str
    scan: Scan
    line: int
    default: str | None
    needed: bool
    made: str | None = None


class Classes:
    """The settings classes and models among the classes of a project."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._versions: dict[str, int | None] = {}

    def find(self, name: str) -> Class | None:
        """The class of that name in full, or None."""
        found = self._resolve(name)
        if found is None:
            return None
        scan, rest = found
        node = scan.classes.get(rest)
        return Class(scan, node) if node else None

    def version(self, of: Class) -> int | None:
        """The version of pydantic whose settings it is a class of; None for no settings class."""
        if of.name not in self._versions:
            # While it is looked at: a class cannot be its own base.
            self._versions[of.name] = None
            for base in of.node.bases:
                name = of.scan.full_name(base) or ""
                version = _SETTINGS.get(name)
                if version is None and (above := self.find(name)):
                    version = self.version(above)
                self._versions[of.name] = self._versions[of.name] or version
        return self._versions[of.name]

    def is_model(self, of: Class) -> bool:
        """Whether pydantic fills it from a mapping."""
        for base in of.node.bases:
            name = of.scan.full_name(base) or ""
            above = self.find(name)
            if name in _MODELS or name in _SETTINGS or (above and self.is_model(above)):
                return True
        return False

    def bases(self, of: Class) -> Iterator[Class]:
        """Its base classes in the project."""
        for base in of.node.bases:
            if above := self.find(of.scan.full_name(base) or ""):
                yield above

    def fields(self, of: Class) -> list[Field]:
        """The fields of a settings class, those of models in it too."""
        version = self.version(of) or 2
        options = self._options(of)
        found: dict[str, list[Field]] = {}
        elsewhere = self._has_other_sources(of)
        for key, (scan, node) in self._annotated(of).items():
            if version == 1:
                names, bare = _names_v1(scan, key, node, options)
            else:
                names, bare = _names_v2(scan, key, node, options)
            default, has_default, made = _default(scan, node, version)
            whole = Field(
                names, key, scan, node.lineno, default, not has_default and not elsewhere, made
            )
            delimiter = options.get("env_nested_delimiter")
            inner = self._model_in(scan, node.annotation)
            if inner and delimiter and bare:
                parts = list(self._inner(inner, names[0], delimiter, options, whole.needed, 0))
                # A model without any needed field is still to be there.
                found[key] = parts if any(part.needed for part in parts) else [whole, *parts]
            elif not (inner and bare and has_default):
                found[key] = [whole]
            else:
                # A model of its own, which reads its own variables, if any.
                found[key] = [replace(whole, names=())]
        return [field for fields in found.values() for field in fields]

    def _inner(
        self,
        of: Class,
        above: str,
        delimiter: str,
        options: Mapping[str, str],
        needed: bool,
        depth: int,
    ) -> Iterator[Field]:
        for key, (scan, node) in self._annotated(of).items():
            alias = _keyword(scan, node, "alias") or key
            name = above + delimiter + _cased(alias, options)
            default, has_default, _ = _default(scan, node, 2)
            inner = self._model_in(scan, node.annotation)
            wanted = needed and not has_default
            if inner and depth < 4:
                yield from self._inner(inner, name, delimiter, options, wanted, depth + 1)
            else:
                yield Field((name,), "", scan, node.lineno, default, wanted)

    def _annotated(self, of: Class) -> dict[str, tuple[Scan, ast.AnnAssign]]:
        """Its fields by name, those of its bases first, each with its module."""
        found: dict[str, tuple[Scan, ast.AnnAssign]] = {}
        for above in reversed(list(self.bases(of))):
            found |= self._annotated(above)
        for node in of.node.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
                if name.startswith("_") or name == "model_config":
                    continue
                if "ClassVar" not in ast.unparse(node.annotation):
                    found[name] = of.scan, node
            elif isinstance(node, ast.Assign):
                # It gives an inherited field a default.
                for target in node.targets:
                    if isinstance(target, ast.Name) and target.id in found:
                        annotation = found[target.id][1].annotation
                        known = ast.AnnAssign(target, annotation, node.value, 1)
                        found[target.id] = of.scan, ast.copy_location(known, node)
        return found

    def _model_in(self, scan: Scan, annotation: ast.expr) -> Class | None:
        found = self.find(scan.full_name(annotation) or "")
        return found if found and self.is_model(found) else None

    def _has_other_sources(self, of: Class) -> bool:
        return any(_fills_itself(node) for node in of.node.body) or any(
            self._has_other_sources(above) for above in self.bases(of)
        )

    def _options(self, of: Class) -> dict[str, str]:
        """`model_config`, `Config` and keywords of the class, with its bases': texts by name."""
        options: dict[str, str] = {}
        for above in reversed(list(self.bases(of))):
            options |= self._options(above)
        given: list[tuple[str, ast.expr]] = []
        for node in of.node.body:
            if isinstance(node, ast.ClassDef) and node.name == "Config":
                for inner in node.body:
                    if isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name):
                        given.append((inner.targets[0].id, inner.value))
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            target = node.target if isinstance(node, ast.AnnAssign) else target
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and target.id == "model_config":
                given += _pairs(value)
        given += [(k.arg, k.value) for k in of.node.keywords if k.arg]
        for name, value in given:
            text = of.scan.constant(value)
            if text is None:
                text = literal(value)
            if text is not None:
                options[name] = text
            elif name == "fields" and isinstance(value, ast.Dict):
                options |= _field_options(of.scan, value)
        return options

    def files(self, of: Class) -> list[str]:
        """The settings files that it reads."""
        found = self._options(of).get("env_file")
        return [found] if found else []


def _pairs(value: ast.expr | None) -> list[tuple[str, ast.expr]]:
    if isinstance(value, ast.Call):
        return [(k.arg, k.value) for k in value.keywords if k.arg]
    if isinstance(value, ast.Dict):
        return [
            (key.value, item)
            for key, item in zip(value.keys, value.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        ]
    return []


def _field_options(scan: Scan, value: ast.Dict) -> dict[str, str]:
    """Version 1's `fields = {"name": {"env": "VARIABLE"}}`."""
    found = {}
    for key, options in _pairs(value):
        env = options
        if isinstance(options, ast.Dict):
            env = dict(_pairs(options)).get("env", options)
        if text := scan.constant(env):
            found[f"env of {key}"] = text
    return found


def _fills_itself(node: ast.stmt) -> bool:
    """Whether a method of the class may fill fields from elsewhere, before they are checked."""
    if not isinstance(node, ast.FunctionDef):
        return False
    if node.name in _OTHER_SOURCES:
        return True
    for decorator in node.decorator_list:
        text = ast.unparse(decorator)
        if "model_validator" in text and "before" in text:
            return True
        if "root_validator" in text and "pre=True" in text:
            return True
    return False


def _field_call(node: ast.AnnAssign) -> ast.Call | None:
    """The `Field(…)` of a field, its value or in `Annotated`."""
    candidates: list[ast.expr] = [node.value] if node.value else []
    outer = node.annotation
    if isinstance(outer, ast.Subscript) and ast.unparse(outer.value).endswith("Annotated"):
        candidates += outer.slice.elts[1:] if isinstance(outer.slice, ast.Tuple) else []
    for each in candidates:
        if isinstance(each, ast.Call) and ast.unparse(each.func).endswith("Field"):
            return each
    return None


def _keyword(scan: Scan, node: ast.AnnAssign, name: str) -> str | None:
    call = _field_call(node)
    value = next((k.value for k in call.keywords if k.arg == name), None) if call else None
    return scan.constant(value)


def _cased(name: str, options: Mapping[str, str]) -> str:
    return name if options.get("case_sensitive") == "True" else name.upper()


def _names_v2(
    scan: Scan, key: str, node: ast.AnnAssign, options: Mapping[str, str]
) -> tuple[tuple[str, ...], bool]:
    """The variables of a field; whether it is called by its own name."""
    call = _field_call(node)
    keywords = {k.arg: k.value for k in call.keywords} if call else {}
    own = _cased(options.get("env_prefix", "") + key, options)
    alias = keywords.get("validation_alias") or keywords.get("alias")
    found: list[str] = []
    if isinstance(alias, ast.Call):
        for choice in alias.args:
            part = choice.args[0] if isinstance(choice, ast.Call) and choice.args else choice
            found += scan.constants(part)
    else:
        found += scan.constants(alias)
    if not found:
        return (own,), True
    by_name = "True" in {options.get("populate_by_name"), options.get("validate_by_name")}
    names = [_cased(name, options) for name in found] + ([own] if by_name else [])
    return tuple(dict.fromkeys(names)), False


def _names_v1(
    scan: Scan, key: str, node: ast.AnnAssign, options: Mapping[str, str]
) -> tuple[tuple[str, ...], bool]:
    call = _field_call(node)
    keywords = {k.arg: k.value for k in call.keywords} if call else {}
    found = scan.constants(keywords.get("env"))
    if not found and (text := options.get(f"env of {key}")):
        found = (text,)
    if found:
        return tuple(_cased(name, options) for name in found), False
    return (_cased(options.get("env_prefix", "") + key, options),), True


def _default(scan: Scan, node: ast.AnnAssign, version: int) -> tuple[str | None, bool, str | None]:
    """A field's default as text, whether it has one, and the class that makes it."""
    call = _field_call(node)
    value: ast.expr | None = node.value
    made = None
    if call is not None:
        factory = next((k.value for k in call.keywords if k.arg == "default_factory"), None)
        if factory is not None:
            return None, True, scan.full_name(factory)
        inside = argument(call, 0, "default")
        value = inside if inside is not None or value is call else value
    if value is None or _is_ellipsis(value):
        # Version 1 takes None for what may be None.
        optional = version == 1 and value is None and _may_be_none(node.annotation)
        return None, optional, None
    if isinstance(value, ast.Call):
        made = scan.full_name(value.func)
    return literal(value), True, made


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _may_be_none(annotation: ast.expr) -> bool:
    text = ast.unparse(annotation)
    return "Optional[" in text or "None" in text or text in {"Any", "typing.Any"}
