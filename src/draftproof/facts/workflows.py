"""Workflows that a design writes down as numbered steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from draftproof.domain.document import Document, Passage, PassageKind, Span
from draftproof.facts.base import Fact, blocks, clipped

_STEP = re.compile(r"^\s*\d{1,2}[.)]\s+(?P<text>\S.*)$")
_WRITES = re.compile(
    r"\b(?:(?:creates?|inserts?|stores?|saves?|persists?|writes?|updates?)\b[^.|\n]{0,60}\b(?:records?|rows?|database|postgres\w*|db|table|status|`\w+`)"
    r"|(?:stored|saved|written|persisted|inserted|updated)\b[^.|\n]{0,30}\b(?:database|postgres\w*|db|table))\b",
    re.IGNORECASE,
)
_PUBLISHES = re.compile(
    r"\b(?:publish\w*|emits?|emitted|produces?|sends?|sent)\b[^.|\n]{0,60}\b(?:kafka|topic|events?|rabbitmq|broker|bus)\b"
    r"|\bevents?\b[^.|\n]{0,60}\b(?:published|emitted|sent|produced)\b|\bkafka\b[^.|\n]{0,20}\bpublish\w*",
    re.IGNORECASE,
)
_REJECTED = re.compile(r"\b(?:rejected|alternatives?|not chosen|discarded|future|later)\b", re.IGNORECASE)
# Lines between two steps of one workflow.
_MOST_LINES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteThenPublish(Fact):
    """A workflow that writes to the database in one step and publishes an event in a later one."""

    kind: ClassVar[str] = "workflow.write_then_publish"
    write: str
    publication: str


def workflow_facts(document: Document) -> Iterable[Fact]:
    """Return the workflows that write and then publish: in numbered lists, and in fences that hold such a list."""
    for _, group in groupby(document.evidence_passages, key=lambda p: (p.headings, p.kind is PassageKind.LIST_ITEM)):
        passages = list(group)
        rejected = any(_REJECTED.search(title) for title in passages[0].headings[-2:])
        if passages[0].kind is PassageKind.LIST_ITEM and not rejected:
            yield from _found(list(_steps(document, passages)))
    for block in blocks(document):
        lines = block.text.split("\n")
        steps = [(block.span.first + i, m.group("text")) for i, line in enumerate(lines) if (m := _STEP.match(line))]
        yield from _found(steps)


def _steps(document: Document, passages: Sequence[Passage]) -> Iterator[tuple[int, str]]:
    for passage in passages:
        match = _STEP.match(document.lines[passage.span.first - 1])
        if match:
            yield passage.span.first, passage.text


def _found(steps: Sequence[tuple[int, str]]) -> Iterator[WriteThenPublish]:
    written: tuple[int, str] | None = None
    before = 0
    for line, text in steps:
        # A list that begins elsewhere is another workflow.
        if before and line > before + _MOST_LINES:
            written = None
        before = line
        if written is not None and _PUBLISHES.search(text):
            yield WriteThenPublish(span=Span(written[0], line), write=_short(written[1]), publication=_short(text))
            return
        if _WRITES.search(text):
            written = (line, text)


def _short(text: str) -> str:
    return clipped(text.strip().split("\n")[0].rstrip("."), 90)
