"""Work that is handed to the worker."""

from celery.exceptions import TimeoutError as NoAnswer
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from app.worker import add

router = APIRouter()


class Sum(BaseModel):
    """The numbers to add."""

    x: int
    y: int


@router.post("/jobs/add")
def add_job(numbers: Sum) -> dict[str, int]:
    """Delay the task and wait for its result."""
    try:
        return {"result": add.delay(numbers.x, numbers.y).get(timeout=10)}
    except NoAnswer as error:
        raise HTTPException(504, "no worker answered") from error
