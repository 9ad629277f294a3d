"""Wordings that take back what a sentence names: put off, refused, only defined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from draftproof.documents.markdown import sentences
from draftproof.domain.document import Passage, PassageKind

_COMMENT = re.compile(r"(?:#|--(?=\s)|(?<!:)//|/\*)\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Cue:
    """
    One way of naming a thing without addressing it.

    Args:
        id:       ``deferred``, ``refused``, ``glossary``, ``requirement``, ``risk``, ``past``.
        reason:   Completes the sentence "does not count: ...".
        pattern:  Searched in the sentence that names the thing.
        before:   Searched in that sentence up to the name, and has to end there.
        headings: Searched in the titles above it.
        not_for:  Beginnings of the ids of checks that it says nothing about: a risk named
                  is what a check on risks looks for.

    """

    id: str
    reason: str
    pattern: re.Pattern[str]
    before: re.Pattern[str] | None
    headings: re.Pattern[str] | None
    not_for: tuple[str, ...] = ()

    def concerns(self, check_id: str) -> bool:
        """Return whether the cue takes anything back under this check."""
        return not check_id.startswith(self.not_for) if self.not_for else True


def sentence_at(passage: Passage, position: int) -> tuple[int, int]:
    """Return the character range of the sentence, row or line around a character."""
    if passage.kind is not PassageKind.TABLE_ROW:
        for start, stop in sentences(passage.text):
            if start <= position < stop:
                return start, stop
    return 0, len(passage.text)


def cues_at(cues: Sequence[Cue], passage: Passage, start: int, stop: int) -> tuple[Cue, ...]:
    """
    Return the cues that hold for what is named at some characters of a passage.

    A cue that lies in the naming words themselves is none: "never echoed" names a
    safeguard. In code only the comment of the line can defer: ``not``, ``no`` and
    ``skip`` are ordinary words of settings and statements.

    Args:
        cues:    All cues.
        passage: Where the thing is named.
        start:   First character of the naming words in the passage's text.
        stop:    Character behind them.

    """
    first, last = sentence_at(passage, start)
    sentence = passage.text[first:last]
    named = (start - first, stop - first)
    if passage.is_code:
        comment = _COMMENT.search(sentence)
        sentence, named = (comment.group(1), (0, 0)) if comment else ("", (0, 0))
    return tuple(
        cue
        for cue in cues
        if _beside(cue.pattern, sentence, named)
        or (cue.before and cue.before.search(sentence[: max(0, named[0])]))
        or (cue.headings and any(cue.headings.search(h) for h in passage.headings[-2:]))
    )


def refused_before(cues: Sequence[Cue], passage: Passage, start: int) -> bool:
    """Return whether the few words before a character refuse what follows: "never", "instead of"."""
    first, _ = sentence_at(passage, start)
    before = passage.text[first:start]
    return any(cue.before and cue.before.search(before) for cue in cues)


def _beside(pattern: re.Pattern[str], sentence: str, named: tuple[int, int]) -> bool:
    """Return whether a pattern matches anywhere but inside the naming words."""
    return any(not (named[0] <= m.start() and m.end() <= named[1]) for m in pattern.finditer(sentence))
