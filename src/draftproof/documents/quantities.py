"""Numbers with their units, in prose, tables and code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30,
    "sixty": 60, "ninety": 90, "half an": 0.5, "half a": 0.5, "half": 0.5,
}  # fmt: skip
_DURATIONS = {
    "ms": 0.001, "msec": 0.001, "millisecond": 0.001, "s": 1, "sec": 1, "second": 1, "min": 60,
    "minute": 60, "h": 3600, "hr": 3600, "hour": 3600, "d": 86400, "day": 86400, "week": 604800,
    "month": 2592000, "year": 31536000, "yr": 31536000,
}  # fmt: skip
SIZES = {"kb": 1e3, "kib": 1e3, "mb": 1e6, "mib": 1e6, "gb": 1e9, "gib": 1e9, "tb": 1e12, "tib": 1e12}
_COUNTED = (
    "partition|replica|instance|worker|consumer|connection|attempt|retry|retrie|try|trie|user|member|device|"
    "request|message|event|order|row|record|participant|service|broker|node|character|item|page|time"
)
_QUANTITY = re.compile(
    r"(?<![\w.,/-])(?P<number>\d{1,3}(?:[  ,]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|" + "|".join(_WORDS) + r")"
    r"(?P<factor>\s?(?:k|M|million|thousand|billion|bn)(?![a-z]))?"
    r"[\s-]?(?P<unit>%|percent\b|(?:" + "|".join(sorted(_DURATIONS, key=len, reverse=True)) + r")s?\b"
    r"|(?:" + "|".join(SIZES) + r")\b|EUR\b|euros?\b|€|USD\b|(?:" + _COUNTED + r")(?:es|s)?\b)"
    r"(?P<rate>\s?(?:/\s?(?:s|sec|second|min|minute|h|hour|day)\b"
    r"|(?:per|a|an|each|every) (?:second|minute|hour|day)\b))?",
    re.IGNORECASE,
)
FACTORS = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_PER = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "day": 86400}
_UPPER = re.compile(
    r"\b(?:within|at most|not? (?:more|longer|later|older|greater|slower) than|(?<!no )(?<!not )(?:less|fewer) than|"
    r"under|below|up to|maxim\w+|"
    r"max\.?|limit\w*|latest|before(?=.*\d)|in under|not exceed|p9\d|p50|percentile|no longer|"
    r"or (?:less|fewer|faster))\b|[<≤]",
    re.IGNORECASE,
)
_LOWER = re.compile(
    r"\b(?:at least|no(?:t)? (?:less|fewer|sooner|earlier) than|minim\w+|more than|kept for|keep for|retain\w*|"
    r"archiv\w+|stored for|survives?|available for|bridge|outlast|even (?:if|when|though)|or (?:more|longer))\b"
    r"|\bmin\.\s?(?=\d)|[>≥]",
    re.IGNORECASE,
)


class Bound(StrEnum):
    """How a quantity limits."""

    UPPER = "at most"
    LOWER = "at least"
    EXACT = "exactly"


@dataclass(frozen=True, slots=True)
class Quantity:
    """
    A number with its unit.

    Args:
        dimension: ``duration``, ``size``, ``share``, ``money``, ``rate of ...`` or
                   ``number of ...``.
        value:     In seconds, bytes, percent, or units (a second, for rates).
        text:      As written.
        start:     Where it begins in the text.
        bound:     How the words around it limit it.
        interval:  Whether it is the time between repetitions: "once a minute".

    """

    dimension: str
    value: float
    text: str
    start: int
    bound: Bound
    interval: bool = False


@dataclass(frozen=True, slots=True)
class Purpose:
    """
    What a quantity may be about: how long data is kept, how soon an answer comes.

    Args:
        id:      Its name.
        pattern: Searched in the words around a quantity.
        check:   Id of the check that is not met where such a quantity breaks a requirement, or empty.

    """

    id: str
    pattern: re.Pattern[str]
    check: str = ""


# Characters before and behind a quantity in which it is said what it is about.
_BEFORE, _BEHIND = 90, 60


def purposes_of(quantity: Quantity, text: str, purposes: Sequence[Purpose]) -> frozenset[str]:
    """
    Return the ids of what a quantity is about.

    Args:
        quantity: Found in the text.
        text:     The sentence or table row.
        purposes: Those known.

    """
    stop = quantity.start + len(quantity.text) + _BEHIND
    around = text[max(0, quantity.start - _BEFORE) : stop]
    return frozenset(purpose.id for purpose in purposes if purpose.pattern.search(around))


# timedelta(days=30), relativedelta(months=18)
_KEYWORD = re.compile(r"\b(?P<unit>milliseconds|seconds|minutes|hours|days|weeks|months|years)\s?=\s?(?P<number>\d+)\b")
# once a minute, every hour
_ONCE = re.compile(
    r"\b(?:once (?:a|an|per|every|each)|every|each) (?P<unit>second(?! \w)|minute|hour|day|week|month|year)\b",
    re.IGNORECASE,
)
# two open bookings: what is counted has a name of its own, so that only the same name is compared.
_OF_A_KIND = re.compile(
    r"(?<![\w.,/-])(?P<number>\d{1,3}|"
    + "|".join(_WORDS)
    + r") (?P<kind>[a-z]{3,}(?:-[a-z]+)?) (?P<noun>[a-z]{3,}s)\b",
    re.IGNORECASE,
)
_NO_KIND = frozenset({
    "and", "are", "can", "does", "for", "from", "had", "has", "her", "his", "its", "may", "more", "new", "not", "other",
    "our", "per", "that", "the", "their", "then", "these", "they", "this", "those", "was", "were", "which", "will",
    "with", "thousand", "million", "billion",
})  # fmt: skip


def quantities(text: str) -> list[Quantity]:
    """Return the quantities of a text: those in words, those of keyword arguments, intervals and counts of a kind."""
    found = []
    for match in _QUANTITY.finditer(text):
        value = _value(match.group("number")) * _factor(match.group("factor"))
        dimension, value = _measured(match, value)
        around = text[max(0, match.start() - 45) : match.end() + 12]
        found.append(Quantity(dimension, value, match.group().strip(), match.start(), _bound(around)))
    for match in _KEYWORD.finditer(text):
        value = float(match.group("number")) * _DURATIONS[match.group("unit").removesuffix("s")]
        found.append(Quantity("duration", value, match.group(), match.start(), Bound.EXACT))
    for match in _ONCE.finditer(text):
        if any(q.start < match.end() and match.start() < q.start + len(q.text) for q in found):
            continue
        value = float(_DURATIONS[match.group("unit").lower()])
        found.append(Quantity("duration", value, match.group(), match.start(), Bound.EXACT, interval=True))
    for match in _OF_A_KIND.finditer(text):
        kind, noun = match.group("kind").lower(), match.group("noun").lower()
        if kind not in _NO_KIND and kind.removesuffix("s") not in _DURATIONS:
            around = text[max(0, match.start() - 45) : match.end() + 12]
            name = f"number of {kind} {noun.removesuffix('s')}"
            found.append(Quantity(name, _value(match.group("number")), match.group(), match.start(), _bound(around)))
    return found


def _value(number: str) -> float:
    return float(_WORDS.get(number.lower(), 0) or re.sub(r"[  ,]", "", number))


def _factor(text: str | None) -> float:
    return FACTORS.get(text.strip().lower(), 1.0) if text else 1.0


def _measured(match: re.Match[str], value: float) -> tuple[str, float]:
    unit = match.group("unit").lower()
    singular = unit if unit in ("s", "ms") else unit.removesuffix("s")
    if unit in ("%", "percent"):
        return "share", value
    if unit in ("€", "eur", "usd") or singular == "euro":
        return "money", value
    if unit in SIZES:
        dimension, value = "size", value * SIZES[unit]
    elif singular in _DURATIONS:
        dimension, value = "duration", value * _DURATIONS[singular]
    else:
        noun = {"retrie": "try", "retry": "try", "trie": "try", "attempt": "try", "time": "try"}
        dimension = f"number of {noun.get(singular, singular)}"
    rate = match.group("rate")
    if rate:
        per = re.sub(r"[^a-z]", "", re.sub(r"\b(?:per|a|an|each|every)\b", "", rate.lower()))
        return f"rate of {dimension}", value / _PER.get(per, 1)
    return dimension, value


def _bound(around: str) -> Bound:
    if _UPPER.search(around):
        return Bound.UPPER
    if _LOWER.search(around):
        return Bound.LOWER
    return Bound.EXACT


def contradicts(needed: Quantity, stated: Quantity) -> bool:
    """Return whether a stated quantity breaks a needed one of the same dimension."""
    if needed.dimension != stated.dimension or not needed.value or not stated.value:
        return False
    ratio = stated.value / needed.value
    if 0.99 <= ratio <= 1.01:
        return False
    if needed.bound is Bound.UPPER:
        return ratio > 1
    if needed.bound is Bound.LOWER:
        return ratio < 1
    return True
