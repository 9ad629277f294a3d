"""Services of Docker Compose and workloads of Kubernetes, as a design's YAML states them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from draftproof.domain.document import Document
from draftproof.facts.base import Block, Fact, blocks
from draftproof.facts.yaml_blocks import Node, yaml_nodes

_SECRET_NAME = re.compile(
    r"(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY)(?!.*(?:FILE|PATH|URL|TTL|NAME|EXPIR))", re.IGNORECASE
)
_SECRET_URL = re.compile(r"^\w[\w+.-]*://(?P<user>[^:/@\s]+):(?P<secret>[^@\s]+)@")
_FROM_OUTSIDE = re.compile(r"\$\{?\w|^<.*>$|^/run/secrets|^\*+$|^$|from_?secret|vault:", re.IGNORECASE)
_DATABASE = re.compile(r"(?:^|[/_-])(?:postgres\w*|timescale\w*|mysql|mariadb|mongo\w*|pgvector)\b", re.IGNORECASE)
_BROKER = re.compile(r"kafka|redpanda", re.IGNORECASE)
_NOT_A_BROKER = re.compile(r"ui|exporter|connect|schema|rest|init|akhq|manager", re.IGNORECASE)
_TRIVIAL = re.compile(
    r"postgres|password|secret|admin|root|test|local|dev|guest|change-?me|example|dummy|none|minioadmin|.{0,3}"
)
# kafka:9092, postgresql://app:secret@db:5432/app, 1@kafka:9093; no name with a dot, which is not the file's.
_HOST = re.compile(r"(?:^|//|[@,\s=])(?P<host>[a-z][a-z0-9_-]*):\d{2,5}(?=$|[/,?\s])", re.IGNORECASE)
_NAMES_HOST = re.compile(
    r"URL|HOST|SERVER|BROKER|BOOTSTRAP|DSN|ADDR|CONNECT|QUORUM|LISTENER|ENDPOINT|KAFKA|REDIS|POSTGRES|RABBIT|command",
    re.IGNORECASE,
)
_NOTHING = Node([], 0, 0)
_LOCAL = frozenset({"localhost", "host"})
_LAPTOP = re.compile(r"\b(?:local(?:ly)?|laptop|development|dev (?:set-?up|environment|stack))\b", re.IGNORECASE)
_EXCERPT = re.compile(r"\.\.\.|\u2026|omitted|excerpt|shortened|left out|abridged", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Fact):
    """
    A service of a Compose file.

    Args:
        name:        Its key.
        image:       As written, or empty where it is built.
        tag:         Tag or digest of the image; empty where none is given.
        database:    Whether the image is a relational or document database.
        broker:      Whether the image is a Kafka broker.
        healthcheck: Whether it has one that is not disabled.
        waits_for:   Services in ``depends_on``.
        waits_healthy: Those of them with ``condition: service_healthy``.
        volumes:     What is mounted, as written.
        ports:       As written.
        restart:     The policy, or empty.
        grace_s:     ``stop_grace_period`` in seconds; 0 where it is not set.
        replicas:    ``deploy.replicas``; 1 where it is not set.
        limited:     Whether memory or CPU is limited.
        privileged:  Whether it runs privileged.
        command:     As one line.

    """

    kind: ClassVar[str] = "compose.service"
    name: str
    image: str = ""
    tag: str = ""
    database: bool = False
    broker: bool = False
    healthcheck: bool = False
    waits_for: tuple[str, ...] = ()
    waits_healthy: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    restart: str = ""
    grace_s: float = 0.0
    replicas: int = 1
    limited: bool = False
    privileged: bool = False
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeFile(Fact):
    """A whole Compose file: the names of its services, and whether one is a database or a broker."""

    kind: ClassVar[str] = "compose.file"
    services: tuple[str, ...]
    database: bool
    broker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference(Fact):
    """
    A host that a service is told to connect to.

    Args:
        service: Who connects.
        setting: Where it is told so: a variable, or ``command``.
        host:    As written.
        known:   Whether the file has a service, container or host of that name.

    """

    kind: ClassVar[str] = "compose.reference"
    service: str
    setting: str
    host: str
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalListener(Fact):
    """A broker that tells its clients to come back to ``localhost``; ``clients`` are the other services sent to it."""

    kind: ClassVar[str] = "compose.local_listener"
    service: str
    clients: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainSecret(Fact):
    """
    A secret written out in YAML; the secret itself is not kept.

    Args:
        service: Whose it is.
        name:    The setting.
        trivial: Whether it is one that nobody takes for a real one, such as ``postgres``.

    """

    kind: ClassVar[str] = "deployment.plain_secret"
    service: str
    name: str
    trivial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload(Fact):
    """
    A Kubernetes workload.

    Args:
        name:        From its metadata.
        type:        ``Deployment``, ``StatefulSet``, ``CronJob`` and so on.
        replicas:    1 where it is not set.
        grace_s:     ``terminationGracePeriodSeconds``; 30 where it is not set.
        liveness:    Path or command of the probe, or empty.
        readiness:   The same.
        limited:     Whether its containers have limits.
        images:      Of its containers.

    """

    kind: ClassVar[str] = "kubernetes.workload"
    name: str
    type: str
    replicas: int = 1
    grace_s: float = 30.0
    liveness: str = ""
    readiness: str = ""
    limited: bool = False
    images: tuple[str, ...] = ()


def deployment_facts(document: Document) -> Iterable[Fact]:
    """Return the facts of all YAML in fences."""
    parts: list[tuple[Node, Block, bool]] = []
    workloads: list[tuple[Node, Block]] = []
    for block in blocks(document):
        for node in yaml_nodes(block):
            services = node.get("services")
            if services is not None and isinstance(services.value, dict):
                parts.append((services, block, _reaches_out(node)))
            elif _looks_like_services(node):
                parts.append((node, block, False))
            elif node.text("kind") and node.get("spec") is not None:
                workloads.append((node, block))
    # A design may show its file in pieces.
    names = [name for services, _, _ in parts for name in services.names()]
    for services, block, elsewhere in parts:
        yield from _compose(services, block, None if elsewhere else names)
    for node, block in workloads:
        yield from _workload(node, block)


def _reaches_out(file: Node) -> bool:
    """Return whether a Compose file joins a network, or includes files, that it does not show."""
    networks = file.get("networks")
    joined = any(child.get("external") is not None for _, child in networks.items()) if networks is not None else False
    return joined or file.get("include") is not None


def _looks_like_services(node: Node) -> bool:
    """Return whether a mapping is the inside of ``services:``, as excerpts often show."""
    parts = [child for _, child in node.items()] if isinstance(node.value, dict) else []
    return bool(parts) and all(
        isinstance(part.value, dict) and (part.get("image") or part.get("build")) for part in parts
    )


def _compose(services: Node, block: Block, known: Sequence[str] | None) -> Iterator[Fact]:
    found = [_service(name, node, block) for name, node in services.items() if isinstance(node.value, dict)]
    if not found:
        return
    yield ComposeFile(
        span=block.lines(services.first),
        services=tuple(s.name for s in found),
        database=any(s.database for s in found),
        broker=any(s.broker for s in found),
    )
    yield from found
    local = any(_LAPTOP.search(title) for title in block.headings[-2:])
    if known is not None and not _EXCERPT.search(block.text):
        references = list(_references(services, known, block))
        yield from references
        yield from _local_listeners(services, references, block)
    for name, node in services.items():
        told = [(setting, value) for setting, value in _environment(node) if isinstance(value.value, str)]
        others = {value.value.lower() for setting, value in told if not _is_secret(setting, value.value)}
        for setting, value in told:
            if _is_secret(setting, value.value):
                yield PlainSecret(
                    span=block.lines(value.first),
                    service=name,
                    name=setting,
                    trivial=_is_trivial(value.value, name) or value.value.lower() in others or local,
                )


def _environment(service: Node) -> list[tuple[str, Node]]:
    return (service.get("environment") or _NOTHING).items()


def _hosts(services: Node) -> set[str]:
    """Return the names, in lower case, under which the services of a file are reached."""
    names = {name.lower() for name in (*services.names(), *_LOCAL)}
    for _, node in services.items():
        names |= {node.text("hostname").lower(), node.text("container_name").lower()}
        for setting in ("extra_hosts", "links", "external_links"):
            names |= {
                part.lower() for entry in (node.get(setting) or _NOTHING).names() for part in re.split("[:=]", entry)
            }
        for _, network in (node.get("networks") or _NOTHING).items():
            names |= {alias.lower() for alias in (network.get("aliases") or _NOTHING).names()}
    return names


def _references(services: Node, known: Sequence[str], block: Block) -> Iterator[Reference]:
    """Yield the hosts of the file's services that variables and commands name, each once for a service."""
    names = _hosts(services) | {name.lower() for name in known}
    for name, node in services.items():
        command = node.get("command")
        told = [*_environment(node), *([("command", command)] if command is not None else [])]
        seen: set[str] = set()
        for setting, value in told:
            text = value.value if isinstance(value.value, str) else " ".join(value.names())
            for match in _HOST.finditer(text):
                host = match.group("host")
                # What stands in a plain value is a host where the setting says so.
                plain = match.group()[0] not in "/@" and not _NAMES_HOST.search(setting)
                if host.lower() in seen or plain:
                    continue
                seen.add(host.lower())
                yield Reference(
                    span=block.lines(value.first), service=name, setting=setting, host=host, known=host.lower() in names
                )


