"""What the pipeline makes of verdicts once the requirements have been compared."""

from __future__ import annotations

import pytest

from draftproof.domain.document import DocumentName, Span
from draftproof.domain.findings import Evidence, Finding, RequirementFinding, Source, Verdict
from draftproof.review.pipeline import COVERAGE_CHECK, with_coverage


def finding(verdict: Verdict) -> Finding:
    rest = dict.fromkeys(Verdict, 0.1)
    return Finding(COVERAGE_CHECK, verdict, None, 0.6, rest | {verdict: 0.6}, comment="Not found in the design.")


def answer(number: int, verdict: Verdict) -> RequirementFinding:
    needed = Evidence(DocumentName.REQUIREMENTS, Span(number, number), f"need {number}")
    place = Evidence(DocumentName.DESIGN, Span(10 + number, 10 + number), f"answer {number}")
    return RequirementFinding(f"FR-{number}", verdict, 0.7, needed, () if verdict is Verdict.MISSING else (place,))


def test_functions_are_not_missing_from_a_design_that_answers_a_requirement() -> None:
    answered = [answer(1, Verdict.MISSING), answer(2, Verdict.PARTIAL), answer(3, Verdict.MET)]
    before = {COVERAGE_CHECK: finding(Verdict.MISSING), "br.clarity": finding(Verdict.MET)}
    after = with_coverage(before, answered)
    found = after[COVERAGE_CHECK]
    assert found.verdict is Verdict.PARTIAL
    assert found.comment.startswith("1 of 3 requirements are met and 1 in part")
    assert [evidence.span.first for evidence in found.evidence] == [13, 12]
    assert found.probabilities[Verdict.MISSING] == 0
    assert sum(found.probabilities.values()) == pytest.approx(1.0)
    assert found.confidence == found.probabilities[Verdict.PARTIAL]
    assert found.basis[0].source is Source.RULE
    assert after["br.clarity"] == before["br.clarity"]


def test_a_line_that_answers_two_requirements_is_cited_once() -> None:
    twice = [answer(1, Verdict.MET), answer(1, Verdict.MET), answer(2, Verdict.MET)]
    found = with_coverage({COVERAGE_CHECK: finding(Verdict.MISSING)}, twice)[COVERAGE_CHECK]
    assert [evidence.span.first for evidence in found.evidence] == [11, 12]


@pytest.mark.parametrize(
    ("verdict", "answers"),
    [
        (Verdict.MISSING, []),
        (Verdict.MISSING, [Verdict.MISSING, Verdict.MISSING]),
        (Verdict.MET, [Verdict.PARTIAL]),
        (Verdict.PARTIAL, [Verdict.MET]),
    ],
)
def test_the_verdict_stays_where_nothing_is_answered_or_something_was_found(
    verdict: Verdict, answers: list[Verdict]
) -> None:
    before = {COVERAGE_CHECK: finding(verdict)}
    assert with_coverage(before, [answer(n, v) for n, v in enumerate(answers, 1)]) == before
