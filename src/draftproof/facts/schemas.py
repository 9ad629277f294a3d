"""Avro, JSON Schema and OpenAPI, as a design's fences show them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from draftproof.domain.document import Document, Span
from draftproof.facts.base import Block, Fact, blocks
from draftproof.facts.yaml_blocks import Node, yaml_nodes

_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})
_MOST_CHARACTERS = 40_000


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaRecord(Fact):
    """
    A record or object.

    Args:
        name:     Its name, or empty.
        notation: ``avro``, ``json`` or ``openapi``.
        fields:   Names of its fields.
        closed:   Whether other members are refused; Avro's records are closed.

    """

    kind: ClassVar[str] = "schema.record"
    name: str
    notation: str
    fields: tuple[str, ...]
    closed: bool = False


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

    """

    kind: ClassVar[str] = "api.operation"
    method: str
    path: str
    responses: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    secured: bool = False


def schema_facts(document: Document) -> Iterable[Fact]:
    """Yield records, fields and operations of a document's schemas."""
    for block in blocks(document):
        if block.diagram or len(block.text) > _MOST_CHARACTERS:
            continue
        if block.language in ("json", "avro", "avsc", "jsonc") or block.text.lstrip().startswith("{"):
            yield from _from_json(block)
        else:
            for node in yaml_nodes(block):
                yield from _from_yaml(block, node)


# -- JSON ---------------------------------------------------------------------------------


def _from_json(block: Block) -> Iterator[Fact]:
    text = re.sub(r"^\s*//.*$|,?\s*(?:\.\.\.|…)\s*,?(?=\s*[\]}\n])", "", block.text, flags=re.MULTILINE)
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return
    if not isinstance(data, dict):
        return
    if data.get("type") == "record" and isinstance(data.get("fields"), list):
        yield from _avro(block, data)
    elif isinstance(data.get("properties"), dict):
        yield from _object(block, str(data.get("title", "")), data, "json")


def _avro(block: Block, record: dict[str, Any]) -> Iterator[Fact]:
    name = str(record.get("name", ""))
    fields = [f for f in record["fields"] if isinstance(f, dict) and "name" in f]
    yield SchemaRecord(
        span=block.span, name=name, notation="avro", fields=tuple(str(f["name"]) for f in fields), closed=True
    )
    for field in fields:
        kinds = field.get("type")
        union = kinds if isinstance(kinds, list) else [kinds]
        plain = [k for k in union if k != "null"]
        inner = next((k for k in plain if isinstance(k, dict)), {})
        yield SchemaField(
            span=_line_of(block, str(field["name"])),
            schema=name,
            notation="avro",
            name=str(field["name"]),
            type="|".join(str(k.get("type", "")) if isinstance(k, dict) else str(k) for k in plain),
            format=str(inner.get("logicalType", field.get("logicalType", ""))),
            optional="null" in union,
            default="default" in field,
            bounded=inner.get("type") in ("enum", "fixed"),
        )


def _object(block: Block, name: str, schema: dict[str, Any], notation: str) -> Iterator[Fact]:
    properties = {k: v for k, v in schema["properties"].items() if isinstance(v, dict)}
    required = schema.get("required", [])
    closed = schema.get("additionalProperties") is False
    yield SchemaRecord(span=block.span, name=name, notation=notation, fields=tuple(properties), closed=closed)
    for field, member in properties.items():
        kind = member.get("type", "")
        kinds = [k for k in kind if k != "null"] if isinstance(kind, list) else [str(kind)]
        bounds = ("maxLength", "pattern", "enum", "const", "format", "maxItems", "$ref")
        yield SchemaField(
            span=_line_of(block, field),
            schema=name,
            notation=notation,
            name=field,
            type="|".join(kinds),
            format=str(member.get("format", "")),
            optional=field not in required or "null" in kind,
            default="default" in member,
            bounded=any(bound in member for bound in bounds),
        )


def _line_of(block: Block, name: str) -> Span:
    """Return the line on which a member is named first, as a name or as a value of ``name``."""
    quoted = f'"{name}"'
    for number, line in enumerate(block.text.split("\n")):
        if quoted in line:
            return block.lines(number)
    return block.span


# -- OpenAPI ------------------------------------------------------------------------------


def _from_yaml(block: Block, node: Node) -> Iterator[Fact]:
    paths = node.get("paths")
    if paths is not None and isinstance(paths.value, dict):
        for path, item in paths.value.items():
            if path.startswith("/") and isinstance(item.value, dict):
                yield from _operations(block, path, item, node)
    elif isinstance(node.value, dict):
        # Designs often show the paths alone.
        for path, item in node.value.items():
            if path.startswith("/") and isinstance(item.value, dict):
                yield from _operations(block, path, item, node)


def _operations(block: Block, path: str, item: Node, root: Node) -> Iterator[ApiOperation]:
    for method, operation in item.value.items():
        if method.lower() not in _METHODS:
            continue
        responses = operation.get("responses")
        statuses = tuple(responses.names()) if responses is not None else ()
        yield ApiOperation(
            span=block.lines(operation.first, operation.last),
            method=method.lower(),
            path=path,
            responses=statuses,
            refusals=tuple(status for status in statuses if re.match(r"[45]|default", status)),
            secured=operation.get("security") is not None or root.get("security") is not None,
        )
