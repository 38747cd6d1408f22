"""Services of the development's Compose files that production does not have."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from .. import compose_files
from ..compose_files import Service, with_defaults
from ..finding import Finding, where
from ..image_reference import ImageReference
from ..services import KINDS
from ..subject import Subject

IDS = {"start.services": "Production has what the development's Compose files have"}

# By the end of an image's name. What the catalogue has, in images of others:
_CATALOGUE = {image.rpartition("/")[2]: kind for kind, k in KINDS.items() for image in k.images} | {
    "postgresql": "postgres",
    "postgis": "postgres",
    "timescaledb": "postgres",
    "timescaledb-ha": "postgres",
    "redis-stack": "redis",
    "redis-stack-server": "redis",
    "valkey": "redis",
    "keydb": "redis",
    "mongodb": "mongodb",
    "mongodb-community-server": "mongodb",
}
_TITLES = {
    "apache-kafka": "Kafka", "arangodb": "ArangoDB", "cassandra": "Cassandra",
    "clickhouse": "ClickHouse", "clickhouse-server": "ClickHouse", "consul": "Consul",
    "couchdb": "CouchDB", "cp-kafka": "Kafka", "elasticsearch": "Elasticsearch", "emqx": "EMQX",
    "etcd": "etcd", "influxdb": "InfluxDB", "kafka": "Kafka", "keycloak": "Keycloak",
    "localstack": "LocalStack", "mariadb": "MariaDB", "meilisearch": "Meilisearch",
    "memcached": "Memcached", "milvus": "Milvus", "minio": "MinIO", "mosquitto": "Mosquitto",
    "mysql": "MySQL", "mysql-server": "MySQL", "nats": "NATS", "neo4j": "Neo4j",
    "ollama": "Ollama", "opensearch": "OpenSearch", "percona": "MySQL", "qdrant": "Qdrant",
    "mssql/server": "SQL Server", "rabbitmq": "RabbitMQ", "redpanda": "Redpanda",
    "scylla": "ScyllaDB", "solr": "Solr", "typesense": "Typesense", "vault": "Vault",
    "weaviate": "Weaviate", "zookeeper": "ZooKeeper",
}  # fmt: skip
# What only development has: mail catchers, consoles, and what this stack does by itself. Images of
# languages run the apps.
_DEVELOPMENT = re.compile(
    r"mail(hog|pit|catcher|dev|slurper)|smtp4dev|inbucket|greenmail|fake-?smtp.*"
    r"|pgadmin4?|adminer(evo)?|phpmyadmin|mongo-express|redis-?commander|redis-?insight|pgweb"
    r"|rediscommander|kafka-ui|kafdrop|akhq|kowl|cmak|elasticsearch-head|kibana"
    r"|opensearch-dashboards|flower|dozzle|portainer(-ce)?|watchtower|swagger-(ui|editor)"
    r"|cloudbeaver|sqlpad|mc|browserless|chrome|selenium.*|standalone-(chrome|firefox|chromium)"
    r"|traefik|nginx.*|caddy|httpd|haproxy|certbot|ngrok|cloudflared"
    r"|python|node|bun|deno|uv|alpine|busybox|debian|ubuntu|hello-world|wait-for-it|dockerize"
    r"|migrate|flyway|liquibase"
)
_FOR_TESTS = re.compile(r"(^|[-_.])(tests?|testing|e2e|ci)([-_.]|$)", re.IGNORECASE)


def find(subject: Subject) -> Iterator[Finding]:
    """What is not taken, in the order of the files; each a guess, as apps may go without it."""
    services = [
        service
        for service in compose_files.read_all(subject.tree)
        if not _FOR_TESTS.search(service.name) and not _FOR_TESTS.search(service.path)
    ]
    had: dict[str, Service] = {}
    for service in services:
        kind = _kind(service)
        if kind is not None and kind not in had:
            had[kind] = service
            if kind not in subject.facts and kind not in subject.overrides:
                yield _left_out(service, kind)
        elif kind is not None:
            yield _second(service, kind, had[kind], services)
        elif service.image and (title := _title(service.image)):
            yield _unknown(service, title, services)
        elif service.build and not _is_built(subject, service.build):
            yield _other_app(subject, service, service.build)


def _kind(service: Service) -> str | None:
    """The kind of the catalogue that a service is of."""
    if service.image:
        return _CATALOGUE.get(_last(service.image))
    # An image of one's own, made of one of these.
    return service.name if service.name in KINDS and service.build else None


def _last(image: str) -> str:
    """The last part of an image's name, in lower case."""
    return ImageReference.parse(with_defaults(image)).path.rpartition("/")[2].lower()


