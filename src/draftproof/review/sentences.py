"""Sentences of a language model: each names lines that it was shown, and is kept with what stands there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from draftproof.documents.quotes import quote
from draftproof.domain.document import Document, Span
from draftproof.domain.findings import Evidence, Sentence

_MOST_CITED = 4
_SHORTEST = 20
_MARKS = re.compile(r"[<>\[\]|#*~`!\\\x00-\x1f]|https?://\S+")


def cited_schema(lines: Sequence[int]) -> dict[str, Any]:
    """Return the JSON Schema of some of these line numbers."""
    return {"type": "array", "maxItems": _MOST_CITED, "items": {"enum": list(lines)}}


def sentence_schema(member: str, lines: Sequence[int], longest: int) -> dict[str, Any]:
    """Return the JSON Schema of a sentence, called ``member``, with at least one of these lines."""
    return {
        "type": "object",
        "properties": {
            member: {"type": "string", "minLength": _SHORTEST, "maxLength": longest},
            "lines": {"minItems": 1, **cited_schema(lines)},
        },
        "required": [member, "lines"],
        "additionalProperties": False,
    }


def sentence_on(text: str, lines: Sequence[int], shown: Sequence[int], design: Document) -> Sentence | None:
    """Return a sentence with what stands on its lines, or ``None`` where it names none or others than were shown."""
    if not lines or not set(lines) <= set(shown):
        return None
    return Sentence(plain_sentence(text), evidence_on(lines, design))


def evidence_on(lines: Sequence[int], design: Document) -> tuple[Evidence, ...]:
    """Return what stands on lines, neighbouring ones together."""
    return tuple(quote(design, span) for span in joined_spans(lines))


def joined_spans(lines: Sequence[int]) -> list[Span]:
    """Return the spans of lines, neighbouring ones joined."""
    spans: list[Span] = []
    for line in sorted(lines):
        if spans and line == spans[-1].last + 1:
            spans[-1] = Span(spans[-1].first, line)
        else:
            spans.append(Span(line, line))
    return spans


def plain_sentence(text: str) -> str:
    """Return what a model wrote as one line without marks that a Markdown reader would act on."""
    return " ".join(_MARKS.sub("", " ".join(text.split())).split())
