"""
The decoder as a model of outlines, so that it is asked like any server that outlines knows.

outlines drives two kinds of model: those whose logits it masks itself, and those that take
the output type and constrain themselves. Ours is of the second kind, as vLLM in the same
process is, whose class it therefore extends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Any

from outlines.inputs import Chat
from outlines.models.vllm_offline import VLLMOffline
from outlines.types.dsl import CFG, JsonSchema, python_types_to_terms, to_regex

from draftproof.adapters.llamacpp.decoder import Decoded, Decoder, Prompted
from draftproof.adapters.llamacpp.grammar import Grammars
from draftproof.adapters.llamacpp.template import ChatTemplate
from draftproof.errors import ModelError

DEFAULT_MOST = 512


class DecoderModel(VLLMOffline):
    """
    Asks a model in this process.

    ``outlines.Generator(model, output_type)`` works as with any model; ``batch`` decodes all
    its prompts together.

    Args:
        decoder:  The decoder.
        template: The model's chat template.

    """

    def __init__(self, decoder: Decoder, template: ChatTemplate) -> None:
        # VLLMOffline's own would ask for vllm's objects.
        self._decoder = decoder
        self._template = template

    def generate(self, model_input: Chat | str, output_type: Any = None, **options: Any) -> str:
        """
        Return the answer to one prompt.

        Args:
            model_input: A question, or a chat.
            output_type: Any type that outlines knows.
            options:     ``max_tokens``.

        Raises:
            ModelError: There is no answer of that type.

        """
        return self.generate_batch([model_input], output_type, **options)[0]

    def generate_batch(
        self,
        model_input: list[Chat | str],
        output_type: Any = None,
        **options: Any,
    ) -> list[str]:
        """
        Return the answers to several prompts, decoded together.

        Args:
            model_input:  Questions or chats.
            output_type:  The type of all answers.
            options:      ``output_types``, a type for each answer instead; ``max_tokens``, after
                          which an answer is given up.

        """
        types = options.get("output_types") or [output_type] * len(model_input)
        most = options.get("max_tokens", DEFAULT_MOST)
        prompts = [self._prompted(one, kind, most) for one, kind in zip(model_input, types, strict=True)]
        return [_text(answer) for answer in self._decoder.decode(prompts)]

    def generate_stream(self, model_input: Chat | str, output_type: Any = None, **options: Any) -> Iterator[str]:
        """Yield the answer to one prompt piece by piece, never half a character."""
        from codecs import getincrementaldecoder

        prompt = self._prompted(model_input, output_type, options.get("max_tokens", DEFAULT_MOST))
        pieces: SimpleQueue[bytes | BaseException | None] = SimpleQueue()

        def work() -> None:
            try:
                _text(self._decoder.decode([prompt], written=lambda _, piece: pieces.put(piece))[0])
                pieces.put(None)
            except BaseException as error:  # noqa: BLE001 - raised again by the reader
                pieces.put(error)

        thread = Thread(target=work, daemon=True)
        thread.start()
        characters = getincrementaldecoder("utf-8")()
        while (piece := pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            if text := characters.decode(piece):
                yield text
        thread.join()

    def _prompted(self, model_input: Chat | str, output_type: Any, most: int) -> Prompted:
        messages: Sequence[Mapping[str, str]] = (
            model_input.messages if isinstance(model_input, Chat) else [{"role": "user", "content": model_input}]
        )
        tokens, joints = self._template.jointed(messages)
        return Prompted(tokens, grammar_of(output_type), most, joints=joints)


def grammar_of(output_type: Any) -> str:
    """
    Return llguidance's grammar of a type that outlines knows.

    Raises:
        ModelError: Free text was asked for, or the type is none that can be constrained.

    """
    if output_type is None:
        raise ModelError("An answer without a type cannot be constrained.")
    try:
        term = python_types_to_terms(output_type)
    except (TypeError, RecursionError) as error:
        raise ModelError(f"{output_type!r} is no type of an answer: {error}.") from error
    if isinstance(term, CFG):
        return Grammars.of_lark(term.definition)
    if isinstance(term, JsonSchema):
        return Grammars.of_schema(term.schema)
    return Grammars.of_regex(to_regex(term))


def _text(answer: Decoded | None) -> str:
    if answer is None or answer.error:
        raise ModelError(f"There is no answer: {answer.error if answer else 'it was not begun'}.")
    return answer.text
