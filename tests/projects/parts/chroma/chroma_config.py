"""Sample code: a client for the development server."""

import os

import chromadb


def connect() -> chromadb.ClientAPI:
    """Open a client by CHROMA_HOST and CHROMA_PORT."""
    host = os.environ.get("CHROMA_HOST", "localhost")
    return chromadb.HttpClient(host=host, port=int(os.environ.get("CHROMA_PORT", "8000")))
