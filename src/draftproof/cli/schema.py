"""``draftproof schema``: the JSON Schema of ``review.json``."""

from __future__ import annotations

import json

import typer


def schema() -> int:
    """Print the JSON Schema that every review.json keeps."""
    from draftproof.render.review_json import schema as review_schema

    typer.echo(json.dumps(review_schema(), indent=2))
    return 0
