"""
A language model on a server that the team hosts: vLLM, llama.cpp's server, Ollama.

It is asked by outlines over the OpenAI form of the protocol, which all of them speak, with
the same schemas as a model in this process. Before any line of a document is sent, a probe
checks that the server really constrains: some take a schema and ignore it in silence.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from draftproof.domain.asking import Answer, Question
from draftproof.errors import ModelError, first_line

if TYPE_CHECKING:
    from outlines.models import OpenAI

_IN_FLIGHT = 16
_ATTEMPTS = 3
_PROBES = 2
# Length limits make some servers' grammars large and slow; ``most`` bounds the answer.
_LEFT_OUT = ("maxLength", "minLength")


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """
    How a server is asked.

    Args:
        url:     Its base, such as ``http://gpu-box:8000/v1``.
        model:   The model's name there; the first that it lists where not given.
        key:     Sent as bearer token; most servers want none.
        seconds: For one answer.

    """

    url: str
    model: str = ""
    key: str = ""
    seconds: float = 120.0


class ServerLanguageModel:
    """
    Asks a server.

    Args:
        options: Which, and how.

    Raises:
        ModelError: The client is not installed, or the server cannot be reached.

    """

    def __init__(self, options: ServerOptions) -> None:
        try:
            import openai
        except ImportError as error:
            raise ModelError(
                "Asking a server needs the package openai.", "Install it with `pip install 'draftproof[server]'`."
            ) from error
        self._options = options
        self._faults = (openai.OpenAIError, OSError, ValueError)
        self._client = openai.OpenAI(
            base_url=options.url, api_key=options.key or "none", timeout=options.seconds, max_retries=_ATTEMPTS - 1
        )
        host = urlsplit(options.url)
        self.place = host.netloc.rpartition("@")[2]
        self.tokens_read = 0
        self.tokens_written = 0
        self._seconds: list[float] = []
        self._model = self._opened(options.model)
        self.name = f"{self._model.model_name} at {self.place}"
        self.description = "on a server"

    def _opened(self, name: str) -> OpenAI:
        import outlines

        try:
            if not name:
                listed = list(self._client.models.list())
                if not listed:
                    raise ModelError(f"The server {self.place} offers no model.", "Load one there.")
                name = listed[0].id
        except self._faults as error:
            raise ModelError(
                f"The server {self.place} cannot be reached: {_reason(error)}.",
                "Check --engine-url, and that the server runs.",
            ) from error
        return cast("OpenAI", outlines.from_openai(self._client, name))

    def answer(self, questions: Sequence[Question], told: Callable[[int], None] = lambda _: None) -> list[Answer]:
        """Return an answer to each question, many in flight; what fails is an error of its own."""
        with ThreadPoolExecutor(max_workers=_IN_FLIGHT) as pool:
            waiting = [pool.submit(self._timed, question) for question in questions]
            for count, _ in enumerate(as_completed(waiting), start=1):
                told(count)
        return [future.result() for future in waiting]

    def seconds_for(self, questions: Sequence[Question]) -> float:
        """Return about how long the answers will take, from the mean of those so far; 0 before the first."""
        if not self._seconds:
            return 0.0
        return sum(self._seconds) / len(self._seconds) * ceil(len(questions) / _IN_FLIGHT)

    def _timed(self, question: Question) -> Answer:
        started = time.monotonic()
        answer = self._answer(question)
        self._seconds.append(time.monotonic() - started)
        return answer

    def prove(self) -> None:
        """
        Check that the server constrains, by words that no model would write by itself.

        Raises:
            ModelError: It answers freely, or not at all.

        """
        for _ in range(_PROBES):
            word = secrets.token_hex(4)
            schema = {
                "type": "object",
                "properties": {"word": {"enum": [word]}},
                "required": ["word"],
                "additionalProperties": False,
            }
            question = Question("Answer in one word.", "What is the capital of France?", schema, 64)
            answer = self._answer(question)
            if answer.error:
                raise ModelError(f"The server {self.place} does not answer: {answer.error}.", "Look into its log.")
            if _parsed(answer.text) != {"word": word}:
                raise ModelError(
                    f"The server {self.place} ignores the schema of an answer, so what it says cannot be used.",
                    "Use vLLM 0.12 or later, llama.cpp's server or Ollama with structured outputs.",
                )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _answer(self, question: Question) -> Answer:
        import outlines
        from outlines.exceptions import OutlinesError
        from outlines.inputs import Chat
        from outlines.types import JsonSchema

        chat = Chat([{"role": "system", "content": question.system}, {"role": "user", "content": question.text}])
        ask: Any = outlines.Generator(self._model, JsonSchema(json.dumps(_plain(question.schema))))
        try:
            text = ask(chat, max_tokens=question.most, temperature=0, seed=0)
        except (*self._faults, OutlinesError) as error:
            return Answer("", error=_reason(error))
        return Answer(text) if isinstance(text, str) else Answer("", error="the server sent no text")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if isinstance(schema, Mapping):
        return {name: _plain(part) for name, part in schema.items() if name not in _LEFT_OUT}
    return schema


def _reason(error: BaseException) -> str:
    return first_line(error, type(error).__name__).rstrip(".")
