"""A server of the team's own: asked with the same schemas, trusted only after a probe."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from draftproof.adapters.server import ServerLanguageModel, ServerOptions
from draftproof.domain.asking import Question
from draftproof.errors import ModelError
from tests.fakes.server import Behaviour, completion, obedient, schema_of, serving, slow

SCHEMA = {
    "type": "object",
    "properties": {
        "rationale": {"type": "string", "minLength": 10, "maxLength": 220},
        "lines": {"type": "array", "items": {"enum": [3, 4]}, "maxItems": 4},
        "verdict": {"enum": ["met", "absent"]},
    },
    "required": ["rationale", "lines", "verdict"],
    "additionalProperties": False,
}
QUESTION = Question("Be brief.", "Is it so?", SCHEMA, 50, "verdict", ("met", "absent"))


def model(url: str, seconds: float = 5.0) -> ServerLanguageModel:
    return ServerLanguageModel(ServerOptions(url, seconds=seconds))


def test_a_server_that_constrains_is_trusted_and_asked_with_the_schema() -> None:
    with serving(obedient) as (url, server):
        own = model(url)
        own.prove()
        answers = own.answer([QUESTION] * 5)
        assert own.name.startswith("scripted at 127.0.0.1:")
    assert [json.loads(answer.text)["verdict"] for answer in answers] == ["met"] * 5
    body = server.asked[-1]
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["max_tokens"], body["temperature"]) == (50, 0)
    assert schema_of(body)["properties"]["verdict"] == {"enum": ["met", "absent"]}
    assert "maxLength" not in json.dumps(body)


@pytest.mark.parametrize(
    "behaviour",
    [lambda _: "Paris", lambda _: '{"word": "Paris"}', lambda _: "", lambda _: '```json\n{"word": "x"}\n```'],
)
def test_a_server_that_ignores_the_schema_is_refused_before_any_line_is_sent(behaviour: Behaviour) -> None:
    with serving(behaviour) as (url, server):
        own = model(url)
        with pytest.raises(ModelError, match="ignores the schema"):
            own.prove()
    assert all("Be brief" not in json.dumps(body) for body in server.asked)


@pytest.mark.parametrize("refusal", ["Paris", '{"word": "Paris"}', 400, 422, 500])
def test_a_server_that_knows_the_other_form_of_a_schema_is_asked_in_it(refusal: str | int) -> None:
    def behaviour(body: dict[str, Any]) -> str | int:
        return obedient(body) if body["response_format"]["type"] == "json_object" else refusal

    with serving(behaviour) as (url, server):
        own = model(url)
        own.prove()
        proven = len(server.asked)
        (answer,) = own.answer([QUESTION])
    assert not answer.error
    assert len(server.asked) == proven + 1
    assert "logprobs" not in server.asked[-1]
    assert schema_of(server.asked[-1])["properties"]["verdict"] == {"enum": ["met", "absent"]}


def test_a_server_that_fails_in_the_probe_is_told_with_its_reason() -> None:
    with serving(lambda _: 400) as (url, _), pytest.raises(ModelError, match="does not answer: Error code: 400"):
        model(url).prove()


def test_a_server_that_hangs_up_in_the_probe_is_asked_once() -> None:
    with serving(lambda _: None) as (url, server):
        with pytest.raises(ModelError, match="does not answer"):
            model(url).prove()
        assert {body["response_format"]["type"] for body in server.asked} == {"json_schema"}


def test_bare_control_characters_in_a_string_are_mended() -> None:
    with serving(lambda _: '{"rationale": "two\nlines", "lines": [], "verdict": "met"}') as (url, _):
        (answer,) = model(url).answer([QUESTION])
    assert json.loads(answer.text)["rationale"] == "two\nlines"


def told(text: str, alternatives: dict[str, float]) -> dict[str, Any]:
    """Return what a server tells of an answer whose verdict is one token; the others have no alternatives."""
    before, _, after = text.rpartition('"absent"')
    tokens = [(before, {before: 1.0}), ('"absent"', alternatives), (after, {after: 1.0})]
    return {"content": [spoken(token, others) for token, others in tokens]}


def spoken(token: str, alternatives: dict[str, float]) -> dict[str, Any]:
    top = [{"token": other, "logprob": math.log(p), "bytes": None} for other, p in alternatives.items()]
    return {
        "token": token,
        "logprob": math.log(alternatives[token]),
        "bytes": list(token.encode()),
        "top_logprobs": top,
    }


ABSENT = '{"rationale": "It stands nowhere.", "lines": [], "verdict": "absent"}'


def test_probabilities_are_asked_for_and_read_where_a_member_is_to_be_weighed() -> None:
    with serving(lambda _: completion(ABSENT, told(ABSENT, {'"absent"': 0.6, '"met"': 0.2, '"no"': 0.2}))) as (
        url,
        server,
    ):
        weighed, plain = model(url).answer([QUESTION, replace(QUESTION, member="", values=())])
    assert weighed.probabilities == pytest.approx({"met": 0.25, "absent": 0.75})
    assert plain.probabilities == {}
    asked = {bool(body.get("logprobs")): body for body in server.asked}
    assert asked[True]["top_logprobs"] == 20
    assert "top_logprobs" not in asked[False]


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_that_refuses_to_tell_probabilities_is_asked_without_them_from_then_on(status: int) -> None:
    with serving(lambda body: status if "logprobs" in body else obedient(body)) as (url, server):
        own = model(url)
        own.prove()
        proven = len(server.asked)
        answers = own.answer([QUESTION] * 3)
    assert [(answer.error, dict(answer.probabilities)) for answer in answers] == [("", {})] * 3
    assert len(server.asked) == proven + 3
    assert server.asked[-1]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    "logprobs",
    [
        "none",
        17,
        [],
        {},
        {"content": None},
        {"content": "all"},
        {"content": [1, None, "x"]},
        {"content": [{"token": 5, "logprob": "high"}]},
        {"content": [{"token": ABSENT, "logprob": -0.1, "top_logprobs": "many"}]},
        {"content": [{"token": ABSENT, "logprob": -0.1, "bytes": [999], "top_logprobs": []}]},
    ],
)
def test_nonsense_in_place_of_probabilities_leaves_the_answer_without_them(logprobs: Any) -> None:
    with serving(lambda _: completion(ABSENT, logprobs)) as (url, _):
        (answer,) = model(url).answer([QUESTION])
    assert not answer.error
    assert json.loads(answer.text)["verdict"] == "absent"
    assert answer.probabilities == {}


@pytest.mark.parametrize(
    "body", [{}, {"choices": None}, {"choices": []}, {"choices": "x"}, {"choices": ["x"]}, {"choices": [{}]}]
)
def test_what_is_no_answer_is_an_error(body: dict[str, Any]) -> None:
    with serving(lambda _: body) as (url, _):
        (answer,) = model(url).answer([QUESTION])
    assert answer.error == "what the server sent is no answer"


def test_an_answer_that_breaks_off_is_an_error_of_its_own() -> None:
    def breaks(body: dict[str, Any]) -> str | int | None:
        return None if "third" in body["messages"][1]["content"] else obedient(body)

    questions = [QUESTION, QUESTION, Question("s", "the third", SCHEMA, 50)]
    with serving(breaks) as (url, _):
        first, second, third = model(url).answer(questions)
    assert not first.error
    assert not second.error
    assert third.error
    assert not third.text


def test_an_error_of_the_server_is_tried_again_and_then_told() -> None:
    with serving(lambda _: 500) as (url, server):
        (answer,) = model(url).answer([QUESTION])
    assert answer.error
    assert len(server.asked) == 3


def test_a_short_failure_is_got_over() -> None:
    failures = iter([503])
    with serving(lambda body: next(failures, None) or obedient(body)) as (url, _):
        (answer,) = model(url).answer([QUESTION])
    assert not answer.error


def test_a_server_that_is_too_slow_is_an_error() -> None:
    with serving(slow(3.0)) as (url, _):
        (answer,) = model(url, seconds=0.2).answer([QUESTION])
    assert answer.error


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:9 cannot be reached"):
        model("http://127.0.0.1:9/v1", seconds=1.0)
