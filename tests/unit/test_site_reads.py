"""Where the pages of a site read variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions import site_reads
from extensions.tree import Tree


@pytest.mark.parametrize(
    ("name", "text", "variable", "default"),
    [
        ("src/App.vue", "<script setup>const a = import.meta.env.VITE_A</script>", "VITE_A", None),
        ("src/a.svelte", "<p>{import.meta.env.VITE_A ?? 'one'}</p>", "VITE_A", "one"),
        ("src/a.astro", "---\nconst a = import.meta.env.PUBLIC_A;\n---\n", "PUBLIC_A", None),
        ("index.html", "<title>%VITE_TITLE%</title>", "VITE_TITLE", None),
        ("src/a.ts", "import { PUBLIC_B as b } from '$env/static/public';", "PUBLIC_B", None),
        ("src/main.js", "console.log(import.meta.env.VITE_C)", "VITE_C", None),
    ],
)
def test_each_form(
    name: str, text: str, variable: str, default: str | None, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    (read,) = site_reads.reads(Tree(tmp_path), ".", ("VITE_", "PUBLIC_"))
    assert (read.name, read.path, read.default) == (variable, name, default)


def test_what_is_not_built_in(tmp_path: Path) -> None:
    (tmp_path / "a.vue").write_text("<script>import.meta.env.DEV; // import.meta.env.VITE_A\n")
    (tmp_path / "b.html").write_text("100% of_50%")
    assert site_reads.reads(Tree(tmp_path), ".", ("VITE_",)) == []
