"""All that a judge may look at, gathered once for a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from draftproof.domain.document import Document, Passage, Requirements
from draftproof.domain.notes import LABELS, Exemplar
from draftproof.domain.rubric import Check
from draftproof.facts.base import Facts
from draftproof.facts.rules import FactHit
from draftproof.review.aspects import FlawHit, Hit, PatternScan
from draftproof.review.parts import PartsPresent
from draftproof.review.search import PassageSearch

if TYPE_CHECKING:
    import numpy as np


# Two passages as near as this say the same; a changed number keeps them there.
SAME_PASSAGE = 0.92


@dataclass(frozen=True)
class ExemplarVectors:
    """
    The labelled exemplars with their vectors, grouped for look-up.

    Args:
        exemplars: In the order of the rows.
        vectors:   Shape ``(len(exemplars), dimension)``, rows of length 1.

    """

    exemplars: Sequence[Exemplar]
    vectors: np.ndarray

    @cached_property
    def rows(self) -> Mapping[tuple[str, str], np.ndarray]:
        """Row numbers by check id and label."""
        import numpy as np

        groups: dict[tuple[str, str], list[int]] = {}
        for row, exemplar in enumerate(self.exemplars):
            groups.setdefault((exemplar.check_id, exemplar.label), []).append(row)
        return {key: np.array(rows) for key, rows in groups.items()}

    def subjects(self, vector: np.ndarray, nearest: int = 3, sharpness: float = 12.0) -> dict[str, float]:
        """
        Return how far a text is about each check, by the labelled passages nearest to it.

        Args:
            vector:    The text's vector.
            nearest:   How many passages of each check are averaged.
            sharpness: Of the softmax over the checks.

        """
        import numpy as np

        cosines = self.vectors @ vector
        means: dict[str, float] = {}
        for check_id in dict.fromkeys(exemplar.check_id for exemplar in self.exemplars):
            rows = np.concatenate([rows for (name, _), rows in self.rows.items() if name == check_id])
            count = min(nearest, len(rows))
            means[check_id] = float(np.partition(cosines[rows], -count)[-count:].mean())
        powers = np.exp(sharpness * np.array(list(means.values())))
        return dict(zip(means, (powers / powers.sum()).tolist(), strict=True))


@dataclass(frozen=True)
class Material:
    """
    A document made ready to be judged.

    Args:
        design:         The reviewed document.
        requirements:   The requirements, or ``None``.
        search:         Hybrid search over the design's passages.
        scan:           Search for the rubric's patterns.
        query_vectors:  By check id, shape ``(1 + queries, dimension)``; empty without an
                        embedder.
        exemplars:      The labelled exemplars, or ``None`` without an embedder.
        parts:          Which parts the system has, for checks that need one.
        requirement_vectors: Of the requirements' texts, shape ``(items, dimension)``, or
                        ``None``.
        facts:          What was parsed.
        fact_hits:      The rules over facts that fired.

    """

    design: Document
    requirements: Requirements | None
    search: PassageSearch
    scan: PatternScan
    query_vectors: Mapping[str, np.ndarray]
    exemplars: ExemplarVectors | None
    parts: PartsPresent
    requirement_vectors: np.ndarray | None = None
    facts: Facts = field(default_factory=Facts)
    fact_hits: Sequence[FactHit] = ()

    @property
    def passages(self) -> Sequence[Passage]:
        """The passages that may count as evidence, in the order of all arrays."""
        return self.search.passages

    @cached_property
    def exemplar_similarity(self) -> np.ndarray | None:
        """Cosines, shape ``(passages, exemplars)``, or ``None`` without an embedder."""
        import numpy as np

        if self.exemplars is None or self.search.vectors is None:
            return None
        return np.asarray(self.search.vectors @ self.exemplars.vectors.T)

    def label_similarity(self, check_id: str, nearest: int = 3) -> dict[str, np.ndarray] | None:
        """
        Return for each label the mean cosine to its nearest exemplars, per passage.

        Args:
            check_id: The check whose exemplars are meant.
            nearest:  How many of them are averaged.

        """
        import numpy as np

        similarity = self.exemplar_similarity
        if similarity is None or self.exemplars is None:
            return None
        result = {}
        for label in LABELS:
            rows = self.exemplars.rows.get((check_id, label))
            if rows is None:
                result[label] = np.zeros(len(self.passages), dtype=np.float32)
                continue
            count = min(nearest, len(rows))
            top = np.partition(similarity[:, rows], -count, axis=1)[:, -count:]
            result[label] = top.mean(axis=1)
        return result

    def recorded(self, check_id: str) -> tuple[Exemplar, int, float] | None:
        """
        Return the user's own exemplar of a check that stands in the document again.

        Returns:
            The exemplar, the index of the passage and their cosine; ``None`` where no
            passage comes nearer than ``SAME_PASSAGE``.

        """
        similarity = self.exemplar_similarity
        if similarity is None or self.exemplars is None:
            return None
        rows = [
            row
            for row, exemplar in enumerate(self.exemplars.exemplars)
            if exemplar.own and exemplar.check_id == check_id
        ]
        if not rows:
            return None
        nearest = similarity[:, rows]
        passage, column = divmod(int(nearest.argmax()), len(rows))
        cosine = float(nearest[passage, column])
        if cosine < SAME_PASSAGE:
            return None
        return self.exemplars.exemplars[rows[column]], passage, cosine

    def hits(self, check: Check) -> list[Hit]:
        """Return where the aspects of a check are named."""
        return self.scan.hits(check)

    def stated(self, check_id: str) -> list[FactHit]:
        """Return the rules over facts that fired for a check."""
        return [hit for hit in self.fact_hits if hit.rule.check == check_id]

    def flaws(self, check: Check) -> list[FlawHit]:
        """Return the anti-patterns found under a check."""
        return self.scan.flaws(check)
