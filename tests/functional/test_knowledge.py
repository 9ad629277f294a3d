"""Looking into the knowledge base, adding to it, and correcting a verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.functional.command import DESIGN, REQUIREMENTS, draftproof

NOTE = """---
id: {name}
title: Name the house queue after its owner
checks: [{check}]
technologies: [kafka]
versions: all
sources:
  - {{title: House rules, version: "3"}}
reviewed: 2026-11-24
recommendation: Name each parking topic after the team that empties it, with the prefix pk.
---
## Practice
Somebody has to feel responsible. The name says who.

## How
The prefix stands in front.

```yaml
topic: pk.billing.invoice.v1
```

## Prevents
Messages that nobody looks at.

## When it does not apply
Where one team owns everything.

## Ask
- Who empties it?
"""


def own_note(place: Path, name: str = "house-queue-names", check: str = "evt.dlq", text: str = NOTE) -> Path:
    path = place / f"{name}.md"
    path.write_text(text.format(name=name, check=check), encoding="utf-8")
    return path


def test_list_names_every_note_and_can_be_narrowed_to_a_check():
    everything = draftproof("knowledge", "list")
    narrowed = draftproof("knowledge", "list", "--check", "evt.dlq")

    assert everything.code == narrowed.code == 0
    assert len(everything.out.splitlines()) > 90
    assert 0 < len(narrowed.out.splitlines()) < 10
    assert all("evt.dlq" in line for line in narrowed.out.splitlines())


def test_list_of_an_unknown_check_is_refused():
    run = draftproof("knowledge", "list", "--check", "evt.nothing")

    assert run.code == 2
    assert "The rubric has no check evt.nothing." in run.err


def test_show_prints_a_note_with_its_sources():
    run = draftproof("knowledge", "show", "kafka-dead-letter-topic")

    assert run.code == 0
    assert run.out.startswith("# ")
    assert "## Prevents" in run.out
    assert "After aiokafka documentation" in run.out


def test_show_of_an_unknown_note_says_how_to_find_one():
    run = draftproof("knowledge", "show", "nothing-of-the-kind")

    assert run.code == 2
    assert "knowledge search" in run.err


def test_search_without_an_embedder_goes_by_words_and_says_so():
    run = draftproof("knowledge", "search", "dead letter topic", "-n", "3")

    assert run.code == 0
    assert "dead-letter" in run.out.splitlines()[0]
    assert len(run.out.splitlines()) == 3
    assert "by their words alone" in run.err


def test_search_with_the_embedder_finds_a_note_by_its_meaning(data_dir_with_embedder: Path):
    words = "messages that can never be parsed must not block the others"
    run = draftproof("knowledge", "search", words, "-n", "5", "--data-dir", data_dir_with_embedder)

    assert run.code == 0, run.err
    assert "dead-letter" in run.out


def test_added_note_is_listed_as_own_and_found(tmp_path: Path):
    added = draftproof("knowledge", "add", own_note(tmp_path), "--data-dir", tmp_path / "data")
    listed = draftproof("knowledge", "list", "--check", "evt.dlq", "--data-dir", tmp_path / "data")

    assert added.code == 0, added.err
    assert any(line.startswith("* house-queue-names") for line in listed.out.splitlines())


def test_added_note_is_not_replaced_without_force(tmp_path: Path):
    note, data = own_note(tmp_path), tmp_path / "data"
    draftproof("knowledge", "add", note, "--data-dir", data)
    again = draftproof("knowledge", "add", note, "--data-dir", data)
    forced = draftproof("knowledge", "add", note, "--force", "--data-dir", data)

    assert again.code == 2
    assert "is there already" in again.err
    assert forced.code == 0


def test_own_note_overrides_ours_by_id_and_is_cited(tmp_path: Path):
    data = tmp_path / "data"
    text = NOTE.replace("Name each parking topic", "Quarantine belongs to its team, so name each parking topic")
    note = own_note(tmp_path, "kafka-dead-letter-topic", text=text)
    draftproof("knowledge", "add", note, "--data-dir", data)
    shown = draftproof("knowledge", "show", "kafka-dead-letter-topic", "--data-dir", data)

    assert "Quarantine belongs to its team" in shown.out


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (NOTE.replace("check}]", "check}, evt.nothing]"), "no check evt.nothing"),
        (NOTE.replace('sources:\n  - {{title: House rules, version: "3"}}', "sources: []"), "sources"),
        (NOTE.replace("topic: pk", "topic: [pk"), "not YAML"),
        (NOTE.replace("## Prevents\nMessages that nobody looks at.\n\n", ""), "Prevents"),
        ("no front matter", "front matter"),
    ],
    ids=["unknown check", "no source", "example", "heading", "front matter"],
)
def test_faulty_note_is_named_with_its_file_and_not_added(tmp_path: Path, broken: str, fault: str):
    note = own_note(tmp_path, text=broken)
    checked = draftproof("knowledge", "check", note)
    added = draftproof("knowledge", "add", note, "--data-dir", tmp_path / "data")

    assert checked.code == 1
    assert f"{note}" in checked.out
    assert fault in checked.out
    assert added.code == 2
    assert not (tmp_path / "data" / "knowledge").exists()


def test_check_names_the_line_of_a_faulty_and_of_a_repeated_exemplar(tmp_path: Path):
    line = json.dumps({"check": "evt.dlq", "label": "met", "text": "Poison goes to pk.orders.", "why": "a place"})
    path = tmp_path / "own.jsonl"
    path.write_text(f"{line}\nnot json\n{line}\n" + line.replace("met", "splendid") + "\n", encoding="utf-8")
    run = draftproof("knowledge", "check", path)

    assert run.code == 1
    assert f"{path}:2: not a line of JSON." in run.out
    assert f"{path}:3: the same passage stands at {path}:1." in run.out
    assert f"{path}:4:" in run.out


def test_check_finds_no_fault_in_what_we_ship():
    run = draftproof("knowledge", "check", "--all")

    assert run.code == 0, run.out
    assert "0 faults" in run.out


def test_taught_verdict_holds_in_the_next_review(data_dir_with_embedder: Path):
    options = ("--requirements", REQUIREMENTS, "--data-dir", data_dir_with_embedder)
    draftproof("review", DESIGN, *options)
    before = json.loads(Path("review.json").read_text(encoding="utf-8"))
    taught = draftproof(
        "learn", "review.json", "--check", "evt.topics", "--verdict", "flawed",
        "--reason", "Names without the owning team were refused by the platform board.",
        "--data-dir", data_dir_with_embedder,
    )  # fmt: skip
    draftproof("review", DESIGN, *options)
    after = json.loads(Path("review.json").read_text(encoding="utf-8"))

    assert taught.code == 0, taught.err
    verdicts = [{c["id"]: c for c in data["checks"]} for data in (before, after)]
    assert verdicts[0]["evt.topics"]["verdict"] == "met"
    assert verdicts[1]["evt.topics"]["verdict"] == "flawed"
    assert verdicts[1]["evt.topics"]["comment"] == "Names without the owning team were refused by the platform board."
    assert "your own exemplar" in verdicts[1]["evt.topics"]["basis"][0]["statement"]


def test_learn_refuses_a_design_that_has_changed_since(tmp_path: Path):
    design = tmp_path / "design.md"
    design.write_text("# Design\n\nPoison goes to the topic orders.dlq, which billing empties.\n", encoding="utf-8")
    draftproof("review", design, "--embedder", "none")
    design.write_text("# Design\n\nOther words.\n", encoding="utf-8")
    run = draftproof("learn", "review.json", "--check", "evt.dlq", "--verdict", "met", "--reason", "it is there")

    assert run.code == 2
    assert "has changed since the review" in run.err


def test_learn_refuses_what_it_cannot_use(tmp_path: Path):
    design = tmp_path / "design.md"
    design.write_text("# Design\n\nPoison goes to the topic orders.dlq, which billing empties.\n", encoding="utf-8")
    draftproof("review", design, "--embedder", "none")
    unknown = draftproof("learn", "review.json", "--check", "evt.x", "--verdict", "met", "--reason", "r")
    lines = draftproof(
        "learn", "review.json", "--check", "evt.dlq", "--verdict", "met", "--reason", "r", "--lines", "a-b"
    )
    empty = draftproof("learn", "review.json", "--check", "evt.dlq", "--verdict", "met", "--reason", " ")
    far = draftproof("learn", "review.json", "--check", "evt.dlq", "--verdict", "met", "--reason", "r", "--lines", "90")

    assert [run.code for run in (unknown, lines, empty, far)] == [2, 2, 2, 2]
    assert "no check evt.x" in unknown.err
    assert "a-b is no span of lines" in lines.err
    assert "A reason is missing" in empty.err
    assert "No passage" in far.err
