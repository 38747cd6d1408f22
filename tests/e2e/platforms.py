"""What Fly.io, Railway and Render would pass to the services of a generated project.

Each platform's own rules for variables, applied to its generated files: names are on a network of
Docker's what they are in the platform's, passwords hold what its databases may make up.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import shutil
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from tests.e2e.stacks import run
from tests.lint.tools import CONFIGURATION, TOOLS

APP = "e2e-platforms"
PASSWORD = "p@ss:w/o?r#d%41&="
Environment = dict[str, str]


class Platform(ABC):
    """One of them, with the project's files in `folder`.

    Attributes:
        name: As in `--target`.
        hosts: Names in the private network: of PostgreSQL, of Redis, of the backend.
        login: User and database of PostgreSQL.
        superuser: Whether that user may create any extension.
        redis_password: Redis asks for one.
        public: The frontend's public address.
    """

    name: str
    hosts: tuple[str, str, str]
    login: tuple[str, str]
    superuser = False
    redis_password = True
    public: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def environment(self, unit: str) -> Environment:
        """What the platform passes to the container of an app, or of the worker."""

    @abstractmethod
    def dockerfile(self, unit: str) -> str:
        """What it builds the image of an app from."""

    @abstractmethod
    def build_arguments(self, unit: str) -> Environment:
        """What it passes to the build of an image."""

    @abstractmethod
    def migration(self) -> str:
        """The command that brings the schema up to date."""

    @abstractmethod
    def start(self, unit: str) -> str | None:
        """The command of a container; None for the image's own."""

    def arguments_of(self, dockerfile: str, variables: Mapping[str, str]) -> Environment:
        """Those of the variables that a Dockerfile asks for."""
        text = (self.folder / dockerfile).read_text()
        wanted = re.findall(r"^ARG (\w+)", text, re.MULTILINE)
        return {name: variables[name] for name in wanted if name in variables}


class Fly(Platform):
    """Fly.io: `[env]`, secrets with URLs, `[processes]`; release commands keep the entrypoint."""

    name = "fly"
    hosts = ("pgbouncer.e2e.flympg.net", "fly-e2e.upstash.io", f"{APP}.flycast")
    login = ("fly-user", "fly-db")
    public = f"https://{APP}-frontend.fly.dev"
    _secret = secrets.token_hex(32)

    def _file(self, unit: str) -> dict[str, Any]:
        name = "fly.frontend.toml" if unit == "frontend" else "fly.toml"
        return tomllib.loads((self.folder / name).read_text())

    def environment(self, unit: str) -> Environment:
        postgres, redis, _ = self.hosts
        found: Environment = {"FLY_APP_NAME": APP, "PRIMARY_REGION": "iad"}
        found |= self._file(unit)["env"]
        if unit != "frontend":
            user, database = self.login
            password = quote(PASSWORD, safe="")
            found["DATABASE_URL"] = f"postgres://{user}:{password}@{postgres}/{database}"
            found["REDIS_URL"] = f"redis://default:{password}@{redis}:6379"
            found["SECRET_KEY"] = self._secret
        return found

    def dockerfile(self, unit: str) -> str:
        found: str = self._file(unit)["build"]["dockerfile"]
        return found

    def build_arguments(self, unit: str) -> Environment:
        found: Environment = self._file(unit)["build"].get("args", {})
        return found

    def migration(self) -> str:
        return f"entrypoint {self._file('app')['deploy']['release_command']}"

    def start(self, unit: str) -> str | None:
        command = self._file(unit).get("processes", {}).get(unit)
        return f"entrypoint {command}" if command else None


