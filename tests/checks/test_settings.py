"""Settings files that are missing, incomplete, weak or known to others."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from spinbox_wrapper.checks import settings, start
from tests.checks.conftest import Ready
from tests.checks.support import SECRET, by_id, commit, context, git, one
from tests.conftest import Project
from tests.runs import build

SHAPE = "fastapi-postgresql-redis--with-deps"


def _set(root: Path, name: str, value: str) -> None:
    with (root / ".env").open("a") as file:
        file.write(f"{name}={value}\n")


def test_a_ready_project_passes(ready: Ready) -> None:
    found = by_id(settings.look(context(ready(SHAPE))))
    assert {check.status.value for check in found.values()} == {"pass"}
    assert set(found) == set(settings.IDS)


def test_a_missing_file(ready: Ready) -> None:
    root = ready(SHAPE)
    (root / ".env").unlink()
    found = by_id(settings.look(context(root)))
    assert found["settings.present"].status == "fail"
    assert found["settings.present"].mend == "sh deploy/init-env.sh"
    assert "settings.weak" not in found


def test_another_environment_has_its_own_file(ready: Ready) -> None:
    root = ready(SHAPE)
    found = one(settings.look(context(root, "staging")), "settings.present")
    assert found.status == "fail"
    subprocess.run(["sh", "-ec", found.mend], cwd=root, check=True, capture_output=True)
    found = one(settings.look(context(root, "staging")), "settings.present")
    assert found.status == "pass"
    assert "deploy/env/staging.env" in found.seen


def test_a_required_variable_that_is_not_set(ready: Ready) -> None:
    root = ready(SHAPE)
    _set(root, "POSTGRES_PASSWORD", "")
    found = one(settings.look(context(root)), "settings.complete")
    assert found.status == "fail"
    assert "POSTGRES_PASSWORD" in found.seen


def test_what_is_missing_is_added_by_the_command_that_is_named(ready: Ready) -> None:
    root = ready(SHAPE)
    text = re.sub(r"^(REDIS_PASSWORD)=.*\n", "", (root / ".env").read_text(), flags=re.MULTILINE)
    (root / ".env").write_text(text)
    found = one(settings.look(context(root)), "settings.complete")
    assert (found.seen, found.mend) == (
        "REDIS_PASSWORD is not set in .env.",
        "sh deploy/init-env.sh",
    )
    subprocess.run(found.mend, shell=True, cwd=root, check=True, capture_output=True)
    assert one(settings.look(context(root)), "settings.complete").status == "pass"


def test_a_comment_alone_is_no_value(ready: Ready) -> None:
    root = ready(SHAPE)
    _set(root, "POSTGRES_PASSWORD", " # later")
    assert one(settings.look(context(root)), "settings.complete").status == "fail"


def test_a_file_that_compose_cannot_read(ready: Ready) -> None:
    root = ready(SHAPE)
    _set(root, "SMTP_PASSWORD", "'it's'")
    found = one(settings.look(context(root)), "settings.present")
    assert found.status == "fail"
    assert re.fullmatch(r"\.env: line \d+ is no setting of the form NAME=VALUE\.", found.seen)


def test_a_dollar_that_is_no_variable(ready: Ready) -> None:
    root = ready(SHAPE)
    _set(root, "SMTP_PASSWORD", "kT9pa$word-of-theirs")
    found = one(settings.look(context(root)), "settings.references")
    assert found.status == "warn"
    assert "$word" in found.seen
    _set(root, "SMTP_PASSWORD", "'kT9pa$word-of-theirs'")
    assert "$word" in one(settings.look(context(root)), "settings.references").seen
    text = (root / ".env").read_text().replace("SMTP_PASSWORD=kT9pa$word-of-theirs\n", "")
    (root / ".env").write_text(text)
    assert one(settings.look(context(root)), "settings.references").status == "pass"


@pytest.mark.parametrize("folder", ["backend/backups", "./backend", "deploy/../backend/x"])
def test_backups_where_an_image_is_built_from(ready: Ready, folder: str) -> None:
    root = ready(SHAPE)
    _set(root, "BACKUP_DIR", folder)
    found = one(settings.look(context(root)), "settings.backups")
    assert found.status == "fail"
    assert "backend/" in found.seen


@pytest.mark.parametrize("folder", ["/var/backups", "backups", "../elsewhere", "backend-backups"])
def test_backups_beside_the_apps(ready: Ready, folder: str) -> None:
    root = ready(SHAPE)
    _set(root, "BACKUP_DIR", folder)
    assert one(settings.look(context(root)), "settings.backups").status == "pass"


def test_a_variable_that_the_user_added_to_the_example(ready: Ready) -> None:
    root = ready(SHAPE)
    with (root / ".env.example").open("a") as file:
        file.write("\n# Of the shop.\nSHOP_ID=\n")
    found = one(settings.look(context(root)), "settings.complete")
    assert found.status == "fail"
    assert "SHOP_ID" in found.seen


@pytest.mark.parametrize(
    "setting",
    [
        "POSTGRES_PASSWORD=changeme-please-0123456789",
        "SECRET_KEY=CHANGE_THIS_TO_A_RANDOM_VALUE_OF_64",
        "REDIS_PASSWORD=your-redis-password-goes-in-here",
        "DOMAIN=example.com",
        "DOMAIN=www.example.org",
        "SENTRY_DSN=<your dsn>",
        "SMTP_HOST=your-smtp-server",
        "SMTP_USER=xxx",
        "SECRET_KEY=example0123456789abcdef01234567",
        "POSTGRES_PASSWORD=postgres",
    ],
)
def test_a_placeholder(ready: Ready, setting: str) -> None:
    root = ready(SHAPE)
    name, _, value = setting.partition("=")
    _set(root, name, f"'{value}'")
    found = one(settings.look(context(root)), "settings.placeholders")
    assert found.status == "fail"
    assert name in found.seen
    assert value not in found.seen + found.mend


def test_real_values_are_no_placeholders(ready: Ready) -> None:
    root = ready(SHAPE)
    for setting in ("DOMAIN=shop.io", "LOG_LEVEL=info", "PROJECT_NAME='An example of mine'"):
        _set(root, *setting.split("=", 1))
    assert one(settings.look(context(root)), "settings.placeholders").status == "pass"


@pytest.mark.parametrize("value", ["kT9-short", "aaaaaaaaaaaaaaaabbbb", "0000000000000000000000"])
def test_a_weak_secret(ready: Ready, value: str) -> None:
    root = ready(SHAPE)
    _set(root, "SECRET_KEY", value)
    found = one(settings.look(context(root)), "settings.weak")
    assert found.status == "fail"
    assert "SECRET_KEY" in found.seen
    assert value not in found.seen + found.mend


def test_a_short_secret_of_others_is_only_warned_of(ready: Ready) -> None:
    root = ready(SHAPE)
    _set(root, "SMTP_PASSWORD", "kT9-short")
    assert one(settings.look(context(root)), "settings.weak").status == "warn"


@pytest.mark.parametrize(
    "setting",
    [
        "STRIPE_PUBLIC_KEY=pk_live_1",
        "NEXT_PUBLIC_MAPS_KEY=AIza1234",
        "CORS_ALLOW_CREDENTIALS=true",
        "DB_DSN=host=db password=kT9-x",
        "GOOGLE_APPLICATION_CREDENTIALS=/gcp.json",
        "TLS_KEY=/tls/key.pem",
    ],
)
def test_what_nobody_draws_is_no_weak_secret(ready: Ready, setting: str) -> None:
    root = ready(SHAPE)
    _set(root, *setting.split("=", 1))
    found = by_id(settings.look(context(root)))
    for id_ in ("settings.weak", "settings.placeholders"):
        assert found[id_].status == "pass", found[id_].seen


def test_an_address_may_stand_there_twice(ready: Ready) -> None:
    root = ready(SHAPE)
    for name in ("SENTRY_DSN", "WORKER_SENTRY_DSN"):
        _set(root, name, "https://0123456789abcdef@o1.ingest.sentry.io/2")
    assert one(settings.look(context(root)), "settings.repeated").status == "pass"


def test_a_short_key_of_the_app_s_own_is_warned_of(ready: Ready) -> None:
    root = ready(SHAPE)
    _set(root, "BACKUP_ENCRYPTION_KEY", "kT9-short")
    found = one(settings.look(context(root)), "settings.weak")
    assert found.status == "warn"
    assert "BACKUP_ENCRYPTION_KEY" in found.seen


def test_a_repeated_secret(ready: Ready) -> None:
    root = ready(SHAPE)
    _set(root, "REDIS_PASSWORD", f"{SECRET}9")
    _set(root, "POSTGRES_PASSWORD", f"{SECRET}9")
    found = one(settings.look(context(root)), "settings.repeated")
    assert found.status == "fail"
    assert "REDIS_PASSWORD" in found.seen


def test_a_file_that_git_tracks(ready: Ready) -> None:
    root = ready(SHAPE)
    git(root, "add", "--force", ".env")
    found = one(settings.look(context(root)), "settings.untracked")
    assert (found.status, found.mend) == ("fail", "git rm --cached .env")
    git(root, *found.mend.split()[1:])
    assert one(settings.look(context(root)), "settings.untracked").status == "pass"


def test_a_file_that_git_would_take(ready: Ready) -> None:
    root = ready(SHAPE)
    (root / ".gitignore").write_text("*.log\n")
    found = one(settings.look(context(root)), "settings.untracked")
    assert (found.status, found.mend) == ("warn", "echo .env >> .gitignore")


def test_a_file_that_an_old_commit_holds(ready: Ready) -> None:
    root = ready(SHAPE)
    git(root, "add", "--force", ".env")
    commit(root)
    git(root, "rm", "--cached", ".env")
    commit(root)
    found = by_id(settings.look(context(root)))
    assert found["settings.untracked"].status == "pass"
    assert found["settings.history"].status == "fail"


def test_a_file_that_others_can_read(ready: Ready) -> None:
    root = ready(SHAPE)
    (root / ".env").chmod(0o640)
    found = one(settings.look(context(root)), "settings.mode")
    assert (found.status, found.mend) == ("fail", "chmod 600 .env")


# --- What the code does not start without ---------------------------------------------------------


def _needs_key(root: Path) -> None:
    """Let the app's code need a variable of its own."""
    main = root / "backend/app/main.py"
    main.write_text(f'import os\n\nKEY = os.environ["API_KEY"]\n{main.read_text()}')


def test_a_missing_file_is_told_with_what_only_the_user_knows(project: Project) -> None:
    root = project("fastapi")
    _needs_key(root)
    said = build(root)
    assert "sh deploy/init-env.sh  # asks for API_KEY" in said
    found = one(settings.look(context(root)), "settings.present")
    assert "do not start without API_KEY" in found.seen


def test_a_key_of_others_may_be_short(project: Project) -> None:
    root = project("fastapi")
    _needs_key(root)
    build(root)
    (root / ".env").write_text(f"SECRET_KEY={SECRET}\nAPI_KEY=short\n")
    assert one(settings.look(context(root)), "settings.weak").status == "warn"


def test_a_name_that_is_new_fails_until_it_is_set(ready: Ready) -> None:
    root = ready(SHAPE)
    _needs_key(root)
    found = one(start.look(context(root)), "start.settings")
    assert found.status == "fail" and "backend/app/main.py:3" in found.seen
    assert "Will not start:\n- FastAPI does not start without API_KEY" in build(root)
    _set(root, "API_KEY", "x")
    assert one(start.look(context(root)), "start.settings").status == "pass"
    assert "Will not start" not in build(root)
