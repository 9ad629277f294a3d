"""Probabilities told by a server: taken where they tell, left where they do not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from draftproof.adapters.logprobs import told_probabilities
from draftproof.review.adjudicate import WORDS

VALUES = tuple(WORDS)


def token(piece: str, alternatives: dict[str, float] | None = None, p: float = 1.0) -> dict[str, Any]:
    """Return a token as a server tells it; ``p`` counts where it is not among the alternatives."""
    top = [{"token": other, "logprob": math.log(p)} for other, p in (alternatives or {}).items()]
    return {"token": piece, "logprob": math.log((alternatives or {}).get(piece, p)), "top_logprobs": top}


def told(*tokens: dict[str, Any]) -> dict[str, float]:
    return told_probabilities({"content": list(tokens)}, "verdict", VALUES)


def shares(**values: float) -> Any:
    return pytest.approx({value: values.get(value, 0.0) for value in VALUES})


def test_every_word_counts_by_the_token_that_it_begins_with_and_the_rest_is_left_out() -> None:
    first = {"partial": 0.4, "m": 0.2, "me": 0.1, "not": 0.05, "abs": 0.05, "yes": 0.1, "Met": 0.1}
    read = told(token('{"verdict":'), token('"'), token("partial", first), token('"}'))
    assert read == shares(met=0.375, partial=0.5, absent=0.0625, not_applicable=0.0625)


def test_a_space_around_the_colon_is_no_choice() -> None:
    opened = {' "': 0.7, " ": 0.1, '"': 0.2}
    read = told(token('{"verdict"'), token(" :"), token(' "', opened), token("flawed", {"flawed": 0.9, "met": 0.1}))
    assert read == shares(flawed=0.9, met=0.1)


def test_a_value_may_begin_within_the_token_that_opens_it() -> None:
    opened = {' "': 0.6, ' "m': 0.2, ' "flawed': 0.2}
    read = told(token('{"verdict":'), token(' "', opened), token("absent", {"absent": 0.5, "partial": 0.5}))
    assert read == shares(met=0.2, flawed=0.2, absent=0.3, partial=0.3)


def test_the_token_taken_counts_where_the_alternatives_leave_it_out() -> None:
    read = told(token('{"verdict":"'), token("met", {"partial": 0.3, "yes": 0.4}, p=0.1))
    assert read == shares(met=0.25, partial=0.75)


def test_bytes_go_before_the_text_of_a_token() -> None:
    taken = token("\ufffd", {"partial": 0.5, "\ufffd": 0.5}) | {"bytes": list(b"met")}
    taken["top_logprobs"][1]["bytes"] = list(b"met")
    assert told(token('{"verdict":"'), taken) == shares(met=0.5, partial=0.5)


def test_a_part_of_a_letter_that_has_no_text_does_not_disturb() -> None:
    read = told(
        token('{"rationale":"'), token(""), token('","verdict":"'), token("met", {"met": 0.5, "": 0.4, "f": 0.1})
    )
    assert read == shares(met=5 / 6, flawed=1 / 6)


@pytest.mark.parametrize(
    "taken",
    [
        token("met", {"yes": 0.5, "maybe": 0.45}, p=0.04),  # the words are hardly among what the model would say
        token("yes", {"yes": 0.5, "met": 0.5}),  # no word of ours was written
        token("met") | {"logprob": -math.inf},
        token("met") | {"logprob": math.nan},
        token("met") | {"logprob": 3.0},
        token("met") | {"logprob": None},
    ],
)
def test_what_tells_too_little_tells_nothing(taken: dict[str, Any]) -> None:
    assert told(token('{"verdict":"'), taken, token('"}')) == {}


def test_an_answer_without_the_member_has_no_probabilities() -> None:
    assert told(token('{"rationale":"the \\"verdict\\": met"}')) == {}
    assert told() == {}
