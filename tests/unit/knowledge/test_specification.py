"""The specification's map: complete, word for word, and true of the rubric and the code."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SPECIFICATION = ROOT.parent / "shared" / "spec" / "tech-design-review-command.txt"
MAP = yaml.safe_load((ROOT / "knowledge" / "specification.yaml").read_text(encoding="utf-8"))
ITEMS: list[dict[str, Any]] = [item for group in MAP["groups"] for item in group["items"]]
KEYS = [part["key"] for part in MAP["product"]]
CHECKS = 72
# List marks, boxes and hashes in front of what a line says.
MARK = re.compile(r"^\s*(?:- \[ \] |- |\d+\. |#+ )?")
FOCUS_AREAS = "Key Review Focus Areas"

needs_specification = pytest.mark.skipif(
    not SPECIFICATION.exists(), reason="the specification's text is not beside the repository"
)


def rubric_ids() -> set[str]:
    found = set()
    for path in (ROOT / "knowledge" / "rubric").glob("*.yaml"):
        found.update(check["id"] for check in yaml.safe_load(path.read_text(encoding="utf-8"))["checks"])
    return found


def specification_lines() -> list[str]:
    return SPECIFICATION.read_text(encoding="utf-8").split("\n")


def spec_table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("spec_table", ROOT / "tools" / "spec_table.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_map_has_the_members_that_its_readers_expect():
    assert set(MAP) == {"product", "groups"}
    assert all(set(part) == {"key", "what", "module"} for part in MAP["product"])
    assert all(set(group) == {"title", "items"} for group in MAP["groups"])
    assert all(set(item) == {"text", "lines", "checks", "product"} for item in ITEMS)


def test_every_item_is_answered_by_a_check_or_a_part_of_the_product():
    assert [item["text"] for item in ITEMS if not item["checks"] and not item["product"]] == []


def test_every_check_that_an_item_names_is_in_the_rubric():
    named = {name for item in ITEMS for name in item["checks"]}
    assert named - rubric_ids() == set()


def test_every_check_of_the_rubric_answers_some_item():
    named = {name for item in ITEMS for name in item["checks"]}
    assert len(named) == CHECKS
    assert rubric_ids() - named == set()


def test_every_part_that_an_item_names_is_explained_and_every_part_is_named():
    assert {key for item in ITEMS for key in item["product"]} == set(KEYS)
    assert [key for key, count in Counter(KEYS).items() if count > 1] == []


@pytest.mark.parametrize("module", sorted({part["module"] for part in MAP["product"]}))
def test_every_module_that_the_map_names_exists(module):
    assert importlib.util.find_spec(module) is not None


def test_no_line_is_mapped_twice():
    assert [line for line, count in Counter(item["lines"] for item in ITEMS).items() if count > 1] == []


def test_the_page_is_current():
    table = spec_table()
    assert table.PAGE.read_text(encoding="utf-8") == table.render(MAP)


@needs_specification
def test_each_text_stands_word_for_word_on_its_line():
    lines = specification_lines()
    wrong = [item for item in ITEMS if MARK.sub("", lines[item["lines"] - 1]).strip() != item["text"]]
    assert wrong == []


@needs_specification
def test_every_bullet_and_checklist_line_of_the_specification_is_mapped():
    mapped = {item["lines"] for item in ITEMS}
    lines = specification_lines()
    asked = [n for n, line in enumerate(lines, start=1) if re.match(r"\s*(?:- |\d+\. )", line)]
    assert len(asked) > 40
    assert [lines[n - 1] for n in asked if n not in mapped] == []


@needs_specification
def test_every_heading_and_hint_of_the_output_format_is_mapped():
    mapped = {item["lines"] for item in ITEMS}
    lines = specification_lines()
    first, last = lines.index("```markdown") + 1, lines.index(FOCUS_AREAS)
    asked = [n for n in range(first + 1, last + 1) if lines[n - 1].startswith(("#", "["))]
    assert len(asked) > 40
    assert [lines[n - 1] for n in asked if n not in mapped] == []


@needs_specification
def test_every_line_after_the_output_format_is_mapped_or_titles_a_group():
    mapped = {item["lines"] for item in ITEMS}
    titles = {part for group in MAP["groups"] for part in (group["title"], group["title"].split(": ")[-1])}
    lines = specification_lines()
    start = lines.index(FOCUS_AREAS) + 2
    left = [
        lines[n - 1]
        for n in range(start, len(lines) + 1)
        if lines[n - 1].strip() and n not in mapped and lines[n - 1].strip() not in titles
    ]
    assert left == []
