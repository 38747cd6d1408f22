"""The view of a project's files: what a clone would have."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.errors import ProjectError
from extensions.tree import Tree, join
from tests.projects.compose import HERE

from .support import many, tree_of, write_files

SPINBOX_GITIGNORE = (HERE / "parts/common/dot_gitignore").read_text()

NAMES = st.sampled_from(["a", "b", "lib", "src", "x.py", "y.log", "Z", "a b", "#c", "!d", "[e]"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PATTERNS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "", "!", "#", r"\!", r"\#"]),
    st.sampled_from(["", "", "/", "**/", "a/", "src/"]),
    st.sampled_from(
        ["a", "b", "lib", "src", "*.log", "x.*", "*", "?", "[ab]", "[!a]", "a b", "**", "d", "c"]
    ),
    st.sampled_from(["", "", "/", "/*", "/**", "/**/b", " ", r"\ "]),
)
GITIGNORES = st.lists(PATTERNS, max_size=5).map(lambda lines: "".join(f"{x}\n" for x in lines))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty repository whose work tree is given with each call of git."""
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    (folder / ".git/info/exclude").unlink(missing_ok=True)
    yield folder / ".git"


def seen_by_git(repository: Path, work_tree: Path) -> list[str]:
    """Untracked files that git would add."""
    command = ["git", "-c", "core.excludesFile=/dev/null", "ls-files", "-z"]
    result = subprocess.run(
        [*command, "--others", "--exclude-standard"],
        cwd=work_tree,
        env={**os.environ, "GIT_DIR": str(repository), "GIT_WORK_TREE": str(work_tree)},
        capture_output=True,
        check=True,
    )
    return sorted(result.stdout.decode().split("\0")[:-1])


def writable(paths: set[str]) -> list[str]:
    """Leave out what would have to be a file and a folder at once."""
    return [path for path in sorted(paths) if not any(p.startswith(f"{path}/") for p in paths)]


@many
@given(st.sets(PATHS, min_size=1, max_size=12), GITIGNORES, st.dictionaries(PATHS, GITIGNORES))
def test_the_view_is_that_of_git(
    repository: Path, paths: set[str], gitignore: str, nested: dict[str, str]
) -> None:
    """For any tree and any .gitignore files, the visible files are those that git lists."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        folders = {str(parent) for path in paths for parent in Path(path).parents}
        ignores = {join(p, ".gitignore"): text for p, text in nested.items() if p in folders}
        files = dict.fromkeys(writable(paths), "") | ignores | {".gitignore": gitignore}
        write_files(root, files)
        assert list(Tree(root).files) == seen_by_git(repository, root)


@pytest.mark.parametrize(
    "gitignore",
    [
        "data/**\n!data/keep.txt\n",
        "data/*\n!data/keep.txt\n",
        "/data/**\n!/data/**/\n!/data/**/keep.txt\n",
        "data\n!data/**\n",
        "data/**/\n",
        "**/data/**\n!keep.txt\n",
        "*\n!*/\n!keep.txt\n",
        "*\n!data\n!keep.txt\n",
        "data/*\n!data\n",
    ],
)
def test_folders_kept_for_one_file(gitignore: str, repository: Path, tmp_path: Path) -> None:
    """`folder/**` hides what is in the folder, not the folder: single files can come back."""
    names = ["data/keep.txt", "data/other.txt", "data/deep/keep.txt", "data/deep/other.txt"]
    tree = tree_of(tmp_path, {".gitignore": gitignore, **dict.fromkeys(names, "")})
    assert list(tree.files) == seen_by_git(repository, tmp_path)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_of_gitignore_do_not_matter(
    line_end: str, repository: Path, tmp_path: Path
) -> None:
    """A .gitignore saved on Windows hides the same files."""
    files = {".gitignore": line_end.join(["*.log", "!keep.log", ""]), "a.log": "", "keep.log": ""}
    tree = tree_of(tmp_path, files)
    assert tree.files == (".gitignore", "keep.log")
    assert list(tree.files) == seen_by_git(repository, tmp_path)


@pytest.mark.parametrize(
    ("path", "visible"),
    [
        ("src/lib/api.ts", False),
        ("frontend/src/lib/deep/api.ts", False),
        ("lib/x.py", False),
        ("src/library/x.py", True),
        ("lib.py", True),
        ("backend/.env", False),
        ("frontend/.env.local", False),
        ("frontend/.env.local.example", True),
        ("backend/.env.example", True),
        ("frontend/.env.production", True),
        ("frontend/.env.staging", True),
        ("backend/server.key", False),
        ("frontend/.next/server.js", False),
        ("build/main.js", False),
    ],
)
def test_spinbox_gitignore(path: str, visible: bool, tmp_path: Path) -> None:
    """What Spinbox's own .gitignore hides, at any depth."""
    tree = tree_of(tmp_path, {".gitignore": SPINBOX_GITIGNORE, path: ""})
    assert tree.has(path) is visible


def test_nested_gitignore_counts_below_its_folder_only(tmp_path: Path) -> None:
    """A pattern of a nested .gitignore leaves its neighbours alone."""
    files = {"backend/.gitignore": "data.json\n", "backend/data.json": "", "data.json": ""}
    tree = tree_of(tmp_path, files)
    assert tree.files == ("backend/.gitignore", "data.json")


def test_nested_negation_wins(tmp_path: Path) -> None:
    """The deepest .gitignore with an opinion decides."""
    files = {".gitignore": "*.json\n", "a/.gitignore": "!keep.json\n"}
    tree = tree_of(tmp_path, {**files, "a/keep.json": "", "a/other.json": ""})
    assert tree.has("a/keep.json") and not tree.has("a/other.json")


