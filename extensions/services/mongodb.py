"""MongoDB with authentication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import limits
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

KIND = ServiceKind(title="MongoDB", flag="USE_MONGODB", folder="mongodb", images=("mongo",), rank=3)
DEFAULT_IMAGE = "mongo:7.0"
# What apps call it: by the product, or, beside no other database, as that.
_WHO = "(?:MONGO|MONGODB|MONGO_DB|MONGO_INITDB_ROOT|DB|DATABASE)_{1,2}"
_NAMES = (
    (rf"{_WHO}(?:HOST|HOSTNAME|SERVER)", "MONGODB_HOST"),
    (rf"{_WHO}PORT", "MONGODB_PORT"),
    (rf"{_WHO}(?:USER|USERNAME)", "MONGODB_USERNAME"),
    (rf"{_WHO}(?:PASSWORD|PASS)", "MONGODB_PASSWORD"),
    (rf"{_WHO}(?:DB|NAME|DBNAME|DB_NAME|DATABASE|DATABASE_NAME)", "MONGODB_DATABASE"),
    (
        rf"{_WHO}(?:(?:DATABASE|DB)_)?(?:URL|URI|DSN|CONNECTION_STRING|CONNECTION_URL)"
        r"|MONGO(?:DB)?_DETAILS",
        "MONGODB_URL",
    ),
    # Without a prefix, the name of the database to use.
    ("MONGO_DB|MONGODB_DB", "MONGODB_DATABASE"),
)
_MANAGED = {
    # The package's `mongo()`.
    "railway": Managed(
        outputs={
            "MONGODB_HOST": "MONGOHOST",
            "MONGODB_PORT": "MONGOPORT",
            "MONGODB_USERNAME": "MONGOUSER",
            "MONGODB_PASSWORD": "MONGOPASSWORD",
        },
        versions=(8,),
        constructor="mongo",
    ),
}


def define(facts: Mapping[str, Any], project: str) -> BackingService:
    return BackingService(
        name="mongodb",
        title=KIND.title,
        image=facts.get("image") or DEFAULT_IMAGE,
        port=27017,
        user="999:999",
        environment=(
            Env("MONGO_INITDB_ROOT_USERNAME", variable="MONGODB_USERNAME"),
            Env("MONGO_INITDB_ROOT_PASSWORD", variable="MONGODB_PASSWORD"),
            # mongosh wants to write its history and logs.
            Env("HOME", "/tmp"),
        ),
        app_environment=(
            Env("MONGODB_HOST", "mongodb"),
            Env("MONGODB_PORT", "27017"),
            Env("MONGODB_USERNAME", variable="MONGODB_USERNAME"),
            Env("MONGODB_PASSWORD", variable="MONGODB_PASSWORD"),
            Env("MONGODB_DATABASE", variable="MONGODB_DATABASE"),
        ),
        urls=("MONGODB_URL",),
        variables=(
            password(
                "MONGODB_PASSWORD", "MongoDB", "The user's password, fixed at the first start."
            ),
            Variable("MONGODB_USERNAME", "MongoDB", "The user, made at the first start.", "app"),
            Variable("MONGODB_DATABASE", "MongoDB", "The database's name.", project),
        ),
        volume=Volume("mongodb_data", "/data/db"),
        tmpfs=(Tmpfs("/tmp"), Tmpfs("/data/configdb", "16m")),
        health=Health(
            # By its name: while the database is set up, the server answers on localhost only.
            (
                'mongosh --quiet --norc --host "$HOSTNAME" '
                "--eval \"quit(db.adminCommand('ping').ok ? 0 : 1)\"",
            ),
            shell=True,
        ),
        resources=limits.DOCUMENTS,
        test_health="mongosh --quiet --norc --eval 'quit(0)'",
        host_variable="MONGODB_HOST",
        names=_NAMES,
        rank=2,
        schemes=("mongodb",),
        needs_password=True,
        product="mongodb",
        product_images=frozenset({"mongo"}),
        # mongodb.com/docs/manual/administration/production-notes, "Platform Support Notes".
        machine="for MongoDB, a processor with AVX (amd64) or ARMv8.2-A (arm64)",
        backup="collection by collection, as a single server gives no common moment. Its users "
        "are not restored. The official image has the tools that this needs.",
        import_file="FILE.archive.gz",
        import_form="an archive of `mongodump --archive`, gzipped or not",
        managed=_MANAGED,
    )
