"""Notes in MongoDB."""

import os
from functools import lru_cache
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from pymongo import MongoClient
from pymongo.collection import Collection

router = APIRouter()


class Note(BaseModel):
    """One note."""

    text: str


@lru_cache
def notes() -> Collection[dict[str, Any]]:
    """One client for the process, made by the first request."""
    client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGODB_URL"])
    return client[os.environ["MONGODB_DATABASE"]]["notes"]


@router.post("/notes", status_code=201)
def create_note(note: Note) -> dict[str, str]:
    """Store one note."""
    return {"id": str(notes().insert_one({"text": note.text}).inserted_id)}


@router.get("/notes")
def list_notes() -> list[Note]:
    """List all notes."""
    return [Note(text=document["text"]) for document in notes().find()]
