"""Prompts as files: two jinja2 templates with their variables declared, checked when they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment

from draftproof.errors import DataError

_HEAD = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_PARTS = re.compile(r"^=== (system|user) ===\n", re.MULTILINE)

# What the program gives to each prompt; a prompt declares those that it uses.
VARIABLES: Mapping[str, frozenset[str]] = {
    "adjudicate": frozenset(
        {"title", "outline", "check", "aspects", "flaws", "verdicts", "lines", "near", "advice", "good", "bad"}
    ),
    "explore": frozenset({"title", "section", "lines", "known"}),
    "remark": frozenset({"title", "lines", "check", "verdict", "comment", "near", "recommendation", "advice"}),
    "paragraph": frozenset({"title", "lines", "section", "points"}),
    "summary": frozenset({"title", "lines", "overall", "points"}),
}


@dataclass(frozen=True)
class Prompt:
    """
    One prompt.

    Args:
        name:      The file's stem.
        system:    Template of the system message.
        user:      Template of the question.
        variables: Those that it declares.
        most:      Tokens of an answer.

    """

    name: str
    system: str
    user: str
    variables: frozenset[str]
    most: int

    def rendered(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """Return the system message and the question."""
        given = {name: value for name, value in values.items() if name in self.variables}
        system, user = self._compiled
        return system.render(given).strip(), user.render(given).strip()

    @cached_property
    def _compiled(self) -> tuple[Any, Any]:
        environment = _environment()
        return environment.from_string(self.system), environment.from_string(self.user)


def read_prompt(name: str, text: str, path: str) -> Prompt:
    """
    Return a prompt from its file.

    Args:
        name: What the program calls it.
        text: Front matter with ``variables`` and ``most``, then the parts ``=== system ===``
              and ``=== user ===``.
        path: For messages.

    Raises:
        DataError: A part is missing, or a variable is not declared or not given.

    """
    head = _HEAD.match(text)
    if not head:
        raise DataError(f"{path}: there is no front matter with variables and most.")
    try:
        declared = yaml.safe_load(head.group(1))
        variables, most = frozenset(declared["variables"]), int(declared["most"])
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: the front matter needs variables (a list) and most (a number): {error}.") from error
    pieces = _PARTS.split(text[head.end() :])
    parts = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    if set(parts) != {"system", "user"}:
        raise DataError(f"{path}: there must be the parts === system === and === user ===.")
    unknown = variables - VARIABLES[name]
    if unknown:
        known = ", ".join(sorted(VARIABLES[name]))
        raise DataError(f"{path}: there is no variable {', '.join(sorted(unknown))}; there are {known}.")
    for part in parts.values():
        used = _used(part, path)
        if used - variables:
            raise DataError(f"{path}: {', '.join(sorted(used - variables))} is used and not declared.")
    return Prompt(name, parts["system"], parts["user"], variables, most)


def _used(template: str, path: str) -> set[str]:
    try:
        return set(meta.find_undeclared_variables(_environment().parse(template)))
    except TemplateError as error:
        raise DataError(f"{path}: {error}.") from error


def _environment() -> SandboxedEnvironment:
    return SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
