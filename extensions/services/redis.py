"""Redis, append-only and with a password."""

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

KIND = ServiceKind(
    title="Redis",
    flag="USE_REDIS",
    folder="redis",
    images=("redis",),
    rank=2,
    tagged=True,
    settings=(
        ("password", "on|off", "Whether it has one; without, its closed network keeps others out"),
    ),
)
DEFAULT_IMAGE = "redis:7-alpine"
_MANAGED = {
    "fly": Managed(title="kept by Upstash for Fly.io", command="fly redis create"),
    # The package's `redis()`.
    "railway": Managed(
        outputs={
            "REDIS_HOST": "REDISHOST",
            "REDIS_PORT": "REDISPORT",
            "REDIS_PASSWORD": "REDISPASSWORD",
        },
        versions=(8,),
        constructor="redis",
    ),
    "render": Managed(
        title="Render Key Value, for Redis",
        outputs={"REDIS_URL": "connectionString"},
        kind="keyvalue",
    ),
}

# What apps call it: by the product, or by what it is used for.
_WHO = "(?:REDIS_|CACHE_|(?:REDIS_(?:CACHE|QUEUE|BROKER|SESSION|CELERY|RATE_LIMIT|RATELIMIT)_))_?"
_NAMES = (
    (rf"{_WHO}(?:HOST|HOSTNAME|SERVER)", "REDIS_HOST"),
    (rf"{_WHO}PORT", "REDIS_PORT"),
    (rf"{_WHO}(?:PASSWORD|PASS)", "REDIS_PASSWORD"),
    (rf"{_WHO}(?:DB|DATABASE)", "REDIS_DB"),
    (
        rf"{_WHO}(?:REDIS_)?(?:URL|URI|DSN|CONNECTION_STRING|CONNECTION_URL)"
        r"|(?:CELERY_)?(?:BROKER|RESULT_BACKEND)(?:_URL|_URI)?|(?:CELERY_)?BACKEND_REDIS_URL"
        r"|CELERY_BACKEND(?:_URL|_URI)?|SOCKETIO_MESSAGE_QUEUE(?:_URL|_URI)?"
        r"|(?:FLASK_)?LIMITER_STORAGE_(?:URL|URI)"
        r"|(?:RQ|ARQ|DRAMATIQ|HUEY|SOCKETIO|CHANNELS)_(?:REDIS|BROKER)_(?:URL|URI)"
        r"|RATE_?LIMIT(?:ER)?_STORAGE_(?:URL|URI)",
        "REDIS_URL",
    ),
)

# On standard input, since arguments show in `ps`; as \xHH, so that any character is safe.
_HEX = r"""hex=$(printf %s "$REDISCLI_AUTH" | od -An -v -tx1 | tr -d ' \n' | sed 's/../\\x&/g')
"""
_PASSWORD = """requirepass "$hex"
"""
# Else it answers to its own container alone where it has no password (redis.io, "Security").
_OPEN = """protected-mode no
"""
_START = """exec redis-server - <<CONFIG
{access}appendonly yes
maxmemory $REDIS_MAXMEMORY
maxmemory-policy $REDIS_MAXMEMORY_POLICY
CONFIG
"""


def is_open(facts: Mapping[str, Any]) -> bool:
    """Whether it has no password: one elsewhere is whatever its address says."""
    return not facts.get("external") and facts.get("password", "on") is None


def define(facts: Mapping[str, Any], project: str) -> BackingService:
    image: str = facts.get("image") or DEFAULT_IMAGE
    closed = not is_open(facts)
    start = _START.format(access=_PASSWORD if closed else _OPEN)
    return BackingService(
        name="redis",
        title=KIND.title,
        image=image,
        port=6379,
        user="999:1000" if "alpine" in image else "999:999",
        command=("sh", "-c", (_HEX if closed else "") + start),
        environment=(
            *((Env("REDISCLI_AUTH", variable="REDIS_PASSWORD"),) if closed else ()),
            Env("REDIS_MAXMEMORY", variable="REDIS_MAXMEMORY"),
            Env("REDIS_MAXMEMORY_POLICY", variable="REDIS_MAXMEMORY_POLICY"),
        ),
        app_environment=(
            Env("REDIS_HOST", "redis"),
            Env("REDIS_PORT", "6379"),
            Env("REDIS_DB", "0"),
            *((Env("REDIS_PASSWORD", variable="REDIS_PASSWORD"),) if closed else ()),
        ),
        urls=("REDIS_URL",),
        variables=(
            *((password("REDIS_PASSWORD", "Redis", "Its password."),) if closed else ()),
            Variable(
                "REDIS_MAXMEMORY", "Redis", "Memory for data: half of its limit.", limits.REDIS_DATA
            ),
            Variable(
                "REDIS_MAXMEMORY_POLICY",
                "Redis",
                "When full: refuse writes (noeviction), or drop old keys (allkeys-lru) in a cache.",
                "noeviction",
            ),
        ),
        volume=Volume("redis_data", "/data"),
        tmpfs=(Tmpfs("/tmp", "16m"),),
        # redis-cli exits 0 on an error reply, so the reply is what counts.
        health=Health(("redis-cli ping | grep -q PONG",), shell=True, interval="10s"),
        resources=limits.REDIS,
        memory_variable="REDIS_MAXMEMORY",
        test_health="redis-cli ping",
        stopped_restore=True,
        reads_secret_files=False,
        host_variable="REDIS_HOST",
        names=_NAMES,
        rank=3,
        schemes=("redis", "rediss"),
        # It is also had in a network of its own.
        optional_password=True,
        is_open=not closed,
        parts={"REDIS_DB": "The number of the database there."},
        both_passwords=True,
        product="redis",
        product_images=frozenset({"redis"}),
        backup="a snapshot of one moment. It is stopped for a restore. Users made with "
        "`ACL SETUSER` are not in it.",
        import_file="FILE.rdb",
        import_form="an RDB file",
        managed=_MANAGED,
    )
