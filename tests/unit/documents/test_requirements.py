"""Requirements: ids of any scheme, numbers, or obliging sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from draftproof.documents.requirements import find_requirements
from draftproof.domain.document import Requirement
from tests.fakes.documents import DESIGN_REQUIREMENTS, requirements_document


def found(text: str) -> tuple[Requirement, ...]:
    return find_requirements(requirements_document(text))


def ids(text: str) -> list[str]:
    return [item.id for item in found(text)]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("FR-1: Users log in", "FR-1"),
        ("FR-1 Users log in", "FR-1"),
        ("**NFR-3** Users log in", "NFR-3"),
        ("**NFR-3:** Users log in", "NFR-3"),
        ("BR-01. Users log in", "BR-01"),
        ("R7) Users log in", "R7"),
        ("R7 - Users log in", "R7"),
        ("[P-1] Users log in", "P-1"),
        ("(FR-1) Users log in", "FR-1"),
        ("`AC 1.1` - Users log in", "AC 1.1"),
        ("US_3 \u2013 Users log in", "US_3"),
        ("SEC-AUTH-02 \u2014 Users log in", "SEC-AUTH-02"),
        ("REQ-001: Users log in", "REQ-001"),
        ("Requirement 8: Users log in", "Requirement 8"),
        ("Goal 3. Users log in", "Goal 3"),
        ("FR1.2.3: Users log in", "FR1.2.3"),
        ("F12a: Users log in", "F12a"),
        ("Anforderung 4: Users log in", "Anforderung 4"),
    ],
)
@pytest.mark.parametrize("mark", ["- ", "", "> ", "1. "])
def test_id_of_any_scheme_is_read_in_lists_and_prose(line: str, name: str, mark: str) -> None:
    items = found(f"# R\n\n{mark}{line}\n\n{mark}ZZ-99: Users log out\n")

    assert [(item.id, item.text) for item in items] == [(name, "Users log in"), ("ZZ-99", "Users log out")]
    assert [item.span.first for item in items] == [3, 5]


def test_ids_in_a_table_are_read_from_the_column_of_ids() -> None:
    items = found(
        "# R\n\n| ID | Requirement | Prio |\n|---|---|---|\n| FR-1 | log in | high |\n| FR-2 | log out | low |\n"
    )

    assert [(i.id, i.text, str(i.span)) for i in items] == [
        ("FR-1", "Requirement: log in | Prio: high", "5"),
        ("FR-2", "Requirement: log out | Prio: low", "6"),
    ]


def test_ids_in_headings_take_all_that_stands_below() -> None:
    items = found("# R\n\n## FR-1 Login\n\nUsers log in.\n\n- within 2 s\n\n## FR-2: Logout\n\nUsers log out.\n")

    assert [(i.id, i.text, i.span.first) for i in items] == [
        ("FR-1", "Login\nUsers log in.\nwithin 2 s", 3),
        ("FR-2", "Logout\nUsers log out.", 9),
    ]


def test_ids_in_bold_lines_take_all_that_stands_below() -> None:
    items = found("# R\n\n**FR-1: Login**\n\nUsers log in.\n\n**FR-2: Logout**\n\nUsers log out.\n\n- soon\n")

    assert [(i.id, i.text, str(i.span)) for i in items] == [
        ("FR-1", "Login\nUsers log in.", "3-5"),
        ("FR-2", "Logout\nUsers log out.\nsoon", "7-11"),
    ]


def test_bold_lines_with_ids_and_nothing_below_are_requirements() -> None:
    assert ids("# R\n\n**FR-1: Users log in**\n\n**FR-2: Users log out**\n") == ["FR-1", "FR-2"]


def test_lines_of_one_paragraph_that_start_with_ids_are_requirements_of_their_own() -> None:
    items = found("# R\n\nR1 Users log in\nR2 Users log out\nwithin 2 s\nR3 Users pay\n")

    assert [(i.id, i.text, str(i.span)) for i in items] == [
        ("R1", "Users log in", "3"),
        ("R2", "Users log out\nwithin 2 s", "4-5"),
        ("R3", "Users pay", "6"),
    ]


def test_nested_bullets_belong_to_the_item_above() -> None:
    items = found("# R\n\n- FR-1: log in\n  - by mail\n  - by phone\n- FR-2: log out\n")

    assert [(i.id, i.text, str(i.span)) for i in items] == [
        ("FR-1", "log in\nby mail\nby phone", "3-5"),
        ("FR-2", "log out", "6"),
    ]


def test_bullet_under_another_heading_does_not_belong_to_the_item_above() -> None:
    items = found("# R\n\n- FR-1: a\n- FR-2: b\n## Later\n- c\n")

    assert [i.text for i in items] == ["a", "b"]


def test_id_that_stands_twice_is_taken_once() -> None:
    assert ids("# R\n\n- FR-1: log in\n- FR-2: log out\n- FR-1: again\n") == ["FR-1", "FR-2"]


@pytest.mark.parametrize(
    "word", ["P95", "UTF-8", "ISO 27001", "RFC 7807", "HTTP 2", "Q3 2025", "V2", "TLS 1", "SHA-256", "Version 2"]
)
def test_word_that_looks_like_an_id_is_none(word: str) -> None:
    assert ids(f"# R\n\n- FR-1: log in\n- {word} is used\n- FR-2: log out\n") == ["FR-1", "FR-2"]


def test_one_stray_id_is_no_scheme() -> None:
    text = "# R\n\n- AB-12: noted.\n- Users must log in.\n- Users must log out.\n- Users must pay.\n"

    assert ids(text) == ["req-1", "req-2", "req-3"]


def test_single_requirement_with_an_id_is_found() -> None:
    assert ids("FR-1: Users log in\n") == ["FR-1"]


def test_id_without_words_is_no_requirement() -> None:
    assert ids("# R\n\n- FR-1: log in\n- FR-2:\n- FR-3: pay\n") == ["FR-1", "FR-3"]


def test_numbered_items_are_taken_where_no_item_has_an_id() -> None:
    items = found("# R\n\n1. Users log in\n2. Users log out\n3. Users pay\n")

    assert [(i.id, i.text, str(i.span)) for i in items] == [
        ("req-1", "Users log in", "3"),
        ("req-2", "Users log out", "4"),
        ("req-3", "Users pay", "5"),
    ]


def test_numbered_items_of_the_background_are_left_out() -> None:
    text = "# R\n\n## Background\n\n1. old a\n2. old b\n\n## Wanted\n\n1. log in\n2. log out\n3. pay\n"

    assert [i.text for i in found(text)] == ["log in", "log out", "pay"]


@pytest.mark.parametrize(
    "sentence",
    [
        "Users must log in.",
        "The system shall keep orders.",
        "Every payment is answered within 2 seconds.",
        "It has to run on two machines.",
        "99.9 % of the calls succeed.",
    ],
)
def test_sentence_that_obliges_is_a_requirement(sentence: str) -> None:
    items = found(f"# R\n\nA shop of the town.\n\n{sentence}\n\n- A nice bullet.\n")

    assert [(i.id, i.text, str(i.span)) for i in items] == [("req-1", sentence, "5")]


@pytest.mark.parametrize("heading", ["Background", "Glossary", "Out of scope", "Stakeholders", "Open questions"])
def test_sentence_under_a_heading_of_background_is_none(heading: str) -> None:
    assert ids(f"# R\n\n## {heading}\n\n- It must be quick.\n\n## Wanted\n\n- It must be safe.\n") == ["req-1"]


def test_group_is_the_path_of_headings() -> None:
    assert [i.group for i in found("# R\n\n## Login\n\n- FR-1: a\n- FR-2: b\n")] == ["R > Login", "R > Login"]


@pytest.mark.parametrize("path", DESIGN_REQUIREMENTS, ids=lambda p: p.parent.name)
def test_real_requirements_are_found_once_each_with_words_and_lines(path: Path) -> None:
    document = requirements_document(path.read_text(encoding="utf-8"))
    items = find_requirements(document)

    assert len(items) >= 5
    assert len({i.id for i in items}) == len(items)
    for item in items:
        source = " ".join(document.lines[item.span.first - 1 : item.span.last])

        assert item.text.split()[-1].strip("|*_`") in source
        assert item.id.startswith("req-") or item.id in source


def test_strays_beside_a_scheme_are_no_requirements() -> None:
    scheme = "".join(f"### Requirement {n}: Voices\n\nThe system SHALL keep voice {n}.\n\n" for n in range(1, 6))
    text = f"# R\n\n## Glossary\n\n- S3: object storage\n\n## List\n\n{scheme}- AFTER 3 attempts, it SHALL stop\n"
    assert ids(text) == [f"Requirement {n}" for n in range(1, 6)]


def test_two_schemes_of_some_size_both_count() -> None:
    text = "".join(f"- FR-{n}: Users log in {n} times\n" for n in range(1, 6)) + "- NFR-1: Fast\n- NFR-2: Safe\n"
    assert len(ids(text)) == 7
