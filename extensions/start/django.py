"""Settings of Django that production refuses, or that show too much."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import django_settings, finding
from ..django_settings import Settings, Value
from ..finding import Finding
from ..model import App
from ..subject import Subject

RUNTIME = "python"
IDS = {"start.django": "Django's settings are those of production"}
_RULE = "start.django"

# Names that are filled from the domain.
_FILLED = re.compile(r"(?:DJANGO_)?ALLOWED_HOSTS?|TRUSTED_HOSTS?")
_CHECKED = "127.0.0.1"
# What `check --deploy` asks for, beside what the proxy does (redirects, HSTS).
_COOKIES = {
    "SESSION_COOKIE_SECURE": "SessionMiddleware",
    "CSRF_COOKIE_SECURE": "CsrfViewMiddleware",
}
_STORES = re.compile(r"storages\.backends|S3|GoogleCloud|Azure|cloudinary", re.IGNORECASE)


def concerns(subject: Subject) -> bool:
    """Where there is a Django app."""
    return any(app.kind == "django" for app in subject.stack.apps)


def find(subject: Subject) -> Iterator[Finding]:
    """What the settings for production say."""
    for app in subject.stack.apps:
        settings = django_settings.find(subject.tree, app.directory)
        if app.kind != "django" or settings is None:
            continue
        yield from _development(app, settings)
        yield from _fixed(settings)
        yield from _hosts(app, settings)
        yield from _static(subject, settings)
        yield from _media(settings)
        yield from _database(settings)
        yield from _cookies(settings)


def _told(
    seen: str, mend: str, value: Value | None, path: str, *, certain: bool = False
) -> Finding:
    line = value.line if value else None
    return Finding(_RULE, certain, seen, mend, value.path if value else path, line)


def _place(value: Value) -> str:
    return finding.where(value.path, value.line)


def _development(app: App, settings: Settings) -> Iterator[Finding]:
    last = settings.module.rpartition(".")[2]
    if last in django_settings.DEVELOPMENT:
        yield _told(
            f"{settings.manage} and wsgi.py name {settings.module}, which is for development, and "
            "there is none for production.",
            f"Write {settings.module.rpartition('.')[0]}.production, or name another one: "
            f"spinbox build --prod --set {app.kind}.settings=MODULE",
            None,
            settings.path,
        )


def _fixed(settings: Settings) -> Iterator[Finding]:
    debug, key = settings.values.get("DEBUG"), settings.values.get("SECRET_KEY")
    if debug and debug.constant is True:
        yield _told(
            f"{_place(debug)} turns DEBUG on for good: every error shows source and settings to "
            "everybody.",
            f'Write DEBUG = os.environ.get("DEBUG") == "1" in {debug.path}.',
            debug,
            settings.path,
        )
    if key and isinstance(key.constant, str):
        yield _told(
            f"{_place(key)} holds SECRET_KEY, so everybody who reads the code can sign sessions.",
            f'Write SECRET_KEY = os.environ["SECRET_KEY"] in {key.path}.',
            key,
            settings.path,
        )


def _hosts(app: App, settings: Settings) -> Iterator[Finding]:
    value = settings.values.get("ALLOWED_HOSTS")
    write = 'os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1").split(",")'
    mend = f"Write ALLOWED_HOSTS = {write} in {value.path if value else settings.path}."
    if value is None:
        if not settings.mentions("ALLOWED_HOSTS"):
            seen = f"{settings.path} sets no ALLOWED_HOSTS, so Django answers 400 to everybody."
            yield _told(seen, mend, None, settings.path, certain=True)
        return
    hosts = value.constant
    if isinstance(hosts, list | tuple):
        names = [str(host) for host in hosts]
        if "*" in names:
            return
        if not names:
            seen = f"{_place(value)} allows no host, so Django answers 400 to everybody."
            yield _told(seen, mend, value, settings.path, certain=True)
        elif _CHECKED not in names:
            seen = (
                f"{_place(value)} does not allow {_CHECKED}, which the health check asks for: the "
                "app never counts as healthy."
                if app.health
                else f"{_place(value)} fixes the hosts ({', '.join(names)}): the domain has to be "
                "one of them."
            )
            yield _told(seen, mend, value, settings.path, certain=bool(app.health))
        return
    name = value.variable
    if name and not _FILLED.fullmatch(name):
        yield _told(
            f"{_place(value)} reads the hosts that Django answers to from {name}, which nothing "
            "fills.",
            f"Set {name} to the domain, localhost and {_CHECKED} in .env.",
            value,
            settings.path,
        )


def _static(subject: Subject, settings: Settings) -> Iterator[Finding]:
    if not settings.mentions("django.contrib.staticfiles") or settings.matches(_STORES):
        return
    base = settings.base
    has_files = settings.mentions("django.contrib.admin") or any(
        "/static/" in f"/{path}" for path in subject.tree.below(base)
    )
    if not has_files:
        return
    root = settings.values.get("STATIC_ROOT")
    if root is None:
        yield _told(
            f"{settings.path} sets no STATIC_ROOT, so the image has no static files: pages and the "
            "admin come without their styles.",
            f'Add STATIC_ROOT = BASE_DIR / "staticfiles" to {settings.path}.',
            None,
            settings.path,
        )
    elif settings.folder("STATIC_ROOT") in {None, "."}:
        yield _told(
            f"{_place(root)} puts static files outside of the app's folder, so the image collects "
            "none.",
            f'Write STATIC_ROOT = BASE_DIR / "staticfiles" in {root.path}.',
            root,
            settings.path,
        )
    if not settings.mentions("whitenoise"):
        yield _told(
            f"Nothing serves {settings.path}'s static files, since Django does so in development "
            "alone.",
            'Add whitenoise to the dependencies, and "whitenoise.middleware.WhiteNoiseMiddleware" '
            "behind SecurityMiddleware in MIDDLEWARE.",
            None,
            settings.path,
        )


def _media(settings: Settings) -> Iterator[Finding]:
    url = settings.values.get("MEDIA_URL")
    if url is None or settings.matches(_STORES) or not settings.folder("MEDIA_ROOT"):
        return
    yield _told(
        f"What users upload is kept, but nothing serves {_place(url)}'s address: Django does so in "
        "development alone.",
        "Serve it by a view that asks who may see a file, or keep uploads in an object store "
        "(django-storages).",
        url,
        settings.path,
    )


def _database(settings: Settings) -> Iterator[Finding]:
    value = settings.values.get("DATABASES")
    if value is None or value.variable or not settings.mentions("django.db.backends.sqlite3"):
        return
    if settings.mentions("django.db.backends.postgresql"):
        return
    yield _told(
        f"{_place(value)} keeps the database in a file of the image, which nobody can write to.",
        "Take PostgreSQL (spinbox add --postgresql, and the POSTGRES_ names in DATABASES), or a "
        'volume: spinbox build --prod --set uploads=/app/data, with "/app/data/db.sqlite3" there.',
        value,
        settings.path,
    )


def _cookies(settings: Settings) -> Iterator[Finding]:
    missing = [
        name
        for name, sent in _COOKIES.items()
        if name not in settings.values and settings.mentions(sent)
    ]
    if missing:
        yield _told(
            f"{settings.path} sets no {' and no '.join(missing)}: cookies go over plain HTTP, too, "
            "and `check --deploy` says so.",
            f"Add {' and '.join(f'{name} = not DEBUG' for name in missing)} to {settings.path}.",
            None,
            settings.path,
        )
