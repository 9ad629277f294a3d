"""Runs the command as a user does: in this process for speed, or in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from draftproof.adapters import network
from draftproof.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
DESIGN = ROOT / "examples" / "tech-design.md"
REQUIREMENTS = ROOT / "examples" / "requirements.md"
DRAFTPROOF = (sys.executable, "-m", "draftproof")
BM25 = ("--embedder", "none")


@dataclass(frozen=True)
class Outcome:
    """What a run left: the exit code and what it printed."""

    code: int
    out: str
    err: str


def draftproof(*arguments: str | Path) -> Outcome:
    """Run the command in this process."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(argument) for argument in arguments])
    finally:
        network.uninstall()
    return Outcome(code, out.getvalue(), err.getvalue())


def process(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    **options: Any,
) -> Outcome:
    """Run any command in a process of its own."""
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def unshared(option: str) -> tuple[str, ...] | None:
    """Return a prefix that runs a command in namespaces of its own, or ``None`` where that is not permitted."""
    program = shutil.which("unshare")
    if program is None:
        return None
    prefix = (program, option)
    return prefix if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0 else None


def quotations(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every quotation anywhere in a ``review.json``."""
    if isinstance(value, dict):
        if "quote" in value:
            yield value
        for member in value.values():
            yield from quotations(member)
    elif isinstance(value, list):
        for member in value:
            yield from quotations(member)


def stands_at(quote: str, text: str, first: int, last: int) -> bool:
    """Return whether a quotation stands word for word at its lines; white space apart."""
    lines = " ".join(" ".join(text.split("\n")[first - 1 : last]).split())
    return bool(quote.strip()) and " ".join(quote.split()) in lines
