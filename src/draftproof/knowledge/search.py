"""Hybrid search over the notes: words by BM25, meaning by vectors, fused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from draftproof.documents.lexical import LexicalIndex
from draftproof.domain.notes import Note

if TYPE_CHECKING:
    import numpy as np

# Cosines spread less than BM25 scores; brought to one scale they add up better than ranks.
LEXICAL_SHARE = 0.5
# What the labelled passages nearest to the text say of its subject.
CHECK_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Found:
    """A note with its score; the scale means something within one search only."""

    note: Note
    score: float


class NoteSearch:
    """
    Searches notes.

    Args:
        notes: What is searched.

    """

    def __init__(self, notes: Sequence[Note]) -> None:
        self._notes = list(notes)
        self._lexical = LexicalIndex([" ".join([note.text, note.body, *note.asked_as]) for note in notes])

    def find(
        self,
        text: str,
        cosines: Mapping[str, float] | None,
        count: int = 5,
        checks: Mapping[str, float] | None = None,
    ) -> list[Found]:
        """
        Return the notes that answer a text, best first.

        Args:
            text:    A question, or a passage of a design.
            cosines: Of the text to each note, by id; ``None`` for BM25 alone.
            count:   How many.
            checks:  How far the text is about each check, by id, summing to 1.

        """
        scores = self.scores(text, cosines, checks)
        order = (-scores).argsort(kind="stable")[:count]
        return [Found(self._notes[int(i)], float(scores[i])) for i in order if scores[i] > 0]

    def scores(
        self, text: str, cosines: Mapping[str, float] | None, checks: Mapping[str, float] | None = None
    ) -> np.ndarray:
        """Return the score of each note, shape ``(notes,)``; the scale means nothing across searches."""
        import numpy as np

        lexical = _scaled(self._lexical.scores(text))
        if cosines is None:
            return lexical
        dense = _scaled(np.array([max(0.0, cosines.get(note.id, 0.0)) for note in self._notes]))
        scores = LEXICAL_SHARE * lexical + (1 - LEXICAL_SHARE) * dense
        if checks is not None:
            # A note serves its first check foremost.
            serving = [sum(checks.get(c, 0.0) / (1 + (i > 0)) for i, c in enumerate(n.checks)) for n in self._notes]
            scores = scores + CHECK_SHARE * _scaled(np.array(serving))
        return np.asarray(scores)


def _scaled(scores: np.ndarray) -> np.ndarray:
    highest = float(scores.max(initial=0.0))
    return scores / highest if highest > 0 else scores
