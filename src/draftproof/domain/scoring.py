"""Verdicts to scores and grades, by a rule that stands in ``knowledge/scoring.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from draftproof.domain.asking import ModelRule
from draftproof.domain.findings import Finding, Severity, Verdict
from draftproof.domain.review import Assessment, LostPoints, Score
from draftproof.domain.rubric import Check, Rubric


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """What one score counts: criteria, and the credit that each verdict keeps."""

    title: str
    about: str
    criteria: tuple[str, ...]
    credit: Mapping[Verdict, float]


@dataclass(frozen=True, slots=True)
class GradeRule:
    """A grade and its limits: most critical findings, least scores; ``None`` for no limit."""

    grade: str
    critical: int | None = None
    completeness: float | None = None
    soundness: float | None = None

    def holds(self, critical: int, completeness: float, soundness: float) -> bool:
        """Return whether a review with these figures earns the grade."""
        return (
            (self.critical is None or critical <= self.critical)
            and (self.completeness is None or completeness >= self.completeness)
            and (self.soundness is None or soundness >= self.soundness)
        )


@dataclass(frozen=True, slots=True)
class ScoringRule:
    """The whole rule."""

    weights: Mapping[Severity, float]
    scores: Mapping[str, ScoreRule]
    overall: Sequence[GradeRule]
    readiness: Sequence[GradeRule]
    partial_share: float
    second_look: float
    model: ModelRule

    def weight(self, check: Check) -> float:
        """Return how much a check weighs: by the severity that its absence has."""
        return self.weights[check.severity.get(Verdict.MISSING, Severity.RECOMMENDED)]


def assess(rubric: Rubric, findings: Sequence[Finding], rule: ScoringRule) -> Assessment:
    """Return scores and grades; the same findings always give the same numbers."""
    by_check = {finding.check_id: finding for finding in findings}
    completeness = _score("Completeness", rubric.checks, by_check, rule, "completeness")
    soundness = _score("Technical Soundness", rubric.checks, by_check, rule, "soundness")
    critical = sum(finding.severity is Severity.CRITICAL for finding in findings)
    figures = (critical, completeness.value, soundness.value)
    names = dict.fromkeys(check.section for check in rubric)
    return Assessment(
        overall=_grade(rule.overall, *figures),
        readiness=_grade(rule.readiness, *figures),
        completeness=completeness,
        soundness=soundness,
        sections={name: _score(name, rubric.of_section(name), by_check, rule, "section") for name in names},
        reasons=_reasons(rule.overall, *figures),
    )


def _score(
    name: str,
    checks: Sequence[Check],
    by_check: Mapping[str, Finding],
    rule: ScoringRule,
    key: str,
) -> Score:
    part = rule.scores[key]
    counted = [
        check
        for check in checks
        if check.criterion in part.criteria and by_check[check.id].verdict is not Verdict.NOT_APPLICABLE
    ]
    total = sum(rule.weight(check) for check in counted)
    if not total:
        return Score(name, 10.0, ())
    lost = []
    for check in counted:
        finding = by_check[check.id]
        share = 1.0 - part.credit[finding.verdict]
        if share > 0:
            points = 10.0 * rule.weight(check) * share / total
            severity = finding.severity or Severity.SUGGESTED
            lost.append(LostPoints(check.id, finding.verdict, severity, points))
    lost.sort(key=lambda loss: (-loss.points, loss.check_id))
    value = 10.0 - sum(loss.points for loss in lost)
    return Score(name, round(max(0.0, value), 1), tuple(lost))


def _grade(rules: Sequence[GradeRule], critical: int, completeness: float, soundness: float) -> str:
    return next(rule.grade for rule in rules if rule.holds(critical, completeness, soundness))


def _reasons(rules: Sequence[GradeRule], critical: int, completeness: float, soundness: float) -> tuple[str, ...]:
    """Say for the grade above the one reached which of its limits are not kept."""
    for position, rule in enumerate(rules):
        if not rule.holds(critical, completeness, soundness):
            continue
        if position == 0:
            return (f"Every limit of {rule.grade} is kept.",)
        above = rules[position - 1]
        reasons = []
        if above.critical is not None and critical > above.critical:
            reasons.append(f'"{above.grade}" allows {above.critical} critical findings, there are {critical}.')
        if above.completeness is not None and completeness < above.completeness:
            reasons.append(f'"{above.grade}" takes a completeness of {above.completeness:g}/10.')
        if above.soundness is not None and soundness < above.soundness:
            reasons.append(f'"{above.grade}" takes a soundness of {above.soundness:g}/10.')
        return tuple(reasons)
    return ()


def ticked(item: str, rubric: Rubric, by_check: Mapping[str, Finding], rule: ScoringRule) -> bool:
    """Return whether a line of the readiness checklist is ticked."""
    verdicts = [by_check[check.id].verdict for check in rubric if check.readiness_item == item]
    counted = [verdict for verdict in verdicts if verdict is not Verdict.NOT_APPLICABLE]
    if any(verdict in (Verdict.MISSING, Verdict.FLAWED) for verdict in counted):
        return False
    partial = sum(verdict is Verdict.PARTIAL for verdict in counted)
    return not counted or partial / len(counted) <= rule.partial_share
