"""``draftproof cost``: what the last run cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from draftproof.errors import InputError


def cost(
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where the run was recorded.")] = None,
) -> int:
    """Print what the last run cost: seconds, tokens, bytes sent off the machine."""
    from draftproof.settings import load_settings

    path = load_settings({"data_dir": data_dir}).last_run_file
    try:
        lines = _lines(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise InputError("No run is recorded yet.", "Run `draftproof review` first.") from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", "Run `draftproof review` again.") from error
    typer.echo("\n".join(lines))
    return 0


def _lines(record: dict[str, Any]) -> list[str]:
    return [
        *(f"{seconds:10.2f} s       {name}" for name, seconds in record["seconds"].items()),
        f"{sum(record['seconds'].values()):10.2f} s       in all",
        *(f"{count:10,} tokens  read by the {model}" for model, count in record["tokens_read"].items()),
        *(f"{count:10,} tokens  written by the {model}" for model, count in record["tokens_written"].items()),
        f"{record['bytes_sent']:10,} bytes   sent off the machine",
        f"{record['connections_refused']:10,}         connections refused",
    ]
