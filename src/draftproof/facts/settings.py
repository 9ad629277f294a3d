"""Settings and measures in any notation, under one name and in base units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from draftproof.documents.cues import Cue
from draftproof.domain.document import Document, PassageKind
from draftproof.facts.base import Fact, line_at, stands

_SECONDS = {
    "ms": 0.001, "millisecond": 0.001, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60,
    "h": 3600, "hour": 3600, "d": 86400, "day": 86400, "week": 604800, "month": 2592000, "year": 31536000,
    "fortnight": 14 * 86400, "quarter": 91 * 86400,
}  # fmt: skip
_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "twelve": 12, "fifteen": 15, "sixteen": 16, "twenty": 20, "thirty": 30, "sixty": 60, "single": 1,
}  # fmt: skip
_NUMBER = r"(?:\d{1,3}(?:[, ]\d{3})+|\d+(?:\.\d+)?|" + "|".join(w for w in _WORDS if w != "single") + ")"
_UNIT = r"(?:ms|milliseconds?|sec(?:ond)?s?|min(?:ute)?s?|hours?|days?|weeks?|months?|years?|[smhd](?![a-z]))"
# The column that holds what is set; a default or a unit may stand before it.
_VALUE_CELL = (
    r"(?:\|[^|\n]{0,80}){0,2}\|\s*(?:(?:our|chosen|configured)\s+)?"
    r"(?:value|setting|configuration|ours|chosen|production)\s*:"
)
_VALUE = re.compile(
    rf"[\"'`*\])]*\s*(?:=>?|:|{_VALUE_CELL}|\||→|->|\bis\b|\bof\b|\bset to\b|\bwith\b)?\s*[\"'`*(]*"
    rf"(?P<value>(?P<number>-?{_NUMBER})\s?(?P<unit>{_UNIT})?(?!\w|\.\d|\s?/\s?\d)|all|true|false|on|off|none|latest|earliest|read_\w+)",
    re.IGNORECASE,
)
_MOST_CHARACTERS = 20_000
_EN_DASH = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class SettingRule:
    """
    How one setting or measure is found.

    Args:
        name:    Its one name.
        unit:    What a bare number counts: ``word`` (a value that is no number), ``count``, ``ms``,
                 ``s`` or ``percent``; ``claim`` for a promise in words, which has none.
        names:   Matches one of its names, or ``None``.
        phrases: Patterns with the groups ``n`` (number), ``d`` or ``d2`` (duration), ``p`` (percentage),
                 ``u`` (the name of a unit, once).

    """

    name: str
    unit: str
    names: re.Pattern[str] | None
    phrases: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Fact):
    """
    A setting or measure that the design states.

    Args:
        name:    Its one name, such as ``pool_size``.
        value:   As written, lower-case.
        number:  In seconds, units or percent; -1 for a word.
        subject: Lower-case words of the sentence or row, for telling of whose it is.
        code:    Whether it stands in a fence.

    """

    kind: ClassVar[str] = "setting"
    name: str
    value: str
    number: float = -1.0
    subject: str = ""
    code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic(Fact):
    """
    A Kafka topic in a table with one row for each.

    Args:
        name:       As written, lower-case.
        partitions: 0 where the table does not say.
        replication: 0 where the table does not say.
        retention_s: 0 where the table does not say.
        key:        The key's description, or empty.

    """

    kind: ClassVar[str] = "kafka.topic"
    name: str
    partitions: int = 0
    replication: int = 0
    retention_s: float = 0.0
    key: str = ""


def name_pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for any of the names, whatever stands between their words."""
    spelled = sorted(
        (re.sub(r"[._ -]", "[._ -]?", re.escape(n).replace(r"\.", ".")) for n in names), key=len, reverse=True
    )
    return re.compile(rf"(?<![A-Za-z]){'(?:' + '|'.join(spelled) + ')'}(?![A-Za-z])", re.IGNORECASE)


