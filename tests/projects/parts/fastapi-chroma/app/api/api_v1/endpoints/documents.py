"""Documents in Chroma, with embeddings made by the client."""

import os

import chromadb
from chromadb.api.models.Collection import Collection
from fastapi import APIRouter
from pydantic import BaseModel

router = APIRouter()


class Document(BaseModel):
    """A text and its embedding."""

    id: str
    embedding: list[float]
    text: str


def documents() -> Collection:
    """Open the collection; without an embedding function no model is downloaded."""
    client = chromadb.HttpClient(
        host=os.environ["CHROMA_HOST"], port=int(os.environ["CHROMA_PORT"])
    )
    return client.get_or_create_collection("documents", embedding_function=None)


@router.post("/documents", status_code=201)
def add_document(document: Document) -> dict[str, str]:
    """Store one document."""
    documents().upsert(
        ids=[document.id], embeddings=[document.embedding], documents=[document.text]
    )
    return {"id": document.id}


@router.get("/documents/count")
def count_documents() -> dict[str, int]:
    """Count the stored documents."""
    return {"count": documents().count()}
