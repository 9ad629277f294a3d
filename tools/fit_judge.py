"""
Fit the judge's weights: heads on the exemplars, the rest on labelled cases.

    python tools/fit_judge.py CASES_DIR [CASES_DIR ...] [--output models] [--dry-run]

Prints leave-one-case-out figures first: whatever is fitted on cases is measured on a
case that the fit has not seen. The heads see exemplars alone. Needs the extra `fit`
(scikit-learn) and the embedder that `make setup` writes. Deterministic: no sampling
without a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from draftproof.adapters.weights import HEADS_NAME, JSON_NAME, model_data
from draftproof.bootstrap import Library, make_reference, open_embedder
from draftproof.documents.injection import mark_injections
from draftproof.domain.findings import Verdict
from draftproof.domain.notes import LABELS
from draftproof.domain.rubric import Rubric
from draftproof.evaluation import LabelledCase, labelled_cases, matthews
from draftproof.review.consistency import find_inconsistencies
from draftproof.review.coverage import RequirementReader
from draftproof.review.judge import JUDGED, VECTORS_SHARE, LinearModel, combined
from draftproof.review.material import ExemplarVectors, Material
from draftproof.review.prepare import prepare
from draftproof.review.signals import NAMES, WITHOUT_VECTORS, Heads, read_signals
from draftproof.settings import load_settings

VERSION = 1
SEED = 20261124
HEAD_STRENGTH = 3.0
OTHERS = 160
# Of strengths whose scores differ by less, the one that is bound the most is taken.
AS_GOOD = 0.01
DEFECTS = {"partial", "missing", "flawed"}


@dataclass
class Case:
    """One labelled document: signals by check, and gold verdicts."""

    name: str
    matrix: np.ndarray
    gold: list[str]
    absent: list[bool]
    material: Material
    requirement_gold: dict[str, str]


def fit_heads(exemplars: ExemplarVectors, rubric: Rubric) -> Heads:
    """Fit for each check a softmax over the labels and `other`: passages of other checks."""
    random = np.random.default_rng(SEED)
    labels = (*LABELS, "other")
    owners = np.array([e.check_id for e in exemplars.exemplars])
    names = np.array([e.label for e in exemplars.exemplars])
    weights = {}
    for check in rubric:
        own = np.flatnonzero(owners == check.id)
        foreign = np.flatnonzero((owners != check.id) & (names != "neighbour"))
        centre = exemplars.vectors[own].mean(axis=0)
        near = foreign[np.argsort(-(exemplars.vectors[foreign] @ centre))[: OTHERS // 2]]
        far = random.choice(foreign, OTHERS // 2, replace=False)
        rows = np.concatenate([own, near, far])
        target = np.array([labels.index(n) for n in names[own]] + [5] * (len(near) + len(far)))
        model = LogisticRegression(C=HEAD_STRENGTH, max_iter=2000).fit(exemplars.vectors[rows], target)
        full = np.zeros((len(labels), exemplars.vectors.shape[1] + 1), dtype=np.float32)
        full[:, -1] = -30.0
        for position, label in enumerate(model.classes_):
            full[label, :-1] = model.coef_[position]
            full[label, -1] = model.intercept_[position]
        weights[check.id] = full
    return Heads(labels, weights)


def read_case(case: LabelledCase, library: Library, reference: Any, heads: Heads) -> Case:
    """Return the signals of a case beside its gold verdicts."""
    design, requirements = case.read()
    design, _ = mark_injections(design, library.injections)
    material = prepare(design, requirements, reference)
    signals = read_signals(library.rubric, material, heads)
    verdicts = [case.checks[check.id]["verdict"] for check in library.rubric]
    absent = [material.parts.absent(check.needs) is not None for check in library.rubric]
    wanted = {name: item["verdict"] for name, item in case.gold.get("requirements", {}).items()}
    return Case(case.name, signals.matrix, verdicts, absent, material, wanted)


def requirement_rows(case: Case, probabilities: np.ndarray, library: Library) -> tuple[list[list[float]], list[str]]:
    """Return the signals and gold of a case's requirements, given verdicts that the fit has not seen."""
    if case.material.requirements is None:
        return [], []
    by_check = {}
    for check, row in zip(library.rubric, probabilities, strict=True):
        by_check[check.id] = dict.fromkeys(Verdict, 0.0) | dict(zip(JUDGED, map(float, row), strict=True))
    broken = {item.requirement_id for item in find_inconsistencies(case.material, library.purposes)}
    reader = RequirementReader(case.material.requirements, case.material, library.cues, by_check, broken)
    readings = [r for r in reader.read() if r.requirement.id in case.requirement_gold]
    return [r.signals for r in readings], [case.requirement_gold[r.requirement.id] for r in readings]


