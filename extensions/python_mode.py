"""Whether a Python script ends, serves, or goes on for ever: by what it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from . import python_listening
from .origins import Found
from .python_program import Program
from .python_source import Module, called_name, calls, is_main_guard

JOB, SERVICE = "job", "service"
# What never returns, by its name alone.
_ENDLESS = frozenset(
    # Bots: python-telegram-bot, aiogram, pyTelegramBotAPI, Telethon, Pyrogram, matrix-nio.
    {"run_polling", "start_polling", "infinity_polling", "run_until_disconnected", "sync_forever"}
    # Event loops, servers, message queues: asyncio, socketserver, grpc, pika, paho-mqtt, signal.
    | {"run_forever", "serve_forever", "wait_for_termination", "start_consuming", "loop_forever"}
    | {"run_pending"}
)
# What never returns of an object that a library made: the class, and its methods.
_OBJECTS = {
    "Client": ("run",),  # discord.py and its forks
    "Bot": ("run",),
    "AutoShardedBot": ("run",),
    "AutoShardedClient": ("run",),
    "SocketModeHandler": ("start",),
    "AsyncSocketModeHandler": ("start_async",),
    "BlockingScheduler": ("start",),
    "Worker": ("work",),  # RQ
    "SimpleWorker": ("work",),
}
# Where the classes above come from.
_LIBRARIES = frozenset(
    {"discord", "nextcord", "disnake", "interactions", "twitchio", "pyrogram", "slack_bolt"}
    | {"apscheduler", "rq"}
)


def find(program: Program, entry: Module | None) -> tuple[Found[str], Found[int | None]]:
    """The mode of a script (`job` or `service`), and the port that it serves on; None for none.

    Args:
        program: The app's modules.
        entry: The module that is run; None where it is not known.
    """
    no_port: Found[int | None] = Found(None, "it listens on no port that is known")
    if entry is None:
        return Found(JOB, "a script is taken to end"), no_port
    reached = program.reached(entry.name)
    modules = [entry, *(program.modules[name] for name in sorted(reached) if name != entry.name)]
    for module in modules:
        found = [call for call, _ in calls(module.body, True, module == entry)]
        for server in python_listening.find(program, module, found):
            line = server.call.lineno
            port: Found[int | None] = Found(
                server.port or server.usual, "port that it listens on", module.path, line
            )
            return Found(SERVICE, f"serves with {server.kind}", module.path, line), port
    for module in modules:
        if endless := _endless(program, module, module == entry):
            line, reason = endless
            return Found(SERVICE, reason, module.path, line), no_port
    return Found(JOB, "nothing in it goes on for ever", entry.path), no_port


def _endless(program: Program, module: Module, is_script: bool) -> tuple[int, str] | None:
    """The first line after which nothing else comes, and why; None where it ends."""
    for call, _ in calls(module.body, True, is_script):
        name = called_name(call)
        if name in _ENDLESS or _runs_for_ever(program, module, call, name):
            return call.lineno, f"{name}() does not return"
    for loop in _loops(module.body, is_script, _called(program)):
        return loop.lineno, "a loop without an end"
    return None


def _called(program: Program) -> frozenset[str]:
    """The names of all that the app calls."""
    return frozenset(
        called_name(node)
        for module in program.modules.values()
        for node in ast.walk(module.body)
        if isinstance(node, ast.Call)
    )


def _runs_for_ever(program: Program, module: Module, call: ast.Call, name: str) -> bool:
    """Whether it is a method of an object of a library that never returns."""
    if not isinstance(call.func, ast.Attribute):
        return False
    used = {one.name.partition(".")[0] for one in program.imports(module)}
    others = {
        i.name.partition(".")[0] for m in program.modules.values() for i in program.imports(m)
    }
    if not _LIBRARIES & (used | others):
        return False
    made = _maker(program, module, call.func.value)
    return made is not None and name in _OBJECTS.get(made, ())


def _maker(program: Program, module: Module, node: ast.expr) -> str | None:
    """The class whose object an expression is, as far as one assignment tells."""
    if isinstance(node, ast.Call):
        return called_name(node)
    reference = program.resolve(module, node)
    owner = program.modules.get(reference[0]) if reference else None
    if owner is None or reference is None or reference[1] is None:
        return None
    value = program.constants(owner).get(reference[1]) or _local(owner, reference[1])
    if not isinstance(value, ast.Call):
        return None
    made = called_name(value)
    # A class of the app's own, by what it is derived from.
    bases = [
        base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
        for one in program.modules.values()
        for node in one.body.body
        if isinstance(node, ast.ClassDef) and node.name == made
        for base in node.bases
    ]
    return next((base for base in bases if base in _OBJECTS), made)


def _local(module: Module, name: str) -> ast.expr | None:
    """What a name is set to anywhere in the module, such as in its `main()`."""
    for node in ast.walk(module.body):
        if isinstance(node, ast.Assign):
            if any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
                return node.value
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                target = item.optional_vars
                if isinstance(target, ast.Name) and target.id == name:
                    return item.context_expr
    return None


def _loops(node: ast.AST, is_script: bool, called: frozenset[str]) -> Iterator[ast.While]:
    """Loops such as `while True:` that nothing leaves, in what is called."""
    for child in ast.iter_child_nodes(node):
        if is_main_guard(child) and not is_script:
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name not in called:
            continue
        if isinstance(child, ast.While) and _always(child.test) and not _is_left(child.body):
            yield child
        yield from _loops(child, is_script, called)


def _always(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _is_left(body: list[ast.stmt], inner: bool = False) -> bool:
    """Whether a statement ends the loop around it: `break`, `return`, or the end of the program."""
    for node in body:
        if isinstance(node, ast.Return | ast.Raise) or (isinstance(node, ast.Break) and not inner):
            return True
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Yield | ast.YieldFrom):
            return True
        if isinstance(call, ast.Call) and called_name(call) in {"exit", "quit", "_exit"}:
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        loops = isinstance(node, ast.For | ast.AsyncFor | ast.While)
        for field in ("body", "orelse", "finalbody"):
            below = getattr(node, field, None)
            if isinstance(below, list) and _is_left(below, inner or (loops and field == "body")):
                return True
        # What an interrupt ends is no end of its own.
        for handler in getattr(node, "handlers", ()):
            if not _interrupts(handler) and _is_left(handler.body, inner):
                return True
        for case in getattr(node, "cases", ()):
            if _is_left(case.body, inner):
                return True
    return False


def _interrupts(handler: ast.ExceptHandler) -> bool:
    return handler.type is not None and any(
        isinstance(n, ast.Name | ast.Attribute)
        and (n.id if isinstance(n, ast.Name) else n.attr)
        in {"KeyboardInterrupt", "SystemExit", "CancelledError"}
        for n in ast.walk(handler.type)
    )
