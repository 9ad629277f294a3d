"""
Rules over facts, as data: what must hold for a rule to fire, and what it says then.

A rule binds names to facts of a kind and asks a condition of each combination. The
conditions and sentences are jinja2 expressions and templates in a sandbox, so that a rule
is a piece of YAML that a reader can check, and a user can add, without touching code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice, product
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from draftproof.domain.document import Span
from draftproof.domain.findings import Verdict
from draftproof.facts.base import Fact, Facts
from draftproof.facts.settings import Setting

# A rule that binds several names to many facts must not take seconds.
_MAX_COMBINATIONS = 5000
_MAX_HITS = 4


@dataclass(frozen=True, slots=True)
class FactRule:
    """
    A rule over facts.

    Args:
        id:      Unique among the rules.
        check:   The check that it speaks for.
        verdict: What it says of the check: flawed, partial or met.
        binds:   Kind of fact by name; every combination of facts is tried.
        when:    Expression over the bound names and the functions of :func:`scope`; true
                 where the rule fires.
        says:    Template of the sentence that states what was found.
        breaks:  What goes wrong; empty for met.
        fix:     What to do; empty for met.
        contradicts: Whether what it finds are two places that cannot both be right.

    """

    id: str
    check: str
    verdict: Verdict
    binds: Mapping[str, str]
    when: str
    says: str
    breaks: str = ""
    fix: str = ""
    contradicts: bool = False


@dataclass(frozen=True, slots=True)
class FactHit:
    """A rule that fired: the sentence it says, and the lines of the facts that it rests on."""

    rule: FactRule
    sentence: str
    spans: tuple[Span, ...]


def fire(rules: Sequence[FactRule], facts: Facts, text: str, needs: str = "") -> list[FactHit]:
    """
    Return the rules that fire, in the order of the rules.

    Args:
        rules: The rules.
        facts: What was parsed.
        text:  The design's text without what addresses the reviewer, for ``mentions``.
        needs: The same of the requirements, for ``required``.

    Raises:
        jinja2.TemplateError: An expression names something that does not exist; rules are
            tried when they are loaded, so that this is a fault of the program.

    """
    found: list[FactHit] = []
    functions = scope(facts, text, needs)
    for rule in rules:
        hits = _hits(rule, facts, functions)
        found.extend(islice(hits, _MAX_HITS))
    return found


def scope(facts: Facts, text: str, needs: str) -> dict[str, Callable[..., Any]]:
    """
    Return the functions that expressions may call.

    ``facts(kind)``: the design's facts of a kind. ``required_facts(kind)``: the requirements'.
    ``mentions(pattern)``: whether the design's text holds a regular expression, in any case.
    ``required(pattern)``: whether the requirements or the design do; for what the system owes.
    ``setting_number(name, span)``: the number of the first setting of a name, on those lines where some
    are given; 0 where there is none.
    """

    @cache
    def holds(pattern: str, both: bool) -> bool:
        return bool(re.search(pattern, f"{text}\n{needs}" if both else text, re.IGNORECASE))

    def setting_number(name: str, span: Span | None = None) -> float:
        found = (f for f in facts.of(Setting.kind) if isinstance(f, Setting) and f.name == name)
        return next((f.number for f in found if span is None or f.span == span), 0.0)

    return {
        "setting_number": setting_number,
        "facts": facts.of,
        "required_facts": facts.required,
        "mentions": lambda pattern: holds(pattern, False),
        "required": lambda pattern: holds(pattern, True),
    }


def _hits(rule: FactRule, facts: Facts, functions: Mapping[str, Any]) -> Iterator[FactHit]:
    pools = [facts.of(kind) for kind in rule.binds.values()]
    if not all(pools):
        return
    condition = _compiled(rule.when)
    seen: set[tuple[Span, ...]] = set()
    for combination in islice(product(*pools), _MAX_COMBINATIONS):
        bound: dict[str, Fact] = dict(zip(rule.binds, combination, strict=True))
        if not condition(**bound, **functions):
            continue
        spans = tuple(dict.fromkeys(fact.span for fact in combination))
        if spans in seen:
            continue
        seen.add(spans)
        yield FactHit(rule, _template(rule.says).render(**bound, **functions), spans)


def check_rule(rule: FactRule) -> str | None:
    """Return what is wrong with a rule's expressions, or ``None``."""
    try:
        _compiled(rule.when)
        _template(rule.says)
    except TemplateError as error:
        return str(error)
    return None


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters["number"] = _number
    # For ``select`` over tuples of columns.
    environment.tests["contains"] = lambda values, value: value in values
    environment.tests["holdsall"] = lambda values, wanted: set(wanted) <= set(values)
    environment.tests["longerthan"] = lambda values, count: len(values) > count
    environment.tests["matching"] = lambda value, pattern: bool(re.search(pattern, str(value), re.IGNORECASE))
    return environment


@lru_cache(maxsize=512)
def _compiled(expression: str) -> Callable[..., Any]:
    return _environment().compile_expression(expression, undefined_to_none=False)


@lru_cache(maxsize=512)
def _template(text: str) -> Any:
    return _environment().from_string(text)


def _number(value: float) -> str:
    """Print a number as people write it: no trailing zeros, thousands apart."""
    return f"{value:,.10g}"