def fit_linear(inputs: np.ndarray, target: Sequence[str], classes: Sequence[str], strength: float) -> LinearModel:
    """Fit a regularised multinomial model on standardised inputs."""
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale[scale < 1e-6] = 1.0
    model = LogisticRegression(C=strength, max_iter=3000)
    model.fit((inputs - mean) / scale, list(target))
    order = [list(model.classes_).index(name) for name in classes]
    return LinearModel(tuple(classes), mean, scale, model.coef_[order], model.intercept_[order])


def judge_inputs(cases: Sequence[Case], columns: int) -> tuple[np.ndarray, list[str]]:
    """Return the inputs and targets of all judged checks; not applicable ones are a rule's."""
    rows, target = [], []
    for case in cases:
        inputs = combined(case.matrix[:, :columns])
        for position, verdict in enumerate(case.gold):
            if verdict != Verdict.NOT_APPLICABLE.value:
                rows.append(inputs[position])
                target.append(verdict)
    return np.array(rows), target


def figures(gold: Sequence[str], told: Sequence[str]) -> dict[str, float]:
    """Return defect MCC, accuracy, macro F1 and flawed recall."""
    pairs = list(zip(gold, told, strict=True))
    scores = []
    for name in sorted(set(gold)):
        hit = sum(g == t == name for g, t in pairs)
        scores.append(2 * hit / max(1, sum(g == name for g, _ in pairs) + sum(t == name for _, t in pairs)))
    flawed = [t for g, t in pairs if g == "flawed"]
    return {
        "mcc": matthews([(t in DEFECTS, g in DEFECTS) for g, t in pairs]),
        "accuracy": sum(g == t for g, t in pairs) / len(pairs),
        "macro_f1": sum(scores) / len(scores),
        "flawed_recall": sum(t == "flawed" for t in flawed) / max(1, len(flawed)),
    }


def verdicts_told(case: Case, rows: np.ndarray) -> list[str]:
    """Return the likeliest verdict on each check; on those whose part is absent, that they do not apply."""
    return [
        Verdict.NOT_APPLICABLE.value if absent else JUDGED[int(row.argmax())].value
        for absent, row in zip(case.absent, rows, strict=True)
    ]


def leave_one_out(
    cases: Sequence[Case], columns: int, strength: float
) -> tuple[list[str], list[str], np.ndarray, list[str], list[np.ndarray]]:
    """Return gold, told, logits, judged gold, and probabilities of cases that each fit has not seen."""
    classes = [verdict.value for verdict in JUDGED]
    gold, told, logits, judged, unseen = [], [], [], [], []
    for left in cases:
        inputs, target = judge_inputs([c for c in cases if c is not left], columns)
        model = fit_linear(inputs, target, classes, strength)
        rows = model.probabilities(combined(left.matrix[:, :columns]))
        unseen.append(rows)
        gold.extend(left.gold)
        told.extend(verdicts_told(left, rows))
        for position, row in enumerate(rows):
            if not left.absent[position] and left.gold[position] in classes:
                logits.append(np.log(row + 1e-9))
                judged.append(left.gold[position])
    return gold, told, np.array(logits), judged, unseen


def fit_temperature(logits: np.ndarray, gold: Sequence[str], classes: Sequence[str]) -> float:
    """Return the temperature with the least log loss on left-out cases."""
    target = np.array([classes.index(name) for name in gold])
    best, least = 1.0, float("inf")
    for temperature in np.arange(0.5, 4.01, 0.05):
        scaled = logits / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        loss = -(scaled[np.arange(len(target)), target] - np.log(np.exp(scaled).sum(axis=1))).mean()
        if loss < least:
            best, least = float(temperature), float(loss)
    return best


def with_temperature(model: LinearModel, temperature: float) -> LinearModel:
    """Return the model with its probabilities softened or sharpened."""
    return LinearModel(model.classes, model.mean, model.scale, model.weights, model.bias, temperature)


