"""Notes and exemplars as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Note:
    """
    One page of best practice.

    Args:
        id:             Equals the file's name.
        title:          One line.
        checks:         Ids of the checks that it serves, the main one first.
        technologies:   Names, lower case.
        versions:       The versions that it holds for.
        sources:        Titles with versions.
        reviewed:       Date of the last review, ISO 8601.
        recommendation: What the report prints.
        body:           The Markdown below the front matter.
        path:           Where it was read.
        asked_as:       How designs, tickets and engineers speak of it, in other words.

    """

    id: str
    title: str
    checks: tuple[str, ...]
    technologies: tuple[str, ...]
    versions: str
    sources: tuple[str, ...]
    reviewed: str
    recommendation: str
    body: str
    path: str
    asked_as: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is searched and embedded: title, recommendation, practice."""
        return f"{self.title}. {self.recommendation} {self.part('Practice')}"

    @property
    def passages(self) -> tuple[str, ...]:
        """What is embedded: each part by itself, since one vector cannot hold a page."""
        prose = re.sub(r"^```.*?^```$", "", self.part("How"), flags=re.MULTILINE | re.DOTALL)
        asked = [line.lstrip("- ") for line in self.part("Ask").split("\n")]
        named = ("Practice", "Numbers", "Prevents", "When it does not apply")
        parts = [self.title, self.recommendation, *map(self.part, named), prose, self.example, *asked, *self.asked_as]
        return tuple(part for part in parts if part.strip())

    @property
    def example(self) -> str:
        """The first fenced block with its fences, or an empty string."""
        found = re.search(r"^(```\w*\n.*?^```)$", self.body, re.MULTILINE | re.DOTALL)
        return found.group(1) if found else ""

    @property
    def digest(self) -> str:
        """Hash of what the index holds of it."""
        return sha256("\n".join([self.id, *self.passages]).encode()).hexdigest()

    def part(self, heading: str) -> str:
        """Return the text under a heading of level 2, or an empty string."""
        pattern = rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)"
        found = re.search(pattern, self.body, re.MULTILINE | re.DOTALL)
        return found.group(1).strip() if found else ""


LABELS = ("met", "partial", "flawed", "decoy", "neighbour")


@dataclass(frozen=True, slots=True)
class Exemplar:
    """
    A passage as it stands in real designs, with what it is worth for one check.

    Args:
        check_id: The check.
        label:    ``met``, ``partial``, ``flawed``, ``decoy`` (named and not addressed) or
                  ``neighbour`` (an adjacent topic).
        form:     Prose, table, code and so on.
        text:     The passage.
        why:      One sentence of reason.
        fix:      For a flawed one, what mends it.
        own:      Whether a user recorded it; such a one decides where it stands again.

    """

    check_id: str
    label: str
    form: str
    text: str
    why: str
    fix: str = ""
    own: bool = False

    @property
    def digest(self) -> str:
        """Hash of its text."""
        return sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Knowledge:
    """Notes by id, and the exemplars in the order of their files."""

    notes: Mapping[str, Note]
    exemplars: tuple[Exemplar, ...]

    def for_check(self, check_id: str) -> tuple[Note, ...]:
        """Return the notes that serve a check, those that name it first before the others."""
        serving = [note for note in self.notes.values() if check_id in note.checks]
        return tuple(sorted(serving, key=lambda note: (note.checks.index(check_id), note.id)))
