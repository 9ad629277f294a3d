"""The other commands, their help and their exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from draftproof import __version__
from draftproof.cli.review import ORIGINAL_NAME
from tests.functional.command import BM25, DESIGN, ROOT, draftproof, process
from tests.functional.conftest import Reviewed

COMMANDS = ("review", ORIGINAL_NAME, "explain", "cost", "schema", "setup", "models", "doctor")
HEAVY = ("llama_cpp", "chromadb", "outlines", "torch", "sentence_transformers", "transformers", "bm25s", "numpy")


def test_version_is_printed():
    run = draftproof("--version")

    assert (run.code, run.out) == (0, f"draftproof {__version__}\n")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_explains_the_command(command: str):
    run = draftproof(*command.split(), "--help")

    assert run.code == 0
    assert "Usage: draftproof" in run.out
    assert run.err == ""


def test_the_command_alone_prints_its_help():
    run = draftproof()

    assert "Usage: draftproof" in run.out + run.err
    assert all(command in run.out + run.err for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("review", "Missing argument"),
        ("review design.md --nonsense", "No such option: --nonsense"),
        ("review design.md --fail-on sometimes", "'sometimes'"),
        ("review design.md --threads many", "'--threads'"),
        ("review a.md b.md", "a.md"),
        ("nonsense", "No such command 'nonsense'"),
        (ORIGINAL_NAME, "Missing argument"),
        ("cost everything", "everything"),
    ],
)
def test_a_wrong_command_line_is_told_with_exit_code_2(arguments: str, says: str):
    run = draftproof(*arguments.split())

    assert run.code == 2
    assert says in run.err
    assert "bug" not in run.err
    assert run.out == ""


def test_a_setting_without_sense_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DRAFTPROOF_THREADS", "-3")
    run = draftproof("review", DESIGN)

    assert run.code == 2
    assert "DRAFTPROOF_THREADS: threads is between 0 and 512, not -3." in run.err


def test_cost_prints_what_the_last_run_cost(example: Reviewed):
    run = draftproof("cost", "--data-dir", example.data_dir)

    assert run.code == 0
    assert "Judging 72 checks" in run.out
    assert "         0 bytes   sent off the machine" in run.out
    assert "         0         connections refused" in run.out


def test_cost_keeps_no_word_of_the_documents(example: Reviewed):
    record = json.loads((example.data_dir / "last-run.json").read_text(encoding="utf-8"))

    assert set(record) == {"seconds", "tokens_read", "tokens_written", "bytes_sent", "connections_refused"}


def test_cost_before_any_run_says_what_to_do(folder: Path):
    run = draftproof("cost", "--data-dir", folder / "nowhere")

    assert run.code == 2
    assert run.err == "draftproof: No run is recorded yet. Run `draftproof review` first.\n"


@pytest.mark.parametrize("record", ["{", "[]", '{"seconds": 1}'])
def test_cost_of_a_damaged_record_is_one_sentence(folder: Path, record: str):
    (folder / "last-run.json").write_text(record, encoding="utf-8")
    run = draftproof("cost", "--data-dir", folder)

    assert run.code == 2
    assert "last-run.json cannot be read" in run.err


def test_explain_alone_prints_the_scoring_rule():
    run = draftproof("explain")

    assert run.code == 0
    assert run.out.rstrip() == (ROOT / "knowledge" / "scoring.yaml").read_text(encoding="utf-8").rstrip()


def test_explain_lists_every_point_that_a_review_lost(example: Reviewed):
    run = draftproof("explain", example.json_path)
    lost = [loss["check"] for score in example.data["scores"] for loss in score["lost"]]

    assert run.code == 0
    assert run.out.startswith(f"{example.data['title']}: {example.data['overall_assessment']}")
    assert all(f"\n{score['name']}: {score['value']:g}/10\n" in run.out for score in example.data["scores"])
    assert len([line for line in run.out.split("\n") if line.startswith("  -")]) == len(lost)


def test_the_points_lost_are_the_points_missing_from_ten(example: Reviewed):
    for score in example.data["scores"]:
        assert 10 - score["value"] == pytest.approx(sum(loss["points"] for loss in score["lost"]), abs=0.06)


def test_explain_tells_what_a_check_looks_for():
    run = draftproof("explain", "--check", "evt.dlq")

    assert run.code == 0
    assert run.out.startswith("evt.dlq: ")
    assert "Looked for:" in run.out
    assert "Verdict:" not in run.out


def test_explain_tells_the_grounds_of_a_verdict(example: Reviewed):
    run = draftproof("explain", example.json_path, "--check", "evt.dlq")
    found = next(check for check in example.data["checks"] if check["id"] == "evt.dlq")

    assert run.code == 0
    assert f"Verdict: {found['verdict']}, confidence {found['confidence']:.2f}." in run.out
    assert all(f"  {basis['source']}: {basis['statement']}" in run.out for basis in found["basis"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--check evt.nothing", "The rubric has no check evt.nothing."),
        ("nothing.json", "nothing.json does not exist."),
        ("other.json", "other.json is not a review.json of this version."),
        (".", ". is not a review.json of this version."),
    ],
)
def test_explain_refuses_what_it_does_not_know(folder: Path, arguments: str, says: str):
    (folder / "other.json").write_text('{"schema_version": 1}', encoding="utf-8")
    run = draftproof("explain", *arguments.split())

    assert run.code == 2
    assert says in run.err


def test_the_schema_is_json_and_of_the_draft_it_names():
    run = draftproof("schema")

    assert run.code == 0
    assert json.loads(run.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--weights empty", "The embedding model in empty cannot be read"),
        ("--quantization Q4", "There is no quantization Q4. Choose Q8_0 or F16."),
    ],
)
def test_setup_refuses_weights_that_it_cannot_use(folder: Path, arguments: str, says: str):
    (folder / "empty").mkdir()
    run = draftproof("setup", "--data-dir", folder / "data", *arguments.split())

    assert run.code == 2
    assert says in run.err


def test_help_loads_no_heavy_library():
    code = (
        "import sys\nfrom draftproof.cli.main import main\n"
        f"for command in {COMMANDS!r}: main([command, '--help'])\n"
        f"main(['--help'])\nprint('loaded', sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    run = process([sys.executable, "-c", code])

    assert run.out.rstrip().endswith("loaded []")


def test_a_bug_is_told_with_a_log_that_has_no_word_of_the_document(
    folder: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> None:
        raise ValueError("it is broken")

    monkeypatch.setattr("draftproof.render.markdown.to_markdown", fail)
    (folder / "design.md").write_text("# Secret\n\nThe xylophone service owns its tables.\n", encoding="utf-8")
    run = draftproof("review", "design.md", *BM25)
    log = (own_home / "draftproof" / "last-error.log").read_text(encoding="utf-8")

    assert run.code == 3
    assert "a bug in Draftproof, ValueError: it is broken" in run.err
    assert "ValueError" in log
    assert "xylophone" not in log
    assert not (folder / "tech-design-review.md").exists()
