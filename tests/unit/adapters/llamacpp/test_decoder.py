"""The decoder: every answer follows its grammar, prompts are read once, batches change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from draftproof.adapters.llamacpp.decoder import Decoded, Decoder, Prompted
from draftproof.adapters.llamacpp.engine import EngineOptions, LlamaCppEngine, Token, filled
from draftproof.adapters.llamacpp.grammar import Grammars
from draftproof.adapters.llamacpp.prefixes import chunk_sizes, common_length, shared_depths
from draftproof.errors import ModelError
from tests.fakes.gguf import MODELS, STATEFUL, STATELESS, quantized, tiny
from tests.fakes.tools import tool

Engine = Callable[..., LlamaCppEngine]
VERDICTS = ("met", "partial", "absent", "flawed", "not_applicable")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "rationale": {"type": "string", "maxLength": 40},
        "lines": {"type": "array", "items": {"enum": [3, 4, 17]}, "maxItems": 3},
        "verdict": {"enum": list(VERDICTS)},
    },
    "required": ["rationale", "lines", "verdict"],
    "additionalProperties": False,
}


def decoder(engine: LlamaCppEngine, **options: Any) -> Decoder:
    return Decoder(engine, Grammars(engine), **options)


def prompts(engine: LlamaCppEngine, count: int = 9, most: int = 200) -> list[Prompted]:
    """Questions over three sections of one document: instructions, section and question shared in a tree."""
    base = engine.tokens("The design says that the topic is keyed by order id and retries are bounded. " * 3)
    grammar = Grammars.of_schema(SCHEMA)
    found = []
    for number in range(count):
        section = engine.tokens(f"Section {number // 3}: the data event service value café ≥ 3. ")
        tokens = (*base, *section, *engine.tokens(f"question {number}: which verdict?"))
        found.append(Prompted(tokens, grammar, most, "verdict", VERDICTS))
    return found


def answers(engine: LlamaCppEngine, asked: list[Prompted]) -> list[Decoded]:
    found = decoder(engine).decode(asked)
    assert None not in found
    return [answer for answer in found if answer is not None]


@pytest.mark.parametrize("name", MODELS)
def test_every_answer_follows_its_schema(engine: Engine, name: str) -> None:
    model = engine(name)
    for answer in answers(model, prompts(model)):
        assert not answer.error
        jsonschema.validate(json.loads(answer.text), SCHEMA)


@pytest.mark.parametrize("name", MODELS)
def test_one_at_a_time_and_together_give_the_same_bytes_and_probabilities(engine: Engine, name: str) -> None:
    alone, together = engine(name, parallel=1), engine(name, parallel=8)
    assert answers(alone, prompts(alone)) == answers(together, prompts(together))


def jointed(engine: LlamaCppEngine, count: int) -> list[Prompted]:
    """Questions with a joint behind what all share and one behind a section, each piece longer than a tile."""
    base = engine.tokens("The design says that the topic is keyed by order id and retries are bounded. " * 6)
    grammar = Grammars.of_schema(SCHEMA)
    found = []
    for number in range(count):
        section = engine.tokens(f"Section {number // 4}: the data event service value café. " * (9 + number // 4))
        question = engine.tokens(f"question {number}: which verdict is it? " * (4 + number))
        joints = (len(base), len(base) + len(section))
        found.append(Prompted((*base, *section, *question), grammar, 200, "verdict", VERDICTS, joints))
    return found


@pytest.mark.parametrize("architecture", ["qwen2", "gemma3"])
def test_an_answer_is_the_same_to_the_bit_whatever_else_is_asked_and_whatever_was_kept(
    models: Path, architecture: str
) -> None:
    path = quantized(models, architecture)
    with LlamaCppEngine(path, EngineOptions(window=8192, parallel=3, threads=1)) as model:
        asked = jointed(model, 8)
        several = decoder(model)
        whole = several.decode(asked)
        again = several.decode(asked[1:4])
        alone = [decoder(model).decode([prompt])[0] for prompt in asked[:3]]
    assert again == whole[1:4]
    assert alone == whole[:3]


@pytest.mark.parametrize("count", [1, 63, 64, 255, 256, 257, 300, 513, 1000])
def test_pieces_are_cut_at_whole_tiles(count: int) -> None:
    sizes = chunk_sizes(count, 256)
    assert sum(sizes) == count
    assert max(sizes) <= 256
    assert all(size % 64 == 0 for size in sizes[:-1])
    assert chunk_sizes(0, 256) == []


@pytest.mark.parametrize("architecture", ["qwen2", "gemma3"])
def test_a_quantized_model_gives_the_same_in_any_batch(models: Path, architecture: str) -> None:
    """llama.cpp multiplies Q4_K_M by kernels that round otherwise for a few rows, and for what is left of four."""
    path = quantized(models, architecture)
    found = []
    for parallel in (1, 3, 8, 16):
        with LlamaCppEngine(path, EngineOptions(window=12288, parallel=parallel, threads=1)) as model:
            found.append(answers(model, prompts(model, 18)))
    assert found[0] == found[1] == found[2] == found[3]


def test_a_step_evaluates_no_row_for_nothing_while_others_wait(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    evaluate = LlamaCppEngine.evaluate

    def counted(model: LlamaCppEngine, tokens: Sequence[Token]) -> None:
        evaluate(model, tokens)
        if any(token.wanted for token in tokens):
            steps.append(len(tokens))

    monkeypatch.setattr(LlamaCppEngine, "evaluate", counted)
    with LlamaCppEngine(tiny(models, "tiny-bpe"), EngineOptions(window=12288, parallel=12, threads=1)) as model:
        done = answers(model, prompts(model, 18))
    assert not any(answer.error for answer in done)
    assert max(steps) >= 12
    assert all(rows == filled(rows) for rows in steps if rows >= 8)


@pytest.mark.parametrize("name", MODELS)
def test_a_kept_prompt_gives_the_same_bytes_as_a_fresh_one(engine: Engine, name: str) -> None:
    model = engine(name)
    own = decoder(model)
    cold = own.decode(prompts(model))
    before = model.evaluated
    warm = own.decode(prompts(model))
    again = model.evaluated - before
    assert warm == cold
    assert again < before or name in STATEFUL


def test_the_order_of_the_questions_changes_no_answer(engine: Engine) -> None:
    model = engine()
    asked = prompts(model)
    forwards = answers(model, asked)
    backwards = answers(model, asked[::-1])
    assert forwards == backwards[::-1]


def test_what_prompts_share_is_read_once(models: Path) -> None:
    with LlamaCppEngine(tiny(models, "tiny-bpe"), EngineOptions(window=4096, threads=1)) as model:
        asked = prompts(model)
        done = answers(model, asked)
        distinct = len({prompt.tokens[:stop] for prompt in asked for stop in range(1, len(prompt.tokens) + 1)})
        read = model.evaluated - sum(answer.written for answer in done)
        assert read <= 1.1 * distinct


def test_the_probabilities_are_of_all_values_and_the_answer_is_the_likeliest(engine: Engine) -> None:
    model = engine()
    for answer in answers(model, prompts(model)):
        assert set(answer.probabilities) == set(VERDICTS)
        assert sum(answer.probabilities.values()) == pytest.approx(1.0)
        said = json.loads(answer.text)["verdict"]
        assert answer.probabilities[said] == max(answer.probabilities.values())


def test_a_question_that_does_not_fit_the_window_is_not_cut(engine: Engine) -> None:
    model = engine(window=512)
    long = Prompted(tuple(model.tokens("the design " * 600)), Grammars.of_schema(SCHEMA), 50)
    short = prompts(model, 1, most=200)[0]
    first, second = answers(model, [long, short])
    assert "the window has" in first.error
    assert not first.text
    assert not second.error


@pytest.mark.parametrize("name", MODELS)
def test_a_small_window_holds_fewer_answers_and_changes_none(models: Path, name: str) -> None:
    found = []
    for window in (512, 8192):
        with LlamaCppEngine(tiny(models, name), EngineOptions(window=window, parallel=3, threads=1)) as model:
            own = decoder(model)
            found.append(own.decode(prompts(model, most=120)))
            assert not own.timing.repacked or name in STATEFUL
    small, large = found
    assert None not in small
    assert [bool(answer.text) for answer in small if answer] == [not answer.error for answer in small if answer]
    assert sum(not answer.error for answer in small if answer) >= 8
    if name not in STATEFUL:
        assert small == large


@pytest.mark.parametrize("name", STATELESS)
def test_a_prompt_is_read_behind_nothing_but_its_own_beginning(
    engine: Engine, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else lies in the cache is gone over for each token read."""
    model = engine(name, parallel=3)
    asked = prompts(model)
    longest = max(len(prompt.tokens) for prompt in asked)
    read = model.evaluate
    pieces: list[int] = []

    def seen(tokens: Sequence[Token]) -> None:
        if not any(token.wanted for token in tokens):
            assert model.cells == tokens[0].position
            pieces.append(len(tokens))
        read(tokens)

    monkeypatch.setattr(model, "evaluate", seen)
    done = answers(model, asked)
    assert not any(answer.error for answer in done)
    assert len(pieces) > len(asked)
    assert max(pieces) < longest


