"""The limits of containers, and the server's memory that holds them.

An app in Python or Node beside PostgreSQL and Redis fits a server of 1 GB, also while a second
version of it runs beside the first. What was measured stands in `benchmarks/README.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Resources:
    """Upper limits of one container: memory (`512M`), CPUs and processes."""

    memory: str
    cpus: str = "1.0"
    pids: int = 256

    @property
    def megabytes(self) -> int:
        """The memory in MB of 1024 * 1024 bytes."""
        return int(self.memory[:-1]) * {"M": 1, "G": 1024}[self.memory[-1].upper()]


PROXY = Resources("128M", pids=128)
SITE = PROXY
APP = Resources("256M")
# One that renders pages, or whose libraries take much of it before they do anything.
LARGE_APP = Resources("512M")
MODELS = Resources("1G")
POSTGRES = Resources("256M")
# A quarter of it, as its manual has it for a server of its own ("Resource Consumption").
POSTGRES_BUFFERS = "64MB"
REDIS = Resources("128M")
# Half of it: a snapshot needs memory beside the data (redis.io, "Redis administration").
REDIS_DATA = "64mb"
DOCUMENTS = Resources("1G")
VECTORS = Resources("1G")

# Libraries of Python whose import alone takes 25 MB and more, in every process of an app.
LARGE_LIBRARIES = frozenset(
    {
        "anthropic", "catboost", "dask", "geopandas", "google-cloud-aiplatform", "google-genai",
        "google-generativeai", "gradio", "keras", "langchain", "langchain-anthropic",
        "langchain-community", "langchain-core", "langchain-google-genai", "langchain-openai",
        "langgraph", "lightgbm", "litellm", "llama-index", "llama-index-core", "matplotlib",
        "nltk", "numba", "onnxruntime", "opencv-python", "opencv-python-headless", "pandas",
        "polars", "prophet", "pyarrow", "pyspark", "scikit-image", "scikit-learn", "scipy",
        "seaborn", "shap", "spacy", "statsmodels", "streamlit", "tensorflow", "tensorflow-cpu",
        "ultralytics", "weasyprint", "xgboost", "yfinance",
        # What installs PyTorch.
        "accelerate", "easyocr", "sentence-transformers", "torch", "torchaudio", "torchvision",
    }
)  # fmt: skip
# Packages of Node that work on pictures, pages and models in the app's own process, or start one.
LARGE_PACKAGES = frozenset(
    {
        "@tensorflow/tfjs", "@tensorflow/tfjs-node", "@xenova/transformers",
        "@huggingface/transformers", "canvas", "jimp", "onnxruntime-node", "playwright",
        "puppeteer", "sharp",
    }
)  # fmt: skip
# What builds pages, and needs 1 GB for that.
BUNDLERS = frozenset(
    {
        "@angular/cli", "@rspack/cli", "@rspack/core", "next", "parcel", "react-scripts", "vite",
        "webpack", "webpack-cli",
    }
)  # fmt: skip


def of_python(libraries: Collection[str], *, models: bool) -> Resources:
    """Those of an app, by its dependencies that matter, and whether it loads models."""
    if models:
        return MODELS
    return APP if LARGE_LIBRARIES.isdisjoint(libraries) else LARGE_APP


def of_worker(app: Resources) -> Resources:
    """Those of a worker with the code of an app."""
    return APP if app.megabytes <= APP.megabytes else LARGE_APP


def of_migrations(app: Resources = APP) -> Resources:
    """Those of what brings the schema up to date, with the code of an app or without."""
    return replace(of_worker(app), pids=128)


def server(
    running: Iterable[Resources], second: Iterable[Resources], brief: Iterable[Resources] = ()
) -> int:
    """GB of memory for a server: 1 where all fits at once, else half of what runs, 2 at least.

    Limits of that many are not reached at once.

    Args:
        running: The limits of what keeps running.
        second: Of what a deployment starts a second time, beside the first.
        brief: Of what runs now and then, one at a time, and not beside a deployment.
    """
    kept, longest = _sum(running), max((one.megabytes for one in brief), default=0)
    fits = kept + max(_sum(second), longest) <= 1024
    return 1 if fits else max(2, -(-(kept + longest) // 2048))


def _sum(many: Iterable[Resources]) -> int:
    return sum(one.megabytes for one in many)
