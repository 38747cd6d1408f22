"""Files and models that apps read at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import API, find_api


def data(root: Path, code: str, files: dict[str, str] | None = None) -> list[Finding]:
    """What is found of an app with this code, and these files beside it."""
    made = {**(files or {}), "main.py": f"{code}\n{API['main.py']}"}
    return [one for one in find_api(root, made) if one.rule == "start.data"]


@pytest.mark.parametrize(
    "code",
    [
        "import joblib\nmodel = joblib.load('models/model.joblib')",
        "import pandas as pd\ntable = pd.read_csv('models/model.joblib')",
        "with open('models/model.joblib', 'rb') as file:\n    model = file.read()",
        "from pathlib import Path\nimport joblib\n"
        "model = joblib.load(Path(__file__).parent / 'models' / 'model.joblib')",
    ],
)
def test_a_file_that_git_lacks_is_told(code: str, tmp_path: Path) -> None:
    (found,) = data(tmp_path, code)
    assert found.certain and "reads models/model.joblib at the start" in found.seen
    assert "--set fastapi.volumes=/app/models" in found.mend


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("import joblib\nmodel = joblib.load('model.joblib')", {"model.joblib": "x"}),
        ("import joblib\ntry:\n    m = joblib.load('m')\nexcept OSError:\n    m = None", {}),
        ("import joblib\ndef model():\n    return joblib.load('m')", {}),
        ("import os\nif os.path.exists('m'):\n    text = open('m').read()", {}),
        ("open('m.txt', 'w').write('x')", {}),
        ("import json\njson.dump({}, open('/tmp/m', 'w'))\ntext = open('m').read()", {}),
        ("text = open('/etc/hostname').read()", {}),
    ],
)
def test_files_that_are_there_or_looked_for_are_fine(
    code: str, files: dict[str, str], tmp_path: Path
) -> None:
    assert not data(tmp_path, code, files)


SPACY = "import spacy\nnlp = spacy.load('en_core_web_sm')"


def test_a_model_of_spacy_that_nothing_installs_is_told(tmp_path: Path) -> None:
    (found,) = data(tmp_path, SPACY, {"requirements.txt": "fastapi\nuvicorn\nspacy\n"})
    assert found.certain and "loads en_core_web_sm" in found.seen


@pytest.mark.parametrize("line", ["en-core-web-sm==3.8.0", "https://x/en_core_web_sm-3.8.0.whl"])
def test_a_model_of_spacy_that_is_listed_is_fine(line: str, tmp_path: Path) -> None:
    listed = {"requirements.txt": f"fastapi\nuvicorn\nspacy\n{line}\n"}
    assert not data(tmp_path, SPACY, listed)


def test_a_locale_that_slim_images_lack_is_told(tmp_path: Path) -> None:
    code = "import locale\nlocale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')"
    (found,) = data(tmp_path, code)
    assert found.certain and "sets the locale de_DE.UTF-8" in found.seen


@pytest.mark.parametrize("name", ["''", "'C.UTF-8'", "os.environ['LOCALE']"])
def test_other_locales_are_fine(name: str, tmp_path: Path) -> None:
    assert not data(tmp_path, f"import locale, os\nlocale.setlocale(locale.LC_ALL, {name})")
