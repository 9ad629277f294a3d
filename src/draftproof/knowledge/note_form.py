"""Whether a note keeps its form: its head, its headings, its questions, and its fenced examples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from draftproof.errors import DataError
from draftproof.knowledge.examples import example_faults
from draftproof.knowledge.kafka_names import NO_NAMES, KafkaNames
from draftproof.knowledge.lines import Fault
from draftproof.knowledge.shapes import front_matter

HEADINGS = ("Practice", "How", "Numbers", "Prevents", "When it does not apply", "Ask")
OPTIONAL_HEADINGS = frozenset({"Numbers"})
MOST_WORDS = 60
MOST_QUESTIONS = 3

_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<marks>`{3,}|~{3,})[ \t]*(?P<language>[^\s`{]*)")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_QUOTED = re.compile(r"`([^`\n]+)`")


def note_faults(note_text: str, place: str, kafka: KafkaNames = NO_NAMES) -> list[str]:
    """
    Return every fault of a note's form and of its examples, as ``file:line: what``.

    Args:
        note_text: The file's text.
        place:     Its path.
        kafka:     The settings that exist; without them names are not checked.

    """
    try:
        data, body, first = front_matter(note_text, place)
    except DataError as error:
        return error.message.split("\n")
    faults = _front_faults(data, note_text)
    prose, blocks, open_fences = _divided(body, first)
    faults += open_fences
    faults += _heading_faults(prose, first)
    if not blocks:
        faults.append((first, "there is no fenced example."))
    for line, language, code in blocks:
        if language:
            faults += [(line + at, what) for at, what in example_faults(language, code, kafka)]
        else:
            faults.append((line, "the example names no language behind its fence."))
    head = list(enumerate(note_text.split("\n")[: first - 1], start=1))
    faults += _prose_faults([*head, *prose], kafka)
    return [f"{place}:{line}: {what}" for line, what in sorted(faults)]


def _front_faults(data: Mapping[str, Any], text: str) -> list[Fault]:
    faults = []
    reviewed = str(data.get("reviewed", ""))
    if not _ISO_DATE.fullmatch(reviewed) or not _is_date(reviewed):
        faults.append((_line_of("reviewed", text), f"reviewed: {reviewed!r} is not a date YYYY-MM-DD."))
    sources = data.get("sources")
    if not isinstance(sources, list) or not sources:
        faults.append((_line_of("sources", text), "sources: at least one is needed."))
    else:
        for number, source in enumerate(sources, start=1):
            given = source if isinstance(source, dict) else {}
            if not all(str(given.get(key) or "").strip() for key in ("title", "version")):
                faults.append((_line_of("sources", text), f"sources: number {number} lacks title or version."))
    words = len(str(data.get("recommendation") or "").split())
    if not words:
        faults.append((_line_of("recommendation", text), "recommendation: it is empty."))
    elif words > MOST_WORDS:
        faults.append(
            (_line_of("recommendation", text), f"recommendation: {words} words; at most {MOST_WORDS} are read.")
        )
    return faults


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _line_of(member: str, text: str) -> int:
    found = re.search(rf"^{member}:", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _divided(body: str, first: int) -> tuple[list[tuple[int, str]], list[tuple[int, str, str]], list[Fault]]:
    """Return the lines of prose, the fenced blocks with the line of their fence, and fences left open."""
    prose: list[tuple[int, str]] = []
    blocks: list[tuple[int, str, str]] = []
    held: list[str] = []
    opened: tuple[int, str, str] | None = None
    for number, line in enumerate(body.split("\n"), start=first):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened, held = (number, fence["marks"], fence["language"]), []
        elif opened is None:
            prose.append((number, line))
        elif fence and line.strip().startswith(opened[1]) and not line.strip().strip(opened[1][0]):
            blocks.append((opened[0], opened[2].lower(), "\n".join(held) + "\n"))
            opened = None
        else:
            held.append(line)
    return prose, blocks, [(opened[0], "the fence is not closed.")] if opened else []


def _heading_faults(prose: list[tuple[int, str]], first: int) -> list[Fault]:
    faults: list[Fault] = []
    parts: dict[str, tuple[int, list[str]]] = {}
    name = ""
    for number, line in prose:
        if line.startswith("## "):
            name = line[3:].strip()
            if name not in HEADINGS:
                faults.append((number, f"the heading {name!r} is none of {', '.join(HEADINGS)}."))
            elif name in parts:
                faults.append((number, f"the heading {name!r} stands twice."))
            parts.setdefault(name, (number, []))
        elif name and line.strip():
            parts[name][1].append(line)
    known = [heading for heading in parts if heading in HEADINGS]
    wanted = [heading for heading in HEADINGS if heading in parts]
    for before, after in zip(known, wanted, strict=True):
        if before != after:
            faults.append((parts[before][0], f"the heading {before!r} stands where {after!r} belongs."))
            break
    missing = [heading for heading in HEADINGS if heading not in parts and heading not in OPTIONAL_HEADINGS]
    faults += [(first, f"the heading {heading!r} is missing.") for heading in missing]
    faults += [(parts[heading][0], f"{heading!r} is empty.") for heading in known if not parts[heading][1]]
    if "Ask" in parts:
        number, lines = parts["Ask"]
        questions = [line for line in lines if line.startswith("- ")]
        if not 1 <= len(questions) <= MOST_QUESTIONS:
            faults.append((number, f"'Ask' has {len(questions)} questions; one to {MOST_QUESTIONS} are wanted."))
        faults += [(number, f"not a question: {line[2:]!r}.") for line in questions if not line.rstrip().endswith("?")]
    return faults


def _prose_faults(prose: list[tuple[int, str]], kafka: KafkaNames) -> list[Fault]:
    faults = []
    for number, line in prose:
        for quoted in _QUOTED.findall(line):
            name = quoted.split("=")[0].strip()
            meant = kafka.misspelt(name)
            if meant:
                faults.append((number, f"Kafka has no setting {name}; {meant} is near."))
    return faults
