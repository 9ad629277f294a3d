"""``draftproof review``, and the original command's own form."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from draftproof.domain.asking import Effort
from draftproof.errors import EXIT_FINDINGS, EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from draftproof.domain.review import Review
    from draftproof.settings import Settings

ORIGINAL_NAME = "tech-design-backend-review-python-fastapi"
DEFAULT_OUTPUT = Path("tech-design-review.md")


class FailOn(StrEnum):
    """From which severity on a finding makes the exit code 1."""

    NEVER = "never"
    CRITICAL = "critical"
    RECOMMENDED = "recommended"
    SUGGESTED = "suggested"


FailOnOption = Annotated[FailOn, typer.Option("--fail-on", help="Exit with 1 on findings of this severity or harder.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Print the seconds of each stage.")]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Where the embedder and the store are kept.")]


@dataclass(frozen=True, slots=True)
class Task:
    """One design to review, and where its report goes."""

    design: Path
    requirements: Path | None
    output: Path
    json_output: Path


@dataclass(frozen=True)
class Order:
    """What the user asked for."""

    tasks: tuple[Task, ...]
    fail_on: FailOn
    quiet: bool
    verbose: bool
    options: dict[str, Any]
    effort: Effort = Effort.STANDARD
    time_budget: str = ""


def review(
    designs: Annotated[list[Path], typer.Argument(metavar="DESIGN...", help="The technical design, Markdown.")],
    requirements: Annotated[
        Path | None, typer.Option("--requirements", "-r", help="The requirements that it answers.")
    ] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The report to write; with several designs the folder for the reports."),
    ] = DEFAULT_OUTPUT,
    json_output: Annotated[
        Path | None,
        typer.Option("--json", help="The machine-readable result; review.json beside the report by default."),
    ] = None,
    embedder: Annotated[
        str | None,
        typer.Option("--embedder", help="A GGUF to embed with; 'none' for BM25 and patterns alone."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="A generative model's GGUF for a second opinion; none is needed."),
    ] = None,
    engine_url: Annotated[
        str | None,
        typer.Option("--engine-url", help="A server that you host (vLLM, llama.cpp, Ollama), instead of a GGUF here."),
    ] = None,
    effort: Annotated[Effort, typer.Option("--effort", help="How many checks the model is asked about.")] = (
        Effort.STANDARD
    ),
    time_budget: Annotated[
        str, typer.Option("--time-budget", help="Time for the model's answers, such as 90s, 10m or 1h.")
    ] = "",
    chat_template: Annotated[
        str | None, typer.Option("--chat-template", help="A Jinja file to use instead of the model's own template.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", help="Threads; 0 for all cores.")] = None,
    data_dir: DataDirOption = None,
    fail_on: FailOnOption = FailOn.NEVER,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Review a design against 72 checks and its requirements."""
    return carry_out(
        Order(
            tasks=_tasks(designs, requirements, output, json_output),
            fail_on=fail_on,
            quiet=quiet,
            verbose=verbose,
            options={
                "embedder": embedder,
                "threads": threads,
                "data_dir": data_dir,
                "model": model,
                "chat_template": chat_template,
                "engine_url": engine_url,
            },
            effort=effort,
            time_budget=time_budget,
        )
    )


def original(
    sentence: Annotated[
        list[str], typer.Argument(help="One sentence that names the requirements, the design and the report.")
    ],
    fail_on: FailOnOption = FailOn.NEVER,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    data_dir: DataDirOption = None,
) -> int:
    """The same, asked for in the original command's words."""
    from draftproof.documents.sentence import read_sentence

    named = read_sentence(" ".join(sentence))
    output = named.output or DEFAULT_OUTPUT
    return carry_out(
        Order(
            tasks=(Task(named.design, named.requirements, output, output.parent / "review.json"),),
            fail_on=fail_on,
            quiet=quiet,
            verbose=verbose,
            options={"data_dir": data_dir},
        )
    )


def _tasks(
    designs: Sequence[Path], requirements: Path | None, output: Path, json_output: Path | None
) -> tuple[Task, ...]:
    """
    Return what to review: one design as named, several into a folder by their names.

    Raises:
        OutputError: Several designs have one name, or a single JSON file was named for them.

    """
    from draftproof.errors import OutputError

    if len(designs) == 1:
        return (Task(designs[0], requirements, output, json_output or output.parent / "review.json"),)
    if json_output is not None:
        raise OutputError("--json names one file, and there are several designs.", "Leave it out.")
    folder = Path() if output == DEFAULT_OUTPUT else output
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, and there are several designs.", "Name a folder with --output.")
    stems = [design.stem for design in designs]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise OutputError(f"Several designs are called {', '.join(twice)}; one report would replace the other.")
    return tuple(
        Task(design, requirements, folder / f"{design.stem}-review.md", folder / f"{design.stem}-review.json")
        for design in designs
    )


