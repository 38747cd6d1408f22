"""Items in PostgreSQL; their table comes from database/migrations."""

import os
from contextlib import closing
from typing import Any

import psycopg2
from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from app.core.database import engine

router = APIRouter()


class NewItem(BaseModel):
    """What a client sends."""

    name: str


@router.post("/items", status_code=201)
def create_item(item: NewItem) -> dict[str, Any]:
    """Store one item."""
    statement = text("INSERT INTO items (name) VALUES (:name) RETURNING id, name")
    with engine.begin() as connection:
        return dict(connection.execute(statement, {"name": item.name}).mappings().one())


@router.get("/items")
def list_items() -> list[dict[str, Any]]:
    """List all items, oldest first."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, name FROM items ORDER BY id")).mappings()
        return [dict(row) for row in rows]


@router.get("/items/url")
def check_url() -> dict[str, bool]:
    """Connect by DATABASE_URL alone, as a user's own code may."""
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return {"ok": cursor.fetchone() == (1,)}
