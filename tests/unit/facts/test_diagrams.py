"""Diagrams become arrows; broken ones yield nothing."""

from __future__ import annotations

import time

import pytest

from draftproof.facts.diagrams import Arrow, diagram_facts
from tests.fakes.documents import design
from tests.fakes.facts import fenced


def arrows(text: str, language: str = "mermaid") -> list[Arrow]:
    return [f for f in diagram_facts(fenced(text, language)) if isinstance(f, Arrow)]


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


def test_plantumls_colours_and_comments_are_no_part_of_an_arrow() -> None:
    found = arrows("@startuml\n' a -> b : old\na -[#red]> b : call\nb --[#red]> a : answer\n@enduml", "plantuml")
    assert [(a.label, a.waits) for a in found] == [("call", True), ("answer", False)]


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


def test_classes_and_comments_of_a_flowchart_are_left_out() -> None:
    found = arrows("graph TD\n  A[Api]:::new --> B[Worker]:::old\n  %% A --> C\n")
    assert [(a.source, a.target) for a in found] == [("Api", "Worker")]


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        ("flowchart LR\n A[Order service] --> D[(Orders DB)]\n B[Billing service] --> D", ("Order service",)),
        ("flowchart LR\n A[OrderApi] --> D[(order_db)]\n W[Order worker] --> D", ("Order worker", "OrderApi")),
        ("flowchart LR\n A[Order service] --> D[(PostgreSQL)]\n B[Billing service] --> D", ()),
        ("flowchart LR\n A[Order service] --> K[[Orders topic]]\n", ()),
        ("sequenceDiagram\n A as x\n Orders API->>Orders DB: select\n Billing->>Orders DB: select", ("Orders API",)),
    ],
    ids=["another's", "shared by its own", "server's name", "topic", "sequence"],
)
def test_a_database_belongs_to_the_participants_that_it_is_named_after(text: str, owners: tuple[str, ...]) -> None:
    assert arrows(text)[0].owners == owners


def test_arrows_of_two_diagrams_are_kept_apart() -> None:
    fence = "```mermaid\nsequenceDiagram\n  A->>B: x\n```\n"
    first, second = diagram_facts(design(f"{fence}\nText.\n\n{fence}"))
    assert isinstance(first, Arrow)
    assert isinstance(second, Arrow)
    assert (first.place, second.place) == (0, 0)
    assert first.diagram != second.diagram


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sequenceDiagram\n ->> :",
        "flowchart LR\n --> -->",
        "pie\n a: 1",
        "graph",
        "flowchart LR\n A[(",
        "erDiagram\n A ||--o{ B : has",
    ],
)
def test_a_broken_diagram_yields_nothing(text: str) -> None:
    assert arrows(text) == []


@pytest.mark.parametrize(
    "line", [" " * 60_000 + "x", "a" + "-" * 60_000, "A[" * 30_000, "participant a as" + " b" * 30_000]
)
@pytest.mark.parametrize("head", ["sequenceDiagram", "flowchart LR"])
def test_an_endless_line_takes_no_time(head: str, line: str) -> None:
    started = time.perf_counter()
    assert arrows(f"{head}\n  {line}\n") == []
    assert time.perf_counter() - started < 2
