"""
Constrained decoding of many answers over shared prompts.

The prompts form a tree: what several have in common is evaluated once, and each answer
branches off as a sequence of its own. A prompt is read in pieces, from joint to joint, each by
itself; so the same prompt is read in the same way in any company. Answers are decoded together,
a step at a time; tokens that the grammar forces are evaluated with the next one. Greedy, in a
fixed order: the same questions give the same answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from draftproof.adapters.choices import ChoiceReader
from draftproof.adapters.llamacpp.engine import ROWS, TILE, LlamaCppEngine, Token, whole
from draftproof.adapters.llamacpp.grammar import Grammars, Matcher
from draftproof.adapters.llamacpp.prefixes import Branch, Timing, common_length, prefix_cache, shared_depths
from draftproof.errors import ModelError

if TYPE_CHECKING:
    import numpy as np

_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Prompted:
    """
    One answer to decode.

    Args:
        tokens:  The prompt; not empty.
        grammar: What the answer must follow, from :class:`Grammars`; empty for none, which
                 only measurements ask for.
        most:    Tokens after which the answer is given up.
        member:  Member whose probabilities are wanted, or empty.
        values:  What it may be.
        joints:  Lengths at which the prompt may part from others, ascending. Where there are
                 none, it is cut where those that are decoded with it part from it, and its
                 probabilities may depend on them in the last bits.

    """

    tokens: tuple[int, ...]
    grammar: str
    most: int = 256
    member: str = ""
    values: tuple[str, ...] = ()
    joints: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    """
    What became of it.

    Args:
        text:          The answer; empty where there is none.
        error:         Why there is none, or empty.
        probabilities: Of the values of the member asked for; empty where it was not reached.
        written:       Tokens of the answer.
        forced:        Those of them that the grammar forced.

    """

    text: str
    error: str = ""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    written: int = 0
    forced: int = 0


@dataclass(slots=True)
class _Running:
    """An answer that is being decoded."""

    index: int
    prompt: Prompted
    matcher: Matcher | None
    reader: ChoiceReader | None
    branch: Branch
    due: list[int]
    text: bytearray = field(default_factory=bytearray)
    written: int = 0
    forced: int = 0

    @property
    def spent(self) -> int:
        """Tokens of the answer so far, those that the grammar forced included."""
        return self.written + self.forced


class Decoder:
    """
    Decodes answers with one engine.

    Args:
        engine:      The model.
        grammars:    Compiled for it.
        temperature: 0 takes the likeliest token; above that tokens are drawn, for tests.
        seed:        Of the draw.

    """

    def __init__(self, engine: LlamaCppEngine, grammars: Grammars, temperature: float = 0.0, seed: int = 0) -> None:
        import numpy as np

        self._engine = engine
        self._grammars = grammars
        self._temperature = temperature
        self._random = np.random.default_rng(seed)
        self._room = np.zeros(-(-engine.vocabulary_size // 32) * 4, dtype=np.uint8)
        self._piece = lru_cache(maxsize=65536)(engine.piece)
        # What the sequences hold at the end of a call stays for the next one.
        self._kept: tuple[int, ...] = ()
        engine.reset()
        self.timing = Timing()

    def decode(
        self,
        prompts: Sequence[Prompted],
        written: Callable[[int, bytes], None] = lambda _, __: None,
        go_on: Callable[[], bool] = lambda: True,
        told: Callable[[int], None] = lambda _: None,
    ) -> list[Decoded | None]:
        """
        Return the answers in the order of the prompts.

        Args:
            prompts:  What to answer.
            written:  Told of each piece of an answer.
            go_on:    Asked before a further answer is begun; those not begun are ``None``.
            told:     Told how many answers are ended, after each.

        """
        return _Run(self, prompts, written, go_on, told).answers()

    def fits(self, prompt: Prompted) -> bool:
        """Return whether a prompt has room for its answer, however long that gets."""
        return len(prompt.tokens) + prompt.most <= self._engine.room

    def time(self, tokens: Sequence[int], count: int) -> float:
        """Return the seconds for reading so many tokens at once, filled up by repeating; what was kept is forgotten."""
        self._kept = ()
        self._engine.reset()
        started = time.perf_counter()
        self._engine.evaluate([Token(tokens[place % len(tokens)], place, 0) for place in range(count)])
        seconds = time.perf_counter() - started
        self._engine.reset()
        return seconds


class _Run:
    """One call of :meth:`Decoder.decode`."""

    def __init__(
        self,
        decoder: Decoder,
        prompts: Sequence[Prompted],
        written: Callable[[int, bytes], None],
        go_on: Callable[[], bool],
        told: Callable[[int], None],
    ) -> None:
        self._of = decoder
        self._engine = decoder._engine
        self._prompts = prompts
        self._written, self._go_on, self._told = written, go_on, told
        self._ended = 0
        self._answers: list[Decoded | None] = [None] * len(prompts)
        self._cache = prefix_cache(decoder._engine, decoder.timing)
        self._running: list[_Running] = []

    def answers(self) -> list[Decoded | None]:
        order = sorted(range(len(self._prompts)), key=lambda i: (self._prompts[i].tokens, i))
        order = [index for index in order if self._fits(index)]
        try:
            self._take_over()
            self._decode(self._branches(order))
        except BaseException:
            # Whatever stopped it, the next call starts from nothing.
            self._of._kept = ()
            self._engine.reset()
            raise
        self._of._kept = self._cache.leave_root()
        return self._answers

    def _fits(self, index: int) -> bool:
        prompt = self._prompts[index]
        if prompt.tokens and self._of.fits(prompt):
            return True
        need, room = len(prompt.tokens) + prompt.most, self._engine.room
        self._end(index, Decoded("", error=f"the question needs {need} tokens, and the window has {room}"))
        return False

    # -- the tree of prompts ---------------------------------------------------------------

    def _branches(self, order: Sequence[int]) -> Iterator[_Running | None]:
        """
        Yield the answers to decode, each with its prompt read.

        ``None`` is yielded where those under way have to end before there is room.
        """
        prompts = [self._prompts[index].tokens for index in order]
        for place, index in enumerate(order):
            prompt = self._prompts[index]
            # A single prompt is kept for the next call, which often differs in its last lines.
            alone = [len(prompt.tokens) - 1] if len(prompts) == 1 else []
            depths = prompt.joints or shared_depths(prompts, place, _DEEPEST) or alone
            while self._running and not self._room_for(prompt):
                yield None
            if not self._go_on():
                return
            if not self._running and not self._room_for(prompt):
                self._cache.tidy()
            self._cache.enter(prompt.tokens, depths, prompt.joints)
            try:
                running, forced = self._begin(index)
            except ModelError as error:
                self._end(index, Decoded("", error=error.message))
                continue
            self._append(running, forced)
            yield running

    def _room_for(self, prompt: Prompted) -> bool:
        return self._cache.room_for(prompt.tokens, prompt.most, prompt.joints)

    def _begin(self, index: int) -> tuple[_Running, list[int]]:
        """Read the rest of a prompt; return its answer, and the tokens that its grammar begins with."""
        prompt = self._prompts[index]
        matcher = self._of._grammars.matcher(prompt.grammar) if prompt.grammar else None
        reader = ChoiceReader(prompt.member, prompt.values, self._of._piece) if prompt.member else None
        # What the grammar begins with is evaluated with the end of the prompt.
        forced = matcher.forced() if matcher is not None else []
        if len(forced) > prompt.most:
            raise ModelError(_endless(prompt))
        branch = self._cache.open(prompt.tokens, len(prompt.tokens) + prompt.most)
        return _Running(index, prompt, matcher, reader, branch, [prompt.tokens[-1]]), forced

    def _take_over(self) -> None:
        """Begin with what the last call left in the cache, as far as all prompts begin with it."""
        kept, self._of._kept = self._of._kept, ()
        if kept:
            common = (min(common_length(kept, p.tokens), len(p.tokens) - 1) for p in self._prompts)
            length = min(common, default=len(kept))
            self._cache.take_over(kept, length, all(length in p.joints for p in self._prompts if p.joints))

    # -- decoding ---------------------------------------------------------------------------

    def _decode(self, waiting: Iterator[_Running | None]) -> None:
        more = True
        while more or self._running:
            if more:
                more = self._fill(waiting)
            if self._running:
                self._step()

    def _fill(self, waiting: Iterator[_Running | None]) -> bool:
        """Fill the free places; return whether answers may still be waiting."""
        while len(self._running) < self._engine.parallel:
            try:
                running = next(waiting)
            except StopIteration:
                return False
            if running is None:
                return True
            self._running.append(running)
        return True

    def _step(self) -> None:
        """Evaluate what is due of the running answers and take one token of each that has come to its end."""
        started = time.perf_counter()
        due = self._due()
        self._cache.evaluate([token for token, _ in due])
        for place, (token, running) in enumerate(due):
            running.branch.length += 1
            running.due.pop(0)
            if token.wanted:
                self._take(running, place)
        self._rotate(sum(token.wanted for token, _ in due))
        self._of.timing.steps += 1
        self._of.timing.decoding += time.perf_counter() - started

    def _due(self) -> list[tuple[Token, _Running]]:
        """
        Return the tokens to evaluate in the next step.

        What would leave a batch to be filled up waits for the one after it, where there are
        enough others.
        """
        due = []
        for running in self._running:
            last = len(running.due) - 1
            for place, token in enumerate(running.due):
                position = running.branch.length + place
                due.append((Token(token, position, running.branch.sequence, place == last), running))
        # Fewer than make tiles: which cells an answer's tokens take depends on its company.
        count = min(len(due), TILE - ROWS)
        return due[: whole(count) if self._engine.fills else count]

    def _rotate(self, count: int) -> None:
        """Let the answers behind the first ``count``, which have waited, go first; free the places of ended ones."""
        served, self._running = self._running[:count], self._running[count:]
        for running in served:
            if running.due:
                self._running.append(running)
            else:
                self._cache.close(running.branch)

    def _take(self, running: _Running, place: int) -> None:
        """Take the next token of an answer from the logits of the last evaluation."""
        started = time.perf_counter()
        try:
            token = self._choose(running, self._engine.logits(place))
            taken = [token]
            if running.matcher is not None:
                running.matcher.take(token)
                taken += running.matcher.forced()
        except ModelError as error:
            self._end(running.index, Decoded("", error=error.message, written=running.written))
            return
        finally:
            self._of.timing.mask += time.perf_counter() - started
        running.written += 1
        if self._engine.ends(token):
            self._complete(running)
            return
        self._append(running, taken[:1], forced=False)
        self._append(running, taken[1:])
        finished = running.matcher is not None and running.matcher.finished
        if finished and running.spent <= running.prompt.most:
            self._complete(running)
        elif finished or running.spent >= running.prompt.most:
            if running.matcher is None:
                self._complete(running)
            else:
                self._end(running.index, Decoded("", error=_endless(running.prompt)))
                running.due = []

    def _append(self, running: _Running, tokens: Sequence[int], forced: bool = True) -> None:
        running.due.extend(tokens)
        running.forced += len(tokens) if forced else 0
        piece = b"".join(self._of._piece(token) for token in tokens)
        running.text += piece
        if piece:
            self._written(running.index, piece)

    def _choose(self, running: _Running, logits: np.ndarray) -> int:
        import numpy as np

        if running.matcher is None:
            return int(logits.argmax())
        allowed = running.matcher.allowed(self._of._room)
        top = int(logits.argmax())
        given = running.reader.waits(bytes(running.text)) if running.reader else None
        if given is None and not self._of._temperature and allowed[top] and np.isfinite(logits[top]):
            return top
        candidates = np.flatnonzero(allowed)
        values = logits[candidates]
        if not np.isfinite(values.max()):
            raise ModelError("The model's logits are no numbers.")
        if self._of._temperature:
            noise = self._of._random.gumbel(size=len(candidates))
            token = int(candidates[(values / self._of._temperature + noise).argmax()])
        else:
            token = int(candidates[values.argmax()])
        if given is not None and running.reader is not None:
            running.reader.step(given, candidates, values, token)
        return token

    def _complete(self, running: _Running) -> None:
        running.due = []
        try:
            text = running.text.decode("utf-8")
        except UnicodeDecodeError:
            self._end(running.index, Decoded("", error="it is not UTF-8", written=running.written))
            return
        probabilities = running.reader.distribution if running.reader else {}
        self._end(
            running.index,
            Decoded(text, "", probabilities, running.spent, running.forced),
        )

    def _end(self, index: int, answer: Decoded) -> None:
        self._of.timing.written += answer.written
        self._of.timing.answers += 1
        self._answers[index] = answer
        self._ended += 1
        self._told(self._ended)


def _endless(prompt: Prompted) -> str:
    return f"it is not complete after {prompt.most} tokens"
