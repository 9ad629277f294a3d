"""Quotations are copied from the lines, and proven against them."""

from __future__ import annotations

from pathlib import Path

import pytest

from draftproof.documents.quotes import MAX_QUOTE, MAX_QUOTED_LINES, is_verbatim, quote
from draftproof.domain.document import DocumentName, Span
from draftproof.domain.findings import Evidence
from tests.fakes.documents import DESIGNS, design, requirements_document

DESIGN = design("# T\n\nOrders are kept for ten years.\nPayments are kept for two.\n\n- last line\n")


def test_quote_has_the_lines_as_they_stand() -> None:
    assert quote(DESIGN, Span(3, 4)).quote == "Orders are kept for ten years.\nPayments are kept for two."


def test_quote_keeps_marks_and_indentation() -> None:
    assert quote(design("- a\n  - **b** | c"), Span(2, 2)).quote == "  - **b** | c"


def test_quote_of_the_right_lines_is_verbatim() -> None:
    assert is_verbatim(quote(DESIGN, Span(3, 4)), DESIGN)


@pytest.mark.parametrize("line", [2, 4])
def test_quote_moved_by_one_line_is_not_verbatim(line: int) -> None:
    text = quote(DESIGN, Span(3, 3)).quote

    assert not is_verbatim(Evidence(DocumentName.DESIGN, Span(line, line), text), DESIGN)


def test_quote_with_one_word_changed_is_not_verbatim() -> None:
    assert not is_verbatim(Evidence(DocumentName.DESIGN, Span(3, 3), "Orders are kept for nine years."), DESIGN)


def test_quote_with_a_capital_changed_is_not_verbatim() -> None:
    assert not is_verbatim(Evidence(DocumentName.DESIGN, Span(3, 3), "orders are kept for ten years."), DESIGN)


def test_quote_past_the_end_is_not_verbatim() -> None:
    assert not is_verbatim(Evidence(DocumentName.DESIGN, Span(7, 8), "last line"), DESIGN)


def test_quote_from_the_other_document_is_not_verbatim() -> None:
    other = requirements_document(DESIGN.text)

    assert not is_verbatim(quote(DESIGN, Span(3, 3)), other)


def test_white_space_alone_does_not_matter() -> None:
    evidence = Evidence(DocumentName.DESIGN, Span(3, 4), "ten  years.\n  Payments are")

    assert is_verbatim(evidence, DESIGN)


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_empty_quotation_proves_nothing(text: str) -> None:
    assert not is_verbatim(Evidence(DocumentName.DESIGN, Span(3, 3), text), DESIGN)


def test_long_span_is_cut_to_its_first_lines() -> None:
    document = design("\n".join(f"line {n}" for n in range(1, 31)))
    evidence = quote(document, Span(5, 30))

    assert evidence.span == Span(5, 4 + MAX_QUOTED_LINES)
    assert evidence.quote.startswith("line 5\n")
    assert is_verbatim(evidence, document)


def test_long_line_is_quoted_from_the_words_asked_for() -> None:
    document = design("filler words here " * 200 + "the needle stands here and more follows " + "tail words " * 200)
    evidence = quote(document, Span(1, 1), "the needle stands here")

    assert evidence.quote.startswith("the needle stands here")
    assert len(evidence.quote) <= MAX_QUOTE
    assert is_verbatim(evidence, document)


def test_long_line_is_quoted_from_its_start_where_the_words_are_not_found() -> None:
    document = design("first words " + "more and more " * 100)

    assert quote(document, Span(1, 1), "not there").quote.startswith("first words")


def test_cut_quotation_does_not_break_off_inside_a_word() -> None:
    document = design("wonderful " * 100)

    assert set(quote(document, Span(1, 1)).quote.split()) == {"wonderful"}


def test_line_without_a_space_is_cut_by_length() -> None:
    document = design("x" * 5000)
    evidence = quote(document, Span(1, 1))

    assert evidence.quote == "x" * MAX_QUOTE
    assert is_verbatim(evidence, document)


def test_line_that_starts_with_very_many_spaces_is_quoted_from_its_words() -> None:
    document = design("```\n" + " " * 600 + "deep = 1\n```\n")
    evidence = quote(document, Span(2, 2))

    assert evidence.quote == "deep = 1"
    assert is_verbatim(evidence, document)


@pytest.mark.parametrize("path", DESIGNS, ids=lambda p: p.parent.name)
def test_every_passage_of_a_design_can_be_quoted_word_for_word(path: Path) -> None:
    document = design(path.read_text(encoding="utf-8"))

    assert all(is_verbatim(quote(document, p.span, p.text), document) for p in document.passages)


def test_a_long_quotation_of_several_lines_ends_with_a_line() -> None:
    lines = [f"total_{number} = await ledger.sum(account_{number}, currency=EUR, day=today)" for number in range(8)]
    document = design("# T\n\n```python\n" + "\n".join(lines) + "\n```\n")
    evidence = quote(document, Span(4, 11))

    assert MAX_QUOTE // 2 < len(evidence.quote) <= MAX_QUOTE
    assert evidence.quote.split("\n")[-1] in lines
    assert is_verbatim(evidence, document)
