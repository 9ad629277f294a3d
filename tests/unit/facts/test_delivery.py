"""Makefiles, hooks and project files become facts; what is none of them yields nothing."""

from __future__ import annotations

from typing import TypeVar

import pytest

from draftproof.facts.base import Fact
from draftproof.facts.delivery import (
    HookFile,
    HookRepository,
    Makefile,
    MakeTarget,
    ProjectFile,
    admits,
    delivery_facts,
)
from draftproof.facts.pipelines import PipelineStep, PythonVersion
from tests.fakes.documents import design
from tests.fakes.facts import fenced

F = TypeVar("F", bound=Fact)


def facts(language: str, text: str) -> list[Fact]:
    return list(delivery_facts(fenced(text, language)))


def one(kind: type[F], found: list[Fact]) -> F:
    (fact,) = [f for f in found if isinstance(f, kind)]
    return fact


def targets(text: str) -> dict[str, MakeTarget]:
    return {f.name: f for f in facts("make", text) if isinstance(f, MakeTarget)}


def test_a_makefile_is_read_with_its_recipes_and_what_it_lacks() -> None:
    text = ".PHONY: test\ncheck: lint test types  # all\n\ntest: .env\n\tpytest -q\nlint:\n\truff check .\nX := 1\n"
    found = targets(text)
    assert set(found) == {"check", "test", "lint"}
    assert found["check"].missing == ("types",)
    assert found["test"].missing == ()
    assert found["test"].commands == ("pytest -q",)
    assert found["test"].span.first == 5
    assert one(Makefile, facts("make", text)).work == ("lint", "test")


def test_a_backslash_continues_dependencies_and_phony_names() -> None:
    found = targets(".PHONY: a \\\n  b\ncheck: lint \\\n  types\nlint:\n\truff check .\n")
    assert set(found) == {"check", "lint"}
    assert found["check"].needs == ("lint", "types")


def test_several_targets_share_a_recipe() -> None:
    found = targets("up start: .env\n\tdocker compose up\n\tmake migrate\n")
    assert found["up"].commands == found["start"].commands == ("docker compose up", "make migrate")


def test_a_target_that_a_recipe_makes_is_missing_too() -> None:
    assert targets("all:\n\t$(MAKE) lint test\nlint:\n\truff check .\n")["all"].missing == ("test",)


@pytest.mark.parametrize(
    "text",
    [
        "all: unit\n...\nlint:\n\truff check .\n",
        "include common.mk\nall: unit\n",
        "all: test-unit\ntest-%:\n\tpytest tests/$*\n",
        "all: $(FILES) build/app .env\n",
        "all:\n\tmake -C docs html\n",
    ],
    ids=["shown in part", "includes", "pattern", "files", "another directory"],
)
def test_what_another_place_may_hold_is_not_missing(text: str) -> None:
    assert targets(text)["all"].missing == ()


@pytest.mark.parametrize(
    ("recipe", "unheeded"),
    [
        ("-pytest -q", ("test",)),
        ("@pytest -q || true", ("test",)),
        ("mypy src || :", ("types",)),
        ("pytest -q", ()),
        ("rm -rf build || true", ()),
        ("pytest || { echo failed; exit 1; }", ()),
    ],
)
def test_a_target_knows_whose_failure_it_ignores(recipe: str, unheeded: tuple[str, ...]) -> None:
    assert targets(f"test:\n\t{recipe}\n")["test"].unheeded == unheeded


HOOKS = """\
repos:
  - repo: https://x/y
    rev: master
    hooks: [{id: ruff}, {id: trailing-whitespace}]
  - repo: local
    hooks:
      - id: types
        entry: mypy src
      - id: tests
        entry: bash -c 'pytest -q || true'
"""


def test_hooks_know_a_branch_from_a_tag() -> None:
    first, second = [f for f in facts("yaml", HOOKS) if isinstance(f, HookRepository)]
    assert (first.floating, first.hooks, first.span.first) == (True, ("ruff", "trailing-whitespace"), 3)
    assert (second.floating, second.repository) == (False, "local")


def test_a_file_of_hooks_knows_what_they_do_and_which_cannot_fail() -> None:
    file = one(HookFile, facts("yaml", HOOKS))
    assert file.hooks == ("ruff", "trailing-whitespace", "types", "tests")
    assert file.work == ("lint", "test", "types")
    assert file.floating == ("https://x/y",)
    assert file.unheeded == ("tests",)


def test_a_pipeline_that_makes_a_target_does_what_the_target_does() -> None:
    found = delivery_facts(
        design(
            "```yaml\njobs:\n  a:\n    steps:\n      - run: make verify\n```\n\nText.\n\n"
            "```make\nverify: quick\n\tpytest\nquick:\n\t$(MAKE) static\nstatic:\n\tmypy src\n```\n"
        )
    )
    assert one(PipelineStep, list(found)).work == ("test", "types")


