"""A review with a language model: a tiny one with random weights, and one that answers from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from draftproof.domain.findings import Verdict
from tests.fakes.gguf import tiny
from tests.fakes.server import obedient, serving
from tests.functional.command import BM25, DESIGN, REQUIREMENTS, draftproof
from tests.functional.conftest import Reviewed

REVIEW = ("review", DESIGN, "--requirements", REQUIREMENTS, *BM25)
DEMONSTRATION = Path(__file__).resolve().parents[2] / "examples" / "model-script.json"


def written() -> dict[str, object]:
    data = json.loads(Path("review.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("models"), "tiny-bpe")


def test_the_report_says_what_the_model_was_asked_and_every_quotation_still_stands(model: Path) -> None:
    run = draftproof(*REVIEW, "--model", model, "--effort", "quick")
    assert run.code == 0, run.err
    made = written()["provenance"]
    assert made["model"].startswith("tiny-bpe (")
    assert made["prompts"].startswith("sha256:")
    assert made["tokens_written"]["tiny-bpe"] > 0
    assert made["bytes_sent"] == 0
    assert "model tiny-bpe" in Path("tech-design-review.md").read_text(encoding="utf-8")


def test_a_scripted_model_turns_an_unsure_verdict_and_not_a_fact(example: Reviewed) -> None:
    before = {check["id"]: check for check in example.data["checks"]}
    open_ = [
        check
        for check in before.values()
        if check["confidence"] < 0.5
        # Opinions are pooled geometrically: what the judge all but rules out stays so.
        and check["probabilities"]["missing"] >= 0.01
        and not any(basis["source"] == "fact" for basis in check["basis"])
    ]
    assert open_
    script = Path("script.json")
    body = {"rationale": "No line says it.", "lines": [], "verdict": "absent"}
    script.write_text(json.dumps([{"when": ".", "answer": body, "probabilities": {"absent": 1.0}}]), encoding="utf-8")
    run = draftproof(*REVIEW, "--model", script, "--effort", "thorough")
    assert run.code == 0, run.err
    after = {check["id"]: check for check in written()["checks"]}
    assert {after[c["id"]]["verdict"] for c in open_} == {Verdict.MISSING.value}
    for check in before.values():
        if any(basis["source"] == "fact" for basis in check["basis"]):
            assert after[check["id"]]["verdict"] == check["verdict"]


def test_the_demonstration_runs() -> None:
    run = draftproof(*REVIEW, "--model", DEMONSTRATION)
    assert run.code == 0, run.err
    data = written()
    assert data["provenance"]["asked"]
    assert data["paragraphs"]["Review Summary"]
    assert "fell away" not in run.err
    assert any(check["written"]["alternative"] for check in data["checks"])


def test_a_time_budget_that_is_over_leaves_a_whole_report(model: Path) -> None:
    run = draftproof(*REVIEW, "--model", model, "--effort", "thorough", "--time-budget", "0.01s")
    assert run.code == 0, run.err
    assert "The time was over before the language model was asked about" in run.err
    assert len(written()["checks"]) == 72


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--model", "none.gguf"), "none.gguf does not exist"),
        (("--model", str(DESIGN)), "llama.cpp cannot load"),
        (("--model", "none.json"), "cannot be read"),
        (("--time-budget", "soon"), "Write it as 90s, 10m or 1h"),
        (("--chat-template", "none.jinja", "--model", "x.gguf"), "none.jinja cannot be read"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_nothing_is_written(options: tuple[str, ...], message: str) -> None:
    run = draftproof(*REVIEW, *options)
    assert run.code == 2
    assert message in run.err
    assert len(run.err.strip().splitlines()) == 1
    assert not Path("review.json").exists()


def test_a_model_without_a_template_is_refused(tmp_path: Path) -> None:
    run = draftproof(*REVIEW, "--model", tiny(tmp_path, "tiny-untemplated"))
    assert run.code == 2
    assert "holds no chat template" in run.err


def test_a_users_own_prompt_comes_first_and_a_faulty_one_is_named(model: Path) -> None:
    place = Path("knowledge") / "prompts"
    place.mkdir(parents=True)
    (place / "adjudicate.j2").write_text(
        "---\nvariables: [nonsense]\nmost: 9\n---\n=== system ===\na\n=== user ===\nb\n"
    )
    run = draftproof(*REVIEW, "--model", model)
    assert run.code == 2
    assert "there is no variable nonsense" in run.err


def test_a_server_is_asked_and_the_report_says_where_lines_went() -> None:
    with serving(obedient) as (url, server):
        run = draftproof(*REVIEW, "--engine-url", url, "--effort", "quick")
    assert run.code == 0, run.err
    assert "Lines of the design were sent to 127.0.0.1" in run.err
    made = written()["provenance"]
    assert made["model"].startswith("scripted at 127.0.0.1")
    assert made["asked"]
    assert len(server.asked) >= len(made["asked"])


def test_a_server_that_does_not_constrain_is_refused() -> None:
    with serving(lambda _: "all is well") as (url, _):
        run = draftproof(*REVIEW, "--engine-url", url)
    assert run.code == 2
    assert "ignores the schema" in run.err
    assert not Path("review.json").exists()


def test_another_host_than_the_one_named_stays_out_of_reach() -> None:
    run = draftproof(*REVIEW, "--engine-url", "ftp://somewhere/v1")
    assert run.code == 2
    assert "engine_url is an address" in run.err
