"""
Where prompts and answers lie in the cache of a model.

Prompts form a tree. What several begin with is read once and is a trunk; each answer is a branch
off the deepest trunk that its prompt begins with, a sequence of its own. Attention runs over all
cells up to the last one in use, its own or not, so a prompt is read fastest where nothing else lies
in the cache: the answers under way are swapped out before, and in again afterwards. That also gives
each piece of a prompt the same cells whatever is asked beside it, and an answer's cells one order.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from draftproof.adapters.llamacpp.engine import TILE, TRUNKS, LlamaCppEngine, Token
from draftproof.errors import ModelError

if TYPE_CHECKING:
    import numpy as np

# A shared piece shorter than this is cheaper evaluated again than kept as a sequence.
_SHORTEST_TRUNK = 4


@dataclass(slots=True)
class Timing:
    """
    Where the time goes, and how much is written.

    Args:
        model:    Seconds in llama.cpp.
        mask:     Seconds for masks, the choice of a token and forced tokens.
        swapping: Seconds for moving answers out of the cache and back.
        steps:    Steps.
        repacked: How often cells of ended answers had to be taken once more.
        decoding: Seconds of the steps, the reading of prompts apart.
        written:  Tokens of answers.
        answers:  How many have ended.

    """

    model: float = 0.0
    mask: float = 0.0
    swapping: float = 0.0
    steps: int = 0
    repacked: int = 0
    decoding: float = 0.0
    written: int = 0
    answers: int = 0


@dataclass(slots=True, eq=False, kw_only=True)
class _Piece:
    """
    A piece of a sequence, behind the trunk that it goes on from.

    Args:
        sequence: That holds it and what it rests on.
        above:    The trunk that it goes on from.
        state:    The piece while it is out of the cache.

    """

    sequence: int
    above: Trunk | None
    state: np.ndarray | None = None

    @property
    def start(self) -> int:
        """The position of its first token."""
        return self.above.length if self.above else 0

    def trunks(self) -> list[Trunk]:
        """Return the trunks that it rests on, from the root on."""
        return [*self.above.trunks(), self.above] if self.above else []


@dataclass(slots=True, eq=False, kw_only=True)
class Trunk(_Piece):
    """
    The beginning that several prompts share, evaluated.

    Args:
        tokens:     All of it.
        first_cell: Where its own piece begins in the cache.

    """

    tokens: tuple[int, ...]
    first_cell: int

    @property
    def length(self) -> int:
        """How many tokens the sequence holds."""
        return len(self.tokens)

    @property
    def size(self) -> int:
        """How many tokens its own piece has."""
        return self.length - self.start


@dataclass(slots=True, eq=False, kw_only=True)
class Branch(_Piece):
    """
    The sequence of an answer.

    Args:
        length: Tokens that it holds, those of the trunks included.
        limit:  How many it may get.

    """

    length: int
    limit: int

    @property
    def size(self) -> int:
        """How many tokens its own piece has."""
        return self.length - self.start


@dataclass
class PrefixCache:
    """
    Trunks and branches of a model that cannot give away a piece of a sequence: all stay where they are.

    Cells of ended answers stay taken until nothing is under way, since cells that are taken once
    more would stand before older ones of the sequence that takes them, and attention sums in the
    order of the cells.

    Args:
        engine: The model.
        timing: Told of the seconds.

    """

    engine: LlamaCppEngine
    timing: Timing
    _trunks: list[Trunk] = field(default_factory=list)
    _open: list[Branch] = field(default_factory=list)
    _free: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._free = list(range(self.engine.sequences - 1, 0, -1))

    @property
    def _deepest(self) -> Trunk | None:
        """The trunk that the next branch goes on from."""
        return self._trunks[-1] if self._trunks else None

    # -- between calls ---------------------------------------------------------------------

    def take_over(self, kept: tuple[int, ...], length: int, jointed: bool) -> None:
        """
        Begin with what the last call left.

        Args:
            kept:    What sequence 0 holds.
            length:  How much of it all prompts begin with.
            jointed: Whether the prompts may part nowhere but at that length.

        """
        whole = length == len(kept) and jointed
        cut = not self.engine.fills and not self.engine.keeps_state
        if length > 0 and (whole or (cut and self.engine.crop(0, length))):
            self.engine.clear(length)
            self._trunks.append(Trunk(sequence=0, above=None, tokens=kept[:length], first_cell=0))
        else:
            self.engine.drop(0)
            self.engine.clear(0)

    def leave_root(self) -> tuple[int, ...]:
        """Free all but the root, and return what that holds."""
        while len(self._trunks) > 1:
            self._fell(self._trunks.pop())
        self.tidy()
        if self._trunks:
            return self._trunks[0].tokens
        self.engine.drop(0)
        return ()

    # -- trunks and branches ---------------------------------------------------------------

    def room_for(self, tokens: Sequence[int], most: int, joints: Sequence[int]) -> bool:
        """Return whether one more answer fits beside those under way, however long all of them get."""
        growing = sum(branch.limit - branch.length for branch in self._open)
        return not self.engine.full(growing + len(tokens) - self._known(tokens, joints) + most)

    def tidy(self) -> None:
        """
        Free what is not used any more; nothing is under way.

        A trunk stays where no freed cell lies before it, so that later cells come after it.
        """
        kept = end = 0
        for trunk in self._trunks:
            if trunk.first_cell != end:
                break
            kept, end = kept + 1, end + trunk.size
        while len(self._trunks) > kept:
            self._fell(self._trunks.pop())
        self.engine.clear(end)

    def enter(self, tokens: Sequence[int], depths: Sequence[int], joints: Sequence[int]) -> None:
        """
        Leave the trunks that a prompt does not begin with, and read those that it does.

        Args:
            tokens: The prompt.
            depths: Lengths at which it parts from others, ascending.
            joints: Lengths at which alone it may, or empty for anywhere.

        """
        while self._trunks:
            if _serves(self._trunks[-1], tokens, joints):
                break
            self._fell(self._trunks.pop())
        for depth in depths:
            self._grow(tokens, depth)

    def open(self, tokens: Sequence[int], limit: int) -> Branch:
        """
        Read the rest of a prompt but for its last token, in a branch.

        Args:
            tokens: The prompt.
            limit:  How many tokens there may be in the end.

        """
        sequence = self._free.pop()
        try:
            branch = self._sprout(sequence, tokens, limit)
        except ModelError:
            self._abandon(sequence)
            raise
        self._open.append(branch)
        return branch

    def evaluate(self, tokens: Sequence[Token]) -> None:
        """Evaluate the next tokens of branches."""
        self._evaluate(tokens)

    def close(self, branch: Branch) -> None:
        """Forget a branch."""
        self._open.remove(branch)
        self._abandon(branch.sequence)

    # -- how -------------------------------------------------------------------------------

    def _known(self, tokens: Sequence[int], joints: Sequence[int]) -> int:
        """Return how many tokens of a prompt need not be read."""
        return max((trunk.length for trunk in self._trunks if _serves(trunk, tokens, joints)), default=0)

    def _resting(self) -> set[Trunk]:
        """Return the trunks that lie in the cache, or that answers under way rest on."""
        return {trunk for branch in self._open for trunk in branch.trunks()}.union(self._trunks)

    def _sprout(self, sequence: int, tokens: Sequence[int], limit: int) -> Branch:
        base = self._deepest
        if base:
            self.engine.fork(base.sequence, sequence)
        last = len(tokens) - 1
        branch = Branch(sequence=sequence, above=base, length=last, limit=limit)
        self._read([Token(tokens[p], p, sequence) for p in range(branch.start, last)])
        return branch

    def _abandon(self, sequence: int) -> None:
        self.engine.bury(sequence)
        self._free.append(sequence)

    def _grow(self, tokens: Sequence[int], depth: int) -> None:
        base = self._deepest
        start = base.length if base else 0
        if depth - start < (_SHORTEST_TRUNK if base else 1) or len(self._trunks) >= TRUNKS:
            return
        sequence = self._free.pop() if base else 0
        if base:
            self.engine.fork(base.sequence, sequence)
        first = self.engine.cells
        self._read([Token(tokens[p], p, sequence) for p in range(start, depth)])
        self._trunks.append(Trunk(sequence=sequence, above=base, tokens=tuple(tokens[:depth]), first_cell=first))

    def _fell(self, trunk: Trunk) -> None:
        self.engine.bury(trunk.sequence)
        if trunk.sequence:
            self._free.append(trunk.sequence)

    def _read(self, tokens: Sequence[Token]) -> None:
        """Evaluate a piece of a prompt."""
        read = 0
        for size in chunk_sizes(len(tokens), self.engine.batch_tokens):
            self._evaluate(tokens[read : read + size], read)
            read += size

    def _evaluate(self, tokens: Sequence[Token], read: int = 0) -> None:
        """Evaluate tokens; of the piece that they go on with so many have been read."""
        started = time.perf_counter()
        if self.engine.full(len(tokens)):
            self._repack(read)
        self.engine.evaluate(tokens)
        self.timing.model += time.perf_counter() - started

    def _repack(self, read: int) -> None:
        """Let cells of ended answers be taken once more; sums may then differ in the last bits."""
        own = sum(branch.size for branch in self._open)
        self.engine.clear(sum(trunk.size for trunk in self._resting()) + own + read)
        self.timing.repacked += 1


@dataclass
class SwappingCache(PrefixCache):
    """
    Trunks and branches of a model whose cells can leave the cache and come back.

    The cache holds either the trunks of the next prompt and nothing else, for reading, or those
    and all branches with what they rest on, for writing.
    """

    _out: bool = False

    def leave_root(self) -> tuple[int, ...]:
        """Free all but the root, and return what that holds."""
        self._swap_out()
        return super().leave_root()

    def room_for(self, tokens: Sequence[int], most: int, joints: Sequence[int]) -> bool:
        """Return whether one more answer fits beside those under way, with what all of them rest on."""
        own = sum(branch.limit - branch.start for branch in self._open)
        taken = sum(trunk.size for trunk in self._resting()) + own
        return taken + len(tokens) - self._known(tokens, joints) + most <= self.engine.room

    def tidy(self) -> None:
        """Leave the trunks alone in the cache."""
        self._swap_out()

    def enter(self, tokens: Sequence[int], depths: Sequence[int], joints: Sequence[int]) -> None:
        """Leave and read trunks, with nothing else in the cache."""
        self._swap_out()
        super().enter(tokens, depths, joints)

    def evaluate(self, tokens: Sequence[Token]) -> None:
        """Evaluate the next tokens of branches, which are put back first."""
        self._swap_in()
        super().evaluate(tokens)

    def _repack(self, read: int) -> None:
        """Nothing: each swap makes room of what has ended, and no answer is begun for which there is none."""

    def _sprout(self, sequence: int, tokens: Sequence[int], limit: int) -> Branch:
        first = self.engine.cells
        try:
            branch = super()._sprout(sequence, tokens, limit)
            self._take_out(branch)
        finally:
            self.engine.drop(sequence)
            self.engine.clear(first)
        return branch

    def _fell(self, trunk: Trunk) -> None:
        if any(trunk in branch.trunks() for branch in self._open):
            trunk.state = self.engine.saved(trunk.sequence, trunk.start)
        self.engine.drop(trunk.sequence)
        self.engine.clear(trunk.first_cell)
        if trunk.sequence:
            self._free.append(trunk.sequence)

    def _swap_out(self) -> None:
        """Leave the trunks alone in the cache."""
        if self._out:
            return
        started = time.perf_counter()
        for branch in self._open:
            self._take_out(branch)
        self.engine.clear(self._deepest.length if self._deepest else 0)
        self._out = True
        self.timing.swapping += time.perf_counter() - started

    def _take_out(self, branch: Branch) -> None:
        branch.state = self.engine.saved(branch.sequence, branch.start) if branch.size else None
        self.engine.drop(branch.sequence)

    def _swap_in(self) -> None:
        """Put all branches back, each behind what it rests on; a trunk that several rest on once."""
        if not self._out:
            return
        started = time.perf_counter()
        placed = set(self._trunks)
        for branch in self._open:
            there = [trunk for trunk in branch.trunks() if trunk in placed]
            if there:
                self.engine.fork(there[-1].sequence, branch.sequence)
        for branch in self._open:
            for trunk in branch.trunks():
                if trunk not in placed and trunk.state is not None:
                    placed.add(trunk)
                    resting = [other.sequence for other in self._open if trunk in other.trunks()]
                    self.engine.restore(trunk.state, trunk.size, resting)
            if branch.state is not None:
                self.engine.restore(branch.state, branch.size, [branch.sequence])
                branch.state = None
        self._out = False
        self.timing.swapping += time.perf_counter() - started


def prefix_cache(engine: LlamaCppEngine, timing: Timing) -> PrefixCache:
    """Return the cache that suits a model."""
    return PrefixCache(engine, timing) if engine.keeps_state else SwappingCache(engine, timing)


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two prompts have in common at their beginning."""
    limit = min(len(one), len(other))
    return next((i for i in range(limit) if one[i] != other[i]), limit)


