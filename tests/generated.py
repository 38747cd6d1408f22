"""Lists that are made of the registries: in copier.yml and the README. `make generate` writes them.

Each stands between two comments of its file, `NAME: begin` and `NAME: end`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import yaml

from extensions import apps
from extensions.choice import Choice
from extensions.choices import CHOICES
from extensions.pipelines import PLATFORMS
from extensions.runtimes import RUNTIMES
from extensions.setting import Setting
from extensions.settings import CHOICES as SETTABLE
from extensions.settings import SETTINGS
from extensions.targets import TARGETS
from spinbox_wrapper import boot, checks
from tests.sync.cases import CASES

REPOSITORY = Path(__file__).parents[1]


def exclusions() -> str:
    """Rows of `_exclude`: what a project does not get that lacks a target or a pipeline."""
    lines: list[str] = []
    for target in TARGETS.values():
        lines += ["", f"# {target.title}"]
        lines += _rows(target.files, f"{target.surface}.wanted")
    for platform in PLATFORMS.values():
        lines += ["", f"# {platform.title}"]
        lines += _rows(platform.files, "")
    return "\n".join(f"    {line}".rstrip() for line in lines[1:])


def _rows(files: Mapping[str, tuple[str, ...]], wanted: str) -> Iterator[str]:
    for condition, patterns in files.items():
        several = f"({condition})" if " or " in condition else condition
        joined = " and ".join(part for part in (wanted, several) if part)
        yield f"{{% if not {f'({joined})' if ' ' in joined else joined} %}}"
        yield from patterns
        yield "{% endif %}"


def questions() -> str:
    """The questions of copier.yml, one for each choice."""
    return "\n".join(_question(choice) for choice in CHOICES.values()).rstrip()


def _question(choice: Choice) -> str:
    fields: dict[str, object] = {"type": "bool" if choice.kind == "boolean" else "str"}
    if choice.kind == "list":
        fields["multiselect"] = True
    fields |= {"help": choice.question} if choice.question else {"ask": False}
    if choice.values:
        fields["choices"] = {label: value for value, label in choice.values.items()}
    fields["default"] = choice.default_for({}) if choice.computed is None else ""
    if choice.proposed or choice.computed:
        fields["default"] = f"{{{{ propose('{choice.key}') }}}}"
    if choice.when:
        fields["when"] = f"{{{{ {choice.when} }}}}"
    if choice.asked:
        fields["ask"] = f"{{{{ {choice.asked} }}}}"
    if choice.form and choice.question:
        fields["validator"] = f"{{{{ objection('{choice.key}', {choice.key}) }}}}"
    return yaml.dump(
        {choice.key: fields}, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True
    )


class _Dumper(yaml.SafeDumper):
    """Writes Jinja's expressions, which hold single quotes, between double ones."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """A text, quoted as it reads best."""
        style = '"' if not data or "{" in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def settings_table() -> str:
    """The keys of `--set`; those of all frameworks of a language once."""
    rows: dict[str, None] = {}
    for setting in (*SETTABLE, *SETTINGS):
        kind = setting.kind.replace("|", "\\|")
        key, help_ = _of_all(setting)
        rows[f"| `{key}` | {kind} | {help_} |"] = None
    said = [
        f"`{runtime.name.upper()}` stands for any of {', '.join(f'`{n}`' for n in apps.of(name))}."
        for name, runtime in RUNTIMES.items()
    ]
    head = ["", *textwrap.wrap(" ".join(said), 80, break_long_words=False), ""]
    return "\n".join([*head, "| Key | Value | What it is |", "| --- | --- | --- |", *rows, ""])


def _of_all(setting: Setting) -> tuple[str, str]:
    """Key and help of a setting, under the language's name where all its frameworks have it."""
    component, _, field = setting.key.partition(".")
    framework = apps.FRAMEWORKS.get(component)
    if framework is None or not field:
        return setting.key, setting.help
    language = framework.RUNTIME
    help_ = setting.help.replace(f"the {framework.TITLE} app", "the app")
    others = (
        (other, one)
        for other in apps.of(language.name)
        for one in apps.FRAMEWORKS[other].SETTINGS
        if one.key == f"{other}.{field}" and one.kind == setting.kind
    )
    same = {
        other
        for other, one in others
        if one.help.replace(f"the {apps.FRAMEWORKS[other].TITLE} app", "the app") == help_
    }
    if same != set(apps.of(language.name)):
        return setting.key, setting.help
    return f"{language.name.upper()}.{field}", help_


def cases_table() -> str:
    """What a run does to a file, by what happened to it."""
    rows = ["| Since the last run | A generated file |", "| --- | --- |"]
    rows += [f"| {case.happened} | {case.then} |" for case in CASES]
    return "\n".join(["", *rows, ""])


def checks_table() -> str:
    """What `deploy --check` looks at."""
    rows = ["| Check | What has to hold |", "| --- | --- |"]
    rows += [f"| `{id_}` | {help_} |" for id_, help_ in {**checks.IDS, **boot.IDS}.items()]
    return "\n".join(["", *rows, ""])


# By file, the text of each list and how its comments look.
LISTS: dict[str, dict[str, tuple[str, Callable[[], str]]]] = {
    "copier.yml": {
        "files of targets and pipelines": ("    # {}", exclusions),
        "choices": ("# {}", questions),
    },
    "README.md": {
        "settings": ("<!-- {} -->", settings_table),
        "cases": ("<!-- {} -->", cases_table),
        "checks": ("<!-- {} -->", checks_table),
    },
}


def parts(file: str, name: str) -> tuple[str, str, str]:
    """A file as it is: what stands before a list, the list, and what stands behind it."""
    comment, _ = LISTS[file][name]
    begin, end = (comment.format(f"{name}: {word}") + "\n" for word in ("begin", "end"))
    before, found, rest = (REPOSITORY / file).read_text().partition(begin)
    text, also_found, after = rest.partition(end)
    assert found and also_found, f"{file} has no list of {name}"
    return before + begin, text, end + after


def write() -> None:
    """Write every list anew."""
    for file, lists in LISTS.items():
        for name, (_, make) in lists.items():
            before, _, after = parts(file, name)
            (REPOSITORY / file).write_text(f"{before}{make()}\n{after}")


if __name__ == "__main__":
    write()
