"""Background tasks: `celery -A app.worker worker`."""

import os

from celery import Celery

redis_url = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
celery_app = Celery("worker", broker=redis_url, backend=redis_url)


@celery_app.task
def add(x: int, y: int) -> int:
    """Add two numbers, elsewhere."""
    return x + y
