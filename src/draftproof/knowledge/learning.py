"""A reviewer's own verdict on a passage, recorded as an exemplar."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from draftproof.domain.document import Document, Span
from draftproof.domain.findings import Verdict
from draftproof.errors import InputError

_LABEL_OF_VERDICT = {
    Verdict.MET: "met",
    Verdict.PARTIAL: "partial",
    Verdict.FLAWED: "flawed",
    Verdict.MISSING: "decoy",
}


def recorded_exemplar(
    finding: Mapping[str, Any], design: Document, verdict: Verdict, span: Span | None, reason: str
) -> dict[str, Any]:
    """
    Return the exemplar, as a line of an exemplar file holds it.

    Args:
        finding: The check's member of ``review.json``.
        design:  The design that was reviewed.
        verdict: The right verdict.
        span:    The lines it rests on; those that the review cited, where not given.
        reason:  Why, in a sentence.

    Raises:
        InputError: The verdict cannot be taught by a passage, or no passage stands there.

    """
    if verdict not in _LABEL_OF_VERDICT:
        raise InputError(
            f"A passage cannot teach {verdict}.", "Record met, partial, flawed, or missing for a mere mention."
        )
    if span is None:
        span = _cited(finding)
    if span is None:
        raise InputError(f"The review cites no line for {finding['id']}.", "Name the passage with --lines 12-14.")
    passage = max(design.passages, key=lambda p: _shared_lines(p.span, span))
    if not passage.span.overlaps(span):
        raise InputError(f"No passage of {design.path} stands at line {span}.")
    heading = passage.headings[-1] if passage.headings else ""
    return {
        "check": finding["id"],
        "label": _LABEL_OF_VERDICT[verdict],
        "form": passage.kind.value.replace(" ", "-"),
        # As passages are embedded: with the heading in front.
        "text": f"{heading}: {passage.text}" if heading else passage.text,
        "why": reason,
        "own": True,
    }


def _shared_lines(one: Span, other: Span) -> int:
    return max(0, min(one.last, other.last) - max(one.first, other.first) + 1)


def _cited(finding: Mapping[str, Any]) -> Span | None:
    evidence = list(finding["evidence"])
    if not evidence and finding.get("nearest"):
        evidence = [finding["nearest"]["evidence"]]
    return Span(evidence[0]["start_line"], evidence[0]["end_line"]) if evidence else None


def as_line(exemplar: Mapping[str, Any]) -> str:
    """Return the exemplar as one line of JSON."""
    return json.dumps(exemplar, ensure_ascii=False)
