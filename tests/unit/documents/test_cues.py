"""Wordings that take back what a sentence names."""

from __future__ import annotations

import pytest

from draftproof.documents.cues import cues_at, sentence_at
from draftproof.domain.document import PassageKind
from tests.fakes.documents import passage
from tests.fakes.product import cues


def ids(text: str, word: str, kind: PassageKind = PassageKind.PARAGRAPH, headings: tuple[str, ...] = ()) -> set[str]:
    found = passage(text, kind, headings)
    start = text.index(word)
    return {cue.id for cue in cues_at(cues(), found, start, start + len(word))}


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("Retries are TBD.", "deferred"),
        ("Retries will be added in a later phase.", "deferred"),
        ("We will add retries once the pilot is over.", "deferred"),
        ("Whether there are retries is still open.", "deferred"),
        ("We decided against retries.", "refused"),
        ("There are no retries.", "refused"),
        ("Retries are overkill here.", "refused"),
        ("Retries means sending a message once more.", "glossary"),
        ("Compliance demands retries.", "requirement"),
        ("Retries might overload the broker.", "risk"),
        ("Today the legacy system has retries.", "past"),
    ],
)
def test_sentence_that_takes_back_gives_its_cue(text: str, cue: str) -> None:
    assert cue in ids(text, "etries")


@pytest.mark.parametrize(
    "text",
    [
        "Retries are done three times with jitter.",
        "The consumer makes three retries and then writes to the dead letter topic.",
        "| Retries | three, then the dead letter topic |",
    ],
)
def test_sentence_that_states_gives_no_cue(text: str) -> None:
    assert ids(text, "etries") == set()


def test_cue_in_the_next_sentence_does_not_reach_over() -> None:
    text = "Retries are done three times. Caches are TBD."

    assert ids(text, "Retries") == set()
    assert ids(text, "Caches") == {"deferred"}


def test_cue_in_the_next_line_does_not_reach_over() -> None:
    assert ids("Retries are done three times\nCaching is TBD", "Retries") == set()


@pytest.mark.parametrize(
    ("heading", "cue"),
    [("Open points", "deferred"), ("Rejected alternatives", "refused"), ("Glossary", "glossary"), ("Risks", "risk")],
)
def test_heading_above_gives_its_cue(heading: str, cue: str) -> None:
    assert ids("Three retries with jitter.", "retries", headings=("Design", heading)) == {cue}


def test_heading_far_above_gives_no_cue() -> None:
    assert ids("Three retries.", "retries", headings=("Risks of all", "Consumers", "Retries")) == set()


def test_cue_in_one_cell_holds_for_the_whole_table_row() -> None:
    assert "deferred" in ids("Topic: Retries | State: TBD", "Retries", PassageKind.TABLE_ROW)


@pytest.mark.parametrize(
    "line",
    ["retries = 3", "if not retries: skip(no)", "docker run --no-cache retries", "url = 'kafka://no-retries'"],
)
def test_words_of_code_do_not_take_back(line: str) -> None:
    assert ids(f"a = 1\n{line}\nb = 2", "retries", PassageKind.CODE) == set()


@pytest.mark.parametrize("mark", ["#", "--", "//", "/*"])
def test_comment_of_the_line_takes_back(mark: str) -> None:
    assert ids(f"retries = 3  {mark} TODO", "retries", PassageKind.CODE) == {"deferred"}


def test_comment_of_another_line_does_not_take_back() -> None:
    assert ids("retries = 3\nother = 1  # TODO", "retries", PassageKind.CODE) == set()


def test_cue_inside_the_naming_words_is_none() -> None:
    assert ids("Payloads are still open.", "are still open") == set()
    assert ids("Payloads are still open.", "Payloads") == {"deferred"}


def test_sentence_at_a_character_is_the_one_around_it() -> None:
    found = passage("One is here. Two is there. Three is nowhere.")
    start, stop = sentence_at(found, found.text.index("there"))

    assert found.text[start:stop].strip() == "Two is there."


def test_sentence_of_a_table_row_is_the_row() -> None:
    found = passage("A: One. Two. | B: Three.", PassageKind.TABLE_ROW)

    assert sentence_at(found, 3) == (0, len(found.text))


TREE = "app/\n├── retry_logic.py\n├── auth.py  # tokens of 15 minutes\n└── models/"


def test_name_of_a_file_in_a_tree_is_only_listed() -> None:
    assert ids(TREE, "retry", PassageKind.CODE) == {"listed"}


def test_what_the_comment_in_a_tree_says_is_said() -> None:
    assert ids(TREE, "tokens", PassageKind.CODE) == set()


def test_passage_of_file_names_is_a_listing_and_code_is_none() -> None:
    listed = next(cue for cue in cues() if cue.id == "listed")
    assert listed.holds_throughout(passage(TREE, PassageKind.CODE))
    assert not listed.holds_throughout(passage("total = a | b\nreturn total", PassageKind.CODE))
    assert not listed.concerns("arch.project_structure")
