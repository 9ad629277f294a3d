"""The rubric: what is checked, and what counts as an answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from draftproof.domain.findings import Severity, Verdict

Patterns: TypeAlias = tuple[re.Pattern[str], ...]

# The report's sections, in the specification's order.
SECTIONS = (
    "Business Requirements",
    "Architecture & Design",
    "Data Model",
    "API Design",
    "Event-Driven Components",
    "Integration Strategy",
    "Testing Strategy",
    "Security & Compliance",
    "Operational Concerns",
    "Performance & Scalability",
    "CI/CD Pipeline",
    "Risk Assessment Review",
)


@dataclass(frozen=True, slots=True)
class Aspect:
    """
    One thing that a senior reviewer looks for under a check.

    Args:
        id:       Unique within its check.
        name:     Completes the sentence "Not found: ...".
        weight:   1 to 3; the share of the check that rests on it.
        patterns: Any of them, in one passage, shows that the thing is addressed; for folded
                  (lower-case) text.
        context:  Where given, one of these must match in the passage or its headings.
        unless:   Where given, none of these may match in the passage.
        advice:   What to do where it is lacking.
        without:  The advice instead where a part is absent, by the part's id; the first that is counts.

    """

    id: str
    name: str
    weight: float
    patterns: re.Pattern[str]
    context: re.Pattern[str] | None
    advice: str
    unless: re.Pattern[str] | None = None
    without: Mapping[str, str] = field(default_factory=dict)

    def advice_for(self, absent: Collection[str]) -> str:
        """Return what to do where it is lacking in a system without some parts."""
        return next((advice for part, advice in self.without.items() if part in absent), self.advice)


@dataclass(frozen=True, slots=True)
class FlawRule:
    """
    An anti-pattern that makes a check flawed.

    Args:
        id:       Unique over the rubric.
        patterns: Any of them must match in one passage; for folded (lower-case) text.
        all:      Each must match in the passage or a neighbour under the same heading.
        unless:   None may match in the passage.
        document: Each must match somewhere in the design or the requirements.
        absent:   None may match anywhere in the design.
        why:      What breaks.
        fix:      The change that mends it.

    """

    id: str
    patterns: re.Pattern[str]
    all: Patterns
    unless: re.Pattern[str] | None
    document: Patterns
    absent: re.Pattern[str] | None
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Part:
    """
    A part that a system may lack.

    Args:
        id:      What a check's ``needs`` names.
        name:    Completes "The design has no ...".
        least:   From how many passages on the part counts as present.
        pattern: Names the part.
        rivals:  Names what stands in its place; where given, the part is absent only if one is there.
        kind_of: The part of which it is a kind, with which it is absent; or ``None``.
        technologies: Notes that are first of all about one of these are of no use without the part.

    """

    id: str
    name: str
    least: int
    pattern: re.Pattern[str]
    rivals: re.Pattern[str] | None = None
    kind_of: str | None = None
    technologies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the rubric; the fields are described in ``knowledge/README.md``."""

    id: str
    title: str
    section: str
    criterion: str
    readiness_item: str | None
    question: str
    verdicts: Mapping[Verdict, str]
    severity: Mapping[Verdict, Severity]
    queries: tuple[str, ...]
    aspects: tuple[Aspect, ...]
    flaws: tuple[FlawRule, ...]
    needs: str | None = None
    by_absence: bool = False


@dataclass(frozen=True)
class Rubric:
    """All checks, in the order of the report."""

    checks: tuple[Check, ...]
    by_id: Mapping[str, Check] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {check.id: check for check in self.checks})

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    @property
    def parts(self) -> frozenset[str]:
        """Ids of the parts that checks need, or that their advice depends on."""
        needed = {check.needs for check in self.checks if check.needs}
        return frozenset(needed).union(*(aspect.without for check in self.checks for aspect in check.aspects))

    def of_section(self, section: str) -> tuple[Check, ...]:
        """Return the checks of one section of the report."""
        return tuple(check for check in self.checks if check.section == section)
