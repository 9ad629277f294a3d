"""CI pipelines in the form of GitHub and of GitLab: what runs, when, and what waits for what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from draftproof.domain.document import Span
from draftproof.facts.base import Block, Fact
from draftproof.facts.commands import KnownWork, unheeded_work, work_of, work_of_action
from draftproof.facts.yaml_blocks import Node

_BRANCH_OF_AN_ACTION = re.compile(r"@(?:main|master|latest|develop)$")
_ON_A_CHANGE = frozenset({"pull_request", "pull_request_target", "merge_group"})
_RELEASED_BRANCH = re.compile(r"^(?:main|master|trunk|develop|production|release.*)$")
_GITLAB_WORDS = frozenset({"stages", "variables", "default", "include", "image", "services", "workflow", "cache"})
_GITLAB_STAGES = ("build", "test", "deploy")
_DEPLOYING_JOB = re.compile(r"^deploy(?!.*(?:docs?|pages|preview|review))", re.IGNORECASE)
_VERSION = re.compile(r"^\d+\.\d+(?:\.\d+)?$")
_PYTHON_IMAGE = re.compile(r"(?:^|/)python:(\d+\.\d+(?:\.\d+)?)")
# So deep may one job wait for another, or extend it; a ring ends there.
_DEEPEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineStep(Fact):
    """
    A step of a CI pipeline.

    Args:
        job:      The job that it belongs to.
        command:  What it runs, on one line.
        action:   The action or workflow that it uses, or empty.
        work:     Kinds of work: test, lint, types, format, build, deploy.
        unheeded: Those of them whose failure does not fail the pipeline.
        moving:   Whether the action is taken from a branch.

    """

    kind: ClassVar[str] = "ci.step"
    job: str
    command: str = ""
    action: str = ""
    work: tuple[str, ...] = ()
    unheeded: tuple[str, ...] = ()
    moving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline(Fact):
    """
    A whole CI file.

    Args:
        jobs:     Names of its jobs.
        work:     Kinds of work over all steps.
        unheeded: Those of them whose failure does not fail the pipeline in some step.
        deploys:  Whether a job deploys, by its commands or its name.
        order:    Kinds of work that every deploying job does or waits for, directly or not;
                  empty where nothing is deployed.
        every:    Kinds of work that some job does on every change: it waits for nobody's hand
                  and for no certain files.
        starts:   ``change`` for a pull request or a push to any branch, ``merge`` for a push
                  to the main branch, ``schedule``; empty where the file does not say.

    """

    kind: ClassVar[str] = "ci.pipeline"
    jobs: tuple[str, ...]
    work: tuple[str, ...]
    unheeded: tuple[str, ...] = ()
    deploys: bool = False
    order: tuple[str, ...] = ()
    every: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineService(Fact):
    """A container that a job starts beside itself, such as a database; ``major`` of its tag, or empty."""

    kind: ClassVar[str] = "ci.service"
    job: str
    image: str
    major: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonVersion(Fact):
    """
    A version of Python that something runs on.

    Args:
        version: Such as ``3.12``.
        place:   ``pipeline`` or ``image``.
        refused: The project's ``requires-python``, where it refuses that version; else empty.

    """

    kind: ClassVar[str] = "python.version"
    version: str
    place: str
    refused: str = ""


def pipeline_facts(block: Block, root: Node, known: KnownWork) -> Iterator[Fact]:
    """Yield the facts of a CI file; any other YAML yields nothing."""
    jobs = dict(_jobs(root))
    steps = [step for name, job in jobs.items() for step in _steps(block, name, job, root, known)]
    if not steps:
        return
    yield from steps
    for name, job in jobs.items():
        yield from _services(block, name, job)
        yield from _pythons(block, job)
    if root.get("jobs") is None:
        yield from _pythons(block, root)
    yield _pipeline(block, root, jobs, steps)


def _pipeline(block: Block, root: Node, jobs: Mapping[str, Node], steps: list[PipelineStep]) -> Pipeline:
    work = {name: {kind for step in steps if step.job == name for kind in step.work} for name in jobs}
    deploying = [name for name, job in jobs.items() if _deploys(name, job, work[name])]
    orders = [
        {kind for other in _awaited(name, jobs, root) | {name} for kind in work.get(other, set())} for name in deploying
    ]
    return Pipeline(
        span=block.span,
        jobs=tuple(jobs),
        work=tuple(sorted({kind for kinds in work.values() for kind in kinds})),
        unheeded=tuple(sorted({kind for step in steps for kind in step.unheeded})),
        deploys=bool(deploying),
        order=tuple(sorted(set.intersection(*orders))) if orders else (),
        every=tuple(sorted({kind for name, job in jobs.items() if not _is_bound(job, root) for kind in work[name]})),
        starts=tuple(sorted(_starts(root))),
    )


def _jobs(root: Node) -> Iterator[tuple[str, Node]]:
    """Yield the jobs of GitHub's and GitLab's form."""
    jobs = root.get("jobs")
    if jobs is not None and isinstance(jobs.value, dict):
        yield from jobs.value.items()
    elif isinstance(root.value, dict):
        for name, job in root.value.items():
            if name not in _GITLAB_WORDS and not name.startswith(".") and _inherited(job, "script", root) is not None:
                yield name, job


def _inherited(job: Node, member: str, root: Node) -> Node | None:
    """Return a member of a GitLab job, or of the job that it extends."""
    for _ in range(_DEEPEST):
        found = job.get(member)
        parent = root.get(job.text("extends")) if job.text("extends") else None
        if found is not None or parent is None:
            return found
        job = parent
    return None


def _steps(block: Block, name: str, job: Node, root: Node, known: KnownWork) -> Iterator[PipelineStep]:
    called = job.text("uses")
    if called:
        yield _step(block, name, job, known, whole=False)
    steps = job.get("steps") or _inherited(job, "script", root)
    if steps is None:
        return
    whole = job.text("continue-on-error") == "true" or job.text("allow_failure") == "true"
    for entry in steps.value if isinstance(steps.value, list) else [steps]:
        step = _step(block, name, entry, known, whole)
        if step.command or step.action:
            yield step


def _step(block: Block, job: str, entry: Node, known: KnownWork, whole: bool) -> PipelineStep:
    command = entry.value if isinstance(entry.value, str) else entry.text("run")
    action = entry.text("uses")
    work = work_of(command, known) | work_of_action(action, known)
    lenient = whole or entry.text("continue-on-error") == "true"
    return PipelineStep(
        span=block.lines(entry.first, entry.last),
        job=job,
        command=" ".join(command.split()),
        action=action,
        work=tuple(sorted(work)),
        unheeded=tuple(sorted(work if lenient else unheeded_work(command, known))),
        moving=bool(_BRANCH_OF_AN_ACTION.search(action)),
    )


# -- order --------------------------------------------------------------------------------


def _deploys(name: str, job: Node, work: set[str]) -> bool:
    environment = job.text("environment") or job.text("environment", "name")
    return "deploy" in work or bool(_DEPLOYING_JOB.match(name)) or environment.lower().startswith("prod")


def _awaited(name: str, jobs: Mapping[str, Node], root: Node) -> set[str]:
    """Return the jobs whose success a job waits for, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        job = jobs.get(waiting.pop())
        new = [other for other in _needed(job, jobs, root) if other not in found] if job is not None else []
        found.update(new)
        waiting.extend(new)
    return found