def _local_listeners(services: Node, references: Sequence[Reference], block: Block) -> Iterator[LocalListener]:
    for name, node in services.items():
        for setting, value in _environment(node):
            told = value.value if isinstance(value.value, str) else ""
            hosts = re.findall(r"://([\w.-]*):\d+", told)
            if (
                not setting.upper().endswith("ADVERTISED_LISTENERS")
                or not hosts
                or set(hosts) - {"localhost", "127.0.0.1"}
            ):
                continue
            clients = tuple(r.service for r in references if r.host == name and r.service != name)
            if clients:
                yield LocalListener(span=block.lines(value.first), service=name, clients=clients)


def _is_secret(name: str, value: str) -> bool:
    url = _SECRET_URL.match(value)
    if url:
        return not _FROM_OUTSIDE.search(url.group("secret"))
    return bool(_SECRET_NAME.search(name)) and not _FROM_OUTSIDE.search(value) and not value.isdigit()


def _is_trivial(value: str, service: str) -> bool:
    url = _SECRET_URL.match(value)
    secret = (url.group("secret") if url else value).lower()
    names = {service.lower(), url.group("user").lower() if url else ""}
    return bool(_TRIVIAL.fullmatch(secret)) or secret in names


def _service(name: str, node: Node, block: Block) -> Service:
    image = node.text("image")
    healthcheck = node.get("healthcheck")
    waits = node.get("depends_on")
    healthy = [n for n, child in waits.items() if child.text("condition") == "service_healthy"] if waits else []
    mounts = node.get("volumes")
    ports = node.get("ports")
    replicas = node.text("deploy", "replicas") or node.text("scale")
    command = node.get("command")
    return Service(
        span=block.lines(node.first),
        name=name,
        image=image,
        tag=_tag(image),
        database=bool(_DATABASE.search(image)) and not re.search(r"exporter|admin|bouncer|backup", image),
        broker=bool(_BROKER.search(image)) and not _NOT_A_BROKER.search(image.rsplit("/", 1)[-1]),
        healthcheck=healthcheck is not None and healthcheck.text("disable") != "true",
        waits_for=tuple(waits.names()) if waits else (),
        waits_healthy=tuple(healthy),
        volumes=tuple(_mounts(mounts)) if mounts else (),
        ports=tuple(ports.names()) if ports else (),
        restart=node.text("restart"),
        grace_s=seconds(node.text("stop_grace_period")),
        replicas=int(replicas) if replicas.isdigit() else 1,
        limited=node.get("deploy", "resources", "limits") is not None or bool(node.text("mem_limit")),
        privileged=node.text("privileged") == "true",
        command=" ".join(command.names()) or command.text() if command else "",
    )