def test_targets_that_call_each_other_in_a_ring_end() -> None:
    pipeline = "```yaml\njobs:\n  a:\n    steps:\n      - run: make a\n```\n"
    found = delivery_facts(design(f"{pipeline}\nText.\n\n```make\na: b\nb: a\n\tpytest\n```\n"))
    assert one(PipelineStep, list(found)).work == ("test",)


def test_a_project_file_tells_bounds_strictness_and_coverage() -> None:
    project = one(
        ProjectFile,
        facts(
            "toml",
            '[project]\nname = "a"\nrequires-python = ">=3.12"\n'
            'dependencies = ["fastapi>=0.115,<1", "orjson ; python_version > \'3\'", "uvicorn[standard]"]\n'
            "[tool.mypy]\nstrict = true\n[tool.coverage.report]\nfail_under = 85\n[tool.ruff]\nignore = ['ALL']\n",
        ),
    )
    assert project.requires == ">=3.12"
    assert project.dependencies == ("fastapi", "orjson", "uvicorn")
    assert project.unbounded == ("orjson", "uvicorn")
    assert project.strict_types is True
    assert project.coverage_least == 85
    assert project.ignored_rules


def test_poetrys_form_is_read() -> None:
    project = one(
        ProjectFile,
        facts(
            "toml",
            '[tool.poetry.dependencies]\npython = "^3.12"\nfastapi = "*"\nkafka = {version = "^1"}\n'
            'own = {path = "../own"}\nmany = [{version = "1", python = "<3.12"}]\nany = {extras = ["x"]}\n',
        ),
    )
    assert project.unbounded == ("fastapi", "any")
    assert project.requires == "^3.12"
    assert project.strict_types is None


@pytest.mark.parametrize(
    ("bound", "version", "admitted"),
    [
        (">=3.12", "3.11", False),
        (">=3.12", "3.12.4", True),
        (">=3.11,<3.13", "3.13", False),
        ("^3.11", "3.13", True),
        ("^3.11", "4.0", False),
        ("~=3.11", "3.13", True),
        ("~=3.11.2", "3.12", False),
        ("==3.12.*", "3.12.1", True),
        ("==3.12", "3.11", False),
        (">3.11", "3.12", True),
        ("<=3.12", "3.13", False),
        (">=3", "2.7", True),
        ("whatever", "3.11", True),
        ("", "3.11", True),
    ],
)
def test_a_bound_admits_versions_of_python_or_does_not(bound: str, version: str, admitted: bool) -> None:
    assert admits(bound, version) is admitted


def test_an_image_with_a_python_that_the_project_refuses_is_marked() -> None:
    found = delivery_facts(
        design(
            '```toml\n[project]\nname = "a"\nrequires-python = ">=3.13"\n```\n\nText.\n\n'
            "```dockerfile\nFROM --platform=linux/amd64 docker.io/library/python:3.12-slim AS base\n"
            "FROM python:3.13\n```\n"
        )
    )
    versions = [f for f in found if isinstance(f, PythonVersion)]
    assert [(v.version, v.place, v.refused) for v in versions] == [("3.12", "image", ">=3.13"), ("3.13", "image", "")]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("toml", "[tool.mypy\nstrict"),
        ("toml", "project = 3"),
        ("toml", "tool = [1]"),
        ("toml", "[project]\ndependencies = 4\n"),
        ("yaml", "jobs: [1, 2"),
        ("yaml", "jobs:\n  a: nothing\n"),
        ("yaml", "repos: none\n"),
        ("make", "just some words"),
        ("", "a: b"),
        ("python", "test: int = 1"),
        ("mermaid", "flowchart LR\n a --> b"),
        ("dockerfile", "FROM scratch"),
    ],
)
def test_what_is_none_of_them_or_broken_yields_nothing(language: str, text: str) -> None:
    assert facts(language, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[tool]\nmypy = 1\nruff = 'x'\ncoverage = []\npoetry = 2\n",
        '[project]\ndependencies = [1, {}, ""]\nrequires-python = 3\n',
        "[tool.poetry.dependencies]\na = []\nb = 3\nc = {version = 1}\n",
        "[tool.ruff]\nignore = 'ALL'\n[tool.coverage.report]\nfail_under = 'all'\n",
    ],
)
def test_values_of_the_wrong_kind_raise_nothing(text: str) -> None:
    assert all(isinstance(f, ProjectFile) for f in facts("toml", text))


@pytest.mark.parametrize(
    "text", ["repos: [1, [2], {hooks: 3}]", "repos:\n  - repo: {a: 1}\n    rev: [1]\n    hooks: [1]\n"]
)
def test_hooks_of_the_wrong_kind_raise_nothing(text: str) -> None:
    assert not [f for f in facts("yaml", text) if isinstance(f, HookFile)]
