"""The settings file: there, complete, with strong secrets, and for nobody else's eyes."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

from .. import derivation, missing_settings
from ..dotenv import UnreadableError, has_value
from . import unused_settings
from .model import Check, Context, Status, failed, passed, warned

IDS = {
    "settings.present": "The settings file is there, and Docker Compose can read it",
    "settings.complete": "It sets every variable that the stack does not start without",
    "settings.references": "No value names a variable that is not set, as `pa$word` does",
    "settings.unused": "Every name in it is read by a container, a script or a build",
    "settings.placeholders": "No value is still an example's, such as `changeme`",
    "settings.weak": "No secret is shorter than 16 characters or of few different ones",
    "settings.repeated": "No two secrets are the same",
    "settings.superuser": "The apps do not log in as PostgreSQL's administrator",
    "settings.untracked": "git does not track it, and ignores it",
    "settings.history": "No commit ever held it",
    "settings.backups": "No image is built from the folder that backups lie in",
    "settings.mode": "Nobody but its owner can read it",
}
_PLACEHOLDER = re.compile(
    r"(?:change|replace)[-_ ]?(?:me|this)\b.*|your[-_ ].*|<.*>|x{3,}|todo|placeholder"
    r"|(?:.*\.)?example\.(?:com|net|org)|example|enter[-_ ].*",
    re.IGNORECASE | re.DOTALL,
)
# In a secret, also as a part of it.
_IN_SECRET = re.compile(
    r"change[-_ ]?(?:me|this)|example|placeholder|password|passwort|your[-_]|xxx|secret[-_ ]?key"
    r"|^(?:secret|test|admin|root|postgres|mongo|redis)$",
    re.IGNORECASE,
)
# A key may be named by its file.
_FILE = re.compile(r"(?:/[\w.-]+)+\.\w+")
_SHORT = 16
_FEW = 8


def look(context: Context) -> list[Check]:
    """All checks of this module."""
    checks = [present(context), *git_checks(context)]
    if context.settings is None:
        return checks
    settings, stack = context.settings, context.stack
    secrets = secrets_in(settings, stack)
    name = context.settings_name
    checks[1:1] = [
        complete(settings, required(context), name, init_command(context)),
        references(context.settings_file.unknown, name),
        *unused_settings.look(context, settings),
        placeholders(settings, secrets, name),
        weak(secrets, {v.name for v in stack.variables if _is_ours(v)}, name),
        repeated(secrets, name),
        *superuser("settings.superuser", settings, stack, name),
    ]
    return [*checks, *backups(context), mode(context)]


def present(context: Context) -> Check:
    """Whether the file is there."""
    id_, name = "settings.present", context.settings_name
    if context.settings is not None:
        number = len(context.settings)
        return passed(id_, f"{name} sets {number} variable{'' if number == 1 else 's'}.")
    try:
        _ = context.settings_file
    except FileNotFoundError:
        asked = missing_settings.asked(context.outcome.deployment)
        more = f", and the apps do not start without {', '.join(asked)}" if asked else ""
        return failed(id_, f"{name} is missing{more}.", init_command(context))
    except UnreadableError as error:
        return failed(id_, f"{name}: {error}", f"Mend that line of {name}.")
    except OSError:
        pass
    return failed(id_, f"{name} cannot be read.", f"ls -l {shlex.quote(name)}")


def init_command(context: Context) -> str:
    """The command that makes the settings file, or adds what it lacks."""
    script = context.outcome.request.named("deploy/init-env.sh")
    option = "" if context.environment == "production" else f" --env {context.environment}"
    return f"sh {script}{option}"


def are_made(context: Context) -> bool:
    """Whether the file is there, and nothing in it is left to be set."""
    found = {check.id: check.status for check in look(context)}
    names = ("present", "complete", "placeholders")
    return all(found.get(f"settings.{name}") is Status.PASS for name in names)


def required(context: Context) -> list[str]:
    """Names that have to be set: those of the stack, and what its example leaves empty."""
    names = [variable.name for variable in context.stack.variables if variable.required]
    try:
        text = (context.root / context.outcome.deployment.env_example).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    names += re.findall(r"^([A-Za-z_]\w*)=\s*$", text, re.MULTILINE)
    return list(dict.fromkeys(names))


def secrets_in(settings: Mapping[str, str], stack: derivation.model.Stack) -> dict[str, str]:
    """The secrets that are set, by name: the stack's, and the apps' own by their names.

    Without values that are more than the secret, such as a DSN, or name a file: nobody draws them.
    """
    is_bare = derivation.secrets.is_bare
    known = {variable.name for variable in stack.variables if _is_ours(variable)}
    return {
        name: value
        for name, value in settings.items()
        if value and (name in known or (is_bare(name) and not _FILE.fullmatch(value)))
    }


def _is_ours(variable: derivation.model.Variable) -> bool:
    """Whether a secret's value is made here, and nothing but the secret."""
    return variable.secret and (not variable.own or variable.generate is not None)


def complete(settings: Mapping[str, str], names: list[str], file: str, mend: str) -> Check:
    """Whether every name has a value."""
    id_ = "settings.complete"
    if missing := [name for name in names if not has_value(settings.get(name))]:
        verb = "is" if len(missing) == 1 else "are"
        return failed(id_, f"{', '.join(missing)} {verb} not set in {file}.", mend)
    return passed(id_, "Every variable that has to be set is set.")


