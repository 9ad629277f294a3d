"""Makefiles, commit hooks, project files and, by way of `pipelines`, CI files, as a design's fences show them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from draftproof.domain.document import Document
from draftproof.facts.base import Block, Fact, blocks
from draftproof.facts.commands import KnownWork, called_targets, unheeded_work, work_of
from draftproof.facts.pipelines import PythonVersion, pipeline_facts
from draftproof.facts.yaml_blocks import Node, yaml_nodes

_TARGET = re.compile(r"^([\w.%/-]+(?:[ ]+[\w.%/-]+)*)\s*::?(?![=:])([^#=\n]*)(?:#.*)?$")
_RECIPE = re.compile(r"^(?:\t|\s{2,})(\S.*)$")
_ELIDED = re.compile(r"^\s*#?\s*(?:\.\.\.|…)", re.MULTILINE)
_INCLUDE = re.compile(r"^-?s?include\b", re.MULTILINE)
_BRANCHES = frozenset({"main", "master", "head", "latest", "stable", "develop"})
_IGNORED = re.compile(r"^[@+]*-")
_FROM_PYTHON = re.compile(r"^FROM\s+(?:--\S+\s+)?(?:[\w.-]+/)*python:(\d+\.\d+(?:\.\d+)?)", re.IGNORECASE)
# No target of a real Makefile calls more than so many others.
_MOST_CALLED = 50
_HOOK_WORK = {
    "lint": re.compile(r"^ruff(?:-check)?$|flake8|pylint"),
    "types": re.compile(r"mypy|pyright"),
    "format": re.compile(r"ruff-format|^black|isort"),
    "secrets": re.compile(r"gitleaks|detect-secrets|trufflehog|detect-private-key"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeTarget(Fact):
    """
    A target of a Makefile.

    Args:
        name:     The target.
        needs:    Targets and files that it depends on.
        commands: Its recipe, line by line.
        missing:  Targets that it depends on or makes and the file does not have. Files with a
                  dot or a slash do not count; empty where the file is shown in part.
        unheeded: Kinds of work whose failure does not fail the target.

    """

    kind: ClassVar[str] = "make.target"
    name: str
    needs: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unheeded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Makefile(Fact):
    """A whole Makefile: its targets, and the kinds of work that they do."""

    kind: ClassVar[str] = "make.file"
    targets: tuple[str, ...]
    work: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRepository(Fact):
    """
    A repository of commit hooks.

    Args:
        repository: Its address, or ``local``.
        revision:   As written.
        floating:   Whether the revision is a branch.
        hooks:      Ids of the hooks taken from it.

    """

    kind: ClassVar[str] = "precommit.repository"
    repository: str
    revision: str = ""
    floating: bool = False
    hooks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFile(Fact):
    """
    A whole ``.pre-commit-config.yaml``.

    Args:
        hooks:    Ids of all hooks.
        work:     Kinds of work: lint, types, format, secrets, test.
        floating: Repositories that are taken from a branch.
        unheeded: Hooks whose failure does not stop the commit.

    """

    kind: ClassVar[str] = "precommit.file"
    hooks: tuple[str, ...]
    work: tuple[str, ...] = ()
    floating: tuple[str, ...] = ()
    unheeded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile(Fact):
    """
    A ``pyproject.toml``, or what is shown of it.

    Args:
        requires:      The Python that it requires, as written, or empty.
        dependencies:  Names of the dependencies.
        unbounded:     Those without any bound.
        tools:         Tools that it configures.
        strict_types:  Whether mypy or pyright is strict; ``None`` where neither is configured.
        typed_functions: Whether mypy refuses functions without types though it is not strict.
        ignored_types: Whether all errors of types are ignored.
        ignored_rules: Whether all rules of the linter are ignored.
        coverage_least: Percentage below which the coverage report fails; 0 where it is not set.

    """

    kind: ClassVar[str] = "python.project"
    requires: str = ""
    dependencies: tuple[str, ...] = ()
    unbounded: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    strict_types: bool | None = None
    typed_functions: bool = False
    ignored_types: bool = False
    ignored_rules: bool = False
    coverage_least: float = 0.0


def delivery_facts(document: Document) -> Iterable[Fact]:
    """Return the Makefiles, hooks, pipelines, project files and Python versions of a document."""
    found: list[Fact] = []
    yaml_parts: list[tuple[Block, Node]] = []
    for block in blocks(document):
        if block.diagram:
            continue
        if block.language in ("make", "makefile") or (not block.language and ".PHONY" in block.text):
            found.extend(_make(block))
        elif block.language == "toml" or "[tool." in block.text or "[project]" in block.text:
            found.extend(_project(block))
        elif block.language in ("dockerfile", "docker"):
            found.extend(_base_images(block))
        else:
            yaml_parts.extend((block, node) for node in yaml_nodes(block))
    for block, node in yaml_parts:
        found.extend(_hooks(block, node))
    known = _known(found)
    for block, node in yaml_parts:
        found.extend(pipeline_facts(block, node, known))
    return _refused(found)


# -- make ---------------------------------------------------------------------------------


def _make(block: Block) -> Iterator[Fact]:
    targets = list(_targets(block))
    if not targets:
        return
    names = [target.name for target in targets]
    known = frozenset(names)
    patterns = [re.compile(re.escape(name).replace("%", ".+")) for name in names if "%" in name]
    whole = not _ELIDED.search(block.text) and not _INCLUDE.search(block.text)
    for target in targets:
        wanted = [*target.needs, *(name for command in target.commands for name in called_targets(command))]
        missing = [name for name in dict.fromkeys(wanted) if whole and not _exists(name, known, patterns)]
        yield replace(target, missing=tuple(missing))
    work = work_of("\n".join(command for target in targets for command in target.commands))
    yield Makefile(span=block.span, targets=tuple(names), work=tuple(sorted(work)))


def _targets(block: Block) -> Iterator[MakeTarget]:
    read: list[tuple[str, list[str], list[str], int, int]] = []
    current: list[int] = []
    for first, last, line in _logical_lines(block.text):
        recipe = _RECIPE.match(line)
        if recipe and current:
            for at in current:
                name, needs, commands, start, _ = read[at]
                read[at] = (name, needs, [*commands, recipe.group(1).strip()], start, last)
            continue
        target = _TARGET.match(line)
        if not target or target.group(1).startswith(".PHONY"):
            continue
        needs_text, _, inline = target.group(2).partition(";")
        current = []
        for name in target.group(1).split():
            current.append(len(read))
            read.append(
                (name, needs_text.replace("|", " ").split(), [inline.strip()] if inline.strip() else [], first, last)
            )
    for name, needs, commands, first, last in read:
        ignored = [command for command in commands if _IGNORED.match(command)]
        unheeded = {kind for command in commands for kind in unheeded_work(command)} | work_of("\n".join(ignored))
        yield MakeTarget(
            span=block.lines(first, last),
            name=name,
            needs=tuple(needs),
            commands=tuple(commands),
            unheeded=tuple(sorted(unheeded)),
        )


def _logical_lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield lines with those that a backslash continues, and the first and last number of each."""
    first, held = 0, ""
    for number, line in enumerate(text.split("\n")):
        if not held:
            first = number
        joined = f"{held} {line.strip()}" if held else line
        if joined.endswith("\\"):
            held = joined[:-1].rstrip()
            continue
        held = ""
        yield first, number, joined
    if held:
        yield first, text.count("\n"), held


