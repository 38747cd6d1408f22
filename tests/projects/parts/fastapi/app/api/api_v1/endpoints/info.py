"""What the application sees of a request and of itself."""

import os

from fastapi import APIRouter, Request

from app.core.config import settings

router = APIRouter()


@router.get("/info")
def info(request: Request) -> dict[str, str | int | None]:
    """Show the caller's address and scheme, as they arrive behind a proxy."""
    return {
        "client": request.client.host if request.client else None,
        "scheme": request.url.scheme,
        "pid": os.getpid(),
        "environment": settings.ENVIRONMENT,
    }
