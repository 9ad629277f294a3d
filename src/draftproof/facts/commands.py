"""What the commands of recipes, hooks and pipelines do, and whether their failure is heeded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# Kinds of work that a command does, by the tool that it runs.
_WORK = {
    "test": re.compile(
        r"\b(?:pytest|unittest|coverage run)\b|\b(?:tox|nox)\b(?!\s+-[es]\s*(?:lint|types?|mypy|format))"
        r"|\bmake\s+(?:[\w-]+\s+)*tests?\b"
    ),
    "lint": re.compile(
        r"\bruff\b(?!\s+format|\s+--version|:)|\b(?:flake8|pylint)\b|\bmake\s+(?:[\w-]+\s+)*lint\b|\bpre-commit run\b"
    ),
    "types": re.compile(r"\b(?:mypy|pyright|basedpyright|ty check)\b|\bmake\s+(?:[\w-]+\s+)*types?\b"),
    "format": re.compile(r"\b(?:ruff format|black|isort)\b"),
    "build": re.compile(r"\bdocker (?:buildx )?build\b|\bkaniko\b"),
    "deploy": re.compile(r"\b(?:helm (?:upgrade|install)|kubectl apply|argocd|ansible-playbook)\b|\bmake\s+deploy\b"),
}
_ACTION_WORK = {
    "test": re.compile(r"/[\w.-]*tests?\.ya?ml\b"),
    "lint": re.compile(r"\bpre-commit/action\b|\bruff-action\b|/[\w.-]*lint\.ya?ml\b"),
    "types": re.compile(r"\bpyright-action\b|/[\w.-]*types?\.ya?ml\b"),
    "format": re.compile(r"^psf/black\b"),
    "build": re.compile(r"\bbuild-push-action\b"),
    "deploy": re.compile(r"\bdeploy(?!-pages)"),
}
# A tool that is installed or spoken of is not run.
_NOT_RUN = re.compile(
    r"^(?:sudo\s+)?(?:(?:python3?|uv) -m\s+)?(?:pip3?|pipx|uv|poetry|pdm|apt|apt-get|apk|brew|conda)\s+"
    r"(?:pip\s+|tool\s+)?(?:install|add|sync|inject)\b|^(?:echo|printf)\b|^#"
)
_SWALLOWED = re.compile(r"\|\|\s*(?:true|:|exit 0|echo)(?:\s|$|[\"';])")
_FINDS_NOTHING = re.compile(r"--exit-zero\b|--suppress-no-test-exit-code\b")
_MAKE = re.compile(r"(?:\bmake|\$[({]MAKE[)}])((?:\s+[\w.-]+)+)")


@dataclass(frozen=True, slots=True)
class KnownWork:
    """
    What other parts of the design say of the commands that call them.

    Args:
        targets: Kinds of work of each Makefile target, its dependencies' among them.
        hooks:   Kinds of work of all commit hooks.

    """

    targets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    hooks: frozenset[str] = frozenset()


def work_of(command: str, known: KnownWork | None = None) -> frozenset[str]:
    """Return the kinds of work that a command does: test, lint, types, format, build, deploy."""
    found: set[str] = set()
    for part in _parts(command):
        found.update(kind for kind, pattern in _WORK.items() if pattern.search(part))
        if known is not None:
            for name in called_targets(part):
                found |= known.targets.get(name, frozenset())
            if "pre-commit run" in part:
                found |= known.hooks
    return frozenset(found)


def work_of_action(action: str, known: KnownWork | None = None) -> frozenset[str]:
    """Return the kinds of work of an action, or of a workflow that is called by its path."""
    found = {kind for kind, pattern in _ACTION_WORK.items() if pattern.search(action)}
    if known is not None and "pre-commit/action" in action:
        found |= known.hooks
    return frozenset(found)


def unheeded_work(command: str, known: KnownWork | None = None) -> frozenset[str]:
    """Return the kinds of work whose failure does not make the command fail."""
    lines = [line.strip() for line in command.replace("\\\n", " ").split("\n") if line.strip()]
    found: set[str] = set()
    lenient = False
    for number, line in enumerate(lines):
        lenient = (lenient or bool(re.search(r"\bset \+e\b", line))) and not re.search(r"\bset -e", line)
        # Under ``set +e`` the last command still decides.
        if _SWALLOWED.search(line) or (lenient and number < len(lines) - 1):
            found |= work_of(line, known)
        for part in re.split(r"&&|;", line):
            if _FINDS_NOTHING.search(part):
                found |= work_of(part, known)
    return frozenset(found)


def called_targets(command: str) -> list[str]:
    """Return the targets that a command makes; those of another directory or file are not known here."""
    if re.search(r"\s-[Cf]\b", command):
        return []
    return [name for found in _MAKE.finditer(command) for name in found.group(1).split() if not name.startswith("-")]


def _parts(command: str) -> Iterator[str]:
    for part in re.split(r"&&|\|\||[;\n]", command):
        cleaned = part.strip().lstrip("@-+ ")
        if cleaned and not _NOT_RUN.match(cleaned):
            yield cleaned
