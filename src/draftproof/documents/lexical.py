"""Words of a text, and BM25 over texts (bm25s)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

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


_UPPER_LITERAL = re.compile(r"\\.|\(\?P|[A-Z]")


def folded(text: str) -> str:
    """Return the text in lower case, character by character, so that positions stay."""
    lower = text.lower()
    # A few letters become two, such as the dotted capital I.
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def folded_pattern(pattern: str) -> str:
    """Return a regular expression that finds in folded text what it finds without regard to case."""
    return _UPPER_LITERAL.sub(lambda m: m.group() if len(m.group()) > 1 else m.group().lower(), pattern)


class LexicalIndex:
    """
    BM25 over texts (Robertson and Zaragoza, 2009), in bm25s' ``lucene`` form.

    Args:
        texts: What is searched, in the order of the scores.

    """

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s

        self._size = len(texts)
        self._bm25: Any = bm25s.BM25(method="lucene")
        tokens = [words(text) or ["_"] for text in texts]
        self._known = {token for document in tokens for token in document}
        if tokens:
            self._bm25.index(tokens, show_progress=False)

    def scores(self, text: str) -> np.ndarray:
        """Return the score of each text for a query, shape ``(texts,)``, float32."""
        import numpy as np

        tokens = [token for token in words(text) if token in self._known]
        if not tokens:
            return np.zeros(self._size, dtype=np.float32)
        return np.asarray(self._bm25.get_scores(tokens), dtype=np.float32)


def fused(rankings: Sequence[np.ndarray], constant: int = 60) -> np.ndarray:
    """
    Return the reciprocal rank fusion of several score lists (Cormack et al., 2009).

    Args:
        rankings: Score lists over the same items; an item with no score above zero in a
                  list gains nothing from it.
        constant: Damps the lead of the first ranks.

    """
    import numpy as np

    total = np.zeros(len(rankings[0]), dtype=np.float64)
    for scores in rankings:
        order = np.argsort(-scores, kind="stable")
        ranks = np.empty(len(order))
        ranks[order] = np.arange(1, len(order) + 1)
        total += np.where(scores > 0, 1.0 / (constant + ranks), 0.0)
    return total
