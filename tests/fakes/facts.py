"""Facts of one fenced block, by an analyzer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from draftproof.domain.document import Document
from draftproof.facts.base import Fact
from tests.fakes.documents import design

F = TypeVar("F", bound=Fact)


def fenced(text: str, language: str) -> Document:
    """Return a design that is one fenced block."""
    return design(f"```{language}\n{text}\n```\n")


class FenceReader:
    """
    Reads facts of a kind from a fenced block.

    Args:
        analyzer: Yields a document's facts.
        language: Of the fence, unless told otherwise.

    """

    def __init__(self, analyzer: Callable[[Document], Iterable[Fact]], language: str) -> None:
        self._analyzer, self._language = analyzer, language

    def facts(self, kind: type[F], text: str, language: str | None = None) -> list[F]:
        """Return the facts of a kind, in order; an empty language is a fence without one."""
        document = fenced(text, self._language if language is None else language)
        return [f for f in self._analyzer(document) if isinstance(f, kind)]

    def one(self, kind: type[F], text: str) -> F:
        """Return the only fact of a kind."""
        (fact,) = self.facts(kind, text)
        return fact
