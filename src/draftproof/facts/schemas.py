"""Avro, JSON Schema and OpenAPI, as a design's fences show them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from draftproof.domain.document import Document, Span
from draftproof.facts.base import Block, Fact, blocks
from draftproof.facts.yaml_blocks import Node, parsed, yaml_nodes

_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})
_MOST_CHARACTERS = 40_000
_DEEPEST = 6
_MONEY = frozenset(
    {"amount", "price", "balance", "fee", "cost", "salary", "premium", "payout", "refund", "betrag", "preis"}
)
# What follows such a word makes it a quantity of something else.
_NOT_MONEY = frozenset(
    {"kwh", "wh", "kg", "g", "km", "count", "pct", "percent", "ratio", "factor", "score", "index", "seconds", "ms"}
)
_TIME = re.compile(r"(?:_at|_?timestamp|_time|occurred|[a-z](?:At|Time|Timestamp))$")
_ADDED = re.compile(r"\b(?:added|new|since|from)\b.{0,20}\bv(?:ersion)? ?\d", re.IGNORECASE)
_BOUNDS = ("maxLength", "pattern", "enum", "const", "format", "maxItems", "$ref")
_LIMIT = re.compile(r"limit|page_?size|per_?page|\bsize\b|\btop\b|\bcount\b", re.IGNORECASE)
_ELIDED_JSON = re.compile(r"^\s*//.*$|,?\s*(?:\.\.\.|…)\s*,?(?=\s*[\]}\n])", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaField(Fact):
    """
    A field of a schema.

    Args:
        schema:   Its record or object.
        notation: ``avro``, ``json`` or ``openapi``.
        name:     The field.
        type:     Its type; of a union those that are not null, joined by ``|``.
        format:   Its format or logical type, or empty.
        optional: Whether it may be left out or be null.
        default:  Whether it has a default.
        bounded:  Whether a string has a greatest length, pattern, format or closed values, or
                  an array a greatest number of items.
        money:    Whether its name counts money.
        time:     Whether its name says a point in time.
        added:    Whether a version of the same schema shown before lacks it, or its
                  description says in which version it was added.
        closed_enum: Whether it is an enum of Avro without a default symbol.

    """

    kind: ClassVar[str] = "schema.field"
    schema: str
    notation: str
    name: str
    type: str = ""
    format: str = ""
    optional: bool = False
    default: bool = False
    bounded: bool = False
    money: bool = False
    time: bool = False
    added: bool = False
    closed_enum: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaRecord(Fact):
    """
    A record or object.

    Args:
        name:     Its name, or empty.
        notation: ``avro``, ``json`` or ``openapi``.
        fields:   Names of its fields.
        closed:   Whether other members are refused; Avro's records are closed.
        limitable: How many of its fields are strings or arrays.
        limited:  How many of those are bounded.

    """

    kind: ClassVar[str] = "schema.record"
    name: str
    notation: str
    fields: tuple[str, ...]
    closed: bool = False
    limitable: int = 0
    limited: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOperation(Fact):
    """
    An operation of OpenAPI.

    Args:
        method:    Lower-case.
        path:      As written.
        responses: Its statuses, as written.
        refusals:  Those of them from 400 on, and ``default``.
        secured:   Whether security is required for it, by itself or for all.
        whole:     Whether it stands in a whole file, which would name the security.
        body:      Whether it takes a body.
        list_of:   Whether a success answers an array.
        limit:     ``bounded`` or ``unbounded`` for a parameter that limits the number of items,
                   ``referred`` where it stands elsewhere, else empty.

    """

    kind: ClassVar[str] = "api.operation"
    method: str
    path: str
    responses: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    secured: bool = False
    whole: bool = False
    body: bool = False
    list_of: bool = False
    limit: str = ""


def schema_facts(document: Document) -> Iterable[Fact]:
    """Return records, fields and operations of a document's schemas."""
    found: list[Fact] = []
    for block in blocks(document):
        if not block.diagram and len(block.text) <= _MOST_CHARACTERS:
            for root in _roots(block):
                found.extend(_from_root(block, root))
    return _with_versions(found)


def _roots(block: Block) -> Iterator[Node]:
    """Yield the values that a block holds: JSON only as a whole, YAML document by document."""
    if block.language in ("json", "avro", "avsc", "jsonc") or block.text.lstrip().startswith(("{", "[")):
        text = _ELIDED_JSON.sub("", block.text)
        try:
            json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            return
        for root in parsed(text.replace("\t", "  ")):
            # A file of Avro may list several records.
            yield from root.value if isinstance(root.value, list) else [root]
    else:
        yield from yaml_nodes(block)


