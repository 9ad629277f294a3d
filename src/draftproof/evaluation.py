"""
What a language model is worth on labelled designs, and how much its word should weigh.

A case is a folder with ``design.md``, ``gold.json`` and perhaps ``requirements.md``; the form
of the labels is described in ``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any

from draftproof.bootstrap import Asking, make_reviewer, read_inputs
from draftproof.domain.asking import Effort
from draftproof.domain.document import Document, Requirements
from draftproof.domain.findings import Finding, Verdict
from draftproof.errors import InputError
from draftproof.review.adjudicate import Opinion, weighed
from draftproof.review.ports import Progress
from draftproof.review.prepare import prepare
from draftproof.settings import Settings

SHARES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8)
_BINS = 10
_NEAR = 2


@dataclass(frozen=True, slots=True)
class Figures:
    """
    How verdicts agree with labels.

    Args:
        share:    Weight of the model's word; 0 is the judge alone.
        f1:       Of defect or not.
        mcc:      Matthews correlation of defect or not.
        accuracy: Of the five verdicts.
        critical: Share of the critical defects that are called a defect.
        flawed:   Share of the flawed that are called flawed.
        evidence: Share of verdicts with lines on both sides whose lines meet.
        error:    Expected calibration error of the confidence.

    """

    share: float
    f1: float
    mcc: float
    accuracy: float
    critical: float
    flawed: float
    evidence: float
    error: float


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """
    A model over all cases.

    Args:
        name:    The model, or ``judge alone``.
        rows:    Figures for each share.
        asked:   Checks that it answered.
        seconds: For its answers, over all cases.

    """

    name: str
    rows: tuple[Figures, ...]
    asked: int = 0
    seconds: float = 0.0

    @property
    def best(self) -> Figures:
        """The share with the highest correlation; the smaller of two equal ones."""
        return max(self.rows, key=lambda row: (round(row.mcc, 4), round(row.accuracy, 4), -row.share))


@dataclass(frozen=True, slots=True)
class LabelledCase:
    """
    A design with what a careful reviewer says of it.

    Args:
        folder: Where it stands.
        gold:   Its labels, as ``gold.json`` has them.

    """

    folder: Path
    gold: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def checks(self) -> Mapping[str, Mapping[str, Any]]:
        """The label of each check, by id."""
        checks: Mapping[str, Mapping[str, Any]] = self.gold["checks"]
        return checks

    def read(self) -> tuple[Document, Requirements | None]:
        """Return the design and its requirements, where it has any."""
        needs = self.folder / "requirements.md"
        design, requirements, _ = read_inputs(self.folder / "design.md", needs if needs.is_file() else None)
        return design, requirements


def labelled_cases(folders: Sequence[Path]) -> list[LabelledCase]:
    """
    Return the cases in some folders, or that are these folders, each once.

    Raises:
        InputError: There is none, or the labels of one cannot be read.

    """
    found: dict[Path, LabelledCase] = {}
    for place in folders:
        for path in sorted([*place.glob("gold.json"), *place.glob("*/gold.json")]):
            try:
                gold = json.loads(path.read_text(encoding="utf-8"))
                found[path.parent.resolve()] = LabelledCase(path.parent, {**gold, "checks": dict(gold["checks"])})
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise InputError(f"{path} holds no labels: {error}.", "See benchmarks/README.md.") from error
    if not found:
        raise InputError("There is no labelled case.", "Name folders with design.md and gold.json in them.")
    return list(found.values())


def labelled_lines(label: Mapping[str, Any]) -> set[int]:
    """Return the lines of the design, from 1, that a label points at."""
    found: set[int] = set()
    for entry in label["lines"]:
        first, last = entry if isinstance(entry, list) else (entry, entry)
        found.update(range(first, last + 1))
    return found


def matthews(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Return the Matthews correlation of pairs of what is told and what is labelled; 0 where it is not defined."""
    tp, fp, fn, tn = _counts(pairs)
    spread = sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / spread if spread else 0.0


def _counts(pairs: Sequence[tuple[bool, bool]]) -> tuple[int, int, int, int]:
    tp, fp = sum(told and label for told, label in pairs), sum(told and not label for told, label in pairs)
    fn = sum(label and not told for told, label in pairs)
    return tp, fp, fn, len(pairs) - tp - fp - fn


