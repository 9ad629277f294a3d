"""``draftproof models``: the generative models that a review may ask."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from draftproof.domain.asking import Effort

DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Where the list of models is kept.")]
NameArgument = Annotated[str, typer.Argument(help="The name under which it is recorded.")]
TemplateOption = Annotated[
    str | None, typer.Option("--chat-template", help="A Jinja file to use instead of the model's own template.")
]

app = typer.Typer(help="Record and check generative models; a review needs none.", no_args_is_help=True)


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="The GGUF; it stays where it is unless --copy is given.")],
    name: Annotated[str, typer.Option("--name", help="By which --model finds it; the file's name by default.")] = "",
    default: Annotated[bool, typer.Option("--default", help="Let reviews use it without being told.")] = False,
    copy: Annotated[bool, typer.Option("--copy", help="Copy the file into the data folder and use the copy.")] = False,
    chat_template: TemplateOption = None,
    data_dir: DataDirOption = None,
) -> int:
    """Record a model: read what the file says, check that it fits, and that its answers can be constrained."""
    from draftproof.bootstrap import guard_network, model_list, open_model
    from draftproof.settings import load_settings

    # This file is asked, even where the settings name a server to ask in reviews.
    options = {"model": str(file.absolute()), "engine_url": "", "chat_template": chat_template}
    settings = load_settings({"data_dir": data_dir, **options})
    guard_network(settings)
    from draftproof.adapters.model_files import check_memory, machine_memory, read_model_file
    from draftproof.cli.progress import TerminalProgress

    known = model_list(settings)
    with TerminalProgress() as progress:
        progress.stage("Reading the file")
        model = read_model_file(file, name)
        check_memory(model, machine_memory())
        known.check_free(model)
        progress.stage("Asking for a constrained answer")
        opened = open_model(settings)
        assert opened is not None, "the settings name this file"
        opened.close()
        if copy:
            progress.stage("Copying the file")
            model = known.copy_in(model)
    known.add(replace(model, added=date.today().isoformat()), default)
    typer.echo(f"{model.name}: {_described(model)}")
    typer.echo(
        "A constrained answer was decoded. Use it with "
        + ("any review." if known.get(model.name).default else f"--model {model.name}.")
    )
    return 0


@app.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, data_dir: DataDirOption = None
) -> int:
    """List the recorded models; the default one is marked with a star."""
    from draftproof.bootstrap import model_list
    from draftproof.settings import load_settings

    models = model_list(load_settings({"data_dir": data_dir})).all()
    if as_json:
        typer.echo(json.dumps([asdict(model) for model in models], indent=1, ensure_ascii=False))
        return 0
    for model in models:
        typer.echo(f"{'*' if model.default else ' '} {model.name:32} {_described(model)}")
    if not models:
        typer.echo("No model is recorded. A review needs none; `draftproof models add FILE.gguf` records one.")
    return 0


@app.command("verify")
def verify(
    name: Annotated[str, typer.Argument(help="One model; all where none is named.")] = "",
    data_dir: DataDirOption = None,
) -> int:
    """Check that the files are those that were recorded; every one that is not is named."""
    from draftproof.bootstrap import model_list
    from draftproof.errors import ModelError
    from draftproof.settings import load_settings

    known = model_list(load_settings({"data_dir": data_dir}))
    faults = []
    for model_name in [name] if name else [model.name for model in known.all()]:
        try:
            typer.echo(f"{model_name}: {known.verify(model_name).sha256}")
        except ModelError as error:
            faults.append(str(error))
    if faults:
        raise ModelError("\n".join(faults), "")
    return 0


@app.command("remove")
def remove(name: NameArgument, data_dir: DataDirOption = None) -> int:
    """Take a model off the list; its file stays, unless it is a copy that --copy made."""
    from draftproof.bootstrap import model_list
    from draftproof.settings import load_settings

    gone = model_list(load_settings({"data_dir": data_dir})).remove(name)
    typer.echo(f"{name} is off the list; its {'copy is removed' if gone.copied else 'file stays'}.")
    return 0


@app.command("default")
def set_default(
    name: Annotated[str, typer.Argument(help="The model that reviews use without being told; 'none' for none.")],
    data_dir: DataDirOption = None,
) -> int:
    """Choose the model that reviews use without being told."""
    from draftproof.bootstrap import model_list
    from draftproof.settings import load_settings

    model_list(load_settings({"data_dir": data_dir})).set_default("" if name == "none" else name)
    typer.echo(f"Reviews ask {name}." if name != "none" else "Reviews ask no model.")
    return 0


@app.command("bench")
def bench(
    cases: Annotated[list[Path], typer.Argument(help="Folders of labelled cases.")],
    model: Annotated[
        list[str], typer.Option("--model", "-m", help="A file or a recorded name; all recorded ones by default.")
    ] = [],  # noqa: B006 - typer copies it
    effort: Annotated[Effort, typer.Option("--effort", help="Which checks are asked about.")] = Effort.STANDARD,
    data_dir: DataDirOption = None,
) -> int:
    """Measure models on labelled cases, and how much their word should weigh."""
    from draftproof.bootstrap import guard_network, model_list
    from draftproof.settings import load_settings

    settings = load_settings({"data_dir": data_dir})
    guard_network(settings)
    from draftproof.cli.progress import TerminalProgress
    from draftproof.errors import ModelError
    from draftproof.evaluation import evaluate

    names = model or [known.name for known in model_list(settings).all()]
    if not names:
        raise ModelError("No model is recorded.", "Name one with --model, or record one with `draftproof models add`.")
    with TerminalProgress() as progress:
        found = evaluate(settings, cases, names, effort, lambda text: typer.echo(f"note: {text}", err=True), progress)
    typer.echo(
        "| model | share | defect F1 | MCC | accuracy | critical | flawed | evidence | calibration | s a check |"
    )
    typer.echo("|---|---|---|---|---|---|---|---|---|---|")
    for entry in found:
        each = f"{entry.seconds / entry.asked:.1f}" if entry.asked else ""
        for row in entry.rows:
            mark = " (best)" if len(entry.rows) > 1 and row is entry.best else ""
            figures = (row.f1, row.mcc, row.accuracy, row.critical, row.flawed, row.evidence, row.error)
            cells = " | ".join(f"{value:.3f}" for value in figures)
            typer.echo(f"| {entry.name} | {row.share:g}{mark} | {cells} | {each} |")
    typer.echo("The share is set by `model: share` in knowledge/scoring.yaml.")
    return 0


@app.command("catalog")
def catalog() -> int:
    """Print open models that can be fetched elsewhere and carried over, by the machine's memory."""
    import tomllib

    from draftproof.adapters.files import data_folder

    entries = tomllib.loads((data_folder("models") / "catalog.toml").read_text(encoding="utf-8"))["model"]
    for entry in entries:
        typer.echo(f"{entry['memory_gb']:3} GB  {entry['name']} ({entry['file_gb']:g} GB, {entry['licence']})")
        typer.echo(f"        {entry['expect']}")
    return 0


def _described(model: object) -> str:
    from draftproof.adapters.model_files import ModelFile

    assert isinstance(model, ModelFile)
    parts = [
        f"{model.architecture} {model.quantization}",
        f"{model.size / 1024**3:.1f} GB",
        f"window {model.window}",
        f"needs {model.memory / 1024**3:.1f} GB",
        model.licence or "no licence stated",
        "chat template" if model.template else "no chat template",
    ]
    return ", ".join(parts)
