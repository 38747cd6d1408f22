"""Names of the site's addresses, and of the other app's: what apps call them, and what they hold.

`TABLE` has them all. Which of them an app's code reads, and in which form, is a fact; what fills
them is decided for its stack.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from . import env_example, name_prefixes, value_forms
from .container import INNER_HOST, INNER_PORT
from .environment_reads import Read
from .model import Address, App, Variable
from .origins import Found, and_more
from .tree import Tree

FIELD = "addresses"
GROUP = "Addresses"
# What containers are told: where browsers find the site, and where they find the app itself where
# that is another address. The entrypoint fills all names from them.
SITE_URLS = "SITE_URLS"
OWN_URL = "OWN_URL"
BACKEND_URL = "BACKEND_URL"
# Where pages of Next.js find the API: asked for where nothing tells it.
PUBLIC_API_URL = "NEXT_PUBLIC_API_URL"


@dataclass(frozen=True)
class Row:
    """Names that are filled from one address.

    Attributes:
        names: A pattern of whole names.
        holds: `site`, where browsers find the pages; `own`, where they find this very app; `api`,
            where another app of the stack finds its API.
        form: `url`, one address; `origins` or `hosts`, a list of them.
    """

    names: str
    holds: str
    form: str


_URL = r"(?:URL|URI|ADDRESS|ENDPOINT)"
_FRONT = r"(?:FRONTEND|FRONT_END|FRONT|CLIENT|WEB_?APP|UI)"
_API = r"(?:API|BACKEND|BACK_END|SERVER)"
TABLE: tuple[Row, ...] = (
    # Django, Flask, TrustedHostMiddleware: the names under which the app answers.
    Row(r"(?:DJANGO_)?ALLOWED_HOSTS?|TRUSTED_HOSTS?", "own", "hosts"),
    # Django, Better Auth: from where forms may come.
    Row(r"(?:DJANGO_|BETTER_AUTH_)?(?:CSRF_)?TRUSTED_ORIGINS?", "own", "origins"),
    # Who may call the API from a page.
    Row(
        rf"(?:BACKEND_|API_|APP_|SERVER_|DJANGO_|HTTP_)?CORS_(?:(?:ALLOW|ALLOWED|ORIGIN)_)?"
        rf"(?:ORIGINS?|URLS?|WHITELIST|HOSTS)|(?:ALLOW|ALLOWED)_ORIGINS?|{_FRONT}_ORIGINS?|ORIGINS?",
        "site",
        "origins",
    ),
    # Where login and sessions find themselves (authjs.dev, better-auth.com).
    Row(r"NEXTAUTH_URL|AUTH_URL|BETTER_AUTH_(?:BASE_)?URL", "own", "url"),
    Row(
        rf"{_FRONT}_(?:(?:BASE|PUBLIC|APP)_)?{_URL}|FRONTEND_HOST|FRONTEND_DOMAIN_URL",
        "site",
        "url",
    ),
    Row(
        r"(?:SITE|WEB|WEBSITE)_(?:(?:BASE|PUBLIC)_)?URL|APP_(?:(?:BASE|PUBLIC)_)?URL",
        "site",
        "url",
    ),
    Row(
        r"(?:BASE|PUBLIC|ROOT|EXTERNAL|HOST|PUBLIC_BASE|PUBLIC_APP|PUBLIC_SITE)_URL",
        "own",
        "url",
    ),
    # Called by a server: inside the stack, where another app is the API.
    Row(
        rf"(?:INTERNAL_|PRIVATE_|SSR_)?{_API}_(?:(?:BASE|INTERNAL|PRIVATE|SERVER|ROOT|API|SERVICE)_)*"
        rf"{_URL}|(?:FASTAPI|PYTHON_API|DJANGO|FLASK)_(?:BASE_)?URL",
        "api",
        "url",
    ),
)
# What frameworks put before the names of settings that browsers see.
_PUBLIC = re.compile(
    r"(?:NEXT_PUBLIC|NUXT_PUBLIC|VITE|REACT_APP|VUE_APP|GATSBY|EXPO_PUBLIC"
    r"|PUBLIC(?!_(?:BASE_|APP_|SITE_)?URL$))_(?P<rest>.+)"
)
# The same names after such a word: browsers call the API by its public address.
PUBLIC_TABLE: tuple[Row, ...] = (
    Row(
        rf"(?:REST_|BASE_|APP_)?{_API}(?:_(?:BASE|SERVER|ROOT|API|PUBLIC|APP))*"
        rf"(?:_(?:{_URL[3:-1]}|ORIGIN|HOST))?|(?:FASTAPI|DJANGO|FLASK)_(?:BASE_)?URL|AXIOS_BASE_?URL",
        "api",
        "url",
    ),
    Row(
        r"(?:WS|WEBSOCKET|WEB_SOCKET|SOCKET|SOCKET_IO|SOCKETIO)(?:_(?:BASE|API|SERVER))*"
        rf"_(?:{_URL[3:-1]}|HOST)",
        "api",
        "url",
    ),
    Row(
        rf"(?:SITE|APP|WEB|WEBSITE|BASE|PUBLIC|ROOT|HOST|{_FRONT[3:-1]})_(?:(?:BASE|PUBLIC)_)?"
        r"(?:URL|URI|ORIGIN)|URL|ORIGIN",
        "site",
        "url",
    ),
)
# Hosts of a developer's machine, and what development calls its containers.
_LOCAL = re.compile(
    r"localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[?::1\]?|host\.docker\.internal|(?:.*\.)?localhost"
    r"|app|api|backend|back|server|web|django|flask|fastapi|frontend|front|client|ui|nginx|proxy"
    r"|nextjs|node|testserver"
)
# What stands for the owner's own host.
_PLACEHOLDER = re.compile(
    r"(?:.*\.)?example\.(?:com|org|net)|(?:.*[.-])?(?:your|my)[\w-]*\..*|.*[<>{}$].*|(?:.*\.)?"
    r"(?:domain|mydomain|yourdomain)\.(?:com|org|net|tld)"
)
_ADDRESS = re.compile(r"(?:https?|wss?)://[^\s\"'`,;\])}]+")


def row_of(name: str, prefixes: Collection[str] = ()) -> Row | None:
    """The row of a name, or of what follows one of the prefixes; None where there is none."""
    if found := _row(name):
        return found
    prefix = name_prefixes.of(name, prefixes)
    return _row(name.removeprefix(prefix)) if prefix and not is_public(name) else None


def _row(name: str) -> Row | None:
    public = _PUBLIC.fullmatch(name)
    rest, table = (public["rest"], PUBLIC_TABLE) if public else (name, TABLE)
    return next((row for row in table if re.fullmatch(row.names, rest)), None)


def is_public(name: str) -> bool:
    """Whether browsers see a variable, by the word that frameworks put before it."""
    return _PUBLIC.fullmatch(name) is not None


def read(
    tree: Tree,
    folder: str,
    names: Collection[str],
    reads: Sequence[Read],
    known: Collection[str] = (),
) -> Found[list[str]]:
    """Those of an app's names that can be filled, each as `NAME=FORM`.

    A name whose own default holds in production, as an address elsewhere or `*` does, is none.

    Args:
        tree: The project's files.
        folder: The app's.
        names: Its variables.
        reads: Where its code reads any.
        known: The prefix of its settings class.
    """
    places: dict[str, list[Read]] = {}
    for one in reads:
        places.setdefault(one.name, []).append(one)
    examples = _examples(tree, folder)
    committed = _committed(tree, folder)
    prefixes = name_prefixes.shared(names, known)
    found = {}
    for name in names:
        row = row_of(name, prefixes)
        if row is None or name in committed:
            continue
        form = _form(tree, name, row, places.get(name, ()), examples.get(name))
        if form is not None:
            found[name] = form
    if not found:
        return Found([], "no variable is an address of the site or of another app")
    first = next(iter(found))
    place = next(iter(places.get(first, ())), None)
    return Found(
        [f"{name}={form}" for name, form in found.items()],
        f"{first}{and_more(list(found))} can be filled from the stack's addresses",
        place.path if place else None,
        place.line if place else None,
    )


def _committed(tree: Tree, folder: str) -> set[str]:
    """Names that have a value in what a build of Next.js, Vite and others reads."""
    path = tree.first(folder, ".env.production")
    return {line.name for line in env_example.lines(tree.read(path))} if path else set()


def _examples(tree: Tree, folder: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for place in dict.fromkeys((folder, ".")):
        for _, line in env_example.read(tree, place):
            found.setdefault(line.name, line.value)
    return found


def _form(
    tree: Tree, name: str, row: Row, places: Sequence[Read], example: str | None
) -> str | None:
    """How the value is written, and for an address the path in it; None for what is not filled."""
    texts = [value_forms.statement(tree, one) for one in places]
    defaults = [one.default for one in places if one.default is not None]
    given = [*defaults, *texts] if row.form != "hosts" else defaults
    values = [*given, *([example] if example else [])]
    hosts = [host for text in values for host in _hosts(text, row.form)]
    if any(not _LOCAL.fullmatch(h) and not _PLACEHOLDER.fullmatch(h) for h in hosts):
        return None
    if "*" in {part.strip(" \"'[]") for text in defaults for part in text.split(",")}:
        return None
    if any(re.search(r"""["']\*["']""", text) for text in texts):
        return None
    if row.form == "url":
        if any(text and not _ADDRESS.match(text) for text in defaults):
            return None
        # An empty default is an address of its own: the same host.
        if row.holds != "own" and "" in defaults and not any(defaults):
            return None
        address = next((match[0] for text in values if (match := _ADDRESS.match(text))), "")
        kind = _kind(address)
        socket = re.search(r"_(?:WS|WEBSOCKET|WEB_SOCKET)_", name) and not address
        return kind.replace("url", "ws", 1) if socket else kind
    written = value_forms.form(tree, places, example or "")
    return f"{row.form}-{written}"


def _kind(address: str) -> str:
    """`url` or `ws`, with the path of an address that holds in development."""
    parts = urlsplit(address)
    path = parts.path if re.fullmatch(r"[\w./~-]*", parts.path) else ""
    return ("ws" if parts.scheme.startswith("ws") else "url") + path


def _hosts(text: str, form: str) -> Iterator[str]:
    for match in _ADDRESS.finditer(text):
        yield (re.sub(r"^\w+://(?:[^@/]*@)?", "", match[0]).partition("/")[0]).partition(":")[0]
    if form == "hosts" and "://" not in text:
        for part in re.split(r"[\s,\"'\[\]()]+", text):
            if part and part != "*":
                yield part.partition(":")[0].lstrip(".") or part


def fill(
    facts: Mapping[str, Any],
    excused: Collection[str],
    *,
    serves: bool,
    fronted: bool,
    calls: bool,
    alone: bool,
    together: bool,
) -> tuple[Address, ...]:
    """The app's names that are filled in its stack.

    Args:
        facts: The app's.
        excused: Names that something else gives, or that the user fills.
        serves: Browsers reach an app of the stack.
        fronted: Pages of the stack are where browsers begin.
        calls: Another app of the stack is an API, which this one can call.
        alone: There is no other app.
        together: All apps have the site's address, as behind the proxy.
    """
    required = set(facts.get("required") or ())
    wanted = required.union(facts.get("variables") or ())
    prefixes = name_prefixes.shared(wanted, facts.get(name_prefixes.FIELD) or ())
    made = []
    for entry in facts.get(FIELD) or ():
        name, _, form = entry.partition("=")
        row = row_of(name, prefixes)
        if row is None or name in excused or name not in wanted or not serves:
            continue
        holds = row.holds
        if holds == "api" and is_public(name):
            holds = "site" if calls and together else ""
        elif holds == "api" and not calls:
            # Its own address, if development's has it on this machine.
            holds = "own" if alone and name not in required else ""
        own_pages = re.fullmatch(r"(?:SITE|WEB|WEBSITE|APP)_.*", name)
        if holds == "site" and not fronted:
            holds = "own" if own_pages else ""
        if holds:
            kind, _, path = form.partition("/")
            path = f"/{path}".rstrip("/") if path else ""
            made.append(Address(name, holds, kind, path, name in required))
    return tuple(made)


def built_in(facts: Mapping[str, Any], names: Sequence[str], *, calls: bool) -> tuple[Address, ...]:
    """Those of the names that are built into an app's image, for browsers, that can be filled.

    Args:
        facts: The app's.
        names: The arguments of its image's build.
        calls: Another app of the stack is an API, which its pages can call.
    """
    excused = {*(facts.get("optional") or ()), *(facts.get("ignored") or ())}
    known = dict(entry.split("=", 1) for entry in facts.get(FIELD) or ())
    made = []
    for name in names:
        row = row_of(name) if is_public(name) else None
        form = known.get(name, "url" if name == PUBLIC_API_URL else "")
        if row is None or not form or name in excused:
            continue
        if row.holds == "site" or calls or name == PUBLIC_API_URL:
            kind, _, path = form.partition("/")
            path = f"/{path}".rstrip("/") if path else ""
            made.append(Address(name, row.holds, kind, path))
    return tuple(made)


def for_browsers(address: Address, group: str, with_proxy: bool) -> Variable:
    """The variable of an address of the API that is built into what browsers load.

    Args:
        address: The address.
        group: The heading it stands under.
        with_proxy: The stack's own proxy serves the API under the site's domain.
    """
    if with_proxy:
        end = f", followed by {address.path}" if address.path else ""
        help_text = (
            f"The address that browsers call; by default {address.scheme}:// and DOMAIN{end}."
        )
        return Variable(address.name, group, help_text, build=True)
    example = f"{address.scheme}://example.com{address.path}"
    help_text = f"The address under which browsers reach the API, as in {example}"
    return Variable(address.name, group, help_text, required=True, build=True)


SETTING = Variable(
    SITE_URLS, GROUP, "Where browsers find the site: https:// and its domain; others after commas."
)


def backend(api: App, *, with_proxy: bool) -> Variable:
    """`BACKEND_URL`, where another app of the stack finds the API."""
    where = f"{INNER_HOST}:{INNER_PORT}" if with_proxy else f"{api.name}:{api.port}"
    help_text = "Where the other app finds the API inside the stack."
    return Variable(BACKEND_URL, GROUP, help_text, f"http://{where}")


def stand_in(address: Address) -> str:
    """A value in the right form, of this machine."""
    if address.kind == "hosts":
        value = "localhost"
    else:
        value = f"{'ws' if address.kind == 'ws' else 'http'}://localhost{address.path}"
    return f'["{value}"]' if address.written == value_forms.JSON else value


def settled(given: Sequence[tuple[Address, ...]]) -> list[tuple[Address, ...]]:
    """The addresses of each app, without those whose name another app before it uses otherwise.

    All images have the same entrypoint, which fills a name in one way.
    """
    known: dict[str, Address] = {}
    kept = []
    for addresses in given:
        kept.append(
            tuple(
                one
                for one in addresses
                if replace(known.setdefault(one.name, one), required=one.required) == one
            )
        )
    return kept
