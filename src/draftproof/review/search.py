"""
Hybrid search over the passages of one document, in memory.

BM25 (bm25s) finds the words, vectors find the meaning, and reciprocal rank fusion
joins both lists (Cormack et al., 2009). Without an embedder BM25 works alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from draftproof.documents.lexical import LexicalIndex, fused
from draftproof.domain.document import Passage

if TYPE_CHECKING:
    import numpy as np


def searchable(passage: Passage) -> str:
    """What is searched and embedded: the nearest heading and the text."""
    return f"{passage.headings[-1]}: {passage.text}" if passage.headings else passage.text


class PassageSearch:
    """
    An index of passages.

    Args:
        passages: The passages that may count as evidence.
        vectors:  Shape ``(len(passages), dimension)``, rows of length 1, or ``None``.

    """

    def __init__(self, passages: Sequence[Passage], vectors: np.ndarray | None) -> None:
        self.passages = passages
        self.vectors = vectors
        self._lexical = LexicalIndex([f"{p.heading_path} {p.text}" for p in passages])

    def bm25(self, text: str) -> np.ndarray:
        """Return the BM25 score of each passage, shape ``(passages,)``."""
        return self._lexical.scores(text)

    def similarity(self, vectors: np.ndarray) -> np.ndarray:
        """Return cosines, shape ``(queries, passages)``; zeros without an embedder."""
        import numpy as np

        if self.vectors is None:
            return np.zeros((len(vectors), len(self.passages)), dtype=np.float32)
        return np.asarray(vectors @ self.vectors.T)

    def fused(self, texts: Sequence[str], vectors: np.ndarray | None) -> np.ndarray:
        """
        Return the fused score of each passage for several wordings of one question.

        Args:
            texts:   The wordings.
            vectors: Their vectors, shape ``(len(texts), dimension)``, or ``None``.

        """
        rankings = [self.bm25(text) for text in texts]
        if vectors is not None and self.vectors is not None:
            rankings.extend(self.similarity(vectors))
        return fused(rankings)
