"""The server that llama-cpp-python brings, on loopback, with a tiny model of random weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from draftproof.adapters import logprobs, network
from draftproof.adapters.server import ServerLanguageModel, ServerOptions
from draftproof.domain.asking import Question
from draftproof.review.adjudicate import WORDS, AdjudicationAnswer, schema
from draftproof.settings import Settings
from tests.fakes.gguf import tiny
from tests.fakes.llama_cpp_server import llama_cpp_server
from tests.functional.command import BM25, DESIGN, REQUIREMENTS, draftproof

LINES = (3, 4, 12)
QUESTION = Question("You review designs.", "Is the retry bounded?", schema(LINES), 400, "verdict", tuple(WORDS))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("server")
    with llama_cpp_server(tiny(place, "tiny-bpe"), place / "server.log", model_alias="tiny", n_ctx=16384) as address:
        yield address


def test_it_passes_the_probe_and_answers_a_question_in_its_form(url: str) -> None:
    allowed = Settings(data_dir=Path(), engine_url=url).engine_server
    assert allowed is not None
    network.install(frozenset([allowed]))
    try:
        own = ServerLanguageModel(ServerOptions(url, seconds=30.0))
        own.prove()
        answers = own.answer([QUESTION] * 2)
        own.close()
        assert network.sent() == 0
        assert network.refused() == 0
    finally:
        network.uninstall()
    for answer in answers:
        assert not answer.error
        said = AdjudicationAnswer.model_validate_json(answer.text)
        assert said.verdict in WORDS
        assert set(said.lines) <= set(LINES)


def test_the_probabilities_that_it_could_tell_are_read(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A model of random weights would hardly say one of the words by itself.
    monkeypatch.setattr(logprobs, "_LEAST", 0.0)
    with openai.OpenAI(base_url=url, api_key="none") as client:
        response = client.chat.completions.create(
            model="tiny",
            messages=[{"role": "user", "content": QUESTION.text}],
            max_tokens=QUESTION.most,
            temperature=0,
            logprobs=True,
            top_logprobs=20,
            response_format={"type": "json_object", "schema": QUESTION.schema},
        )
    (choice,) = response.choices
    read = logprobs.told_probabilities(choice.logprobs, QUESTION.member, QUESTION.values)
    assert sum(read.values()) == pytest.approx(1.0)
    assert read[json.loads(choice.message.content, strict=False)["verdict"]] > 0


def test_a_review_asks_it(url: str) -> None:
    run = draftproof("review", DESIGN, "--requirements", REQUIREMENTS, *BM25, "--engine-url", url, "--effort", "quick")
    assert run.code == 0, run.err
    assert "Lines of the design were sent to 127.0.0.1" in run.err
    made = json.loads(Path("review.json").read_text(encoding="utf-8"))["provenance"]
    assert made["model"].startswith("tiny at 127.0.0.1")
    # Random weights seldom end a sentence, and servers are not told how long one may be: an
    # answer that is cut off counts as none, which the other test's short form avoids.
    assert made["asked"] or "gave no usable answer" in run.err
    assert made["tokens_read"][made["model"].removesuffix(" (on a server)")] > 500
    assert made["bytes_sent"] == 0
