"""Requirements: one item for each, with ids of any scheme or none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from draftproof.domain.document import Document, Passage, PassageKind, Requirement, Span

# FR-1, NFR-2, BR-01, R7, P-1, AC 1.1, US_3, Requirement 8, SEC-AUTH-02
_ID = re.compile(
    r"^[\s*_`\[(]*"
    r"(?P<id>(?:[A-Z]{1,6}(?:[-_][A-Z]{1,8})?[-_ ]?\d+(?:[.-]\d+)*[a-z]?"
    r"|(?:Requirement|Req|Story|Constraint|Goal|Rule|Anforderung|Exigence)[-_ ]?\d+(?:\.\d+)*))"
    r"(?![\w])[\s*_`\])]*(?:[:.)|\u2013\u2014-]|\s|$)\s*(?P<rest>.*)$",
    re.DOTALL,
)
_NUMBERED = re.compile(r"^\s*(?P<number>\d{1,3})[.)]\s+\S")
_NUMBERED_HEADING = re.compile(r"^(?P<number>\d{1,3}(?:\.\d{1,3})*)[.)]?\s+\S")
_ID_CELL = re.compile(r"^(?:id|no\.?|nr\.?|#|ref\.?|key|number|req(?:uirement)?(?: id)?)$", re.IGNORECASE)
_OBLIGES = re.compile(
    r"\b(?:must|shall|should|has to|have to|needs? to|is required|are required|may not|never|always|will|can)\b"
    r"|\d+\s*(?:%|ms\b|s\b|seconds?|minutes?|hours?|days?|requests?|events?|/s)",
    re.IGNORECASE,
)
_BACKGROUND = re.compile(
    r"\b(?:background|context|introduction|glossary|out of scope|not in scope|stakeholders?|history|"
    r"references?|changes?|revision|open (?:points|questions)|definitions?|terms|about this document)\b",
    re.IGNORECASE,
)
# So many ids of one kind are a scheme.
_A_SCHEME = 4
_BARE_ID = re.compile(r"^[A-Z]+ ?\d+$")
_GLOSSARY = re.compile(
    r"^(?:\d+(?:\.\d+)*\W+)?(?:glossary|definitions|terms|terminology|abbreviations|acronyms)\b", re.IGNORECASE
)
# Words that an id looks like and is not.
_NOT_AN_ID = re.compile(
    r"^(?:P9\d|UTF[-_ ]?\d+|ISO[-_ ]?\d+|RFC[-_ ]?\d+|"
    r"HTTP[-_ ]?\d|Q[1-4] (?:19|20)\d\d|V\d|TLS ?\d|SHA[-_]?\d+|Version \d)",
    re.IGNORECASE,
)


def find_requirements(document: Document) -> tuple[Requirement, ...]:
    """
    Return the requirements of a document in order.

    Items with ids win. Where there is none, numbered items are taken, then bullets
    and sentences that oblige; these get ids ``req-1``, ``req-2`` and so on.
    """
    with_ids = _with_ids(document)
    if with_ids:
        return with_ids
    return _numbered(document) or _obliging(document)


def _with_ids(document: Document) -> tuple[Requirement, ...]:
    found: list[Requirement] = []
    seen: set[str] = set()
    for passage in document.passages:
        for text, span in _items(passage):
            match = _id_at_start(text)
            if not match:
                _continue_last(found, passage)
                continue
            name = re.sub(r"\s+", " ", match.group("id")).strip()
            if name in seen:
                continue
            seen.add(name)
            rest = match.group("rest").strip(" |*_\n")
            found.append(Requirement(name, rest, span, passage.heading_path))
    found.extend(_headings_with_ids(document, seen))
    found.sort(key=lambda item: item.span.first)
    found = _without_strays(found)
    # One stray word that looks like an id is not a scheme.
    return tuple(found) if len(found) >= 2 or (found and len(document.passages) < 4) else ()


def _without_strays(found: list[Requirement]) -> list[Requirement]:
    """
    Return the items without what only looks like one beside a scheme of ids.

    Where a document numbers its requirements, a single word with a number is an abbreviation or the
    beginning of a sentence ("S3", "AFTER 3 attempts"), and so is what stands in a glossary.
    """
    schemes = Counter(_scheme(item.id) for item in found)
    if not schemes or max(schemes.values()) < _A_SCHEME:
        return found
    kept = [
        item
        for item in found
        if not (schemes[_scheme(item.id)] == 1 and _BARE_ID.match(item.id))
        and not _GLOSSARY.match(item.group.rpartition(" > ")[2])
    ]
    return kept or found


def _scheme(name: str) -> str:
    return re.sub(r"\d.*$", "", name).strip(" -_").lower()


def _items(passage: Passage) -> Iterator[tuple[str, Span]]:
    """Yield a passage's text and lines, cut where several of its lines start with an id."""
    text = _row_without_label(passage)
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if _id_at_start(line)]
    if len(starts) < 2 or passage.is_code or len(lines) > len(passage.span):
        yield text, passage.span
        return
    for start, stop in pairwise([*starts, len(lines)]):
        yield "\n".join(lines[start:stop]), Span(passage.span.first + start, passage.span.first + stop - 1)