def phrase_pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of a phrase with its placeholders filled in."""
    filled = (
        text.replace("{n}", rf"(?P<n>{_NUMBER})")
        .replace("{d}", rf"(?P<d>{_NUMBER}[ -]?{_UNIT})")
        .replace("{d2}", rf"(?P<d2>{_NUMBER}[ -]?{_UNIT})")
        .replace("{u}", r"(?P<u>hour|day|week|fortnight|month|quarter|year)")
        .replace("{p}", r"(?P<p>\d{1,3}(?:[.,]\d+)?)")
        .replace("{k}", r"(?P<k>(?:days|hours|minutes|seconds|weeks)=\d+)")
    )
    # "8 to 12 minutes": the first of two durations may stand without its unit.
    spaced = rf"(?P<d>{_NUMBER}[ -]?{_UNIT})\s*(?:to|-|{_EN_DASH})"
    bare = rf"{_NUMBER}(?:[ -]?{_UNIT})?\s*(?:to|-|{_EN_DASH})"
    filled = filled.replace(spaced, bare)
    return re.compile(filled, re.IGNORECASE)


def setting_facts(document: Document, cues: Sequence[Cue], rules: Sequence[SettingRule]) -> Iterator[Setting]:
    """Yield the settings and measures of a document, passage by passage."""
    # What a sentence fears, it may state by a number all the same: "we then replay the last 14 days".
    cues = [cue for cue in cues if cue.id != "risk"]
    for passage in document.evidence_passages:
        if passage.kind is PassageKind.QUOTE:
            continue
        text = passage.text[:_MOST_CHARACTERS]
        for rule in rules:
            taken: list[tuple[int, int]] = []
            for start, stop, value, number in _found(rule, text):
                if any(a < stop and start < b for a, b in taken) or not stands(cues, passage, start, stop):
                    continue
                taken.append((start, stop))
                yield Setting(
                    span=line_at(passage, start),
                    name=rule.name,
                    value=value.lower(),
                    number=number,
                    subject=_around(text, start, stop),
                    code=passage.is_code,
                )


def _found(rule: SettingRule, text: str) -> Iterator[tuple[int, int, str, float]]:
    for match in rule.names.finditer(text) if rule.names else ():
        value = _VALUE.match(text, match.end())
        if value is None or (rule.unit != "word" and value.group("number") is None):
            continue
        number = -1.0
        if value.group("number") is not None:
            number = _measured(value.group("number"), value.group("unit"), _spelled_unit(match.group(), rule.unit))
        yield match.start(), value.end(), value.group("value"), number
    for pattern in rule.phrases:
        for match in pattern.finditer(text):
            value_text, number = _from_phrase(match, rule.unit)
            yield match.start(), match.end(), value_text, number


def _spelled_unit(name: str, unit: str) -> str:
    """Return the unit of a bare number: the one in the setting's name, or else its usual one."""
    found = re.search(r"(?:[._]|(?<=[a-z]))(ms|seconds|minutes|hours|days)$", name, re.IGNORECASE)
    return found.group(1).lower() if found else unit


def _from_phrase(match: re.Match[str], unit: str) -> tuple[str, float]:
    groups = {name: text for name, text in match.groupdict().items() if text is not None}
    if "nightly" in groups:
        return groups["nightly"], 86400.0
    if "one" in groups:
        return groups["one"], 1.0
    if unit == "claim":
        return match.group(), 1.0
    if "k" in groups:
        name, _, number = groups["k"].partition("=")
        return groups["k"], float(number) * _SECONDS[name.removesuffix("s")]
    if "u" in groups:
        return match.group(), float(_SECONDS[groups["u"].lower()])
    if "p" in groups:
        return groups["p"] + " %", float(groups["p"].replace(",", "."))
    if "n" in groups:
        return groups["n"], _plain(groups["n"]) * (60 if "unit_minutes" in groups else 1)
    text = groups.get("d2") or groups["d"]
    number_text = re.match(_NUMBER, text, re.IGNORECASE)
    assert number_text
    return text, _measured(number_text.group(), text[number_text.end() :].strip(" -"), unit)


def _plain(number: str) -> float:
    negative = number.startswith("-")
    number = number.lstrip("-").lower()
    value = _WORDS[number] if number in _WORDS else float(re.sub(r"[, ]", "", number))
    return -value if negative else float(value)


