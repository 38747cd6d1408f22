"""Prisma's client, which is generated from the schema: where and when an image makes it.

prisma.io/docs: "Generating Prisma Client" (the default place is `node_modules/.prisma`, others are
`output`), "Prisma Config reference" (since version 7 nothing generates it while installing).
"""

from __future__ import annotations

import re
import shlex

from . import node_scripts
from .node_source import Package
from .origins import Fields, Found
from .tree import Tree

# Prisma looks for its schema there by itself.
_USUAL = ("prisma/schema.prisma", "schema.prisma", "prisma/schema/")
_CONFIGS = tuple(
    f"{name}.{ending}"
    for name in ("prisma.config", ".config/prisma")
    for ending in ("ts", "mts", "js", "mjs", "cjs")
)
_GENERATOR = re.compile(r"^\s*generator\s+\w+\s*\{([^}]*)\}", re.MULTILINE)
_CLIENT = re.compile(r"provider\s*=\s*\"(?:prisma-client-js|prisma-client)\"")
_OUTPUT = re.compile(r"output\s*=\s*\"([^\"]+)\"")
_IN_CONFIG = re.compile(r"""\benv\(\s*["'](\w+)["']\s*\)""")
_RUNS = re.compile(r"prisma generate\b")
# What stands for an address that a configuration asks for, where nothing connects to it.
_NO_ADDRESS = "postgresql://localhost/none"


def read(tree: Tree, folder: str, package: Package) -> Fields:
    """How the client comes into the image; nothing where the app does not use Prisma.

    Returns:
        `prisma_client`, the command that makes it where no script of package.json does, else None;
        `prisma_place`, `installed` where it lies among the installed packages, else `source`; and
        `prisma_needs`, names of variables that Prisma's configuration does not do without.
    """
    known = {**package.table("devDependencies"), **package.table("dependencies")}
    if "prisma" not in known:
        return {}
    client = _client(tree, folder)
    if client is None:
        return {}
    path, output = client
    installed = output is None or "node_modules" in output
    build = any(_RUNS.search(c.text) for c in node_scripts.commands(package, "build"))
    install = any(_RUNS.search(c.text) for c in node_scripts.install_commands(package))
    made = install or (build and not installed)
    command = ("npx", "--no", "prisma", "generate", *schema_option(tree, folder, package))
    reason = "a script makes it" if made else "no script makes it before it is needed"
    config = tree.first(folder, *_CONFIGS)
    needs = sorted(set(_IN_CONFIG.findall(tree.read(config)))) if config else []
    return {
        "prisma_client": Found(None if made else shlex.join(command), reason, path),
        "prisma_place": Found("installed" if installed else "source", "the generator", path),
        "prisma_needs": Found(needs, "env() of Prisma's configuration", config),
    }


def with_variables(command: str, names: list[str]) -> str:
    """A command with a value for the variables that Prisma's configuration asks for."""
    return "".join(f"{name}={_NO_ADDRESS} " for name in names) + command


def schema_option(tree: Tree, folder: str, package: Package) -> tuple[str, ...]:
    """The option that names the schema where Prisma would not find it by itself."""
    for name in package.table("scripts"):
        for command in node_scripts.commands(package, name):
            match = re.search(r"--schema[= ](\S+)", command.text)
            if match and command.program == "prisma":
                return ("--schema", match[1])
    if isinstance(package.table("prisma").get("schema"), str) or tree.first(folder, *_CONFIGS):
        return ()
    top = "" if folder == "." else f"{folder}/"
    paths = [path.removeprefix(top) for path in tree.below(folder, ".prisma")]
    if not paths or any(path.startswith(_USUAL) for path in paths):
        return ()
    return ("--schema", paths[0])


def _client(tree: Tree, folder: str) -> tuple[str, str | None] | None:
    """The file with the client's generator, and where that puts it; None for no such."""
    for path in tree.below(folder, ".prisma"):
        for block in _GENERATOR.findall(tree.read(path)):
            if _CLIENT.search(block):
                output = _OUTPUT.search(block)
                return path, output[1] if output else None
    return None
