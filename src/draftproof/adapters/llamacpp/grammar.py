"""Grammars by llguidance: the tokenizer made once for a model, a matcher for each answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from draftproof.errors import ModelError, first_line

if TYPE_CHECKING:
    import numpy as np

    from draftproof.adapters.llamacpp.engine import LlamaCppEngine

# Tokens that may stand anywhere in a JSON string, so that a mask need not walk through them one by
# one. llguidance's own three slices give masks no faster, and take 20 MB more for 150,000 tokens.
_SLICE = r'[^"\\\x00-\x1F\x7F]{1,30}'


class Grammars:
    """
    Compiles grammars for one model.

    Args:
        engine: The model whose tokens they constrain.

    Raises:
        ModelError: The model's tokenizer cannot be used to constrain it.

    """

    def __init__(self, engine: LlamaCppEngine) -> None:
        try:
            import llguidance
            from llguidance.llamacpp import lltokenizer_from_vocab
        except ImportError as error:
            raise ModelError(f"llguidance cannot be loaded: {error}.", "Run `make setup` once more.") from error
        self._matcher: Any = llguidance.LLMatcher
        try:
            self._tokenizer = lltokenizer_from_vocab(engine.vocabulary, n_vocab=engine.vocabulary_size, slices=[_SLICE])
        except (ValueError, RuntimeError, AssertionError) as error:
            raise ModelError(f"The tokenizer of {engine.path.name} cannot be constrained: {error}.") from error
        self._size = engine.vocabulary_size
        self._compiled: dict[str, Any] = {}

    @staticmethod
    def of_schema(schema: Mapping[str, Any] | str) -> str:
        """
        Return the grammar of a JSON schema: members in its order, no white space between them.

        An object with named members is closed where the schema does not say otherwise;
        pydantic's schemas leave that out, and a model would go on inventing members.
        """
        import llguidance

        text = json.dumps(_closed(json.loads(schema) if isinstance(schema, str) else schema))
        return str(
            llguidance.LLMatcher.grammar_from_json_schema(
                text, overrides={"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
            )
        )

    @staticmethod
    def of_regex(pattern: str) -> str:
        """Return the grammar of a regular expression."""
        import llguidance

        return str(llguidance.LLMatcher.grammar_from_regex(pattern))

    @staticmethod
    def of_lark(text: str) -> str:
        """Return the grammar of a text in llguidance's variant of Lark."""
        import llguidance

        return str(llguidance.LLMatcher.grammar_from_lark(text))

    def matcher(self, grammar: str) -> Matcher:
        """
        Return a matcher at the beginning of a grammar.

        Raises:
            ModelError: The grammar cannot be compiled.

        """
        compiled = self._compiled.get(grammar)
        if compiled is None:
            compiled = self._matcher(self._tokenizer, grammar, log_level=0)
            if compiled.is_error():
                raise ModelError(f"The schema cannot be compiled: {_reason(compiled.get_error())}.")
            self._compiled[grammar] = compiled
        return Matcher(compiled.deep_copy(), self._size)


class Matcher:
    """
    Follows one answer through its grammar; any failure is an error, never a free step.

    Args:
        matcher: llguidance's own.
        size:    How many tokens the vocabulary has.

    """

    def __init__(self, matcher: Any, size: int) -> None:
        self._inner = matcher
        self._size = size

    @property
    def finished(self) -> bool:
        """Whether nothing can follow."""
        return bool(self._inner.is_stopped())

    def allowed(self, buffer: np.ndarray) -> np.ndarray:
        """
        Return which tokens may follow.

        Args:
            buffer: Room for the mask, uint8, at least one bit for each token, a multiple
                    of four bytes.

        Returns:
            Booleans of shape ``(vocabulary,)``.

        Raises:
            ModelError: The mask fails, or nothing may follow.

        """
        import numpy as np

        self._inner.unsafe_compute_mask_ptr(buffer.ctypes.data, buffer.nbytes)
        self._prove()
        mask = np.unpackbits(buffer, count=self._size, bitorder="little").view(np.bool_)
        if not mask.any():
            raise ModelError("The grammar allows no token.")
        return mask

    def take(self, token: int) -> None:
        """
        Go on by a token.

        Raises:
            ModelError: The grammar does not allow it.

        """
        if not self._inner.consume_token(token):
            raise ModelError(f"The grammar refused a token: {_reason(self._inner.get_error())}.")

    def forced(self) -> list[int]:
        """Return the tokens that must follow, and go on by them."""
        if self._inner.is_stopped():
            return []
        tokens = [int(token) for token in self._inner.compute_ff_tokens()]
        for token in tokens:
            self.take(token)
        return tokens

    def _prove(self) -> None:
        if self._inner.is_error():
            raise ModelError(f"The mask failed: {_reason(self._inner.get_error())}.")


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    if isinstance(closed.get("properties"), dict) and closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def _reason(said: str) -> str:
    return first_line(said, "no reason given").rstrip(".")
