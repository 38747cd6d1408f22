"""MongoDB with authentication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import BackingService, Env, Health, Resources, Tmpfs, Variable, Volume, password

DEFAULT_IMAGE = "mongo:7.0"


def define(facts: Mapping[str, Any], project: str) -> BackingService:
    return BackingService(
        name="mongodb",
        title="MongoDB",
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
        resources=Resources("1G"),
        test_health="mongosh --quiet --norc --eval 'quit(0)'",
    )
