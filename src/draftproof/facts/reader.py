"""All analyzers over one document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from draftproof.documents.cues import Cue
from draftproof.domain.document import Document
from draftproof.facts.base import Fact

Analyzer = Callable[[Document, Sequence[Cue]], Iterable[Fact]]
ANALYZERS: tuple[Analyzer, ...] = ()


def read_facts(document: Document, cues: Sequence[Cue]) -> list[Fact]:
    """
    Return the facts of a document, analyzer by analyzer.

    Args:
        document: The parsed document, with text that addresses the reviewer marked.
        cues:     Wordings that take back what a sentence names; what is put off or refused
                  in prose is no fact.

    """
    return [fact for analyzer in ANALYZERS for fact in analyzer(document, cues)]
