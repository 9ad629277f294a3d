"""The engine of the rules over facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from draftproof.documents.markdown import parse
from draftproof.domain.document import Document, DocumentName, Span
from draftproof.domain.findings import Verdict
from draftproof.errors import DataError
from draftproof.facts.base import Fact, Facts, blocks
from draftproof.facts.rules import FactRule, fire
from draftproof.knowledge.loading import load_fact_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(Fact):
    kind: ClassVar[str] = "pool"
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Fact):
    kind: ClassVar[str] = "limit"
    value: int


def rule(when: str, says: str = "{{ pool.size }} of {{ limit.value }}") -> FactRule:
    return FactRule(
        "too-many", "data.pooling", Verdict.FLAWED, {"pool": "pool", "limit": "limit"}, when, says, "It waits.", "Less."
    )


FACTS = Facts([Pool(span=Span(3, 3), size=20), Pool(span=Span(5, 5), size=5), Limit(span=Span(9, 9), value=10)])


def test_a_rule_fires_for_each_combination_that_holds_and_quotes_its_lines() -> None:
    (hit,) = fire([rule("pool.size > limit.value")], FACTS, "")
    assert (hit.sentence, hit.spans) == ("20 of 10", (Span(3, 3), Span(9, 9)))


def test_a_rule_without_facts_of_its_kinds_is_silent() -> None:
    assert fire([rule("true")], Facts([Limit(span=Span(1, 1), value=1)]), "") == []


@pytest.mark.parametrize(
    ("when", "fires"),
    [
        ("mentions('MAX_conn')", True),
        ("mentions('durable')", False),
        ("required('durable')", True),
        ("facts('pool') | length == 2", True),
        ("pool.size is matching('^2')", True),
    ],
)
def test_conditions_see_the_texts_and_all_facts(when: str, fires: bool) -> None:
    assert bool(fire([rule(when)], FACTS, "max_connections", "must be durable")) is fires


def document(text: str) -> Document:
    parsed = parse(text)
    return Document(DocumentName.DESIGN, "d.md", text, "", "", parsed.sections, parsed.passages)


def test_a_block_is_whole_however_its_passages_were_cut() -> None:
    body = "\n".join(f"CREATE TABLE t{i} (id int);\n" for i in range(12))
    (block,) = blocks(document(f"# A\n\n```sql\n{body}```\n"))
    assert block.text.count("CREATE") == 12
    assert block.lines(2) == Span(6, 6)


RULES = """
rules:
  - id: too-many
    check: {check}
    verdict: flawed
    binds: {{pool: pool}}
    when: {when}
    says: x
    breaks: {breaks}
    fix: y
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"check": "none.such"}, "no check none.such"),
        ({"when": '"pool.size >"'}, "too-many"),
        ({"breaks": '""'}, "needs 'breaks'"),
    ],
)
def test_a_faulty_rule_is_refused_with_its_file_and_id(change: dict[str, str], message: str) -> None:
    text = RULES.format(**{"check": "data.pooling", "when": "pool.size > 1", "breaks": "b", **change})
    with pytest.raises(DataError, match=message):
        load_fact_rules({"f.yaml": text}, ["data.pooling"])
