"""Next.js: what its build needs, and pages that are rendered anew."""

from __future__ import annotations

import json
from pathlib import Path

from extensions.model import App, NodeBuild
from tests.start.support import subject_of

PACKAGE = {"scripts": {"build": "next build"}, "dependencies": {"next": "15"}}


def _app(root: Path, files: dict[str, str], **more: object) -> App:
    package = {**PACKAGE, **more}
    project = {"package.json": json.dumps(package), "app/page.js": "", **files}
    return subject_of(root, project, USE_NEXTJS="true", USE_POSTGRESQL="true").stack.apps[0]


def _build(app: App) -> str:
    assert isinstance(app.build, NodeBuild) and app.build.build
    return app.build.build


NEEDS = "if (!process.env.{0}) throw new Error('no {0}');\nmodule.exports = {{}};\n"


def test_what_the_build_needs_is_a_secret_of_the_build(tmp_path: Path) -> None:
    """And a setting of the container, as before."""
    app = _app(tmp_path, {"next.config.js": NEEDS.format("AUTH_SECRET")})
    assert app.build_secrets == app.build_needs == ("AUTH_SECRET",)
    assert app.build_logins == ()
    assert "AUTH_SECRET" in {env.name for env in app.environment}


def test_an_address_that_only_the_container_knows_has_a_stand_in(tmp_path: Path) -> None:
    """Nothing connects while an image is built."""
    for name in ("DATABASE_URL", "POSTGRES_PRISMA_URL"):
        app = _app(tmp_path / name, {"next.config.js": NEEDS.format(name)})
        assert app.build_needs == ()
        assert f"{name}=postgresql://build:build@localhost:5432/build npm run build" in _build(app)


def test_a_build_that_is_told_not_to_look(tmp_path: Path) -> None:
    files = {"next.config.js": NEEDS.format("AUTH_SECRET")}
    app = _app(tmp_path, files, scripts={"build": "SKIP_ENV_VALIDATION=1 next build"})
    assert app.build_needs == ()


def test_what_is_read_at_a_request_is_none(tmp_path: Path) -> None:
    files = {"app/api/a/route.js": "export const GET = () => fetch(process.env.API_KEY)"}
    assert _app(tmp_path, files).build_needs == ()


def test_files_that_are_traced_from_above(tmp_path: Path) -> None:
    """The server is in a folder of the app's name, in the image `app`."""
    config = "module.exports = { outputFileTracingRoot: path.join(__dirname, '../../') }"
    app = _app(tmp_path, {"next.config.js": config})
    assert isinstance(app.build, NodeBuild)
    assert (".next/standalone/app", "./") in app.build.outputs
    config = "module.exports = { outputFileTracingRoot: __dirname }"
    app = _app(tmp_path / "own", {"next.config.js": config})
    assert isinstance(app.build, NodeBuild)
    assert (".next/standalone", "./") in app.build.outputs
