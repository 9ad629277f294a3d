"""Settings and measures are found in any notation, under one name and in base units."""

from __future__ import annotations

import time

import pytest

from draftproof.bootstrap import Library
from draftproof.documents.cues import Cue
from draftproof.facts.settings import (
    PoolRow,
    Setting,
    SettingRule,
    Topic,
    name_pattern,
    phrase_pattern,
    pool_facts,
    setting_facts,
    topic_facts,
)
from draftproof.settings import load_settings
from tests.fakes.documents import design


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(load_settings())


@pytest.fixture(scope="module")
def cues(library: Library) -> tuple[Cue, ...]:
    return tuple(library.cues)


def found(library: Library, text: str) -> list[Setting]:
    return list(setting_facts(design(text), library.cues, library.setting_rules))


def numbers(library: Library, text: str, name: str) -> list[float]:
    return [setting.number for setting in found(library, text) if setting.name == name]


@pytest.mark.parametrize(
    "text",
    [
        "```properties\nsession.timeout.ms=30000\n```",
        "```yaml\nsession_timeout_ms: 30000\n```",
        "```python\nAIOKafkaConsumer(session_timeout_ms=30000)\n```",
        "```\nKAFKA_SESSION_TIMEOUT_MS=30000\n```",
        "The session timeout is 30 s.",
        "The session timeout of 30 seconds holds.",
        "`session.timeout.ms` = 30,000",
        "| Setting | Value |\n|---|---|\n| session.timeout.ms | 30000 |",
        "The session timeout is thirty seconds.",
        "A session-timeout: 0.5 min.",
    ],
)
def test_one_setting_is_found_in_any_notation_and_counted_in_seconds(library: Library, text: str) -> None:
    assert numbers(library, text, "session_timeout") == [30]


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("`max.poll.interval.ms` is 300000.", "max_poll_interval", 300),
        ("`statement_timeout` = 5s", "statement_timeout", 5),
        ("`statement_timeout` = 2500", "statement_timeout", 2.5),
        ("RPO: 15 minutes.", "rpo", 900),
        ("The recovery time objective is 4 hours.", "rto", 14_400),
        ("Availability is 99.95 %.", "availability", 99.95),
        ("A pool of 20 serves each pod.", "pool_size", 20),
        ("We run five brokers.", "brokers", 5),
        ("Kafka has a single broker.", "brokers", 1),
        ("A nightly pg_dump is kept.", "backup_interval", 86_400),
        ("The access token is valid for 15 minutes.", "token_lifetime", 900),
        ("The export takes 8 to 12 minutes.", "job_duration", 720),
        ("Prices are cached for 10 minutes.", "cache_ttl", 600),
    ],
)
def test_phrases_give_numbers_in_base_units(library: Library, text: str, name: str, number: float) -> None:
    assert numbers(library, text, name) == [pytest.approx(number)]


def test_python_gives_durations_as_keywords(library: Library) -> None:
    text = '```python\npayload = {"exp": now + timedelta(days=30)}\n```'
    assert numbers(library, text, "token_lifetime") == [30 * 86_400]
    assert numbers(library, "```\nACCESS_TOKEN_EXPIRE_MINUTES=30\n```", "token_lifetime") == [1800]


@pytest.mark.parametrize(
    ("text", "value"),
    [("`acks=all`", "all"), ("acks is 1", "1"), ("ACKS: All", "all"), ('acks="all"', "all"), ("acks=-1", "-1")],
)
def test_words_are_kept_in_lower_case(library: Library, text: str, value: str) -> None:
    assert [setting.value for setting in found(library, text) if setting.name == "acks"] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "The number of partitions will be 12 in a later phase.",
        "We decided against 12 partitions.",
        "# Open points\n\n12 partitions\n",
        "> 12 partitions",
        "Partitions are many.",
        "The version is partitions 1.2.3.4",
        "See partitions 3/4.",
    ],
)
def test_what_is_put_off_refused_quoted_or_no_number_is_no_setting(library: Library, text: str) -> None:
    assert numbers(library, text, "partitions") == []


