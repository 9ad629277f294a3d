"""
Contradictions inside the design, and between it and its requirements.

Few and right beats many: a pair is reported only where both sides speak of the same
thing by words and by meaning, and no other place states the value that is asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, log
from typing import TYPE_CHECKING

from draftproof.documents.lexical import words
from draftproof.documents.markdown import sentences
from draftproof.documents.quantities import Bound, Purpose, Quantity, contradicts, purposes_of, quantities
from draftproof.documents.quotes import quote
from draftproof.domain.document import Passage, PassageKind, Requirement, Span, lines_of
from draftproof.domain.findings import Inconsistency
from draftproof.facts.rules import FactHit
from draftproof.review.material import Material

if TYPE_CHECKING:
    import numpy as np

# A pair must reach both, and in sum the third; chosen by leave-one-case-out.
LEAST_MEANING = 0.20
LEAST_WORDS = 0.08
LEAST_SUM = 0.40
# A statement that agrees with the need settles it where it is nearly as near as the best one.
NEARLY_AS_NEAR = 0.9
# What being about the same thing adds to the nearness of two values.
SAME_PURPOSE = 0.1
_MOST_APART = 150
_MAX_REPORTED = 8
# Lines quoted for one of them.
_MOST_PLACES = 4
_TOPIC_COLUMN = re.compile(r"^\W*(?:kafka )?topics?(?: name)?\W*:\s*`?([\w.-]+)", re.IGNORECASE)
_TOPIC_USE = re.compile(
    r"(?:AIOKafkaConsumer|KafkaConsumer|subscribe|send(?:_and_wait)?|produce|publish)\(\s*\[?\s*[fr]?[\"']([\w.-]+)[\"']"
    r"|\b(?:topic|KAFKA_\w*TOPIC\w*)\s*[=:]\s*[\"'`]([\w.-]+)[\"'`]"
    r"|(?:--?>>?|->)\s*\w+\s*:\s*`?([a-z][\w]*[.-][\w.-]+)`?\s*$"
    r"|\btopic\s+`([\w.-]+)`|`([\w.-]+)`\s+topic\b",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A sentence of the design with a quantity."""

    index: int
    text: str
    bag: frozenset[str]
    quantity: Quantity
    purposes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Need:
    """A quantity that a requirement asks for, with the words and the purposes of its sentence."""

    quantity: Quantity
    bag: frozenset[str]
    purposes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A requirement's quantity, what it is about, and a statement that breaks it, with how near they are."""

    score: float
    requirement: Requirement
    needed: Quantity
    purposes: frozenset[str]
    statement: _Statement


def find_inconsistencies(material: Material, purposes: Sequence[Purpose]) -> tuple[Inconsistency, ...]:
    """
    Return pairs of places that cannot both be right, each quoted; the surest first.

    Args:
        material: The document and its requirements.
        purposes: What a quantity may be about.

    """
    found = [*_between_facts(material), *_against_requirements(material, purposes), *_topic_names(material)]
    return tuple(found[:_MAX_REPORTED])


def _between_facts(material: Material) -> Iterator[Inconsistency]:
    """Yield what rules over facts found in two places of the design; what a rule holds against one place is one."""
    together: dict[tuple[str, Span], list[FactHit]] = {}
    for hit in material.fact_hits:
        if hit.rule.contradicts:
            together.setdefault((hit.rule.id, hit.spans[0]), []).append(hit)
    seen: set[frozenset[Span]] = set()
    for hits in together.values():
        spans = list(dict.fromkeys(span for hit in hits for span in hit.spans))[:_MOST_PLACES]
        if frozenset(spans) not in seen:
            seen.add(frozenset(spans))
            yield Inconsistency(hits[0].sentence, tuple(quote(material.design, span) for span in spans))


def _against_requirements(material: Material, purposes: Sequence[Purpose]) -> Iterator[Inconsistency]:
    vectors = material.requirement_vectors
    if material.requirements is None or vectors is None:
        return
    statements = list(_statements(material.passages, purposes))
    rarity = _rarity(material.passages)
    pairs: list[_Pair] = []
    asked = [(item.id, q) for item in material.requirements.items for q in quantities(item.text) if not q.interval]
    for number, item in enumerate(material.requirements.items):
        meaning = material.search.similarity(vectors[number : number + 1])[0]
        nearness = _Nearness(meaning, rarity)
        for need in _needs(item, purposes):
            best = _nearest(need, statements, nearness)
            if best is None:
                continue
            if need.purposes & best[1].purposes or not _asked_for(best[1], item.id, asked):
                pairs.append(_Pair(best[0], item, need.quantity, need.purposes, best[1]))
    used: set[int] = set()
    seen: set[str] = set()
    for pair in sorted(pairs, key=lambda p: -p.score):
        if pair.statement.index in used or pair.requirement.id in seen:
            continue
        used.add(pair.statement.index)
        seen.add(pair.requirement.id)
        yield _reported(pair, material, purposes)


def _asked_for(statement: _Statement, item: str, asked: Sequence[tuple[str, Quantity]]) -> bool:
    """Return whether another requirement asks for the very value that is stated."""
    value = statement.quantity
    return any(
        name != item and q.dimension == value.dimension and abs(q.value - value.value) <= 0.01 * value.value
        for name, q in asked
    )