def _title(image: str) -> str | None:
    """What a service outside the catalogue is called; None for what only development has."""
    last = _last(image)
    if not last or _DEVELOPMENT.fullmatch(last):
        return None
    name = with_defaults(image)
    path = f"/{ImageReference.parse(name).path}"
    ends = (title for end, title in _TITLES.items() if path.endswith(f"/{end}"))
    return next(ends, name)


def _left_out(service: Service, kind: str) -> Finding:
    title = KINDS[kind].title
    at = where(service.path, service.line)
    seen = (
        f"{title} is in {at} (service {service.name}), but not in production: "
        f"{KINDS[kind].flag} is not switched on in .config/project.conf."
    )
    mend = f"Take it with --set {kind}=on, or with --set {kind}=off leave it out for good."
    return _finding(service, seen, mend)


def _second(service: Service, kind: str, first: Service, services: list[Service]) -> Finding:
    title = KINDS[kind].title
    at = where(service.path, service.line)
    seen = f"A second {title}, service {service.name} of {at}, is not in production."
    return _finding(
        service,
        seen,
        f"Use {first.name} for both, or run it elsewhere and set {_address(service, services)}.",
    )


def _unknown(service: Service, title: str, services: list[Service]) -> Finding:
    at = where(service.path, service.line)
    seen = f"{title}, service {service.name} of {at}, is not in production."
    if title == "LocalStack":
        return _finding(service, seen, f"Use AWS itself, and set {_address(service, services)}.")
    mend = f"If the apps need it, run it elsewhere and set {_address(service, services)}."
    return _finding(service, seen, mend)


def _other_app(subject: Subject, service: Service, folder: str) -> Finding:
    at = where(service.path, service.line)
    seen = (
        f"Service {service.name} of {at} is built from {posixpath.normpath(folder)}/, which is no "
        "app of the stack: it is not in production."
    )
    apps = " and ".join(f"{app.directory}/" for app in subject.stack.apps if app.directory != ".")
    mend = f"Deploy it by itself{f', or make it part of {apps}' if apps else ''}."
    return _finding(service, seen, mend)


def _is_built(subject: Subject, folder: str) -> bool:
    """Whether a folder is one that an app of the stack, or all of them, are built from."""
    place = posixpath.normpath(with_defaults(folder))
    if place in {".", ""} or place.startswith(("..", "/", "http", "git")):
        return True
    apps = {app.directory for app in subject.stack.apps}
    return any(
        place == app or place.startswith(f"{app}/") or app.startswith(f"{place}/") for app in apps
    )


def _address(service: Service, services: list[Service]) -> str:
    """The settings that name the service as a host, as the apps of the Compose files get them."""
    host = re.compile(rf"(^|[/@,]){re.escape(service.name)}(:\d+)?($|[/,?])")
    names = {
        name: None
        for other in services
        for name, value in other.environment
        if other is not service and host.search(with_defaults(value))
    }
    if not names:
        return "its address in .env, under the name that the app reads"
    listed = list(names)[:3]
    joined = ", ".join(listed[:-1]) + (" and " if listed[1:] else "") + listed[-1]
    return f"{joined} in .env to its address"


def _finding(service: Service, seen: str, mend: str) -> Finding:
    return Finding("start.services", False, seen, mend, service.path, service.line)