def test_a_setting_knows_its_line_and_sentence_and_whether_it_is_code(library: Library) -> None:
    text = "Intro.\n\nKafka has 3 brokers. The API runs elsewhere.\n\n```properties\na=b\nnum.partitions=6\n```\n"
    settings = {setting.name: setting for setting in found(library, text)}
    assert (settings["brokers"].span.first, settings["brokers"].code) == (3, False)
    assert settings["brokers"].subject == "kafka has 3 brokers"
    assert (settings["default_partitions"].span.first, settings["default_partitions"].code) == (7, True)


def test_a_table_is_read_by_the_column_of_values_not_of_defaults(library: Library) -> None:
    table = "| Setting | Default | {} |\n|---|---|---|\n| `session.timeout.ms` | 45000 | 30000 |"
    assert numbers(library, table.format("Value"), "session_timeout") == [30]
    assert numbers(library, table.format("Note"), "session_timeout") == []


def test_a_place_is_counted_once_for_each_name(library: Library) -> None:
    assert numbers(library, "Each topic has 12 partitions.", "partitions") == [12]


def test_names_are_the_same_with_dots_dashes_underscores_and_spaces() -> None:
    pattern = name_pattern(["pool.size"])
    assert all(pattern.search(text) for text in ("pool.size", "POOL_SIZE", "pool-size", "pool size", "poolsize"))
    assert not pattern.search("whirlpool size")
    assert not pattern.search("pool sizes")


def test_the_first_of_two_durations_may_lack_its_unit() -> None:
    pattern = phrase_pattern("takes (?:{d}\\s*(?:to|-|\N{EN DASH})\\s*)?{d2}")
    for text in ("takes 8 to 12 minutes", "takes 8 min to 12 minutes", "takes 12 minutes"):
        match = pattern.search(text)
        assert match is not None
        assert match.group("d2") == "12 minutes"


def test_a_long_passage_takes_no_time(library: Library) -> None:
    started = time.perf_counter()
    assert isinstance(found(library, "retention " * 20_000), list)
    assert time.perf_counter() - started < 20


def test_no_rules_find_nothing(cues: tuple[Cue, ...]) -> None:
    rules: tuple[SettingRule, ...] = ()
    assert list(setting_facts(design("acks=all"), cues, rules)) == []


TOPICS = """\
| Topic | Partitions | Replication | Retention | Key |
|---|---|---|---|---|
| `shop.orders.v1` | 12 | 3 | 7 days | `order_id` |
| shop.mail | many | | | none |
"""


def test_a_table_of_topics_gives_one_for_each_row() -> None:
    orders, mail = topic_facts(design(TOPICS))
    assert isinstance(orders, Topic)
    assert (orders.name, orders.partitions, orders.replication, orders.retention_s, orders.key) == (
        "shop.orders.v1",
        12,
        3,
        7 * 86_400,
        "order_id",
    )
    assert (mail.name, mail.partitions, mail.retention_s, mail.key) == ("shop.mail", 0, 0, "none")
    assert orders.span.first == 3


@pytest.mark.parametrize(
    "table",
    [
        "| Name | Partitions |\n|---|---|\n| a | 1 |",
        "| Topic | Note |\n|---|---|\n| a.b | text |",
        "| Topic |\n|---|\n| |",
        "",
    ],
)
def test_other_tables_hold_no_topics(table: str) -> None:
    assert list(topic_facts(design(f"Text.\n\n{table}\n"))) == []


def test_a_table_of_pools_is_multiplied_out() -> None:
    rows = list(
        pool_facts(
            design(
                "| Process | Replicas | Workers | Pool |\n|---|---|---|---|\n| `API` | 2 to 6 | 2 | 10 + 5 |\n"
                "| Relay | 1 | | 4 |\n| Other | | | 4 |\n"
            )
        )
    )
    assert [(row.name, row.instances, row.workers, row.size, row.total) for row in rows] == [
        ("api", 6, 2, 15, 180),
        ("relay", 1, 1, 4, 4),
    ]
    assert all(isinstance(row, PoolRow) for row in rows)


def test_a_table_without_pools_has_no_rows_of_them() -> None:
    assert list(pool_facts(design("| Process | Replicas |\n|---|---|\n| API | 3 |\n"))) == []
