"""The probabilities of choices, read from the tokens that a server tells with its answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from draftproof.adapters.choices import ChoiceReader

# Some servers tell what the model would have said without the grammar. Where less than this
# fell to the values, those that are not among the alternatives told may weigh as much.
_LEAST = 0.1


class _Alternative(BaseModel):
    """A token that may stand at a place; servers leave the bytes out where they have none."""

    model_config = ConfigDict(from_attributes=True)

    token: str
    raw: list[Annotated[int, Field(ge=0, le=255)]] | None = Field(default=None, validation_alias="bytes")
    # Rounding may lift a certain token a little above 1.
    logprob: Annotated[float, Field(le=0.01)]

    @property
    def piece(self) -> bytes:
        return self.token.encode() if self.raw is None else bytes(self.raw)


class _Token(_Alternative):
    """The token that stands there."""

    top_logprobs: list[_Alternative] = Field(default_factory=list)


class _Told(BaseModel):
    """What a server tells of an answer's tokens."""

    model_config = ConfigDict(from_attributes=True)

    content: list[_Token]


def told_probabilities(logprobs: Any, member: str, values: Sequence[str]) -> dict[str, float]:
    """
    Return the probability of each value that a member of an answer may have.

    Args:
        logprobs: What came with the answer; nothing is taken for granted of it.
        member:   Name of the member of the flat answer.
        values:   The values that the schema allows.

    Returns:
        By value, summing to 1; empty where the server does not tell enough.

    """
    try:
        told = _Told.model_validate(logprobs)
    except ValidationError:
        return {}
    pieces: list[bytes] = []
    reader = ChoiceReader(member, values, pieces.__getitem__)
    text = b""
    for token in told.content:
        given = reader.waits(text)
        if given is not None and token.piece and not _read(reader, given, token, pieces):
            return {}
        text += token.piece
    return reader.distribution


def _read(reader: ChoiceReader, given: bytes, token: _Token, pieces: list[bytes]) -> bool:
    """Read a token of the value with its alternatives; return whether they tell enough."""
    import numpy as np

    # Special tokens and parts of a letter may come without a text.
    logprobs = {o.piece: o.logprob for o in (*token.top_logprobs, token) if o.piece and math.isfinite(o.logprob)}
    left = {piece: len(reader.left(given + piece)) for piece in logprobs}
    mass = math.fsum(math.exp(logprobs[piece]) for piece, count in left.items() if count)
    if not left.get(token.piece) or mass < _LEAST:
        return False
    # A token after which all is as open as before, such as a space, says nothing unless it was taken.
    count = len(reader.left(given))
    telling = [piece for piece in logprobs if piece == token.piece or 0 < left[piece] < count]
    first = len(pieces)
    pieces += telling
    reader.step(
        given,
        np.arange(first, len(pieces)),
        np.array([logprobs[piece] for piece in telling]),
        first + telling.index(token.piece),
    )
    return True
