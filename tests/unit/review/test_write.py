"""What a language model writes: kept where it names lines and invents nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from draftproof.domain.asking import Answer, Effort, ModelRule, Question
from draftproof.domain.findings import Finding, Severity, Verdict
from draftproof.domain.notes import Knowledge
from draftproof.domain.review import SUMMARY
from draftproof.domain.scoring import assess
from draftproof.review.asking import Asker
from draftproof.review.ports import Silence
from draftproof.review.prompts import read_prompt
from draftproof.review.write import PROMPTS, Writer, Written, invented
from tests.fakes.documents import ROOT
from tests.fakes.model import FakeModel
from tests.fakes.product import rubric, scoring
from tests.fakes.reviews import evidence
from tests.unit.review.test_adjudicate import TEXT, material

WRITES = {
    Effort.QUICK: (),
    Effort.STANDARD: ("critical", "summary"),
    Effort.THOROUGH: ("critical", "recommended", "suggested", "sections", "summary"),
}
RULE = ModelRule(share=0.5, told=0.7, ask_below=dict.fromkeys(Effort, 0.5), writes=WRITES)
GOOD = "A message that waits in orders.dlq overnight is replayed after its successors."


class Author(FakeModel):
    """Writes by a function of the members that the question asks for, and keeps what it was asked."""

    name = "author"

    def __init__(self, say: Callable[[str], list[dict[str, Any]]] | str) -> None:
        super().__init__()
        self._say = say

    def answer(self, questions: Sequence[Question], told: Callable[[int], None]) -> list[Answer]:
        self.asked += questions
        told(len(questions))
        if isinstance(self._say, str):
            return [Answer(self._say) for _ in questions]
        return [Answer(json.dumps({m: self._say(m) for m in q.schema["properties"]})) for q in questions]


def finding(check_id: str, verdict: Verdict, line: int) -> Finding:
    severity = {Verdict.FLAWED: Severity.CRITICAL, Verdict.PARTIAL: Severity.RECOMMENDED}.get(verdict)
    return Finding(
        check_id,
        verdict,
        severity,
        0.8,
        {verdict: 0.8},
        evidence=() if verdict is Verdict.MISSING else (evidence(TEXT.split("\n")[line - 1], line),),
        comment="Replay is by hand.",
        recommendation="Name who replays, and in which order.",
    )


def all_findings(**special: Finding) -> tuple[Finding, ...]:
    named = {item.check_id: item for item in special.values()}
    return tuple(named.get(check.id, finding(check.id, Verdict.MET, 11)) for check in rubric())


def written(author: Author, effort: Effort = Effort.STANDARD, **special: Finding) -> Written:
    prompts = {
        name: read_prompt(name, (ROOT / "prompts" / f"{name}.j2").read_text(encoding="utf-8"), f"{name}.j2")
        for name in PROMPTS
    }
    findings = all_findings(**special)
    assessment = assess(rubric(), findings, scoring())
    writer = Writer(Asker(author), prompts, Knowledge({}, ()), RULE, effort)
    return writer.write(rubric(), findings, assessment, material(), Silence())


FLAWED = finding("evt.dlq", Verdict.FLAWED, 7)


def sentence(text: str = GOOD, lines: Sequence[int] = (7,)) -> dict[str, Any]:
    return {"sentence": text, "lines": list(lines)}


def of(result: Written, check_id: str) -> Finding:
    return next(item for item in result.findings if item.check_id == check_id)


def test_a_critical_finding_gets_remark_proposal_and_alternative_with_their_quotations() -> None:
    result = written(Author(lambda _: [sentence()]), a=FLAWED)
    changed = of(result, "evt.dlq")
    for part in (changed.remarks, changed.proposals, changed.alternatives):
        assert [s.text for s in part] == [GOOD]
        assert part[0].evidence[0].quote == TEXT.split("\n")[6]
    assert replace(changed, remarks=(), proposals=(), alternatives=()) == FLAWED


def test_only_a_flawed_finding_is_asked_for_an_alternative() -> None:
    author = Author(lambda _: [])
    written(author, Effort.THOROUGH, a=finding("evt.dlq", Verdict.PARTIAL, 7))
    members = [set(q.schema["properties"]) for q in author.asked]
    assert {"comment", "recommendation"} in members
    assert not any("alternative" in m for m in members)


@pytest.mark.parametrize(("effort", "asked"), [(Effort.QUICK, 0), (Effort.STANDARD, 2)])
def test_effort_decides_what_is_written(effort: Effort, asked: int) -> None:
    author = Author(lambda _: [sentence()])
    result = written(author, effort, a=FLAWED, b=finding("evt.retries", Verdict.PARTIAL, 5))
    assert len(author.asked) == asked
    assert (SUMMARY in result.paragraphs) is bool(asked)


def test_thorough_writes_a_paragraph_on_each_section() -> None:
    result = written(Author(lambda _: [sentence("Orders are kept in one place.", [11])]), Effort.THOROUGH)
    assert set(result.paragraphs) == {SUMMARY, *(check.section for check in rubric())}


@pytest.mark.parametrize(
    "said",
    [
        sentence(lines=[]),
        sentence(lines=[999]),
        sentence("The topic orders.parked is emptied each night by a job."),
        sentence("A message is tried 17 times before it goes to orders.dlq."),
        sentence("The MessageReplayer reads the dead letters again."),
    ],
)
def test_a_sentence_without_lines_or_with_inventions_is_dropped(said: dict[str, Any]) -> None:
    result = written(Author(lambda _: [said]), a=FLAWED)
    assert of(result, "evt.dlq") == FLAWED
    assert not result.paragraphs
    assert result.dropped == 4


def test_a_sentence_that_is_said_twice_is_kept_once() -> None:
    result = written(Author(lambda _: [sentence(), sentence()]), a=FLAWED)
    assert len(of(result, "evt.dlq").remarks) == 1


@pytest.mark.parametrize("raw", ["", "{", '{"comment": "yes"}', '{"comment": [], "score": 9}'])
def test_what_has_not_the_form_changes_nothing_and_is_counted(raw: str) -> None:
    result = written(Author(raw or " "), a=FLAWED)
    assert of(result, "evt.dlq") == FLAWED
    assert result.refused == 2


def test_marks_of_markdown_and_links_do_not_reach_the_report() -> None:
    said = sentence("Look at https://example.org <b>now</b>, # says the `team`.")
    (kept,) = of(written(Author(lambda _: [said]), a=FLAWED), "evt.dlq").remarks
    assert not set(kept.text) & set("<>#`")
    assert "http" not in kept.text


def test_numbers_and_names_are_looked_for_in_the_sources() -> None:
    known = "Topic orders.dlq keeps 14 days; ProducerConfig sets acks. Line 7."
    assert invented("Line 7 keeps orders.dlq for 14 days, says ProducerConfig.", known) == []
    assert invented("It keeps 4 days in orders.dead with ConsumerConfig.", known) == [
        "4",
        "orders.dead",
        "ConsumerConfig",
    ]


def test_where_the_window_is_small_the_summary_is_written_over_fewer_lines() -> None:
    wide, narrow = Author(lambda _: []), Author(lambda _: [])
    written(wide, a=FLAWED)
    narrow.room = 0
    written(narrow, a=FLAWED)
    assert len(narrow.asked) == len(wide.asked)
    for more, less in zip(wide.asked, narrow.asked, strict=True):
        assert len(less.text) <= len(more.text)
