"""Contradictions: few, right, and quoted on both sides."""

from __future__ import annotations

import pytest

from draftproof.documents.quotes import is_verbatim
from draftproof.documents.requirements import find_requirements
from draftproof.domain.document import DocumentName, Requirements
from draftproof.domain.findings import Inconsistency
from draftproof.domain.rubric import Rubric
from draftproof.review.consistency import find_inconsistencies
from draftproof.review.prepare import Reference, prepare
from tests.fakes.documents import design, requirements_document
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.product import cues, purposes


def found(text: str, *needs: str, embedded: bool = True) -> tuple[Inconsistency, ...]:
    document = requirements_document(
        "# R\n\n" + "".join(f"- FR-{number}: {need}\n" for number, need in enumerate(needs, start=1))
    )
    wanted = Requirements(document, find_requirements(document)) if needs else None
    reference = Reference(Rubric(()), cues(), (), FakeEmbedder().embed if embedded else None)
    return find_inconsistencies(prepare(design(text), wanted, reference), purposes())


def test_value_that_breaks_the_requirement_is_reported_with_both_lines() -> None:
    text = "# D\n\nWe use Kafka.\n\nPayment records are kept for 90 days\n"
    (one,) = found(text, "Payment records are kept for 10 years", "Mail is blue")

    assert one.summary == "The design says 90 days at line 5, FR-1 asks for at least 10 years."
    assert [(e.document, str(e.span)) for e in one.evidence] == [
        (DocumentName.DESIGN, "5"),
        (DocumentName.REQUIREMENTS, "3"),
    ]
    assert is_verbatim(one.evidence[0], design(text))


@pytest.mark.parametrize(
    ("need", "line"),
    [
        ("Payment records are kept for 90 days", "Payment records are kept for 90 days"),
        ("Payment records are kept for 90 days", "Payment records are kept for 120 days"),
        ("Answers to payment calls come within 2 s", "Answers to payment calls come within 500 ms"),
        ("Payment records are kept for 10 years", "Holiday pictures of staff vanish after 90 days"),
        ("Payment records are kept for 10 years", "Payment records are kept in 3 replicas"),
    ],
    ids=["same value", "kept longer", "quicker", "another thing", "another dimension"],
)
def test_value_that_does_not_break_it_is_not_reported(need: str, line: str) -> None:
    assert found(f"# D\n\n{line}\n\nWe use Kafka.\n", need, "Mail is blue") == ()


def test_value_that_another_place_states_rightly_is_not_reported() -> None:
    text = "# D\n\nPayment records are kept for 90 days\n\nPayment records are kept for 10 years\n"

    assert found(text, "Payment records are kept for 10 years", "Mail is blue") == ()


def test_values_about_different_things_are_not_compared() -> None:
    text = "# D\n\nPayment records: phase one takes 4 weeks\n\nWe use Kafka.\n"

    assert found(text, "Payment records are kept for 10 years", "Mail is blue") == ()


def test_a_value_about_another_thing_settles_nothing() -> None:
    text = "# D\n\nPayment records are kept for 90 days\n\nPayment records of the pilot: 10 years\n"
    (one,) = found(text, "Payment records are kept for 10 years", "Mail is blue")

    assert "90 days at line 3" in one.summary


def test_value_in_milliseconds_is_compared_with_seconds() -> None:
    text = "# D\n\nAnswers to payment calls come within 3 s\n\nWe use Kafka.\n"
    (one,) = found(text, "Answers to payment calls come within 300 ms", "Mail is blue")

    assert "3 s" in one.summary
    assert "at most 300 ms" in one.summary


def test_value_in_a_quotation_is_not_the_designs() -> None:
    assert (
        found("# D\n\n> Payment records are kept for 90 days\n", "Payment records are kept for 10 years", "x y") == ()
    )


def test_value_that_stands_beside_another_one_in_the_sentence_settles_it() -> None:
    text = "# D\n\nGroup data is deleted 60 days after the visit, log data after 30 days\n"
    assert not found(text, "Group data is deleted 60 days after the visit")


def test_counts_of_one_kind_are_compared() -> None:
    text = "# D\n\nLimit: at most 3 open bookings for a household\n"
    (one,) = found(text, "A household holds at most two open bookings")
    assert "3 open bookings" in one.summary


def test_without_requirements_or_embedder_no_value_is_compared() -> None:
    text = "# D\n\nPayment records are kept for 90 days\n"

    assert found(text) == ()
    assert found(text, "Payment records are kept for 10 years", "Mail is blue", embedded=False) == ()


TOPICS = "# D\n\n| Topic | Key |\n|---|---|\n| `orders.placed.v1` | id |\n| `mail.sent.v1` | id |\n\n"


@pytest.mark.parametrize(
    "code",
    [
        '```python\nproducer.send_and_wait("order.placed.v1", event)\n```',
        '```python\nconsumer = AIOKafkaConsumer("orders.placed.v2")\n```',
        "The relay writes to topic `orders-placed`.",
        "```yaml\nKAFKA_ORDERS_TOPIC: 'orders.placed'\n```",
    ],
)
def test_topic_that_code_names_otherwise_than_the_table_is_reported(code: str) -> None:
    (one,) = found(TOPICS + code + "\n")

    assert "`orders.placed.v1` in the table at line 5" in one.summary
    assert [str(e.span) for e in one.evidence][1] == "5"
    assert all(is_verbatim(e, design(TOPICS + code + "\n")) for e in one.evidence)


@pytest.mark.parametrize(
    "code",
    [
        '```python\nproducer.send_and_wait("orders.placed.v1", event)\n```',
        '```python\nproducer.send_and_wait("billing.invoice.v1", event)\n```',
        '```python\nproducer.send_and_wait("orders.placed.v1", e)\nproducer.send("orders.placed.dlq", e)\n```',
        "No topic is named here.",
    ],
    ids=["the same", "nothing alike", "the listed one is used too", "none"],
)
def test_topic_that_fits_or_is_another_is_not_reported(code: str) -> None:
    assert found(TOPICS + code + "\n") == ()


def test_topics_without_a_table_are_not_compared() -> None:
    assert found('# D\n\n```python\nsend("a.b")\nsend("a.c")\n```\n') == ()
