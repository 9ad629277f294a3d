"""
Documents as values: lines, spans, sections, passages, requirements.

Line numbers are 1-based and inclusive everywhere; line ``n`` is
``document.lines[n - 1]``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class DocumentName(StrEnum):
    """Which of the two reviewed documents a line belongs to."""

    DESIGN = "design"
    REQUIREMENTS = "requirements"


class PassageKind(StrEnum):
    """What a passage is in the document's markup."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list item"
    TABLE_ROW = "table row"
    CODE = "code"
    DIAGRAM = "diagram"
    QUOTE = "quotation"
    DEFINITION = "definition"
    FOOTNOTE = "footnote"
    FRONT_MATTER = "front matter"
    HTML = "html"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Lines ``first`` to ``last``, both included, 1-based."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last:
            raise ValueError(f"not a span of lines: {self.first}..{self.last}")

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"

    def overlaps(self, other: Span) -> bool:
        """Return whether the two spans share a line."""
        return self.first <= other.last and other.first <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1


def lines_of(span: Span) -> str:
    """Return a span in words: "line 4", "lines 4-6"."""
    return f"line {span}" if span.first == span.last else f"lines {span}"


@dataclass(frozen=True, slots=True)
class Passage:
    """
    A small piece of a document that can be judged and quoted by itself.

    Args:
        number:   Position in the document, from 0.
        kind:     What it is in the markup.
        span:     The lines it stands on.
        text:     The text to search and to embed: the lines without list marks and
                  table borders, a table row preceded by its header's cells.
        headings: The titles above it, outermost first.
        language: Info string of a fence (``sql``, ``yaml``), else empty.
        addressed_to_reviewer: Whether the text instructs its reviewer; such a
                  passage is quoted as a finding and never counts as evidence.
        header:   For a table row the table's header line as it stands, else empty.
        cut:      Whether text that addresses the reviewer was taken out; the lines then hold
                  more than the text.
        block:    Number of the list, table or fence that it was cut from; passages
                  of one block share it.

    """

    number: int
    kind: PassageKind
    span: Span
    text: str
    headings: tuple[str, ...] = ()
    language: str = ""
    addressed_to_reviewer: bool = False
    header: str = ""
    cut: bool = False
    block: int = 0

    @property
    def heading_path(self) -> str:
        """The headings above, joined, or an empty string."""
        return " > ".join(self.headings)

    @property
    def is_code(self) -> bool:
        """Whether it was cut from a fence."""
        return self.kind in (PassageKind.CODE, PassageKind.DIAGRAM)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the lines up to the next heading of its level or above."""

    title: str
    level: int
    span: Span
    headings: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """
    A text read once: its lines as they stand, and what a parser made of them.

    Args:
        name:     Which of the two documents it is.
        path:     Where it was read, as the user wrote it.
        text:     The decoded text with line feeds as line ends.
        sha256:   Hash of the file's bytes, hexadecimal.
        title:    First heading of level 1, front matter's title, or the file's name.
        sections: In order; empty for a text without headings.
        passages: In order; never empty for a text with a visible character.
        notices:  What a reader should know of the reading (encoding, long lines).

    """

    name: DocumentName
    path: str
    text: str
    sha256: str
    title: str
    sections: tuple[Section, ...]
    passages: tuple[Passage, ...]
    notices: tuple[str, ...] = ()

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends; split where the parser splits, at line feeds alone."""
        return tuple(self.text.split("\n"))

    @property
    def evidence_passages(self) -> tuple[Passage, ...]:
        """The passages that may count as evidence."""
        return tuple(p for p in self.passages if not p.addressed_to_reviewer)


@dataclass(frozen=True, slots=True)
class Requirement:
    """
    One requirement: its id as written or made up, its text and its lines.

    Args:
        id:         ``FR-1``, ``R7``, ``AC 1.1`` as written, or ``req-3`` where none is.
        text:       The whole wording, without the id.
        span:       Its lines in the requirements document.
        group:      The heading above it, or an empty string.

    """

    id: str
    text: str
    span: Span
    group: str = ""


@dataclass(frozen=True, slots=True)
class Requirements:
    """The requirements document and the items found in it."""

    document: Document
    items: tuple[Requirement, ...] = field(default=())
