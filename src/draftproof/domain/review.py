"""A whole review as one value; the writers turn it into text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from draftproof.domain.findings import (
    Finding,
    Inconsistency,
    Injection,
    RequirementFinding,
    Sentence,
    Severity,
    Verdict,
)

OVERALL_GRADES = ("Requires Rework", "Needs Improvement", "Good", "Excellent")
# Names the summary among the paragraphs.
SUMMARY = "Review Summary"
READINESS_GRADES = ("Major Changes Required", "Minor Changes", "Ready")


@dataclass(frozen=True, slots=True)
class LostPoints:
    """What one check costs in one score, in points of ten."""

    check_id: str
    verdict: Verdict
    severity: Severity
    points: float


@dataclass(frozen=True, slots=True)
class Score:
    """
    One score out of ten, and where the rest went.

    Args:
        name:  ``Completeness`` or a section's name.
        value: 0 to 10, rounded to one decimal.
        lost:  Each loss, largest first; they sum to ``10 - value`` before rounding.

    """

    name: str
    value: float
    lost: tuple[LostPoints, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """The numbers and grades of a review, all computed from its findings."""

    overall: str
    readiness: str
    completeness: Score
    soundness: Score
    sections: Mapping[str, Score]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InputRecord:
    """Which file was read, so that a later run can tell whether it changed."""

    name: str
    path: str
    sha256: str
    lines: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """
    How the review was made.

    Args:
        version:       Draftproof's version.
        judge:         Name and hash of the judge's weights.
        embedder:      Name and hash of the embedding model, or ``none (BM25 alone)``.
        knowledge:     Hash over rubric, notes and exemplars.
        inputs:        The files read.
        seconds:       Wall time of each stage.
        tokens_read:   Tokens read by each model.
        tokens_written: Tokens written by each model.
        bytes_sent:    Bytes sent off the machine; 0 unless a shared Chroma server is named.
        connections_refused: Outgoing connections that the guard refused.
        model:         Name of the language model that was asked, or empty.
        prompts:       Hash over the prompts that it was asked with, or empty.
        asked:         Checks that it answered.
        changed:       Those of them whose verdict it changed.

    """

    version: str
    judge: str
    embedder: str
    knowledge: str
    inputs: tuple[InputRecord, ...]
    seconds: Mapping[str, float]
    tokens_read: Mapping[str, int]
    tokens_written: Mapping[str, int]
    bytes_sent: int = 0
    connections_refused: int = 0
    model: str = ""
    prompts: str = ""
    asked: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """
    The whole result.

    Args:
        title:            The design's.
        findings:         One for each check, in the rubric's order.
        requirements:     One for each requirement.
        inconsistencies:  What cannot both be right.
        injections:       Text that addresses the reviewer.
        assessment:       The scores and grades.
        provenance:       How it was made.
        notices:          What a reader should know.
        has_requirements: Whether requirements were given.
        observations:     Problems that a language model sees and no check covers.
        paragraphs:       What a language model writes on sections, by their names, and as summary,
                          by :data:`SUMMARY`.

    """

    title: str
    findings: tuple[Finding, ...]
    requirements: tuple[RequirementFinding, ...]
    inconsistencies: tuple[Inconsistency, ...]
    injections: tuple[Injection, ...]
    assessment: Assessment
    provenance: Provenance
    notices: tuple[str, ...] = ()
    has_requirements: bool = True
    observations: tuple[Sentence, ...] = ()
    paragraphs: Mapping[str, tuple[Sentence, ...]] = field(default_factory=dict)

    @property
    def by_check(self) -> dict[str, Finding]:
        """The findings by the id of their check."""
        return {finding.check_id: finding for finding in self.findings}

    def worst_severity(self) -> Severity | None:
        """Return the hardest severity among the findings, or ``None``."""
        present = [f.severity for f in self.findings if f.severity is not None]
        return min(present, key=lambda severity: severity.rank) if present else None
