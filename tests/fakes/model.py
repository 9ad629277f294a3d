"""What every language model of the tests has in common; each answers in its own way."""

from __future__ import annotations

from collections.abc import Sequence

from draftproof.domain.asking import Question


class FakeModel:
    """Keeps what it was asked; its window has room for so many characters, and answers take no time."""

    name = "fake"
    room = 10**6

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def fits(self, question: Question) -> bool:
        return len(question.text) <= self.room

    def seconds_for(self, _: Sequence[Question]) -> float:
        return 0.0

    def close(self) -> None: ...
