"""What a review needs from the outside; each as narrow as its use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from draftproof.domain.asking import Answer, Question
from draftproof.domain.findings import Finding
from draftproof.domain.rubric import Rubric

if TYPE_CHECKING:
    import numpy as np

    from draftproof.review.material import Material


class Judge(Protocol):
    """Gives each check of the rubric a verdict with confidence and evidence."""

    @property
    def name(self) -> str:
        """Name and version, for the provenance."""
        ...

    def judge(self, rubric: Rubric, material: Material) -> Mapping[str, Finding]:
        """Return one finding for every check, by id; severity and advice come later."""
        ...


class LanguageModel(Protocol):
    """Answers closed questions, each under its schema or not at all."""

    @property
    def name(self) -> str:
        """Name for the report: the model, and where it runs if that is not this process."""
        ...

    def answer(self, questions: Sequence[Question], told: Callable[[int], None] = ...) -> Sequence[Answer]:
        """
        Return an answer to each question, in their order; what cannot be constrained is an error.

        Args:
            questions: What is asked.
            told:      Told how many are answered, after each.

        """
        ...

    def fits(self, question: Question, /) -> bool:
        """Return whether a question and its answer have room in the model's window, as far as that is known."""
        ...

    def seconds_for(self, questions: Sequence[Question], /) -> float:
        """Return about how long the answers will take; 0 where that cannot be known."""
        ...

    def close(self) -> None:
        """Free what it holds; it is not asked again."""
        ...


class Progress(Protocol):
    """Is told what is being done."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins; the one before it has ended."""
        ...

    def advance(self, done: int) -> None:
        """So much of the stage's total is done."""
        ...


class Silence:
    """A progress that says nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, done: int) -> None:
        """Say nothing."""


class Clock(Protocol):
    """Tells the time, so that tests can."""

    def __call__(self) -> float:
        """Return seconds from an arbitrary moment."""
        ...


class NoteIndex(Protocol):
    """Finds notes by vector."""

    def query(self, vectors: np.ndarray, count: int) -> list[list[tuple[str, float]]]:
        """
        Return the nearest notes of each vector.

        Args:
            vectors: Shape ``(n, dimension)``.
            count:   How many notes for each.

        Returns:
            For each vector pairs of note id and cosine similarity, best first.

        """
        ...
