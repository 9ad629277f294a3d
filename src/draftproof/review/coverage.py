"""Requirement by requirement: whether it is answered, and where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from math import fsum, log
from typing import TYPE_CHECKING

from draftproof.documents.cues import Cue, cues_at
from draftproof.documents.lexical import words
from draftproof.documents.markdown import sentences
from draftproof.documents.quotes import quote
from draftproof.domain.document import Document, Passage, PassageKind, Requirement, Requirements
from draftproof.domain.findings import RequirementFinding, Verdict
from draftproof.review.material import Material

if TYPE_CHECKING:
    import numpy as np

# A passage that says almost the requirement's own words repeats it.
_REPEATS = 0.8
_NUMBER = re.compile(r"(?<![\w.])\d[\d.,  ]*\d|\d+")
# Demands of one requirement, and how few words one of them may have.
_CLAUSE_END = re.compile(r";|\n|, (?:and|but|or) | and (?=(?:the|a|an|is|are|can|must|may|shall)\b)")
_SHORTEST_CLAUSE = 3
_NUMBERED_ID = re.compile(r"^(?:Requirement|Req)\W*(?P<number>\d{1,6})$", re.IGNORECASE)
# "Requirements 1.2, 3.4", "Reqs 2-5"; a number before a noun counts something else.
_NUMBERED_LIST = re.compile(
    r"\b(?:Requirements?|Reqs?)\b\.?[ \t:*]*"
    r"(?P<numbers>\d{1,6}(?:\.\d{1,6})*"
    r"(?:[ \t]*(?:,|and|&|-|\u2013)[ \t]*\d{1,6}(?:\.\d{1,6})*(?![ \t]+[a-z]{3}))*)(?!\d)",
    re.IGNORECASE,
)
_NUMBERED_RANGE = re.compile(r"(\d{1,6})(?:\.\d{1,6})*(?:\s*[-\u2013]\s*(\d{1,6})(?:\.\d{1,6})*)?")

REQUIREMENT_SIGNALS = (
    "similarity_best",
    "similarity_second",
    "word_share_best",
    "word_share_all",
    "rare_word_share",
    "number_share",
    "named_by_id",
    "taken_back",
    "repeated_only",
    "length",
    "clause_word_share",
    "clause_unseen_most",
    "clause_unseen_mean",
    "contradicted",
    "related_defects",
    "related_worst",
    "document_defects",
)
_RELATED = 4


@dataclass(frozen=True, slots=True)
class Match:
    """A passage that may answer a requirement: how well, and whether it is taken back."""

    index: int
    score: float
    share: float
    taken_back: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What is seen of one requirement in the design."""

    requirement: Requirement
    signals: list[float]
    matches: list[Match]
    repeats: list[int]


