"""Participants and arrows of Mermaid and PlantUML diagrams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from draftproof.domain.document import Document
from draftproof.facts.base import Block, Fact, blocks

_NAMED = re.compile(
    r"^\s*(?:participant|actor|database|queue|component|entity|control|boundary|collections)\s+"
    r'(?:"(?P<quoted>[^"]+)"|(?P<name>[\w.-]+))(?:\s+as\s+(?:"(?P<title>[^"]+)"|(?P<alias>.+?)))?\s*$',
    re.IGNORECASE,
)
_SEQUENCE_ARROW = re.compile(
    r"^\s*(?P<source>[\w\"][\w.\" -]*?)\s*(?P<arrow><?-{1,2}(?:\[[^\]]*\])?-?(?:>>|>|\)|x)[+-]?)"
    r"\s*(?P<target>[\w\"][\w.\" -]*?)\s*:\s*(?P<label>.*)$"
)
_FLOW_NODE = re.compile(
    r"\b([A-Za-z_][\w-]*)\s*(?:\[\(|\[\[|\(\[|\(\(|\{\{|[\[({])\s*\"?([^\])}\"|]+?)\"?\s*"
    r"(?:\)\]|\]\]|\]\)|\)\)|\}\}|[\])}])"
)
_FLOW_ARROW = re.compile(
    r"(?P<source>[A-Za-z_]\w*)(?:\s*[\[({>][^\n]*?[\])}]+)?\s*(?:--\s*\"?(?P<inner>[^\"|>-][^|>]*?)\"?\s*-->|"
    r"(?:-->|---|==>|-\.->|--o|--x)(?:\|\"?(?P<label>[^|]*?)\"?\|)?)\s*(?P<target>[A-Za-z_]\w*)"
)
_DATABASE = re.compile(r"\b(?:postgres\w*|database|datenbank|db|sql|timescale\w*)\b|\[\(", re.IGNORECASE)
_BROKER = re.compile(r"\b(?:kafka|broker|topic|redpanda)\b", re.IGNORECASE)
# Words of a title that say what something is, not whose.
_KINDS = frozenset(
    {"db", "database", "databases", "postgres", "postgresql", "sql", "store", "storage", "schema", "data", "datenbank",
     "table", "tables", "primary", "replica", "read", "service", "services", "svc", "dienst", "api", "app", "backend",
     "server", "worker", "workers", "module", "component", "the"}
)  # fmt: skip
_COMMENT = re.compile(r"%%.*$|^\s*'.*$")
_CLASS = re.compile(r":::[\w-]+")
# A line longer than that is no line of a diagram that somebody drew.
_LONGEST_LINE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow(Fact):
    """
    An arrow of a diagram.

    Args:
        source:  Who, by title.
        target:  To whom, by title.
        label:   What is written on it.
        waits:   Whether the source waits for an answer, as the arrow shows; flowcharts do not
                 tell, and count as not waiting.
        sequence: Whether the diagram is a sequence diagram; arrows are then in time's order.
        database: Whether the target is a database by its name.
        broker:  Whether the target is a broker or topic by its name.
        owners:  Other participants after whom the target is named: ``Order service`` for
                 ``Order DB``; empty where the target is no database.
        place:   Position among the arrows of its diagram, from 0.
        diagram: First line of the diagram; arrows with the same one belong together.

    """

    kind: ClassVar[str] = "diagram.arrow"
    source: str
    target: str
    label: str = ""
    waits: bool = False
    sequence: bool = False
    database: bool = False
    broker: bool = False
    owners: tuple[str, ...] = ()
    place: int = 0
    diagram: int = 0


def diagram_facts(document: Document) -> Iterable[Fact]:
    """Yield the arrows of a document's diagrams."""
    for block in blocks(document):
        if not block.diagram and block.language not in ("mermaid", "plantuml", "puml"):
            continue
        lines = [_cleaned(line) for line in block.text.split("\n")]
        text = "\n".join(lines)
        if re.search(r"^(?:sequenceDiagram|@startuml|participant\b|actor\b)", text, re.MULTILINE):
            yield from _with_owners(list(_sequence(block, lines)))
        elif re.search(r"^(?:flowchart|graph)\b", text, re.MULTILINE):
            yield from _with_owners(list(_flowchart(block, lines)))


