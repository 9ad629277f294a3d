"""Which aspects of a check a document addresses, and where; which anti-patterns it holds."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from draftproof.documents.cues import Cue, cues_at, refused_before
from draftproof.documents.lexical import folded
from draftproof.domain.document import Document, Passage
from draftproof.domain.rubric import Aspect, Check, FlawRule

# Nothing in a passage after this many characters is searched for patterns.
_MAX_SEARCHED = 20_000
# A private-use character: no pattern, `\s` included, reaches across it.
_BETWEEN = "\n\ue000\n"
# Both mean that the words stand there and the thing does not.
_EXCUSES = frozenset({"past", "risk"})
HARD_CUES = frozenset({"deferred", "refused", "glossary"})


@dataclass(frozen=True, slots=True)
class Hit:
    """An aspect's words in a passage, and the cues that take them back (none: addressed)."""

    aspect: Aspect
    passage: Passage
    cues: tuple[Cue, ...]

    @property
    def counts(self) -> bool:
        """Whether the thing is addressed here."""
        return not self.cues

    @property
    def taken_back(self) -> bool:
        """Whether it is put off, refused or only explained."""
        return any(cue.id in HARD_CUES for cue in self.cues)


@dataclass(frozen=True, slots=True)
class FlawHit:
    """An anti-pattern in a passage."""

    rule: FlawRule
    passage: Passage


class PatternScan:
    """
    Searches one document for the patterns of the rubric.

    Args:
        design:       The document.
        requirements: Its text serves rules that ask what the system needs.
        cues:         Wordings that take back what is named.

    """

    def __init__(self, design: Document, requirements: Document | None, cues: Sequence[Cue]) -> None:
        self.passages = design.evidence_passages
        self._texts = [_searched(p, design) for p in self.passages]
        self._joined, self._starts = _join(self._texts)
        self._folded = [folded(text) for text in self._texts]
        self._joined_folded, _ = _join(self._folded)
        self._cues = cues
        self._hits: dict[str, list[Hit]] = {}
        self._flaws: dict[str, list[FlawHit]] = {}
        headings = dict.fromkeys(title for passage in self.passages for title in passage.headings)
        self._design_text = "\n".join([*headings, *self._texts])
        self._both = self._design_text
        if requirements is not None:
            self._both += "\n" + "\n".join(p.text for p in requirements.evidence_passages)

    def matches(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, int, int]]:
        """Yield passage number, start and end of the first match of a pattern for folded text in each passage."""
        # One scan of the joined text finds the passages quickly. A match may reach across
        # the separator (``[^|]`` does), so each is confirmed in its own passage, and the
        # next one is searched from the next passage on.
        as_it_is = bool(pattern.flags & re.IGNORECASE)
        joined = self._joined if as_it_is else self._joined_folded
        texts = self._texts if as_it_is else self._folded
        position = 0
        while found := pattern.search(joined, position):
            index = self._passage_at(found.start())
            confirmed = pattern.search(texts[index])
            if confirmed:
                # A row is searched behind its header and its raw line; its cues are the row's.
                shift = len(self._texts[index]) - len(self.passages[index].text[:_MAX_SEARCHED])
                yield index, max(0, confirmed.start() - shift), max(0, confirmed.end() - shift)
            if index + 1 >= len(self._starts):
                return
            position = self._starts[index + 1]

    def hits(self, check: Check) -> list[Hit]:
        """Return the hits of a check's aspects in the order of aspects and passages."""
        if check.id not in self._hits:
            self._hits[check.id] = self._find_hits(check)
        return self._hits[check.id]

    def flaws(self, check: Check) -> list[FlawHit]:
        """Return the anti-patterns found under a check."""
        if check.id not in self._flaws:
            self._flaws[check.id] = self._find_flaws(check)
        return self._flaws[check.id]

    def _find_hits(self, check: Check) -> list[Hit]:
        found = []
        cues = [cue for cue in self._cues if cue.concerns(check.id)]
        for aspect in check.aspects:
            for index, start, stop in self.matches(aspect.patterns):
                passage = self.passages[index]
                if aspect.context and not _in_context(aspect.context, passage):
                    continue
                if aspect.unless and aspect.unless.search(passage.text):
                    continue
                found.append(Hit(aspect, passage, cues_at(cues, passage, start, stop)))
        return found

    def _find_flaws(self, check: Check) -> list[FlawHit]:
        found = []
        cues = [cue for cue in self._cues if cue.concerns(check.id)]
        for rule in check.flaws:
            if any(not p.search(self._both) for p in rule.document):
                continue
            if rule.absent and rule.absent.search(self._design_text):
                continue
            for index, start, stop in self.matches(rule.patterns):
                if self._holds(rule, cues, index, start, stop):
                    found.append(FlawHit(rule, self.passages[index]))
        return found

    def listed(self, check: Check) -> list[int]:
        """Return the passages that only list names, which under this check answer nothing."""
        return sorted({i for cue, found in self._listings if cue.concerns(check.id) for i in found})

    @cached_property
    def _listings(self) -> list[tuple[Cue, list[int]]]:
        """The passages that each cue on lines of code holds throughout."""
        return [
            (cue, [i for i, passage in enumerate(self.passages) if cue.holds_throughout(passage)])
            for cue in self._cues
            if cue.code
        ]

    def standing(self, pattern: re.Pattern[str]) -> int:
        """Return how many passages hold the pattern and are not taken back by a cue."""
        return sum(
            not cues_at(self._cues, self.passages[index], start, stop) for index, start, stop in self.matches(pattern)
        )

    def _holds(self, rule: FlawRule, cues: Sequence[Cue], index: int, start: int, stop: int) -> bool:
        passage = self.passages[index]
        text = self._texts[index]
        if rule.unless and rule.unless.search(text):
            return False
        around = "\n".join(self._around(index))
        if any(not pattern.search(around) for pattern in rule.all):
            return False
        # "We never commit before processing" is no flaw, nor is the risk of it. A refusal
        # elsewhere in the sentence is no excuse: many anti-patterns are refusals.
        if refused_before(cues, passage, start):
            return False
        return not any(cue.id in _EXCUSES for cue in cues_at(cues, passage, start, stop))

    def _around(self, index: int) -> Iterator[str]:
        for near in (index, index - 1, index + 1):
            if 0 <= near < len(self.passages) and self.passages[near].headings == self.passages[index].headings:
                yield self._texts[near]

    def _passage_at(self, position: int) -> int:
        return bisect_right(self._starts, position) - 1


