"""Wordings that take back what a sentence names: put off, refused, only defined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from draftproof.documents.markdown import sentences
from draftproof.domain.document import Passage, PassageKind

_COMMENT = re.compile(r"(?:#|--|//|/\*)\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Cue:
    """
    One way of naming a thing without addressing it.

    Args:
        id:       ``deferred``, ``refused``, ``glossary``, ``requirement``, ``risk``, ``past``.
        reason:   Completes the sentence "does not count: ...".
        pattern:  Searched in the sentence that names the thing.
        headings: Searched in the titles above it.

    """

    id: str
    reason: str
    pattern: re.Pattern[str]
    headings: re.Pattern[str] | None


def sentence_at(passage: Passage, position: int) -> str:
    """Return the sentence, row or line of the passage's text around a character."""
    if passage.kind is PassageKind.TABLE_ROW:
        return passage.text
    for start, stop in sentences(passage.text):
        if start <= position < stop:
            return passage.text[start:stop]
    return passage.text


def cues_at(cues: Sequence[Cue], passage: Passage, position: int) -> tuple[Cue, ...]:
    """
    Return the cues that hold for what is named at a character of a passage.

    In code only the comment of the line can defer: ``not``, ``no`` and ``skip`` are
    ordinary words of settings and statements.
    """
    sentence = sentence_at(passage, position)
    if passage.is_code:
        comment = _COMMENT.search(sentence)
        sentence = comment.group(1) if comment else ""
    return tuple(
        cue
        for cue in cues
        if cue.pattern.search(sentence) or (cue.headings and any(cue.headings.search(h) for h in passage.headings[-2:]))
    )
