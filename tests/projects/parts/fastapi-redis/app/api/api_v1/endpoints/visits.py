"""A counter in Redis."""

import os

import redis
from fastapi import APIRouter

from app.core.config import settings

router = APIRouter()


@router.post("/visits")
def visit() -> dict[str, int]:
    """Count one visit, through the parts of the settings."""
    with redis.Redis(
        host=settings.REDIS_HOST,
        port=settings.REDIS_PORT,
        db=settings.REDIS_DB,
        password=settings.REDIS_PASSWORD or None,
    ) as client:
        return {"visits": int(client.incr("visits"))}


@router.get("/visits/url")
def check_url() -> dict[str, bool]:
    """Ping by REDIS_URL alone, as a user's own code may."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        return {"ok": bool(client.ping())}