def test_an_answer_that_does_not_end_is_an_error_not_a_piece(engine: Engine) -> None:
    model = engine()
    endless = Grammars.of_schema({"type": "array", "items": {"enum": [1]}, "minItems": 100})
    (answer,) = answers(model, [Prompted(tuple(model.tokens("count")), endless, 20)])
    assert answer.text == ""
    assert "not complete after 20 tokens" in answer.error


@pytest.mark.parametrize("first", [{}, {"ok": {"type": "boolean"}}], ids=["from the start", "after a choice"])
def test_what_the_grammar_forces_counts_as_tokens_of_the_answer(engine: Engine, first: dict[str, Any]) -> None:
    model = engine()
    properties = first | {"text": {"const": "the design of a topic " * 10}}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    tokens = tuple(model.tokens("repeat"))
    long, short = (Prompted(tokens, Grammars.of_schema(schema), most) for most in (300, 20))
    done, cut = answers(model, [long, short])
    assert json.loads(done.text)["text"].startswith("the design")
    assert cut.text == ""
    assert "not complete after 20 tokens" in cut.error


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}, "required": ["a"]},
        {"type": "string", "pattern": "(?=a)b("},
        {"type": "nonsense"},
    ],
)
def test_a_schema_that_cannot_be_compiled_stops_that_answer_alone(engine: Engine, schema: dict[str, Any]) -> None:
    model = engine()
    tokens = tuple(model.tokens("a question"))
    good = prompts(model, 1)[0]
    bad, fine = answers(model, [Prompted(tokens, Grammars.of_schema(schema), 20), good])
    assert bad.error
    assert not bad.text
    assert not fine.error


