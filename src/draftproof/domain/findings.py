"""Findings as values: verdict, severity, evidence and what was looked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from draftproof.domain.document import DocumentName, Span


class Verdict(StrEnum):
    """What a check or a requirement comes to."""

    MET = "met"
    PARTIAL = "partial"
    MISSING = "missing"
    FLAWED = "flawed"
    NOT_APPLICABLE = "not_applicable"

    @property
    def is_defect(self) -> bool:
        """Whether something has to be done about it."""
        return self in (Verdict.PARTIAL, Verdict.MISSING, Verdict.FLAWED)


class Severity(StrEnum):
    """How much a defect matters, hardest first."""

    CRITICAL = "critical"
    RECOMMENDED = "recommended"
    SUGGESTED = "suggested"

    @property
    def rank(self) -> int:
        """0 for the hardest."""
        return list(Severity).index(self)


class Source(StrEnum):
    """What a verdict rests on."""

    FACT = "fact"
    RULE = "rule"
    EXEMPLARS = "exemplars"
    SEARCH = "search"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    Lines of a document with their exact text.

    Args:
        document: Which document.
        span:     The lines.
        quote:    Those lines (or a part of one long line) as they stand in the file.

    """

    document: DocumentName
    span: Span
    quote: str


@dataclass(frozen=True, slots=True)
class Nearest:
    """The passage nearest to something that is missing, and why it does not count."""

    evidence: Evidence
    reason: str


@dataclass(frozen=True, slots=True)
class Basis:
    """One ground of a verdict: who says so, and what."""

    source: Source
    statement: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that a language model wrote, with the lines that it speaks of; it counts in no score."""

    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """
    The verdict on one check, with all that it rests on.

    Args:
        check_id:       Id in the rubric.
        verdict:        The verdict.
        severity:       ``None`` for met and not applicable.
        confidence:     Probability from 0 to 1 that the verdict is right.
        probabilities:  The judge's probability of each verdict; sums to 1.
        evidence:       Lines that it stands on; empty where nothing was found.
        comment:        What was seen, in one or two sentences.
        recommendation: What to do; empty for met.
        example:        A fenced example from the note, or empty.
        note_id:        The note that the recommendation is taken from, or empty.
        searched:       The phrases that were looked for.
        found:          Names of the aspects that were found.
        lacking:        Names of the aspects that were not found.
        nearest:        For missing: what comes nearest and why it does not count.
        basis:          The grounds, in the order of their weight.
        rules:          Ids of the anti-patterns and rules over facts that speak for the verdict.
        remarks:        What a language model says of it, where one was asked to write.
        proposals:      What it would change in these lines.
        alternatives:   What it would do instead; only for flawed.

    """

    check_id: str
    verdict: Verdict
    severity: Severity | None
    confidence: float
    probabilities: dict[Verdict, float]
    evidence: tuple[Evidence, ...] = ()
    comment: str = ""
    recommendation: str = ""
    example: str = ""
    note_id: str = ""
    searched: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    nearest: Nearest | None = None
    basis: tuple[Basis, ...] = ()
    rules: tuple[str, ...] = ()
    remarks: tuple[Sentence, ...] = ()
    proposals: tuple[Sentence, ...] = ()
    alternatives: tuple[Sentence, ...] = ()

    @property
    def written(self) -> tuple[Sentence, ...]:
        """All that a language model wrote of it."""
        return (*self.remarks, *self.proposals, *self.alternatives)


@dataclass(frozen=True, slots=True)
class RequirementFinding:
    """The verdict on one requirement, with the lines that answer it."""

    requirement_id: str
    verdict: Verdict
    confidence: float
    requirement: Evidence
    evidence: tuple[Evidence, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """
    Two places that cannot both be right, each quoted.

    Args:
        summary:        One sentence that names both.
        evidence:       Both places.
        requirement_id: The requirement that the design contradicts, or empty.
        check_id:       The check that it is about, or empty.

    """

    summary: str
    evidence: tuple[Evidence, ...]
    requirement_id: str = ""
    check_id: str = ""


@dataclass(frozen=True, slots=True)
class Injection:
    """Text that addresses the reviewer; quoted, and kept out of all evidence."""

    evidence: Evidence
    reason: str
