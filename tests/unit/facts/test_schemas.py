"""Avro, JSON Schema and OpenAPI become fields, records and operations; broken ones yield nothing."""

from __future__ import annotations

import pytest

from draftproof.facts.base import Fact
from draftproof.facts.schemas import ApiOperation, SchemaField, SchemaRecord, counts_money, schema_facts
from tests.fakes.documents import design
from tests.fakes.facts import fenced


def schemas(text: str, language: str = "json") -> list[Fact]:
    return list(schema_facts(fenced(text, language)))


def fields(found: list[Fact]) -> dict[str, SchemaField]:
    return {f.name: f for f in found if isinstance(f, SchemaField)}


def records(found: list[Fact]) -> list[SchemaRecord]:
    return [f for f in found if isinstance(f, SchemaRecord)]


def operations(text: str, language: str = "yaml") -> list[ApiOperation]:
    return [f for f in schemas(text, language) if isinstance(f, ApiOperation)]


def test_avro_fields_know_null_default_and_logical_type() -> None:
    found = fields(
        schemas(
            '{"type": "record", "name": "Paid", "fields": [\n'
            '{"name": "id", "type": {"type": "string", "logicalType": "uuid"}},\n'
            '{"name": "note", "type": ["null", "string"], "default": null}]}'
        )
    )
    assert (found["id"].type, found["id"].format, found["id"].optional) == ("string", "uuid", False)
    assert (found["note"].type, found["note"].optional, found["note"].default) == ("string", True, True)
    assert found["note"].span.first == 4


def test_a_field_stands_where_it_is_declared_not_where_it_is_named_first() -> None:
    found = fields(
        schemas(
            '{"type": "record", "name": "A",\n"doc": "has \\"note\\"", "fields": [\n'
            '{"name": "id", "type": "int"},\n{"name": "note", "type": "int"}]}'
        )
    )
    assert found["note"].span.first == 5


def test_records_inside_fields_unions_arrays_and_maps_are_read() -> None:
    inner = '{"type": "record", "name": "%s", "fields": [{"name": "%s", "type": "int"}]}'
    b, c, d = (inner % (name.upper(), name) for name in "bcd")
    found = schemas(
        '{"type": "record", "name": "A", "fields": ['
        f'{{"name": "x", "type": {b}}}, {{"name": "y", "type": ["null", {{"type": "array", "items": {c}}}]}},'
        f'{{"name": "z", "type": {{"type": "map", "values": {d}}}}}]}}'
    )
    assert [r.name for r in records(found)] == ["A", "B", "C", "D"]


def test_an_enum_of_avro_is_closed_without_a_default_symbol() -> None:
    enum = '{"type": "enum", "name": "S", "symbols": ["A"]%s}'
    text = '{"type": "record", "name": "R", "fields": [{"name": "s", "type": ["null", ' + enum + "]}]}"
    assert fields(schemas(text % ""))["s"].closed_enum
    assert not fields(schemas(text % ', "default": "A"'))["s"].closed_enum


VERSION = '```json\n{{"type": "record", "name": "A", "namespace": "{}", "fields": [{}]}}\n```\n'
FIELD_A, FIELD_B = '{"name": "a", "type": "int"}', '{"name": "b", "type": "int"}'


def added(first_space: str, second_space: str) -> list[bool]:
    text = VERSION.format(first_space, FIELD_A) + "\nThen:\n\n" + VERSION.format(second_space, f"{FIELD_A}, {FIELD_B}")
    return [f.added for f in schema_facts(design(text)) if isinstance(f, SchemaField)]


def test_a_later_version_of_a_record_knows_what_was_added() -> None:
    assert added("x", "x") == [False, False, True]


def test_a_record_of_another_namespace_is_another_record() -> None:
    assert added("x.v1", "x.v2") == [False, False, False]


def test_a_description_can_say_that_a_field_was_added() -> None:
    text = '{"type": "record", "name": "A", "fields": [{"name": "b", "type": "int", "doc": "%s"}]}'
    assert fields(schemas(text % "added in v2"))["b"].added
    assert not fields(schemas(text % "the number of items"))["b"].added


def test_json_schema_knows_what_is_required_bounded_and_closed() -> None:
    found = schemas(
        '{"title": "T", "required": ["a"], "additionalProperties": false,\n'
        '"properties": {"a": {"type": "string", "maxLength": 9}, "b": {"type": ["null", "array"]}}}'
    )
    (record,) = records(found)
    assert (record.closed, record.limitable, record.limited) == (True, 2, 1)
    known = fields(found)
    assert (known["a"].optional, known["a"].bounded) == (False, True)
    assert (known["b"].type, known["b"].optional, known["b"].bounded) == ("array", True, False)


def test_objects_inside_objects_and_arrays_are_read() -> None:
    found = schemas(
        '{"title": "T", "properties": {"a": {"type": "object", "properties": {"x": {"type": "string"}}},'
        '"b": {"type": "array", "items": {"type": "object", "properties": {"y": {"type": "number"}}}}}}'
    )
    assert [r.name for r in records(found)] == ["T", "T.a", "T.b"]


