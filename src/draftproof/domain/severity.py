"""Severity from check, verdict and what is at stake: a published table, no model's word."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from draftproof.domain.findings import Basis, Finding, Severity, Source
from draftproof.domain.rubric import Check

_STEPS = (Severity.SUGGESTED, Severity.RECOMMENDED, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class Context:
    """
    Something that is at stake.

    Args:
        id:       Unique.
        name:     Completes the sentence "harder, since ...".
        least:    In how many places its pattern must be found.
        pattern:  Searched in passages of the design and of the requirements.
        harder:   Ids of the checks that are judged one step harder.

    """

    id: str
    name: str
    least: int
    pattern: re.Pattern[str]
    harder: frozenset[str]


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """The contexts, and the hardest severity of checks by the beginning of their ids."""

    contexts: tuple[Context, ...]
    at_most: Mapping[str, Severity]

    def present(self, texts: Sequence[str]) -> tuple[Context, ...]:
        """Return the contexts that hold for a system, by the texts of its passages."""
        return tuple(
            context for context in self.contexts if sum(bool(context.pattern.search(t)) for t in texts) >= context.least
        )

    def applied(self, finding: Finding, check: Check, present: Sequence[Context]) -> Finding:
        """Return a finding with its severity, and why it is harder than the rubric says."""
        if not finding.verdict.is_defect:
            return replace(finding, severity=None)
        step = _STEPS.index(check.severity.get(finding.verdict, Severity.RECOMMENDED))
        raised = next((context for context in present if check.id in context.harder), None)
        hardest = min((_STEPS.index(s) for start, s in self.at_most.items() if check.id.startswith(start)), default=2)
        final = min(step + (raised is not None), hardest)
        if raised is None or final <= step:
            return replace(finding, severity=_STEPS[final])
        ground = Basis(Source.RULE, f"severity {_STEPS[step]} made {_STEPS[final]}, since {raised.name}")
        return replace(finding, severity=_STEPS[final], basis=(*finding.basis, ground))
