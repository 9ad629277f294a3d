"""Pieces of the report's text: counts, places, and quotations that act as no Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from draftproof.domain.document import DocumentName
from draftproof.domain.findings import Evidence, Sentence

_SHOWN_WIDTH = 160


def one_line(text: str) -> str:
    """Return a text with every run of white space made one blank."""
    return " ".join(text.split())


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def cell(text: str) -> str:
    """Return a text for one cell of a table."""
    return one_line(text).replace("|", "\\|")


def where(evidence: Evidence) -> str:
    """Return the document, where it is not the design, and the lines of some evidence."""
    document = "" if evidence.document is DocumentName.DESIGN else "requirements, "
    noun = "line" if len(evidence.span) == 1 else "lines"
    return f"{document}{noun} {evidence.span}"


def cited(evidence: Sequence[Evidence]) -> str:
    """Return the lines of all evidence, or nothing where there is none."""
    if not evidence:
        return ""
    spans = [str(item.span) for item in evidence]
    one = len(spans) == 1 and "-" not in spans[0]
    return f"{'line' if one else 'lines'} {', '.join(spans)}"


def spoken(sentence: Sentence) -> str:
    """Return a sentence of a language model with the lines that it speaks of."""
    return f"{sentence.text.rstrip('.')} ({cited(sentence.evidence)})."


def quoted(evidence: Evidence, indent: str) -> Iterator[str]:
    """Quote in a fence, so that nothing in the text acts as Markdown of the report."""
    fence = "`" * max(3, longest_ticks(evidence.quote) + 1)
    yield f"{indent}> {where(evidence)}:"
    yield f"{indent}> {fence}text"
    for line in evidence.quote.split("\n"):
        yield f"{indent}> {line}"
    yield f"{indent}> {fence}"
    yield ""


def longest_ticks(text: str) -> int:
    """Return the length of the longest run of backticks."""
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest


def snippet(evidence: Evidence) -> str:
    """Return the first line of some evidence as inline code, cut at a word where it is long."""
    line = one_line(evidence.quote.split("\n")[0])
    cut = line if len(line) <= _SHOWN_WIDTH else line[:_SHOWN_WIDTH].rsplit(" ", 1)[0] + " …"
    fence = "`" * (longest_ticks(cut) + 1)
    pad = " " if cut.startswith("`") or cut.endswith("`") else ""
    return f"{fence}{pad}{cut}{pad}{fence}"


def first_sentence(text: str) -> str:
    """Return a text's first sentence with a full stop; an ellipsis, as in ``UPDATE ... SET``, ends none."""
    return f"{re.split(r'(?<![.])[.] ', text, maxsplit=1)[0].rstrip('.')}."


def first_paragraph(text: str) -> str:
    """Return a text's first paragraph on one line, or nothing where there is no text."""
    return one_line(text.split("\n\n")[0]) if text else ""