def fit_verdicts(cases: Sequence[Case], columns: int, title: str) -> tuple[LinearModel, list[np.ndarray]]:
    """Choose the strength by leave-one-case-out, fit on all; return the model and what was told unseen."""
    classes = [verdict.value for verdict in JUDGED]
    scores: dict[float, float] = {}
    for strength in (0.003, 0.01, 0.03, 0.1, 0.3):
        gold, told, *_ = leave_one_out(cases, columns, strength)
        found = figures(gold, told)
        print(f"{title:18} C={strength:<6}", {k: round(v, 3) for k, v in found.items()})
        scores[strength] = found["mcc"] + found["macro_f1"]
    # Designs by other hands differ more from these than these from one another.
    chosen = next(strength for strength, score in scores.items() if score >= max(scores.values()) - AS_GOOD)
    _, _, logits, judged, unseen = leave_one_out(cases, columns, chosen)
    temperature = fit_temperature(logits, judged, classes)
    print(f"{title:18} chosen C={chosen}, temperature {temperature:.2f}")
    model = fit_linear(*judge_inputs(cases, columns), classes, chosen)
    return with_temperature(model, temperature), unseen


def pooled(cases: Sequence[Case], seen: Sequence[np.ndarray], bare: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return what both models together tell of cases that they have not seen, and print how good that is."""
    rows = [VECTORS_SHARE * one + (1 - VECTORS_SHARE) * other for one, other in zip(seen, bare, strict=True)]
    gold = [verdict for case in cases for verdict in case.gold]
    told = [verdict for case, row in zip(cases, rows, strict=True) for verdict in verdicts_told(case, row)]
    print("both together     ", {k: round(v, 3) for k, v in figures(gold, told).items()})
    return rows


def fit_requirements(cases: Sequence[Case], unseen: Sequence[np.ndarray], library: Library) -> LinearModel:
    """Do the same for the verdicts on requirements."""
    classes = ["met", "partial", "missing"]
    sets = [requirement_rows(case, rows, library) for case, rows in zip(cases, unseen, strict=True)]
    sets = [pair for pair in sets if pair[1]]
    best: tuple[float, float, float] | None = None
    for strength in (0.01, 0.03, 0.1, 0.3, 1.0):
        logits: list[np.ndarray] = []
        gold: list[str] = []
        for left in sets:
            others = [pair for pair in sets if pair is not left]
            inputs = np.vstack([rows for rows, _ in others])
            model = fit_linear(inputs, [name for _, names in others for name in names], classes, strength)
            logits.extend(np.log(model.probabilities(np.array(left[0])) + 1e-9))
            gold.extend(left[1])
        found = figures(gold, [classes[int(row.argmax())] for row in logits])
        print(f"requirements       C={strength:<6}", {k: round(v, 3) for k, v in found.items()})
        if best is None or found["accuracy"] > best[0]:
            best = (found["accuracy"], strength, fit_temperature(np.array(logits), gold, classes))
    assert best is not None
    inputs = np.vstack([rows for rows, _ in sets])
    target = [name for _, names in sets for name in names]
    return with_temperature(fit_linear(inputs, target, classes, best[1]), best[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, default=Path("models"))
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    options = parser.parse_args()

    settings = load_settings()
    library = Library(settings)
    embedder = open_embedder(settings)
    if embedder is None:
        sys.exit("The judge is fitted with an embedder; run `make setup` first.")
    reference, _ = make_reference(library, embedder, lambda done, of: print(f"embedded {done}/{of}", end="\r"))
    assert reference.exemplars is not None
    heads = fit_heads(reference.exemplars, library.rubric)
    cases = [read_case(case, library, reference, heads) for case in labelled_cases(options.cases)]
    print(f"{len(cases)} cases, {len(reference.exemplars.exemplars)} exemplars, {len(NAMES)} signals")

    verdicts, unseen = fit_verdicts(cases, len(NAMES), "with vectors")
    bare, unseen_bare = fit_verdicts(cases, len(WITHOUT_VECTORS), "without vectors")
    requirements = fit_requirements(cases, pooled(cases, unseen, unseen_bare), library)
    if options.dry_run:
        return
    options.output.mkdir(exist_ok=True)
    data = {
        "version": VERSION,
        "fitted_on": [case.name for case in cases],
        "exemplars": len(reference.exemplars.exemplars),
        "embedder": embedder.name,
        "signals": list(NAMES),
        "checks": [check.id for check in library.rubric],
        "verdicts": model_data(verdicts),
        "without_vectors": model_data(bare),
        "requirements": model_data(requirements),
    }
    (options.output / JSON_NAME).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    np.savez_compressed(
        options.output / HEADS_NAME,
        labels=np.array(heads.labels),
        checks=np.array(list(heads.weights)),
        weights=np.stack(list(heads.weights.values())).astype(np.float16),
    )
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
