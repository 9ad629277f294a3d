"""``draftproof explain``: the scoring rule, and where a review lost its points."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from draftproof.errors import InputError


def explain(
    review: Annotated[Path | None, typer.Argument(help="A review.json; without one the rule alone is printed.")] = None,
    check: Annotated[str | None, typer.Option("--check", help="Explain one check, e.g. evt.dlq.")] = None,
) -> int:
    """Print how scores follow from verdicts, and each point that a review lost."""
    from draftproof.bootstrap import Library
    from draftproof.settings import load_settings

    library = Library(load_settings())
    if review is None and check is None:
        typer.echo((library.folder / "scoring.yaml").read_text(encoding="utf-8"))
        return 0
    data = read_review(review) if review is not None else None
    if check is not None:
        if check not in library.rubric.by_id:
            raise InputError(f"The rubric has no check {check}.", "`draftproof explain REVIEW.json` lists them.")
        _explain_check(library.rubric.by_id[check], data)
        return 0
    assert data is not None
    typer.echo(f"{data['title']}: {data['overall_assessment']}, {data['implementation_readiness']}")
    for reason in data["reasons"]:
        typer.echo(f"  {reason}")
    for score in data["scores"]:
        typer.echo(f"\n{score['name']}: {score['value']:g}/10")
        for loss in score["lost"]:
            typer.echo(f"  -{loss['points']:.2f}  {loss['check']:26} {loss['verdict']:8} ({loss['severity']})")
    return 0


def read_review(path: Path) -> dict[str, Any]:
    """Return a review.json that keeps the schema."""
    from pydantic import ValidationError

    from draftproof.render.review_json import ReviewJson

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        ReviewJson.model_validate(data)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.", "Give the review.json of a run.") from error
    except (OSError, ValueError, ValidationError) as error:
        raise InputError(f"{path} is not a review.json of this version.", "Run the review again.") from error
    return dict(data)


def _explain_check(check: Any, data: dict[str, Any] | None) -> None:
    typer.echo(f"{check.id}: {check.title}\n{check.question}\n")
    for verdict, meaning in check.verdicts.items():
        severity = check.severity.get(verdict)
        typer.echo(f"  {verdict:15} {meaning}{f' ({severity})' if severity else ''}")
    typer.echo("\nLooked for:")
    for aspect in check.aspects:
        typer.echo(f"  weight {aspect.weight:g}  {aspect.name}")
    if data is None:
        return
    found = next((item for item in data["checks"] if item["id"] == check.id), None)
    if found is None:
        raise InputError(f"The review has no check {check.id}.", "Run the review again.")
    typer.echo(f"\nVerdict: {found['verdict']}, confidence {found['confidence']:.2f}. {found['comment']}")
    for basis in found["basis"]:
        typer.echo(f"  {basis['source']}: {basis['statement']}")
    for score in data["scores"]:
        for loss in score["lost"]:
            if loss["check"] == check.id:
                typer.echo(f"  costs {loss['points']:.2f} of ten points in {score['name']}")
