"""
A language model that answers from a file, for the demonstration and for tests.

The file is a JSON array of entries ``{"when": REGEX, "answer": {...}}``, and may add
``"probabilities"``. The first entry whose expression is found in the question answers it; an
entry with ``"error"`` instead of an answer gives none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from draftproof.domain.asking import Answer, Question
from draftproof.errors import ModelError


class ScriptEntry(BaseModel):
    """One answer and when it is given."""

    model_config = ConfigDict(extra="forbid")

    when: str
    answer: dict[str, Any] | None = None
    error: str = ""
    probabilities: dict[str, float] = {}


class ScriptedLanguageModel:
    """
    Answers as its script says.

    Args:
        path: The script.

    Raises:
        ModelError: It cannot be read.

    """

    def __init__(self, path: Path) -> None:
        try:
            entries = TypeAdapter(list[ScriptEntry]).validate_json(path.read_bytes())
            self._entries = [(re.compile(entry.when, re.DOTALL), entry) for entry in entries]
        except OSError as error:
            raise ModelError(f"The script {path} cannot be read: {error.strerror}.") from error
        except (ValidationError, re.error) as error:
            first = str(error).splitlines()[0]
            raise ModelError(f"{path} is no script of answers: {first}.") from error
        self.name = f"script {path.stem}"
        self.place = str(path)
        self.description = "answers from a file"
        self.tokens_read = 0
        self.tokens_written = 0

    def answer(self, questions: Sequence[Question], told: Callable[[int], None] = lambda _: None) -> list[Answer]:
        """Return the scripted answer to each question."""
        answers = [self._answer(question) for question in questions]
        told(len(answers))
        return answers

    def fits(self, _: Question) -> bool:
        """Return true: a script has no window."""
        return True

    def seconds_for(self, _: Sequence[Question]) -> float:
        """Return 0: a script takes no time to speak of."""
        return 0.0

    def prove(self) -> None:
        """Do nothing: nothing is generated."""

    def close(self) -> None:
        """Do nothing."""

    def _answer(self, question: Question) -> Answer:
        for pattern, entry in self._entries:
            if pattern.search(question.text):
                if entry.answer is None:
                    return Answer("", error=entry.error or "the script gives none")
                return Answer(json.dumps(entry.answer), "", entry.probabilities)
        return Answer("", error="the script has no entry for it")
