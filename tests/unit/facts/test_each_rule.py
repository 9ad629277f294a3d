"""Every rule over facts: where it fires, with which lines, and a near miss."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from draftproof.bootstrap import Library
from draftproof.documents.markdown import parse
from draftproof.documents.requirements import find_requirements
from draftproof.domain.document import Document, DocumentName, Requirements
from draftproof.facts.rules import FactHit
from draftproof.review.prepare import Reference, read_and_judge_facts
from draftproof.settings import load_settings

CASES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "rules.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reference() -> Reference:
    library = Library(load_settings())
    return Reference(
        library.rubric, library.cues, library.parts, fact_rules=library.fact_rules, setting_rules=library.setting_rules
    )


def document(name: DocumentName, text: str) -> Document:
    parsed = parse(text)
    return Document(name, f"{name}.md", text, "", "", parsed.sections, parsed.passages)


def fired(reference: Reference, case: dict[str, Any], text: str) -> dict[str, FactHit]:
    if "lang" in case:
        text = f"```{case['lang']}\n{text}\n```\n"
    if "before" in case:
        text = f"{case['before']}\n\n{text}"
    needs = None
    if "needs" in case:
        asked = document(DocumentName.REQUIREMENTS, case["needs"])
        needs = Requirements(asked, find_requirements(asked))
    _, hits = read_and_judge_facts(document(DocumentName.DESIGN, text), needs, reference)
    return {hit.rule.id: hit for hit in hits}


def test_every_rule_has_a_case_and_every_case_a_rule(reference: Reference) -> None:
    assert {rule.id for rule in reference.fact_rules} == set(CASES)


def test_no_pattern_holds_a_backspace_where_a_word_ends(reference: Reference) -> None:
    """In a condition a string reads ``\\b`` as a backspace, which matches nothing; ``\\\\b`` is meant."""
    assert not [rule.id for rule in reference.fact_rules if re.search(r"(?<!\\)(?:\\\\)*\\b", rule.when)]


@pytest.mark.parametrize("name", CASES)
def test_it_fires_where_it_should(reference: Reference, name: str) -> None:
    case = CASES[name]
    hit = fired(reference, case, case["fires"])[name]
    assert hit.sentence.endswith(".")
    assert "{{" not in hit.sentence
    if "line" in case:
        assert hit.spans[0].first == case["line"]


@pytest.mark.parametrize("name", CASES)
def test_it_is_silent_in_the_near_miss(reference: Reference, name: str) -> None:
    case = CASES[name]
    assert name not in fired(reference, case, case["quiet"])
