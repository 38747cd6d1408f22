"""Every environment variable of an app, resolved once: where its value comes from, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .addresses import BACKEND_URL, SITE_URLS
from .model import Address, App, BackingService, Env, Stack, Variable


@dataclass(frozen=True)
class Resolved:
    """One environment variable of an app.

    Attributes:
        name: The variable.
        value: A fixed text; None where something else gives it.
        variable: The setting of the stack that gives it.
        service: The backing service whose address, or a part of it, this is.
        calls: The app whose address this is.
        public: That address is one for browsers.
        address: How it is written, where that is one for browsers.
        own: One of the app's own, which the stack knows the name of alone.
        build: Read while the image is built, and baked into it.
    """

    name: str
    value: str | None = None
    variable: Variable | None = None
    service: BackingService | None = None
    calls: App | None = None
    public: bool = False
    address: Address | None = None
    own: bool = False
    build: bool = False

    @property
    def secret(self) -> bool:
        """Whether it is never to be shown, logged or committed."""
        return self.variable is not None and self.variable.secret

    @property
    def required(self) -> bool:
        """Whether the app does not start without it, and it has no default."""
        return self.variable is not None and self.variable.required


def resolve(stack: Stack, app: App) -> tuple[Resolved, ...]:
    """The variables of an app, in the model's order, each once."""
    found: dict[str, Resolved] = {}
    for env in app.environment:
        found.setdefault(env.name, _of(stack, app, env))
    built = {address.name: address for address in app.built_addresses}
    for env in app.build_arguments:
        address = built.get(env.name)
        beside = stack.calls_api or any(other.routes for other in stack.apps)
        if address and (beside or address.holds != "api"):
            of = stack.apps[0] if address.holds == "api" else app
            found[env.name] = Resolved(env.name, calls=of, public=True, address=address, build=True)
        else:
            resolved = found.get(env.name) or _of(stack, app, env)
            found[env.name] = replace(resolved, build=True)
    for name in app.passed_on:
        found[name] = Resolved(name, own=True)
    return tuple(found.values())


def resolve_env(stack: Stack, env: Env) -> Resolved:
    """A variable of any container: fixed, or given by a setting of the stack."""
    variable = stack.variable(env.variable) if env.variable else None
    return Resolved(env.name, value=env.value if variable is None else None, variable=variable)


def _of(stack: Stack, app: App, env: Env) -> Resolved:
    found = resolve_env(stack, env)
    if env.name == BACKEND_URL:
        return replace(found, calls=stack.apps[0])
    if env.name == SITE_URLS:
        return replace(found, calls=stack.front, public=True)
    used = (stack.service(name) for name in app.backing)
    return replace(found, service=next((s for s in used if env in s.app_environment), None))
