"""The notes that are shipped: without a fault, enough of them, and one for every check."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from draftproof.knowledge.kafka_names import load_kafka_names
from draftproof.knowledge.loading import load_notes
from draftproof.knowledge.note_form import note_faults
from draftproof.knowledge.shapes import front_matter

ROOT = Path(__file__).resolve().parents[3]
KNOWLEDGE = ROOT / "knowledge"
KAFKA = load_kafka_names((KNOWLEDGE / "kafka-settings.yaml").read_text(encoding="utf-8"), "kafka-settings.yaml")
NOTES = sorted((KNOWLEDGE / "notes").glob("*.md"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in NOTES}
CHECKS = [
    check["id"]
    for path in sorted((KNOWLEDGE / "rubric").glob("*.yaml"))
    for check in yaml.safe_load(path.read_text(encoding="utf-8"))["checks"]
]
ENOUGH = 90
BASH = re.compile(r"^```bash\n(.*?)^```$", re.M | re.S)


@pytest.mark.parametrize("name", TEXTS)
def test_a_note_has_no_fault(name: str):
    assert note_faults(TEXTS[name], f"knowledge/notes/{name}.md", KAFKA) == []


def test_every_note_loads_and_has_the_name_of_its_file():
    notes = load_notes(TEXTS.items(), CHECKS)

    assert sorted(notes) == sorted(TEXTS)
    assert [note.id for note in notes.values() if not note.example] == []


def test_there_are_enough_notes():
    assert len(TEXTS) >= ENOUGH


def test_every_check_is_named_first_by_a_note():
    first = {front_matter(text, name)[0]["checks"][0] for name, text in TEXTS.items()}

    assert sorted(set(CHECKS) - first) == []


def test_no_title_and_no_recommendation_stands_twice():
    for member in ("title", "recommendation"):
        values = [front_matter(text, name)[0][member].strip() for name, text in TEXTS.items()]
        assert sorted({value for value in values if values.count(value) > 1}) == []


def test_no_recommendation_loses_a_word_in_angle_brackets():
    # Markdown takes <topic> for a tag and shows nothing.
    lost = {
        name: re.findall(r"<[a-z][\w -]*>", re.sub(r"`[^`]*`", "", front_matter(text, name)[0]["recommendation"]))
        for name, text in TEXTS.items()
    }

    assert {name: found for name, found in lost.items() if found} == {}


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if BASH.search(text)])
def test_a_shell_script_can_be_read_by_bash(name: str):
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    for script in BASH.findall(TEXTS[name]):
        run = subprocess.run([bash, "-n"], input=script, capture_output=True, text=True, timeout=10, check=False)
        assert (run.returncode, run.stderr) == (0, "")
