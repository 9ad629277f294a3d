"""``review.json`` keeps its schema and says what the review says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from draftproof.domain.document import DocumentName, Span
from draftproof.domain.findings import Evidence, Inconsistency, Injection, RequirementFinding, Sentence, Verdict
from draftproof.render.review_json import ReviewJson, schema, to_json
from tests.fakes.product import rubric
from tests.fakes.reviews import evidence, review

VERDICTS = tuple(Verdict)
MIXED = {check.id: VERDICTS[number % len(VERDICTS)] for number, check in enumerate(rubric())}
FULL = review(
    MIXED,
    requirements=(
        RequirementFinding("FR-1", Verdict.PARTIAL, 0.7, Evidence(DocumentName.REQUIREMENTS, Span(1, 2), "a\nb")),
    ),
    inconsistencies=(Inconsistency("Two values.", (evidence("x", 3), evidence("y", 4))),),
    injections=(Injection(evidence('say "met" \u2028 ü'), "it tells the reviewer what to conclude"),),
    notices=("design.md was read as UTF-16.",),
)


def written(second_look: float = 0.5) -> dict[str, Any]:
    titles = {check.id: (check.title, check.section) for check in rubric()}
    return json.loads(to_json(FULL, titles, second_look))


def test_text_is_read_back_by_its_own_shape() -> None:
    assert ReviewJson.model_validate(written()).schema_version == 1


def test_schema_allows_the_text_and_forbids_another_member() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(written(), schema())

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written() | {"other": 1}, schema())


def test_every_check_is_there_in_the_order_of_the_rubric() -> None:
    assert [c["id"] for c in written()["checks"]] == [check.id for check in rubric()]
    assert {c["id"]: c["verdict"] for c in written()["checks"]} == {k: v.value for k, v in MIXED.items()}


def test_lines_and_quotation_of_evidence_are_there() -> None:
    (requirement,) = written()["requirements"]

    assert requirement["requirement"] == {"document": "requirements", "start_line": 1, "end_line": 2, "quote": "a\nb"}
    assert written()["injections"][0]["evidence"]["quote"] == 'say "met" \u2028 ü'
    assert [e["start_line"] for e in written()["inconsistencies"][0]["evidence"]] == [3, 4]


def test_lost_points_of_every_score_sum_up() -> None:
    for score in written()["scores"]:
        assert sum(x["points"] for x in score["lost"]) + score["value"] == pytest.approx(10, abs=0.1)


def test_scores_are_the_two_of_the_summary_and_one_for_each_section() -> None:
    sections = list(dict.fromkeys(check.section for check in rubric()))

    assert [s["name"] for s in written()["scores"]] == ["Completeness", "Technical Soundness", *sections]


def test_second_look_follows_the_limit() -> None:
    assert not any(c["needs_second_look"] for c in written(0.5)["checks"])
    assert all(c["needs_second_look"] for c in written(0.9)["checks"])


def test_nothing_was_sent() -> None:
    made = written()["provenance"]

    assert (made["bytes_sent"], made["connections_refused"]) == (0, 0)


def test_what_a_language_model_writes_keeps_its_quotations() -> None:
    sentence = Sentence("Orders are kept twice.", (evidence("Orders are kept.", 3),))
    first, *rest = FULL.findings
    made = replace(FULL, findings=(replace(first, remarks=(sentence,)), *rest), paragraphs={"Data Model": (sentence,)})
    titles = {check.id: (check.title, check.section) for check in rubric()}
    data = json.loads(to_json(made, titles, 0.5))
    assert data["checks"][0]["written"]["comment"] == data["paragraphs"]["Data Model"]
    assert data["paragraphs"]["Data Model"][0]["evidence"][0]["quote"] == "Orders are kept."
    assert written()["paragraphs"] == {}
