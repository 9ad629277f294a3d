"""
Every failure that Draftproof reports, with its exit code and advice.

::

    DraftproofError                exit 2   the user can fix it
    ├── InputError                          a document cannot be read as text
    ├── OutputError                         a report cannot be written
    ├── CommandSentenceError                the original command's sentence is unclear
    ├── DataError                           rubric, note, exemplar, prompt or rule is malformed
    ├── SettingsError                       a setting has a value that makes no sense
    ├── EmbedderError                       the embedding model cannot be used
    ├── ModelError                          a generative model cannot be used
    └── StoreError                          the knowledge store cannot be used
    NetworkBlockedError            (OSError) an outgoing connection was refused

A ``NetworkBlockedError`` is an :class:`OSError`, so that a library which copes
with a missing network copes with the guard too.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_USER = 2
EXIT_BUG = 3
EXIT_INTERRUPTED = 130


def first_line(said: object, otherwise: str = "") -> str:
    """Return the first line of what a library says, at most 200 characters; or something else where it says nothing."""
    return (str(said).strip().splitlines() or [otherwise])[0][:200]


class DraftproofError(Exception):
    """
    A failure that the user can fix.

    Args:
        message: What is wrong, in one sentence.
        hint:    What to do about it; the class's own advice where none is given.

    """

    exit_code = EXIT_USER
    hint = ""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(DraftproofError):
    """A document cannot be read as text."""

    hint = "Give a Markdown file in UTF-8."


class OutputError(DraftproofError):
    """A report cannot be written; an earlier report is left as it was."""

    hint = "Choose another place with --output."


class CommandSentenceError(DraftproofError):
    """The sentence of the original command names no file, or more than one, for a role."""

    hint = (
        'Write it as: "Requirements are in docs/requirements.md file. Tech design as '
        'tech-design.md file. Save the review comments in tech-design-review.md file"'
    )


class DataError(DraftproofError):
    """A data file of the product or of the user is malformed."""

    hint = "Correct the file at the place named."


class SettingsError(DraftproofError):
    """A setting has a value that makes no sense."""

    hint = "Correct the option, the environment variable or the settings file."


class EmbedderError(DraftproofError):
    """The embedding model cannot be used; the review goes on with BM25 alone."""

    hint = "Run `make setup` once more to write it again."


class ModelError(DraftproofError):
    """A generative model cannot be used, or cannot be constrained."""

    hint = "Give another GGUF with --model, or leave the option out: a review needs none."


class StoreError(DraftproofError):
    """The knowledge store cannot be used."""

    hint = "Run `draftproof setup` to make it anew."


class NetworkBlockedError(OSError):
    """An outgoing connection was refused by the guard."""
