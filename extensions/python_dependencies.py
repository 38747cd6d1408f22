"""What Python apps depend on: as they declare it, as tools lock it, and what it means here."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .errors import ProjectError
from .limits import LARGE_LIBRARIES
from .origins import Fields, Found, only_line
from .tree import Tree, join

# Sources that are compiled where the image is built: they stand among an app's libraries, too.
C_SOURCES = "sources-c"
CPP_SOURCES = "sources-cpp"
CMAKE_SOURCES = "sources-cmake"
RUST_SOURCES = "sources-rust"
# Debian packages by the program that code may call.
PROGRAM_PACKAGES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("ffmpeg", "ffprobe"), ("ffmpeg",)),
    **dict.fromkeys(
        ("libreoffice", "soffice"),
        ("libreoffice-calc-nogui", "libreoffice-impress-nogui", "libreoffice-writer-nogui"),
    ),
    **dict.fromkeys(
        ("pdftotext", "pdftoppm", "pdfinfo", "pdfimages", "pdftocairo", "pdfunite"),
        ("poppler-utils",),
    ),
    **dict.fromkeys(("convert", "identify", "mogrify", "magick"), ("imagemagick",)),
    **dict.fromkeys(("pg_dump", "pg_restore", "psql"), ("postgresql-client",)),
    **dict.fromkeys(("mysqldump", "mysql"), ("default-mysql-client",)),
    **dict.fromkeys(("ssh", "scp", "sftp", "ssh-keygen"), ("openssh-client",)),
    **dict.fromkeys(("dig", "nslookup"), ("bind9-dnsutils",)),
    **dict.fromkeys(("espeak", "espeak-ng"), ("espeak-ng",)),
    **{name: (name,) for name in ("curl", "exiv2", "git", "gifsicle", "nmap")},
    **{name: (name,) for name in ("optipng", "pandoc", "pngquant", "qpdf", "rsync", "sox")},
    **{name: (name,) for name in ("traceroute", "unzip", "wget", "whois", "zip")},
    "7z": ("7zip",),
    "antiword": ("antiword",),
    "dot": ("graphviz",),
    "exiftool": ("libimage-exiftool-perl",),
    "gm": ("graphicsmagick",),
    "gs": ("ghostscript",),
    "java": ("default-jre-headless",),
    "ping": ("iputils-ping",),
    "redis-cli": ("redis-tools",),
    "tesseract": ("tesseract-ocr",),
}


def program_library(name: str) -> str:
    """What a program is called among an app's libraries."""
    return f"program-{name}"