class Railway(Platform):
    """Railway: references between services; its own package evaluates the file."""

    name = "railway"
    hosts = ("postgres.railway.internal", "redis.railway.internal", "app.railway.internal")
    login = ("app", "e2e_platforms")
    superuser = True
    public = "https://frontend-production.up.railway.app"
    _secret = secrets.token_hex(32)

    @cached_property
    def _resources(self) -> dict[str, dict[str, Any]]:
        source = self.folder / ".railway"
        modules = source / "node_modules"
        if not modules.exists():
            modules.symlink_to(TOOLS.parent / "railway/node_modules")
        shutil.copy(CONFIGURATION / "railway.mjs", source)
        said = run(
            TOOLS / "node",
            "--experimental-strip-types",
            "--disable-warning=ExperimentalWarning",
            source / "railway.mjs",
            source / "railway.ts",
        )
        (graph,) = json.loads(said).values()
        assert graph["errors"] == []
        return {resource["name"]: resource for resource in graph["resources"]}

    def _value(self, service: str, output: str) -> str:
        postgres, redis, _ = self.hosts
        made = {
            ("postgres", "RAILWAY_PRIVATE_DOMAIN"): postgres,
            ("postgres", "POSTGRES_PASSWORD"): PASSWORD,
            ("redis", "REDISHOST"): redis,
            ("redis", "REDISPORT"): "6379",
            ("redis", "REDISPASSWORD"): PASSWORD,
            ("app", "SECRET_KEY"): self._secret,
        }
        if (service, output) in made:
            return made[service, output]
        if output in {"RAILWAY_PRIVATE_DOMAIN", "RAILWAY_PUBLIC_DOMAIN"}:
            zone = "railway.internal" if "PRIVATE" in output else "up.railway.app"
            return f"{service}{'' if 'PRIVATE' in output else '-production'}.{zone}"
        value: str = self._resources[service]["variables"][output]["value"]
        return value

    def environment(self, unit: str) -> Environment:
        found: Environment = {"RAILWAY_SERVICE_NAME": unit}
        for name, variable in self._resources[unit]["variables"].items():
            if variable["type"] == "literal":
                found[name] = re.sub(
                    r"\$\{\{(\w+)\.(\w+)\}\}", lambda m: self._value(m[1], m[2]), variable["value"]
                )
            elif variable["type"] == "reference":
                service = variable["resource"].partition(".")[2]
                found[name] = self._value(service, variable["output"])
            elif (unit, name) == ("app", "SECRET_KEY"):
                found[name] = self._secret
        return found

    def dockerfile(self, unit: str) -> str:
        found: str = self._resources[unit]["build"]["dockerfilePath"]
        return found

    def build_arguments(self, unit: str) -> Environment:
        return self.arguments_of(self.dockerfile(unit), self.environment(unit))

    def migration(self) -> str:
        (command,) = self._resources["app"]["deploy"]["preDeployCommand"]
        found: str = command
        return found

    def start(self, unit: str) -> str | None:
        command: str | None = self._resources[unit]["deploy"].get("startCommand")
        return command


class Render(Platform):
    """Render: parts of the database, host:port, made-up secrets, PORT 10000."""

    name = "render"
    hosts = ("dpg-e2e-a", "red-e2e", APP)
    login = ("app", "e2e_platforms_x1y2")
    redis_password = False
    public = f"https://{APP}-frontend.onrender.com"
    _secret = base64.b64encode(os.urandom(32)).decode()

    @cached_property
    def _services(self) -> dict[str, dict[str, Any]]:
        document = yaml.safe_load((self.folder / "render.yaml").read_text())
        return {service["name"]: service for service in document["services"]}

    def _service(self, unit: str) -> dict[str, Any]:
        return self._services[APP if unit == "app" else f"{APP}-{unit}"]

    def environment(self, unit: str) -> Environment:
        found: Environment = {"RENDER": "true"}
        if self._service(unit)["type"] == "web":
            found["PORT"] = "10000"
        for one in self._service(unit)["envVars"]:
            found[one["key"]] = self._value(one)
        return found

    def _value(self, one: Mapping[str, Any]) -> str:
        postgres, redis, backend = self.hosts
        user, database = self.login
        if "value" in one:
            return str(one["value"])
        if one.get("generateValue"):
            return self._secret
        if source := one.get("fromDatabase"):
            parts = {"host": postgres, "port": "5432", "user": user, "database": database}
            return {**parts, "password": PASSWORD}[source["property"]]
        source = one["fromService"]
        if source.get("envVarKey") == "RENDER_EXTERNAL_URL":
            return f"https://{source['name']}.onrender.com"
        if "envVarKey" in source:
            others = self._services[source["name"]]["envVars"]
            return self._value(next(o for o in others if o["key"] == source["envVarKey"]))
        found = {
            (f"{APP}-redis", "connectionString"): f"redis://{redis}:6379",
            (APP, "hostport"): f"{backend}:10000",
        }
        return found[source["name"], source["property"]]

    def dockerfile(self, unit: str) -> str:
        found: str = self._service(unit)["dockerfilePath"]
        return found

    def build_arguments(self, unit: str) -> Environment:
        return self.arguments_of(self.dockerfile(unit), self.environment(unit))

    def migration(self) -> str:
        command: str = self._service("app")["preDeployCommand"]
        return command

    def start(self, unit: str) -> str | None:
        command: str | None = self._service(unit).get("dockerCommand")
        return command


PLATFORMS: dict[str, type[Platform]] = {"fly": Fly, "railway": Railway, "render": Render}