class RequirementReader:
    """
    Looks requirements up in a design.

    Args:
        requirements:  The items.
        material:      The design, made ready.
        cues:          Wordings that take back what is named.
        probabilities: The judge's probability of each verdict, by check id: a requirement
                       is seldom met where the checks that it is about are defects.
        contradicted:  Ids of the requirements that the design contradicts.

    """

    def __init__(
        self,
        requirements: Requirements,
        material: Material,
        cues: Sequence[Cue],
        probabilities: Mapping[str, Mapping[Verdict, float]],
        contradicted: Set[str],
    ) -> None:
        self._requirements = requirements
        self._search = material.search
        self._cues = cues
        self._vectors = material.requirement_vectors
        self._queries = material.query_vectors
        self._contradicted = contradicted
        self._defects = {name: 1 - p[Verdict.MET] - p[Verdict.NOT_APPLICABLE] for name, p in probabilities.items()}
        self._worst = {name: p[Verdict.FLAWED] + p[Verdict.MISSING] for name, p in probabilities.items()}
        self._bags = [set(words(f"{p.heading_path} {p.text}")) for p in self._search.passages]
        counts = Counter(word for bag in self._bags for word in bag)
        self._rarity = {w: log(1 + len(self._bags) / n) for w, n in counts.items()}
        self._unseen = log(1 + len(self._bags))

    def read(self) -> list[Reading]:
        """Return what is seen of every requirement."""
        return [self._read(i, item) for i, item in enumerate(self._requirements.items)]

    def _read(self, index: int, item: Requirement) -> Reading:
        import numpy as np

        wanted = set(words(item.text))
        dense = (
            self._search.similarity(self._vectors[index : index + 1])[0]
            if self._vectors is not None
            else np.zeros(len(self._search.passages))
        )
        shares = np.array([self._share(wanted, bag) for bag in self._bags])
        repeats = [i for i, p in enumerate(self._search.passages) if self._repeats(p, item, shares[i])]
        score = shares + dense
        score[repeats] = -1.0
        order = [int(i) for i in np.argsort(-score, kind="stable")[:6] if score[i] > 0]
        matches = [Match(i, float(score[i]), float(shares[i]), self._taken_back(i, wanted)) for i in order]
        signals = self._signals(item, wanted, dense, matches, repeats)
        return Reading(item, signals + self._outlook(index, item), matches, repeats)

    def _outlook(self, index: int, item: Requirement) -> list[float]:
        """Return what the verdicts on the checks that a requirement is about say of it."""
        import numpy as np

        everywhere = sum(self._defects.values()) / max(1, len(self._defects))
        contradicted = float(item.id in self._contradicted)
        if self._vectors is None or not self._queries:
            return [contradicted, everywhere, everywhere, everywhere]
        vector = self._vectors[index]
        nearness = {name: float((rows @ vector).max()) for name, rows in self._queries.items()}
        related = sorted(nearness, key=lambda name: -nearness[name])[:_RELATED]
        weights = np.exp([10 * nearness[name] for name in related])
        weights /= weights.sum()
        defects = float(np.dot(weights, [self._defects[name] for name in related]))
        worst = float(np.dot(weights, [self._worst[name] for name in related]))
        return [contradicted, defects, worst, everywhere]

    def _signals(
        self,
        item: Requirement,
        wanted: set[str],
        dense: np.ndarray,
        matches: Sequence[Match],
        repeats: Sequence[int],
    ) -> list[float]:
        kept = [m for m in matches if not m.taken_back]
        top = [float(dense[m.index]) for m in kept]
        seen = set().union(*(self._bags[m.index] for m in kept)) if kept else set()
        rare = sorted(wanted, key=lambda w: (-self._rarity.get(w, self._unseen), w))[:6]
        numbers = {_plain(n) for n in _NUMBER.findall(item.text)}
        text_numbers = {_plain(n) for m in kept for n in _NUMBER.findall(self._search.passages[m.index].text)}
        by_id = sum(
            names(item.id, f"{p.heading_path}\n{p.text}")
            for i, p in enumerate(self._search.passages)
            if i not in repeats
        )
        return [
            max(top, default=0.0),
            sorted(top)[-2] if len(top) > 1 else 0.0,
            max((m.share for m in kept), default=0.0),
            self._share(wanted, seen),
            sum(w in seen for w in rare) / max(1, len(rare)),
            len(numbers & text_numbers) / len(numbers) if numbers else 0.5,
            log(1 + by_id),
            sum(m.taken_back for m in matches[:3]) / 3,
            float(bool(repeats) and not kept),
            log(1 + len(wanted)),
            *self._clauses(item),
        ]

    def _clauses(self, item: Requirement) -> list[float]:
        """
        Return how the clauses of a requirement, each by itself, stand in the design.

        Returns:
            The mean over the clauses of the weighted share of their words that the best
            passage holds; the largest and the mean share of their words that the design
            does not have at all.

        """
        clauses = [set(words(clause)) for clause in clauses_of(item.text)]
        best = [max((self._share(clause, bag) for bag in self._bags), default=0.0) for clause in clauses]
        unseen = [sum(word not in self._rarity for word in clause) / len(clause) for clause in clauses]
        count = max(1, len(clauses))
        return [fsum(best) / count, max(unseen, default=0.0), fsum(unseen) / count]

    def _share(self, wanted: set[str], bag: set[str]) -> float:
        """Return the share of the wanted words that a bag holds, weighted by rarity."""
        # fsum: a sum over a set must not depend on the order in which it is walked.
        total = fsum(self._rarity.get(w, self._unseen) for w in wanted)
        return fsum(self._rarity.get(w, self._unseen) for w in wanted & bag) / total if total else 0.0

    def _repeats(self, passage: Passage, item: Requirement, share: float) -> bool:
        bag = words(passage.text)
        if passage.kind is PassageKind.QUOTE and share > 0.6:
            return True
        extra = len(set(bag) - set(words(f"{item.id} {item.text}"))) / max(1, len(set(bag)))
        return share > _REPEATS and extra < 0.3

    def _taken_back(self, index: int, wanted: set[str]) -> bool:
        passage = self._search.passages[index]
        for found in re.finditer(r"\w+", passage.text):
            if set(words(found.group())) & wanted:
                cues = cues_at(self._cues, passage, found.start(), found.end())
                return any(cue.id in ("deferred", "refused") for cue in cues)
        return False


