"""The probability of each choice at one place of an answer, without a preference for short ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class ChoiceReader:
    """
    Reads the distribution over the values of one string member, a step of decoding at a time.

    All tokens that can only lead to one value count for that value, however long it is and
    however the tokenizer cuts it: values are compared where they part, so that none gains
    from having fewer tokens.

    Args:
        member:  Name of the member of the flat answer.
        values:  The values that the schema allows.
        piece:   Returns the bytes of a token.

    """

    def __init__(self, member: str, values: Sequence[str], piece: Callable[[int], bytes]) -> None:
        self._marker = json.dumps(member).encode()
        self._values = {value: json.dumps(value, ensure_ascii=False).encode() for value in values}
        self._mass = dict.fromkeys(values, 0.0)
        self._carried = 1.0
        self._piece = piece
        self._read = False

    @property
    def distribution(self) -> dict[str, float]:
        """Probability by value, summing to 1; empty where the place was not reached."""
        whole = sum(self._mass.values())
        return {value: mass / whole for value, mass in self._mass.items()} if self._read and whole > 0 else {}

    def waits(self, text: bytes) -> bytes | None:
        """Return what is written of the value already, or ``None`` where no choice is open."""
        place = text.rfind(self._marker)
        # Some grammars, not ours, leave room for a space on both sides of the colon.
        rest = text[place + len(self._marker) :].lstrip()
        if place < 0 or not rest.startswith(b":"):
            return None
        return rest[1:] if len(self.left(rest[1:])) > 1 else None

    def left(self, given: bytes) -> list[str]:
        """Return the values that are still possible after what is written."""
        given = given.lstrip()
        return [v for v, text in self._values.items() if text.startswith(given) or given.startswith(text)]

    def step(self, given: bytes, candidates: np.ndarray, logits: np.ndarray, taken: int) -> None:
        """
        Read one step.

        Args:
            given:      What is written of the value.
            candidates: Ids of the tokens that may follow, shape ``(n,)``.
            logits:     Their logits, shape ``(n,)``.
            taken:      The token that was taken.

        """
        import numpy as np

        powers = np.exp(logits.astype(np.float64) - float(logits.max()))
        powers /= powers.sum()
        carried = self._carried
        for token, probability in zip(candidates.tolist(), powers.tolist(), strict=True):
            reached = self.left(given + self._piece(token))
            if token == taken and len(reached) > 1:
                self._carried = carried * probability
                continue
            for value in reached:
                self._mass[value] += carried * probability / len(reached)
        self._read = True
