"""Wordings that take back what a sentence names: put off, refused, only defined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from draftproof.documents.markdown import sentences
from draftproof.domain.document import Passage, PassageKind

_COMMENT = re.compile(r"(?:#|\u2190|--(?=\s)|(?<!:)//|/\*)\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Cue:
    """
    One way of naming a thing without addressing it.

    Args:
        id:       ``deferred``, ``refused``, ``glossary``, ``requirement``, ``risk``, ``past``, ``listed``.
        reason:   Completes the sentence "does not count: ...".
        pattern:  Searched in the sentence that names the thing; ``None`` for none.
        before:   Searched in that sentence up to the name, and has to end there.
        headings: Searched in the titles above it.
        code:     Searched in the line of code that names the thing, up to its comment.
        not_for:  Beginnings of the ids of checks that it says nothing about: a risk named
                  is what a check on risks looks for.

    """

    id: str
    reason: str
    pattern: re.Pattern[str] | None
    before: re.Pattern[str] | None
    headings: re.Pattern[str] | None
    code: re.Pattern[str] | None = None
    not_for: tuple[str, ...] = ()

    def concerns(self, check_id: str) -> bool:
        """Return whether the cue takes anything back under this check."""
        return not check_id.startswith(self.not_for) if self.not_for else True

    def holds_throughout(self, passage: Passage) -> bool:
        """Return whether most lines of a passage of code are such as take back what they name: a tree of files."""
        if self.code is None or not passage.is_code:
            return False
        lines = [line for line in passage.text.split("\n") if line.strip()]
        return 2 * sum(self.code.search(line) is not None for line in lines) > len(lines)


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
    code = ""
    if passage.is_code:
        comment = _COMMENT.search(sentence)
        # What a comment says is said, not only listed.
        code = "" if comment and named[0] >= comment.start(1) else sentence
        sentence, named = (comment.group(1), (0, 0)) if comment else ("", (0, 0))
    return tuple(
        cue
        for cue in cues
        if (cue.pattern and _beside(cue.pattern, sentence, named))
        or (cue.code and cue.code.search(code))
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
