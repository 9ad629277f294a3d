"""A fault at its line, and lines that continue one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

# A line, counted from 1, and what is wrong there.
Fault: TypeAlias = tuple[int, str]


def joined_lines(code: str) -> Iterator[tuple[int, str]]:
    """Yield lines with those that continue them, each with the number of its first line."""
    start, held = 0, ""
    for number, line in enumerate(code.split("\n"), start=1):
        start = start or number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        yield start, held + line
        start, held = 0, ""
    if held:
        yield start, held
