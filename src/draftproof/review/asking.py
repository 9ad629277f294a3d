"""Questions put to a language model, a few at a time, as long as there is time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from draftproof.domain.asking import Answer, Question
from draftproof.review.ports import LanguageModel, Progress

# So many questions are put together; the first of them come first, should time run out.
_AT_ONCE = 16


@dataclass(frozen=True)
class Asker:
    """
    Asks a language model.

    Args:
        model: Who is asked.
        go_on: Asked before each group of questions; false where the time is over.

    """

    model: LanguageModel
    go_on: Callable[[], bool] = lambda: True

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
        while len(answers) < len(questions) and self.go_on():
            put = questions[len(answers) : len(answers) + _AT_ONCE]
            answers += self.model.answer(put, partial(_advance, progress, len(answers)))
        return answers + [None] * (len(questions) - len(answers))


def _advance(progress: Progress, before: int, count: int) -> None:
    progress.advance(before + count)


def spoken(seconds: float) -> str:
    """Return a duration as a person would say it: seconds below a minute and a half, else minutes."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
