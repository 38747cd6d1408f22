"""What newer releases of libraries no longer have: a list without versions installs those.

Each was tried on Python 3.11 with the newest releases, whose errors the sentences give.
"""

from __future__ import annotations

from typing import NamedTuple


class Removed(NamedTuple):
    """What an app imports that is gone.

    Attributes:
        package: The distribution, in its normal form.
        since: The first release without it.
        instead: What to import in its place.
    """

    package: str
    since: str
    instead: str


class Companion(NamedTuple):
    """Releases of a library that do not work with what pip installs beside them.

    Attributes:
        package: The library, in its normal form.
        begins: Its first release of which that is so.
        mended: Its first release that does; empty for none.
        other: What is installed beside it.
        since: The first release of that with which it fails.
        error: What it says then.
        sign: What the code holds where that matters; empty for any.
    """

    package: str
    begins: str
    mended: str
    other: str
    since: str
    error: str
    sign: str = ""


def _each(module: str, names: str, removed: Removed) -> dict[str, Removed]:
    return {f"{module}.{name}": removed for name in names.split()}


# By the dotted name of what is imported: a module, or what it had.
REMOVED: dict[str, Removed] = {
    "mcp.server.fastmcp": Removed("mcp", "2.0.0", "MCPServer from mcp.server, in place of FastMCP"),
    "pydantic.BaseSettings": Removed(
        "pydantic", "2.0.0", "it from pydantic_settings, of pydantic-settings"
    ),
    **_each("flask", "Markup escape", Removed("flask", "3.0.0", "it from markupsafe")),
    **_each(
        "flask.json",
        "JSONEncoder JSONDecoder",
        Removed("flask", "2.3.0", "DefaultJSONProvider from flask.json.provider"),
    ),
    **_each("jinja2", "Markup escape", Removed("jinja2", "3.1.0", "it from markupsafe")),
    **_each("jinja2", "contextfilter contextfunction", Removed("jinja2", "3.1.0", "pass_context")),
    **_each(
        "werkzeug.urls",
        "url_quote url_quote_plus url_unquote url_encode url_decode url_parse url_join",
        Removed("werkzeug", "3.0.0", "quote and the like from urllib.parse"),
    ),
    "werkzeug.security.safe_str_cmp": Removed("werkzeug", "2.1.0", "compare_digest from hmac"),
    **_each(
        "langchain",
        "callbacks chains document_loaders llms memory prompts schema text_splitter vectorstores",
        Removed("langchain", "1.0.0", "it from langchain_classic, of langchain-classic"),
    ),
}
# Each is written without an upper bound of the other one by its own makers.
COMPANIONS = (
    Companion(
        "passlib", "0", "", "bcrypt", "5.0.0", "password cannot be longer than 72 bytes",
        "CryptContext",
    ),
    Companion(
        "flask", "2.0.0", "2.2.5", "werkzeug", "3.0.0",
        "cannot import name 'url_quote' from 'werkzeug.urls'",
    ),
    Companion(
        "flask", "0", "2.0.0", "markupsafe", "2.1.0",
        "cannot import name 'soft_unicode' from 'markupsafe'",
    ),
    Companion(
        "flask-sqlalchemy", "0", "3.0.0", "sqlalchemy", "2.0.0",
        "module 'sqlalchemy' has no attribute '__all__'",
    ),
    Companion(
        "openai", "1.0.0", "1.55.3", "httpx", "0.28.0",
        "Client.__init__() got an unexpected keyword argument 'proxies'",
    ),
    Companion(
        "anthropic", "0", "0.40.0", "httpx", "0.28.0",
        "Client.__init__() got an unexpected keyword argument 'proxies'",
    ),
)  # fmt: skip
