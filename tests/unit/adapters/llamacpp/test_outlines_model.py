"""The decoder is asked by outlines like any other model."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Literal

import outlines
import pytest
from outlines.inputs import Chat
from pydantic import BaseModel

from draftproof.adapters.llamacpp.decoder import Decoder
from draftproof.adapters.llamacpp.engine import LlamaCppEngine
from draftproof.adapters.llamacpp.grammar import Grammars
from draftproof.adapters.llamacpp.outlines_model import DecoderModel, grammar_of
from draftproof.adapters.llamacpp.template import ChatTemplate
from draftproof.errors import ModelError


class Opinion(BaseModel):
    verdict: Literal["met", "partial"]
    sure: bool


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@pytest.fixture
def model(engine: Callable[..., LlamaCppEngine]) -> DecoderModel:
    own = engine("tiny-bpe")
    return DecoderModel(Decoder(own, Grammars(own)), ChatTemplate(own))


def test_a_pydantic_model_is_an_output_type(model: DecoderModel) -> None:
    Opinion.model_validate_json(outlines.Generator(model, Opinion)("Is it so?"))


def test_other_types_of_outlines_work(model: DecoderModel) -> None:
    assert outlines.Generator(model, Literal["yes", "no"])("?") in ("yes", "no")
    assert outlines.Generator(model, Colour)("?") in ("red", "blue")
    assert outlines.Generator(model, outlines.types.Regex("[ab]{3}"))("?").strip("ab") == ""


def test_a_batch_gives_what_single_calls_give(model: DecoderModel) -> None:
    ask = outlines.Generator(model, Opinion)
    questions = ["one", "two", Chat([{"role": "system", "content": "s"}, {"role": "user", "content": "three"}])]
    assert ask.batch(questions) == [ask(question) for question in questions]


def test_each_answer_of_a_batch_may_have_a_type_of_its_own(model: DecoderModel) -> None:
    first, second = outlines.Generator(model, None).batch(["a", "b"], output_types=[Opinion, Literal["x"]])
    Opinion.model_validate_json(first)
    assert second == "x"


def test_a_stream_gives_whole_characters_and_the_same_answer(model: DecoderModel) -> None:
    ask = outlines.Generator(model, outlines.types.JsonSchema('{"const": "naïve € 漢"}'))
    assert "".join(ask.stream("?")) == ask("?") == '"naïve € 漢"'


def test_free_text_is_refused(model: DecoderModel) -> None:
    with pytest.raises(ModelError, match="cannot be constrained"):
        outlines.Generator(model, None)("say something")


def test_what_cannot_be_completed_is_an_error(model: DecoderModel) -> None:
    with pytest.raises(ModelError, match="not complete"):
        outlines.Generator(model, outlines.types.Regex("a{50}b{50}c{50}|[xyz]{200}"))("?", max_tokens=10)


def test_a_stream_that_fails_raises_at_its_reader(model: DecoderModel) -> None:
    with pytest.raises(ModelError, match="not complete"):
        list(outlines.Generator(model, outlines.types.Regex("[xyz]{200}")).stream("?", max_tokens=10))


def test_objects_are_closed_where_a_schema_leaves_it_open() -> None:
    assert "additionalProperties" in grammar_of(Opinion)
