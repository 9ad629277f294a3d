"""``draftproof learn``: record the right verdict where the review was wrong."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from draftproof.errors import InputError


class Taught(StrEnum):
    """The verdicts that a passage can teach."""

    MET = "met"
    PARTIAL = "partial"
    FLAWED = "flawed"
    MISSING = "missing"


def learn(
    review: Annotated[Path, typer.Argument(help="The review.json to correct.")],
    check: Annotated[str, typer.Option("--check", help="The check, e.g. evt.dlq.")],
    verdict: Annotated[Taught, typer.Option("--verdict", help="The right verdict.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence.")],
    lines: Annotated[
        str | None, typer.Option("--lines", help="The passage, e.g. 12-14; what the review cites by default.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where your own files are kept.")] = None,
) -> int:
    """Record your verdict on a passage as an exemplar of your own; nothing is sent anywhere."""
    from draftproof.cli.explain import read_review
    from draftproof.curation import record_verdict
    from draftproof.settings import load_settings

    if not reason.strip():
        raise InputError("A reason is missing.", 'Say in a sentence why the verdict is right: --reason "..."')
    target = record_verdict(
        load_settings({"data_dir": data_dir}), read_review(review), check, verdict.value, _span(lines), reason.strip()
    )
    typer.echo(f"recorded in {target}; the next review uses it")
    return 0


def _span(lines: str | None) -> tuple[int, int] | None:
    if lines is None:
        return None
    first, _, last = lines.partition("-")
    try:
        span = (int(first), int(last or first))
    except ValueError:
        span = (0, 0)
    if not 1 <= span[0] <= span[1]:
        raise InputError(f"{lines} is no span of lines.", "Write it as 12 or 12-14.")
    return span