def _from_root(block: Block, root: Node) -> Iterator[Fact]:
    if root.text("type") == "record":
        yield from _avro(block, root, 0)
    elif root.get("openapi") or root.get("paths") or root.get("components", "schemas") or _shows_paths(root):
        yield from _openapi(block, root)
    elif any(member.get("type") or member.get("$ref") for _, member in _members(root, "properties")):
        yield from _object(block, root.text("title"), root, "json", 0)


def _value(node: Node, *names: str) -> object:
    found = node.get(*names)
    return found.value if found is not None else None


def _list(node: Node, *names: str) -> list[Node]:
    found = _value(node, *names)
    return [entry for entry in found if isinstance(entry, Node)] if isinstance(found, list) else []


def _members(node: Node, *names: str) -> list[tuple[str, Node]]:
    found = node.get(*names)
    return found.items() if found is not None and isinstance(found.value, dict) else []


# -- Avro ---------------------------------------------------------------------------------


def _avro(block: Block, record: Node, depth: int) -> Iterator[Fact]:
    name = ".".join(part for part in (record.text("namespace"), record.text("name")) if part)
    fields = [field for field in _list(record, "fields") if field.text("name")]
    if not fields:
        return
    yield SchemaRecord(
        span=block.lines(record.first, record.last),
        name=name,
        notation="avro",
        fields=tuple(field.text("name") for field in fields),
        closed=True,
    )
    for field in fields:
        yield _avro_field(block, name, field)
    for field in fields:
        for inner in _inner_records(field, depth):
            yield from _avro(block, inner, depth + 1)


def _avro_field(block: Block, schema: str, field: Node) -> SchemaField:
    kinds = _list(field, "type") or [kind for kind in [field.get("type")] if kind is not None]
    plain = [kind for kind in kinds if kind.value != "null"]
    complex_kinds = [kind for kind in plain if isinstance(kind.value, dict)]
    inner = complex_kinds[0] if complex_kinds else Node({}, 0, 0)
    return SchemaField(
        span=block.lines(field.first),
        schema=schema,
        notation="avro",
        name=field.text("name"),
        type="|".join(kind.text("type") if isinstance(kind.value, dict) else str(kind.value) for kind in plain),
        format=inner.text("logicalType") or field.text("logicalType"),
        optional=len(plain) < len(kinds),
        default=field.get("default") is not None,
        bounded=inner.text("type") in ("enum", "fixed"),
        money=counts_money(field.text("name")),
        time=bool(_TIME.search(field.text("name"))),
        added=bool(_ADDED.search(field.text("doc"))),
        closed_enum=any(kind.text("type") == "enum" and kind.get("default") is None for kind in complex_kinds),
    )


def _inner_records(field: Node, depth: int) -> Iterator[Node]:
    """Yield the records that a field's type holds: by itself, in a union, an array or a map."""
    waiting = [field.get("type")] if depth < _DEEPEST else []
    while waiting:
        kind = waiting.pop()
        if kind is None:
            continue
        if isinstance(kind.value, list):
            waiting.extend(kind.value)
        elif kind.text("type") == "record":
            yield kind
        elif kind.text("type") in ("array", "map"):
            waiting.extend([kind.get("items"), kind.get("values")])
        elif isinstance(kind.value, dict) and kind.get("type") is not None and not kind.text("type"):
            waiting.append(kind.get("type"))


def counts_money(name: str) -> bool:
    """Return whether a field's name counts money, such as ``total_price``; ``amount_kwh`` does not."""
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]
    is_total = bool(words) and words[-1] == "total"
    return (bool(_MONEY & set(words)) or is_total) and not (_NOT_MONEY & set(words))


def _with_versions(found: Sequence[Fact]) -> list[Fact]:
    """Mark the fields that an earlier version of their record lacks."""
    earlier: dict[tuple[str, str], set[str]] = {}
    fresh: dict[tuple[str, str], set[str]] = {}
    marked: list[Fact] = []
    for fact in found:
        if isinstance(fact, SchemaRecord) and fact.name:
            key = (fact.notation, fact.name)
            fresh[key] = set(fact.fields) - earlier[key] if key in earlier else set()
            earlier.setdefault(key, set()).update(fact.fields)
        if isinstance(fact, SchemaField) and fact.name in fresh.get((fact.notation, fact.schema), ()):
            fact = replace(fact, added=True)
        marked.append(fact)
    return marked


