"""What well-known releases took away, by their release notes; a table for each kind of thing."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from .python_source import called_name

# Modules that left Python: since which minor, and what brings them back, the best first.
LEFT_PYTHON: dict[str, tuple[int, tuple[str, ...]]] = {
    "distutils": (12, ("setuptools",)),
    "imp": (12, ()),
    "asyncore": (12, ("pyasyncore",)),
    "asynchat": (12, ("pyasynchat",)),
    "smtpd": (12, ("standard-smtpd",)),
    "cgi": (13, ("legacy-cgi", "standard-cgi")),
    "cgitb": (13, ("legacy-cgi", "standard-cgitb")),
    "crypt": (13, ("legacycrypt", "crypt-r", "standard-crypt")),
    "telnetlib": (13, ("standard-telnetlib", "telnetlib-313-and-up")),
    "pipes": (13, ("standard-pipes",)),
    "imghdr": (13, ("standard-imghdr",)),
    "sndhdr": (13, ("standard-sndhdr",)),
    "audioop": (13, ("audioop-lts",)),
    "aifc": (13, ("standard-aifc",)),
    "chunk": (13, ("standard-chunk",)),
    "nntplib": (13, ("standard-nntplib",)),
    "uu": (13, ("standard-uu",)),
    "xdrlib": (13, ("standard-xdrlib",)),
    "mailcap": (13, ("standard-mailcap",)),
}


class Gone(NamedTuple):
    """What can no longer be imported.

    Attributes:
        module: The module that had it.
        names: The names in it; none for the module itself.
        package: The distribution.
        since: Its first release without them.
        title: The distribution's name, for people.
        mend: What to write in its place.
        by: What brings it along, where the project does not name it.
    """

    module: str
    names: frozenset[str]
    package: str
    since: str
    title: str
    mend: str
    by: str = ""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MARKUP = "Import it from markupsafe."
_LANGCHAIN = "Import it from langchain_community, langchain_core or langchain_classic."
_GONE = (
    Gone("pydantic", _words("BaseSettings"), "pydantic", "2.0", "Pydantic",
         "Add pydantic-settings, and import it from pydantic_settings.", "fastapi"),
    Gone("flask", _words("Markup escape"), "flask", "3.0", "Flask", _MARKUP),
    Gone("flask", _words("_request_ctx_stack _app_ctx_stack"), "flask", "2.3", "Flask",
         "Use flask.g."),
    Gone("flask.json", _words("JSONEncoder JSONDecoder"), "flask", "2.3", "Flask",
         "Take DefaultJSONProvider of flask.json.provider."),
    Gone("flask.ext", frozenset(), "flask", "1.0", "Flask", "Import the extension by its name."),
    Gone("jinja2", _words("Markup escape"), "jinja2", "3.1", "Jinja", _MARKUP, "flask"),
    Gone("jinja2", _words("contextfilter contextfunction environmentfilter evalcontextfilter"),
         "jinja2", "3.1", "Jinja", "Take pass_context or pass_environment.", "flask"),
    Gone("werkzeug", _words("secure_filename generate_password_hash check_password_hash "
                            "cached_property FileStorage"),
         "werkzeug", "1.0", "Werkzeug", "Import it from werkzeug.utils, werkzeug.security or "
         "werkzeug.datastructures.", "flask"),
    Gone("werkzeug.urls", _words("url_quote url_quote_plus url_unquote url_unquote_plus url_parse "
                                 "url_encode url_decode url_join url_fix"),
         "werkzeug", "3.0", "Werkzeug", "Import its like from urllib.parse.", "flask"),
    Gone("werkzeug.wsgi", _words("DispatcherMiddleware SharedDataMiddleware"), "werkzeug", "1.0",
         "Werkzeug", "Import it from werkzeug.middleware.", "flask"),
    Gone("werkzeug.contrib", frozenset(), "werkzeug", "1.0", "Werkzeug",
         "Import it from werkzeug.middleware, or take cachelib.", "flask"),
    Gone("werkzeug.security", _words("safe_str_cmp"), "werkzeug", "2.1", "Werkzeug",
         "Take hmac.compare_digest.", "flask"),
    Gone("mcp.server.fastmcp", frozenset(), "mcp", "2.0", "the SDK of MCP",
         "Import MCPServer from mcp.server."),
    Gone("pkg_resources", frozenset(), "setuptools", "82.0", "setuptools",
         "Take importlib.metadata or importlib.resources."),
    Gone("openai.error", frozenset(), "openai", "1.0", "openai", "Import it from openai itself."),
    Gone("moviepy.editor", frozenset(), "moviepy", "2.0", "MoviePy",
         "Import it from moviepy itself."),
    Gone("telegram.ext", _words("Filters"), "python-telegram-bot", "20.0", "python-telegram-bot",
         "Take filters, in lower case."),
    Gone("telegram", _words("ParseMode ChatAction"), "python-telegram-bot", "20.0",
         "python-telegram-bot", "Import it from telegram.constants."),
    Gone("aiogram.utils", _words("executor"), "aiogram", "3.0", "aiogram",
         "Call Dispatcher.start_polling."),
    *(Gone(f"langchain.{name}", frozenset(), "langchain", "1.0", "LangChain", _LANGCHAIN)
      for name in ("llms", "vectorstores", "document_loaders", "text_splitter", "chains",
                   "prompts", "memory", "schema", "retrievers", "callbacks", "docstore")),
    Gone("langchain.chat_models", _words("ChatOpenAI AzureChatOpenAI ChatAnthropic ChatOllama"),
         "langchain", "1.0", "LangChain", "Import it from langchain_openai or the like."),
    Gone("langchain.embeddings", _words("OpenAIEmbeddings HuggingFaceEmbeddings"),
         "langchain", "1.0", "LangChain", "Import it from langchain_openai or the like."),
)  # fmt: skip
# By the first part of the module.
GONE: dict[str, tuple[Gone, ...]] = {
    top: tuple(one for one in _GONE if one.module.partition(".")[0] == top)
    for top in {one.module.partition(".")[0] for one in _GONE}
}


@dataclass(frozen=True)
class Call:
    """What code does that a release refuses.

    Attributes:
        key: Its name here.
        word: What stands in a module that does it.
        matches: Whether a node of its tree is that.
        package: The distribution.
        since: Its first release that refuses it.
        seen: One sentence.
        mend: What to write; `{main}` is the list of dependencies.
        by: What brings it along, where the project does not name it.
        bounded: That one keeps newer releases out where it is old itself.
        having: Distributions of which the project names one; empty for any.
        unless: Distributions of which it names none.
    """

    key: str
    word: str
    matches: Callable[[ast.AST], bool]
    package: str
    since: str
    seen: str
    mend: str
    by: str = ""
    bounded: bool = True
    having: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


def _starlette(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and called_name(node) == "Starlette"
        and any(k.arg in {"on_startup", "on_shutdown"} for k in node.keywords)
    )


def _template(node: ast.AST) -> bool:
    """A name in the first place, where the request stands today."""
    if not isinstance(node, ast.Call) or called_name(node) != "TemplateResponse":
        return False
    first = node.args[0] if node.args else None
    is_name = isinstance(first, ast.Constant | ast.JoinedStr)
    return is_name and len(node.args) > 1 and isinstance(node.args[1], ast.Dict)


def _bcrypt(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or called_name(node) != "CryptContext":
        return False
    return any(isinstance(n, ast.Constant) and n.value == "bcrypt" for n in ast.walk(node))


def _attribute(node: ast.AST, owner: str, names: frozenset[str]) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in names
        and (not owner or (isinstance(node.value, ast.Name) and node.value.id == owner))
    )


def _bare_address(node: ast.AST) -> bool:
    """An address of PostgreSQL that code makes of its parts, without a driver."""
    if isinstance(node, ast.JoinedStr):
        first, inner = node.values[0] if node.values else None, len(node.values) > 1
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        first, inner = node.left, True
    elif isinstance(node, ast.Call) and called_name(node) == "format":
        first = node.func.value if isinstance(node.func, ast.Attribute) else None
        inner = True
    elif isinstance(node, ast.Call) and called_name(node) in {"create", "build"}:
        given = [*node.args[:1], *(k.value for k in node.keywords if k.arg in _SCHEMES)]
        return any(isinstance(one, ast.Constant) and one.value == "postgresql" for one in given)
    else:
        return False
    text = first.value if isinstance(first, ast.Constant) else None
    return inner and isinstance(text, str) and text.startswith("postgresql://")


_SCHEMES = frozenset({"scheme", "drivername"})
_OPENAI = _words("ChatCompletion Completion Embedding Image Audio Moderation")
CALLS = (
    Call("starlette", "Starlette", _starlette, "starlette", "1.0",
         "Starlette takes on_startup and on_shutdown no longer since 1.0: the app does not start.",
         "Write a lifespan, or starlette<1 into {main}."),
    Call("templates", "TemplateResponse", _template, "starlette", "1.0",
         "since Starlette 1.0, TemplateResponse takes the request first: the page fails.",
         'Write TemplateResponse(request, "NAME", {{…}}), or starlette<1 into {main}.', "fastapi"),
    Call("passlib", "CryptContext", _bcrypt, "bcrypt", "5.0",
         "passlib hashes no password with bcrypt 5.0 or newer: the first one fails.",
         "Write bcrypt<5 into {main}, or take pwdlib in place of passlib.", "passlib",
         bounded=False),
    Call("first-request", "before_first_request",
         lambda node: _attribute(node, "", _words("before_first_request")), "flask", "2.3",
         "Flask has no before_first_request since 2.3: the app does not start.",
         "Do it where the app is made, in app.app_context(), or write flask<2.3 into {main}."),
    Call("driver", "postgresql", _bare_address, "sqlalchemy", "2.1",
         "this address names no driver, and SQLAlchemy takes psycopg for it since 2.1, where the "
         "project has psycopg2: the app does not start.",
         "Write postgresql+psycopg2 there, or sqlalchemy<2.1 into {main}.", "flask-sqlalchemy",
         having=("psycopg2", "psycopg2-binary"), unless=("psycopg",)),
    Call("openai", "openai", lambda node: _attribute(node, "openai", _OPENAI), "openai", "1.0",
         "openai has no such classes since 1.0: the request fails.",
         "Take openai.OpenAI(), or write openai<1 into {main}."),
)  # fmt: skip


class Pair(NamedTuple):
    """A release that does not work with another, newer one.

    Attributes:
        package: The distribution that is pinned.
        before: Its first release that works again; empty for none.
        partner: The other distribution, or `python`.
        partner_since: The first release of that it does not work with.
        fails: What is seen, with a full stop.
        mend: What to write into the list.
        certain: The app does not start.
        since: The first release of the pinned one that fails.
    """

    package: str
    before: str
    partner: str
    partner_since: str
    fails: str
    mend: str
    certain: bool = True
    since: str = ""


PAIRS = (
    Pair("flask", "2.0", "jinja2", "3.1",
         "cannot import name 'escape' from 'jinja2', or 'soft_unicode' from 'markupsafe'.",
         "flask>=2.3, or jinja2<3.1, markupsafe<2.1, itsdangerous<2.1 and werkzeug<2.1"),
    Pair("flask", "2.2.5", "werkzeug", "3.0",
         "cannot import name 'url_quote' from 'werkzeug.urls'.", "werkzeug<3", since="2.0"),
    Pair("flask-sqlalchemy", "3.0", "sqlalchemy", "2.0",
         "its import fails.", "flask-sqlalchemy>=3.1, or sqlalchemy<2 and flask<2.3"),
    Pair("openai", "1.55.3", "httpx", "0.28",
         "Client.__init__() got an unexpected keyword argument 'proxies'.", "httpx<0.28",
         since="1.0"),
    Pair("anthropic", "0.40.0", "httpx", "0.28",
         "Client.__init__() got an unexpected keyword argument 'proxies'.", "httpx<0.28"),
    Pair("sqlalchemy", "2.0.31", "python", "3.13",
         "SQLCoreOperations directly inherits TypingOnly but has additional attributes.",
         "sqlalchemy>=2.0.31", since="2.0"),
    Pair("pydantic", "1.10.17", "python", "3.13",
         "ForwardRef._evaluate() missing an argument.", "pydantic>=1.10.24", certain=False),
    Pair("pydantic", "2.12", "python", "3.14",
         "pydantic-core has no package for it, and is built with Rust.", "pydantic>=2.12",
         since="2.0"),
    Pair("pydantic", "2.8", "python", "3.13",
         "pydantic-core has no package for it, and is built with Rust.", "pydantic>=2.8",
         since="2.0"),
    Pair("aioredis", "", "python", "3.11",
         "its import fails, by distutils or a duplicate base class.",
         "redis, whose redis.asyncio is the same,"),
    Pair("pyyaml", "6.0", "cython", "3.0",
         "its build fails with 'cython_sources'.", "pyyaml>=6.0.2", since="5.4"),
    Pair("pyyaml", "6.0.1", "python", "3.12",
         "it has no package for it, and its build fails with 'cython_sources'.", "pyyaml>=6.0.2",
         since="5.4"),
    Pair("pydub", "", "python", "3.13", "No module named 'pyaudioop'.", "audioop-lts, too,",
         certain=False),
    Pair("discord-py", "2.4", "python", "3.13", "No module named 'audioop'.",
         "discord.py>=2.5"),
    Pair("flask-script", "", "flask", "2.0", "No module named 'flask._compat'.",
         "flask's own commands (flask.cli) in its place, or flask<2"),
    Pair("flask-restplus", "", "werkzeug", "1.0",
         "cannot import name 'cached_property' from 'werkzeug'.", "flask-restx in its place"),
    Pair("flask-uploads", "", "werkzeug", "1.0",
         "cannot import name 'secure_filename' from 'werkzeug'.", "flask-reuploaded in its place"),
)  # fmt: skip
# What makes a pair work nevertheless, where it is named.
SAVED_BY = {"pydub": "audioop-lts", "discord-py": "audioop-lts"}

# Distributions with compiled parts that no interpreter's release can do without: the first release
# with a wheel for Linux on PyPI, by the minor version of Python.
WHEELS: dict[str, dict[int, str]] = {
    "numpy": {11: "1.23.2", 12: "1.26.0", 13: "2.1.0", 14: "2.3.2"},
    "pandas": {11: "1.5.0", 12: "2.1.1", 13: "2.2.3", 14: "2.3.3"},
    "scipy": {11: "1.9.2", 12: "1.11.2", 13: "1.14.1", 14: "1.16.1"},
    "scikit-learn": {11: "1.1.3", 12: "1.3.1", 13: "1.5.2", 14: "1.7.2"},
    "matplotlib": {11: "3.6.0", 12: "3.7.3", 13: "3.9.2", 14: "3.10.5"},
    "pillow": {11: "9.2.0", 12: "10.0.0", 13: "10.4.0", 14: "11.3.0"},
    "lxml": {11: "4.9.1", 12: "4.9.3", 13: "5.3.0", 14: "6.0.1"},
    "psycopg2-binary": {11: "2.9.5", 12: "2.9.9", 13: "2.9.10", 14: "2.9.11"},
    "psycopg-binary": {11: "3.1.4", 12: "3.1.12", 13: "3.2.2", 14: "3.2.10"},
    "asyncpg": {11: "0.27.0", 12: "0.29.0", 13: "0.30.0", 14: "0.31.0"},
    "greenlet": {11: "1.1.3", 12: "3.0.0", 13: "3.1.0", 14: "3.2.3"},
    "uvloop": {11: "0.17.0", 12: "0.18.0", 13: "0.21.0", 14: "0.22.1"},
    # Of what has packages without compiled parts in its first releases, by their notes.
    "aiohttp": {11: "3.8.3", 12: "3.9.0", 13: "3.10.5"},
}
