"""Quotations: copied from the file's own lines, and proven against them."""

from __future__ import annotations

import re

from draftproof.domain.document import Document, Span
from draftproof.domain.findings import Evidence

# A line longer than this is quoted in part; the part is still verbatim.
MAX_QUOTE = 400
MAX_QUOTED_LINES = 8

_SPACE = re.compile(r"\s+")


def quote(document: Document, span: Span, around: str = "") -> Evidence:
    """
    Return evidence whose text is copied from the document's lines.

    Args:
        document: The document to copy from.
        span:     The lines; cut to ``MAX_QUOTED_LINES``.
        around:   Where a line is too long to quote whole, the part that holds the
                  first characters of this text is taken.

    """
    span = Span(span.first, min(span.last, span.first + MAX_QUOTED_LINES - 1))
    text = "\n".join(document.lines[span.first - 1 : span.last])
    if len(text) > MAX_QUOTE:
        text = _part(text, around)
    return Evidence(document.name, span, text)


def _part(text: str, around: str) -> str:
    start = max(0, text.find(around[:40])) if around else 0
    rest = text[start:].lstrip()
    part = rest[:MAX_QUOTE]
    if len(rest) > MAX_QUOTE:
        # End with a line, or at least at a word, so that the quotation does not break off inside.
        line_end = part.rfind("\n")
        part = part[:line_end].rstrip() if line_end > MAX_QUOTE // 2 else part.rsplit(None, 1)[0]
    return part


def is_verbatim(evidence: Evidence, document: Document) -> bool:
    """Return whether the quotation stands word for word at its lines; white space apart."""
    if evidence.span.last > len(document.lines) or evidence.document is not document.name:
        return False
    text = "\n".join(document.lines[evidence.span.first - 1 : evidence.span.last])
    quoted = _squash(evidence.quote)
    return bool(quoted) and quoted in _squash(text)


def _squash(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
