"""Spans, documents, findings and notes as values."""

from __future__ import annotations

import pytest

from draftproof.domain.document import Span
from draftproof.domain.findings import Severity, Verdict
from draftproof.domain.notes import Knowledge
from tests.fakes.documents import design
from tests.fakes.product import rubric
from tests.fakes.reviews import NOTE, review


@pytest.mark.parametrize(("first", "last"), [(0, 1), (2, 1), (-1, -1)])
def test_span_that_is_none_is_refused(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="not a span of lines"):
        Span(first, last)


def test_span_has_length_and_text() -> None:
    assert (str(Span(3, 3)), str(Span(3, 5)), len(Span(3, 5))) == ("3", "3-5", 3)


@pytest.mark.parametrize(("other", "expected"), [((1, 2), False), ((1, 3), True), ((4, 4), True), ((6, 9), False)])
def test_spans_overlap_where_they_share_a_line(other: tuple[int, int], expected: bool) -> None:
    assert Span(3, 5).overlaps(Span(*other)) is expected
    assert Span(*other).overlaps(Span(3, 5)) is expected


@pytest.mark.parametrize("mark", ["\u2028", "\x0b", "\x0c", "\x85"])
def test_lines_end_at_line_feeds_alone(mark: str) -> None:
    document = design(f"# A\n\none{mark}still one\n\nlast\n")

    assert document.lines[2] == f"one{mark}still one"
    assert str(document.passages[-1].span) == "5"


def test_severities_are_ranked_hardest_first() -> None:
    assert [s.rank for s in (Severity.CRITICAL, Severity.RECOMMENDED, Severity.SUGGESTED)] == [0, 1, 2]


def test_defects_are_the_verdicts_that_ask_for_work() -> None:
    assert [v for v in Verdict if v.is_defect] == [Verdict.PARTIAL, Verdict.MISSING, Verdict.FLAWED]


def test_worst_severity_is_none_where_all_is_met() -> None:
    first = next(iter(rubric()))

    assert review().worst_severity() is None
    assert review({first.id: Verdict.MISSING}).worst_severity() is first.severity[Verdict.MISSING]


def test_part_of_a_note_is_the_text_under_its_heading() -> None:
    assert (NOTE.part("Practice"), NOTE.part("Prevents"), NOTE.part("Nothing")) == ("Bound it.", "An endless loop.", "")


def test_notes_for_a_check_are_those_that_name_it() -> None:
    knowledge = Knowledge({NOTE.id: NOTE}, ())

    assert knowledge.for_check(NOTE.checks[0]) == (NOTE,)
    assert knowledge.for_check("other.check") == ()
