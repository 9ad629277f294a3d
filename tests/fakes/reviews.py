"""Reviews made by hand, over the product's own rubric and scoring rule."""

from __future__ import annotations

from collections.abc import Mapping

from draftproof.domain.document import DocumentName, Span
from draftproof.domain.findings import Evidence, Finding, Inconsistency, Injection, RequirementFinding, Verdict
from draftproof.domain.notes import Note
from draftproof.domain.review import InputRecord, Provenance, Review
from draftproof.domain.rubric import Check
from draftproof.domain.scoring import assess
from tests.fakes.product import rubric, scoring

NOTE = Note(
    id="a-note",
    title="Bound every retry",
    checks=("event.retries",),
    technologies=("kafka",),
    versions="any",
    sources=("A book (2nd edition)",),
    reviewed="2025-01-01",
    recommendation="Bound every retry. Then park the message.",
    body="## Practice\nBound it.\n\n## Prevents\nAn endless loop.\n\n## When it does not apply\nNever.\n",
    path="a-note.md",
)
PROVENANCE = Provenance(
    version="0.0",
    judge="fake judge",
    embedder="none (BM25 alone)",
    knowledge="abc",
    inputs=(InputRecord("design", "design.md", "0" * 64, 12),),
    seconds={"Judging": 1.0},
    tokens_read={},
    tokens_written={},
)


def evidence(quote: str = "Orders are kept.", line: int = 3, name: DocumentName = DocumentName.DESIGN) -> Evidence:
    """Return evidence on as many lines as the quotation has."""
    return Evidence(name, Span(line, line + quote.count("\n")), quote)


def finding(check: Check, verdict: Verdict, quote: str = "Orders are kept.") -> Finding:
    """Return a finding as a judge and the advice make it."""
    return Finding(
        check_id=check.id,
        verdict=verdict,
        severity=check.severity.get(verdict),
        confidence=0.8,
        probabilities={verdict: 0.8},
        evidence=() if verdict in (Verdict.MISSING, Verdict.NOT_APPLICABLE) else (evidence(quote),),
        comment=f"Comment on {check.title}.",
        recommendation="" if verdict is Verdict.MET else "Do this first. And that.",
        note_id=NOTE.id if verdict.is_defect else "",
        example="```python\nx = 1\n```" if verdict.is_defect else "",
        lacking=("a limit",) if verdict.is_defect else (),
    )


def review(
    verdicts: Mapping[str, Verdict] | None = None,
    default: Verdict = Verdict.MET,
    quote: str = "Orders are kept.",
    title: str = "Orders",
    requirements: tuple[RequirementFinding, ...] = (),
    inconsistencies: tuple[Inconsistency, ...] = (),
    injections: tuple[Injection, ...] = (),
    notices: tuple[str, ...] = (),
) -> Review:
    """Return a review in which each check has its verdict, or the default one."""
    verdicts = verdicts or {}
    findings = tuple(finding(check, verdicts.get(check.id, default), quote) for check in rubric())
    return Review(
        title=title,
        findings=findings,
        requirements=requirements,
        inconsistencies=inconsistencies,
        injections=injections,
        assessment=assess(rubric(), findings, scoring()),
        provenance=PROVENANCE,
        notices=notices,
    )
