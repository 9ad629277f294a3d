"""
A language model on a server that the team hosts: vLLM, llama.cpp's server, Ollama.

It is asked by outlines over the OpenAI form of the protocol, which all of them speak, with
the same schemas as a model in this process. Before any line of a document is sent, a probe
checks that the server really constrains: some take a schema and ignore it in silence, some
know it in another form alone. The form that constrains is kept.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from draftproof.domain.asking import Answer, Question
from draftproof.errors import ModelError, first_line

if TYPE_CHECKING:
    import openai

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


class SchemaForm(Enum):
    """How a request names the schema of its answer, the usual form first."""

    STANDARD = "json_schema"
    # Of llama-cpp-python's own server, which answers the usual one with an error.
    OBJECT = "json_object"


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
        from outlines.exceptions import APIConnectionError, APITimeoutError, OutlinesError

        self._faults = (openai.OpenAIError, OutlinesError, OSError, ValueError)
        self._silence = (APIConnectionError, APITimeoutError)
        self._client = openai.OpenAI(
            base_url=options.url, api_key=options.key or "none", timeout=options.seconds, max_retries=_ATTEMPTS - 1
        )
        host = urlsplit(options.url)
        self.place = host.netloc.rpartition("@")[2]
        self.tokens_read = 0
        self.tokens_written = 0
        self._form = SchemaForm.STANDARD
        self._model = options.model or self._first()
        self.name = f"{self._model} at {self.place}"
        self.description = "on a server"

    def _first(self) -> str:
        """Return the name of the first model that the server lists."""
        try:
            listed = list(self._client.models.list())
        except self._faults as error:
            raise ModelError(
                f"The server {self.place} cannot be reached: {_reason(error)}.",
                "Check --engine-url, and that the server runs.",
            ) from error
        if not listed:
            raise ModelError(f"The server {self.place} offers no model.", "Load one there.")
        return str(listed[0].id)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Return an answer to each question, many in flight; what fails is an error of its own."""
        with ThreadPoolExecutor(max_workers=_IN_FLIGHT) as pool:
            return list(pool.map(self._answer, questions))

    def prove(self) -> None:
        """
        Check that the server constrains, by words that no model would write by itself.

        Raises:
            ModelError: It answers freely, or not at all.

        """
        faults: list[str] = []
        ignored = False
        for form in SchemaForm:
            self._form = form
            try:
                if self._constrains():
                    return
                ignored = True
            except self._faults as error:
                faults.append(_reason(error))
                if isinstance(error, self._silence):
                    break
        if not ignored:
            told = "; ".join(dict.fromkeys(faults))
            raise ModelError(f"The server {self.place} does not answer: {told}.", "Look into its log.")
        raise ModelError(
            f"The server {self.place} ignores the schema of an answer, so what it says cannot be used.",
            "Use vLLM 0.12 or later, llama.cpp's server or Ollama with structured outputs.",
        )

    def _constrains(self) -> bool:
        """Return whether the server says a word that only the schema names."""
        for _ in range(_PROBES):
            word = secrets.token_hex(4)
            schema = {
                "type": "object",
                "properties": {"word": {"enum": [word]}},
                "required": ["word"],
                "additionalProperties": False,
            }
            answer = self._said(Question("Answer in one word.", "What is the capital of France?", schema, 64))
            if _parsed(answer.text) != {"word": word}:
                return False
        return True

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _answer(self, question: Question) -> Answer:
        try:
            return self._said(question)
        except self._faults as error:
            return Answer("", error=_reason(error))

    def _said(self, question: Question) -> Answer:
        import outlines
        from outlines.inputs import Chat
        from outlines.models.openai import OpenAI
        from outlines.types import JsonSchema

        chat = Chat([{"role": "system", "content": question.system}, {"role": "user", "content": question.text}])
        model = OpenAI(_Client(self._client, self._form), self._model)
        ask: Any = outlines.Generator(model, JsonSchema(json.dumps(_plain(question.schema))))
        text = ask(chat, max_tokens=question.most, temperature=0, seed=0)
        return Answer(_strict(text)) if isinstance(text, str) else Answer("", error="the server sent no text")


class _Client:
    """
    The client, as far as outlines uses it, with the schema in the form that the server knows.

    Outlines writes the standard form alone.
    """

    def __init__(self, client: openai.OpenAI, form: SchemaForm) -> None:
        self._client = client
        self._form = form
        self.chat = SimpleNamespace(completions=self)

    def create(self, *, response_format: Mapping[str, Any], **request: Any) -> Any:
        """Ask for one answer."""
        if self._form is SchemaForm.OBJECT:
            response_format = {"type": "json_object", "schema": response_format["json_schema"]["schema"]}
        response = self._client.chat.completions.create(response_format=response_format, **request)
        # The client does not look whether what came back is an answer; outlines takes it for one.
        if not getattr(response, "choices", None):
            raise ValueError("what the server sent is no answer")
        return response


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _strict(text: str) -> str:
    """Return an answer with the control characters escaped that llama-cpp-python's grammar lets into strings."""
    try:
        return json.dumps(json.loads(text, strict=False))
    except ValueError:
        return text


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if isinstance(schema, Mapping):
        return {name: _plain(part) for name, part in schema.items() if name not in _LEFT_OUT}
    return schema


def _reason(error: BaseException) -> str:
    # Outlines puts the name of the client's maker before what the client says, which is no news of this server.
    said = getattr(error, "original_exception", None) or error
    return first_line(said, type(said).__name__).rstrip(".")