def _needed(job: Node, jobs: Mapping[str, Node], root: Node) -> list[str]:
    """Return the jobs that a job needs: by ``needs``, or in GitLab by the order of stages."""
    if "always()" in job.text("if") or job.text("when") == "always":
        return []
    needs = job.get("needs")
    if needs is not None:
        entries = needs.value if isinstance(needs.value, list) else [needs]
        return [entry.value if isinstance(entry.value, str) else entry.text("job") for entry in entries]
    if root.get("jobs") is not None:
        return []
    stages = root.get("stages")
    order = stages.names() if stages is not None else list(_GITLAB_STAGES)
    stage = _stage(job, root)
    earlier = order[: order.index(stage)] if stage in order else []
    return [name for name, other in jobs.items() if _stage(other, root) in earlier]


def _is_bound(job: Node, root: Node) -> bool:
    """Return whether a job waits for somebody's hand, certain files or a schedule."""
    if job.text("when") in ("manual", "never"):
        return True
    rules = [node for member in ("rules", "only") if (node := _inherited(job, member, root)) is not None]
    entries = [entry for node in rules for entry in (node.value if isinstance(node.value, list) else [node])]
    by_files = any(entry.get("changes") is not None for entry in entries)
    by_schedule = bool(entries) and all(
        "schedule" in (entry.value if isinstance(entry.value, str) else entry.text("if")) for entry in entries
    )
    paths = root.get("on", "pull_request", "paths") is not None
    return by_files or by_schedule or paths or all(entry.text("when") == "manual" for entry in entries or [root])


