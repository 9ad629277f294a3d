"""
The chat template of a GGUF, rendered in a sandbox and cut into tokens.

What stands in a document never becomes a special token: the template is rendered around
placeholders, and only its own text is read with special tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from draftproof.adapters.llamacpp.engine import LlamaCppEngine
from draftproof.errors import ModelError

Message = Mapping[str, str]

# Characters of the private use area: no template and hardly a document contains them.
_MARK = "\ue000{}\ue001"
# Stands in a message where it may part from others; cut into tokens by itself on either side.
JOINT = "\ue002"
_MARKS = re.compile("\ue000(\\d+)\ue001")
_THINKING = re.compile(r"<think>\s*$")


class ChatTemplate:
    """
    Turns messages into the tokens of a prompt.

    Args:
        engine: The model.
        text:   A template to use instead of the file's own.

    Raises:
        ModelError: There is no template, or it is malformed.

    """

    def __init__(self, engine: LlamaCppEngine, text: str = "") -> None:
        from jinja2 import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        self._engine = engine
        source = text or engine.template
        if not source:
            raise ModelError(
                f"{engine.path.name} holds no chat template, and a model asked in the wrong form answers at random.",
                "Name one with --chat-template, a file with the model's own Jinja template.",
            )
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals.update(raise_exception=_raise, strftime_now=lambda _: "")
        try:
            self._template = environment.from_string(source)
        except TemplateError as error:
            raise ModelError(f"The chat template of {engine.path.name} is malformed: {error}.") from error

    def tokens(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """
        Return the prompt for messages with ``role`` and ``content``.

        Raises:
            ModelError: The template refuses them.

        """
        return self.jointed(messages)[0]

    def jointed(self, messages: Sequence[Message]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """
        Return the prompt, and the lengths at which it may part from others.

        Those are the end of the system message and each :data:`JOINT`. They depend on these
        messages alone.

        Raises:
            ModelError: The template refuses them.

        """
        contents = [_MARKS.sub("", message["content"]).split(JOINT) for message in messages]
        found: list[int] = []
        joints: list[int] = []
        for place, piece in enumerate(_MARKS.split(self.rendered([m["role"] for m in messages]))):
            # Odd pieces are the numbers of the placeholders.
            if not place % 2:
                found += self._engine.tokens(piece, special=True)
                continue
            *parts, last = contents[int(piece)]
            for part in parts:
                found += self._engine.tokens(part)
                joints.append(len(found))
            found += self._engine.tokens(last)
            if messages[int(piece)]["role"] == "system":
                joints.append(len(found))
        beginning = self._engine.beginning
        if beginning is not None:
            doubled = next((i for i, token in enumerate(found) if token != beginning), len(found))
            found[:doubled] = [beginning]
            joints = [joint + 1 - doubled for joint in joints]
        return tuple(found), tuple(sorted({joint for joint in joints if 0 < joint < len(found)}))

    def rendered(self, roles: Sequence[str]) -> str:
        """Return the template's text around placeholders, one for each message."""
        marked = [{"role": role, "content": _MARK.format(place)} for place, role in enumerate(roles)]
        try:
            text = self._render(marked)
        except ModelError:
            # Some templates know no system role: its text then opens the first question.
            if len(roles) < 2 or roles[0] != "system":
                raise
            joined = {"role": roles[1], "content": f"{marked[0]['content']}\n\n{marked[1]['content']}"}
            text = self._render([joined, *marked[2:]])
        missing = [place for place in range(len(roles)) if _MARK.format(place) not in text]
        if missing:
            raise ModelError(
                f"The chat template of {self._engine.path.name} leaves out a message ({roles[missing[0]]})."
            )
        # A thought that has begun is ended: the grammar starts with the answer.
        return f"{text}\n</think>\n\n" if _THINKING.search(text) else text

    def _render(self, messages: Sequence[Message]) -> str:
        from jinja2 import TemplateError

        variables: dict[str, Any] = {
            "messages": list(messages),
            "add_generation_prompt": True,
            "enable_thinking": False,
            "tools": None,
            **self._engine.special_texts,
        }
        try:
            return self._template.render(variables)
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise ModelError(f"The chat template of {self._engine.path.name} cannot be rendered: {error}.") from error


def _raise(message: str) -> None:
    from jinja2 import TemplateError

    raise TemplateError(message)
