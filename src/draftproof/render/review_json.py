"""``review.json``: the machine-readable result, and the schema that it keeps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from draftproof.domain.findings import Evidence, Finding, Sentence, Severity, Verdict
from draftproof.domain.review import Review, Score


class Part(BaseModel):
    """A part of ``review.json``."""

    model_config = ConfigDict(extra="forbid")


class EvidenceJson(Part):
    """Lines of a document, quoted word for word."""

    document: Literal["design", "requirements"]
    start_line: int = Field(ge=1)
    end_line: int = Field(ge=1)
    quote: str


class NearestJson(Part):
    """The passage nearest to something missing, and why it does not count."""

    evidence: EvidenceJson
    reason: str


class BasisJson(Part):
    """One ground of a verdict."""

    source: Literal["fact", "rule", "exemplars", "search", "model"]
    statement: str


class SentenceJson(Part):
    """A sentence of a language model, with the lines that it speaks of."""

    text: str
    evidence: list[EvidenceJson]


class WrittenJson(Part):
    """What a language model wrote of a check; empty where none was asked to."""

    comment: list[SentenceJson]
    recommendation: list[SentenceJson]
    alternative: list[SentenceJson]


class CheckJson(Part):
    """One check of the rubric."""

    id: str
    title: str
    section: str
    verdict: Verdict
    severity: Severity | None
    confidence: float = Field(ge=0, le=1)
    probabilities: dict[Verdict, float]
    needs_second_look: bool
    evidence: list[EvidenceJson]
    comment: str
    recommendation: str
    note: str | None
    found: list[str]
    not_found: list[str]
    searched: list[str]
    nearest: NearestJson | None
    basis: list[BasisJson]
    written: WrittenJson


class RequirementJson(Part):
    """One requirement."""

    id: str
    verdict: Literal["met", "partial", "missing"]
    confidence: float = Field(ge=0, le=1)
    comment: str
    requirement: EvidenceJson
    evidence: list[EvidenceJson]


class InconsistencyJson(Part):
    """Places that cannot all be right."""

    summary: str
    evidence: list[EvidenceJson]


class InjectionJson(Part):
    """Text that addresses the reviewer."""

    reason: str
    evidence: EvidenceJson


class LossJson(Part):
    """What one check costs in one score."""

    check: str
    verdict: Verdict
    severity: Severity
    points: float


class ScoreJson(Part):
    """A score out of ten, and where the rest went."""

    name: str
    value: float = Field(ge=0, le=10)
    lost: list[LossJson]


class InputJson(Part):
    """A file that was read."""

    name: str
    path: str
    sha256: str
    lines: int


class ProvenanceJson(Part):
    """How the review was made."""

    draftproof: str
    judge: str
    embedder: str
    knowledge: str
    inputs: list[InputJson]
    seconds: dict[str, float]
    tokens_read: dict[str, int]
    tokens_written: dict[str, int]
    bytes_sent: int
    connections_refused: int
    model: str | None
    prompts: str | None
    asked: list[str]
    changed: list[str]


class ReviewJson(Part):
    """A whole review."""

    schema_version: Literal[1]
    title: str
    overall_assessment: Literal["Excellent", "Good", "Needs Improvement", "Requires Rework"]
    implementation_readiness: Literal["Ready", "Minor Changes", "Major Changes Required"]
    completeness_score: float = Field(ge=0, le=10)
    technical_soundness_score: float = Field(ge=0, le=10)
    reasons: list[str]
    checks: list[CheckJson]
    requirements: list[RequirementJson]
    inconsistencies: list[InconsistencyJson]
    injections: list[InjectionJson]
    observations: list[SentenceJson]
    paragraphs: dict[str, list[SentenceJson]]
    scores: list[ScoreJson]
    notices: list[str]
    provenance: ProvenanceJson


def to_json(review: Review, checks: dict[str, tuple[str, str]], second_look: float) -> str:
    """
    Return the text of ``review.json``.

    Args:
        review:      The review.
        checks:      Title and section of each check, by id.
        second_look: Confidence below which a person should look.

    """
    assessment = review.assessment
    whole = ReviewJson(
        schema_version=1,
        title=review.title,
        overall_assessment=assessment.overall,  # type: ignore[arg-type]
        implementation_readiness=assessment.readiness,  # type: ignore[arg-type]
        completeness_score=assessment.completeness.value,
        technical_soundness_score=assessment.soundness.value,
        reasons=list(assessment.reasons),
        checks=[_check(f, *checks[f.check_id], second_look) for f in review.findings],
        requirements=[
            RequirementJson(
                id=item.requirement_id,
                verdict=item.verdict.value,  # type: ignore[arg-type]
                confidence=item.confidence,
                comment=item.comment,
                requirement=_evidence(item.requirement),
                evidence=[_evidence(e) for e in item.evidence],
            )
            for item in review.requirements
        ],
        inconsistencies=[
            InconsistencyJson(summary=i.summary, evidence=[_evidence(e) for e in i.evidence])
            for i in review.inconsistencies
        ],
        injections=[InjectionJson(reason=i.reason, evidence=_evidence(i.evidence)) for i in review.injections],
        observations=_sentences(review.observations),
        paragraphs={name: _sentences(sentences) for name, sentences in review.paragraphs.items()},
        scores=[
            _score(score) for score in (assessment.completeness, assessment.soundness, *assessment.sections.values())
        ],
        notices=list(review.notices),
        provenance=_provenance(review),
    )
    return json.dumps(whole.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema that every ``review.json`` keeps."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ReviewJson.model_json_schema(),
    }


def _evidence(evidence: Evidence) -> EvidenceJson:
    return EvidenceJson(
        document=evidence.document.value,
        start_line=evidence.span.first,
        end_line=evidence.span.last,
        quote=evidence.quote,
    )


def _sentences(sentences: Sequence[Sentence]) -> list[SentenceJson]:
    return [SentenceJson(text=s.text, evidence=[_evidence(e) for e in s.evidence]) for s in sentences]


def _check(finding: Finding, title: str, section: str, second_look: float) -> CheckJson:
    nearest = finding.nearest
    return CheckJson(
        id=finding.check_id,
        title=title,
        section=section,
        verdict=finding.verdict,
        severity=finding.severity,
        confidence=finding.confidence,
        probabilities=finding.probabilities,
        needs_second_look=finding.confidence < second_look,
        evidence=[_evidence(e) for e in finding.evidence],
        comment=finding.comment,
        recommendation=finding.recommendation,
        note=finding.note_id or None,
        found=list(finding.found),
        not_found=list(finding.lacking),
        searched=list(finding.searched),
        nearest=NearestJson(evidence=_evidence(nearest.evidence), reason=nearest.reason) if nearest else None,
        basis=[BasisJson(source=b.source.value, statement=b.statement) for b in finding.basis],
        written=WrittenJson(
            comment=_sentences(finding.remarks),
            recommendation=_sentences(finding.proposals),
            alternative=_sentences(finding.alternatives),
        ),
    )


def _score(score: Score) -> ScoreJson:
    return ScoreJson(
        name=score.name,
        value=score.value,
        lost=[
            LossJson(check=x.check_id, verdict=x.verdict, severity=x.severity, points=round(x.points, 3))
            for x in score.lost
        ],
    )


def _provenance(review: Review) -> ProvenanceJson:
    made = review.provenance
    return ProvenanceJson(
        draftproof=made.version,
        judge=made.judge,
        embedder=made.embedder,
        knowledge=made.knowledge,
        inputs=[InputJson(name=i.name, path=i.path, sha256=i.sha256, lines=i.lines) for i in made.inputs],
        seconds=dict(made.seconds),
        tokens_read=dict(made.tokens_read),
        tokens_written=dict(made.tokens_written),
        bytes_sent=made.bytes_sent,
        connections_refused=made.connections_refused,
        model=made.model or None,
        prompts=made.prompts or None,
        asked=list(made.asked),
        changed=list(made.changed),
    )