def _id_at_start(text: str) -> re.Match[str] | None:
    match = _ID.match(text)
    if not match or _NOT_AN_ID.match(text[match.start("id") :]) or not match.group("rest").strip(" |*_"):
        return None
    return match


def _row_without_label(passage: Passage) -> str:
    """Return a table row's text without the name of its first column."""
    if passage.kind is not PassageKind.TABLE_ROW:
        return passage.text
    cells = passage.text.split(" | ")
    label, _, first = cells[0].partition(": ")
    if first and (_ID_CELL.match(label.strip("* `")) or _ID.match(first + " x")):
        cells[0] = first
    return " | ".join(cells)


def _continue_last(found: list[Requirement], passage: Passage) -> None:
    """Add a nested bullet or a paragraph inside an item to the item above it."""
    if not found or passage.kind is not PassageKind.LIST_ITEM:
        return
    last = found[-1]
    adjacent = passage.span.first == last.span.last + 1
    if adjacent and passage.heading_path == last.group:
        found[-1] = Requirement(
            last.id, f"{last.text}\n{passage.text}", Span(last.span.first, passage.span.last), last.group
        )


def _headings_with_ids(document: Document, seen: set[str]) -> Iterable[Requirement]:
    spans = {section.title: section.span for section in reversed(document.sections)}
    bold = dict.fromkeys(title for passage in document.passages for title in passage.headings if title not in spans)
    for title in (*(section.title for section in document.sections), *bold):
        match = _ID.match(title)
        if not match or match.group("id") in seen or _NOT_AN_ID.match(match.group("id")):
            continue
        seen.add(match.group("id"))
        inside = [p for p in document.passages if title in p.headings]
        text = "\n".join([match.group("rest"), *(p.text for p in inside)]).strip()
        if text:
            yield Requirement(match.group("id"), text, spans.get(title) or _under_bold(document, title, inside), title)


def _under_bold(document: Document, title: str, inside: Sequence[Passage]) -> Span:
    """Return the lines from a bold line that stands for a heading to the last passage below it."""
    first = inside[0].span.first
    above = (number for number in range(first, 0, -1) if title in document.lines[number - 1])
    return Span(next(above, first), inside[-1].span.last)


def _numbered(document: Document) -> tuple[Requirement, ...]:
    found = []
    for passage in document.passages:
        line = document.lines[passage.span.first - 1]
        match = _NUMBERED.match(line)
        if match and passage.kind is PassageKind.LIST_ITEM and not _in_background(passage):
            found.append(passage)
    if len(found) < 3:
        return ()
    return tuple(Requirement(f"req-{i}", p.text, p.span, p.heading_path) for i, p in enumerate(found, start=1))


def _obliging(document: Document) -> tuple[Requirement, ...]:
    kinds = (PassageKind.LIST_ITEM, PassageKind.TABLE_ROW, PassageKind.PARAGRAPH)
    items = [p for p in document.passages if p.kind in kinds and not _in_background(p) and _OBLIGES.search(p.text)]
    return tuple(Requirement(f"req-{i}", p.text, p.span, p.heading_path) for i, p in enumerate(items, start=1))


def _in_background(passage: Passage) -> bool:
    return any(_BACKGROUND.search(heading) for heading in passage.headings[1:])
