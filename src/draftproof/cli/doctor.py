"""``draftproof doctor``: what this machine and its files are like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    model: Annotated[str | None, typer.Option("--model", "-m", help="A GGUF or a recorded name to look into.")] = None,
    chat_template: Annotated[
        str | None, typer.Option("--chat-template", help="A Jinja file to use instead of the model's own template.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where the files are kept.")] = None,
) -> int:
    """Print what a review would use, and the form in which a model is asked."""
    from draftproof.bootstrap import guard_network
    from draftproof.settings import load_settings

    settings = load_settings({"data_dir": data_dir, "model": model, "chat_template": chat_template})
    guard_network(settings)
    from draftproof.adapters.model_files import machine_memory
    from draftproof.bootstrap import Library, open_model
    from draftproof.errors import ModelError

    library = Library(settings)
    memory = machine_memory()
    typer.echo(f"data folder   {settings.data_dir}")
    typer.echo(f"memory        {memory / 1024**3:.1f} GB" if memory else "memory        not told by the system")
    embedder = settings.embedder_path
    state = "none wanted" if embedder is None else f"{embedder}" if embedder.exists() else f"{embedder} is missing"
    typer.echo(f"embedder      {state}")
    typer.echo(f"knowledge     {len(library.knowledge.notes)} notes, {len(library.knowledge.exemplars)} exemplars")
    opened = open_model(settings)
    if opened is None:
        typer.echo("model         none; a review needs none")
        return 0
    if settings.engine_url:
        typer.echo(f"model         {opened.name}")
        typer.echo("constrained   yes, the server's answer followed a schema that it could not have guessed")
        opened.close()
        return 0
    typer.echo(f"model         {opened.place}")
    typer.echo(f"              {opened.description}")
    shown = getattr(opened, "shown_prompt", None)
    if shown is None:
        raise ModelError(f"{opened.place} is a script; there is no prompt to look into.")
    prompt = shown()
    typer.echo(f"threads       {prompt.threads}, window {prompt.window} tokens, {prompt.parallel} answers together")
    typer.echo(f"prompt begins {' '.join(prompt.first)}")
    typer.echo(f"prompt ends   {' '.join(prompt.last)}")
    typer.echo(f"beginning     {prompt.beginnings} (wanted: {prompt.wanted})")
    typer.echo("constrained   yes, a small answer followed its schema")
    opened.close()
    return 0