def _reported(pair: _Pair, material: Material, purposes: Sequence[Purpose]) -> Inconsistency:
    assert material.requirements is not None
    common = pair.statement.purposes & pair.purposes
    passage = material.passages[pair.statement.index]
    bound = "" if pair.needed.bound is Bound.EXACT else f"{pair.needed.bound} "
    return Inconsistency(
        summary=(
            f"The design says {pair.statement.quantity.text} at {lines_of(passage.span)}, "
            f"{pair.requirement.id} asks for {bound}{pair.needed.text}."
        ),
        evidence=(
            quote(material.design, passage.span, pair.statement.text),
            quote(material.requirements.document, pair.requirement.span),
        ),
        requirement_id=pair.requirement.id,
        check_id=next((p.check for p in purposes if p.id in common and p.check), ""),
    )


def _needs(item: Requirement, purposes: Sequence[Purpose]) -> Iterator[_Need]:
    for start, stop in sentences(item.text):
        sentence = item.text[start:stop]
        bag = frozenset(words(sentence))
        for quantity in quantities(sentence):
            if quantity.interval:
                continue
            yield _Need(quantity, bag, purposes_of(quantity, sentence, purposes))


@dataclass(frozen=True, slots=True)
class _Nearness:
    """
    How near statements are to one requirement.

    Args:
        meaning: Similarity of each passage to it, shape ``(passages,)``.
        rarity:  Weight of each word of the design.

    """

    meaning: np.ndarray
    rarity: Mapping[str, float]

    def of(self, need: _Need, statement: _Statement) -> float | None:
        """Return how near a statement is, ``None`` where it cannot be about the same."""
        quantity = statement.quantity
        if quantity.dimension != need.quantity.dimension:
            return None
        if not 1 / _MOST_APART <= quantity.value / max(need.quantity.value, 1e-9) <= _MOST_APART:
            return None
        common = need.purposes & statement.purposes
        if not common and (quantity.interval or (need.purposes and statement.purposes)):
            return None
        share = _share(need.bag, statement.bag, self.rarity)
        near = float(self.meaning[statement.index])
        score = near + share + (SAME_PURPOSE if common else 0.0)
        return score if near >= LEAST_MEANING and share >= LEAST_WORDS and score >= LEAST_SUM else None


def _nearest(need: _Need, statements: Sequence[_Statement], nearness: _Nearness) -> tuple[float, _Statement] | None:
    """Return the nearest statement if it breaks the need; an agreeing one near it settles it."""
    scored = [(score, s) for s in statements if (score := nearness.of(need, s)) is not None]
    if not scored:
        return None
    scored.sort(key=lambda pair: -pair[0])
    best, statement = scored[0]
    surely = bool(need.purposes & statement.purposes)
    for score, other in scored:
        # Where the best one is about the same thing, only another that is so can settle it.
        alike = not surely or bool(need.purposes & other.purposes)
        # The same sentence may give the value that is asked for beside another one.
        beside = (other.index, other.text) == (statement.index, statement.text)
        settles = beside or (alike and score >= NEARLY_AS_NEAR * best)
        if settles and not contradicts(need.quantity, other.quantity):
            return None
    return best, statement


def _statements(passages: Sequence[Passage], purposes: Sequence[Purpose]) -> Iterator[_Statement]:
    for index, passage in enumerate(passages):
        if passage.kind is PassageKind.QUOTE:
            continue
        whole = [(0, len(passage.text))]
        parts = whole if passage.kind is PassageKind.TABLE_ROW else sentences(passage.text)
        for start, stop in parts:
            text = passage.text[start:stop]
            found = quantities(text)
            if found:
                bag = frozenset(words(f"{' '.join(passage.headings[-1:])} {text}"))
                yield from (_Statement(index, text, bag, q, purposes_of(q, text, purposes)) for q in found)


def _rarity(passages: Sequence[Passage]) -> dict[str, float]:
    counts = Counter(word for p in passages for word in set(words(p.text)))
    return {word: log(1 + len(passages) / count) for word, count in counts.items()}


def _share(wanted: frozenset[str], bag: frozenset[str], rarity: Mapping[str, float]) -> float:
    known = {w for w in wanted if w in rarity and not w.isdigit()}
    # fsum: a sum over a set must not depend on the order in which it is walked.
    total = fsum(rarity[w] for w in known)
    return fsum(rarity[w] for w in known & bag) / total if total else 0.0


def _topic_names(material: Material) -> Iterator[Inconsistency]:
    """Yield topics that code or diagrams name otherwise than the table of topics."""
    listed: dict[str, Passage] = {}
    used: dict[str, Passage] = {}
    for passage in material.passages:
        if passage.kind is PassageKind.TABLE_ROW:
            match = _TOPIC_COLUMN.match(passage.text)
            if match and re.search(r"[.-]", match.group(1)):
                listed.setdefault(match.group(1), passage)
        for match in _TOPIC_USE.finditer(passage.text):
            name = next(group for group in match.groups() if group)
            if re.search(r"[.-]", name):
                used.setdefault(name, passage)
    for name, passage in used.items():
        if name in listed or not listed:
            continue
        near = max(listed, key=lambda other: _alike(name, other))
        if _alike(name, near) >= 0.34 and near not in used:
            yield Inconsistency(
                summary=(
                    f"The topic is `{near}` in the table at {lines_of(listed[near].span)} and "
                    f"`{name}` at {lines_of(passage.span)}."
                ),
                evidence=(
                    quote(material.design, passage.span, name),
                    quote(material.design, listed[near].span, near),
                ),
            )


def _alike(one: str, other: str) -> float:
    """Return the share of name parts that two topics have in common; versions apart."""
    parts = [
        {_singular(p) for p in re.split(r"[._-]+", name.lower()) if not re.fullmatch(r"v?\d+", p)}
        for name in (one, other)
    ]
    union = parts[0] | parts[1]
    return len(parts[0] & parts[1]) / len(union) if union else 0.0


def _singular(word: str) -> str:
    return word.removesuffix("s")