def distinct_tokens(prompts: Sequence[Sequence[int]]) -> int:
    """Return how many tokens have to be read where a beginning that prompts share is read once."""
    ordered = sorted(map(tuple, prompts))
    return sum(
        len(prompt) - common_length(before, prompt) for before, prompt in zip([(), *ordered], ordered, strict=False)
    )


def shared_depths(prompts: Sequence[Sequence[int]], place: int, most: int) -> list[int]:
    """
    Return the lengths at which later prompts branch off one, ascending.

    Args:
        prompts: Sorted, so that those with a common beginning stand together.
        place:   Which one.
        most:    How many lengths at most; the shortest are kept, they serve most prompts.

    """
    own = prompts[place]
    depth = len(own) - 1
    depths: set[int] = set()
    for other in prompts[place + 1 :]:
        depth = min(depth, common_length(own, other), len(other) - 1)
        if depth <= 0:
            break
        depths.add(depth)
    return sorted(depths)[:most]


def chunk_sizes(count: int, most: int) -> list[int]:
    """
    Return how many tokens of a piece are evaluated at once, as even as whole tiles allow.

    Args:
        count: Tokens of the piece.
        most:  At once.

    """
    if count <= 0:
        return []
    each = -(-count // -(-count // most))
    each = min(most, -(-each // TILE) * TILE)
    return [min(each, count - start) for start in range(0, count, each)]


def _serves(trunk: Trunk, tokens: Sequence[int], joints: Sequence[int]) -> bool:
    """Return whether a prompt may go on from a trunk: it begins with it, and may part from others there."""
    if trunk.length >= len(tokens) or (joints and trunk.length not in joints):
        return False
    return trunk.tokens == tuple(tokens[: trunk.length])
