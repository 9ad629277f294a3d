"""Makefiles, pre-commit configurations, CI pipelines and pyproject files, as a design's fences show them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from draftproof.domain.document import Document
from draftproof.facts.base import Block, Fact, blocks
from draftproof.facts.yaml_blocks import Node, yaml_nodes

_TARGET = re.compile(r"^([\w.%/-]+(?:[ ]+[\w.%/-]+)*)\s*:(?!=)\s*([^#=\n]*?)\s*(?:#.*)?$")
_RECIPE = re.compile(r"^(?:\t|\s{2,})(\S.*)$")
# Kinds of work that a command does, by the tool that it runs.
_WORK = {
    "test": re.compile(r"\b(?:pytest|tox|nox|unittest|hypothesis)\b|\bmake\s+(?:[\w-]+\s+)*tests?\b|\bcoverage run\b"),
    "lint": re.compile(r"\b(?:ruff(?:\s+check)?|flake8|pylint)\b|\bmake\s+(?:[\w-]+\s+)*lint\b|\bpre-commit run\b"),
    "types": re.compile(r"\b(?:mypy|pyright|basedpyright|ty check)\b|\bmake\s+(?:[\w-]+\s+)*types?\b"),
    "format": re.compile(r"\b(?:ruff format|black|isort)\b"),
    "build": re.compile(r"\bdocker (?:buildx )?build\b|\bkaniko\b"),
    "deploy": re.compile(r"\b(?:helm (?:upgrade|install)|kubectl apply|argocd|ansible-playbook)\b|\bmake\s+deploy\b"),
}
_SWALLOWED = re.compile(r"\|\|\s*(?:true|:|exit 0|echo)\b|--exit-zero\b|\bset \+e\b|^-(?=\w)")
_FLOATING = frozenset({"main", "master", "head", "latest", "stable", "develop"})
_MOVING_ACTION = re.compile(r"@(?:main|master|latest)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeTarget(Fact):
    """
    A target of a Makefile.

    Args:
        name:     The target.
        needs:    Targets and files that it depends on.
        commands: Its recipe, line by line.
        missing:  Targets that it depends on and the file does not have; files with a dot or
                  a slash do not count.

    """

    kind: ClassVar[str] = "make.target"
    name: str
    needs: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Makefile(Fact):
    """A whole Makefile: its targets, and the kinds of work that they do."""

    kind: ClassVar[str] = "make.file"
    targets: tuple[str, ...]
    work: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook(Fact):
    """
    A repository of pre-commit hooks.

    Args:
        repository: Its address, or ``local``.
        revision:   As written.
        floating:   Whether the revision is a branch.
        hooks:      Ids of the hooks taken from it.

    """

    kind: ClassVar[str] = "precommit.hooks"
    repository: str
    revision: str = ""
    floating: bool = False
    hooks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineStep(Fact):
    """
    A step of a CI pipeline.

    Args:
        job:      The job that it belongs to.
        command:  What it runs, on one line.
        action:   The action that it uses, or empty.
        work:     Kinds of work: test, lint, types, format, build, deploy.
        harmless: Whether its failure does not fail the pipeline.
        moving:   Whether the action is taken from a branch.

    """

    kind: ClassVar[str] = "ci.step"
    job: str
    command: str = ""
    action: str = ""
    work: tuple[str, ...] = ()
    harmless: bool = False
    moving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline(Fact):
    """
    A whole CI file.

    Args:
        jobs:  Names of its jobs.
        work:  Kinds of work over all steps.
        order: Kinds of work that a deploying job waits for, directly or not; empty where
               nothing is deployed.

    """

    kind: ClassVar[str] = "ci.pipeline"
    jobs: tuple[str, ...]
    work: tuple[str, ...]
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile(Fact):
    """
    A ``pyproject.toml``, or what is shown of it.

    Args:
        dependencies: Names of the dependencies.
        unbounded:    Those without any bound.
        tools:        Tools that it configures.
        strict_types: Whether mypy or pyright is strict; ``None`` where neither is configured.
        ignored_types: Whether all errors of types are ignored.

    """

    kind: ClassVar[str] = "python.project"
    dependencies: tuple[str, ...] = ()
    unbounded: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    strict_types: bool | None = None
    ignored_types: bool = False


def delivery_facts(document: Document) -> Iterable[Fact]:
    """Yield Makefiles, hooks, pipelines and project files of a document."""
    for block in blocks(document):
        if block.diagram:
            continue
        if block.language in ("make", "makefile") or _looks_like_make(block):
            yield from _make(block)
        elif block.language == "toml" or "[tool." in block.text or "[project]" in block.text:
            yield from _project(block)
        else:
            for node in yaml_nodes(block):
                yield from _hooks(block, node)
                yield from _pipeline(block, node)


# -- make ---------------------------------------------------------------------------------


def _looks_like_make(block: Block) -> bool:
    return not block.language and ".PHONY" in block.text


def _make(block: Block) -> Iterator[Fact]:
    found: list[tuple[str, tuple[str, ...], list[str], int, int]] = []
    for number, line in enumerate(block.text.split("\n")):
        recipe = _RECIPE.match(line)
        if recipe and found:
            name, needs, commands, first, _ = found[-1]
            commands.append(recipe.group(1).strip())
            found[-1] = (name, needs, commands, first, number)
            continue
        target = _TARGET.match(line)
        if not target or target.group(1) == ".PHONY":
            continue
        needs_text, _, inline = target.group(2).partition(";")
        commands = [inline.strip()] if inline.strip() else []
        for one in target.group(1).split():
            found.append((one, tuple(needs_text.replace("|", " ").split()), list(commands), number, number))
    if not found:
        return
    names = {name for name, *_ in found}
    for name, needs, commands, first, last in found:
        missing = tuple(n for n in needs if n not in names and not re.search(r"[./%$*]", n))
        yield MakeTarget(
            span=block.lines(first, last), name=name, needs=needs, commands=tuple(commands), missing=missing
        )
    work = _work(" ; ".join([*(c for _, _, cs, *_ in found for c in cs)]))
    yield Makefile(span=block.span, targets=tuple(n for n, *_ in found), work=work)


def _work(command: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in _WORK.items() if pattern.search(command))


# -- pre-commit ---------------------------------------------------------------------------


def _hooks(block: Block, node: Node) -> Iterator[Fact]:
    repositories = node.get("repos")
    if repositories is None or not isinstance(repositories.value, list):
        return
    for entry in repositories.value:
        revision = entry.text("rev")
        hooks = entry.get("hooks")
        ids = tuple(hook.text("id") for hook in hooks.value) if hooks and isinstance(hooks.value, list) else ()
        yield Hook(
            span=block.lines(entry.first, entry.last),
            repository=entry.text("repo"),
            revision=revision,
            floating=revision.lower() in _FLOATING,
            hooks=tuple(filter(None, ids)),
        )


# -- CI -----------------------------------------------------------------------------------

_GITLAB_WORDS = frozenset({"stages", "variables", "default", "include", "image", "services", "workflow", "cache"})


def _pipeline(block: Block, node: Node) -> Iterator[Fact]:
    jobs = dict(_jobs(node))
    if not jobs:
        return
    steps = [step for name, job in jobs.items() for step in _steps(block, name, job)]
    if not steps:
        return
    yield from steps
    work = {name: {kind for step in steps if step.job == name for kind in step.work} for name in jobs}
    before = {name: _needs(name, jobs, node) for name in jobs}
    deploying = [name for name, kinds in work.items() if "deploy" in kinds or name.lower().startswith("deploy")]
    order = {kind for name in deploying for other in before[name] | {name} for kind in work.get(other, set())}
    yield Pipeline(
        span=block.span,
        jobs=tuple(jobs),
        work=tuple(sorted({kind for kinds in work.values() for kind in kinds})),
        order=tuple(sorted(order)),
    )


def _jobs(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the jobs of GitHub's and GitLab's form."""
    jobs = node.get("jobs")
    if jobs is not None and isinstance(jobs.value, dict):
        yield from jobs.value.items()
    elif isinstance(node.value, dict):
        for name, job in node.value.items():
            if name not in _GITLAB_WORDS and job.get("script") is not None:
                yield name, job


