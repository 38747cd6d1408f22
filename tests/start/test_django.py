"""Django's settings, as production takes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find
from tests.unit.test_python_web import DJANGO, SETTINGS

FINE = (
    'DEBUG = os.environ.get("DEBUG") == "1"\nSECRET_KEY = os.environ["SECRET_KEY"]\n'
    'ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")\n'
    'STATIC_ROOT = BASE_DIR / "staticfiles"\n'
)
HEALTH = {"config/urls.py": 'urlpatterns = [path("health/", view)]\n'}
ADMIN = 'INSTALLED_APPS += ["django.contrib.admin"]\n'


def look(root: Path, settings: str, files: Mapping[str, str] | None = None) -> list[Finding]:
    """What is found of a Django project with those settings."""
    project = {**DJANGO, **(files or {}), "config/settings.py": SETTINGS + settings}
    found = find(root, project, USE_PYTHON="true")
    return [one for one in found if one.rule == "start.django"]


def test_settings_for_production_are_fine(tmp_path: Path) -> None:
    assert look(tmp_path, FINE, HEALTH) == []


@pytest.mark.parametrize(
    ("line", "seen", "certain"),
    [
        ("DEBUG = True", "turns DEBUG on", False),
        ("SECRET_KEY = 'django-insecure-1'", "holds SECRET_KEY", False),
        ("ALLOWED_HOSTS = []", "allows no host", True),
        ("ALLOWED_HOSTS = ['example.com']", "does not allow 127.0.0.1", True),
        ("ALLOWED_HOSTS = os.environ['MY_NAMES'].split()", "from MY_NAMES", False),
        ("MIDDLEWARE = ['x.SessionMiddleware']", "SESSION_COOKIE_SECURE", False),
        ("DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3'}}", "in a file", False),
        ("MEDIA_URL = 'media/'\nMEDIA_ROOT = BASE_DIR / 'media'", "nothing serves", False),
    ],
)
def test_what_production_does_not_want_is_told(
    line: str, seen: str, certain: bool, tmp_path: Path
) -> None:
    (found,) = look(tmp_path, f"{FINE}{line}\n", HEALTH)
    assert seen in found.seen and found.certain is certain
    assert found.path == "config/settings.py"


@pytest.mark.parametrize("hosts", ["['*']", "['example.com', '127.0.0.1']"])
def test_hosts_that_answer_the_health_check_are_fine(hosts: str, tmp_path: Path) -> None:
    assert look(tmp_path, f"{FINE}ALLOWED_HOSTS = {hosts}\n", HEALTH) == []


def test_static_files_that_nobody_serves_are_told(tmp_path: Path) -> None:
    (found,) = look(tmp_path, FINE + ADMIN, HEALTH)
    assert "whitenoise" in found.mend


def test_static_files_that_nobody_collects_are_told(tmp_path: Path) -> None:
    settings = FINE.replace("STATIC_ROOT", "OTHER") + ADMIN + "# whitenoise\n"
    (found,) = look(tmp_path, settings, HEALTH)
    assert "STATIC_ROOT" in found.mend


def test_two_last_migrations_are_told(tmp_path: Path) -> None:
    first = "class Migration:\n    dependencies = []\n"
    after = "class Migration:\n    dependencies = [('notes', '0001_a')]\n"
    files = {
        **DJANGO,
        "notes/migrations/0001_a.py": first,
        "notes/migrations/0002_b.py": after,
        "notes/migrations/0002_c.py": after,
    }
    found = find(tmp_path, files, USE_PYTHON="true", USE_POSTGRESQL="true")
    (one,) = [one for one in found if one.rule == "start.migrations"]
    assert one.certain and one.mend == "python manage.py makemigrations --merge"


def test_models_without_migrations_are_told(tmp_path: Path) -> None:
    files = {**DJANGO, "notes/models.py": "class Note(models.Model):\n    pass\n"}
    found = find(tmp_path, files, USE_PYTHON="true", USE_POSTGRESQL="true")
    (one,) = [one for one in found if one.rule == "start.migrations"]
    assert not one.certain and one.mend == "python manage.py makemigrations notes"
