"""``draftproof setup``: write the embedder and fill the knowledge store, once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def setup(
    weights: Annotated[
        Path | None,
        typer.Option("--weights", help="Folder with model.safetensors, vocab.txt and config.json of all-MiniLM-L6-v2."),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where to keep it.")] = None,
    quantization: Annotated[str, typer.Option("--quantization", help="Q8_0 or F16.")] = "Q8_0",
    force: Annotated[bool, typer.Option("--force", help="Write it again.")] = False,
) -> int:
    """Write the embedding model as a GGUF and embed the knowledge base; both once."""
    from draftproof.bootstrap import guard_network
    from draftproof.settings import load_settings

    settings = load_settings({"data_dir": data_dir})
    guard_network(settings)
    from draftproof.bootstrap import build_store, write_embedder
    from draftproof.cli.progress import TerminalProgress

    said: list[str] = []
    with TerminalProgress() as progress:
        progress.stage("Writing the embedding model")
        path, digest = write_embedder(settings, weights, quantization, force)
        counts = build_store(settings, progress.embedding, said.append)
    typer.echo(f"embedder: {path} sha256 {digest}")
    typer.echo(f"knowledge: {counts['notes']} notes and {counts['exemplars']} exemplars, {settings.data_dir}")
    for notice in said:
        typer.echo(f"note: {notice}", err=True)
    return 0