# Debian packages by Python library: (to build it, to run it). From each library's install notes.
SYSTEM_PACKAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "psycopg2": (("gcc", "libc6-dev", "libpq-dev"), ("libpq5",)),
    "psycopg": ((), ("libpq5",)),
    "psycopg-c": (("gcc", "libc6-dev", "libpq-dev"), ("libpq5",)),
    "mysqlclient": (("gcc", "libc6-dev", "libmariadb-dev", "pkg-config"), ("libmariadb3",)),
    "pycairo": (("gcc", "libc6-dev", "libcairo2-dev", "pkg-config"), ("libcairo2",)),
    "cairosvg": ((), ("libcairo2",)),
    "weasyprint": ((), ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")),
    "python-magic": ((), ("libmagic1",)),
    "xmlsec": (("gcc", "libc6-dev", "libxmlsec1-dev", "pkg-config"), ("libxmlsec1-openssl",)),
    "opencv-python": ((), ("libgl1", "libglib2.0-0")),
    "opencv-contrib-python": ((), ("libgl1", "libglib2.0-0")),
    "ffmpeg-python": ((), ("ffmpeg",)),
    "pydub": ((), ("ffmpeg",)),
    "pdf2image": ((), ("poppler-utils",)),
    "pytesseract": ((), ("tesseract-ocr",)),
    "ocrmypdf": ((), ("ghostscript", "tesseract-ocr")),
    "camelot-py": ((), ("ghostscript", "libgl1", "libglib2.0-0")),
    "pypandoc": ((), ("pandoc",)),
    "openai-whisper": ((), ("ffmpeg",)),
    "moviepy": ((), ("ffmpeg",)),
    "cairocffi": ((), ("libcairo2",)),
    "pyvips": ((), ("libvips42",)),
    "wand": ((), ("imagemagick",)),
    "pyzbar": ((), ("libzbar0",)),
    "graphviz": ((), ("graphviz",)),
    "pydot": ((), ("graphviz",)),
    "pygraphviz": (("gcc", "libc6-dev", "libgraphviz-dev", "pkg-config"), ("graphviz",)),
    "gitpython": ((), ("git",)),
    "python3-saml": (("gcc", "libc6-dev", "libxmlsec1-dev", "pkg-config"), ("libxmlsec1-openssl",)),
    "pysaml2": ((), ("xmlsec1",)),
    "python-ldap": (("gcc", "libc6-dev", "libldap-dev", "libsasl2-dev"), ("ldap-utils",)),
    "pyodbc": ((), ("unixodbc",)),
    "aioodbc": ((), ("unixodbc",)),
    "gdal": (("g++", "libgdal-dev"), ("gdal-bin",)),
    "lightgbm": ((), ("libgomp1",)),
    "paddlepaddle": ((), ("libgomp1",)),
    "implicit": ((), ("libgomp1",)),
    "dlib": (("cmake", "g++", "make"), ()),
    "face-recognition": (("cmake", "g++", "make"), ()),
    "pyaudio": (("gcc", "libc6-dev", "portaudio19-dev"), ("libportaudio2",)),
    "sounddevice": ((), ("libportaudio2",)),
    "rdkit": ((), ("libexpat1", "libxext6", "libxrender1")),
    "mediapipe": ((), ("libegl1", "libgl1", "libgles2", "libglib2.0-0")),
    "uwsgi": (("gcc", "libc6-dev"), ()),
    "gssapi": (("gcc", "libc6-dev", "libkrb5-dev"), ("libgssapi-krb5-2",)),
    "krb5": (("gcc", "libc6-dev", "libkrb5-dev"), ("libgssapi-krb5-2",)),
    "pykerberos": (("gcc", "libc6-dev", "libkrb5-dev"), ("libgssapi-krb5-2",)),
    "requests-kerberos": (("gcc", "libc6-dev", "libkrb5-dev"), ("libgssapi-krb5-2",)),
    "requests-gssapi": (("gcc", "libc6-dev", "libkrb5-dev"), ("libgssapi-krb5-2",)),
    "psycopg2cffi": (("gcc", "libc6-dev", "libpq-dev"), ("libpq5",)),
    "pylibmc": (("gcc", "libc6-dev", "libmemcached-dev", "zlib1g-dev"), ("libmemcached11",)),
    "pyicu": (("g++", "libicu-dev", "pkg-config"), ("icu-devtools",)),
    "pyscard": (("gcc", "libc6-dev", "libpcsclite-dev", "pkg-config", "swig"), ("libpcsclite1",)),
    "netifaces": (("gcc", "libc6-dev"), ()),
    "annoy": (("g++",), ()),
    "hnswlib": (("g++",), ()),
    "llama-cpp-python": (("cmake", "g++", "make"), ("libgomp1",)),
    "tesserocr": ((), ("tesseract-ocr",)),
    "pyusb": ((), ("libusb-1.0-0",)),
    "pyttsx3": ((), ("espeak-ng", "libespeak1")),
    "speechrecognition": ((), ("flac",)),
    "yt-dlp": ((), ("ffmpeg",)),
    "python-nmap": ((), ("nmap",)),
    **dict.fromkeys(
        ("jpype1", "language-tool-python", "pyspark", "tabula-py"), ((), ("default-jre-headless",))
    ),
    # These depend on opencv-python.
    **dict.fromkeys(
        ("deepface", "insightface", "paddleocr", "ultralytics"), ((), ("libgl1", "libglib2.0-0"))
    ),
    # A dependency that comes from a repository, whatever its name is.
    "git": (("git",), ()),
    **{program_library(name): ((), packages) for name, packages in PROGRAM_PACKAGES.items()},
    C_SOURCES: (("gcc", "libc6-dev"), ()),
    CPP_SOURCES: (("g++",), ()),
    CMAKE_SOURCES: (("cmake", "g++", "make"), ()),
    RUST_SOURCES: (("cargo", "gcc", "libc6-dev", "rustc"), ()),
}
# What only the release of Debian has that an image names: libraries by its name.
ONLY_IN = {"bookworm": dict.fromkeys(("pdfkit", "imgkit"), ((), ("wkhtmltopdf",)))}
# What pulls torch in; its default wheels carry several GB of CUDA libraries.
TORCH_LIBRARIES = frozenset(
    {"torch", "torchvision", "torchaudio", "sentence-transformers", "accelerate", "easyocr"}
)
# What downloads models at run time, into the cache folder of the user.
MODEL_LIBRARIES = frozenset(
    {"sentence-transformers", "transformers", "chromadb", "fastembed", "openai-whisper"}
    | {"faster-whisper", "easyocr", "deepface", "diffusers", "flagembedding", "rembg", "stanza"}
    | {"flair", "keybert", "bertopic", "gliner", "docling"}
)
# What keeps its downloads elsewhere in the user's folder: the variable that names the place, and
# the folder of the cache. NLTK's has to be there.
CACHES = {
    "matplotlib": ("MPLCONFIGDIR", "matplotlib"),
    "nltk": ("NLTK_DATA", ""),
    "tiktoken": ("TIKTOKEN_CACHE_DIR", "tiktoken"),
    "gensim": ("GENSIM_DATA_DIR", "gensim"),
    "easyocr": ("EASYOCR_MODULE_PATH", "easyocr"),
    "deepface": ("DEEPFACE_HOME", ""),
    "rembg": ("U2NET_HOME", "u2net"),
    "keras": ("KERAS_HOME", "keras"),
    "stanza": ("STANZA_RESOURCES_DIR", "stanza"),
    "flair": ("FLAIR_CACHE_ROOT", "flair"),
    "ultralytics": ("YOLO_CONFIG_DIR", "ultralytics"),
}
# Stands among an app's libraries for those of NVIDIA's that a lockfile has for PyTorch.
CUDA = "cuda"
ASGI_SERVERS = frozenset({"uvicorn"})
_OTHERS = frozenset(
    {CUDA, *CACHES}
    | {"celery", "psycopg2-binary", "psycopg-binary", "asyncpg", "pgvector", "pytest"}
)
# The dependencies that change what is generated.
RELEVANT = (
    frozenset(SYSTEM_PACKAGES).union(*ONLY_IN.values())
    | TORCH_LIBRARIES
    | MODEL_LIBRARIES
    | LARGE_LIBRARIES
    | ASGI_SERVERS
    | _OTHERS
)


