"""Which parts the system has: a check about a broker needs a broker."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from draftproof.domain.rubric import Part
from draftproof.review.aspects import PatternScan


@dataclass(frozen=True, slots=True)
class Absent:
    """A part that is not there, and how sure that is."""

    name: str
    confidence: float


class PartsPresent:
    """
    Decides once for a document which parts it lacks.

    Attributes:
        foreign: Technologies of those parts.

    """

    def __init__(self, parts: Sequence[Part], scan: PatternScan) -> None:
        unnamed = {
            part.id
            for part in parts
            if scan.standing(part.pattern) < part.least and (part.rivals is None or scan.standing(part.rivals))
        }
        gone = [part for part in parts if part.id in unnamed or part.kind_of in unnamed]
        self._absent: Mapping[str, Absent] = {
            part.id: Absent(part.name.removeprefix("a ").removeprefix("an "), 0.85) for part in gone
        }
        self.foreign: frozenset[str] = frozenset().union(*(part.technologies for part in gone))

    @property
    def missing(self) -> Collection[str]:
        """Ids of the parts that are not there."""
        return self._absent.keys()

    def absent(self, needs: str | None) -> Absent | None:
        """Return the absent part that a check needs, or ``None``."""
        return self._absent.get(needs) if needs else None
