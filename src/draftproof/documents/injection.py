"""Text that addresses the reviewer instead of describing the system."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from draftproof.documents.quotes import quote
from draftproof.domain.document import Document, Span
from draftproof.domain.findings import Injection

# Letters that only look like spaces, and marks that hide a word from a search.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")


@dataclass(frozen=True, slots=True)
class InjectionRule:
    """A way of addressing the reviewer: its patterns and the reason to print."""

    id: str
    reason: str
    pattern: re.Pattern[str]


def mark_injections(document: Document, rules: Sequence[InjectionRule]) -> tuple[Document, tuple[Injection, ...]]:
    """
    Return the document with such passages marked, and one finding for each.

    A marked passage stays quotable and is left out of ``evidence_passages``. A line that
    is in no passage, such as a heading, is reported alone.
    """
    passages = list(document.passages)
    found = []
    for index, passage in enumerate(passages):
        rule = _broken(rules, passage.text)
        if rule is not None:
            passages[index] = replace(passage, addressed_to_reviewer=True)
            found.append(Injection(quote(document, passage.span, passage.text), rule.reason))
    covered = {line for passage in passages for line in range(passage.span.first, passage.span.last + 1)}
    for number, line in enumerate(document.lines, start=1):
        # Headings, bold lines that stand for one, info strings of fences.
        rule = _broken(rules, line) if number not in covered else None
        if rule is not None:
            found.append(Injection(quote(document, Span(number, number), line), rule.reason))
    found.sort(key=lambda injection: injection.evidence.span)
    return replace(document, passages=tuple(passages)), tuple(found)


def _broken(rules: Sequence[InjectionRule], text: str) -> InjectionRule | None:
    text = re.sub(r"\s+", " ", _INVISIBLE.sub("", text))
    return next((rule for rule in rules if rule.pattern.search(text)), None)
