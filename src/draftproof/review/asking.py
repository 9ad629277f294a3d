"""Questions put to a language model, a few at a time, as long as there is time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf

from draftproof.domain.asking import Answer, Question
from draftproof.review.ports import LanguageModel, Progress

# So many questions are put together, fewer where the time left is short.
_AT_ONCE = (16, 8, 4, 2)


@dataclass(frozen=True)
class Asker:
    """
    Asks a language model.

    Args:
        model: Who is asked.
        left:  Seconds that are left, asked before each group of questions.

    """

    model: LanguageModel
    left: Callable[[], float] = lambda: inf

    def ask(self, topic: str, questions: Sequence[Question], progress: Progress) -> list[Answer | None]:
        """
        Return an answer to each question, and ``None`` to those for which there was no time.

        Args:
            topic:     What is asked, for a person who waits.
            questions: The most important first; those whose prompts begin alike side by side.
            progress:  Told what it will take and how far it is.

        """
        seconds = self.model.seconds_for(questions)
        about = f", about {spoken(seconds)}" if seconds else ""
        progress.stage(f"{self.model.name} {topic}{about}", len(questions))
        answers: list[Answer | None] = []
        while put := self._next(questions[len(answers) :]):
            answers += self.model.answer(put, partial(_advance, progress, len(answers)))
        return answers + [None] * (len(questions) - len(answers))

    def _next(self, waiting: Sequence[Question]) -> Sequence[Question]:
        """Return as many questions as there is time for, one at least; none where the time is over."""
        left = self.left()
        if left <= 0:
            return []
        if left == inf:
            return waiting[: max(_AT_ONCE)]
        groups = (waiting[:count] for count in _AT_ONCE)
        return next((group for group in groups if self.model.seconds_for(group) <= left), waiting[:1])


def _advance(progress: Progress, before: int, count: int) -> None:
    progress.advance(before + count)


def spoken(seconds: float) -> str:
    """Return a duration as a person would say it: seconds below a minute and a half, else minutes."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
