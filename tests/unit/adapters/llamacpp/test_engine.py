"""The engine: sequences that branch off hold what a sequence of their own would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from draftproof.adapters.llamacpp.decoder import Decoder, Prompted
from draftproof.adapters.llamacpp.engine import ROWS, EngineOptions, LlamaCppEngine, Token, filled, whole
from draftproof.adapters.llamacpp.grammar import Grammars
from draftproof.errors import ModelError
from tests.fakes.gguf import MODELS, STATELESS, random_gguf, tiny

Engine = Callable[..., LlamaCppEngine]
BASE = "The design says that the topic is keyed by order id and retries are bounded. " * 4


def plain_logits(path: Path, prompts: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """Return the logits after each prompt by llama-cpp-python's own interface, each read in a sequence of its own."""
    model = llama_cpp.Llama(str(path), n_ctx=2048, n_threads=1, n_threads_batch=1, verbose=False)
    found = []
    for prompt in prompts:
        model.reset()
        model.eval(list(prompt))
        pointer = llama_cpp.llama_get_logits_ith(model.ctx, -1)
        found.append(np.ctypeslib.as_array(pointer, shape=(model.n_vocab(),)).copy())
    model.close()
    return found


def evaluate(model: LlamaCppEngine, tokens: Sequence[int], sequence: int = 0, start: int = 0) -> np.ndarray:
    """Evaluate tokens in a sequence; return the logits after the last one."""
    place = 0
    for first in range(0, len(tokens), model.batch_tokens):
        chunk = tokens[first : first + model.batch_tokens]
        place = len(chunk) - 1
        model.evaluate([Token(t, start + first + i, sequence, i == place) for i, t in enumerate(chunk)])
    return model.logits(place).copy()


@pytest.mark.parametrize("name", MODELS)
def test_what_branches_off_is_what_one_sequence_would_be(
    engine: Engine, models: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = engine(name)
    asked = sorted(
        tuple(
            model.tokens(f"{BASE}Section {section}: the data event service value. {'so ' * section}question {number}?")
        )
        for section in range(3)
        for number in range(3)
    )
    seen: list[np.ndarray] = []
    logits = model.logits

    def kept(index: int) -> np.ndarray:
        seen.append(logits(index).copy())
        return seen[-1]

    monkeypatch.setattr(model, "logits", kept)
    Decoder(model, Grammars(model)).decode([Prompted(tokens, "", 1) for tokens in asked])
    assert len(seen) == len(asked)
    for branched, plain in zip(seen, plain_logits(tiny(models, name), asked), strict=True):
        assert np.abs(branched - plain).max() < 0.1 * (plain.max() - plain.min())
        assert np.corrcoef(branched, plain)[0, 1] > 0.99


def test_the_window_slides(engine: Engine, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same weights with a window for all say something else, but not as long as all fits into it."""
    make = random_gguf()
    shape = make.TINY_SHAPES["tiny-sliding"]
    sliding = engine("tiny-sliding")
    prompt = sliding.tokens(BASE)
    assert len(prompt) > 3 * shape.sliding
    monkeypatch.setitem(make.TINY_SHAPES, "tiny-sliding", replace(shape, sliding=shape.window))
    make.write_tiny(models / "tiny-wide.gguf", "tiny-sliding")
    with LlamaCppEngine(models / "tiny-wide.gguf", EngineOptions(window=512, threads=1)) as full:
        for length, same in ((shape.sliding, True), (len(prompt), False)):
            sliding.reset()
            full.reset()
            one, other = evaluate(sliding, prompt[:length]), evaluate(full, prompt[:length])
            assert (np.abs(one - other).max() < 0.2) == same


def test_a_sequence_is_not_cut_back_to_where_its_window_is_gone(models: Path) -> None:
    """llama.cpp gives cells away that have slid out of the window, here to a second sequence."""
    with LlamaCppEngine(tiny(models, "tiny-sliding"), EngineOptions(window=512, threads=1, filled=False)) as model:
        tokens = model.tokens(BASE)
        evaluate(model, tokens[:20], sequence=2)
        evaluate(model, tokens, sequence=0)
        assert model.crop(0, len(tokens) - 1)
        model.drop(2)
        evaluate(model, tokens[:40], sequence=1)
        assert not model.crop(0, 30)


def test_a_model_of_word_pieces_cannot_be_constrained_and_says_so(models: Path) -> None:
    with (
        LlamaCppEngine(tiny(models, "tiny-wpm"), EngineOptions(window=256, threads=1)) as model,
        pytest.raises(ModelError, match="cannot be constrained"),
    ):
        Grammars(model)


@pytest.mark.parametrize(("rows", "full"), [(1, 8), (7, 8), (8, 8), (9, 12), (13, 16), (16, 16), (17, 20), (64, 64)])
def test_batches_are_filled_up_to_eight_rows_and_then_by_fours(rows: int, full: int) -> None:
    assert filled(rows) == full


@pytest.mark.parametrize(
    ("due", "taken"), [(1, 1), (7, 7), (8, 8), (11, 8), (12, 12), (15, 12), (16, 16), (31, 16), (56, 48)]
)
def test_of_what_is_due_as_much_is_taken_as_fills_a_batch(due: int, taken: int) -> None:
    assert whole(due) == taken


@pytest.mark.parametrize("name", STATELESS)
def test_what_is_taken_out_and_put_back_is_the_same_to_the_bit(engine: Engine, name: str) -> None:
    model = engine(name)
    model.reset()
    tokens = model.tokens(BASE)
    fork, end = 40, len(tokens) - 1
    evaluate(model, tokens[:fork])
    model.fork(0, 1)
    evaluate(model, tokens[fork:end], 1, fork)
    plain = evaluate(model, tokens[end:], 1, end)
    model.reset()
    evaluate(model, tokens[:fork])
    model.fork(0, 1)
    evaluate(model, tokens[fork:end], 1, fork)
    piece = model.saved(1, fork)
    model.drop(1)
    model.clear(fork)
    # Something else comes and goes, and the piece comes back for two.
    evaluate(model, tokens[:9], 3)
    model.drop(3)
    model.clear(fork)
    for sequence in (2, 4):
        model.fork(0, sequence)
    model.restore(piece, end - fork, [2, 4])
    assert model.cells == end
    for sequence in (2, 4):
        assert evaluate(model, tokens[end:], sequence, end).tobytes() == plain.tobytes()


def test_filler_takes_no_cells(models: Path) -> None:
    with LlamaCppEngine(tiny(models, "tiny-bpe"), EngineOptions(window=64, threads=1)) as model:
        room = model.window - ROWS
        for place in range(room):
            evaluate(model, [5 + place % 200], 0, place)
        assert model.cells == room
        assert model.full(1)
