"""Makefiles, hooks, pipelines and project files become facts; what is none of them yields nothing."""

from __future__ import annotations

from typing import TypeVar

import pytest

from draftproof.facts.base import Fact
from draftproof.facts.delivery import HookFile, HookRepository, Makefile, MakeTarget, Pipeline, PipelineStep, ProjectFile, delivery_facts
from tests.fakes.documents import design

F = TypeVar("F", bound=Fact)


def facts(language: str, text: str) -> list[Fact]:
    return list(delivery_facts(design(f"```{language}\n{text}\n```\n")))


def one(kind: type[F], found: list[Fact]) -> F:
    (fact,) = [f for f in found if isinstance(f, kind)]
    return fact


def test_a_makefile_is_read_with_its_recipes_and_what_it_lacks() -> None:
    found = facts(
        "make",
        ".PHONY: test\ncheck: lint test types  # all\n\ntest: .env\n\tpytest -q\nlint:\n\truff check .\nX := 1\n",
    )
    targets = {t.name: t for t in found if isinstance(t, MakeTarget)}
    assert set(targets) == {"check", "test", "lint"}
    assert targets["check"].missing == ("types",)
    assert targets["test"].missing == ()
    assert targets["test"].commands == ("pytest -q",)
    assert targets["test"].span.first == 5
    assert one(Makefile, found).work == ("test", "lint")


def test_hooks_know_a_branch_from_a_tag() -> None:
    found = facts(
        "yaml",
        "repos:\n  - repo: https://x/y\n    rev: master\n    hooks: [{id: a}, {id: b}]\n"
        "  - repo: local\n    hooks: []\n",
    )
    first, second = [f for f in found if isinstance(f, Hook)]
    assert (first.floating, first.hooks) == (True, ("a", "b"))
    assert (second.floating, second.repository) == (False, "local")


@pytest.mark.parametrize("command", ["pytest || true", "pytest -q ; set +e", "ruff check --exit-zero ."])
def test_a_step_whose_failure_is_swallowed_is_harmless(command: str) -> None:
    step = one(PipelineStep, facts("yaml", f"jobs:\n  a:\n    steps:\n      - run: {command}\n"))
    assert step.harmless


def test_a_pipeline_knows_what_a_deployment_waits_for() -> None:
    text = (
        "jobs:\n  test:\n    steps: [{run: pytest}]\n  build:\n    needs: test\n    steps: [{run: docker build .}]\n"
        "  deploy:\n    needs: [build]\n    steps: [{run: kubectl apply -f k8s}]\n"
    )
    assert one(Pipeline, facts("yaml", text)).order == ("build", "deploy", "test")


def test_stages_of_gitlab_are_an_order() -> None:
    text = (
        "stages: [test, deploy]\nunit:\n  stage: test\n  script: [pytest]\nrelease:\n  stage: deploy\n"
        "  script:\n    - helm upgrade a b\n"
    )
    pipeline = one(Pipeline, facts("yaml", text))
    assert pipeline.jobs == ("unit", "release")
    assert "test" in pipeline.order


def test_a_project_file_tells_bounds_and_strictness() -> None:
    text = (
        '[project]\nname = "a"\ndependencies = ["fastapi>=0.115,<1", "orjson", "uvicorn[standard]"]\n'
        "[tool.mypy]\nstrict = true\n"
    )
    project = one(ProjectFile, facts("toml", text))
    assert project.dependencies == ("fastapi", "orjson", "uvicorn")
    assert project.unbounded == ("orjson", "uvicorn")
    assert project.strict_types is True


def test_poetrys_form_is_read() -> None:
    project = one(
        ProjectFile,
        facts("toml", '[tool.poetry.dependencies]\npython = "^3.12"\nfastapi = "*"\nkafka = {version = "^1"}\n'),
    )
    assert project.unbounded == ("fastapi",)
    assert project.strict_types is None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("toml", "[tool.mypy\nstrict"),
        ("yaml", "jobs: [1, 2"),
        ("yaml", "jobs:\n  a: nothing\n"),
        ("yaml", "repos: none\n"),
        ("make", "just some words"),
        ("", "a: b"),
        ("python", "test: int = 1"),
        ("mermaid", "flowchart LR\n a --> b"),
    ],
)
def test_what_is_none_of_them_or_broken_yields_nothing(language: str, text: str) -> None:
    assert facts(language, text) == []
