"""PostgreSQL, with pgvector where the project needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import ProjectError
from ..image_reference import ImageReference
from ..model import BackingService, Env, Health, Resources, Tmpfs, Variable, Volume, password

DEFAULT_IMAGE = "postgres:17"
# Extensions that the official image carries (postgresql.org/docs, appendix F) or pgvector's adds.
_BUNDLED = frozenset(
    {
        "amcheck", "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink",
        "dict_int", "earthdistance", "file_fdw", "fuzzystrmatch", "hstore", "intarray", "isn", "lo",
        "ltree", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_prewarm", "pg_trgm",
        "pgcrypto", "pgrowlocks", "pgstattuple", "plpgsql", "postgres_fdw", "refint", "seg",
        "sslinfo", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent",
        "uuid-ossp", "vector", "xml2",
    }
)  # fmt: skip
# Not schema: it needs a server setting, and only tools for tuning read it.
_NOT_SCHEMA = frozenset({"plpgsql", "pg_stat_statements"})


def extensions(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The extensions that have to be created before any migration."""
    return tuple(name for name in facts.get("extensions", ()) if name not in _NOT_SCHEMA)


def define(facts: Mapping[str, Any], project: str) -> BackingService:
    image = _image(facts)
    uid = 70 if "alpine" in image else 999
    version = major(image)
    # Since 18 the data lies in a folder per major version (docker-library/postgres#1259).
    path = "/var/lib/postgresql" if version >= 18 else "/var/lib/postgresql/data"
    return BackingService(
        name="postgres",
        title="PostgreSQL",
        image=image,
        port=5432,
        user=f"{uid}:{uid}",
        environment=(
            Env("POSTGRES_USER", variable="POSTGRES_USER"),
            Env("POSTGRES_PASSWORD", variable="POSTGRES_PASSWORD"),
            Env("POSTGRES_DB", variable="POSTGRES_DB"),
        ),
        app_environment=(
            Env("POSTGRES_SERVER", "postgres"),
            Env("POSTGRES_PORT", "5432"),
            Env("POSTGRES_USER", variable="POSTGRES_USER"),
            Env("POSTGRES_PASSWORD", variable="POSTGRES_PASSWORD"),
            Env("POSTGRES_DB", variable="POSTGRES_DB"),
        ),
        urls=("DATABASE_URL", "SQLALCHEMY_DATABASE_URI"),
        variables=(
            password(
                "POSTGRES_PASSWORD",
                "PostgreSQL",
                "The database user's password, fixed at the first start.",
            ),
            Variable("POSTGRES_USER", "PostgreSQL", "The database user.", default="app"),
            Variable(
                "POSTGRES_DB", "PostgreSQL", "The database's name.", default=_database(project)
            ),
        ),
        volume=Volume("postgres_data", path),
        tmpfs=(Tmpfs("/tmp"), Tmpfs("/var/run/postgresql", "1m")),
        # Over TCP: while the database is set up, the server answers on its socket only.
        health=Health(
            ('pg_isready --host 127.0.0.1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB"',),
            shell=True,
            interval="10s",
        ),
        resources=Resources("512M"),
        test_health="pg_isready --host 127.0.0.1",
        shared_memory="128m",
        own_folder=() if version >= 18 else (Env("PGDATA", f"{path}/pgdata"),),
    )


def _image(facts: Mapping[str, Any]) -> str:
    image: str = facts.get("image") or DEFAULT_IMAGE
    reference = ImageReference.parse(image)
    # Without a tag its version is not known: it is taken as it is.
    own = reference.is_official("postgres") and reference.tag is not None
    needed = extensions(facts)
    missing = [name for name in needed if name not in _BUNDLED]
    if missing and own:
        raise ProjectError(
            f"The PostgreSQL extension {missing[0]} is not in {image}: name an image that has it "
            "with --set postgres.image=IMAGE."
        )
    return f"pgvector/pgvector:pg{major(image)}" if own and "vector" in needed else image


def major(image: str) -> int:
    """The PostgreSQL version of an image; of one whose tag does not tell, a recent one."""
    return ImageReference.parse(image).major or 17


def _database(project: str) -> str:
    """An identifier that needs no quotes (postgresql.org/docs, "Lexical Structure")."""
    name = re.sub(r"[^a-z0-9_]", "_", project.lower())[:63]
    return name if name[:1].isalpha() else f"db_{name}"
