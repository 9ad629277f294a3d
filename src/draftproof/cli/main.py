"""The command group and the one error boundary."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from typing import Annotated, Any

import typer

from draftproof import __version__
from draftproof.cli import cost, doctor, explain, knowledge, learn, models, review, schema, setup
from draftproof.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_USER, DraftproofError, first_line

# Typer has brought a Click of its own since 0.26, so the class is found by way of Typer.
_UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    name="draftproof",
    help="Review technical designs of Python backends, wholly on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("review")(review.review)
app.command(review.ORIGINAL_NAME)(review.original)
app.command("explain")(explain.explain)
app.command("learn")(learn.learn)
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(models.app, name="models")
app.command("doctor")(doctor.doctor)
app.command("cost")(cost.cost)
app.command("schema")(schema.schema)
app.command("setup")(setup.setup)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"draftproof {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Review technical designs of Python backends, wholly on this machine."""


def main(arguments: list[str] | None = None) -> int:
    """
    Run the command and return its exit code.

    Args:
        arguments: Instead of ``sys.argv[1:]``.

    """
    try:
        result = app(args=arguments, prog_name="draftproof", standalone_mode=False)
        if result == EXIT_INTERRUPTED:
            # Typer makes this of a KeyboardInterrupt itself.
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except DraftproofError as error:
        _say(f"draftproof: {error}")
        return error.exit_code
    except _UsageError as error:
        error.show()
        return EXIT_USER
    except (KeyboardInterrupt, typer.Abort):
        _say("draftproof: interrupted; nothing was written.")
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader of a pipe has gone, of which Typer makes an exit of its own; the
        # interpreter must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the boundary: our bug, told with a log
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _say("draftproof: The disk is full: standard output could not be written.")
            return EXIT_USER
        _say(f"draftproof: a bug in Draftproof, {type(error).__name__}: {first_line(error)}")
        _say(f"The details are in {_log(error)}; they hold no text of the reviewed documents.")
        return EXIT_BUG


def run() -> None:
    """Entry point of the installed command."""
    # Being told to stop leaves no half-written file either.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _log(error: Exception) -> str:
    """Write the places of the failure; never the values, which may be the document's text."""
    from draftproof.adapters.files import write_text
    from draftproof.settings import load_settings

    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    text = "\n".join([f"draftproof {__version__}", f"Python {sys.version}", type(error).__name__, *places])
    try:
        path = load_settings().data_dir / "last-error.log"
        write_text(path, text + "\n")
    except DraftproofError:
        return "(no log could be written)\n" + text
    return str(path)
