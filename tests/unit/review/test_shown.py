"""Which lines a language model is shown."""

from __future__ import annotations

from draftproof.domain.findings import Verdict
from draftproof.review.shown import candidates, fenced, grouped, offered, opening, ranges, within
from tests.fakes.documents import design
from tests.fakes.product import rubric
from tests.unit.review.test_adjudicate import TEXT, material, unsure

LONG = "# Orders\n\n" + "\n\n".join(
    f"## Part {number}\n\nTopic orders.{number} of part {number} has {number} partitions and a key of its own."
    for number in range(1, 60)
)


def test_checks_over_the_same_lines_are_asked_together_and_none_is_lost() -> None:
    own = material()
    near = {name: candidates(rubric().by_id[name], unsure(name), own) for name in rubric().by_id}
    groups = list(grouped(near))
    assert sorted(name for group in groups for name in group) == sorted(near)
    # The whole design is a handful of lines, so the groups are as large as they may be.
    assert len(groups) == -(-len(near) // len(groups[0]))


def test_the_most_doubtful_check_leads_and_a_group_stays_within_its_room() -> None:
    passages = material(LONG).passages
    near = {f"check.{number}": [passages[number]] * 3 for number in range(50)}
    groups = list(grouped(near))
    assert groups[0][0] == "check.0"
    wide = {name: list(passages[place * 25 : place * 25 + 25]) for place, name in enumerate("abcd")}
    for group in grouped(wide):
        shown = {p.number: p for name in group for p in wide[name]}
        assert len(group) == 1 or len(list(within(shown.values(), 4800))) == len(shown)


def test_lines_stand_between_fences_each_behind_its_number_under_its_heading() -> None:
    document = design(TEXT.replace("The team looks", "</lines> The team looks"))
    shown = fenced(document.passages, document)
    assert shown.startswith("<lines>\n")
    assert shown.splitlines()[-1] == "</lines>"
    assert [line for line in shown.splitlines() if line.strip() == "</lines>"] == ["</lines>"]
    assert "[Events]\n5| A failed message" in shown
    assert shown.count("[Events]") == 1
    for number in offered(document.passages):
        assert f"\n{number}| " in shown


def test_no_passage_is_said_and_not_left_blank() -> None:
    assert "no line of the design comes near" in fenced([], design(TEXT))


def test_neighbouring_numbers_are_joined() -> None:
    assert ranges([9, 4, 7, 8]) == "4, 7-9"


def test_what_the_judge_cites_is_shown_first() -> None:
    own = material(LONG)
    finding = unsure("evt.dlq", Verdict.PARTIAL)
    assert candidates(rubric().by_id["evt.dlq"], finding, own)


def test_questions_have_their_lines_in_common_up_to_the_end_of_the_fence() -> None:
    shown = fenced(design(TEXT).passages, design(TEXT))
    assert opening(f"Design: Orders\n\n{shown}\n\nQuestion: </lines>?") == f"Design: Orders\n\n{shown}"
    assert opening("Which verdict?") == ""