def clauses_of(text: str) -> list[str]:
    """Return what a requirement asks for, one demand each: sentences, cut at semicolons, lines and conjunctions."""
    parts = [part for start, stop in sentences(text) for part in _CLAUSE_END.split(text[start:stop])]
    return [part for part in parts if len(set(words(part))) >= _SHORTEST_CLAUSE] or ([text] if words(text) else [])


def names(requirement_id: str, text: str) -> bool:
    """
    Return whether a text names a requirement by its id.

    "Requirement 3" is also named by "Req 3", "Requirements 1.2, 3.4" and "Reqs 2-5".
    """
    numbered = _NUMBERED_ID.match(requirement_id)
    if numbered is None:
        return re.search(rf"(?<![\w-]){re.escape(requirement_id)}(?![\w-]|\.\d)", text) is not None
    wanted = int(numbered.group("number"))
    for listed in _NUMBERED_LIST.finditer(text):
        for first, last in _NUMBERED_RANGE.findall(listed.group("numbers")):
            if int(first) <= wanted <= int(last or first):
                return True
    return False


def _plain(number: str) -> str:
    return re.sub(r"[,  ]|\.(?=\d{3}\b)", "", number)


def requirement_finding(
    reading: Reading,
    probabilities: dict[Verdict, float],
    design: Document,
    requirements: Document,
    passages: Sequence[Passage],
) -> RequirementFinding:
    """Return the finding for one requirement, quoted on both sides."""
    verdict = max(probabilities, key=lambda v: probabilities[v])
    kept = [m for m in reading.matches if not m.taken_back] or reading.matches
    best = kept[0].score if kept else 0.0
    shown = [m for m in kept[:3] if m.score >= 0.6 * best] if verdict is not Verdict.MISSING else []
    evidence = tuple(quote(design, passages[m.index].span, passages[m.index].text) for m in shown)
    return RequirementFinding(
        requirement_id=reading.requirement.id,
        verdict=verdict,
        confidence=round(probabilities[verdict], 3),
        # A long requirement is quoted in part; its lines are all of them.
        requirement=replace(quote(requirements, reading.requirement.span), span=reading.requirement.span),
        evidence=evidence,
        comment=_comment(verdict, reading, passages),
    )


def _comment(verdict: Verdict, reading: Reading, passages: Sequence[Passage]) -> str:
    if verdict is Verdict.MET:
        return "Answered at the lines cited."
    if verdict is Verdict.PARTIAL:
        return "Touched at the lines cited; not everything that it asks for is designed there."
    if reading.repeats:
        line = passages[reading.repeats[0]].span
        return f"The design repeats it at line {line} and does not say how it is met."
    taken = next((m for m in reading.matches if m.taken_back), None)
    if taken:
        return f"Line {passages[taken.index].span} puts it off or leaves it out."
    return "No passage answers it."
