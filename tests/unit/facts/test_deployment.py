"""Compose files and Kubernetes workloads become services, workloads and secrets; other YAML yields nothing."""

from __future__ import annotations

import pytest

from draftproof.facts.base import Fact
from draftproof.facts.deployment import ComposeFile, PlainSecret, Service, Workload, deployment_facts, seconds
from tests.fakes.facts import FenceReader, fenced

READER = FenceReader(deployment_facts, "yaml")
facts, one = READER.facts, READER.one


API = """\
services:
  api:
    image: registry.example:5000/shop/api:1.4@sha256:abc
    command: ["uvicorn", "shop:app"]
    depends_on:
      db: {condition: service_healthy}
      cache: {condition: service_started}
    healthcheck: {test: curl -f localhost}
    volumes: ["data:/data", {type: bind, source: ./src, target: /src}]
    ports: ["8000:8000"]
    restart: unless-stopped
    stop_grace_period: 1m30s
    deploy: {replicas: 3, resources: {limits: {memory: 512M}}}
"""


def test_a_service_is_read_with_all_that_rules_ask() -> None:
    service = one(Service, API)
    assert (service.name, service.tag) == ("api", "sha256:abc")
    assert (service.waits_for, service.waits_healthy) == (("db", "cache"), ("db",))
    assert (service.healthcheck, service.limited, service.privileged) == (True, True, False)
    assert (service.replicas, service.grace_s, service.restart) == (3, 90, "unless-stopped")
    assert service.volumes == ("data:/data", "./src:/src")
    assert (service.ports, service.command) == (("8000:8000",), "uvicorn shop:app")
    assert service.span.first == 3


def test_a_short_service_has_the_defaults() -> None:
    service = one(Service, "services:\n  a:\n    build: .\n    depends_on: [b]\n")
    assert (service.image, service.tag, service.replicas, service.grace_s) == ("", "", 1, 0)
    assert (service.waits_for, service.waits_healthy) == (("b",), ())
    assert not service.healthcheck


def test_a_health_check_that_is_switched_off_is_none() -> None:
    assert not one(Service, "services:\n  a:\n    image: x\n    healthcheck: {disable: true}\n").healthcheck


@pytest.mark.parametrize(
    ("image", "tag"),
    [("postgres:17.2", "17.2"), ("postgres", ""), ("host:5000/postgres", ""), ("host:5000/postgres:17", "17")],
)
def test_the_port_of_a_registry_is_no_tag(image: str, tag: str) -> None:
    assert one(Service, f"services:\n  a:\n    image: {image}\n").tag == tag


@pytest.mark.parametrize(
    ("image", "database", "broker"),
    [
        ("postgres:17", True, False),
        ("timescale/timescaledb:2.17-pg16", True, False),
        ("bitnami/mongodb", True, False),
        ("quay.io/prometheuscommunity/postgres-exporter", False, False),
        ("prodrigestivill/postgres-backup-local", False, False),
        ("redis:7", False, False),
        ("apache/kafka:4.0.0", False, True),
        ("redpandadata/redpanda:v24", False, True),
        ("provectuslabs/kafka-ui", False, False),
        ("confluentinc/cp-kafka-connect", False, False),
        ("shop/api:1", False, False),
    ],
)
def test_databases_and_brokers_are_known_by_their_images(image: str, database: bool, broker: bool) -> None:
    service = one(Service, f"services:\n  a:\n    image: {image}\n")
    assert (service.database, service.broker) == (database, broker)


def test_a_file_knows_its_services_and_whether_one_is_a_database_or_a_broker() -> None:
    file = one(ComposeFile, "services:\n  db:\n    image: postgres:17\n  api:\n    build: .\n")
    assert (file.services, file.database, file.broker) == (("db", "api"), True, False)


def test_the_inside_of_services_is_known_without_the_word() -> None:
    assert [s.name for s in facts(Service, "db:\n  image: postgres:17\napi:\n  build: .\n")] == ["db", "api"]


def test_settings_that_services_share_by_an_anchor_count_for_each() -> None:
    text = (
        "x-app: &app\n  image: shop/api:1\n  restart: always\n"
        "services:\n  api:\n    <<: *app\n  worker:\n    <<: *app\n"
    )
    assert [(s.image, s.restart) for s in facts(Service, text)] == [("shop/api:1", "always")] * 2


SECRET = "services:\n  db:\n    image: postgres:17\n    environment:\n      {}\n"


