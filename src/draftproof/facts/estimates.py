"""
Sums that a design does itself, done again.

Only what is written out is checked: so many rows of so many bytes, so many senders one message
each so often, a division by the minutes of a window that is called a rate a second, and so many
processes with so many connections. An order of magnitude counts, a rounding does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from draftproof.documents.quantities import FACTORS, SIZES
from draftproof.domain.document import Document, Passage
from draftproof.facts.base import Fact, clipped, line_at, prose

_NUMBER = r"\d{1,3}(?:[ ,\u202f]\d{3}){1,4}(?:\.\d{1,4})?(?!\d)|\d{1,12}(?:\.\d{1,4})?(?!\d)"
_COUNT = rf"(?<![\w.,])(?P<count>{_NUMBER})"
_FACTOR = r"(?:\s?(?P<factor>k|M|million|thousand|billion|bn)\b)?"
_SIZE = rf"(?P<size>{_NUMBER})\s?(?P<unit>bytes?|B|kB|KB|MB|GB|TB)\b"
_COUNTED = "rows|messages|events|records|positions|readings|documents|entries"
# What stands between the parts of one sum names no other count.
_NO_OTHER = (
    rf"(?:(?!\b(?:{_COUNTED}|kept|keep|keeps|limit\w*|max\w*|grows?|replicas?|second|days|months|years)\b)[^;|\n\d])"
)
_ABOUT = r"\s?(?:about |some |~)?"
_COMES_TO = r"(?:=|\u2192|\u2248|\bis\b|\bare\b|\bmakes?\b|\bgives?\b)" + _ABOUT
_A_SECOND = r"(?:/\s?s\b|\b(?:per|a) second\b)"
_EVERY = r"(?P<every>\d{1,6})\s?(?P<unit>s|sec|seconds?|min|minutes?)\b"
_TOLD = rf"(?P<told>{_NUMBER})"
# 3.5 million rows a day of 300 bytes are 104 MB a day
_VOLUME = re.compile(
    rf"{_COUNT}{_FACTOR}\s(?P<what>{_COUNTED})(?: (?:a|per) (?P<per>minute|hour|day|month|year))?"
    rf"{_NO_OTHER}{{0,40}}?\b(?:of|at|with|each|\u00d7)\s(?:about |some |~)?{_SIZE}"
    rf"{_NO_OTHER}{{0,40}}?(?<![\w.,]){_TOLD}\s?(?P<told_unit>kB|KB|MB|GB|TB)\b"
    r"(?:\s?(?:/\s?|(?:a|per) )(?P<told_per>hour|day|month|year))?",
    re.IGNORECASE,
)
# 400 vessels, one position each 10 s, make 40 a second
_RATE = re.compile(
    rf"{_COUNT}{_FACTOR}\s[a-z-]+[^.;|\n]{{0,40}}?\b(?:each|every)\s{_EVERY}"
    rf"(?:(?!\blimit|\bmax)[^;|\n\d]){{0,30}}?{_COMES_TO}{_TOLD}\s?(?:[a-z]+ )?{_A_SECOND}",
    re.IGNORECASE,
)
# 180,000 requests in 600 s are 30 a second
_WITHIN = re.compile(
    rf"{_COUNT}{_FACTOR}\s[a-z-]+\sin\s{_EVERY}[^;|\n]{{0,30}}?{_COMES_TO}{_TOLD}\s?(?:[a-z]+ )?{_A_SECOND}",
    re.IGNORECASE,
)
# in half an hour: 4,860 / 30 = 162 a second
_DIVIDED = re.compile(
    rf"{_COUNT}\s?(?:/|\u00f7|:)\s?(?P<by>\d{{1,6}})\s?(?:=|\u2248)\s?{_TOLD}\s?(?:(?!\bmin)[^.;,|\n\d]){{0,25}}?{_A_SECOND}",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"\b(?P<half>half an hour)\b|\b(?P<hour>an hour|one hour)\b|\b(?P<minutes>\d{1,4}) ?min(?:ute)?s?\b", re.IGNORECASE
)
_TERM = re.compile(
    r"(?<![\w.,])(?P<processes>\d{1,4})\s*(?:pods?|replicas?|containers?|instances?|processes|workers)?\s*[\u00d7x*]\s*(?P<pool>\d{1,4})(?![\w.,]*\d)"
)
_CONNECTIONS = re.compile(r"\bconnections?\b|\bmax_connections\b|\bpools?\b", re.IGNORECASE)
_HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0, "month": 720.0, "year": 8760.0}
# A sum that is off by less is a rounding, a replica or an index.
_ORDER = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Fact):
    """
    A sum that comes out otherwise than the design says.

    Args:
        subject:  ``volume`` or ``rate``.
        text:     The sum as written, shortened.
        told:     The result that is told, in bytes or a second.
        reckoned: What comes out.
        unit:     For people: ``GB`` or ``/s``.

    """

    kind: ClassVar[str] = "estimate"
    subject: str
    text: str
    told: float
    reckoned: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSum(Fact):
    """Processes and connections that a sentence multiplies and adds: "3 pods x 10, 2 x 8"."""

    kind: ClassVar[str] = "pool.sum"
    processes: int
    connections: int


def estimate_facts(document: Document) -> Iterable[Fact]:
    """Return the sums of a document that do not come out, and those over connection pools."""
    for passage in prose(document):
        yield from _volumes(passage)
        yield from _rates(passage)
        yield from _pool_sums(passage)


def _volumes(passage: Passage) -> Iterator[Estimate]:
    for match in _VOLUME.finditer(passage.text):
        reckoned = _value(match) * _plain(match.group("size")) * _bytes(match.group("unit"))
        per, told_per = match.group("per"), match.group("told_per")
        if per and told_per:
            reckoned *= _HOURS[told_per.lower()] / _HOURS[per.lower()]
        told = _plain(match.group("told")) * _bytes(match.group("told_unit"))
        if _off(told, reckoned):
            yield Estimate(
                span=line_at(passage, match.start()),
                subject="volume",
                text=clipped(" ".join(match.group().split()), 110),
                told=told / 1e9,
                reckoned=reckoned / 1e9,
                unit="GB",
            )


def _rates(passage: Passage) -> Iterator[Estimate]:
    for match in (*_RATE.finditer(passage.text), *_WITHIN.finditer(passage.text)):
        seconds = float(match.group("every")) * (60 if match.group("unit").lower().startswith("min") else 1)
        reckoned = _value(match) / seconds if seconds else 0.0
        told = _plain(match.group("told"))
        if _off(told, reckoned):
            yield _rate(passage, match, told, reckoned)
    for match in _DIVIDED.finditer(passage.text):
        windows = list(_WINDOW.finditer(passage.text[max(0, match.start() - 90) : match.start()]))
        window = windows[-1] if windows else None
        by = float(match.group("by"))
        told = _plain(match.group("told"))
        # Divided by the minutes of a window, a number is one a minute.
        if window is not None and by == _minutes(window) and not _off(told, _plain(match.group("count")) / by):
            yield _rate(passage, match, told, told / 60)


def _rate(passage: Passage, match: re.Match[str], told: float, reckoned: float) -> Estimate:
    return Estimate(
        span=line_at(passage, match.start()),
        subject="rate",
        text=clipped(" ".join(match.group().split()), 110),
        told=told,
        reckoned=reckoned,
        unit="/s",
    )


def _pool_sums(passage: Passage) -> Iterator[PoolSum]:
    if not _CONNECTIONS.search(passage.text) or "overflow" in passage.text:
        return
    found = list(_TERM.finditer(passage.text))
    terms = [(int(m.group("processes")), int(m.group("pool"))) for m in found]
    if len(terms) >= 2:
        yield PoolSum(
            span=line_at(passage, found[0].start()),
            processes=sum(n for n, _ in terms),
            connections=sum(n * pool for n, pool in terms),
        )


def _value(match: re.Match[str]) -> float:
    return _plain(match.group("count")) * FACTORS.get((match.group("factor") or "").lower(), 1.0)


def _plain(number: str) -> float:
    return float(re.sub(r"[ ,\u202f]", "", number))


def _bytes(unit: str) -> float:
    return SIZES.get(unit.lower(), 1.0)


def _minutes(window: re.Match[str]) -> float:
    if window.group("half"):
        return 30.0
    return 60.0 if window.group("hour") else float(window.group("minutes"))


def _off(told: float, reckoned: float) -> bool:
    return bool(told and reckoned) and not 1 / _ORDER <= told / reckoned <= _ORDER