# -- JSON Schema --------------------------------------------------------------------------


def _object(block: Block, name: str, schema: Node, notation: str, depth: int) -> Iterator[Fact]:
    members = [(member, node) for member, node in _members(schema, "properties") if isinstance(node.value, dict)]
    if not members or depth > _DEEPEST:
        return
    required = {node.value for node in _list(schema, "required") if isinstance(node.value, str)}
    fields = [_property(block, name, notation, member, node, member in required) for member, node in members]
    limitable = [field for field in fields if field.type in ("string", "array")]
    yield SchemaRecord(
        span=block.lines(schema.first, schema.last),
        name=name,
        notation=notation,
        fields=tuple(field.name for field in fields),
        closed="false" in (schema.text("additionalProperties"), schema.text("unevaluatedProperties")),
        limitable=len(limitable),
        limited=sum(field.bounded for field in limitable),
    )
    yield from fields
    for member, node in members:
        for inner in (node, node.get("items")):
            if inner is not None:
                yield from _object(block, f"{name}.{member}".strip("."), inner, notation, depth + 1)


def _property(block: Block, schema: str, notation: str, name: str, node: Node, required: bool) -> SchemaField:
    kinds = [kind.value for kind in _list(node, "type") if isinstance(kind.value, str)] or [node.text("type")]
    nullable = "null" in kinds or node.text("nullable") == "true"
    return SchemaField(
        span=block.lines(node.first),
        schema=schema,
        notation=notation,
        name=name,
        type="|".join(kind for kind in kinds if kind != "null"),
        format=node.text("format"),
        optional=not required or nullable,
        default=node.get("default") is not None,
        bounded=any(node.get(bound) is not None for bound in _BOUNDS),
        money=counts_money(name),
        time=bool(_TIME.search(name)),
        added=bool(_ADDED.search(node.text("description"))),
    )


# -- OpenAPI ------------------------------------------------------------------------------


def _shows_paths(root: Node) -> bool:
    """Return whether the paths stand there without the word ``paths``, as designs often show them."""
    return isinstance(root.value, dict) and any(
        path.startswith("/") and any(method in _METHODS for method, _ in item.items())
        for path, item in root.value.items()
        if isinstance(item.value, dict)
    )


def _openapi(block: Block, root: Node) -> Iterator[Fact]:
    for path, item in _members(root, "paths") or root.items():
        if path.startswith("/") and isinstance(item.value, dict):
            shared = _list(item, "parameters")
            for method, operation in item.value.items():
                if method.lower() in _METHODS:
                    yield _operation(block, (method.lower(), path), operation, shared, root)
    for name, schema in _members(root, "components", "schemas"):
        yield from _object(block, name, schema, "openapi", 0)


def _operation(
    block: Block, named: tuple[str, str], operation: Node, shared: Sequence[Node], root: Node
) -> ApiOperation:
    responses = _members(operation, "responses")
    statuses = tuple(status for status, _ in responses)
    own_security = operation.get("security")
    secured = own_security.value != [] if own_security is not None else bool(_value(root, "security"))
    return ApiOperation(
        span=_first_lines(block, operation),
        method=named[0],
        path=named[1],
        responses=statuses,
        refusals=tuple(status for status in statuses if re.match(r"[45]|default", status)),
        secured=secured,
        whole=root.get("openapi") is not None,
        body=operation.get("requestBody") is not None,
        list_of=any(_is_array(answer) for status, answer in responses if status.startswith("2")),
        limit=_limit([*_list(operation, "parameters"), *shared]),
    )


def _first_lines(block: Block, node: Node) -> Span:
    """Return an operation's first lines; a whole one may fill a page."""
    return block.lines(node.first, min(node.last, node.first + 3))


def _is_array(answer: Node) -> bool:
    return any(media.text("schema", "type") == "array" for _, media in _members(answer, "content"))


def _limit(parameters: Sequence[Node]) -> str:
    for parameter in parameters:
        if _LIMIT.search(parameter.text("name")):
            bounded = parameter.get("schema", "maximum") is not None or parameter.get("schema", "enum") is not None
            return "bounded" if bounded else "referred" if parameter.get("schema", "$ref") else "unbounded"
    return "referred" if any(parameter.get("$ref") is not None for parameter in parameters) else ""
