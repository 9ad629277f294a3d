"""A GGUF of the user's as the language model of a review."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from draftproof.adapters.llamacpp.decoder import Decoded, Decoder, Prompted
from draftproof.adapters.llamacpp.engine import TILE, EngineOptions, LlamaCppEngine
from draftproof.adapters.llamacpp.grammar import Grammars
from draftproof.adapters.llamacpp.prefixes import distinct_tokens
from draftproof.adapters.llamacpp.template import JOINT, ChatTemplate
from draftproof.domain.asking import Answer, Question
from draftproof.errors import ModelError

# Asked of every model before it is trusted with a question.
_PROBE = Question(
    system="Answer in the form asked for.",
    text="Which of the two words comes first in the alphabet, apple or pear?",
    schema={
        "type": "object",
        "properties": {"word": {"enum": ["apple", "pear"]}},
        "required": ["word"],
        "additionalProperties": False,
    },
    most=16,
    member="word",
    values=("apple", "pear"),
)


# Answers that say nothing about how long others get.
_PROBES = 1
# Of the tokens that an answer may have, what it usually takes.
_USUAL = 0.4


@dataclass(frozen=True, slots=True)
class ShownPrompt:
    """
    How a model is asked, for a person to look at.

    Args:
        first:      Pieces of the first tokens, quoted.
        last:       Pieces of the last tokens, quoted.
        beginnings: How often the beginning token stands at the start.
        wanted:     How often it should.
        threads:    Threads used.
        window:     Tokens of context.
        parallel:   Answers decoded together.

    """

    first: tuple[str, ...]
    last: tuple[str, ...]
    beginnings: int
    wanted: int
    threads: int
    window: int
    parallel: int


class GgufLanguageModel:
    """
    Answers with a GGUF in this process.

    Args:
        path:     The file.
        options:  How it is run.
        template: A chat template to use instead of the file's own.

    Raises:
        ModelError: It cannot be loaded, holds no template, or cannot be constrained.

    """

    def __init__(self, path: Path, options: EngineOptions | None = None, template: str = "") -> None:
        self.engine = LlamaCppEngine(path, options)
        try:
            self.template = ChatTemplate(self.engine, template)
            self.grammars = Grammars(self.engine)
            self.decoder = Decoder(self.engine, self.grammars)
            self._jointed = lru_cache(maxsize=256)(
                lambda system, opening, text: self.template.jointed(_messages(system, opening, text))
            )
        except ModelError:
            self.engine.close()
            raise

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.engine.path.stem

    @property
    def place(self) -> str:
        """Where it comes from: the file."""
        return str(self.engine.path)

    @property
    def description(self) -> str:
        """Architecture, size and quantization."""
        return self.engine.description

    @property
    def tokens_read(self) -> int:
        """Tokens evaluated so far, those of the answers included."""
        return self.engine.evaluated

    @property
    def tokens_written(self) -> int:
        """Tokens of all answers so far."""
        return self.decoder.timing.written

    def answer(self, questions: Sequence[Question], told: Callable[[int], None] = lambda _: None) -> list[Answer]:
        """Return an answer to each question; one that cannot be constrained or is not complete is an error."""
        answers: list[Answer] = [Answer("")] * len(questions)
        prompts: list[tuple[int, Prompted]] = []
        for place, question in enumerate(questions):
            try:
                prompts.append((place, self._prompted(question)))
            except (ModelError, ValueError) as error:
                answers[place] = Answer("", error=error.message if isinstance(error, ModelError) else str(error))
        unasked = len(questions) - len(prompts)
        ended = self.decoder.decode([p for _, p in prompts], told=lambda count: told(unasked + count))
        for (place, _), decoded in zip(prompts, ended, strict=True):
            answers[place] = _answer(decoded)
        return answers

    def fits(self, question: Question) -> bool:
        """Return whether a question and its answer have room in the window."""
        tokens, joints = self._tokens(question)
        return self.decoder.fits(Prompted(tokens, "", question.most, joints=joints))

    def seconds_for(self, questions: Sequence[Question]) -> float:
        """Return about how long the answers will take, from a short trial and the answers so far."""
        if not questions:
            return 0.0
        tokens = [self._tokens(question)[0] for question in questions]
        timing = self.decoder.timing
        usual = timing.written / timing.answers if timing.answers > _PROBES else questions[0].most * _USUAL
        together = min(len(questions), self.engine.parallel)
        reading, step = self._pace
        return distinct_tokens(tokens) * reading + len(questions) * usual / together * step

    @cached_property
    def _pace(self) -> tuple[float, float]:
        """Seconds to read a token of a prompt, and to write one of each answer that is decoded together."""
        filler = self._tokens(_PROBE)[0]
        # One tile: a few seconds with a large model, which a longer trial would take minutes with.
        return self.decoder.time(filler, TILE) / TILE, self.decoder.time(filler, self.engine.parallel)

    def prove(self) -> None:
        """
        Ask a small question and check that the answer is constrained.

        Raises:
            ModelError: It is not.

        """
        answer = self.answer([_PROBE])[0]
        if answer.error:
            raise ModelError(f"{self.engine.path.name} cannot be constrained: {answer.error}.")

    def shown_prompt(self, count: int = 8) -> ShownPrompt:
        """Return the first and last tokens of a rendered prompt, and how it is run."""
        tokens = self._tokens(_PROBE)[0]
        pieces = [repr(self.engine.piece(token).decode("utf-8", errors="replace")) for token in tokens]
        beginning = self.engine.beginning
        leading = next((i for i, token in enumerate(tokens) if token != beginning), len(tokens))
        return ShownPrompt(
            first=tuple(pieces[:count]),
            last=tuple(pieces[-count:]),
            beginnings=leading,
            wanted=int(beginning is not None),
            threads=self.engine.threads,
            window=self.engine.window,
            parallel=self.engine.parallel,
        )

    def close(self) -> None:
        """Free the model's memory."""
        self.engine.close()

    def _tokens(self, question: Question) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return a prompt with its joints; fitting, reckoning and asking each want them of the same question."""
        return self._jointed(question.system, question.opening, question.text)

    def _prompted(self, question: Question) -> Prompted:
        tokens, joints = self._tokens(question)
        return Prompted(
            tokens,
            self.grammars.of_schema(question.schema),
            question.most,
            question.member,
            question.values,
            joints,
        )


def _messages(system: str, opening: str, text: str) -> list[dict[str, str]]:
    system, opening, text = (part.replace(JOINT, "") for part in (system, opening, text))
    joint = JOINT if opening else ""
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": f"{opening}{joint}{text.removeprefix(opening)}"},
    ]


def _answer(decoded: Decoded | None) -> Answer:
    if decoded is None:
        return Answer("", error="there was no time")
    return Answer(decoded.text, decoded.error, decoded.probabilities)
