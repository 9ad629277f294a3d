"""
What the judge sees of a check in a document, as numbers.

Each signal is a property of the document for one check; the same signals, minus
their mean over the document's checks, say how the check stands out in a document
that is thin or thick as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from draftproof.domain.findings import Verdict
from draftproof.domain.rubric import Check, Rubric
from draftproof.facts.rules import FactHit
from draftproof.review.aspects import FlawHit, Hit, coverage, weighted
from draftproof.review.material import Material

if TYPE_CHECKING:
    import numpy as np

PATTERN_SIGNALS = (
    "coverage",
    "strongest_aspect",
    "aspects_addressed",
    "aspects_taken_back",
    "main_aspect",
    "passages_addressing",
    "passages_taken_back",
    "densest_passage",
    "flaws",
    "facts_flawed",
    "facts_partial",
    "facts_met",
)
SEARCH_SIGNALS = ("bm25_best",)
VECTOR_SIGNALS = (
    "question_best",
    "met_best",
    "partial_best",
    "flawed_best",
    "decoy_best",
    "neighbour_best",
    "met_margin",
    "flawed_margin",
    "head_met",
    "head_partial",
    "head_flawed",
    "head_addressed",
    "head_met_hit",
    "head_flawed_hit",
)
WITHOUT_VECTORS = PATTERN_SIGNALS + SEARCH_SIGNALS
NAMES = WITHOUT_VECTORS + VECTOR_SIGNALS


@dataclass(frozen=True, slots=True)
class Heads:
    """
    A linear head for each check over passage vectors, fitted on the exemplars.

    Args:
        labels:  The classes: the exemplar labels and ``other``.
        weights: By check id, shape ``(classes, dimension + 1)``; the last column is the bias.

    """

    labels: tuple[str, ...]
    weights: Mapping[str, np.ndarray]

    def probabilities(self, check_id: str, vectors: np.ndarray) -> np.ndarray | None:
        """Return shape ``(passages, classes)``, or ``None`` for a check without a head."""
        import numpy as np

        weights = self.weights.get(check_id)
        if weights is None:
            return None
        logits = vectors @ weights[:, :-1].T + weights[:, -1]
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Signals:
    """
    The signals of a whole document.

    Args:
        matrix: Shape ``(checks, len(NAMES))``, in the rubric's order.
        hits:   Aspect hits by check id.
        flaws:  Anti-patterns by check id.
        passage_scores: By check id, how well each passage answers the check, shape
                ``(passages,)``; for choosing evidence.

    """

    matrix: np.ndarray
    hits: Mapping[str, Sequence[Hit]]
    flaws: Mapping[str, Sequence[FlawHit]]
    passage_scores: Mapping[str, np.ndarray]


def read_signals(rubric: Rubric, material: Material, heads: Heads | None) -> Signals:
    """Return the signals of a document for every check."""
    import numpy as np

    rows, hits, flaws, scores = [], {}, {}, {}
    for check in rubric:
        hits[check.id] = material.hits(check)
        flaws[check.id] = material.flaws(check)
        row = _pattern_signals(check, hits[check.id], flaws[check.id])
        row += _fact_signals(material.stated(check.id))
        row.append(_bm25_best(check, material))
        vector_row, by_passage = _vector_signals(check, material, heads, hits[check.id])
        rows.append(row + vector_row)
        scores[check.id] = by_passage
    return Signals(np.array(rows, dtype=np.float64), hits, flaws, scores)


def _pattern_signals(check: Check, hits: Sequence[Hit], flaws: Sequence[FlawHit]) -> list[float]:
    levels = coverage(check, hits)
    main = max(check.aspects, key=lambda aspect: aspect.weight)
    addressing = {h.passage.number for h in hits if h.counts}
    taken_back = {h.passage.number for h in hits if h.taken_back} - addressing
    per_passage: dict[int, set[str]] = {}
    for hit in hits:
        if hit.counts:
            per_passage.setdefault(hit.passage.number, set()).add(hit.aspect.id)
    densest = max((len(found) for found in per_passage.values()), default=0)
    return [
        weighted(check, levels),
        max(levels.values()),
        sum(level == 1.0 for level in levels.values()) / len(levels),
        sum(0 < level < 1.0 for level in levels.values()) / len(levels),
        levels[main.id],
        log(1 + len(addressing)),
        log(1 + len(taken_back)),
        densest / len(check.aspects),
        float(min(len({flaw.rule.id for flaw in flaws}), 2)),
    ]


def _fact_signals(stated: Sequence[FactHit]) -> list[float]:
    """Return how many rules over facts say each of flawed, partial and met; more than two say no more."""
    return [
        float(min(len({hit.rule.id for hit in stated if hit.rule.verdict is verdict}), 2))
        for verdict in (Verdict.FLAWED, Verdict.PARTIAL, Verdict.MET)
    ]


def _bm25_best(check: Check, material: Material) -> float:
    scores = [float(material.search.bm25(query).max(initial=0.0)) for query in check.queries]
    return log(1 + max(scores))


def _vector_signals(
    check: Check, material: Material, heads: Heads | None, hits: Sequence[Hit]
) -> tuple[list[float], np.ndarray]:
    """Return the vector signals, and how well each passage answers the check."""
    import numpy as np

    by_passage = np.zeros(len(material.passages))
    position = {p.number: i for i, p in enumerate(material.passages)}
    for hit in hits:
        by_passage[position[hit.passage.number]] += hit.aspect.weight * (1.0 if hit.counts else 0.15)
    queries = material.query_vectors.get(check.id)
    labels = material.label_similarity(check.id)
    listed = material.scan.listed(check)
    by_passage[listed] = 0.0
    if queries is None or labels is None or material.search.vectors is None:
        return [0.0] * len(VECTOR_SIGNALS), by_passage
    question = material.search.similarity(queries)
    for similar in (question.T, *labels.values()):
        similar[listed] = 0.0
    answering = np.maximum.reduce([labels["met"], labels["partial"], labels["flawed"]])
    refusing = np.maximum(labels["decoy"], labels["neighbour"])
    row = [
        float(question.max()),
        *(float(labels[name].max()) for name in ("met", "partial", "flawed", "decoy", "neighbour")),
        float((labels["met"] - refusing).max()),
        float((labels["flawed"] - labels["met"])[int(answering.argmax())]),
    ]
    probabilities = heads.probabilities(check.id, material.search.vectors) if heads else None
    if probabilities is None:
        return row + [0.0] * 6, by_passage + answering
    probabilities[listed] = 0.0
    column = {name: probabilities[:, i] for i, name in enumerate(heads.labels)} if heads else {}
    addressed = column["met"] + column["partial"] + column["flawed"]
    touched = sorted({position[h.passage.number] for h in hits if h.counts})
    row += [
        _top(column["met"]),
        _top(column["partial"]),
        _top(column["flawed"]),
        _top(addressed),
        float(column["met"][touched].max()) if touched else 0.0,
        float(column["flawed"][touched].max()) if touched else 0.0,
    ]
    return row, by_passage + 2.0 * addressed + answering


def _top(values: np.ndarray, count: int = 2) -> float:
    """Return the mean of the highest values; one passage alone is too easily wrong."""
    import numpy as np

    count = min(count, len(values))
    return float(np.partition(values, -count)[-count:].mean())
