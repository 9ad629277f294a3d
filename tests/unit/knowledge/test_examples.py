"""Every rule of the checker catches a planted fault and lets a right example pass."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from draftproof.errors import DataError
from draftproof.knowledge.checking import note_file_faults
from draftproof.knowledge.examples import faults_of_example
from draftproof.knowledge.kafka_names import load_kafka_names
from draftproof.knowledge.note_form import note_faults

ROOT = Path(__file__).resolve().parents[3]
KAFKA_FILE = ROOT / "knowledge" / "kafka-settings.yaml"
KAFKA = load_kafka_names(KAFKA_FILE.read_text(encoding="utf-8"), str(KAFKA_FILE))

RIGHT = {
    "python": "async def f(x: int) -> int:\n    return x\n",
    "python client": "p = AIOKafkaProducer(bootstrap_servers='k', acks='all', **more)\n",
    "python confluent": "p = Producer({'bootstrap.servers': 'k', 'acks': 'all', 'my.own': 1})\n",
    "sql": "CREATE TABLE t (id bigint PRIMARY KEY);\nSELECT id FROM t WHERE id = $1 OR a = :a FOR UPDATE;\n",
    "sql passed on": "ALTER TABLE claim ENABLE ROW LEVEL SECURITY;\nCREATE ROLE a LOGIN;\nVACUUM t;\n",
    "sql cast": "SELECT payload ->> 'a', x::uuid, ARRAY[1, 2][1:2] FROM t; -- :'a' in a comment\n",
    "yaml": "a: {b: 1}\n---\n- x: &m {c: 1}\n- {<<: *m, d: 2}\n",
    "toml": "[tool.ruff]\nline-length = 120\n",
    "json": '[{"a": 1}, {"a": null}]\n',
    "properties": "# a comment\nacks=all\nmin.insync.replicas = 2\nsuper.users=User:a;\\\n  User:b\n",
    "properties prefixed": "producer.linger.ms=5\nlistener.name.client.ssl.client.auth=required\nretries=5\n",
    "properties of others": "[pgbouncer]\npool_mode = transaction\nmax_client_conn = 1000\n",
    "properties of Spring": "spring.kafka.consumer.group-id=a\nserver.port=8080\nmanagement.metrics.enable.all=true\n",
    "makefile": (
        "SHELL := /bin/bash\n.PHONY: a b\n\ninclude x.mk\nO = $(S:.c=.o)\na: b c ; ls\nb:\n\techo $$HOME; \\\n\tls\n"
        "\n# a comment\n%.o: %.c | out\n\tcc $<\n$(OUT)/x: b\n\ttrue\nifdef CI\nc: export A = 1\nendif\n"
    ),
    "dockerfile": (
        "# syntax=docker/dockerfile:1\nARG V=3.13\nFROM python:$V AS build\nRUN ls && \\\n    # why\n    ls\n"
        'RUN <<EOF\nset -e\nEOF\nCMD ["python", "-m", "app"]\n'
    ),
    "mermaid": "%% a comment\nsequenceDiagram\n    a->>b: x\n",
    "mermaid with a title": "---\ntitle: x\n---\nflowchart LR\n  a --> b\n",
    "bash": "if [ ; then\n",
    "http": "GET / HTTP/1.1\n",
}
WRONG = {
    "python": ("def f(:\n    pass\n", "line 1: not Python"),
    "python on a later line": ("x = 1\ny = = 2\n", "line 2: not Python"),
    "python escape": ('x = "\\d"\n', "line 1: not Python"),
    "python client": ("a = 1\np = AIOKafkaProducer(ack='all')\n", "line 2: AIOKafkaProducer has no argument ack."),
    "python client of the other kind": ("AIOKafkaConsumer('t', linger_ms=5)\n", "has no argument linger_ms"),
    "python confluent": ("Consumer({'enable.autocommit': False})\n", "enable.auto.commit is near"),
    "sql": ("SELECT id;\nSELECT FROM WHERE x = (1;\n", "not SQL of PostgreSQL"),
    "sql misspelt": ("SELECT 1;\nCREAT TABLE t (id int);\n", "PostgreSQL"),
    "sql of psql": ("\\set id 5\nSELECT :id;\n", "line 1: a command or variable of psql"),
    "sql variable of psql": ("SELECT 1;\nSELECT :'name';\n", "line 2: a command or variable of psql"),
    "sql that is none": ("hello\n", "not a statement of PostgreSQL: 'hello'"),
    "sql passed on": ("SELECT 1;\nALTER TBL claim ENABLE;\n", "line 2: not a statement of PostgreSQL"),
    "yaml": ("a: 1\n b: 2\n", "line 2: not YAML"),
    "yaml tag": ("a: !!python/object:os.system {}\n", "line 1: not YAML"),
    "yaml twins": ("a: 1\nb: {c: 1, c: 2}\n", "line 2: the key 'c' stands twice."),
    "yaml in a second document": ("a: 1\n---\nb: [\n", "not YAML"),
    "toml": ("a = 1\nb =\n", "line 2: not TOML"),
    "json": ('{"a": 1,\n}\n', "not JSON"),
    "json twins": ('{"a": 1, "a": 2}\n', "the key 'a' stands twice."),
    "json constant": ('{"a": NaN}\n', "JSON has no NaN."),
    "properties": ("acks all\n", "line 1: not of the form key=value"),
    "properties twins": ("acks=all\nacks=1\n", "line 2: the key 'acks' stands twice."),
    "properties misspelt": ("min.insync.replica=2\n", "min.insync.replicas is near"),
    "properties invented": (
        "retention.ms=1\nsegment.ms=1\nreplay.window=2\n",
        "line 3: Kafka has no setting replay.window.",
    ),
    "makefile blanks": ("a:\n    echo\n", "line 2: a recipe line has to begin with a tab."),
    "makefile recipe first": ("\techo\n", "line 1: a recipe line without a target"),
    "makefile target": ("a:\n\techo\nbuild all now\n", "line 3: neither target, variable nor recipe"),
    "dockerfile": ("FROM a\nINSTALL b\n", "line 2: INSTALL is no instruction"),
    "dockerfile first": ("RUN ls\n", "line 1: the first instruction"),
    "dockerfile bare": ("FROM\n", "line 1: FROM has no argument."),
    "dockerfile exec form": ("FROM a\nCMD ['a']\n", "line 2: CMD in exec form"),
    "mermaid": ("sequence\n  a->>b: x\n", "line 1: no type of diagram"),
    "mermaid bare": ("gantt\n", "the diagram has only its type."),
    "mermaid empty": ("%% only a comment\n", "the diagram is empty."),
    "pyhton": ("x = 1\n", "the language 'pyhton' is not known."),
    "python without a line": ("  \n", "the example is empty."),
}

NOTE = """\
---
id: dead-letters-here
title: Dead letters go to one topic
checks: [evt.dlq]
versions: any
sources:
  - {title: "Handbook", version: "4"}
