"""What a case derives, as JSON that a reviewer can read: what is neither empty nor a default."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

import yaml

from extensions.deployment import derive
from extensions.model import Runtime

_WIDTH = 100
# The same in every model.
_TABLES = frozenset({"names"})
_EMPTY: tuple[Any, ...] = (None, "", (), [], {})


def text(answers_file: Path) -> str:
    """The stack and the pipelines that an answers file leads to."""
    deployment = derive(yaml.safe_load(answers_file.read_text()))
    told = {"stack": _told(deployment.stack), "pipeline": _told(deployment.pipeline)}
    return f"{_written(told)}\n"


def difference(shape: str, variant: str) -> str:
    """What options change in the model of a project: lines taken away and put in their place."""
    lines = unified_diff(shape.splitlines(), variant.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if line[:3] not in {"---", "+++"})


def _told(value: Any) -> Any:
    """JSON types; of an object, the fields that differ from their defaults."""
    if isinstance(value, Runtime):
        return value.name
    if dataclasses.is_dataclass(value):
        fields = (
            (f, getattr(value, f.name)) for f in dataclasses.fields(value) if f.name not in _TABLES
        )
        said = ((f, held) for f, held in fields if held not in (*_EMPTY, _default(f)))
        told = {f.name: _told(held) for f, held in said}
        # What brings the database up to date knows its app, which stands among the others.
        return told | ({"app": told["app"]["name"]} if "app" in told else {})
    if isinstance(value, Mapping):
        return {str(key): _told(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_told(held) for held in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_told(held) for held in value)
    return value


def _default(field: dataclasses.Field[Any]) -> Any:
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()


def _written(value: Any, indent: str = "") -> str:
    """JSON with a line for everything that fits into one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= _WIDTH or not isinstance(value, (dict, list)) or not value:
        return line
    inner = indent + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_written(held, inner)}" for key, held in value.items()]
    elif any(isinstance(held, (dict, list)) or " " in str(held) for held in value):
        parts = [_written(held, inner) for held in value]
    else:
        wrapper = textwrap.TextWrapper(_WIDTH - len(inner), break_on_hyphens=False)
        parts = [part.removesuffix(",") for part in wrapper.wrap(line[1:-1])]
    start, end = "{}" if isinstance(value, dict) else "[]"
    return f"{start}\n" + ",\n".join(f"{inner}{part}" for part in parts) + f"\n{indent}{end}"
