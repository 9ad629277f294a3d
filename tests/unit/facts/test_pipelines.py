"""What a CI file runs, when it starts, and what waits for what."""

from __future__ import annotations

from typing import TypeVar

import pytest

from draftproof.facts.base import Fact
from draftproof.facts.commands import KnownWork, called_targets, unheeded_work, work_of, work_of_action
from draftproof.facts.delivery import delivery_facts
from draftproof.facts.pipelines import Pipeline, PipelineService, PipelineStep, PythonVersion
from tests.fakes.facts import fenced

F = TypeVar("F", bound=Fact)


def facts(text: str, kind: type[F]) -> list[F]:
    return [f for f in delivery_facts(fenced(text, "yaml")) if isinstance(f, kind)]


def pipeline(text: str) -> Pipeline:
    (found,) = facts(text, Pipeline)
    return found


@pytest.mark.parametrize(
    ("command", "work"),
    [
        ("uv run pytest -q", {"test"}),
        ("pip install pytest ruff mypy", set()),
        ("pip install pytest && ruff check . && mypy src", {"lint", "types"}),
        ("echo run pytest by hand", set()),
        ("ruff format --check .", {"format"}),
        ("ruff .", {"lint"}),
        ("docker compose run --rm api pytest", {"test"}),
        ("tox -e lint", set()),
        ("make lint test", {"lint", "test"}),
        ("make deploy", {"deploy"}),
        ("docker buildx build .", {"build"}),
    ],
)
def test_a_command_does_what_its_tool_does(command: str, work: set[str]) -> None:
    assert work_of(command) == work


def test_a_command_does_what_the_target_and_the_hooks_do_that_it_calls() -> None:
    known = KnownWork({"ci": frozenset({"test", "types"})}, frozenset({"format"}))
    assert work_of("make ci", known) == {"test", "types"}
    assert work_of("pre-commit run --all-files", known) == {"lint", "format"}
    assert work_of_action("pre-commit/action@v3.0.1", known) == {"lint", "format"}
    assert called_targets("make -C docs ci") == []


@pytest.mark.parametrize(
    ("command", "unheeded"),
    [
        ("pytest || true", {"test"}),
        ("pytest || echo oops", {"test"}),
        ("pytest && ruff check --exit-zero .", {"lint"}),
        ("ruff check . || true\npytest", {"lint"}),
        ("set +e\npytest\nruff check .", {"test"}),
        ("set +e\nrm x\nset -e\npytest\nruff check .", set()),
        ("pytest || (docker compose logs; exit 1)", set()),
        ("docker compose down || true", set()),
        ("pytest \\\n  || true", {"test"}),
    ],
)
def test_only_what_is_swallowed_is_unheeded(command: str, unheeded: set[str]) -> None:
    assert unheeded_work(command) == unheeded


@pytest.mark.parametrize("where", ["job", "step"])
def test_a_step_that_may_fail_is_unheeded_as_a_whole(where: str) -> None:
    lenient = "continue-on-error: true"
    text = (
        f"jobs:\n  a:\n    {lenient}\n    steps:\n      - run: pytest\n"
        if where == "job"
        else f"jobs:\n  a:\n    steps:\n      - run: pytest\n        {lenient}\n"
    )
    (step,) = facts(text, PipelineStep)
    assert step.unheeded == ("test",)


def test_actions_and_called_workflows_work_as_well() -> None:
    steps = facts(
        "jobs:\n  tests:\n    uses: ./.github/workflows/tests.yml\n  image:\n    steps:\n"
        "      - uses: docker/build-push-action@main\n",
        PipelineStep,
    )
    assert [(s.work, s.moving) for s in steps] == [(("test",), False), (("build",), True)]


def test_deployment_waits_for_jobs_directly_and_through_others() -> None:
    found = pipeline(
        "jobs:\n  test:\n    steps: [{run: pytest}]\n  build:\n    needs: test\n    steps: [{run: docker build .}]\n"
        "  deploy:\n    needs: [build]\n    steps: [{run: kubectl apply -f k8s}]\n"
    )
    assert found.order == ("build", "deploy", "test")
    assert found.deploys


@pytest.mark.parametrize(
    "deploy",
    [
        "deploy:\n    steps: [{run: ./ship.sh}]",
        "deploy:\n    needs: test\n    if: always()\n    steps: [{run: ./ship.sh}]",
        "ship:\n    environment: production\n    steps: [{run: ./ship.sh}]",
        "ship:\n    environment:\n      name: prod\n    steps: [{run: ./ship.sh}]",
    ],
    ids=["beside", "always", "environment", "named environment"],
)
def test_a_deployment_that_does_not_wait_is_seen(deploy: str) -> None:
    found = pipeline(f"jobs:\n  test:\n    steps: [{{run: pytest}}]\n  {deploy}\n")
    assert found.deploys
    assert "test" not in found.order


def test_all_deploying_jobs_have_to_wait() -> None:
    found = pipeline(
        "jobs:\n  test:\n    steps: [{run: pytest}]\n  deploy-stage:\n    steps: [{run: ./s}]\n"
        "  deploy-prod:\n    needs: test\n    steps: [{run: ./s}]\n"
    )
    assert "test" not in found.order


def test_publishing_documentation_deploys_nothing() -> None:
    text = "jobs:\n  deploy-docs:\n    steps: [{uses: actions/deploy-pages@v4}]\n  t:\n    steps: [{run: pytest}]\n"
    assert not pipeline(text).deploys


