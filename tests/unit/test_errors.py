"""Errors carry a message, advice and an exit code."""

from __future__ import annotations

import pytest

from draftproof.errors import (
    CommandSentenceError,
    DataError,
    DraftproofError,
    EmbedderError,
    InputError,
    NetworkBlockedError,
    OutputError,
    SettingsError,
    StoreError,
)


@pytest.mark.parametrize(
    "kind", [CommandSentenceError, DataError, EmbedderError, InputError, OutputError, SettingsError, StoreError]
)
def test_error_of_the_user_has_exit_code_two_and_advice(kind: type[DraftproofError]) -> None:
    error = kind("It is broken.")

    assert error.exit_code == 2
    assert str(error) == f"It is broken. {kind.hint}"


def test_hint_given_replaces_the_classes_own() -> None:
    assert str(InputError("It is broken.", "Mend it.")) == "It is broken. Mend it."
    assert InputError("Other.").hint == InputError.hint


def test_refused_connection_is_an_operating_system_error() -> None:
    assert issubclass(NetworkBlockedError, OSError)
    assert not issubclass(NetworkBlockedError, DraftproofError)
