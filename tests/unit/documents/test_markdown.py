"""Markdown to passages: kinds, lines, headings, and nothing lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from draftproof.documents.markdown import MAX_CODE_LINES, MAX_WORDS, parse, sentences
from draftproof.domain.document import Passage, PassageKind
from tests.fakes.documents import DESIGN_REQUIREMENTS, DESIGNS


def seen(text: str) -> list[tuple[PassageKind, str, str]]:
    return [(p.kind, str(p.span), p.text) for p in parse(text).passages]


def words_of(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


# Every kind with its lines


def test_paragraph_has_all_its_lines() -> None:
    assert seen("\none\ntwo\n\nthree") == [
        (PassageKind.PARAGRAPH, "2-3", "one\ntwo"),
        (PassageKind.PARAGRAPH, "5", "three"),
    ]


def test_list_items_are_passages_of_their_own_without_their_marks() -> None:
    assert seen("- one\n  goes on\n* two\n1. three\n2) four\n") == [
        (PassageKind.LIST_ITEM, "1-2", "one\ngoes on"),
        (PassageKind.LIST_ITEM, "3", "two"),
        (PassageKind.LIST_ITEM, "4", "three"),
        (PassageKind.LIST_ITEM, "5", "four"),
    ]


def test_lists_nested_twenty_deep_keep_one_passage_for_each_line() -> None:
    text = "\n".join("  " * depth + f"- level {depth}" for depth in range(20))

    assert seen(text) == [(PassageKind.LIST_ITEM, str(depth + 1), f"level {depth}") for depth in range(20)]


def test_numbered_lists_nested_twenty_deep_keep_one_passage_for_each_line() -> None:
    text = "\n".join("   " * depth + f"1. level {depth}" for depth in range(20))

    assert seen(text) == [(PassageKind.LIST_ITEM, str(depth + 1), f"level {depth}") for depth in range(20)]


def test_paragraph_quotation_and_code_inside_a_list_item_have_their_own_lines() -> None:
    text = "- item\n\n  second\n\n  > quoted\n\n  ```yaml\n  a: 1\n  ```\n"

    assert seen(text) == [
        (PassageKind.LIST_ITEM, "1", "item"),
        (PassageKind.LIST_ITEM, "3", "second"),
        (PassageKind.QUOTE, "5", "quoted"),
        (PassageKind.CODE, "8", "a: 1"),
    ]


def test_table_rows_carry_the_header_cells_and_the_header_line() -> None:
    rows = parse("# T\n\n| Id | Name |\n|---|---|\n| 1 | Ann |\n| 2 |  |\n").passages

    assert [(str(p.span), p.text, p.header) for p in rows] == [
        ("5", "Id: 1 | Name: Ann", "| Id | Name |"),
        ("6", "Id: 2", "| Id | Name |"),
    ]
    assert {p.kind for p in rows} == {PassageKind.TABLE_ROW}


def test_table_with_a_header_alone_is_one_passage() -> None:
    assert seen("| Only | Head |\n|---|---|\n") == [(PassageKind.TABLE_ROW, "1", "Only | Head")]


def test_table_in_a_quotation_is_read_as_a_table() -> None:
    assert seen("> | a | b |\n> |---|---|\n> | 1 | 2 |\n") == [(PassageKind.TABLE_ROW, "3", "a: 1 | b: 2")]


def test_rows_of_one_table_share_a_block_and_two_tables_do_not() -> None:
    text = "| a |\n|---|\n| 1 |\n| 2 |\n\n| a |\n|---|\n| 3 |\n"
    first, second, third = parse(text).passages

    assert first.block == second.block
    assert second.block != third.block


def test_fence_has_the_lines_between_its_marks_and_its_language() -> None:
    passage = parse("text\n\n```SQL title=x\nSELECT 1;\nSELECT 2;\n```\n").passages[1]

    assert (passage.kind, str(passage.span), passage.language) == (PassageKind.CODE, "4-5", "sql")
    assert passage.text == "SELECT 1;\nSELECT 2;"


@pytest.mark.parametrize("mark", ["```", "~~~", "`````"])
def test_unclosed_fence_reaches_to_the_end(mark: str) -> None:
    assert seen(f"# T\n\n{mark}\nopen = 1\nmore = 2") == [(PassageKind.CODE, "4-5", "open = 1\nmore = 2")]


@pytest.mark.parametrize("body", ["```\n```", "```\n\n\n```", "```"])
def test_empty_fence_is_no_passage(body: str) -> None:
    assert seen(f"text\n\n{body}\n") == [(PassageKind.PARAGRAPH, "1", "text")]


def test_indented_code_is_code() -> None:
    assert seen("text\n\n    one = 1\n    two = 2\n\nend") == [
        (PassageKind.PARAGRAPH, "1", "text"),
        (PassageKind.CODE, "3-4", "one = 1\ntwo = 2"),
        (PassageKind.PARAGRAPH, "6", "end"),
    ]


def test_mermaid_is_a_diagram() -> None:
    assert seen("```mermaid\ngraph LR\nA-->B\n```\n") == [(PassageKind.DIAGRAM, "2-3", "graph LR\nA-->B")]


def test_box_drawing_without_a_language_is_a_diagram() -> None:
    kinds = {kind for kind, _, _ in seen("```\n+---+     +---+\n| a | --> | b |\n+---+     +---+\n```\n")}

    assert kinds == {PassageKind.DIAGRAM}


def test_quotation_is_no_paragraph() -> None:
    assert seen("> we want\n> speed\n") == [(PassageKind.QUOTE, "1-2", "we want\nspeed")]


def test_definition_list_has_terms_and_definitions() -> None:
    assert seen("Term\n: its meaning\n: another\n\nOther\n\n: on two\n  lines\n") == [
        (PassageKind.DEFINITION, "1", "Term"),
        (PassageKind.DEFINITION, "2", "its meaning"),
        (PassageKind.DEFINITION, "3", "another"),
        (PassageKind.DEFINITION, "5", "Other"),
        (PassageKind.DEFINITION, "7-8", "on two\nlines"),
    ]


def test_definition_list_that_starts_on_the_first_line_is_read() -> None:
    assert seen("DLQ\n: dead letter queue") == [
        (PassageKind.DEFINITION, "1", "DLQ"),
        (PassageKind.DEFINITION, "2", "dead letter queue"),
    ]


def test_footnote_is_a_footnote_even_where_nothing_points_at_it() -> None:
    assert seen("Text[^1].\n\n[^1]: The note\n    goes on.\n\n[^2]: unused\n") == [
        (PassageKind.PARAGRAPH, "1", "Text[^1]."),
        (PassageKind.FOOTNOTE, "3-4", "The note\ngoes on."),
        (PassageKind.FOOTNOTE, "6", "unused"),
    ]


def test_front_matter_is_kept_and_gives_the_title() -> None:
    parsed = parse('---\ntitle: "Order service"\nowner: x\n---\n# Other\n\nBody.\n')

    assert parsed.title == "Order service"
    assert (parsed.passages[0].kind, str(parsed.passages[0].span)) == (PassageKind.FRONT_MATTER, "1-4")


def test_front_matter_alone_lies_in_the_document() -> None:
    assert seen("---\ntitle: x\n---") == [(PassageKind.FRONT_MATTER, "1-3", "title: x")]


def test_html_block_and_comment_are_html() -> None:
    assert seen("<div>\nhello\n</div>\n\n<!-- a\ncomment -->\n\ntext\n") == [
        (PassageKind.HTML, "1-3", "<div>\nhello\n</div>"),
        (PassageKind.HTML, "5-6", "<!-- a\ncomment -->"),
        (PassageKind.PARAGRAPH, "8", "text"),
    ]


def test_link_definition_is_a_passage_so_that_nothing_hides_in_it() -> None:
    assert seen("text\n\n[//]: # (a hidden comment)\n") == [
        (PassageKind.PARAGRAPH, "1", "text"),
        (PassageKind.PARAGRAPH, "3", "[//]: # (a hidden comment)"),
    ]


# Headings and sections


def test_setext_headings_are_headings() -> None:
    parsed = parse("Big\n===\n\ntext\n\nSmall\n-----\n\nmore\nlines\n")

    assert parsed.title == "Big"
    assert [(s.title, s.level, s.span.first) for s in parsed.sections] == [("Big", 1, 1), ("Small", 2, 6)]
    assert [(p.headings, str(p.span)) for p in parsed.passages] == [(("Big",), "4"), (("Big", "Small"), "9-10")]


def test_section_ends_before_the_next_heading_of_its_level_or_above() -> None:
    sections = parse("# A\n\n## B\n\n### C\n\nx\n\n## D\n\ny\n\n# E\n\nz").sections

    assert [(s.title, str(s.span)) for s in sections] == [
        ("A", "1-12"),
        ("B", "3-8"),
        ("C", "5-8"),
        ("D", "9-12"),
        ("E", "13-15"),
    ]
    assert sections[2].headings == ("A", "B", "C")


def test_heading_that_skips_levels_still_stands_under_its_parent() -> None:
    assert parse("# A\n\n#### D\n\ntext\n\n## B\n\nmore").passages[1].headings == ("A", "B")


@pytest.mark.parametrize("line", ["**Storage**", "**Storage:**", "__Storage__", "**Storage**:"])
def test_bold_line_above_text_is_a_heading(line: str) -> None:
    parsed = parse(f"# A\n\n{line}\n\nWe use X.\n\n## B\n\nz\n")

    assert [(p.text, p.headings) for p in parsed.passages] == [("We use X.", ("A", "Storage")), ("z", ("A", "B"))]
    assert [s.title for s in parsed.sections] == ["A", "B"]


@pytest.mark.parametrize("text", ["# A\n\n**All of it is encrypted**", "# A\n\n**All of it is encrypted**\n\n# B\n\nx"])
def test_bold_line_with_nothing_below_it_is_a_paragraph(text: str) -> None:
    passage = parse(text).passages[0]

    assert (passage.kind, str(passage.span), passage.headings) == (PassageKind.PARAGRAPH, "3", ("A",))
    assert passage.text == "**All of it is encrypted**"


def test_second_of_two_bold_lines_is_the_heading() -> None:
    assert [(p.text, p.headings) for p in parse("**One**\n\n**Two**\n\ntext").passages] == [
        ("**One**", ()),
        ("text", ("Two",)),
    ]


def test_bold_words_inside_a_sentence_are_no_heading() -> None:
    assert parse("# A\n\n**Storage** is in X.\n").passages[0].headings == ("A",)


def test_document_of_headings_alone_has_them_as_passages() -> None:
    parsed = parse("# A\n\n## B\n\n# C\n")

    assert [(p.kind, str(p.span), p.text, p.headings) for p in parsed.passages] == [
        (PassageKind.HEADING, "1", "A", ()),
        (PassageKind.HEADING, "3", "B", ("A",)),
        (PassageKind.HEADING, "5", "C", ()),
    ]


def test_document_without_headings_has_no_sections_and_no_title() -> None:
    parsed = parse("just prose\n\n- and a list\n")

    assert (parsed.title, parsed.sections) == (None, ())
    assert [p.headings for p in parsed.passages] == [(), ()]


def test_heading_without_words_is_untitled() -> None:
    assert parse("#\n\ntext\n").passages[0].headings == ("(untitled)",)


@pytest.mark.parametrize("text", ["", "\n\n", "---\n", "***\n\n- - -\n"])
def test_text_without_words_has_no_passages(text: str) -> None:
    assert parse(text).passages == ()


# Long pieces are cut, with the lines of each piece


def test_long_paragraph_is_cut_at_sentences_with_the_lines_of_each() -> None:
    lines = [f"Sentence number {n} has exactly eight words." for n in range(40)]
    passages = parse("# T\n\n" + "\n".join(lines) + "\n").passages

    assert len(passages) > 2
    assert all(len(p.text.split()) <= MAX_WORDS for p in passages)
    for passage in passages:
        assert passage.text == "\n".join(lines[passage.span.first - 3 : passage.span.last - 2])

    assert "\n".join(p.text for p in passages) == "\n".join(lines)


def test_paragraph_of_few_words_is_not_cut() -> None:
    assert len(parse("A sentence. " * 40).passages) == 1


def test_long_paragraph_on_one_line_has_that_line_in_every_piece() -> None:
    passages = parse("intro\n\n" + "This is a sentence of seven words. " * 60).passages[1:]

    assert len(passages) > 3
    assert {str(p.span) for p in passages} == {"3"}


def test_long_code_is_cut_into_runs_with_the_lines_of_each() -> None:
    body = [f"x{n} = {n}" for n in range(40)]
    passages = parse("```python\n" + "\n".join(body) + "\n```\nend").passages[:-1]

    assert all(len(p.span) <= MAX_CODE_LINES for p in passages)
    for passage in passages:
        assert passage.text == "\n".join(body[passage.span.first - 2 : passage.span.last - 1])

    assert "\n".join(p.text for p in passages) == "\n".join(body)


def test_code_is_cut_at_blank_lines_where_there_are_some() -> None:
    tables = "\n\n".join(f"CREATE TABLE t{n} (\n  id int,\n  b int\n);" for n in range(5))
    passages = parse(f"```sql\n{tables}\n```\n").passages

    assert [str(p.span) for p in passages] == ["2-5", "7-10", "12-15", "17-20", "22-25"]
    assert all(p.text.startswith("CREATE TABLE") and p.text.endswith(");") for p in passages)


def test_line_of_a_megabyte_is_cut_and_every_piece_stands_on_it() -> None:
    passages = parse("# T\n\n" + "word " * 200_000 + "\n\nend\n").passages

    assert {str(p.span) for p in passages[:-1]} == {"3"}
    assert max(len(p.text) for p in passages) <= 4000
    assert sum(len(p.text.split()) for p in passages[:-1]) == 200_000
    assert (passages[-1].text, str(passages[-1].span)) == ("end", "5")


def test_megabyte_without_a_space_is_read() -> None:
    passages = parse("x" * 1_000_000 + "\n\nend").passages

    assert (passages[-1].text, str(passages[-1].span)) == ("end", "3")


def test_table_row_and_fence_line_of_a_megabyte_are_read() -> None:
    text = "| a |\n|---|\n| " + "x " * 500_000 + "|\n\n```\n" + "y " * 500_000 + "\n```\n\nend"

    assert [str(p.span) for p in parse(text).passages] == ["3", "6", "9"]


@pytest.mark.parametrize("mark", ["> ", "- ", "1. "])
def test_absurd_nesting_is_survived(mark: str) -> None:
    assert parse("before\n\n" + mark * 3000 + "x\n").passages[0].text == "before"


# Over the designs of the benchmark


def test_there_are_designs_to_try() -> None:
    assert len(DESIGNS) >= 8


@pytest.mark.parametrize("path", [*DESIGNS, *DESIGN_REQUIREMENTS], ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_each_passage_lies_in_the_document_and_its_words_stand_on_its_lines(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")

    for passage in parse(text).passages:
        assert passage.span.last <= len(lines)
        source = "\n".join(lines[passage.span.first - 1 : passage.span.last])

        assert words_of(passage.text) <= words_of(source) | words_of(passage.header)
        assert lines[passage.span.first - 1].strip()
        assert lines[passage.span.last - 1].strip()


@pytest.mark.parametrize("path", [*DESIGNS, *DESIGN_REQUIREMENTS], ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_passages_are_numbered_in_the_order_of_the_lines(path: Path) -> None:
    passages = parse(path.read_text(encoding="utf-8")).passages

    assert [p.number for p in passages] == list(range(len(passages)))
    assert [p.span.first for p in passages] == sorted(p.span.first for p in passages)


@pytest.mark.parametrize("path", [*DESIGNS, *DESIGN_REQUIREMENTS], ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_every_line_with_words_is_in_a_passage_or_is_a_heading_or_a_mark(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    passages = parse(text).passages
    covered = {line for p in passages for line in range(p.span.first, p.span.last + 1)}
    headings = {title for p in passages for title in p.headings}
    headers = {p.header for p in passages}

    for number, line in enumerate(text.split("\n"), start=1):
        if number in covered or not words_of(line) or line.strip() in headers:
            continue

        assert re.match(r"\s*(?:#{1,6} |```|~~~)", line) or line.strip("*_: ") in headings, (number, line)


def with_spaces(passages: tuple[Passage, ...]) -> list[tuple[PassageKind, str]]:
    return [(p.kind, p.text) for p in passages]


@pytest.mark.parametrize("path", DESIGNS, ids=lambda p: p.parent.name)
def test_lines_put_in_front_move_every_span_and_change_no_passage(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    before, after = parse(text).passages, parse("\n\n\n" + text).passages

    assert with_spaces(after) == with_spaces(before)
    assert [p.span.first for p in after] == [p.span.first + 3 for p in before]


# Sentences and marks


def test_sentences_cover_the_text_without_gaps() -> None:
    text = "First one. Second one; Third!\nA line"

    assert [text[a:b].strip() for a, b in sentences(text)] == ["First one.", "Second one;", "Third!", "A line"]


def test_number_with_a_point_does_not_end_a_sentence() -> None:
    assert len(sentences("It takes 1.5 s on version 3.12 of it")) == 1