reviewed: 2026-11-24
recommendation: >-
  Send what failed to `<topic>.dlq`.
---
## Practice
Why, with `acks=all` and `min.insync.replicas`.

## How
What, see `poll.interval.ms` of Debezium and `order.placed.v1`.

```yaml
a: 1
```

## Numbers
One.

## Prevents
Loss.

## When it does not apply
Never.

## Ask
- Who looks?
- When?
"""
# What is replaced, by what, and what is said of it.
FAULTY_NOTES = {
    "no front matter": ("---\nid:", "id:", "n.md:1: the front matter"),
    "reviewed": ("2026-11-24", "24.11.2026", "n.md:8: reviewed"),
    "reviewed on no day": ("2026-11-24", '"2026-11-31"', "n.md:8: reviewed"),
    "no source": ('sources:\n  - {title: "Handbook", version: "4"}', "sources: []", "n.md:6: sources: at least one"),
    "source without version": (', version: "4"', "", "n.md:6: sources: number 1 lacks"),
    "long recommendation": ("Send what", "Send " + "very " * 60 + "what", "n.md:9: recommendation: 65 words"),
    "no recommendation": (">-\n  Send what failed to `<topic>.dlq`.", '""', "n.md:9: recommendation: it is empty"),
    "heading missing": ("## Prevents\nLoss.\n", "", "n.md:12: the heading 'Prevents' is missing."),
    "heading unknown": ("## Prevents", "## Avoids", "n.md:25: the heading 'Avoids' is none of"),
    "heading twice": ("## Numbers", "## How", "n.md:22: the heading 'How' stands twice."),
    "heading out of order": (
        "## Numbers\nOne.\n\n## Prevents\nLoss.",
        "## Prevents\nLoss.\n\n## Numbers\nOne.",
        "n.md:22: the heading 'Prevents' stands where 'Numbers' belongs.",
    ),
    "heading without text": ("## Prevents\nLoss.\n", "## Prevents\n", "n.md:25: 'Prevents' is empty."),
    "no question": ("- Who looks?\n- When?\n", "Nobody asks.\n", "n.md:31: 'Ask' has 0 questions"),
    "four questions": ("- When?", "- When?\n- A?\n- B?", "n.md:31: 'Ask' has 4 questions"),
    "statement": ("- When?", "- At noon.", "n.md:31: not a question: 'At noon.'"),
    "no example": ("```yaml\na: 1\n```\n", "", "n.md:12: there is no fenced example."),
    "example without language": ("```yaml", "```", "n.md:18: the example names no language"),
    "faulty example": ("a: 1\n", "a: 1\nb: [\n", "not YAML"),
    "fence left open": ("a: 1\n```\n", "a: 1\n", "n.md:18: the fence is not closed."),
    "setting in prose": (
        "`min.insync.replicas`",
        "`min.insync.replica=2`",
        "n.md:13: Kafka has no setting min.insync.replica",
    ),
    "setting in the recommendation": ("Send what", "Set `enable.auto.comit` if", "n.md:10: Kafka has no setting"),
}


def language(case: str) -> str:
    return case.split()[0]


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_example_passes(case: str):
    assert faults_of_example(language(case), RIGHT[case], KAFKA) == []


@pytest.mark.parametrize("case", WRONG)
def test_a_planted_fault_is_found(case: str):
    code, expected = WRONG[case]
    faults = faults_of_example(language(case), code, KAFKA)

    assert [fault for fault in faults if expected in fault], faults
    assert all(fault.startswith("line ") for fault in faults)


def test_sqlglot_neither_warns_nor_stays_silenced(caplog: pytest.LogCaptureFixture):
    before = logging.getLogger("sqlglot").level
    with caplog.at_level(logging.DEBUG):
        faults_of_example("sql", "CREATE ROLE a LOGIN;\n")

    assert caplog.records == []
    assert logging.getLogger("sqlglot").level == before


def test_without_the_list_no_name_is_checked():
    assert faults_of_example("properties", "min.insync.replica=2\n") == []
    assert faults_of_example("python", "AIOKafkaProducer(ack=1)\n") == []


def test_a_right_note_passes_with_and_without_numbers():
    assert note_faults(NOTE, "n.md", KAFKA) == []
    assert note_faults(NOTE.replace("## Numbers\nOne.\n\n", ""), "n.md", KAFKA) == []


def test_the_example_of_the_guide_passes():
    guide = (ROOT / "knowledge" / "README.md").read_text(encoding="utf-8")
    note = guide.split("````markdown\n")[1].split("````")[0]

    assert note_faults(note, "dead-letters-at-our-company.md", KAFKA) == []


@pytest.mark.parametrize("case", FAULTY_NOTES)
def test_a_fault_of_a_note_is_found_with_its_line(case: str):
    before, after, expected = FAULTY_NOTES[case]
    assert NOTE.count(before) == 1
    faults = note_faults(NOTE.replace(before, after), "n.md", KAFKA)

    assert [fault for fault in faults if expected in fault], faults


def test_headings_within_an_example_are_none_of_the_note():
    note = NOTE.replace("```yaml\na: 1\n```", "````markdown\n## Other\n```yaml\na: [\n```\n````")

    assert note_faults(note, "n.md", KAFKA) == []


@pytest.mark.parametrize(
    "name",
    [
        "order.placed.v1",
        "app.routes",
        "asyncio.timeout",
        "poll.interval.ms",
        "spring.kafka.listener.ack-mode",
        "kafka.server",
        "max.poll.records",
        "topic.prefix",
        "org.apache.kafka.common",
        "http.server.request.duration",
        "testcontainers.community",
        "log.level",
        "retry.max.attempts",
        "quarkus.datasource.jdbc.url",
        "kafka.bootstrap.servers",
        "lock.timeout.ms",
        "request.timeout",
        "task.max",
        "messaging.kafka.consumer.group",
    ],
)
def test_names_that_are_none_of_kafkas_raise_no_alarm(name: str):
    assert KAFKA.misspelt(name) is None


@pytest.mark.parametrize(
    ("scope", "least"),
    [
        ("producer", 40),
        ("consumer", 40),
        ("broker", 80),
        ("topic", 30),
        ("librdkafka", 60),
        ("aiokafka-producer", 20),
        ("aiokafka-consumer", 30),
    ],
)
def test_the_list_of_settings_covers_every_client(scope: str, least: int):
    assert len(KAFKA.by_scope[scope]) >= least


def test_a_setting_that_stands_twice_is_refused():
    text = "settings:\n  - {name: acks, scopes: [producer]}\n  - {name: acks, scopes: [producer]}\n"

    with pytest.raises(DataError, match="acks stands twice for producer"):
        load_kafka_names(text, "k.yaml")


def test_the_check_of_a_file_knows_the_settings():
    note = NOTE.replace("`min.insync.replicas`", "`min.insync.replica`")

    assert note_file_faults(note, "dead-letters-here.md", ["evt.dlq"], {}, KAFKA) == [
        "dead-letters-here.md:13: Kafka has no setting min.insync.replica; min.insync.replicas is near."
    ]
    assert note_file_faults(note, "dead-letters-here.md", ["evt.dlq"], {}) == []
