"""Advice fits the system: what has no Kafka is not told of partitions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from draftproof.bootstrap import Library
from draftproof.domain.findings import Finding, Verdict
from draftproof.domain.rubric import Rubric
from draftproof.errors import DataError
from draftproof.knowledge.loading import load_parts
from draftproof.review.advice import with_advice
from draftproof.review.aspects import PatternScan
from draftproof.review.parts import PartsPresent
from draftproof.settings import load_settings
from tests.fakes.documents import design

KAFKA = "Orders are published to the Kafka topic `orders.placed.v1`; billing and mailing consume it as consumer groups."
RABBIT = "Orders are published to RabbitMQ; workers consume them from queues and publish what follows to the broker."
NEITHER = "The API is FastAPI over HTTP, data is in PostgreSQL, and a nightly job sends the invoices."
PARTITIONED = "Queues are partitioned by user; consumers of one partition keep the order. Redis caches sessions."


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(load_settings({}))


def parts_of(library: Library, *texts: str) -> PartsPresent:
    text = "# Design\n\n" + "\n\n".join(texts) + "\n"
    return PartsPresent(library.parts, PatternScan(design(text), None, library.cues))


@pytest.mark.parametrize(
    ("texts", "lacking"),
    [
        ([KAFKA], set()),
        ([RABBIT, KAFKA], set()),
        ([RABBIT, PARTITIONED, RABBIT], {"kafka-like"}),
        ([NEITHER], {"kafka-like", "kafka"}),
    ],
)
def test_kafka_is_absent_where_another_broker_or_none_is_named(
    library: Library, texts: list[str], lacking: set[str]
) -> None:
    texts = [*texts, *texts[:1] * 2]
    assert set(parts_of(library, *texts).missing) & {"kafka", "kafka-like"} == lacking


@pytest.mark.parametrize(
    ("check_id", "text", "wanted", "unwanted"),
    [
        ("evt.consumer_groups", KAFKA, "enable_auto_commit", "Acknowledge by hand"),
        ("evt.consumer_groups", RABBIT, "Acknowledge by hand", "offset"),
        ("evt.dlq", RABBIT, "dead letter queue", "offset"),
        ("ops.health_checks", RABBIT, "broker's connection", "Kafka"),
        ("ops.health_checks", NEITHER, "SELECT 1", "broker"),
        ("sec.db_connections", RABBIT, "TLS port", "SASL"),
        ("sec.db_connections", NEITHER, "every other connection", "broker"),
    ],
)
def test_advice_and_note_fit_the_broker(library: Library, check_id: str, text: str, wanted: str, unwanted: str) -> None:
    check = library.rubric.by_id[check_id]
    finding = Finding(check_id, Verdict.MISSING, None, 0.8, {}, comment="Not found.")
    finding = replace(finding, lacking=tuple(aspect.name for aspect in check.aspects))
    parts = parts_of(library, text, text, text)
    advised = with_advice(finding, check, library.knowledge, (), {}, parts)
    assert wanted in advised.recommendation
    assert unwanted not in advised.recommendation
    if text != KAFKA and advised.note_id:
        assert not set(library.knowledge.notes[advised.note_id].technologies[:1]) & parts.foreign


def test_every_aspect_that_names_kafka_or_partitions_of_topics_knows_what_to_say_without(library: Library) -> None:
    words = (
        "Kafka",
        "offset",
        "consumer group",
        "in-sync",
        "in.sync",
        "acks=",
        "SASL",
        "max_poll",
        "enable_idempotence",
    )
    silent = [
        f"{check.id} {aspect.id}"
        for check in library.rubric
        for aspect in check.aspects
        if check.id != "evt.partitioning" and not aspect.without and any(word in aspect.advice for word in words)
    ]
    assert not silent


def test_a_part_that_the_rubric_names_has_to_be_there(library: Library) -> None:
    text = "parts:\n  - {id: http, name: an HTTP interface, least: 1, patterns: ['http']}\n"
    with pytest.raises(DataError, match="kafka"):
        load_parts(text, "parts.yaml", Rubric(tuple(library.rubric)).parts)


def test_a_cache_in_redis_does_not_stand_in_for_a_log(library: Library) -> None:
    text = "Topic orders.v1 has 12 partitions; consumers commit offsets after the work, with 3 in-sync replicas."
    assert "kafka-like" not in parts_of(library, text, text, text, "Redis caches sessions.").missing


def test_a_program_that_only_calls_apis_has_none(library: Library) -> None:
    texts = ("The importer reads API keys from Vault.", "The parser holds 429 rows.", "It is a command line tool.")
    assert "http" in parts_of(library, *texts).missing


@pytest.mark.parametrize(
    ("heading", "taken_back"),
    [
        ("Production Gaps", True),
        ("9. Limitations", True),
        ("Rate limitations", False),
        ("Filling gaps in sensor data", False),
    ],
)
def test_what_a_section_of_gaps_names_is_put_off(library: Library, heading: str, taken_back: bool) -> None:
    text = f"# Design\n\n## {heading}\n\nSchema migrations run by Alembic in the pipeline.\n"
    check = library.rubric.by_id["data.migrations"]
    hits = PatternScan(design(text), None, library.cues).hits(check)
    assert hits
    assert any(hit.counts for hit in hits) != taken_back


@pytest.mark.parametrize(
    ("line", "counts"), [("├── orders.queue (durable, TTL=15s)", True), ("├── orders.queue.py", False)]
)
def test_a_tree_of_queues_is_no_tree_of_files(library: Library, line: str, counts: bool) -> None:
    text = f"# Design\n\n## RabbitMQ queues\n\n```\n{line}\n```\n"
    check = library.rubric.by_id["evt.topics"]
    hits = PatternScan(design(text), None, library.cues).hits(check)
    assert any(hit.counts and hit.aspect.id == "topic-list" for hit in hits) == counts