def test_nothing_below_a_hidden_folder_comes_back(tmp_path: Path) -> None:
    """As in git, a negation cannot bring back a file whose folder is hidden."""
    tree = tree_of(tmp_path, {".gitignore": "lib/\n!lib/keep.py\n", "lib/keep.py": ""})
    assert not tree.has("lib/keep.py")


def test_without_gitignore_every_file_is_visible(tmp_path: Path) -> None:
    """A project that was never a repository shows all it has."""
    assert tree_of(tmp_path, {"lib/a.py": "", ".env": ""}).files == (".env", "lib/a.py")


@pytest.mark.parametrize("folder", [".git", "node_modules", ".venv", "venv", "__pycache__"])
def test_folders_that_no_clone_has(folder: str, tmp_path: Path) -> None:
    """What tools leave behind is not part of the project, with or without .gitignore."""
    tree = tree_of(tmp_path, {f"{folder}/x.py": "", f"backend/{folder}/x.py": "", "main.py": ""})
    assert tree.files == ("main.py",)


def test_another_template_s_folder_is_seen(tmp_path: Path) -> None:
    """An answers file alone says nothing."""
    tree = tree_of(tmp_path, {"lib/.copier-answers.yml": "_src_path: x\n", "lib/x.py": ""})
    assert list(tree.below("lib", ".py")) == ["lib/x.py"]


def test_a_repository_inside_is_seen(tmp_path: Path) -> None:
    """Such as a submodule."""
    subprocess.run(["git", "init", "-q", tmp_path / "frontend"], check=True)
    tree = tree_of(tmp_path, {"frontend/package.json": "{}"})
    assert "frontend/package.json" in tree.files


def test_hidden_files_are_named_but_not_what_tools_make(tmp_path: Path) -> None:
    """What a clone would lack."""
    files = {".gitignore": "lib/\ndist/\n", "src/lib/a.ts": "", "dist/b.js": "", "src/c.ts": ""}
    assert tree_of(tmp_path, files).hidden() == ["src/lib/a.ts"]


def test_folder_of_generated_files_is_not_walked(tmp_path: Path) -> None:
    """Files that went to a folder of their own are no input of the next run."""
    answers = "# Ours.\n_src_path: x\noutput: production\noverrides: {}\nproject: {}\n"
    tree = tree_of(
        tmp_path, {"production/.copier-answers.yml": answers, "production/deploy/x.py": ""}
    )
    assert not any(tree.below("production", ".py"))


def test_answers_file_at_the_root_hides_nothing(tmp_path: Path) -> None:
    """The project itself stays visible after the first run."""
    assert tree_of(tmp_path, {".copier-answers.yml": "", "main.py": ""}).has("main.py")


def test_empty_folders_are_not_seen(tmp_path: Path) -> None:
    """Git does not keep them."""
    (tmp_path / "public").mkdir()
    assert Tree(tmp_path).files == ()


def test_files_are_sorted(tmp_path: Path) -> None:
    """The order does not depend on the file system."""
    files = tree_of(tmp_path, dict.fromkeys(["b/c", "a", "B", "b.c", "b/a"], "")).files
    assert list(files) == sorted(files)


def test_a_link_that_leads_round_ends(tmp_path: Path) -> None:
    """A symbolic link to a parent folder is not followed for ever."""
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert tree_of(tmp_path, {"main.py": ""}).has("main.py")


@pytest.mark.parametrize(
    ("folder", "suffix", "expected"),
    [
        (".", ".py", ["app/a.py", "app/b/c.py", "apple/d.py"]),
        ("app", ".py", ["app/a.py", "app/b/c.py"]),
        ("app/", ".py", ["app/a.py", "app/b/c.py"]),
        ("app", "", ["app/a.py", "app/b/c.py", "app/e.txt"]),
        ("missing", "", []),
    ],
)
def test_below(folder: str, suffix: str, expected: list[str], tmp_path: Path) -> None:
    """Files below a folder at any depth, and not those of a folder with a longer name."""
    names = ["app/a.py", "app/b/c.py", "app/e.txt", "apple/d.py"]
    assert list(tree_of(tmp_path, dict.fromkeys(names, "")).below(folder, suffix)) == expected


def test_first_takes_the_given_order(tmp_path: Path) -> None:
    """The first name that is there wins, not the first file."""
    tree = tree_of(tmp_path, {"app/b": "", "app/a": ""})
    assert tree.first("app", "c", "b", "a") == "app/b"


def test_first_at_the_root_has_no_folder(tmp_path: Path) -> None:
    """At the root, the path is the name."""
    assert tree_of(tmp_path, {"a": ""}).first(".", "a") == "a"


def test_read_drops_the_bom(tmp_path: Path) -> None:
    """A BOM is not part of the text."""
    assert tree_of(tmp_path, {"a": "\ufefftext"}).read("a") == "text"


def test_read_of_a_hidden_file_fails(tmp_path: Path) -> None:
    """What git ignores cannot be read by accident."""
    tree = tree_of(tmp_path, {".gitignore": ".env\n", ".env": "SECRET=1\n"})
    with pytest.raises(ProjectError, match=r"\.env"):
        tree.read(".env")


def test_read_of_other_encodings_fails_plainly(tmp_path: Path) -> None:
    """A file that is not UTF-8 is named."""
    (tmp_path / "a.py").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ProjectError, match=r"a\.py.*UTF-8"):
        Tree(tmp_path).read("a.py")