def _cleaned(line: str) -> str:
    """Return a line without comment, style and needless space; one that is too long is left out."""
    if len(line) > _LONGEST_LINE:
        return ""
    return " ".join(_CLASS.sub("", _COMMENT.sub("", line)).split())


def _with_owners(arrows: Sequence[Arrow]) -> Iterator[Arrow]:
    stores = {arrow.target for arrow in arrows if arrow.database or arrow.broker}
    titles = {title for arrow in arrows for title in (arrow.source, arrow.target)} - stores
    named = {title: _own_words(title) for title in titles}
    for arrow in arrows:
        words = _own_words(arrow.target) if arrow.database and not arrow.broker else frozenset()
        owners = sorted(title for title, own in named.items() if own and own <= words)
        yield replace(arrow, owners=tuple(owners))


def _own_words(title: str) -> frozenset[str]:
    """Return the words that tell one participant from another, in the singular."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", re.sub(r"<[^>]*>", " ", title))
    return frozenset(word.lower().removesuffix("s") for word in words if word.lower() not in _KINDS)


def _sequence(block: Block, lines: Sequence[str]) -> Iterator[Arrow]:
    titles: dict[str, str] = {}
    place = 0
    for number, line in enumerate(lines):
        named = _NAMED.match(line)
        if named:
            # Mermaid: ``participant A as Title``; PlantUML: ``participant "Title" as A``.
            if named["quoted"]:
                titles[(named["alias"] or named["title"] or named["quoted"]).strip()] = named["quoted"]
            else:
                titles[named["name"]] = (named["title"] or named["alias"] or named["name"]).strip()
            continue
        arrow = _SEQUENCE_ARROW.match(line)
        if not arrow or arrow["arrow"].startswith("<"):
            continue
        source, target = (titles.get(name, name) for name in _ends(arrow))
        yield _arrow(block, number, place, source, target, arrow)
        place += 1


def _ends(arrow: re.Match[str]) -> tuple[str, str]:
    return arrow["source"].strip().strip('"'), arrow["target"].strip().strip('"')


def _arrow(block: Block, number: int, place: int, source: str, target: str, arrow: re.Match[str]) -> Arrow:
    head = re.sub(r"\[.*?\]", "", arrow["arrow"])
    return Arrow(
        span=block.lines(number),
        source=source,
        target=target,
        label=arrow["label"].strip(),
        # A dashed arrow is an answer; an open head (``-)``) does not wait.
        waits=not head.startswith("--") and ")" not in head,
        sequence=True,
        database=bool(_DATABASE.search(target)),
        broker=bool(_BROKER.search(target)),
        place=place,
        diagram=block.span.first,
    )


def _flowchart(block: Block, lines: Sequence[str]) -> Iterator[Arrow]:
    titles: dict[str, str] = {}
    stores: set[str] = set()
    for line in lines:
        for node in _FLOW_NODE.finditer(line):
            titles.setdefault(node.group(1), re.sub(r"<br\s*/?>", " ", node.group(2)).strip())
            if "[(" in node.group(0):
                stores.add(node.group(1))
    place = 0
    for number, line in enumerate(lines):
        rest = line
        while found := _FLOW_ARROW.search(rest):
            source, target = found["source"], found["target"]
            title = titles.get(target, target)
            yield Arrow(
                span=block.lines(number),
                source=titles.get(source, source),
                target=title,
                label=(found["label"] or found["inner"] or "").strip(),
                database=(target in stores and not _BROKER.search(title)) or bool(_DATABASE.search(title)),
                broker=bool(_BROKER.search(title)),
                place=place,
                diagram=block.span.first,
            )
            place += 1
            # ``A --> B --> C``: the target is the next source.
            rest = rest[found.start("target") :]
