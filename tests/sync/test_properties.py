"""Any project, any edits, any order of changes: nothing of the user's is lost, runs agree."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from spinbox_wrapper.template import Template
from tests.cases import SHAPES
from tests.conftest import files_below
from tests.projects.compose import compose
from tests.releases import PRESENT, RELEASES
from tests.runs import Result, run

pytestmark = pytest.mark.integration

ANSWERS = ".copier-answers.yml"
FLAGS = ("USE_REDIS", "USE_POSTGRESQL", "USE_MONGODB", "USE_CHROMA")
# Where a file of the user's can stand in the way of a generated one.
CLAIMED = ("deploy/Caddyfile", "deploy/migrate.sh", "deploy/NOTES.md", "deploy/hello.sh")
CHOICES = (
    (),
    ("--set", "proxy=none"),
    ("--set", "proxy=caddy"),
    ("--no-compose",),
    ("--compose",),
    ("--set", "name=renamed"),
)
_CHANGING = re.compile(rb"max-file|=python:3|^# Deploying|^# How to deploy|REDIS_|name: .*-prod")
_CONFLICT = re.compile(r"^(<{7} .*|={7}|>{7} .*)\r?\n", re.MULTILINE)


class SyncMachine(RuleBasedStateMachine):
    """A project's life: changes in any order, and runs between them."""

    releases: dict[str, Template]

    @initialize(shape=st.sampled_from(SHAPES))
    def start(self, shape: str) -> None:
        self.folder = Path(mkdtemp(prefix="spinbox-test-"))
        self.root = compose(shape, self.folder / "project")
        # What a choice or a change may make impossible is not what is tested here.
        self.tags = list(self.releases)
        self.own = files_below(self.root)
        self.tokens = 0
        self.pending: tuple[str, ...] = ()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    def generated(self) -> list[str]:
        return sorted(files_below(self.root).keys() - self.own.keys() - {ANSWERS})

    @rule(flag=st.sampled_from(FLAGS), on=st.booleans())
    def change_the_project(self, flag: str, on: bool) -> None:
        conf = self.root / ".config/project.conf"
        text = re.sub(f'{flag}="\\w+"', f'{flag}="{str(on).lower()}"', conf.read_text())
        conf.write_text(text)
        self.own[".config/project.conf"] = text.encode()

    @rule(version=st.sampled_from(["3.11", "3.12", "3.13"]))
    def change_a_version(self, version: str) -> None:
        conf = self.root / ".config/versions.conf"
        text = re.sub(r"python:3\.\d+-slim", f"python:{version}-slim", conf.read_text())
        conf.write_text(text)
        self.own[".config/versions.conf"] = text.encode()

    @precondition(lambda self: len(self.tags) > 1)
    @rule()
    def upgrade_the_template(self) -> None:
        self.tags.pop(0)

    @rule(choice=st.sampled_from(CHOICES))
    def choose(self, choice: tuple[str, ...]) -> None:
        self.pending = choice

    def _edited(self, data: st.DataObject) -> Path | None:
        names = self.generated()
        return self.root / data.draw(st.sampled_from(names)) if names else None

    @rule(data=st.data(), ends=st.sampled_from(["\n", "\r\n", ""]))
    def insert_a_line(self, data: st.DataObject, ends: str) -> None:
        if path := self._edited(data):
            lines = path.read_bytes().splitlines(keepends=True)
            self.tokens += 1
            at = data.draw(st.integers(0, len(lines)))
            lines.insert(at, f"# mine {self.tokens} é{ends}".encode())
            path.write_bytes(b"".join(lines))

    @rule(data=st.data())
    def replace_lines(self, data: st.DataObject) -> None:
        if path := self._edited(data):
            lines = path.read_bytes().splitlines(keepends=True)
            first = data.draw(st.integers(0, len(lines)))
            last = data.draw(st.integers(first, min(first + 9, len(lines))))
            # Markers of a conflict are not text to be edited at random.
            if not _CONFLICT.search(path.read_bytes().decode()):
                kept = [line for line in lines[first:last] if b"# mine " in line]
                self.tokens += 1
                lines[first:last] = [*kept, f"# mine {self.tokens} instead\n".encode()]
                path.write_bytes(b"".join(lines))

    @rule(data=st.data())
    def edit_a_line_that_changes(self, data: st.DataObject) -> None:
        """Where conflicts are: a line that another release, flag or version has otherwise."""
        found = [
            (name, line)
            for name in self.generated()
            for line in (self.root / name).read_bytes().splitlines(keepends=True)
            if _CHANGING.search(line) and b"# mine" not in line
        ]
        if found:
            name, line = data.draw(st.sampled_from(found))
            self.tokens += 1
            edited = line.rstrip(b"\r\n") + f" # mine {self.tokens}\n".encode()
            path = self.root / name
            path.write_bytes(path.read_bytes().replace(line, edited, 1))

    def change_what_is_edited(self, version: str, adoption: str) -> None:
        """A conflict on purpose; by chance alone there are few."""
        self.build(adoption)
        path = self.root / "Dockerfile.prod"
        if path.exists():
            self.tokens += 1
            edited = re.sub(
                rb"(?m)^(ARG PYTHON_IMAGE=[^\r\n]*)",
                rb"\1 # mine %d" % self.tokens,
                path.read_bytes(),
            )
            path.write_bytes(edited)
        self.change_a_version(version)
        self.build(adoption)

    @rule()
    def make_the_change_of_a_later_release(self) -> None:
        path = self.root / "docker-compose.prod.yml"
        if path.exists():
            text = path.read_bytes().replace(b'max-file: "3"', b'max-file: "5"')
            path.write_bytes(text)

    @rule(data=st.data())
    def change_line_ends(self, data: st.DataObject) -> None:
        if path := self._edited(data):
            text = path.read_bytes().replace(b"\r\n", b"\n")
            path.write_bytes(text.replace(b"\n", b"\r\n"))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if path := self._edited(data):
            path.unlink()

    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        if path := self._edited(data):
            self.tokens += 1
            target = path.rename(path.with_name(f"{path.name}.mine{self.tokens}"))
            self.own[target.relative_to(self.root).as_posix()] = target.read_bytes()

    @rule(path=st.sampled_from(CLAIMED))
    def write_a_file_of_ones_own(self, path: str) -> None:
        target = self.root / path
        if not target.exists():
            self.tokens += 1
            target.parent.mkdir(exist_ok=True)
            target.write_text(f"# mine {self.tokens}\n")

    @rule(adoption=st.sampled_from(["take", "keep", "merge"]))
    def build(self, adoption: str) -> None:
        result = self._compared()
        if "were not generated" in result.stderr:
            result = self._compared(f"--adopt={adoption}")
        if "conflict markers" in result.stderr:
            self._resolve()
            self._compared()

    def _compared(self, *arguments: str) -> Result:
        """Check, run, run again."""
        template = self.releases[self.tags[0]]
        arguments = (*arguments, *self.pending)
        before = files_below(self.root)
        check = run(self.root, "--check", *arguments, template=template)
        assert files_below(self.root) == before, "--check wrote something"
        result = run(self.root, *arguments, template=template)
        after = files_below(self.root)
        assert "should not happen" not in result.stderr, result.stderr
        changed = _without_answers(before) != _without_answers(after)
        # What others need does not stay away unseen, though nothing is to be written.
        lacks = " missing, but " in result.stdout
        assert check.code == int(changed or lacks or result.code != 0), (check, result)
        self._nothing_is_lost(before, after)
        if result.code == 0:
            self.pending = ()
        if "Nothing was written" in result.stderr or "nothing was written" in result.stderr:
            assert after == before
        again = run(self.root, *self.pending, template=template)
        assert files_below(self.root) == after, (result, again)
        assert again.code == result.code
        return result

    def _nothing_is_lost(self, before: dict[str, bytes], after: dict[str, bytes]) -> None:
        everywhere = b"".join(after.values())
        for path, content in before.items():
            if path == ANSWERS:
                continue
            there = [
                after[name] for name in after if name == path or name.startswith(f"{path}.orig")
            ]
            for line in re.findall(rb"# mine [^\r\n]*", content):
                assert line in (b"".join(there) if there else everywhere), (path, line)

    def _resolve(self) -> None:
        for path in self.generated():
            text = (self.root / path).read_bytes()
            (self.root / path).write_bytes(_CONFLICT.sub("", text.decode()).encode())

    @invariant()
    def foreign_files_are_untouched(self) -> None:
        if hasattr(self, "own"):
            files = files_below(self.root)
            assert {path: files.get(path) for path in self.own} == self.own


def _without_answers(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path != ANSWERS}


def test_nothing_is_lost_in_any_order(releases: dict[str, Template]) -> None:
    assert list(releases) == [*RELEASES, PRESENT]
    machine = type("Machine", (SyncMachine,), {"releases": releases})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("shape", ["fastapi", "python-postgresql"])
def test_nothing_is_lost_in_conflicts(shape: str, releases: dict[str, Template]) -> None:
    machine = type("Machine", (SyncMachine,), {"releases": releases})()
    machine.start(shape=shape)
    for version in ("3.13", "3.12"):
        machine.change_what_is_edited(version=version, adoption="take")
        machine.foreign_files_are_untouched()
        machine.upgrade_the_template()
    machine.teardown()
