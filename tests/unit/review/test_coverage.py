"""Requirement by requirement: looked up, repeated, put off."""

from __future__ import annotations

import pytest

from draftproof.documents.quotes import is_verbatim
from draftproof.documents.requirements import find_requirements
from draftproof.domain.document import Requirements
from draftproof.domain.findings import RequirementFinding, Verdict
from draftproof.domain.rubric import Rubric
from draftproof.review.coverage import (
    REQUIREMENT_SIGNALS,
    Reading,
    RequirementReader,
    clauses_of,
    names,
    requirement_finding,
)
from draftproof.review.prepare import Reference, prepare
from tests.fakes.documents import design, requirements_document
from tests.fakes.product import cues

NEEDS = "# R\n\n- FR-1: Payments must be stored for 10 years.\n- FR-2: Mail is sent to the customer at night.\n"


def readings(
    text: str,
    needs: str = NEEDS,
    verdicts: tuple[Verdict, ...] = (),
    contradicted: frozenset[str] = frozenset(),
) -> list[Reading]:
    document = requirements_document(needs)
    wanted = Requirements(document, find_requirements(document))
    material = prepare(design(text), wanted, Reference(Rubric(()), cues(), ()))
    probabilities = {
        f"check {number}": {v: float(v is verdict) for v in Verdict} for number, verdict in enumerate(verdicts)
    }
    return RequirementReader(wanted, material, cues(), probabilities, contradicted).read()


def signal(reading: Reading, name: str) -> float:
    return reading.signals[REQUIREMENT_SIGNALS.index(name)]


def finding(text: str, verdict: Verdict, index: int = 0) -> RequirementFinding:
    others = [v for v in (Verdict.MET, Verdict.PARTIAL, Verdict.MISSING) if v is not verdict]
    made = design(text)
    return requirement_finding(
        readings(text)[index],
        {verdict: 0.8, others[0]: 0.1, others[1]: 0.1},
        made,
        requirements_document(NEEDS),
        made.passages,
    )


def test_every_requirement_is_read_in_order_with_all_signals() -> None:
    found = readings("# D\n\nPayments go to PostgreSQL.\n")

    assert [r.requirement.id for r in found] == ["FR-1", "FR-2"]
    assert all(len(r.signals) == len(REQUIREMENT_SIGNALS) for r in found)


def test_passage_with_its_words_matches_first() -> None:
    text = "# D\n\nWe use Kafka.\n\nThe table keeps payments stored for 10 years, then a job deletes them.\n\nMore.\n"
    first, _ = readings(text)

    assert first.matches[0].index == 1
    assert signal(first, "number_share") == 1
    assert signal(first, "word_share_best") > 0.5


def test_answered_requirement_has_a_larger_share_than_an_unanswered_one() -> None:
    first, second = readings("# D\n\nThe table keeps payments stored for 10 years, a job deletes them.\n")

    assert signal(first, "word_share_all") > signal(second, "word_share_all")


def test_passage_that_repeats_the_requirement_is_no_match() -> None:
    first, _ = readings("# D\n\nPayments must be stored for 10 years.\n\nWe use Kafka.\n")

    assert first.repeats == [0]
    assert 0 not in [m.index for m in first.matches]
    assert signal(first, "repeated_only") == 1


def test_quotation_of_the_requirement_is_no_match() -> None:
    first, _ = readings("# D\n\n> FR-1: Payments must be stored for 10 years.\n\nWe use Kafka.\n")

    assert first.repeats == [0]


def test_passage_that_puts_it_off_is_taken_back() -> None:
    first, _ = readings("# D\n\nHow payments are stored for years is TBD.\n")

    assert [m.taken_back for m in first.matches] == [True]
    assert signal(first, "taken_back") == pytest.approx(1 / 3)


def test_requirement_named_by_its_id_is_seen() -> None:
    first, second = readings("# D\n\nThe archive (FR-1) keeps all for long.\n\nThis answers FR-1 too, not FR-11.\n")

    assert signal(first, "named_by_id") > 0
    assert signal(second, "named_by_id") == 0


def test_id_inside_a_longer_id_does_not_count() -> None:
    first, _ = readings("# D\n\nThe archive (NFR-1) and FR-1.2 and FR-12.\n")

    assert signal(first, "named_by_id") == 0


def test_defects_of_the_document_are_seen() -> None:
    text = "# D\n\nThe table keeps payments stored for 10 years, a job deletes them.\n"
    verdicts = (Verdict.MET, Verdict.FLAWED, Verdict.MISSING, Verdict.NOT_APPLICABLE)

    assert signal(readings(text)[0], "document_defects") == 0
    assert signal(readings(text, verdicts=verdicts)[0], "document_defects") == 0.5


def test_contradicted_requirement_is_seen() -> None:
    first, second = readings("# D\n\nWe use Kafka.\n", contradicted=frozenset({"FR-1"}))

    assert (signal(first, "contradicted"), signal(second, "contradicted")) == (1, 0)


def test_thousands_are_the_same_number_in_every_writing() -> None:
    needs = "# R\n\n- FR-1: It takes 10,000 orders.\n- FR-2: x y z\n"
    first, _ = readings("# D\n\nThe topic takes 10 000 orders well.\n", needs)

    assert signal(first, "number_share") == 1


def test_met_finding_quotes_both_sides_word_for_word() -> None:
    text = "# D\n\nThe table keeps payments stored for 10 years, a job deletes them.\n"
    found = finding(text, Verdict.MET)

    assert (found.verdict, found.confidence, found.comment) == (Verdict.MET, 0.8, "Answered at the lines cited.")
    assert found.requirement.quote == "- FR-1: Payments must be stored for 10 years."
    assert [str(e.span) for e in found.evidence] == ["3"]
    assert is_verbatim(found.evidence[0], design(text))
    assert is_verbatim(found.requirement, requirements_document(NEEDS))


def test_missing_finding_quotes_nothing_of_the_design() -> None:
    found = finding("# D\n\nWe use Kafka.\n", Verdict.MISSING)

    assert (found.evidence, found.comment) == ((), "No passage answers it.")


def test_missing_finding_says_where_it_is_only_repeated() -> None:
    found = finding("# D\n\nPayments must be stored for 10 years.\n", Verdict.MISSING)

    assert found.comment == "The design repeats it at line 3 and does not say how it is met."


def test_missing_finding_says_where_it_is_put_off() -> None:
    found = finding("# D\n\nHow payments are stored for years is TBD.\n", Verdict.MISSING)

    assert found.comment == "Line 3 puts it off or leaves it out."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Requirement 3", "### Delete (Req 3)"),
        ("Requirement 4", "Rate limits (Req 3\u20136)"),
        ("Requirement 3", "Validates: Requirements 1.2, 3.4"),
        ("FR-1", "as FR-1 asks"),
    ],
)
def test_requirement_is_named_in_every_form_of_its_id(name: str, text: str) -> None:
    assert names(name, text)


@pytest.mark.parametrize(
    ("name", "text"), [("Requirement 1", "Requirement 10"), ("Requirement 3", "3 retries"), ("FR-1", "FR-10")]
)
def test_another_id_does_not_name_it(name: str, text: str) -> None:
    assert not names(name, text)


def test_clauses_are_single_demands() -> None:
    text = "A slot can be cancelled until eight; the fee is paid back, and the parents are told by mail."
    assert len(clauses_of(text)) == 3
    assert clauses_of("Fast.") == ["Fast."]
