"""The systemd units and cron lines that the guide makes schedules with, for backups and jobs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.trees import generate

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CASES = ("profile-web-app", "output/ops/production")


def section(case: str) -> str:
    """The guide's part about what happens every night."""
    text = (GOLDEN / case / "deploy/README.md").read_text()
    return text.split("### Every night by itself", 1)[1].split("\n### ", 1)[0]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same part of a project that has a job."""
    trees = generate(["python-node"], tmp_path_factory.mktemp("job"))
    text = (trees.folder / "python-node/deploy/README.md").read_text()
    return text.split("To run it by the clock", 1)[1].split("\n### ", 1)[0]


@pytest.mark.parametrize("case", CASES)
def test_systemd_takes_the_units(case: str, tmp_path: Path) -> None:
    units = verified(section(case), tmp_path)
    assert len(units) == 4


def test_systemd_takes_a_job_s_units(job: str, tmp_path: Path) -> None:
    service, timer = verified(job, tmp_path)
    assert (service.suffix, timer.suffix) == (".service", ".timer")
    assert f"{service.stem}.timer" in job.partition("enable --now ")[2].splitlines()[0]
    # Without a terminal, and by the same command as cron.
    command = re.search(r"^ExecStart=/usr/bin/env (.*)$", service.read_text(), re.MULTILINE)
    assert command and command[1].endswith("run --rm -T app")
    assert job.split("```text\n")[1].split("\n```")[0].endswith(f"&& {command[1]}")


def verified(part: str, tmp_path: Path) -> list[Path]:
    """The units that the part's commands write, which systemd has looked at."""
    commands = part.split("```bash\n")[1].split("```")[0]
    # As pasted, but into another folder, and systemd itself is left alone.
    script = commands.replace("/etc/systemd/system", str(tmp_path))
    program = f'sudo() {{ [ "$1" != tee ] || "$@"; }}\n{script}'
    subprocess.run(["bash", "-euo", "pipefail", "-c", program], check=True)
    units = sorted(tmp_path.iterdir())
    assert [unit.suffix for unit in units] == [".service", ".timer"] * (len(units) // 2)
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd is not installed")
    result = subprocess.run([tool, "verify", *units], capture_output=True, text=True, check=False)
    # Docker's own unit may be missing where this runs.
    said = [line for line in result.stderr.splitlines() if str(tmp_path) in line]
    assert said == []
    for timer in (unit for unit in units if unit.suffix == ".timer"):
        assert "Persistent=true" in timer.read_text()
        found = re.search(r"^OnCalendar=(.*)$", timer.read_text(), re.MULTILINE)
        assert found
        subprocess.run([tool, "calendar", found[1]], check=True, capture_output=True)
    return units


@pytest.mark.parametrize("case", CASES)
def test_the_cron_line_has_a_minute_and_the_project_s_folder(case: str) -> None:
    line = section(case).split("```text\n")[1].split("\n```")[0]
    minute, *_ = line.split()
    assert 0 <= int(minute) < 60
    folder = "/ops/production" if case.startswith("output") else ""
    assert re.fullmatch(
        rf"\d+ 2 \* \* \* cd /srv/[a-z-]+{folder} && sh deploy/backup.sh --reason nightly >>.*",
        line,
    )