def _exists(name: str, names: frozenset[str], patterns: Sequence[re.Pattern[str]]) -> bool:
    """Return whether a target exists, by itself or by a pattern; names of files and variables are no targets."""
    if name in names or re.search(r"[./%$*()]", name):
        return True
    return any(pattern.fullmatch(name) is not None for pattern in patterns)


# -- commit hooks -------------------------------------------------------------------------


def _hooks(block: Block, root: Node) -> Iterator[Fact]:
    repositories = root.get("repos")
    if repositories is None or not isinstance(repositories.value, list):
        return
    hooks: list[tuple[str, Node]] = []
    floating = []
    for entry in repositories.value:
        revision = entry.text("rev")
        listed = entry.get("hooks")
        own = [(h.text("id"), h) for h in listed.value if h.text("id")] if listed and _is_list(listed) else []
        hooks.extend(own)
        is_branch = revision.lower() in _BRANCHES
        floating.extend([entry.text("repo")] if is_branch else [])
        yield HookRepository(
            span=block.lines(entry.first, entry.last),
            repository=entry.text("repo"),
            revision=revision,
            floating=is_branch,
            hooks=tuple(name for name, _ in own),
        )
    if hooks:
        yield HookFile(
            span=block.lines(root.first, root.last),
            hooks=tuple(name for name, _ in hooks),
            work=tuple(sorted({kind for name, hook in hooks for kind in _hook_work(name, hook)})),
            floating=tuple(floating),
            unheeded=tuple(name for name, hook in hooks if _hook_is_unheeded(hook)),
        )


def _is_list(node: Node) -> bool:
    return isinstance(node.value, list)


def _hook_work(name: str, hook: Node) -> set[str]:
    by_name = {kind for kind, pattern in _HOOK_WORK.items() if pattern.search(name)}
    return by_name | work_of(hook.text("entry"))


def _hook_is_unheeded(hook: Node) -> bool:
    arguments = hook.get("args")
    command = " ".join([hook.text("entry"), *(arguments.names() if arguments is not None else [])])
    return "--exit-zero" in command or bool(re.search(r"\|\|\s*(?:true|:)(?:\s|$|[\"'])", command))


def _known(found: Sequence[Fact]) -> KnownWork:
    """Return what targets and hooks do, each target's dependencies among it."""
    targets = {fact.name: fact for fact in found if isinstance(fact, MakeTarget)}
    hooks = {kind for fact in found if isinstance(fact, HookFile) for kind in fact.work}
    return KnownWork({name: _work_of_target(name, targets) for name in targets}, frozenset(hooks))