def system_packages(image: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Debian packages by Python library, in an image of that name."""
    only = (more for release, more in ONLY_IN.items() if release in image)
    return SYSTEM_PACKAGES | {name: needed for more in only for name, needed in more.items()}


@dataclass(frozen=True)
class Packages:
    """The dependencies in a folder.

    Attributes:
        manager: Who installs them, and why.
        manifests: The files that an installation reads, relative to the folder, the main one first.
        dependencies: Names in their normal form, each with its place.
        asked: The file that says to install the project itself, too; None for none.
        packaged: The project itself may be a package: its lockfile does not say that it is none.
        more: Other facts that only this package manager has.
    """

    manager: Found[str]
    manifests: list[str]
    dependencies: tuple[Found[str], ...]
    asked: str | None = None
    packaged: bool = True
    more: Fields = field(default_factory=dict)


# Groups and extras that are for work on the project, and those that are for production.
_DEVELOPMENT = re.compile(
    r"(.*[-_])?(dev|devel|develop|development|tests?|testing|lint|linting|linters?|format|fmt|typing"
    r"|types?|mypy|docs?|documentation|ci|notebooks?|jupyter|debug|local|style|qa|quality|bench"
    r"|benchmarks?|profiling|release|pre-commit|tools?|tooling|e2e|coverage|examples?|checks?)"
    r"([-_].*)?",
    re.IGNORECASE,
)
PRODUCTION = frozenset({"prod", "production"})


def is_for_development(group: str) -> bool:
    """Whether a group of dependencies is for work on the project, by its name."""
    return _DEVELOPMENT.fullmatch(group) is not None


# What an app is served with, or made with: where one stands in a group alone, that is production's.
_SERVED = frozenset(
    {"fastapi", "starlette", "flask", "django", "litestar", "quart", "sanic", "aiohttp", "falcon"}
    | {"uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "waitress", "streamlit", "gradio"}
)


def extras(tree: Tree, folder: str) -> Fields:
    """`extras`: those of a pyproject.toml that are for production; else nothing.

    By their name, or as they have the framework or server that no main dependency is.
    """
    path = join(folder, "pyproject.toml")
    document = read_toml(tree, path)
    own = table(table(table(document, "tool"), "poetry"), "extras")
    optional = table(table(document, "project"), "optional-dependencies")
    found = {name for name in (*optional, *own) if name.lower() in PRODUCTION}
    found |= _serving(document, optional)
    return {"extras": Found(sorted(found), "extra for production", path)} if found else {}


def groups(tree: Tree, folder: str) -> Fields:
    """`groups`: those of `[dependency-groups]` that are for production; as `extras`."""
    path = join(folder, "pyproject.toml")
    document = read_toml(tree, path)
    listed = table(document, "dependency-groups")
    found = {name for name in listed if name.lower() in PRODUCTION} | _serving(document, listed)
    return {"groups": Found(sorted(found), "group for production", path)} if found else {}


def _serving(document: dict[str, Any], listed: dict[str, Any]) -> set[str]:
    """Of these lists, those with what serves the app, where the main one lacks it."""
    main = _names_of(table(document, "project").get("dependencies"))
    return {
        name
        for name, requirements in listed.items()
        if not is_for_development(name) and _SERVED.intersection(_names_of(requirements)) - main
    }


def _names_of(requirements: object) -> set[str]:
    listed = requirements if isinstance(requirements, list) else ()
    return {name for one in listed if isinstance(one, str) for name in names(one)}


def find_locked(
    tree: Tree, folder: str, manager: str, lockfile: str, relevant: Collection[str]
) -> Packages | None:
    """What a lockfile in TOML with `[[package]]`, as most tools write it, and its project hold.

    Raises:
        ProjectError: One of both is not valid TOML.
    """
    path = join(folder, lockfile)
    if not (tree.has(path) and tree.has(join(folder, "pyproject.toml"))):
        return None
    dependencies = (*declared(tree, folder), *_locked(tree, folder, lockfile, relevant))
    manifests = ["pyproject.toml", lockfile, *local_sources(tree, folder, lockfile)]
    more = extras(tree, folder)
    return Packages(Found(manager, "lockfile", path), manifests, dependencies, more=more)


def local_sources(tree: Tree, folder: str, lockfile: str) -> list[str]:
    """Folders (ending in `/`) and files of the project that a lockfile installs.

    Args:
        tree: The project's files.
        folder: The app's, which they are relative to; they may lie outside of it.
        lockfile: That of uv, Poetry or PDM.
    """
    found = []
    for package in read_toml(tree, join(folder, lockfile)).get("package") or ():
        if not isinstance(package, dict):
            continue
        source = package.get("source")
        places = [package.get("path")]
        if isinstance(source, dict):
            places += [source.get(kind) for kind in ("editable", "directory", "virtual", "path")]
            if source.get("type") in {"directory", "file"}:
                places.append(source.get("url"))
        for place in places:
            if isinstance(place, str) and (local := local_place(tree, folder, place)):
                found.append(local)
    return sorted(dict.fromkeys(found))


def local_place(tree: Tree, folder: str, place: str) -> str | None:
    """A path as it is written, relative to an app's folder, in its plain form.

    Returns:
        With a slash in the end for a folder; None for the app's own, and where nothing is.
    """
    plain = posixpath.normpath(place.removeprefix("file:"))
    path = join(folder, plain)
    if plain == "." or path.startswith(("..", "/")) or path == ".":
        return None
    if tree.has(path):
        return plain
    return f"{plain}/" if any(tree.below(path)) else None


def names(requirement: str) -> Iterator[str]:
    """The packages that a requirement (PEP 508) asks for; none where it is of another form."""
    try:
        parsed = Requirement(requirement)
    except InvalidRequirement:
        if requirement.startswith("git+"):
            yield "git"
        return
    name = canonicalize_name(parsed.name)
    yield name
    if (parsed.url or "").startswith("git+"):
        yield "git"
    if name == "fastapi" and parsed.extras & {"standard", "all"}:
        yield from ("uvicorn", "python-multipart", "email-validator", "jinja2", "websockets")
    if name == "fastapi" and "all" in parsed.extras:
        yield "itsdangerous"
    if (name == "litestar" and parsed.extras & {"standard", "full"}) or name == "python-fasthtml":
        yield "uvicorn"
    if name == "quart":
        yield "hypercorn"
    if name == "uvicorn" and "standard" in parsed.extras:
        yield "websockets"
    if name == "pydantic" and "email" in parsed.extras:
        yield "email-validator"
    if name == "psycopg" and "binary" in parsed.extras:
        yield "psycopg-binary"
    if name == "psycopg" and "c" in parsed.extras:
        yield "psycopg-c"


def declared(tree: Tree, folder: str) -> Iterator[Found[str]]:
    """What a pyproject.toml depends on, in `[project]` or in Poetry's table.

    With the extras and groups that are for production.
    """
    path = join(folder, "pyproject.toml")
    document, text = read_toml(tree, path), tree.read(path)
    optional = table(table(document, "project"), "optional-dependencies")
    lists = [table(document, "project").get("dependencies")]
    for chosen, more in (
        (extras(tree, folder), optional),
        (groups(tree, folder), table(document, "dependency-groups")),
    ):
        lists += [more.get(name) for one in chosen.values() for name in one.value]
    listed = [one for each in lists if isinstance(each, list) for one in each]
    for requirement in (one for one in listed if isinstance(one, str)):
        line = only_line(text, f"""["']{re.escape(str(requirement))}["']""")
        for name in names(str(requirement)):
            yield Found(name, "dependency", path, line)
    tools = table(document, "tool")
    own = table(table(tools, "poetry"), "dependencies")
    for key in own:
        line = only_line(text, rf"""^["']?{re.escape(key)}["']?\s*=""")
        yield Found(canonicalize_name(key), "dependency", path, line)
    for key, source in (*own.items(), *table(table(tools, "uv"), "sources").items()):
        if isinstance(source, dict) and "git" in source:
            line = only_line(text, rf"""^["']?{re.escape(key)}["']?\s*=""")
            yield Found("git", "dependency from a repository", path, line)


def _locked(
    tree: Tree, folder: str, lockfile: str, relevant: Collection[str]
) -> Iterator[Found[str]]:
    path = join(folder, lockfile)
    packages, text = read_toml(tree, path).get("package"), tree.read(path)
    for package in packages if isinstance(packages, list) else []:
        raw = str(package.get("name", "")) if isinstance(package, dict) else ""
        # Only for these, as lockfiles are long.
        if (name := canonicalize_name(raw)) in relevant:
            line = only_line(text, rf'^name = "{re.escape(raw)}"')
            yield Found(name, "locked", path, line)
        if name.startswith("nvidia-"):
            yield Found(CUDA, "locked for a GPU", path)
        source = package.get("source") if isinstance(package, dict) else None
        kind = source.get("type") if isinstance(source, dict) else None
        if kind == "git" or "git" in (source or package or ()):
            yield Found("git", "locked from a repository", path)


def table(document: dict[str, Any], key: str) -> dict[str, Any]:
    """The table of that name; empty where it is missing or of another type."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def read_toml(tree: Tree, path: str) -> dict[str, Any]:
    """A TOML file.

    Raises:
        ProjectError: It is not valid, or nested more deeply than can be read.
    """
    try:
        return tomllib.loads(tree.read(path))
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{path} is not valid TOML ({error}): mend it first.") from None
    except RecursionError:
        raise ProjectError(f"{path} is nested too deeply to be read: make it simpler.") from None
