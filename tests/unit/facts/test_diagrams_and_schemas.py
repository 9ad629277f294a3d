"""Diagrams and schemas become facts; broken ones yield nothing."""

from __future__ import annotations

import pytest

from draftproof.facts.base import Fact
from draftproof.facts.diagrams import Arrow, diagram_facts
from draftproof.facts.schemas import ApiOperation, SchemaField, SchemaRecord, schema_facts
from tests.fakes.documents import design


def arrows(text: str, language: str = "mermaid") -> list[Arrow]:
    return [f for f in diagram_facts(design(f"```{language}\n{text}\n```\n")) if isinstance(f, Arrow)]


def schemas(text: str, language: str = "json") -> list[Fact]:
    return list(schema_facts(design(f"```{language}\n{text}\n```\n")))


def test_a_sequence_diagram_has_titles_order_and_waiting() -> None:
    found = arrows(
        "sequenceDiagram\n  participant A as Order API\n  participant K as Kafka\n  A->>+DB: INSERT order\n"
        "  DB-->>-A: ok\n  A-)K: OrderPlaced\n"
    )
    assert [(a.source, a.target, a.waits) for a in found] == [
        ("Order API", "DB", True),
        ("DB", "Order API", False),
        ("Order API", "Kafka", False),
    ]
    assert [a.place for a in found] == [0, 1, 2]
    assert found[0].database
    assert found[2].broker
    assert found[2].span.first == 7


def test_plantuml_names_participants_the_other_way_round() -> None:
    (arrow,) = arrows('@startuml\nparticipant "Order API" as api\ndatabase pg\napi -> pg : select\n@enduml', "plantuml")
    assert (arrow.source, arrow.target, arrow.label) == ("Order API", "pg", "select")


def test_a_flowchart_has_titles_labels_and_chains() -> None:
    found = arrows(
        "flowchart LR\n  A[Order service] -->|writes| D[(Orders)]\n  A -- sends --> K{{Kafka}} --> W[Worker]\n"
    )
    assert [(a.source, a.target, a.label) for a in found] == [
        ("Order service", "Orders", "writes"),
        ("Order service", "Kafka", "sends"),
        ("Kafka", "Worker", ""),
    ]
    assert [a.database for a in found] == [True, False, False]
    assert found[1].broker


@pytest.mark.parametrize("text", ["", "sequenceDiagram\n ->> :", "flowchart LR\n --> -->", "pie\n a: 1", "graph"])
def test_a_broken_diagram_yields_nothing(text: str) -> None:
    assert arrows(text) == []


def test_avro_fields_know_null_default_and_logical_type() -> None:
    found = schemas(
        '{"type": "record", "name": "Paid", "fields": [\n'
        '{"name": "id", "type": {"type": "string", "logicalType": "uuid"}},\n'
        '{"name": "note", "type": ["null", "string"], "default": null}]}'
    )
    fields = {f.name: f for f in found if isinstance(f, SchemaField)}
    assert (fields["id"].type, fields["id"].format, fields["id"].optional) == ("string", "uuid", False)
    assert (fields["note"].type, fields["note"].optional, fields["note"].default) == ("string", True, True)
    assert fields["note"].span.first == 4


def test_json_schema_knows_what_is_required_bounded_and_closed() -> None:
    found = schemas(
        '{"title": "T", "required": ["a"], "additionalProperties": false,\n'
        '"properties": {"a": {"type": "string", "maxLength": 9}, "b": {"type": ["null", "array"]}}}'
    )
    record = next(f for f in found if isinstance(f, SchemaRecord))
    fields = {f.name: f for f in found if isinstance(f, SchemaField)}
    assert record.closed
    assert (fields["a"].optional, fields["a"].bounded) == (False, True)
    assert (fields["b"].type, fields["b"].optional, fields["b"].bounded) == ("array", True, False)


def test_openapi_operations_know_their_refusals_and_security() -> None:
    found = schemas(
        "openapi: 3.1.0\nsecurity: [{oidc: []}]\npaths:\n  /a/{id}:\n    get:\n"
        "      responses: {'200': {}, default: {}}\n"
        "    parameters: []\n",
        "yaml",
    )
    (operation,) = [f for f in found if isinstance(f, ApiOperation)]
    assert (operation.method, operation.path, operation.responses) == ("get", "/a/{id}", ("200", "default"))
    assert operation.refusals == ("default",)
    assert operation.secured


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("{not json", "json"),
        ("[1, 2]", "json"),
        ('{"type": "record", "fields": 3}', "avro"),
        ("paths: 3\nb: 4\nc: 5", "yaml"),
        ("paths:\n  /a: nothing\n", "yaml"),
        ('{"order_id": 1, "amount": "12.00"}', "json"),
    ],
)
def test_what_is_no_schema_or_broken_yields_nothing(text: str, language: str) -> None:
    assert schemas(text, language) == []
