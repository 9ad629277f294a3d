"""From a verdict to what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace

from draftproof.documents.lexical import words
from draftproof.domain.findings import Finding, Verdict
from draftproof.domain.notes import Knowledge, Note
from draftproof.domain.rubric import Check, Rubric
from draftproof.facts.rules import FactRule
from draftproof.review.parts import PartsPresent

_MAX_ADVICE = 3


def with_advice(
    finding: Finding,
    check: Check,
    knowledge: Knowledge,
    nearest_notes: Sequence[tuple[str, float]],
    flaw_fixes: Mapping[str, str],
    parts: PartsPresent,
) -> Finding:
    """
    Return the finding with a concrete recommendation, an example and the note behind them.

    Args:
        finding:       The verdict.
        check:         Its check.
        knowledge:     The notes.
        nearest_notes: Pairs of note id and cosine for this check, best first.
        flaw_fixes:    What mends each anti-pattern, by the rule's id.
        parts:         Which parts the system lacks: none is given advice on a broker that it does not have.

    """
    if not finding.verdict.is_defect:
        return finding
    sentences = _sentences(finding, check, flaw_fixes, parts.missing)
    need = " ".join([check.question, finding.comment if finding.verdict is Verdict.FLAWED else "", *sentences])
    note = choose_note(check, knowledge, nearest_notes, need, parts.foreign)
    if not sentences and note:
        sentences = [note.recommendation]
    return replace(
        finding,
        recommendation=" ".join(sentences) or f"Answer in the design: {check.question}",
        example=note.example if note else "",
        note_id=note.id if note else "",
    )


def choose_note(
    check: Check,
    knowledge: Knowledge,
    nearest_notes: Sequence[tuple[str, float]],
    need: str,
    foreign: Set[str],
) -> Note | None:
    """
    Return the note to cite: of those written for the check first of all, the nearest to the need.

    Args:
        check:         The check.
        knowledge:     The notes.
        nearest_notes: Pairs of note id and cosine to the need; empty without an embedder.
        need:          What is wrong or lacking, in words.
        foreign:       Technologies that the system does not have; a note that is first of all about one is left out.

    """
    serving = [note for note in knowledge.for_check(check.id) if foreign.isdisjoint(note.technologies[:1])]
    own = [note for note in serving if note.checks[0] == check.id] or serving
    near = dict(nearest_notes)
    wanted = set(words(need))

    def nearness(note: Note) -> float:
        shared = len(wanted & set(words(note.text))) / max(1, len(wanted))
        return near.get(note.id, 0.0) + shared

    return max(own, key=nearness, default=None)


def _sentences(finding: Finding, check: Check, flaw_fixes: Mapping[str, str], missing: Collection[str]) -> list[str]:
    fixes = list(dict.fromkeys(flaw_fixes[name] for name in finding.rules if flaw_fixes.get(name)))
    if fixes and finding.verdict is Verdict.FLAWED:
        return fixes[:_MAX_ADVICE]
    lacking = [aspect for aspect in check.aspects if aspect.name in finding.lacking]
    lacking.sort(key=lambda aspect: -aspect.weight)
    return [*fixes, *(aspect.advice_for(missing) for aspect in lacking)][:_MAX_ADVICE]


def all_fixes(rubric: Rubric, fact_rules: Sequence[FactRule] = ()) -> dict[str, str]:
    """Return what mends each anti-pattern and what a rule over facts found, by the rule's id."""
    fixes = {flaw.id: flaw.fix for check in rubric for flaw in check.flaws}
    return fixes | {rule.id: rule.fix for rule in fact_rules}
