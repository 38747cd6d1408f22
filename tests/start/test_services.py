"""Services of the development's Compose files that production lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find_api


def compose(*services: str) -> dict[str, str]:
    return {"docker-compose.yml": "services:\n" + "".join(f"  {one}\n" for one in services)}


def found_of(root: Path, *services: str, **settings: str) -> list[Finding]:
    return find_api(root, compose(*services), None, **settings)


@pytest.mark.parametrize(
    ("image", "title"),
    [
        ("mysql:8", "MySQL"),
        ("mariadb:11", "MariaDB"),
        ("rabbitmq:3-management", "RabbitMQ"),
        ("minio/minio", "MinIO"),
        ("docker.elastic.co/elasticsearch/elasticsearch:8.1.0", "Elasticsearch"),
        ("confluentinc/cp-kafka:7.6.0", "Kafka"),
        ("memcached:1.6-alpine", "Memcached"),
        ("mcr.microsoft.com/mssql/server:2022-latest", "SQL Server"),
        ("mysql:${MYSQL_VERSION:-8}", "MySQL"),
        ("ghcr.io/acme/pricing:2", "ghcr.io/acme/pricing:2"),
    ],
)
def test_what_is_outside_the_catalogue_is_named(image: str, title: str, tmp_path: Path) -> None:
    (found,) = found_of(tmp_path, f'store: {{image: "{image}"}}')
    assert found.rule == "start.services" and not found.certain
    assert found.seen == f"{title}, service store of docker-compose.yml:2, is not in production."
    assert (found.path, found.line) == ("docker-compose.yml", 2)


def test_the_settings_that_name_it_are_named(tmp_path: Path) -> None:
    (found,) = found_of(
        tmp_path,
        "app: {build: ., environment: [AMQP_URL=amqp://a:b@queue:5672/, QUEUES=queued]}",
        "jobs: {build: ., environment: {QUEUE_HOST: queue}}",
        "queue: {image: rabbitmq}",
    )
    assert found.mend == (
        "If the apps need it, run it elsewhere and set AMQP_URL and QUEUE_HOST in .env to its "
        "address."
    )


def test_one_of_the_catalogue_that_is_not_switched_on(tmp_path: Path) -> None:
    (found,) = found_of(tmp_path, "cache: {image: redis:7}")
    assert "Redis is in docker-compose.yml:2 (service cache), but not in production" in found.seen
    assert "--set redis=on" in found.mend


@pytest.mark.parametrize("value", ["on", "off", "external"])
def test_what_was_decided_by_hand_is_not_told_again(value: str, tmp_path: Path) -> None:
    assert find_api(tmp_path, compose("cache: {image: redis:7}"), {"redis": value}) == []


def test_a_second_one_is_named(tmp_path: Path) -> None:
    (found,) = found_of(
        tmp_path,
        "postgres: {image: postgres:17}",
        "reports: {image: postgis/postgis:17-3.5}",
        USE_POSTGRESQL="true",
    )
    assert found.seen == (
        "A second PostgreSQL, service reports of docker-compose.yml:3, is not in production."
    )
    assert found.mend.startswith("Use postgres for both, or ")


def test_an_app_that_the_stack_lacks(tmp_path: Path) -> None:
    (found,) = found_of(tmp_path, "ml: {build: {context: ./ml-service}}")
    assert "built from ml-service/, which is no app of the stack" in found.seen


@pytest.mark.parametrize(
    "service",
    [
        "mail: {image: mailhog/mailhog}",
        "mail: {image: axllent/mailpit:latest}",
        "admin: {image: dpage/pgadmin4}",
        "admin: {image: adminer}",
        "web: {image: nginx:alpine}",
        "app: {image: python:3.13, command: python main.py}",
        "app: {build: .}",
        "app: {build: {context: ., dockerfile: Dockerfile.dev}}",
        "mysql-test: {image: mysql}",
        "own: {image: $IMAGE}",
        "extended: {extends: {service: other}}",
    ],
)
def test_what_is_for_development_alone_is_not_told(service: str, tmp_path: Path) -> None:
    assert found_of(tmp_path, service) == []


def test_every_file_at_the_top_is_read_but_those_for_tests(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {a: {image: mysql}}\n",
        "docker-compose.override.yml": "services: {a: {image: mariadb}, b: {image: minio/minio}}\n",
        "docker-compose.test.yml": "services: {c: {image: rabbitmq}}\n",
        "docker-compose.prod.yml": "services: {d: {image: rabbitmq}}\n",
        "compose.broken.yml": "services: [\n",
        "deploy/compose.yml": "services: {e: {image: rabbitmq}}\n",
    }
    found = find_api(tmp_path, files)
    assert [finding.seen.partition(",")[0] for finding in found] == ["MySQL", "MinIO"]


def test_merges_and_tags_of_compose_are_understood(tmp_path: Path) -> None:
    text = "x-db: &db\n  image: mysql\nservices:\n  one: {<<: *db, ports: !reset []}\n"
    (found,) = find_api(tmp_path, {"docker-compose.yml": text})
    assert "service one of docker-compose.yml:4" in found.seen


def test_aliases_that_multiply_cost_nothing(tmp_path: Path) -> None:
    lines = ["a0: &a0 {image: mysql}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 30)]
    text = "\n".join([*lines, "services: {one: {<<: *a29}}", ""])
    (found,) = find_api(tmp_path, {"docker-compose.yml": text})
    assert found.seen.startswith("MySQL")


def test_deep_nesting_of_another_file_is_no_error(tmp_path: Path) -> None:
    assert find_api(tmp_path, {"docker-compose.deep.yml": "[" * 20_000}) == []