def _mounts(node: Node) -> Iterator[str]:
    for entry in node.value if isinstance(node.value, list) else ():
        yield entry.value if isinstance(entry.value, str) else f"{entry.text('source')}:{entry.text('target')}"


def _tag(image: str) -> str:
    if "@" in image:
        return image.rsplit("@", 1)[1]
    last = image.rsplit("/", 1)[-1]
    return last.partition(":")[2]


def seconds(text: str) -> float:
    """Return the seconds of a Compose duration such as ``1m30s``; 0 for an empty or odd one."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _workload(node: Node, block: Block) -> Iterator[Fact]:
    template = node.get("spec", "template", "spec") or node.get("spec", "jobTemplate", "spec", "template", "spec")
    if template is None:
        return
    listed = template.get("containers")
    containers = listed.value if listed is not None and isinstance(listed.value, list) else []
    replicas = node.text("spec", "replicas")
    grace = template.text("terminationGracePeriodSeconds")
    name = node.text("metadata", "name")
    yield Workload(
        span=block.lines(node.first),
        name=name,
        type=node.text("kind"),
        replicas=int(replicas) if replicas.isdigit() else 1,
        grace_s=float(grace) if grace.isdigit() else 30.0,
        liveness=_probe(containers, "livenessProbe"),
        readiness=_probe(containers, "readinessProbe"),
        limited=any(c.get("resources", "limits") is not None for c in containers),
        images=tuple(c.text("image") for c in containers if c.text("image")),
    )
    for container in containers:
        environment = container.get("env")
        for entry in environment.value if environment is not None and isinstance(environment.value, list) else ():
            if _is_secret(entry.text("name"), entry.text("value")):
                yield PlainSecret(
                    span=block.lines(entry.first, entry.last),
                    service=name,
                    name=entry.text("name"),
                    trivial=_is_trivial(entry.text("value"), name),
                )


def _probe(containers: Sequence[Node], name: str) -> str:
    for container in containers:
        probe = container.get(name)
        if probe is not None:
            command = probe.get("exec", "command")
            return probe.text("httpGet", "path") or (" ".join(command.names()) if command else "") or "tcp"
    return ""
