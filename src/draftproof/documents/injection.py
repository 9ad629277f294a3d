"""Text that addresses the reviewer instead of describing the system."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from draftproof.documents.markdown import sentences
from draftproof.documents.quotes import quote
from draftproof.domain.document import Document, Passage, PassageKind, Span
from draftproof.domain.findings import Injection

# What a statement of Python returns is the system's answer, not the reviewer's.
_STATEMENT = re.compile(r"^[ \t]*(?:return|yield)\b.*$", re.MULTILINE)
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
    Return the document with such text set apart, and one finding for each place.

    A sentence, line or cell that addresses the reviewer is taken out of its passage into
    one of its own, which stays quotable and is left out of ``evidence_passages``; what
    stands around it counts as before. A heading of that kind is no longer a heading of
    anything.
    """
    passages: list[Passage] = []
    found = []
    for passage in document.passages:
        rule = _broken(rules, _read(passage, passage.text))
        kept = tuple(title for title in passage.headings if _broken(rules, title) is None)
        passage = replace(passage, headings=kept)
        if rule is None:
            passages.append(passage)
            continue
        found.append(Injection(quote(document, passage.span, passage.text), rule.reason))
        rest, addressed = _parted(passage, rules)
        if rest.strip():
            passages.append(replace(passage, text=rest, cut=True))
        passages.append(replace(passage, text=addressed, addressed_to_reviewer=True))
    covered = {line for passage in passages for line in range(passage.span.first, passage.span.last + 1)}
    for number, line in enumerate(document.lines, start=1):
        # Headings, bold lines that stand for one, info strings of fences.
        rule = _broken(rules, line) if number not in covered else None
        if rule is not None:
            found.append(Injection(quote(document, Span(number, number), line), rule.reason))
    found.sort(key=lambda injection: injection.evidence.span)
    numbered = tuple(replace(passage, number=number) for number, passage in enumerate(passages))
    return replace(document, passages=numbered), tuple(found)


def _parted(passage: Passage, rules: Sequence[InjectionRule]) -> tuple[str, str]:
    """Return a passage's text without what addresses the reviewer, and that by itself."""
    if passage.kind is PassageKind.TABLE_ROW:
        pieces, joint = passage.text.split(" | "), " | "
    else:
        pieces, joint = [passage.text[a:b] for a, b in sentences(passage.text)], ""
    rest = [piece for piece in pieces if _broken(rules, _read(passage, piece)) is None]
    addressed = [piece for piece in pieces if _broken(rules, _read(passage, piece)) is not None]
    if not addressed or _broken(rules, _read(passage, joint.join(rest))) is not None:
        # It takes several sentences together: then none of them counts.
        return "", passage.text
    return joint.join(rest), joint.join(addressed)


def _broken(rules: Sequence[InjectionRule], text: str) -> InjectionRule | None:
    text = re.sub(r"\s+", " ", _INVISIBLE.sub("", text))
    return next((rule for rule in rules if rule.pattern.search(text)), None)


def _read(passage: Passage, text: str) -> str:
    """Return a text as it is searched: of Python without what parses as a statement that returns something."""
    if not passage.is_code or passage.language not in ("python", "py"):
        return text
    return _STATEMENT.sub(lambda match: "" if _is_statement(match.group()) else match.group(), text)


def _is_statement(line: str) -> bool:
    if "#" in line:
        return False
    try:
        ast.parse(f"def _():\n {line.strip()}")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