def carry_out(order: Order) -> int:
    """Review, write the files, print a summary of each design, and return the hardest exit code."""
    from draftproof.bootstrap import guard_network
    from draftproof.settings import load_settings

    settings = load_settings(order.options)
    seconds = seconds_of(order.time_budget)
    guard_network(settings)
    from draftproof.adapters.files import check_writable, write_texts
    from draftproof.bootstrap import Asking, make_reviewer, read_inputs
    from draftproof.cli.progress import TerminalProgress
    from draftproof.errors import OutputError
    from draftproof.render.markdown import to_markdown
    from draftproof.render.review_json import to_json

    # Whatever is wrong with any of them is told before the first is reviewed.
    sources = {p.resolve() for task in order.tasks for p in (task.design, task.requirements) if p is not None}
    read = []
    for task in order.tasks:
        for target in (task.output, task.json_output):
            if target.resolve() in sources:
                raise OutputError(f"{target} is one of the documents to read.")
        if task.output.resolve() == task.json_output.resolve():
            raise OutputError(f"{task.output} cannot be both the report and the JSON.")
        read.append(read_inputs(task.design, task.requirements))
        check_writable(task.output)
        check_writable(task.json_output)
    done = []
    said: list[str] = []
    with TerminalProgress(order.quiet) as progress:
        progress.stage("Loading the embedder and the knowledge base")
        reviewer = make_reviewer(settings, said.append, progress.embedding, Asking(order.effort, seconds))
        for task, (design, requirements, notices) in zip(order.tasks, read, strict=True):
            # The list itself is handed on: the store, opened meanwhile, may have something to say.
            said[:0] = notices.values()
            result = reviewer.review(design, requirements, progress, said)
            del said[: len(notices)]
            rubric = reviewer.reference.rubric
            names = {check.id: (check.title, check.section) for check in rubric}
            report = to_markdown(result, rubric, dict(reviewer.knowledge.notes), reviewer.scoring)
            write_texts({task.output: report, task.json_output: to_json(result, names, reviewer.scoring.second_look)})
            _remember(settings, result)
            done.append((task, result))
    if not order.quiet:
        with contextlib.suppress(BrokenPipeError):  # nobody reads; the exit code still tells
            for task, result in done:
                _summarise(order, task, result)
            sys.stdout.flush()
    return max(_exit_code(order.fail_on, result) for _, result in done)


def seconds_of(text: str) -> float:
    """
    Return the seconds of a duration such as ``90s``, ``10m`` or ``1h``; 0 for an empty text.

    Raises:
        SettingsError: It is none.

    """
    from draftproof.errors import SettingsError

    if not text:
        return 0.0
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h|)", text.strip().lower())
    if not found or not float(found.group(1)):
        raise SettingsError(f"--time-budget is a duration, not {text!r}.", "Write it as 90s, 10m or 1h.")
    return float(found.group(1)) * {"s": 1, "": 1, "m": 60, "h": 3600}[found.group(2)]


def _summarise(order: Order, task: Task, result: Review) -> None:
    from collections import Counter

    counts = Counter(f.severity for f in result.findings if f.severity)
    found = ", ".join(f"{count} {severity}" for severity, count in sorted(counts.items())) or "none"
    typer.echo(f"{result.title}: {result.assessment.overall}")
    typer.echo(
        f"completeness {result.assessment.completeness.value:g}/10, "
        f"soundness {result.assessment.soundness.value:g}/10, {result.assessment.readiness}"
    )
    typer.echo(f"findings: {found}")
    typer.echo(f"written: {task.output} and {task.json_output}")
    for notice in result.notices:
        typer.echo(f"note: {notice}", err=True)
    if order.verbose:
        for name, seconds in result.provenance.seconds.items():
            typer.echo(f"{seconds:8.2f} s  {name}", err=True)


def _remember(settings: Settings, result: Review) -> None:
    """Keep what the run cost, for ``draftproof cost``; no word of the documents."""
    from draftproof.adapters.files import write_text
    from draftproof.errors import OutputError

    made = result.provenance
    record = {
        "seconds": dict(made.seconds),
        "tokens_read": dict(made.tokens_read),
        "tokens_written": dict(made.tokens_written),
        "bytes_sent": made.bytes_sent,
        "connections_refused": made.connections_refused,
    }
    try:
        write_text(settings.last_run_file, json.dumps(record, indent=1) + "\n")
    except OutputError as error:
        print(f"note: {error.message}", file=sys.stderr)


def _exit_code(fail_on: FailOn, result: Review) -> int:
    if fail_on is FailOn.NEVER:
        return EXIT_OK
    from draftproof.domain.findings import Severity

    worst = result.worst_severity()
    return EXIT_FINDINGS if worst and worst.rank <= Severity(fail_on.value).rank else EXIT_OK