def _stage(job: Node, root: Node) -> str:
    stage = _inherited(job, "stage", root)
    return stage.value if stage is not None and isinstance(stage.value, str) else "test"


def _starts(root: Node) -> set[str]:
    """Return on what a GitHub workflow starts; of GitLab's rules nothing is said."""
    events = root.get("on")
    if events is None:
        return set()
    names = [events.value] if isinstance(events.value, str) else events.names()
    found = {"change" for name in names if name in _ON_A_CHANGE}
    found |= {"schedule" for name in names if name == "schedule"}
    if "push" in names:
        branches = events.get("push", "branches")
        tags = events.get("push", "tags")
        if branches is not None:
            only_released = all(_RELEASED_BRANCH.match(branch) for branch in branches.names())
            found.add("merge" if only_released else "change")
        elif tags is None:
            found.add("change")
    return found


# -- what a job runs on -------------------------------------------------------------------


def _services(block: Block, name: str, job: Node) -> Iterator[PipelineService]:
    services = job.get("services")
    if services is None:
        return
    entries = list(services.value.values()) if isinstance(services.value, dict) else services.value
    for entry in entries if isinstance(entries, list) else ():
        image = entry.value if isinstance(entry.value, str) else entry.text("image") or entry.text("name")
        if image:
            yield PipelineService(
                span=block.lines(entry.first, entry.last), job=name, image=image, major=major_version(image)
            )


def major_version(image: str) -> str:
    """Return the first number of an image's tag, or an empty string."""
    found = re.search(r":v?(\d+)", image.rsplit("/", 1)[-1])
    return found.group(1) if found else ""


def _pythons(block: Block, job: Node) -> Iterator[PythonVersion]:
    image = job.text("image") or job.text("image", "name") or job.text("container") or job.text("container", "image")
    found = _PYTHON_IMAGE.search(image)
    if found:
        at = job.get("image") or job.get("container") or job
        yield PythonVersion(span=_first_line(block, at), version=found.group(1), place="pipeline")
    steps = job.get("steps")
    for step in steps.value if steps is not None and isinstance(steps.value, list) else ():
        version = step.get("with", "python-version")
        if version is not None and isinstance(version.value, str) and _VERSION.match(version.value):
            yield PythonVersion(span=_first_line(block, version), version=version.value, place="pipeline")
    matrix = job.get("strategy", "matrix", "python-version") or job.get("strategy", "matrix", "python")
    for entry in matrix.value if matrix is not None and isinstance(matrix.value, list) else ():
        if isinstance(entry.value, str) and _VERSION.match(entry.value):
            yield PythonVersion(span=_first_line(block, entry), version=entry.value, place="pipeline")


def _first_line(block: Block, node: Node) -> Span:
    return block.lines(node.first)