def _work_of_target(name: str, targets: Mapping[str, MakeTarget]) -> frozenset[str]:
    work: set[str] = set()
    seen, waiting = {name}, [name]
    while waiting and len(seen) < _MOST_CALLED:
        target = targets.get(waiting.pop())
        if target is None:
            continue
        work |= work_of("\n".join(target.commands)) - frozenset(target.unheeded)
        called = [*target.needs, *(other for command in target.commands for other in called_targets(command))]
        new = [other for other in called if other not in seen]
        seen.update(new)
        waiting.extend(new)
    return frozenset(work)


# -- project files ------------------------------------------------------------------------


def _project(block: Block) -> Iterator[ProjectFile]:
    try:
        data = tomllib.loads(re.sub(r"^\s*(?:\.\.\.|…)\s*$", "", block.text, flags=re.MULTILINE))
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    tools = _table(data, "tool")
    project = _table(data, "project")
    dependencies = dict(_dependencies(project, tools))
    requires = str(project.get("requires-python") or _table(tools, "poetry", "dependencies").get("python") or "")
    if not dependencies and not tools and not requires:
        return
    mypy, pyright = _table(tools, "mypy"), _table(tools, "pyright") or _table(tools, "basedpyright")
    strict = mypy.get("strict") is True or pyright.get("typeCheckingMode") == "strict"
    least = _table(tools, "coverage", "report").get("fail_under")
    yield ProjectFile(
        span=block.span,
        requires=requires,
        dependencies=tuple(dependencies),
        unbounded=tuple(name for name, bound in dependencies.items() if bound in ("", "*")),
        tools=tuple(tools),
        strict_types=strict if mypy or pyright else None,
        typed_functions=mypy.get("disallow_untyped_defs") is True,
        ignored_types=mypy.get("ignore_errors") is True,
        ignored_rules=_ignores_all(_table(tools, "ruff")) or _ignores_all(_table(tools, "ruff", "lint")),
        coverage_least=float(least) if isinstance(least, int | float) else 0.0,
    )


def _table(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return a table under a chain of names; an empty one where it is none."""
    found: Any = data
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _ignores_all(ruff: Mapping[str, Any]) -> bool:
    ignored = ruff.get("ignore")
    return isinstance(ignored, list) and "ALL" in ignored


def _dependencies(project: Mapping[str, Any], tools: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    listed = project.get("dependencies")
    for text in listed if isinstance(listed, list) else ():
        found = re.match(r"([\w.-]+)(?:\[[^\]]*\])?\s*(.*)$", str(text))
        if found:
            yield found.group(1).lower(), found.group(2).partition(";")[0].strip()
    for name, bound in _table(tools, "poetry", "dependencies").items():
        if name != "python":
            yield name.lower(), bound if isinstance(bound, str) else _poetry_bound(bound)


def _poetry_bound(bound: Any) -> str:
    """Return the bound of Poetry's long form; what comes from a path, Git or by marker is bounded."""
    if isinstance(bound, dict) and not {"path", "git", "url"} & bound.keys():
        return str(bound.get("version", ""))
    return "given"


# -- versions of Python -------------------------------------------------------------------


def _base_images(block: Block) -> Iterator[PythonVersion]:
    for number, line in enumerate(block.text.split("\n")):
        found = _FROM_PYTHON.match(line.strip())
        if found:
            yield PythonVersion(span=block.lines(number), version=found.group(1), place="image")


def _refused(found: Sequence[Fact]) -> list[Fact]:
    """Mark the versions of Python that a project file refuses."""
    bounds = [fact.requires for fact in found if isinstance(fact, ProjectFile) and fact.requires]
    return [
        replace(fact, refused=next((b for b in bounds if not admits(b, fact.version)), ""))
        if isinstance(fact, PythonVersion)
        else fact
        for fact in found
    ]


def admits(bound: str, version: str) -> bool:
    """Return whether a ``requires-python`` admits a version such as ``3.12``; what cannot be read admits all."""
    return all(_holds(part.strip(), version) for part in bound.split(","))


def _holds(part: str, version: str) -> bool:
    found = re.fullmatch(r"(>=|>|<=|<|==|~=|\^|~)\s*(\d+)(?:\.(\d+|\*))?(?:\.(\d+|\*))?", part)
    numbers = [int(n) for n in version.split(".")]
    if found is None or len(numbers) < 2:
        return True
    given = (numbers[0], numbers[1])
    # A patch level decides nothing that a design could be held to.
    bound = (int(found.group(2)), int(found.group(3)) if (found.group(3) or "*").isdigit() else None)
    if bound[1] is None:
        return True
    limit = (bound[0], bound[1])
    match found.group(1):
        case ">=":
            return given >= limit
        case ">":
            return given > limit or found.group(4) is not None
        case "<":
            return given < limit or (found.group(4) is not None and given == limit)
        case "<=":
            return given <= limit
        case "^":
            return given >= limit and given[0] == limit[0]
        case "~=":
            return given >= limit and given[0] == limit[0] and (found.group(4) is None or given[1] == limit[1])
        case _:
            return given == limit