def _measured(number: str, unit: str | None, usual: str) -> float:
    value = _plain(number)
    if usual in ("count", "percent", "word"):
        return value
    name = (unit or usual).lower()
    name = name if name in ("ms", "s") else name.removesuffix("s")
    return value * _SECONDS.get(name, 1)


def _around(text: str, start: int, stop: int) -> str:
    first = max(text.rfind("\n", 0, start), text.rfind(". ", 0, start)) + 1
    ends = [at for at in (text.find("\n", stop), text.find(". ", stop)) if at >= 0]
    return text[first : min(ends, default=len(text))].strip().lower()[:300]


_TOPIC_HEADER = re.compile(r"\btopics?\b", re.IGNORECASE)
_CELLS = {
    "partitions": re.compile(r"partition", re.IGNORECASE),
    "replication": re.compile(r"replic|\brf\b", re.IGNORECASE),
    "retention": re.compile(r"retention|kept|keep", re.IGNORECASE),
    "key": re.compile(r"\bkey\b", re.IGNORECASE),
}
_DURATION = re.compile(rf"(?P<number>{_NUMBER})[ -]?(?P<unit>{_UNIT})", re.IGNORECASE)


def topic_facts(document: Document) -> Iterator[Topic]:
    """Yield the topics of tables whose first column names topics."""
    for passage in document.evidence_passages:
        if passage.kind is not PassageKind.TABLE_ROW:
            continue
        cells = [cell.partition(": ")[::2] for cell in passage.text.split(" | ")]
        if not cells or not _TOPIC_HEADER.search(cells[0][0]):
            continue
        name = re.search(r"[a-z][\w]*(?:[.-][\w*{}]+)*", cells[0][1], re.IGNORECASE)
        if name is None:
            continue
        values = {kind: text for kind, header in _CELLS.items() for label, text in cells[1:] if header.search(label)}
        if not values:
            continue
        yield Topic(
            span=passage.span,
            name=name.group().lower(),
            partitions=_first_number(values.get("partitions", "")),
            replication=_first_number(values.get("replication", "")),
            retention_s=_duration(values.get("retention", "")),
            key=values.get("key", "").strip("` ").lower(),
        )


def _first_number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found.group()) if found else 0


def _duration(text: str) -> float:
    found = _DURATION.search(text)
    return _measured(found.group("number"), found.group("unit"), "s") if found else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRow(Fact):
    """
    A row of a sizing table: how many connections one kind of process may open.

    Args:
        name:      The first cell, lower-case.
        instances: Processes or pods, the most that the row names.
        workers:   Processes in each; 1 where the table does not say.
        size:      Connections of one pool, overflow included.
        total:     The product.

    """

    kind: ClassVar[str] = "pool.row"
    name: str
    instances: int
    workers: int
    size: int
    total: int


_POOL_CELLS = {
    "instances": re.compile(r"instance|replica|pods?\b|\bmost\b|\bmax\b", re.IGNORECASE),
    "workers": re.compile(r"workers?\b|process(?:es)?\b", re.IGNORECASE),
    "size": re.compile(r"pool", re.IGNORECASE),
}


def pool_facts(document: Document) -> Iterator[PoolRow]:
    """Yield the rows of tables that size connection pools."""
    for passage in document.evidence_passages:
        if passage.kind is not PassageKind.TABLE_ROW or "pool" not in passage.header.lower():
            continue
        cells = [cell.partition(": ")[::2] for cell in passage.text.split(" | ")]
        values = {
            kind: text for kind, header in _POOL_CELLS.items() for label, text in cells[1:] if header.search(label)
        }
        numbers = {kind: [int(n) for n in re.findall(r"\d+", text)] for kind, text in values.items()}
        if not numbers.get("size") or not numbers.get("instances"):
            continue
        instances = max(numbers["instances"])
        workers = numbers.get("workers", [1])[0] if numbers.get("workers") else 1
        size = sum(numbers["size"]) if "+" in values["size"] else numbers["size"][0]
        yield PoolRow(
            span=passage.span,
            name=cells[0][1].strip("`* ").lower(),
            instances=instances,
            workers=workers,
            size=size,
            total=instances * workers * size,
        )
