"""``draftproof models bench`` on one labelled case."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.functional.command import ROOT, draftproof

CASE = ROOT / "benchmarks" / "cases" / "campus-parking"


def test_a_model_is_measured_at_several_shares(folder: Path) -> None:
    shutil.copytree(CASE, folder / "cases" / "one")
    gold = json.loads((CASE / "gold.json").read_text(encoding="utf-8"))["checks"]
    script = [{"when": ".", "answer": {"rationale": "No line says it.", "lines": [], "verdict": "absent"}}]
    (folder / "script.json").write_text(json.dumps(script), encoding="utf-8")
    run = draftproof("models", "bench", "cases", "--model", "script.json")
    assert run.code == 0, run.err
    rows = [line.split("|")[1:-1] for line in run.out.splitlines() if line.startswith("| ")][1:]
    assert [row[0].strip() for row in rows] == ["judge alone", *["script.json"] * 6]
    assert sum("(best)" in row[1] for row in rows) == 1
    assert all(0 <= float(cell) <= 1 for row in rows for cell in row[4:9])
    assert len(gold) == 72


def test_no_case_and_no_model_are_one_sentence(folder: Path) -> None:
    (folder / "script.json").write_text("[]", encoding="utf-8")
    run = draftproof("models", "bench", "nowhere", "--model", "script.json")
    assert run.code == 2
    assert "There is no labelled case" in run.err
    assert "No model is recorded" in draftproof("models", "bench", "nowhere").err
