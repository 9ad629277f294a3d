"""SQL in a design becomes tables, columns, keys, indexes and queries; broken SQL raises nothing."""

from __future__ import annotations

import pytest

from draftproof.facts.base import Fact
from draftproof.facts.sql import BrokenStatement, Column, ForeignKey, Index, Query, Table, sql_facts
from tests.fakes.documents import design
from tests.fakes.facts import FenceReader, fenced

READER = FenceReader(sql_facts, "sql")
facts, one = READER.facts, READER.one


ORDERS = """\
CREATE TABLE shop.Orders (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number      varchar(20) NOT NULL UNIQUE,
    customer_id bigint NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    total       numeric(12, 2) NOT NULL DEFAULT 0 CHECK (total >= 0),
    state       text,
    CONSTRAINT known CHECK (state IN ('NEW', 'PAID')),
    UNIQUE (customer_id, number)
);
"""


def test_a_table_has_its_key_unique_columns_and_name_without_schema() -> None:
    table = one(Table, ORDERS)
    assert (table.name, table.primary_key) == ("orders", ("id",))
    assert table.unique == (("id",), ("number",), ("customer_id", "number"))
    assert table.columns == ("id", "number", "customer_id", "total", "state")


def test_columns_have_types_bounds_checks_defaults_and_their_own_lines() -> None:
    columns = {column.name: column for column in facts(Column, ORDERS)}
    assert (columns["number"].type, columns["number"].length) == ("varchar", 20)
    assert (columns["total"].type, columns["total"].default, columns["total"].checked) == ("decimal", "0", True)
    assert [columns[name].nullable for name in ("id", "number", "state")] == [False, False, True]
    assert columns["state"].checked
    assert not columns["number"].checked
    assert columns["customer_id"].span.first == 5


def test_a_reference_knows_its_target_deletion_and_index() -> None:
    key = one(ForeignKey, ORDERS)
    assert (key.columns, key.target, key.on_delete) == (("customer_id",), "customer", "cascade")
    # The key (customer_id, number) leads with it.
    assert key.indexed


@pytest.mark.parametrize(
    ("index", "indexed"),
    [
        ("CREATE INDEX ON t (a);", True),
        ("CREATE INDEX ON t (a, b);", True),
        ("CREATE INDEX ON t (b, a);", False),
        ("CREATE INDEX ON t (a) WHERE b IS NULL;", False),
        ("CREATE INDEX ON u (a);", False),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE (a, b);", True),
    ],
)
def test_only_a_whole_index_that_begins_with_it_serves_a_reference(index: str, indexed: bool) -> None:
    key = one(ForeignKey, f"CREATE TABLE t (id int PRIMARY KEY, a int REFERENCES p (id), b int);\n{index}")
    assert key.indexed is indexed


def test_keys_of_a_table_and_of_an_alteration_are_foreign_keys_too() -> None:
    found = facts(
        ForeignKey,
        "CREATE TABLE t (a int, b int, FOREIGN KEY (a, b) REFERENCES p (x, y));\n"
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES q (id) ON DELETE SET NULL;",
    )
    assert [(key.columns, key.target, key.on_delete) for key in found] == [
        (("a", "b"), "p", ""),
        (("b",), "q", "set null"),
    ]


def test_a_primary_key_may_come_later() -> None:
    (index,) = facts(Index, "CREATE TABLE t (a int);\nALTER TABLE t ADD PRIMARY KEY (a);")
    assert (index.table, index.name, index.columns) == ("t", "primary key", ("a",))


def test_an_index_knows_method_condition_uniqueness_and_concurrency() -> None:
    gin, partial = facts(
        Index,
        "CREATE INDEX CONCURRENTLY i ON t USING gin (body);\n"
        "CREATE UNIQUE INDEX j ON t (lower(mail), at DESC) WHERE deleted_at IS NULL;",
    )
    assert (gin.name, gin.method, gin.concurrently, gin.unique) == ("i", "gin", True, False)
    assert (partial.columns, partial.partial, partial.unique) == (("mail", "at"), True, True)


def test_partitions_are_told_from_what_they_are_part_of() -> None:
    parent, part = facts(
        Table,
        "CREATE TABLE m (at timestamptz NOT NULL, v int) PARTITION BY RANGE (at);\n"
        "CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');",
    )
    assert "at" in parent.partitioned
    assert (parent.partition, part.partition) == (False, True)


