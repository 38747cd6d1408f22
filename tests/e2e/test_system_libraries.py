"""Libraries with parts of the system: built, and imported in the image, on each Debian."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from extensions.python_dependencies import (
    C_SOURCES,
    CMAKE_SOURCES,
    CPP_SOURCES,
    ONLY_IN,
    PROGRAM_PACKAGES,
    RUST_SOURCES,
    SYSTEM_PACKAGES,
)
from tests.e2e.first_deployment import commit
from tests.e2e.stacks import run
from tests.runs import build
from tests.unit.support import write_project

IMAGES = {"bookworm": "python:3.11-slim-bookworm", "trixie": "python:3.13-slim"}
# What is asked for, by row of the table: what shows that the system's part is there. A word that
# ends in `!` is a program.
ROWS: dict[str, dict[str, str]] = {
    "databases": {
        "psycopg2": "psycopg2",
        "psycopg[c]": "psycopg, psycopg_c",
        "psycopg2cffi": "psycopg2cffi",
        "mysqlclient": "MySQLdb",
        "pyodbc": "pyodbc",
        "aioodbc": "aioodbc",
        "pylibmc": "pylibmc",
        "gitpython": "git",
        "netifaces": "netifaces",
        "python-nmap": "nmap!",
    },
    "logins": {
        "python-ldap": "ldap",
        "xmlsec": "xmlsec",
        "python3-saml": "onelogin.saml2.auth",
        "pysaml2": "xmlsec1!",
        "gssapi": "gssapi",
        "krb5": "krb5",
        "pykerberos": "kerberos",
        "requests-kerberos": "requests_kerberos",
        "requests-gssapi": "requests_gssapi",
        "pyscard": "smartcard.scard",
        "pyusb": "usb.backend.libusb1 as u; assert u.get_backend()",
    },
    "documents": {
        "pycairo": "cairo",
        "cairocffi": "cairocffi",
        "cairosvg": "cairosvg",
        "weasyprint": "weasyprint",
        "python-magic": "magic",
        "pdf2image": "pdftoppm!",
        "pytesseract": "tesseract!",
        "tesserocr": "tesserocr",
        "ocrmypdf": "gs!",
        "camelot-py": "camelot",
        "pypandoc": "pandoc!",
        "wand": "wand.image",
        "pyvips": "pyvips",
        "pyzbar": "pyzbar.pyzbar",
        "graphviz": "dot!",
        "pydot": "dot!",
        "pygraphviz": "pygraphviz",
        "pyicu": "icu",
        "tabula-py": "java!",
        "language-tool-python": "java!",
        "jpype1": "jpype as j; j.startJVM()",
    },
    "media": {
        "opencv-python": "cv2",
        "opencv-contrib-python": "cv2",
        "ffmpeg-python": "ffmpeg!",
        "pydub": "ffmpeg!",
        "moviepy": "ffmpeg!",
        "yt-dlp": "ffmpeg!",
        "pyaudio": "pyaudio",
        "sounddevice": "sounddevice",
        "speechrecognition": "flac!",
        "pyttsx3": "espeak-ng!",
        "lightgbm": "lightgbm",
        "implicit": "implicit",
        "rdkit": "rdkit.Chem.Draw",
        "annoy": "annoy",
        "hnswlib": "hnswlib",
    },
    "only": {"pdfkit": "wkhtmltopdf!", "imgkit": "wkhtmltopdf!"},
}
# The version has to be that of Debian's library.
GDAL = {"bookworm": "gdal==3.6.2", "trixie": "gdal==3.10.3"}
# Too large to be built for a test: the names of their packages are those of rows above, or come
# from their notes on installation.
LEFT_OUT = {
    *("deepface", "insightface", "paddleocr", "ultralytics", "mediapipe", "paddlepaddle"),
    *("dlib", "face-recognition", "openai-whisper", "llama-cpp-python", "pyspark"),
    # Links Python's shared library, which stand-ins of the official image may lack.
    "uwsgi",
    # Comes with the others.
    *("psycopg", "gdal", "git"),
}
PROBE = """\
import importlib, shutil, sys, traceback

failed = []
for library, word in {rows!r}.items():
    try:
        if word.endswith("!"):
            assert shutil.which(word[:-1]), f"no {{word[:-1]}}"
        else:
            exec("import " + word)
    except BaseException as error:
        failed.append(f"{{library}}: {{error}}")
for program in ("gcc", "g++", "cmake"):
    if shutil.which(program):
        failed.append(f"{{program}} is in the image")
print("\\n".join(failed) or "fine")
"""


def test_every_row_is_here() -> None:
    """A new one has to say what shows that it works."""
    names = {name.partition("[")[0] for rows in ROWS.values() for name in rows}
    known = set(SYSTEM_PACKAGES).union(*ONLY_IN.values())
    # Programs have a test of their own; what is compiled is in `test_python_packaging.py`.
    known = {name for name in known if not name.startswith(("program-", "sources-"))}
    assert (names | LEFT_OUT) - {"psycopg"} == known - {"psycopg", "psycopg-c"}


@pytest.mark.parametrize("release", IMAGES)
@pytest.mark.parametrize("batch", [*ROWS, "gdal"])
def test_built_and_imported(batch: str, release: str, tmp_path: Path) -> None:
    if batch == "only" and release not in ONLY_IN:
        pytest.skip("Debian has it no longer")
    rows = ROWS[batch] if batch in ROWS else {GDAL[release]: "osgeo.gdal"}
    files = {
        ".config/versions.conf": f'PYTHON_IMAGE="{IMAGES[release]}"\n',
        "requirements.txt": "\n".join(rows) + "\n",
        "main.py": PROBE.format(rows=rows),
    }
    project = write_project(tmp_path / "project", files, USE_PYTHON="true")
    commit(project)
    build(project)
    name = f"e2e-{uuid.uuid4().hex[:12]}"
    try:
        # Compilers and downloads take their time.
        command = ("docker", "build", "-t", name, "-f", "Dockerfile.prod", ".")
        run(*command, cwd=project, timeout=1800)
        shown = run("docker", "run", "--rm", "--read-only", "--tmpfs", "/tmp", name)
        assert shown.strip() == "fine"
    finally:
        run("docker", "image", "rm", "--force", name)


@pytest.mark.parametrize("release", IMAGES)
def test_packages_of_programs_and_compilers_are_debians(release: str) -> None:
    """Each is there under its name, and they can be installed together."""
    names = {name for packages in PROGRAM_PACKAGES.values() for name in packages}
    for kind in (C_SOURCES, CPP_SOURCES, CMAKE_SOURCES, RUST_SOURCES):
        names |= set(SYSTEM_PACKAGES[kind][0])
    installs = f"apt-get install --yes --no-install-recommends --simulate {' '.join(sorted(names))}"
    command = f"apt-get update --quiet=2 && {installs}"
    said = run("docker", "run", "--rm", IMAGES[release], "sh", "-c", command)
    assert all(f"Inst {name} " in said or f"{name} is already" in said for name in names)
