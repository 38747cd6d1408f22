"""Chroma, the vector database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import limits
from ..image_reference import ImageReference
from ..model import BackingService, Env, Health, ServiceKind, Tmpfs, Volume

KIND = ServiceKind(
    title="Chroma", flag="USE_CHROMA", folder="chroma", images=("chromadb/chroma",), rank=4
)
_WHO = "(?:CHROMA|CHROMADB|CHROMA_DB|CHROMA_SERVER)_"
_NAMES = (
    (rf"{_WHO}(?:HOST|HOSTNAME|SERVER)", "CHROMA_HOST"),
    (rf"{_WHO}(?:PORT|HTTP_PORT)", "CHROMA_PORT"),
    (rf"{_WHO}(?:(?:API|BASE)_)?(?:URL|URI|ENDPOINT)", "CHROMA_URL"),
)
DEFAULT_IMAGE = "chromadb/chroma:1.0.0"


def define(facts: Mapping[str, Any], project: str) -> BackingService:
    image: str = facts.get("image") or DEFAULT_IMAGE
    # Before 1.0 the data lay elsewhere (docs.trychroma.com, "Migration").
    path = "/chroma/chroma" if ImageReference.parse(image).major == 0 else "/data"
    return BackingService(
        name="chroma",
        title=KIND.title,
        image=image,
        port=8000,
        environment=(Env("ANONYMIZED_TELEMETRY", "FALSE"),),
        app_environment=(Env("CHROMA_HOST", "chroma"), Env("CHROMA_PORT", "8000")),
        urls=(),
        variables=(),
        volume=Volume("chroma_data", path),
        tmpfs=(Tmpfs("/tmp"),),
        # The image has no curl, wget or Python; Bash can open a connection.
        health=Health(("bash", "-c", "</dev/tcp/127.0.0.1/8000"), interval="10s"),
        resources=limits.VECTORS,
        test_health="bash -c '</dev/tcp/127.0.0.1/8000'",
        # It has no tool that dumps.
        paused_backup=True,
        stopped_restore=True,
        names=_NAMES,
        rank=4,
        backup="its files, while it is paused: requests to it wait that long.",
        import_file="FILE.tar.gz",
        import_form="its data folder, as in `tar -C FOLDER -czf FILE.tar.gz .`",
    )