def test_a_query_has_what_it_compares_orders_skips_and_locks() -> None:
    query = one(
        Query,
        "SELECT * FROM job WHERE state = 'ready' AND kind IN ('a')\n"
        "ORDER BY at LIMIT 10 OFFSET 20 FOR UPDATE SKIP LOCKED;",
    )
    assert (query.table, query.equal, query.ordered) == ("job", ("state", "kind"), ("at",))
    assert (query.star, query.limited, query.offset, query.locks) == (True, True, True, "skip locked")


@pytest.mark.parametrize(
    ("where", "served"),
    [("owner = 1", True), ("other = 1", False), ("at > now() ORDER BY at", False), ("id = 1", True)],
)
def test_a_query_is_served_where_an_index_leads_with_what_it_compares(where: str, served: bool) -> None:
    table = "CREATE TABLE t (id int PRIMARY KEY, owner int, other int, at date);\nCREATE INDEX ON t (owner, at);\n"
    assert one(Query, f"{table}\nSELECT id FROM t WHERE {where};").served is served


@pytest.mark.parametrize(
    "text",
    [
        "CREATE VIEW v AS\n    SELECT id FROM t WHERE state = 1;",
        "DELETE FROM u WHERE id IN (\n  SELECT id FROM t WHERE state = 1\n);",
    ],
)
def test_the_inside_of_another_statement_is_no_query(text: str) -> None:
    assert not facts(Query, text)


def test_a_statement_that_the_parser_passes_on_prints_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert not list(sql_facts(design("```sql\nALTER TABLE t ENABLE ROW LEVEL SECURITY;\n```\n")))
    assert not caplog.records


def test_of_a_table_that_is_not_shown_nothing_is_missing() -> None:
    assert one(Query, "SELECT id FROM elsewhere WHERE a = 1;").served


def test_a_fault_in_one_statement_leaves_the_others() -> None:
    text = "CREATE TABLE a (id int PRIMARY KEY, b numeric(10,2 NOT NULL);\n\nCREATE TABLE c (id int PRIMARY KEY);"
    assert [table.name for table in facts(Table, text)] == ["c"]
    assert one(BrokenStatement, text).statement.startswith("CREATE TABLE a")


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE a (\n  id int PRIMARY KEY,\n  ...\n);",
        "CREATE TABLE a (\n  id int PRIMARY KEY,\n  -- ... more\n);",
        "CREATE TABLE a (id int PRIMARY KEY, …);",
    ],
)
def test_a_sketch_is_read_as_far_as_it_goes_and_is_not_broken(text: str) -> None:
    assert one(Table, text).columns == ("id",)
    assert not facts(BrokenStatement, text)


@pytest.mark.parametrize(
    "text", ["CREATE TABLE {name} (id int PRIMARY", "CREATE TABLE <t> (a int", "ALTER TABLE t ADD COLUMN %(c)s ("]
)
def test_placeholders_are_no_faults(text: str) -> None:
    assert not facts(BrokenStatement, text)


def test_statements_are_found_in_a_fence_without_a_label_but_not_in_other_code() -> None:
    text = "CREATE TABLE t (id int PRIMARY KEY);"
    assert facts(Table, text, "")
    assert not facts(Table, text, "python")
    assert not facts(Table, text, "mermaid")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CREATE TABLE",
        "CREATE TABLE t",
        "CREATE TABLE t ()",
        "CREATE TABLE t (PRIMARY KEY)",
        "CREATE INDEX",
        "CREATE INDEX ON",
        "ALTER TABLE",
        "ALTER TABLE t",
        "SELECT",
        "SELECT 1",
        "SELECT FROM WHERE",
        "WITH a AS (SELECT 1) SELECT",
        "CREATE TABLE t (a int REFERENCES)",
        "CREATE TABLE t (a 'x' \" ( ;",
        "SELECT " + "(" * 2000,
        "CREATE TABLE t AS SELECT * FROM u",
    ],
)
def test_broken_sql_raises_nothing(text: str) -> None:
    assert all(isinstance(f, Fact) for f in sql_facts(fenced(text, "sql")))