def references(unknown: Collection[str], file: str) -> Check:
    """Whether every `$NAME` in a value stands for something; Compose puts nothing in its place."""
    id_ = "settings.references"
    if unknown:
        seen = f"{file} has {_listed([f'${name}' for name in sorted(unknown)])}, which is not set."
        mend = f"Put the value between single quotes in {file}, if that is a $ of its own."
        return warned(id_, seen, mend)
    return passed(id_, "No value names a variable that is not set.")


def placeholders(settings: Mapping[str, str], secrets: Mapping[str, str], file: str) -> Check:
    """Whether a value was left as an example has it. Values are never shown."""
    id_ = "settings.placeholders"
    found = [
        name
        for name, value in settings.items()
        if _PLACEHOLDER.fullmatch(value) or (name in secrets and _IN_SECRET.search(value))
    ]
    if found:
        seen = f"{_listed(found)} {'holds' if len(found) == 1 else 'hold'} a placeholder."
        return failed(id_, seen, f"Set {found[0]} in {file}.")
    return passed(id_, "No value is a placeholder.")


def superuser(
    id_: str, settings: Mapping[str, str], stack: derivation.model.Stack, file: str
) -> list[Check]:
    """Whether the apps' role is not the administrator's; nothing where there is no database."""
    if not stack.set_up:
        return []
    if settings.get("POSTGRES_USER") == "postgres":
        seen = "POSTGRES_USER is postgres: the apps log in as a superuser, who runs commands there."
        mend = (
            f"Set another name in {file} before the first start; later, the guide says how, under "
            '"PostgreSQL\'s administrator".'
        )
        return [warned(id_, seen, mend)]
    return [passed(id_, "POSTGRES_USER is not PostgreSQL's administrator.")]


def weak(secrets: Mapping[str, str], ours: set[str], file: str) -> Check:
    """Whether a secret can be guessed; what others issue, such as an SMTP password, is theirs."""
    id_ = "settings.weak"
    found = [n for n, v in secrets.items() if len(v) < _SHORT or len(set(v)) < _FEW]
    if not found:
        return passed(id_, "Every secret is long enough.")
    report = failed if ours.intersection(found) else warned
    seen = f"{_listed(found)} {'is a weak secret' if len(found) == 1 else 'are weak secrets'}."
    return report(id_, seen, f"Set {found[0]} in {file}: openssl rand -hex 32")


def repeated(secrets: Mapping[str, str], file: str) -> Check:
    """Whether one secret opens two doors."""
    id_ = "settings.repeated"
    first: dict[str, str] = {}
    for name, value in secrets.items():
        if value in first:
            seen = f"{first[value]} and {name} are the same."
            return failed(id_, seen, f"Set {name} in {file}: openssl rand -hex 32")
        first[value] = name
    return passed(id_, "No secret is used twice.")


def backups(context: Context) -> list[Check]:
    """Whether backups would get into an image; nothing without any."""
    if not context.stack.kept or context.settings is None:
        return []
    id_, name = "settings.backups", "BACKUP_DIR"
    folder = context.settings.get(name) or "deploy/backups"
    place = Path(os.path.normpath(context.root.resolve() / folder))
    for path in context.stack.build_paths:
        built = context.project.resolve() / path
        if place.is_relative_to(built):
            seen = f"Backups would lie in {path.rstrip('/')}/, which an image is built from."
            return [failed(id_, seen, f"Set {name} in {context.settings_name} to another folder.")]
    return [passed(id_, f"Backups lie in {folder}, which no image is built from.")]


def git_checks(context: Context) -> list[Check]:
    """Whether the file is git's business; nothing without a repository."""
    if not context.in_git:
        return []
    name = context.settings_name
    quoted = shlex.quote(name)
    if context.git("ls-files", "--", name):
        tracked = failed("settings.untracked", f"git tracks {name}.", f"git rm --cached {quoted}")
    elif not context.git("check-ignore", "--no-index", "--", name):
        seen = f"git does not ignore {name}: the next `git add .` takes it."
        tracked = warned("settings.untracked", seen, f"echo {quoted} >> .gitignore")
    else:
        tracked = passed("settings.untracked", f"git ignores {name}.")
    if commits := context.git("log", "--all", "--format=%h", "-1", "--", name):
        history = failed(
            "settings.history",
            f"Commit {commits[0]} holds {name}: its secrets are known.",
            f"Set new secrets; git filter-repo --invert-paths --path {quoted}",
        )
    else:
        history = passed("settings.history", f"No commit holds {name}.")
    return [tracked, history]


def mode(context: Context) -> Check:
    """Whether others on the machine can read the file."""
    id_, name = "settings.mode", context.settings_name
    bits = stat.S_IMODE((context.root / context.settings_path).stat().st_mode)
    if bits & 0o077:
        mend = f"chmod 600 {shlex.quote(name)}"
        return failed(id_, f"{name} has mode {bits:03o}: others can read it.", mend)
    return passed(id_, f"{name} has mode {bits:03o}.")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
