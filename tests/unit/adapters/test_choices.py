"""Probabilities of choices: compared where they part, however long their words are."""

from __future__ import annotations

import numpy as np
import pytest

from draftproof.adapters.choices import ChoiceReader

PIECES = {1: b'"', 2: b"m", 3: b"met", 4: b"missing", 5: b'"m', 6: b"et", 7: b"iss", 8: b'"flawed"', 9: b"fl"}
VALUES = ("met", "missing", "flawed")


def reader() -> ChoiceReader:
    return ChoiceReader("verdict", VALUES, PIECES.__getitem__)


def test_tokens_that_lead_to_one_value_count_for_it() -> None:
    one = reader()
    given = one.waits(b'{"verdict":"')
    assert given == b'"'
    one.step(given, np.array([3, 4, 9]), np.log(np.array([0.5, 0.2, 0.3])), taken=3)
    assert one.distribution == pytest.approx({"met": 0.5, "missing": 0.2, "flawed": 0.3})


def test_a_shared_beginning_is_followed_and_its_mass_is_split_where_the_values_part() -> None:
    one = reader()
    one.step(b'"', np.array([2, 9]), np.log(np.array([0.8, 0.2])), taken=2)
    assert one.waits(b'{"verdict":"m') == b'"m'
    one.step(b'"m', np.array([6, 7]), np.log(np.array([0.25, 0.75])), taken=7)
    assert one.distribution == pytest.approx({"met": 0.2, "missing": 0.6, "flawed": 0.2})


def test_a_value_may_begin_within_the_token_that_opens_it() -> None:
    one = reader()
    assert one.waits(b'{"verdict":') == b""
    one.step(b"", np.array([8, 5]), np.log(np.array([0.9, 0.1])), taken=8)
    assert one.distribution["flawed"] == pytest.approx(0.9)
    assert one.distribution["met"] == pytest.approx(one.distribution["missing"])


def test_there_is_no_choice_before_the_member_and_after_its_value() -> None:
    assert reader().waits(b'{"rationale":"the \\"verdict\\":') is None
    assert reader().waits(b'{"verdict":"flawed"') is None
    assert reader().distribution == {}


def test_space_around_the_colon_is_passed_over() -> None:
    assert reader().waits(b'{"verdict" : ') == b" "
    assert reader().waits(b'{"verdict" ') is None
    assert reader().waits(b'{"verdict" : "flawed"') is None
    assert reader().left(b' "m') == ["met", "missing"]