def _searched(passage: Passage, design: Document) -> str:
    """Return what patterns search: for a table row the header line and the row as they stand, too."""
    text = passage.text[:_MAX_SEARCHED]
    if not passage.header or passage.cut:
        return text
    return f"{passage.header}\n{design.lines[passage.span.first - 1].strip()[:_MAX_SEARCHED]}\n{text}"


def _join(texts: Sequence[str]) -> tuple[str, list[int]]:
    starts, length = [], 0
    for text in texts:
        starts.append(length)
        length += len(text) + len(_BETWEEN)
    return _BETWEEN.join(texts), starts


def _in_context(pattern: re.Pattern[str], passage: Passage) -> bool:
    return bool(pattern.search(passage.text) or pattern.search(passage.heading_path))


def coverage(check: Check, hits: Sequence[Hit]) -> Mapping[str, float]:
    """
    Return for each aspect how far it is addressed.

    Returns:
        1.0 where a passage addresses it, 0.4 where it is only required, feared or
        past, 0.15 where it is put off or refused, 0.0 where it is not named.

    """
    levels = {aspect.id: 0.0 for aspect in check.aspects}
    for hit in hits:
        level = 1.0 if hit.counts else 0.15 if hit.taken_back else 0.4
        levels[hit.aspect.id] = max(levels[hit.aspect.id], level)
    return levels


def weighted(check: Check, levels: Mapping[str, float]) -> float:
    """Return the share of the check's weight that is addressed, 0 to 1."""
    total = sum(aspect.weight for aspect in check.aspects)
    return sum(aspect.weight * levels[aspect.id] for aspect in check.aspects) / total