def test_no_answer_is_begun_when_the_time_is_over(engine: Engine) -> None:
    model = engine(parallel=2)
    left = iter([True, True, False])
    done = decoder(model).decode(prompts(model, 6), go_on=lambda: next(left, False))
    assert sum(answer is not None for answer in done) == 2


def test_logits_that_are_no_numbers_are_an_error(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    model = engine()
    monkeypatch.setattr(model, "logits", lambda _: np.full(model.vocabulary_size, np.nan, dtype=np.float32))
    (answer,) = answers(model, prompts(model, 1))
    assert "no numbers" in answer.error


def test_a_mask_that_fails_is_an_error(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> np.ndarray:
        raise ModelError("The mask failed: out of fuel.")

    model = engine()
    monkeypatch.setattr("draftproof.adapters.llamacpp.grammar.Matcher.allowed", broken)
    (answer,) = answers(model, prompts(model, 1))
    assert answer.text == ""
    assert "mask failed" in answer.error


# Kinds of schema whose answers end within 400 tokens, whatever is drawn.
BOUNDED = (
    "flat verdict",
    "enum of integers",
    "long enum, common beginnings",
    "strings with bounds",
    "Unicode and escapes",
    "optional members",
    "anyOf",
    "$ref",
    "tuples",
    "all forced",
)


@pytest.mark.parametrize("name", MODELS)
def test_wild_draws_never_leave_the_grammar(engine: Engine, name: str) -> None:
    """At temperature 2 a model with random weights says anything; the grammar holds."""
    model = engine(name)
    wild = tool("wild_schemas")
    trials = [(kind, wild.drawn(kind, str(number))) for number in range(3) for kind in wild.KINDS]
    asked = [
        Prompted(tuple(model.tokens(f"trial {number}")), Grammars.of_schema(schema), 400)
        for number, (_, schema) in enumerate(trials)
    ]
    done = decoder(model, temperature=2.0, seed=7).decode(asked)
    for (kind, schema), answer in zip(trials, done, strict=True):
        assert answer is not None
        assert not (answer.error and kind in BOUNDED), (kind, schema, answer.error)
        assert answer.error or kind != "unsupported"
        assert answer.error or not wild.fault(answer.text, schema), (schema, answer.text)


@pytest.mark.parametrize(
    ("answer", "schema"),
    [
        ('{"a":1', {}),
        ('{"a":NaN}', {}),
        ('"\\ud800"', {}),
        ("4", {"maximum": 3}),
        ('"2026-02-30"', {"format": "date"}),
        ('"2026-02-01T25:00:00Z"', {"format": "date-time"}),
    ],
)
def test_the_trials_see_a_fault(answer: str, schema: dict[str, Any]) -> None:
    assert tool("wild_schemas").fault(answer, schema)


def test_later_prompts_branch_off_where_they_part() -> None:
    sorted_prompts = [(1, 2, 3, 4, 5), (1, 2, 3, 4, 6), (1, 2, 7, 8), (1, 9)]
    assert shared_depths(sorted_prompts, 0, 6) == [1, 2, 4]
    assert shared_depths(sorted_prompts, 2, 6) == [1]
    assert shared_depths(sorted_prompts, 3, 6) == []


def test_a_prompt_that_is_the_beginning_of_another_keeps_a_token_of_its_own() -> None:
    assert shared_depths([(1, 2, 3), (1, 2, 3, 4)], 0, 6) == [2]
    assert common_length((1, 2), (1, 2, 3)) == 2


def common(count: int) -> tuple[int, ...]:
    return tuple(5 + place % 200 for place in range(count))


@pytest.mark.parametrize("name", ["tiny-bpe", "tiny-hybrid"])
def test_prompts_that_may_part_at_different_places_find_room(models: Path, name: str) -> None:
    """What one begins with is read once more for another that may not part from it there."""
    grammar = Grammars.of_schema(SCHEMA)
    asked = [
        Prompted((*common(400), joint, number), grammar, 60, joints=(joint,))
        for joint in (400, 200)
        for number in range(30, 34)
    ]
    for window in (1024, 896, 768):
        with LlamaCppEngine(tiny(models, name), EngineOptions(window=window, parallel=8, threads=1)) as model:
            done = decoder(model).decode(asked)
        assert all(answer is not None and not answer.error.startswith("The model") for answer in done)


def test_cells_are_taken_once_more_in_the_middle_of_a_piece(models: Path) -> None:
    grammar = Grammars.of_schema(SCHEMA)
    long = [Prompted((6, *common(600), key), grammar, 20) for key in (30, 31)]
    short = [Prompted((90, *common(450), key, *[7] * 10), grammar, 120) for key in range(30, 38)]
    with LlamaCppEngine(tiny(models, "tiny-hybrid"), EngineOptions(window=1024, parallel=8, threads=1)) as model:
        assert None not in decoder(model).decode([*long, *short])


@pytest.mark.parametrize("name", ["tiny-bpe", "tiny-hybrid"])
def test_a_chain_of_prompts_that_begin_alike_is_not_deeper_than_there_are_sequences(models: Path, name: str) -> None:
    chain = [Prompted((*common(10 * k), 1, 2, 3), Grammars.of_schema(SCHEMA), 60) for k in range(1, 16)]
    jointed = [Prompted((*common(140), 9), Grammars.of_schema(SCHEMA), 60, joints=tuple(range(10, 130, 10)))]
    with LlamaCppEngine(tiny(models, name), EngineOptions(window=4096, parallel=2, threads=1)) as model:
        for asked in (chain, jointed):
            assert None not in decoder(model).decode(asked)
