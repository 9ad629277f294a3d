"""What moves a judged verdict after the weights have spoken."""

from __future__ import annotations

import pytest

from draftproof.domain.document import DocumentName, Span
from draftproof.domain.findings import Basis, Evidence, Finding, Inconsistency, Source, Verdict
from draftproof.review.judge import contradicted

CLASH = Inconsistency("Line 3 says one thing, line 9 another.", (Evidence(DocumentName.DESIGN, Span(3, 3), "one"),))


def finding(**probabilities: float) -> Finding:
    full = dict.fromkeys(Verdict, 0.0) | {Verdict(name): p for name, p in probabilities.items()}
    verdict = max(full, key=lambda v: full[v])
    return Finding(
        check_id="br.clarity",
        verdict=verdict,
        severity=None,
        confidence=full[verdict],
        probabilities=full,
        comment="Found: dates.",
        basis=(Basis(Source.SEARCH, "addressed: dates"),),
    )


def test_what_the_design_contradicts_itself_on_is_not_met() -> None:
    after = contradicted(finding(met=0.8, partial=0.2), [CLASH])
    assert after.verdict is Verdict.PARTIAL
    assert after.probabilities[Verdict.PARTIAL] == pytest.approx(0.84)
    assert after.evidence == CLASH.evidence
    assert after.comment.startswith(CLASH.summary)
    assert after.basis[0] == Basis(Source.FACT, CLASH.summary)


def test_a_defect_stays_the_defect_that_it_is() -> None:
    after = contradicted(finding(flawed=0.6, met=0.4), [CLASH])
    assert (after.verdict, after.comment) == (Verdict.FLAWED, "Found: dates.")


@pytest.mark.parametrize("by", [[], [CLASH]])
def test_what_does_not_apply_or_is_not_contradicted_stays(by: list[Inconsistency]) -> None:
    before = finding(not_applicable=0.85, met=0.15) if by else finding(met=0.8, partial=0.2)
    assert contradicted(before, by) == before
