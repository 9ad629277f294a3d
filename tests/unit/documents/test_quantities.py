"""Numbers with their units."""

from __future__ import annotations

import pytest

from draftproof.documents.quantities import Bound, contradicts, purposes_of, quantities
from tests.fakes.product import purposes


def one(text: str) -> tuple[str, float]:
    (found,) = quantities(text)
    return found.dimension, pytest.approx(found.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30 ms", 0.03),
        ("30ms", 0.03),
        ("250 milliseconds", 0.25),
        ("2 s", 2),
        ("0.5 s", 0.5),
        ("60 sec", 60),
        ("5 min", 300),
        ("10 mins", 600),
        ("a 30-minute window", 1800),
        ("24h", 86400),
        ("1 hr", 3600),
        ("7d", 604800),
        ("90 days", 7776000),
        ("2 weeks", 1209600),
        ("6 months", 15552000),
        ("10 years", 315360000),
        ("half an hour", 1800),
        ("half a second", 0.5),
        ("ten seconds", 10),
        ("a five-minute wait", 300),
        ("timeout=5s", 5),
    ],
)
def test_duration_is_in_seconds(text: str, seconds: float) -> None:
    assert one(text) == ("duration", seconds)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("500 KB", "size", 5e5),
        ("512 MiB", "size", 512e6),
        ("20 GB", "size", 2e10),
        ("1.5 TB", "size", 1.5e12),
        ("99.95 %", "share", 99.95),
        ("99.9%", "share", 99.9),
        ("5 percent", "share", 5),
        ("500 €", "money", 500),
        ("1,200 EUR", "money", 1200),
        ("30 euros", "money", 30),
        ("12 partitions", "number of partition", 12),
        ("three replicas", "number of replica", 3),
        ("1 device", "number of device", 1),
        ("three retries", "number of try", 3),
        ("4 attempts", "number of try", 4),
        ("3 times", "number of try", 3),
        ("2,000 users", "number of user", 2000),
        ("10 000 users", "number of user", 10000),
        ("1,234,567 rows", "number of row", 1234567),
    ],
)
def test_size_share_money_and_number_have_their_dimension(text: str, dimension: str, value: float) -> None:
    assert one(text) == (dimension, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50k users", 5e4),
        ("50 K users", 5e4),
        ("3M users", 3e6),
        ("3 million users", 3e6),
        ("1.5 million users", 1.5e6),
        ("two thousand users", 2000),
        ("2 billion users", 2e9),
        ("2 bn users", 2e9),
    ],
)
def test_factor_multiplies(text: str, value: float) -> None:
    assert one(text) == ("number of user", value)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("2,000 requests per second", "rate of number of request", 2000),
        ("40 events/s", "rate of number of event", 40),
        ("40 events / second", "rate of number of event", 40),
        ("5k events/sec", "rate of number of event", 5000),
        ("600 requests per minute", "rate of number of request", 10),
        ("5 k requests/min", "rate of number of request", 5000 / 60),
        ("7200 messages an hour", "rate of number of message", 2),
        ("1.728 million messages a day", "rate of number of message", 20),
        ("100 orders each second", "rate of number of order", 100),
        ("86.4 GB per day", "rate of size", 1e6),
    ],
)
def test_rate_is_a_second(text: str, dimension: str, value: float) -> None:
    assert one(text) == (dimension, value)


@pytest.mark.parametrize(
    "text", ["version 3.12", "v1.2.3 days", "p95", "port 8080", "10-20 ms", "timeout_ms=500", "5xx", "a day", ""]
)
def test_number_without_a_clear_unit_is_none(text: str) -> None:
    assert quantities(text) == []


def test_a_year_in_front_of_a_number_is_no_thousands() -> None:
    assert one("from 2024 500 users") == ("number of user", 500)


@pytest.mark.parametrize(
    "text",
    [
        "within 2 s",
        "at most 2 s",
        "no more than 2 s",
        "not longer than 2 s",
        "less than 2 s",
        "under 2 s",
        "up to 2 s",
        "max. 2 s",
        "< 2 s",
        "≤ 2 s",
        "p95 2 s",
        "2 s at most",
        "2 s or less",
    ],
)
def test_words_of_an_upper_bound(text: str) -> None:
    assert [q.bound for q in quantities(text)] == [Bound.UPPER]


@pytest.mark.parametrize(
    "text",
    [
        "at least 3 nodes",
        "no fewer than 3 nodes",
        "minimum 3 nodes",
        "min. 3 nodes",
        "more than 3 nodes",
        ">= 3 nodes",
        "≥ 3 nodes",
        "3 nodes or more",
        "kept for 3 years",
        "retained 3 years",
        "archived for 3 years",
    ],
)
def test_words_of_a_lower_bound(text: str) -> None:
    assert [q.bound for q in quantities(text)] == [Bound.LOWER]


def test_plain_number_is_exact_and_knows_its_place_and_wording() -> None:
    (found,) = quantities("The cache lives 30 s there")

    assert (found.bound, found.start, found.text) == (Bound.EXACT, 16, "30 s")


def test_quantities_come_in_their_order() -> None:
    assert [q.text for q in quantities("3 replicas, 12 partitions, 7 days")] == [
        "3 replicas",
        "12 partitions",
        "7 days",
    ]


@pytest.mark.parametrize(
    ("needed", "stated", "broken"),
    [
        ("within 2 s", "3 s", True),
        ("within 2 s", "2 s", False),
        ("within 2 s", "500 ms", False),
        ("within 500 ms", "1 s", True),
        ("at least 3 replicas", "2 replicas", True),
        ("at least 3 replicas", "5 replicas", False),
        ("12 partitions", "6 partitions", True),
        ("12 partitions", "twelve partitions", False),
        ("kept for 10 years", "90 days", True),
        ("within 2 s", "3 replicas", False),
        ("100 requests per second", "6000 requests per minute", False),
        ("2 s", "2000 ms", False),
        ("1 day", "24 h", False),
        ("0 retries", "3 retries", False),
    ],
)
def test_stated_quantity_breaks_a_needed_one_of_its_dimension_only(needed: str, stated: str, broken: bool) -> None:
    assert contradicts(quantities(needed)[0], quantities(stated)[0]) is broken


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Rows older than 30 days are removed every night", {"retention", "freshness"}),
        ("RTO 4 h for the loss of a data centre", {"recovery"}),
        ("Intake is available 99.95 % per month", {"availability"}),
        ("95 % of the feed requests answer within 300 ms", {"latency"}),
        ("The board polls every 10 seconds", {"freshness"}),
        ("timeout 5 s, 3 attempts", {"trying"}),
        ("A session lasts for 60 minutes", set()),
        ("Logs are kept. " + "Nothing else is said of them, " * 4 + "and the box has 40 GB", set()),
    ],
)
def test_the_words_around_a_quantity_tell_what_it_is_about(text: str, about: set[str]) -> None:
    assert purposes_of(quantities(text)[-1], text, purposes()) == about


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("done before 5 min have passed", Bound.UPPER),
        ("a reminder goes out 48 hours before the visit", Bound.EXACT),
        ("nothing is lost, even if the provider is away for 4 hours", Bound.LOWER),
    ],
)
def test_a_bound_is_read_from_the_side_where_it_stands(text: str, bound: Bound) -> None:
    assert quantities(text)[0].bound is bound
