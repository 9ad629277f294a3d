"""
Hybrid search over the passages of one document, in memory.

BM25 (bm25s) finds the words, vectors find the meaning, and reciprocal rank fusion
joins both lists (Cormack et al., 2009). Without an embedder BM25 works alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from draftproof.domain.document import Passage

if TYPE_CHECKING:
    import numpy as np

_FUSION = 60
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by can do does for from had has have how if in into is it its may more most "
        "must no not of on one only or other our per shall should so some such than that the their them then there "
        "these they this to up use used uses using was we were what when where which who will with would you your",
    )
)


def words(text: str) -> list[str]:
    """Return the lower-case word stems of a text; ``snake_case`` and ``camelCase`` are split."""
    return [
        _stem(word.lower())
        for part in _WORD.findall(text.replace("_", " "))
        for word in _CAMEL.split(part)
        if word.lower() not in STOP_WORDS
    ]


def _stem(word: str) -> str:
    """Cut the commonest English endings; enough for matching within one document."""
    for ending, least in (("ations", 5), ("ation", 5), ("ings", 4), ("ing", 4), ("ies", 3), ("ed", 4)):
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word[: -len(ending)]
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word


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
        import bm25s

        self.passages = passages
        self.vectors = vectors
        self._bm25: Any = bm25s.BM25(method="lucene")
        tokens = [words(f"{p.heading_path} {p.text}") or ["_"] for p in passages]
        self._known = {token for document in tokens for token in document}
        self._bm25.index(tokens, show_progress=False)

    def bm25(self, text: str) -> np.ndarray:
        """Return the BM25 score of each passage, shape ``(passages,)``."""
        import numpy as np

        tokens = [token for token in words(text) if token in self._known]
        if not tokens:
            return np.zeros(len(self.passages), dtype=np.float32)
        return np.asarray(self._bm25.get_scores(tokens), dtype=np.float32)

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
        import numpy as np

        total = np.zeros(len(self.passages), dtype=np.float64)
        rankings = [self.bm25(text) for text in texts]
        if vectors is not None and self.vectors is not None:
            rankings.extend(self.similarity(vectors))
        for scores in rankings:
            order = np.argsort(-scores, kind="stable")
            ranks = np.empty(len(order))
            ranks[order] = np.arange(1, len(order) + 1)
            total += np.where(scores > 0, 1.0 / (_FUSION + ranks), 0.0)
        return total
