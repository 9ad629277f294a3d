"""Documents made from Markdown strings, and the designs of the benchmark."""

from __future__ import annotations

import hashlib
from pathlib import Path

from draftproof.documents.markdown import parse
from draftproof.domain.document import Document, DocumentName, Passage, PassageKind, Span

ROOT = Path(__file__).resolve().parents[2]
DESIGNS = tuple(sorted((ROOT / "benchmarks" / "cases").glob("*/design.md")))
DESIGN_REQUIREMENTS = tuple(sorted((ROOT / "benchmarks" / "cases").glob("*/requirements.md")))


def design(text: str) -> Document:
    """Return a design from Markdown."""
    return document(text, DocumentName.DESIGN)


def requirements_document(text: str) -> Document:
    """Return a requirements document from Markdown."""
    return document(text, DocumentName.REQUIREMENTS)


def document(text: str, name: DocumentName) -> Document:
    """Return a document as the reader of files makes it, without a file."""
    parsed = parse(text)
    return Document(
        name=name,
        path=f"{name}.md",
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        title=parsed.title or name.title(),
        sections=parsed.sections,
        passages=parsed.passages,
    )


def passage(
    text: str,
    kind: PassageKind = PassageKind.PARAGRAPH,
    headings: tuple[str, ...] = (),
    number: int = 0,
) -> Passage:
    """Return a single passage on lines of its own."""
    return Passage(number, kind, Span(1, 1 + text.count("\n")), text, headings)
