"""The catalogue of backing services: one module each, found by being here.

A module has `KIND`, its `ServiceKind`, and `define(facts, project)`: the service's facts and the
project's name -> its `BackingService`. Nothing else has to be edited to add one (see
CONTRIBUTING.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import registry
from ..model import BackingService, Env, ServiceKind, Variable

_MODULES = registry.modules(__name__)
NAMES = tuple(_MODULES)
# What is known of each beforehand, in the order of facts, keys and lists.
KINDS: Mapping[str, ServiceKind] = {
    name: _MODULES[name].KIND
    for name in sorted(NAMES, key=lambda name: (_MODULES[name].KIND.rank, name))
}

# Spinbox's folders of their development files, at a project's top.
FOLDERS = frozenset(kind.folder for kind in KINDS.values())


def define(name: str, facts: Mapping[str, Any], project: str) -> BackingService:
    """The backing service `name` as the project needs it, or as it is reached elsewhere.

    Raises:
        ProjectError: The project needs something that the chosen image does not have.
    """
    service: BackingService = _MODULES[name].define(facts, project)
    return _elsewhere(service) if facts.get("external") else service


def _elsewhere(service: BackingService) -> BackingService:
    """What was known of a service in the stack becomes a setting."""
    known = {variable.name: variable for variable in service.variables}
    environment: list[Env] = []
    variables: list[Variable] = []
    for env in service.app_environment:
        environment.append(Env(env.name, variable=env.variable or env.name))
        if env.variable:
            variable = known[env.variable]
            help_text = f"{variable.help.partition(',')[0].rstrip('.')}."
            required = variable.required and not service.optional_password
            variables.append(replace(variable, help=help_text, generate=None, required=required))
        elif env.value == service.name:
            help_text = f"The host that {service.title} runs on."
            variables.append(Variable(env.name, service.title, help_text, required=True))
        else:
            usual = "Its port." if env.value == str(service.port) else "A part of its address."
            help_text = service.parts.get(env.name, usual)
            variables.append(Variable(env.name, service.title, help_text, env.value))
    for url in service.urls[:1]:
        environment.append(Env(url, variable=url))
        help_text = (
            "A URL that apps use in place of these parts, where more has to be said, as in "
            "?sslmode=require; the parts are needed all the same."
        )
        variables.append(Variable(url, service.title, help_text, secret=True))
    return replace(
        service,
        app_environment=tuple(environment),
        variables=tuple(variables),
        external=True,
    )