@dataclass(frozen=True, slots=True)
class _Judged:
    finding: Finding
    opinion: Opinion | None
    gold: Mapping[str, Any]
    design: Any


def evaluate(
    settings: Settings,
    folders: Sequence[Path],
    models: Sequence[str],
    effort: Effort,
    notice: Callable[[str], None],
    progress: Progress,
) -> list[ModelFigures]:
    """
    Return the figures of the judge alone and of each model.

    Args:
        settings: Where things stand.
        folders:  Folders of cases, or cases.
        models:   Files or recorded names.
        effort:   Which checks the models are asked about.
        notice:   Told in one line what is done without.
        progress: Told what is being done.

    Raises:
        InputError: There is no labelled case.
        ModelError: A model cannot be used.

    """
    cases = labelled_cases(folders)
    found: list[ModelFigures] = []
    for name in models:
        reviewer = make_reviewer(replace(settings, model=name), notice, asking=Asking(effort))
        adjudicator = reviewer.adjudicator
        assert adjudicator is not None
        judged: list[_Judged] = []
        seconds, asked = 0.0, 0
        for case in cases:
            design, requirements, _ = reviewer.marked(*case.read())
            material = prepare(design, requirements, reviewer.reference, progress.advance)
            rubric = reviewer.reference.rubric
            findings = reviewer.judge.judge(rubric, material)
            started = time.monotonic()
            result = adjudicator.adjudicate(rubric, findings, material, progress)
            seconds += time.monotonic() - started
            asked += len(result.asked)
            judged += [
                _Judged(finding, result.opinions.get(check_id), case.checks[check_id], design)
                for check_id, finding in findings.items()
            ]
        # The next model may need the memory.
        adjudicator.asker.model.close()
        if not found:
            found.append(ModelFigures("judge alone", (_figures(judged, 0.0, ""),)))
        rows = tuple(_figures(judged, share, name) for share in SHARES[1:])
        found.append(ModelFigures(name, rows, asked, seconds))
    return found


def _figures(judged: Sequence[_Judged], share: float, name: str) -> Figures:
    pairs = []
    for item in judged:
        finding = item.finding
        if share and item.opinion is not None:
            finding = weighed(finding, item.opinion, share, item.design, name)
        pairs.append((finding, item.gold))
    defects = [(f.verdict.is_defect, Verdict(g["verdict"]).is_defect) for f, g in pairs]
    tp, fp, fn, _ = _counts(defects)
    met = [_meets(f, g) for f, g in pairs if _has_lines(f, g)]
    return Figures(
        share=share,
        f1=2 * tp / max(1, 2 * tp + fp + fn),
        mcc=matthews(defects),
        accuracy=_mean([f.verdict.value == g["verdict"] for f, g in pairs]),
        critical=_mean([f.verdict.is_defect for f, g in pairs if g.get("severity") == "critical"]),
        flawed=_mean([f.verdict is Verdict.FLAWED for f, g in pairs if g["verdict"] == "flawed"]),
        evidence=_mean(met),
        error=_calibration([(f.confidence, f.verdict.value == g["verdict"]) for f, g in pairs]),
    )


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def _has_lines(finding: Finding, gold: Mapping[str, Any]) -> bool:
    told = ("met", "partial", "flawed")
    return bool(gold["verdict"] in told and finding.verdict.value in told and gold.get("lines") and finding.evidence)


def _meets(finding: Finding, gold: Mapping[str, Any]) -> bool:
    lines = labelled_lines(gold)
    return any(e.span.first - _NEAR <= line <= e.span.last + _NEAR for e in finding.evidence for line in lines)


def _calibration(pairs: Sequence[tuple[float, bool]]) -> float:
    """Return the mean distance of confidence and correctness over ten bins of confidence."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in pairs:
        bins.setdefault(min(_BINS - 1, int(confidence * _BINS)), []).append((confidence, right))
    gaps = [abs(sum(c for c, _ in part) - sum(r for _, r in part)) for part in bins.values()]
    return sum(gaps) / max(1, len(pairs))
