"""``draftproof knowledge``: look into the knowledge base, and add to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Where your own files are kept.")]

app = typer.Typer(help="Look into the knowledge base, and add notes and exemplars of your own.", no_args_is_help=True)


@app.command("list")
def list_notes(
    check: Annotated[str | None, typer.Option("--check", help="Only notes that serve this check.")] = None,
    data_dir: DataDirOption = None,
) -> int:
    """List the notes: id, the checks they serve, title; your own are marked with a star."""
    from draftproof.bootstrap import Library
    from draftproof.errors import InputError
    from draftproof.settings import load_settings

    library = Library(load_settings({"data_dir": data_dir}))
    if check is not None and check not in library.rubric.by_id:
        raise InputError(f"The rubric has no check {check}.", "`draftproof explain review.json` lists them.")
    for note in library.knowledge.notes.values():
        if check is None or check in note.checks:
            mark = "*" if library.is_own(note.path) else " "
            typer.echo(f"{mark} {note.id:44} {', '.join(note.checks):40} {note.title}")
    return 0


@app.command("show")
def show(
    note_id: Annotated[str, typer.Argument(metavar="ID", help="The note's id.")], data_dir: DataDirOption = None
) -> int:
    """Print a note with its sources."""
    from draftproof.bootstrap import Library
    from draftproof.errors import InputError
    from draftproof.settings import load_settings

    library = Library(load_settings({"data_dir": data_dir}))
    note = library.knowledge.notes.get(note_id)
    if note is None:
        raise InputError(f"There is no note {note_id}.", "`draftproof knowledge search` finds one by its meaning.")
    typer.echo(f"# {note.title}\n")
    typer.echo(f"{note.recommendation}\n\n{note.body.strip()}\n")
    typer.echo(f"Checks: {', '.join(note.checks)}. Holds for: {note.versions}. Reviewed {note.reviewed}.")
    for source in note.sources:
        typer.echo(f"After {source}.")
    typer.echo(f"File: {note.path}")
    return 0


@app.command("search")
def search(
    text: Annotated[str, typer.Argument(help="A question, or a passage of a design.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=50, help="How many notes.")] = 5,
    data_dir: DataDirOption = None,
) -> int:
    """Find notes by words and meaning."""
    from draftproof.bootstrap import guard_network
    from draftproof.settings import load_settings

    settings = load_settings({"data_dir": data_dir})
    guard_network(settings)
    from draftproof.curation import find_notes

    said: list[str] = []
    for found in find_notes(settings, text, count, said.append):
        typer.echo(f"{found.score:5.2f}  {found.note.id:44} {found.note.title}")
    for notice in said:
        typer.echo(f"note: {notice}", err=True)
    return 0


@app.command("add")
def add(
    files: Annotated[list[Path], typer.Argument(help="Notes (.md) and exemplars (.jsonl).")],
    force: Annotated[bool, typer.Option("--force", help="Replace files of your own with the same name.")] = False,
    data_dir: DataDirOption = None,
) -> int:
    """Check files and copy them to your own folder; the next review uses them."""
    from draftproof.curation import add_knowledge
    from draftproof.settings import load_settings

    for target in add_knowledge(load_settings({"data_dir": data_dir}), files, force):
        typer.echo(f"added: {target}")
    return 0


@app.command("check")
def check_files(
    files: Annotated[list[Path] | None, typer.Argument(help="Files to check; your own ones by default.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Check the product's own files, too.")] = False,
    data_dir: DataDirOption = None,
) -> int:
    """Name file and line of every fault; exit with 1 where there is one."""
    from draftproof.curation import check_knowledge
    from draftproof.errors import EXIT_FINDINGS
    from draftproof.settings import load_settings

    faults, checked = check_knowledge(load_settings({"data_dir": data_dir}), files or [], everything)
    for fault in faults:
        typer.echo(fault)
    typer.echo(f"{checked} files checked, {len(faults)} faults.")
    return EXIT_FINDINGS if faults else 0


@app.command("build")
def build(data_dir: DataDirOption = None) -> int:
    """Embed what is new and fill the store; a review does the same where it is needed."""
    from draftproof.bootstrap import guard_network
    from draftproof.settings import load_settings

    settings = load_settings({"data_dir": data_dir})
    guard_network(settings)
    from draftproof.bootstrap import build_store
    from draftproof.cli.progress import TerminalProgress

    said: list[str] = []
    with TerminalProgress() as progress:
        counts = build_store(settings, progress.embedding, said.append)
    for notice in said:
        typer.echo(f"note: {notice}", err=True)
    typer.echo(f"{counts['notes']} notes and {counts['exemplars']} exemplars in {settings.data_dir}")
    return 0