GITLAB = "stages: [test, deploy]\nunit:\n  stage: test\n  script: [pytest]\nrelease:\n  stage: deploy\n"


def test_stages_of_gitlab_are_an_order() -> None:
    found = pipeline(GITLAB + "  script:\n    - helm upgrade a b\n")
    assert found.jobs == ("unit", "release")
    assert "test" in found.order


def test_needs_of_gitlab_replace_the_order_of_stages() -> None:
    rest = "  script:\n    - helm upgrade a b\n"
    assert "test" not in pipeline(GITLAB + "  needs: []\n" + rest).order
    assert "test" in pipeline(GITLAB + "  needs: [{job: unit}]\n" + rest).order


def test_a_job_of_gitlab_takes_its_script_from_what_it_extends() -> None:
    found = pipeline(".python:\n  stage: test\n  script: [pytest]\nunit:\n  extends: .python\nx: 1\n")
    assert found.jobs == ("unit",)
    assert found.work == ("test",)


def test_jobs_that_extend_or_need_each_other_in_a_ring_end() -> None:
    assert not facts("a:\n  extends: b\nb:\n  extends: a\nc: 1\n", Pipeline)
    ring = (
        "jobs:\n  a:\n    needs: b\n    steps: [{run: pytest}]\n  deploy:\n    needs: deploy\n    steps: [{run: x}]\n"
    )
    assert pipeline(ring).order == ()


@pytest.mark.parametrize(
    ("on", "starts"),
    [
        ("on: push", ("change",)),
        ("on: [push, pull_request]", ("change",)),
        ("on:\n  pull_request:\n  push:\n    branches: [main]", ("change", "merge")),
        ("on:\n  push:\n    branches: [main]", ("merge",)),
        ("on:\n  push:\n    branches: ['**']", ("change",)),
        ("on:\n  push:\n    tags: ['v*']", ()),
        ("on:\n  schedule:\n    - cron: '0 2 * * *'", ("schedule",)),
        ("name: x", ()),
    ],
)
def test_a_workflow_knows_when_it_starts(on: str, starts: tuple[str, ...]) -> None:
    assert pipeline(f"{on}\njobs:\n  a:\n    steps: [{{run: pytest}}]\n").starts == starts


@pytest.mark.parametrize(
    ("member", "every"),
    [
        ("tags: [x]", ("test",)),
        ("when: on_success", ("test",)),
        ("rules:\n    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'", ("test",)),
        ("only: [merge_requests]", ("test",)),
        ("when: manual", ()),
        ("rules:\n    - when: manual", ()),
        ("rules:\n    - changes: ['tests/**']\n    - when: never", ()),
        ("rules:\n    - if: $CI_PIPELINE_SOURCE == 'schedule'", ()),
        ("only: [schedules]", ()),
        ("only:\n    changes: ['tests/**']", ()),
    ],
)
def test_a_pipeline_knows_what_runs_on_every_change(member: str, every: tuple[str, ...]) -> None:
    assert pipeline(f"unit:\n  {member}\n  script: [pytest]\nb: 1\nc: 2\n").every == every


def test_a_workflow_bound_to_paths_does_not_run_on_every_change() -> None:
    assert pipeline("on:\n  pull_request:\n    paths: [src]\njobs:\n  a:\n    steps: [{run: pytest}]\n").every == ()


def test_services_beside_a_job_are_read_in_both_forms() -> None:
    github = "jobs:\n  a:\n    services:\n      db:\n        image: postgres:16-alpine\n    steps: [{run: pytest}]\n"
    gitlab = "a:\n  services:\n    - postgres:17.2\n    - name: redis\n  script: [pytest]\nb: 1\n"
    assert [(s.image, s.major) for s in facts(github, PipelineService)] == [("postgres:16-alpine", "16")]
    assert [(s.image, s.major) for s in facts(gitlab, PipelineService)] == [("postgres:17.2", "17"), ("redis", "")]


def test_versions_of_python_are_found_in_set_up_matrix_and_image() -> None:
    github = (
        "jobs:\n  a:\n    strategy:\n      matrix:\n        python-version: ['3.11', '3.12']\n    steps:\n"
        "      - uses: actions/setup-python@v5\n        with:\n"
        "          python-version: ${{ matrix.python-version }}\n      - run: pytest\n"
    )
    assert [(v.version, v.span.first) for v in facts(github, PythonVersion)] == [("3.11", 6), ("3.12", 6)]
    gitlab = "image: python:3.13-slim\na:\n  script: [pytest]\nb:\n  image: ghcr.io/x/python:3.12\n  script: [mypy .]\n"
    assert [v.version for v in facts(gitlab, PythonVersion)] == ["3.12", "3.13"]


@pytest.mark.parametrize(
    "text",
    [
        "jobs: 3",
        "jobs:\n  a: [1]",
        "jobs:\n  a:\n    steps: {b: 1}",
        "jobs:\n  a:\n    steps: [[1], 2, {run: [3]}]",
        "jobs:\n  a:\n    needs: {x: [1]}\n    services: 4\n    strategy: 5\n    steps: [{with: 6}]",
        "stages: 7\na:\n  script: {b: c}\nd: 1",
        "on: 8\njobs:\n  a:\n    steps:\n",
    ],
)
def test_pipelines_of_the_wrong_kind_raise_nothing(text: str) -> None:
    assert all(not step.work for step in facts(text, PipelineStep))
