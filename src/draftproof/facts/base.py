"""The base of all facts, the collection that rules look into, and whole fenced blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import ClassVar

from draftproof.documents.cues import Cue, cues_at, refused_before
from draftproof.domain.document import Document, Passage, PassageKind, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """
    Something that a document states, parsed.

    Each kind of fact is a dataclass of its own with a ``kind`` that rules name, such as
    ``sql.table``. Attributes are plain values, lower-cased where case means nothing.

    Args:
        span: The lines that it stands on.

    """

    kind: ClassVar[str] = ""
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    """
    A whole fenced block, however many passages it was cut into.

    Args:
        language: Info string of the fence, lower-case, or empty.
        text:     Its lines without the fence, as they stand. Line ``i`` (0-based) is the
                  document's line ``span.first + i``. Text that addresses the reviewer is
                  blanked.
        span:     Its lines, without the fence's own.
        headings: The titles above it, outermost first.
        diagram:  Whether it draws instead of coding.

    """

    language: str
    text: str
    span: Span
    headings: tuple[str, ...] = ()
    diagram: bool = False

    def lines(self, first: int, last: int | None = None) -> Span:
        """Return the document's lines for 0-based lines of the block, kept inside it."""
        last = first if last is None else last
        start = min(max(self.span.first + first, self.span.first), self.span.last)
        return Span(start, min(max(self.span.first + last, start), self.span.last))


def blocks(document: Document) -> Iterator[Block]:
    """Yield the fenced blocks of a document in order."""
    code = [p for p in document.passages if p.is_code]
    for _, group in groupby(code, key=lambda p: p.block):
        for run in _contiguous(list(group)):
            yield _block(document, run)


def prose(document: Document) -> Iterator[Passage]:
    """Yield the passages that are neither code nor quotation, and may count as evidence."""
    for passage in document.evidence_passages:
        if not passage.is_code and passage.kind is not PassageKind.QUOTE:
            yield passage


def line_at(passage: Passage, start: int) -> Span:
    """Return the line of a character of a passage, as well as its text and lines correspond."""
    if passage.kind is PassageKind.TABLE_ROW or len(passage.span) == 1:
        return Span(passage.span.first, passage.span.first)
    line = min(passage.span.first + passage.text.count("\n", 0, start), passage.span.last)
    return Span(line, line)


def clipped(text: str, most: int) -> str:
    """Return a text of at most so many characters, with an ellipsis where it goes on."""
    return text if len(text) <= most else text[: most - 3] + "..."


def stands(cues: Sequence[Cue], passage: Passage, start: int, stop: int) -> bool:
    """Return whether what is named at some characters of a passage is stated, not put off, refused or feared."""
    return not cues_at(cues, passage, start, stop) and not refused_before(cues, passage, start)


def _contiguous(passages: Sequence[Passage]) -> Iterator[list[Passage]]:
    """Cut a top-level block (a list may hold several fences) where the language changes or a fence ends."""
    run: list[Passage] = []
    for passage in passages:
        if run and passage.language != run[-1].language:
            yield run
            run = []
        run.append(passage)
    if run:
        yield run


def _block(document: Document, passages: Sequence[Passage]) -> Block:
    span = Span(passages[0].span.first, passages[-1].span.last)
    kept = {
        line
        for p in passages
        if not p.addressed_to_reviewer and not p.cut
        for line in range(p.span.first, p.span.last + 1)
    }
    lines = [document.lines[n - 1] if n in kept else "" for n in range(span.first, span.last + 1)]
    first = passages[0]
    return Block(first.language, "\n".join(lines), span, first.headings, first.kind is PassageKind.DIAGRAM)


@dataclass(frozen=True)
class Facts:
    """
    The facts of a design, and of its requirements.

    Args:
        design:       In the order of the analyzers.
        requirements: The same for the requirements document.

    """

    design: Sequence[Fact] = ()
    requirements: Sequence[Fact] = ()

    @cached_property
    def by_kind(self) -> dict[str, list[Fact]]:
        """The design's facts by kind."""
        found: dict[str, list[Fact]] = {}
        for fact in self.design:
            found.setdefault(fact.kind, []).append(fact)
        return found

    def of(self, kind: str) -> Sequence[Fact]:
        """Return the design's facts of a kind, in order."""
        return self.by_kind.get(kind, ())

    def required(self, kind: str) -> Sequence[Fact]:
        """Return the requirements' facts of a kind, in order."""
        return [fact for fact in self.requirements if fact.kind == kind]
