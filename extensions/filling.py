"""Which rule fills a name of an app's: said of each, for a table to be understood and corrected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import addresses
from .model import Address, App, BackingService, Stack

_LISTS = {
    "json": " as a JSON list",
    "comma": ", separated by commas",
    "space": ", separated by spaces",
}


@dataclass(frozen=True)
class Rule:
    """What fills one name.

    Attributes:
        name: The variable.
        app: The app that reads it.
        value: What it gets, for people.
        table: The module that has the table, relative to the top of this package's folder.
    """

    name: str
    app: App
    value: str
    table: str


def rules(stack: Stack) -> Iterator[Rule]:
    """The rules of all names that the stack fills where the user does not, app by app."""
    for app in stack.apps:
        for name, source in app.filled:
            service = next(s for s in stack.backing if source in {to for _, to in s.names})
            table = f"extensions/services/{service.name}.py"
            yield Rule(name, app, _of_service(service, source), table)
        for address in app.addresses:
            yield Rule(address.name, app, _of_address(stack, app, address), _TABLE)
        for address in app.built_addresses:
            owner = stack.apps[0] if address.holds == "api" else app
            value = f"address of {owner.name} for browsers, built in"
            with_path = f", with {address.path}" if address.path else ""
            yield Rule(address.name, app, value + with_path, _TABLE)


_TABLE = f"extensions/{addresses.__name__.rpartition('.')[2]}.py"


def _of_service(service: BackingService, source: str) -> str:
    if source in service.urls:
        return f"URL of {service.title} ({source})"
    position = next(
        (n for n, env in enumerate(service.app_environment) if env.name == source), None
    )
    part = "host" if position == 0 else source.rpartition("_")[2].lower()
    return f"{'database' if part == 'db' else part} of {service.title} ({source})"


def _of_address(stack: Stack, app: App, address: Address) -> str:
    with_path = f", with {address.path}" if address.path else ""
    if address.holds == "api":
        return f"address of {stack.apps[0].name} inside the stack{with_path}"
    whose = "the site" if address.holds == "site" else app.name
    kinds = {"hosts": "host name", "origins": "address"}
    kind = kinds.get(address.kind, "address")
    if address.written in _LISTS:
        kind += "s" if kind == "host name" else "es"
    return f"{kind} of {whose} for browsers{_LISTS.get(address.written, '')}{with_path}"
