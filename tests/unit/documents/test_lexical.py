"""Folding keeps positions and matches; fusion prefers what several lists find."""

from __future__ import annotations

import re

import numpy as np
import pytest

from draftproof.documents.lexical import LexicalIndex, folded, folded_pattern, fused, words


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\bDLQ\b", "the dlq of orders"),
        (r"CREATE\s+TABLE", "create TABLE x"),
        (r"\backs\W{0,3}[A-Z]+\b", "acks = ALL"),
        (r"(?P<Name>Topic)\S+\D\W", "topic.A !"),
        (r"(?<!NO )Outbox", "an OUTBOX table"),
    ],
)
def test_folded_pattern_finds_in_folded_text_what_it_finds_without_regard_to_case(pattern: str, text: str) -> None:
    expected = re.search(pattern, text, re.IGNORECASE)
    found = re.search(folded_pattern(pattern), folded(text))

    assert expected is not None
    assert found is not None
    assert found.span() == expected.span()


def test_folding_keeps_the_position_of_every_character() -> None:
    text = "İSTANBUL Straße DLQ"

    assert len(folded(text)) == len(text)
    assert folded(text).endswith("straße dlq")


def test_words_are_split_stemmed_and_without_stop_words() -> None:
    found = words("The orders of user_events and maxPollRecords")

    assert found == ["order", "user", "event", "max", "poll", "record"]


def test_index_of_nothing_scores_nothing() -> None:
    assert LexicalIndex([]).scores("anything").shape == (0,)


def test_fusion_prefers_what_both_lists_rank_high() -> None:
    scores = fused([np.array([3.0, 2.0, 0.0]), np.array([0.0, 2.0, 3.0])])

    assert int(scores.argmax()) == 1
