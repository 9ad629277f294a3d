"""
A language model on a server that the team hosts: vLLM, llama.cpp's server, Ollama.

It is asked by outlines over the OpenAI form of the protocol, which all of them speak, with
the same schemas as a model in this process. Before any line of a document is sent, a probe
checks that the server really constrains: some take a schema and ignore it in silence, some
know it in another form alone, some refuse to tell probabilities. The way that works is kept.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from math import ceil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from draftproof.adapters.logprobs import told_probabilities
from draftproof.domain.asking import Answer, Question
from draftproof.errors import ModelError, first_line

if TYPE_CHECKING:
    import openai

_ATTEMPTS = 3
_PROBES = 2
# Servers allow this many by default, and seldom more.
_ALTERNATIVES = 20
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


@dataclass(frozen=True, slots=True)
class _Way:
    """
    How questions are put.

    Args:
        form:     Type of the response format that carries the schema.
        told:     Whether the probabilities of the tokens are asked for.
        together: Questions in flight.

    """

    form: str
    told: bool
    together: int


# The last is that of llama-cpp-python's own server. It answers the usual form with an error, and
# one question at a time: others would wait until they are given up. To tell probabilities it
# sorts the whole vocabulary for each token, which takes longer than the answer.
_WAYS = (
    _Way("json_schema", told=True, together=16),
    _Way("json_schema", told=False, together=16),
    _Way("json_object", told=False, together=1),
)


@dataclass(frozen=True, slots=True)
class _Record:
    """What one answer took: seconds, and tokens as far as the server tells."""

    seconds: float
    read: int
    written: int


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
        self._records: list[_Record] = []
        self._way = _WAYS[0]
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

    @property
    def tokens_read(self) -> int:
        """Tokens of the prompts so far, as far as the server tells."""
        return sum(record.read for record in self._records)

    @property
    def tokens_written(self) -> int:
        """Tokens of the answers so far, as far as the server tells."""
        return sum(record.written for record in self._records)

    def answer(self, questions: Sequence[Question], told: Callable[[int], None] = lambda _: None) -> list[Answer]:
        """Return an answer to each question; what fails is an error of its own."""
        with ThreadPoolExecutor(max_workers=self._way.together) as pool:
            waiting = [pool.submit(self._answer, question) for question in questions]
            for count, _ in enumerate(as_completed(waiting), start=1):
                told(count)
        return [future.result() for future in waiting]

    def fits(self, _: Question) -> bool:
        """Return true: servers do not tell their window; one that is too small refuses the question."""
        return True

    def seconds_for(self, questions: Sequence[Question]) -> float:
        """Return about how long the answers will take, from the mean of those so far."""
        usual = sum(record.seconds for record in self._records) / max(1, len(self._records))
        return usual * ceil(len(questions) / self._way.together)

    def prove(self) -> None:
        """
        Check that the server constrains, by words that no model would write by itself.

        Raises:
            ModelError: It answers freely, or not at all.

        """
        faults: list[str] = []
        ignored = False
        for way in _WAYS:
            self._way = way
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
            question = Question("Answer in one word.", "What is the capital of France?", schema, 64, "word", (word,))
            answer = self._said(question)
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
        client = _Client(self._client, self._way)
        told = {"logprobs": True, "top_logprobs": _ALTERNATIVES} if question.member and self._way.told else {}
        ask: Any = outlines.Generator(OpenAI(client, self._model), JsonSchema(json.dumps(_plain(question.schema))))
        started = time.monotonic()
        text = ask(chat, max_tokens=question.most, temperature=0, seed=0, **told)
        self._records.append(_Record(time.monotonic() - started, *client.counts))
        if not isinstance(text, str):
            return Answer("", error="the server sent no text")
        probabilities = told_probabilities(client.logprobs, question.member, question.values) if told else {}
        return Answer(_strict(text), probabilities=probabilities)


class _Client:
    """
    The client, as far as outlines uses it.

    Outlines writes the usual form of a schema alone, and returns the text alone: here the
    schema gets the form that the server knows, and what it tells of the tokens is kept.
    """

    def __init__(self, client: openai.OpenAI, way: _Way) -> None:
        self._client = client
        self._way = way
        self.chat = SimpleNamespace(completions=self)
        self.logprobs: Any = None
        self.counts = (0, 0)

    def create(self, *, response_format: Mapping[str, Any], **request: Any) -> Any:
        """Ask for one answer."""
        if self._way.form == "json_object":
            response_format = {"type": "json_object", "schema": response_format["json_schema"]["schema"]}
        response = self._client.chat.completions.create(response_format=response_format, **request)
        # The client does not look whether what came back is an answer; outlines takes it for one.
        choices = getattr(response, "choices", None)
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not hasattr(getattr(choice, "message", None), "content"):
            raise ValueError("what the server sent is no answer")
        self.logprobs = getattr(choice, "logprobs", None)
        usage = getattr(response, "usage", None)
        counts = [getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")]
        self.counts = (_count(counts[0]), _count(counts[1]))
        return response


def _count(told: Any) -> int:
    return told if isinstance(told, int) and told > 0 else 0


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