@pytest.mark.parametrize(
    "setting",
    [
        "POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}",
        "POSTGRES_PASSWORD: $PW",
        "POSTGRES_PASSWORD_FILE: /run/secrets/pw",
        "DB_PASSWORD: <from vault>",
        "TOKEN_TTL: 900s",
        "SECRET_NAME: shop-api",
        "TOKEN: 900",
        "LEVEL: info",
        "URL: postgres://shop:${PW}@db/shop",
        "URL: postgres://db/shop",
    ],
)
def test_what_comes_from_elsewhere_or_is_no_secret_is_none(setting: str) -> None:
    assert not facts(PlainSecret, SECRET.format(setting))


@pytest.mark.parametrize(
    ("setting", "trivial"),
    [
        ("POSTGRES_PASSWORD: Xk3-9vTq", False),
        ("POSTGRES_PASSWORD: postgres", True),
        ("POSTGRES_PASSWORD: db", True),
        ("URL: postgres://shop:Xk3-9vTq@db/shop", False),
        ("URL: postgres://shop:shop@db/shop", True),
    ],
)
def test_a_secret_in_plain_text_is_found_with_its_line_and_not_kept(setting: str, trivial: bool) -> None:
    secret = one(PlainSecret, SECRET.format(setting))
    assert (secret.service, secret.trivial, secret.span.first) == ("db", trivial, 6)
    assert "Xk3" not in str(secret)


def test_secrets_in_a_list_of_settings_are_found() -> None:
    text = "services:\n  db:\n    image: postgres:17\n    environment:\n      - API_KEY=Xk3-9vTq\n      - A=1\n"
    assert [s.name for s in facts(PlainSecret, text)] == ["API_KEY"]


WORKLOAD = """\
kind: Deployment
metadata: {name: api}
spec:
  replicas: 2
  template:
    spec:
      terminationGracePeriodSeconds: 60
      containers:
        - image: shop/api:1
          livenessProbe: {httpGet: {path: /live}}
          readinessProbe: {exec: {command: [check, now]}}
          resources: {limits: {memory: 1Gi}}
          env:
            - {name: API_KEY, value: Xk3-9vTq}
            - {name: OTHER_KEY, valueFrom: {secretKeyRef: {name: a, key: b}}}
"""


def test_a_workload_is_read_with_probes_limits_and_secrets() -> None:
    workload = one(Workload, WORKLOAD)
    assert (workload.name, workload.type, workload.replicas, workload.grace_s) == ("api", "Deployment", 2, 60)
    assert (workload.liveness, workload.readiness, workload.limited) == ("/live", "check now", True)
    assert workload.images == ("shop/api:1",)
    assert one(PlainSecret, WORKLOAD).name == "API_KEY"


def test_a_cron_job_has_its_template_deeper_and_defaults_hold() -> None:
    workload = one(
        Workload,
        "kind: CronJob\nmetadata: {name: n}\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n"
        "          containers:\n            - image: a\n              livenessProbe: {tcpSocket: {port: 1}}\n",
    )
    assert (workload.replicas, workload.grace_s, workload.liveness, workload.readiness) == (1, 30, "tcp", "")


@pytest.mark.parametrize(
    ("text", "number"),
    [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("1h", 3600), ("1.5m", 90), ("", 0), ("soon", 0)],
)
def test_durations_of_compose_are_seconds(text: str, number: float) -> None:
    assert seconds(text) == pytest.approx(number)


@pytest.mark.parametrize(
    "text",
    [
        "services: 3",
        "services: [a, b]\nb: 1\nc: 2",
        "services:\n  a: 1\n",
        "kind: Deployment\nspec: 3\n",
        "kind: Service\nspec:\n  ports: [1]\n",
        "a: [",
        "openapi: 3.1.0\npaths: {}\nc: 1",
    ],
)
def test_other_and_broken_yaml_yields_nothing(text: str) -> None:
    assert list(deployment_facts(fenced(text, "yaml"))) == []


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  a:\n    image: [1]\n    volumes: x\n    ports: {a: 1}\n    depends_on: y\n    environment: z\n",
        "services:\n  a:\n    build: .\n    deploy: 3\n    command: {a: [1]}\n    volumes: [[1]]\n",
        "kind: Job\nspec:\n  template:\n    spec:\n      containers: 3\n",
        "kind: Job\nspec:\n  template:\n    spec:\n      containers: [1, {env: [2], livenessProbe: 3}]\n",
        "kind: Job\nspec:\n  replicas: many\n  template: {spec: {terminationGracePeriodSeconds: x}}\n",
    ],
)
def test_members_of_the_wrong_kind_raise_nothing(text: str) -> None:
    assert all(isinstance(f, Fact) for f in deployment_facts(fenced(text, "yaml")))
