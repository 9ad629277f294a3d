"""
Measure the knowledge base: retrieval of notes, exemplars by themselves, build time and size.

    python tools/knowledge_bench.py [--queries benchmarks/retrieval/queries.jsonl] [--build]

Exemplars: the verdict of each held-out passage by its nearest training passages alone,
the base line that any judge has to beat, and the same with growing shares of the
training part. With --build the store is built from nothing and after one changed note.
Where BENCH_OUT names a folder or file, the figures are written there as JSON, too.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench_output import keep_figures
from draftproof.bootstrap import Library, build_store, make_reference, note_index, open_embedder
from draftproof.domain.notes import LABELS
from draftproof.knowledge.search import NoteSearch
from draftproof.settings import Settings, load_settings

SEED = 20261124
NEAREST = 3
HELD_OUT = "held-out.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=Path, default=Path("benchmarks/retrieval/queries.jsonl"))
    parser.add_argument("--build", action="store_true")
    options = parser.parse_args()
    settings = load_settings()
    figures: dict[str, Any] = {}
    if options.queries.exists():
        figures["retrieval"] = retrieval(settings, options.queries)
    figures["exemplars"] = exemplars(settings)
    if options.build:
        figures["build"] = build(settings)
    keep_figures("knowledge", figures)


def retrieval(settings: Settings, path: Path) -> dict[str, dict[str, float]]:
    """Print recall of the right note by words, by meaning and by both."""
    library = Library(settings)
    embedder = open_embedder(settings)
    assert embedder is not None
    queries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    reference, vectors = make_reference(library, embedder)
    assert reference.exemplars is not None
    index = note_index(settings, library, embedder, vectors, print)
    assert index is not None
    notes = list(library.knowledge.notes.values())
    search = NoteSearch(notes)
    started = time.perf_counter()
    embedded = embedder.embed([q["query"] for q in queries])
    found = index.query(embedded, len(notes))
    subjects = [reference.exemplars.subjects(vector) for vector in embedded]
    cosines = [dict(pairs) for pairs in found]
    ranked = {
        "BM25": [[f.note.id for f in search.find(q["query"], None, 5)] for q in queries],
        "dense": [[name for name, _ in pairs[:5]] for pairs in found],
        "hybrid": [
            [f.note.id for f in search.find(q["query"], near, 5)] for q, near in zip(queries, cosines, strict=True)
        ],
        "and checks": [
            [f.note.id for f in search.find(q["query"], near, 5, about)]
            for q, near, about in zip(queries, cosines, subjects, strict=True)
        ],
    }
    seconds = time.perf_counter() - started
    print(f"{len(queries)} held-out queries over {len(notes)} notes")
    figures = {}
    for name, lists in ranked.items():
        hits = {
            k: sum(bool(set(ids[:k]) & set(q["notes"])) for ids, q in zip(lists, queries, strict=True)) / len(queries)
            for k in (1, 3, 5)
        }
        print(f"  {name:10} recall@1 {hits[1]:.3f}  recall@3 {hits[3]:.3f}  recall@5 {hits[5]:.3f}")
        figures[name] = {f"recall_at_{k}": round(v, 4) for k, v in hits.items()}
    print(f"  {1000 * seconds / len(queries):.1f} ms for one query, all ways")
    return figures


def exemplars(settings: Settings) -> dict[str, Any]:
    """Print how well the nearest training passages alone judge the held-out ones."""
    library = Library(settings)
    embedder = open_embedder(settings)
    assert embedder is not None
    reference, _ = make_reference(library, embedder)
    assert reference.exemplars is not None
    held = len((library.folder / "exemplars" / HELD_OUT).read_text(encoding="utf-8").splitlines())
    vectors, items = reference.exemplars.vectors, reference.exemplars.exemplars
    # Files are read in the order of their names: held-out before train.
    test, train = list(range(held)), np.arange(held, len(items))
    random = np.random.default_rng(SEED)
    figures: dict[str, Any] = {}
    for share in (0.25, 0.5, 0.75, 1.0):
        chosen = np.sort(random.choice(train, int(share * len(train)), replace=False))
        told = [nearest_label(vectors, items, row, chosen) for row in test]
        right = [t == items[row].label for t, row in zip(told, test, strict=True)]
        by_label = {
            label: round(
                float(np.mean([r for r, row in zip(right, test, strict=True) if items[row].label == label])), 3
            )
            for label in LABELS
        }
        print(f"exemplars: {len(chosen):5} to learn from, accuracy {np.mean(right):.3f}, by label {by_label}")
        figures[str(len(chosen))] = {"accuracy": round(float(np.mean(right)), 4), **by_label}
    return figures


def nearest_label(vectors: np.ndarray, items: Any, row: int, pool: np.ndarray) -> str:
    """Return the label whose nearest passages of the same check come nearest."""
    same = [p for p in pool if items[p].check_id == items[row].check_id]
    best, told = -1.0, ""
    for label in LABELS:
        rows = [p for p in same if items[p].label == label]
        if not rows:
            continue
        cosines = np.sort(vectors[rows] @ vectors[row])[-NEAREST:]
        if cosines.mean() > best:
            best, told = float(cosines.mean()), label
    return told


def build(settings: Settings) -> dict[str, float]:
    """Print how long the store takes from nothing and after one changed note, and its size."""
    place = Path(tempfile.mkdtemp(prefix="draftproof-store-"))
    try:
        fresh = replace(settings, data_dir=place, embedder=str(settings.embedder_path))
        first = timed(fresh)
        own = place / "knowledge" / "notes"
        own.mkdir(parents=True)
        source = sorted((Library(fresh).folder / "notes").glob("*.md"))[0]
        text = source.read_text(encoding="utf-8")
        (own / source.name).write_text(text.replace("## Practice\n", "## Practice\nOur house rule. "), encoding="utf-8")
        second, third = timed(fresh), timed(fresh)
        size = sum(p.stat().st_size for p in place.rglob("*") if p.is_file())
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(f"build: {first:.1f} s from nothing, {second:.1f} s after one changed note, {third:.1f} s without a change")
    print(f"size: {size / 1e6:.1f} MB")
    return {"first_s": first, "one_note_s": second, "unchanged_s": third, "bytes": size}


def timed(settings: Settings) -> float:
    started = time.perf_counter()
    build_store(settings, lambda _done, _of: None, print)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
