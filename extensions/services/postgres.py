"""PostgreSQL, with pgvector where the project needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import limits
from ..errors import ProjectError
from ..image_reference import ImageReference
from ..model import (
    BackingService,
    Env,
    Health,
    Managed,
    ServiceKind,
    Tmpfs,
    Variable,
    Volume,
    password,
)

KIND = ServiceKind(
    title="PostgreSQL",
    flag="USE_POSTGRESQL",
    folder="database",
    images=("postgres", "pgvector/pgvector"),
    rank=1,
    tagged=True,
    settings=(
        ("extensions", "list", "Extensions made before any migration"),
        ("version", "number", "Its major version, where the tag of its image does not tell it"),
    ),
)
# What apps call it: by the product, or as the one database that there is.
_WHO = "(?:POSTGRES|POSTGRESQL|PG|DB|DATABASE|SQL)_{1,2}"
_NAMES = (
    (rf"{_WHO}(?:HOST|HOSTNAME|SERVER)|PGHOST", "POSTGRES_SERVER"),
    (rf"{_WHO}PORT|PGPORT", "POSTGRES_PORT"),
    (rf"{_WHO}(?:USER|USERNAME)|PGUSER", "POSTGRES_USER"),
    (rf"{_WHO}(?:PASSWORD|PASS)|PGPASSWORD", "POSTGRES_PASSWORD"),
    (rf"{_WHO}(?:DB|NAME|DBNAME|DB_NAME|DATABASE|DATABASE_NAME)|PGDATABASE", "POSTGRES_DB"),
    (
        rf"{_WHO}(?:(?:DATABASE|DB)_)?(?:URL|URI|DSN|CONNECTION_STRING)"
        r"|SQLALCHEMY_(?:DATABASE_)?(?:URL|URI)"
        # Prisma's direct connection, and the names that hosts of Next.js give.
        r"|DIRECT_URL|POSTGRES_PRISMA_URL|POSTGRES_URL_NON_POOLING",
        "DATABASE_URL",
    ),
)
# Where an image's tag does not tell its version.
_RECENT = 17
DEFAULT_IMAGE = f"postgres:{_RECENT}"
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
_START = """exec docker-entrypoint.sh postgres -c shared_buffers="$POSTGRES_SHARED_BUFFERS"
"""
_MANAGED = {
    "fly": Managed(
        title="Fly.io's Managed Postgres",
        command="fly mpg attach",
        # For migrations, where connections are pooled by transaction.
        more=("DIRECT_DATABASE_URL",),
        # fly.io/docs/flyctl/mpg-create
        versions=(16, 17),
        # fly.io/docs/mpg/extensions
        extensions=frozenset(
            {
                "btree_gin", "btree_gist", "citext", "cube", "dict_int", "fuzzystrmatch", "hstore",
                "intarray", "isn", "lo", "ltree", "pg_trgm", "pgcrypto", "postgis",
                "postgis_raster", "postgis_sfcgal", "postgis_topology", "seg", "tablefunc", "tcn",
                "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "vector",
            }
        ),
    ),
    # The package's `postgres()`.
    "railway": Managed(
        outputs={
            "POSTGRES_SERVER": "PGHOST",
            "POSTGRES_PORT": "PGPORT",
            "POSTGRES_USER": "PGUSER",
            "POSTGRES_PASSWORD": "PGPASSWORD",
            "POSTGRES_DB": "PGDATABASE",
        },
        versions=(18,),
        # Its image has no more than PostgreSQL's own extensions.
        image="postgres",
        constructor="postgres",
    ),
    "render": Managed(
        outputs={
            "POSTGRES_SERVER": "host",
            "POSTGRES_PORT": "port",
            "POSTGRES_USER": "user",
            "POSTGRES_PASSWORD": "password",
            "POSTGRES_DB": "database",
        },
        title="Render Postgres",
        kind="database",
    ),
}  # fmt: skip


def extensions(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The extensions that have to be created before any migration."""
    return tuple(name for name in facts.get("extensions", ()) if name not in _NOT_SCHEMA)


def define(facts: Mapping[str, Any], project: str) -> BackingService:
    image = _image(facts)
    uid = 70 if "alpine" in image else 999
    told: int | None = facts.get("version") or ImageReference.parse(image).major
    version: int = told or _RECENT
    # Since 18 the data lies in a folder per major version (docker-library/postgres#1259).
    path = "/var/lib/postgresql" if version >= 18 else "/var/lib/postgresql/data"
    return BackingService(
        name="postgres",
        title=KIND.title,
        image=image,
        port=5432,
        user=f"{uid}:{uid}",
        # The image's own entrypoint, with arguments.
        command=("sh", "-c", _START),
        environment=(
            Env("POSTGRES_SHARED_BUFFERS", variable="POSTGRES_SHARED_BUFFERS"),
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
            Variable(
                "POSTGRES_SHARED_BUFFERS",
                "PostgreSQL",
                "Memory for its cache: a quarter of its limit.",
                limits.POSTGRES_BUFFERS,
            ),
        ),
        volume=Volume("postgres_data", path, setting="POSTGRES_VOLUME"),
        version=told,
        upgrade="upgrade-postgres",
        setup="/docker-entrypoint-initdb.d/init.sql",
        tmpfs=(Tmpfs("/tmp"), Tmpfs("/var/run/postgresql", "1m")),
        # Over TCP: while the database is set up, the server answers on its socket only.
        health=Health(
            ('pg_isready --host 127.0.0.1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB"',),
            shell=True,
            interval="10s",
        ),
        resources=limits.POSTGRES,
        memory_variable="POSTGRES_SHARED_BUFFERS",
        test_health="pg_isready --host 127.0.0.1",
        shared_memory="128m",
        host_variable="PGHOST",
        rank=1,
        names=_NAMES,
        schemes=("postgresql", "postgres"),
        product="postgresql",
        product_images=frozenset({"postgres", "pgvector", "postgis"}),
        development="`database/init/` holds development data. Production never sees it.",
        backup="a dump of one moment. Users beside `POSTGRES_USER`, and rights granted to them, "
        "are not in it.",
        import_file="FILE.sql",
        troubles=(
            (
                "`password authentication failed`",
                "`POSTGRES_PASSWORD` counts at the first start only: "
                "`sh deploy/change-password.sh postgres`",
            ),
            (
                "`database files are incompatible with server`",
                "The image is of another major version than the data: "
                "[A new major version](#a-new-major-version-of-postgresql)",
            ),
        ),
        macros=frozenset({"import_form", "elsewhere"}),
        managed=_MANAGED,
        warnings=()
        if told
        else (
            f"The version of PostgreSQL in {image} cannot be told: its volume is where "
            f"PostgreSQL {_RECENT} has its data. Name the version with --set "
            f"postgres.version=NUMBER.",
        ),
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
    return ImageReference.parse(image).major or _RECENT


def _database(project: str) -> str:
    """An identifier that needs no quotes (postgresql.org/docs, "Lexical Structure")."""
    name = re.sub(r"[^a-z0-9_]", "_", project.lower())[:63]
    return name if name[:1].isalpha() else f"db_{name}"
