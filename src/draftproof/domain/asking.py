"""What a language model is asked, and what it says: values without a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Effort(StrEnum):
    """Which checks a language model is asked about."""

    QUICK = "quick"
    STANDARD = "standard"
    THOROUGH = "thorough"


@dataclass(frozen=True, slots=True)
class Question:
    """
    One closed question.

    Args:
        system: What the model is to do; the same for many questions.
        text:   The question.
        schema: JSON Schema of the answer, a flat object.
        most:   Tokens of the answer after which it is given up.
        member: Member of the answer whose probabilities are wanted, or empty.
        values: What it may be.
        opening: What the text begins with as other questions do, so that it may be read once.

    """

    system: str
    text: str
    schema: Mapping[str, Any]
    most: int
    member: str = ""
    values: tuple[str, ...] = ()
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What the model said.

    Args:
        text:          JSON that follows the schema; empty where there is none.
        error:         Why there is none, in a clause; else empty.
        probabilities: Of the values of the member asked for; empty where the model, or the
                       server, does not tell.

    """

    text: str
    error: str = ""
    probabilities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelRule:
    """
    How a language model's word is weighed; it stands in ``knowledge/scoring.yaml``.

    Args:
        share:     Weight of the model's probabilities against the judge's, 0 to 1.
        told:      Probability of a verdict that a server names without telling probabilities.
        ask_below: Confidence of the judge below which a check is asked about, by effort.
        writes:    What it writes, by effort: on findings of which severities, on sections, the summary.

    """

    share: float
    told: float
    ask_below: Mapping[Effort, float]
    writes: Mapping[Effort, tuple[str, ...]] = field(default_factory=dict)