def test_json_schema_in_yaml_is_read_as_well() -> None:
    found = schemas("type: object\nrequired: [a]\nproperties:\n  a: {type: string}\n", "yaml")
    assert not fields(found)["a"].optional


@pytest.mark.parametrize(
    ("name", "is_money"),
    [
        ("amount", True),
        ("total_price", True),
        ("totalPrice", True),
        ("grand_total", True),
        ("refundAmount", True),
        ("amount_kwh", False),
        ("total_count", False),
        ("price_factor", False),
        ("network", False),
        ("coffee", False),
        ("", False),
    ],
)
def test_names_that_count_money_are_known(name: str, is_money: bool) -> None:
    assert counts_money(name) is is_money


WHOLE = """\
openapi: 3.1.0
security: [{oidc: []}]
paths:
  /a/{id}:
    parameters: []
    get:
      responses: {'200': {}, default: {}}
    post:
      security: []
      requestBody: {content: {}}
      responses: {'201': {}}
components:
  schemas:
    A: {type: object, properties: {name: {type: string}}}
"""


def test_openapi_operations_know_their_refusals_body_and_security() -> None:
    get, post = operations(WHOLE)
    assert (get.method, get.path, get.responses, get.refusals) == ("get", "/a/{id}", ("200", "default"), ("default",))
    assert (get.secured, get.body, get.whole) == (True, False, True)
    assert (post.secured, post.body, post.refusals) == (False, True, ())
    assert get.span.first == 7


def test_schemas_of_openapi_are_read() -> None:
    (record,) = records(schemas(WHOLE, "yaml"))
    assert (record.name, record.notation) == ("A", "openapi")


def test_openapi_in_json_and_paths_alone_are_read() -> None:
    text = '{"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"404": {}}}}}}'
    assert [o.refusals for o in operations(text, "json")] == [("404",)]
    alone = "/a:\n  get:\n    responses: {'200': {}}\n  put:\n    responses: {'204': {}}\n"
    assert [(o.method, o.whole) for o in operations(alone)] == [("get", False), ("put", False)]


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [
        ("[{name: limit, schema: {maximum: 200}}]", "bounded"),
        ("[{name: page_size, schema: {enum: [10, 50]}}]", "bounded"),
        ("[{name: limit, schema: {type: integer}}]", "unbounded"),
        ("[{name: limit, schema: {$ref: '#/x'}}]", "referred"),
        ("[{$ref: '#/components/parameters/Limit'}]", "referred"),
        ("[{name: state, schema: {type: string}}]", ""),
    ],
)
def test_an_operation_knows_how_many_items_it_answers(parameters: str, limit: str) -> None:
    (operation,) = operations(
        f"paths:\n  /a:\n    parameters: {parameters}\n    get:\n      responses: {{'200': {{}}}}\n"
    )
    assert operation.limit == limit


def test_an_operation_knows_that_it_answers_an_array() -> None:
    text = (
        "paths:\n  /a:\n    get:\n      responses:\n        '%s':\n          content:\n            application/json:\n"
    )
    body = "              schema: {type: array}\n"
    assert operations(text % "200" + body)[0].list_of
    assert not operations(text % "400" + body)[0].list_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("{not json", "json"),
        ("[1, 2]", "json"),
        ("[" * 5000, "json"),
        ('{"type": "record", "fields": 3}', "avro"),
        ('{"type": "record", "fields": [1, {"type": "int"}]}', "avro"),
        ("paths: 3\nb: 4\nc: 5", "yaml"),
        ("paths:\n  /a: nothing\n", "yaml"),
        ("components:\n  schemas: [1]\n", "yaml"),
        ('{"order_id": 1, "amount": "12.00"}', "json"),
        ('{"properties": {"retries": 3}}', "json"),
    ],
)
def test_what_is_no_schema_or_broken_yields_nothing(text: str, language: str) -> None:
    assert schemas(text, language) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "record", "name": 1, "fields": [{"name": "a", "type": 3}, {"name": "b", "type": [null, {}, []]}]}',
        '{"type": "record", "name": "A", "fields": [{"name": "a"}]}',
        '{"properties": {"a": {"type": null}, "b": {"type": {"x": 1}, "format": []}}, "required": true}',
        '{"openapi": 3, "security": 4, "paths": {"/a": {"get": 5, "post": {"responses": [], "parameters": {}}}}}',
        '{"openapi": 3, "paths": {"/a": {"get": {"parameters": [1, {"name": []}], "responses": {"200": 7}}}}}',
    ],
)
def test_schemas_of_the_wrong_kind_raise_nothing(text: str) -> None:
    assert all(isinstance(fact, SchemaField | SchemaRecord | ApiOperation) for fact in schemas(text))
