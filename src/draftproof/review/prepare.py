"""A document made ready to be judged: passages embedded, searched and scanned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from draftproof.documents.cues import Cue
from draftproof.documents.quantities import Purpose
from draftproof.domain.document import Document, Passage, Requirements
from draftproof.domain.rubric import Part, Rubric
from draftproof.facts.base import Facts
from draftproof.facts.reader import read_facts
from draftproof.facts.rules import FactHit, FactRule, fire
from draftproof.facts.settings import SettingRule
from draftproof.review.aspects import PatternScan
from draftproof.review.material import ExemplarVectors, Material
from draftproof.review.parts import PartsPresent
from draftproof.review.search import PassageSearch, searchable

if TYPE_CHECKING:
    import numpy as np

# Embedding is what takes time. Beyond so many passages only those are embedded
# that the words of some check, or of the requirements, find.
MAX_EMBEDDED = 1500
_FOUND_BY_A_CHECK = 12
_CHUNK = 64


@dataclass(frozen=True)
class Reference:
    """
    What is known before a document is read, the same for every review.

    Args:
        rubric:    The checks.
        cues:      Wordings that take back what is named.
        parts:     Parts that a system may lack.
        embed:     Texts to vectors, or ``None`` where BM25 works alone.
        exemplars: With vectors; ``None`` without an embedder.
        queries:   Vectors of each check's question and queries, by check id.
        flaws:     Vector of what each anti-pattern breaks and how it is mended, by rule id.
        fact_rules: Rules over parsed facts.
        setting_rules: How settings and measures are found.
        purposes:   What a quantity may be about.

    """

    rubric: Rubric
    cues: Sequence[Cue]
    parts: Sequence[Part]
    embed: Callable[[Sequence[str]], np.ndarray] | None = None
    exemplars: ExemplarVectors | None = None
    queries: dict[str, np.ndarray] | None = None
    flaws: dict[str, np.ndarray] | None = None
    fact_rules: Sequence[FactRule] = ()
    setting_rules: Sequence[SettingRule] = ()
    purposes: Sequence[Purpose] = ()


def check_queries(rubric: Rubric) -> dict[str, tuple[str, ...]]:
    """Return the wordings by which each check is looked up, its question first."""
    return {check.id: (check.question, *check.queries) for check in rubric}


def prepare(
    design: Document,
    requirements: Requirements | None,
    reference: Reference,
    advance: Callable[[int], None] = lambda _: None,
) -> Material:
    """
    Return the material for the judge.

    Args:
        design:       The reviewed document.
        requirements: The requirements, or ``None``.
        reference:    What is known beforehand.
        advance:      Told how many passages have been embedded.

    """
    passages = design.evidence_passages
    # llama.cpp embeds outside the interpreter's lock, so patterns are searched meanwhile.
    with ThreadPoolExecutor(max_workers=1) as pool:
        embedded = pool.submit(_embedded, passages, requirements, reference, advance)
        scan = PatternScan(design, requirements.document if requirements else None, reference.cues)
        for check in reference.rubric:
            scan.hits(check)
            scan.flaws(check)
        parts = PartsPresent(reference.parts, scan)
        facts, fact_hits = read_and_judge_facts(design, requirements, reference)
        vectors, requirement_vectors = embedded.result()
    return Material(
        design=design,
        requirements=requirements,
        search=PassageSearch(passages, vectors),
        scan=scan,
        query_vectors=reference.queries or {},
        exemplars=reference.exemplars,
        parts=parts,
        requirement_vectors=requirement_vectors,
        facts=facts,
        fact_hits=fact_hits,
    )


def read_and_judge_facts(
    design: Document, requirements: Requirements | None, reference: Reference
) -> tuple[Facts, Sequence[FactHit]]:
    """Return the facts of both documents, and the rules that fire on them."""
    needed = requirements.document if requirements else None
    facts = Facts(
        read_facts(design, reference.cues, reference.setting_rules),
        read_facts(needed, reference.cues, reference.setting_rules) if needed else (),
    )
    texts = ["\n".join(p.text for p in d.evidence_passages) if d else "" for d in (design, needed)]
    return facts, fire(reference.fact_rules, facts, *texts)


def embedding_order(passages: Sequence[Passage], rubric: Rubric) -> list[int]:
    """Return which passages are embedded: all of them, or those that BM25 finds for a check."""
    if len(passages) <= MAX_EMBEDDED:
        return list(range(len(passages)))
    search = PassageSearch(passages, None)
    chosen: set[int] = set()
    for check in rubric:
        for query in check.queries:
            ranked = (-search.bm25(query)).argsort(kind="stable")[:_FOUND_BY_A_CHECK]
            chosen.update(int(index) for index in ranked)
    return sorted(chosen)


def _embedded(
    passages: Sequence[Passage],
    requirements: Requirements | None,
    reference: Reference,
    advance: Callable[[int], None],
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the vectors of the passages and of the requirements; ``None`` without an embedder."""
    import numpy as np

    if reference.embed is None or not passages:
        return None, None
    order = embedding_order(passages, reference.rubric)
    # Texts of like length share a batch better.
    order.sort(key=lambda index: len(passages[index].text))
    rows = []
    for start in range(0, len(order), _CHUNK):
        chunk = order[start : start + _CHUNK]
        rows.append(reference.embed([searchable(passages[index]) for index in chunk]))
        advance(min(start + _CHUNK, len(order)))
    found = np.vstack(rows)
    vectors = np.zeros((len(passages), found.shape[1]), dtype=np.float32)
    vectors[order] = found
    items = requirements.items if requirements else ()
    return vectors, reference.embed([item.text for item in items]) if items else None