def _steps(block: Block, name: str, job: Node) -> Iterator[PipelineStep]:
    steps = job.get("steps") or job.get("script")
    if steps is None:
        return
    whole = job.text("continue-on-error") == "true" or job.text("allow_failure") == "true"
    entries = steps.value if isinstance(steps.value, list) else [steps]
    for entry in entries:
        command = entry.value if isinstance(entry.value, str) else entry.text("run")
        action = entry.text("uses")
        if not command and not action:
            continue
        harmless = whole or entry.text("continue-on-error") == "true" or bool(_SWALLOWED.search(command))
        yield PipelineStep(
            span=block.lines(entry.first, entry.last),
            job=name,
            command=" ".join(command.split()),
            action=action,
            work=_work(command),
            harmless=harmless,
            moving=bool(_MOVING_ACTION.search(action)),
        )


def _needs(name: str, jobs: dict[str, Node], node: Node) -> set[str]:
    """Return the jobs that a job waits for: by ``needs``, or in GitLab by the order of stages."""
    found: set[str] = set()
    waiting = [name]
    stages = node.get("stages")
    order = stages.names() if stages is not None else []
    while waiting:
        job = jobs.get(waiting.pop())
        if job is None:
            continue
        needs = job.get("needs")
        direct = [needs.value] if needs is not None and isinstance(needs.value, str) else needs.names() if needs else []
        if needs is None and job.text("stage") in order:
            earlier = order[: order.index(job.text("stage"))]
            direct = [other for other, entry in jobs.items() if entry.text("stage") in earlier]
        new = [other for other in direct if other not in found]
        found.update(new)
        waiting.extend(new)
    return found


# -- pyproject ----------------------------------------------------------------------------


def _project(block: Block) -> Iterator[Fact]:
    try:
        data = tomllib.loads(re.sub(r"^\s*(?:\.\.\.|…)\s*$", "", block.text, flags=re.MULTILINE))
    except tomllib.TOMLDecodeError:
        return
    tools = data.get("tool", {})
    if not isinstance(tools, dict) or not (tools or "project" in data):
        return
    dependencies = dict(_dependencies(data))
    if not dependencies and not tools:
        return
    mypy: dict[str, Any] = tools.get("mypy") or {}
    pyright: dict[str, Any] = tools.get("pyright") or tools.get("basedpyright") or {}
    strict: bool | None = None
    if mypy or pyright:
        strict = mypy.get("strict") is True or pyright.get("typeCheckingMode") == "strict"
    yield ProjectFile(
        span=block.span,
        dependencies=tuple(dependencies),
        unbounded=tuple(name for name, bound in dependencies.items() if bound in ("", "*")),
        tools=tuple(tools),
        strict_types=strict,
        ignored_types=mypy.get("ignore_errors") is True,
    )


def _dependencies(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for text in data.get("project", {}).get("dependencies", []):
        found = re.match(r"([\w.-]+)(?:\[[^\]]*\])?\s*(.*)$", str(text))
        if found:
            yield found.group(1).lower(), found.group(2).partition(";")[0].strip()
    poetry = data.get("tool", {}).get("poetry", {}).get("dependencies", {})
    for name, bound in poetry.items():
        if name != "python":
            yield name.lower(), bound if isinstance(bound, str) else str(bound.get("version", bound))
