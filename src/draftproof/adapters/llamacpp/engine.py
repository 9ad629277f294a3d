"""
A generative model in this process, by llama.cpp's low-level interface.

The engine evaluates tokens of several sequences in one batch, shares the cells of a common
prefix between sequences, and shows the logits where llama.cpp keeps them. What to evaluate
and which token to take is the decoder's business.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from draftproof.adapters.model_files import USUAL_WINDOW
from draftproof.errors import ModelError

if TYPE_CHECKING:
    import numpy as np

# Tokens of a prompt in one call of llama_decode; more are read no faster on a laptop and need
# larger buffers.
_MOST_ROWS = 256
# Inner nodes of the tree of prompts: instructions, section, check.
TRUNKS = 8
# llama.cpp takes rows by fours where it has laid the weights out anew, and what is left over by a
# kernel that rounds otherwise; and K-quants that it has not laid out anew it multiplies row by row
# below eight rows, and by blocks of sixteen from there on. So in batches of at least eight rows and
# a multiple of four, a row's logits are the same to the bit whatever stands beside it; in others
# they differ by some hundredths. The last layer and the output go over the rows whose logits are
# wanted alone, so the same holds of those.
ROWS = 8
_GROUP = 4
# A batch below sixteen rows costs what sixteen do, as far as those blocks go.
BLOCK = 16
# From as many rows on attention goes by tiles of as many cells, half as fast again at a depth of
# a thousand. A row's sums then depend on which of its cells share a tile, so that what is read
# by tiles has to lie in the same cells each time. Below, they depend on the order of the cells alone.
TILE = 64
_NOT_FOUND = -1


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """
    How a model is run.

    Args:
        window:     Tokens that fit into the cache, over all sequences; 0 for the model's own
                    window, at most :data:`USUAL_WINDOW`.
        parallel:   Sequences decoded together.
        threads:    Threads; 0 for all usable cores.
        gpu_layers: Layers to evaluate on the GPU.
        filled:     Whether batches are filled up, so that on a CPU an answer is the same to
                    the byte however many are decoded with it. Costs time where there are few.

    """

    window: int = 0
    parallel: int = ROWS
    threads: int = 0
    gpu_layers: int = 0
    filled: bool = True


@dataclass(frozen=True, slots=True)
class Token:
    """
    One token to evaluate.

    Args:
        id:       In the model's vocabulary.
        position: In its sequence, from 0.
        sequence: The sequence.
        wanted:   Whether its logits are.

    """

    id: int
    position: int
    sequence: int
    wanted: bool = False


class LlamaCppEngine:
    """
    A loaded model with one context.

    Args:
        path:    The GGUF.
        options: How to run it.

    Raises:
        ModelError: The file cannot be loaded, or is no generative model.

    """

    def __init__(self, path: Path, options: EngineOptions | None = None) -> None:
        options = options or EngineOptions()
        self.path = path
        self._model: Any = None
        self._context: Any = None
        if not path.is_file():
            raise ModelError(f"The model {path} does not exist.")
        self._lib = _library()
        self._load(options)
        self._batch = self._lib.llama_batch_init(_MOST_ROWS + ROWS, 0, 1)
        self.evaluated = 0
        self.cells = 0

    def _load(self, options: EngineOptions) -> None:
        lib = self._lib
        params = lib.llama_model_default_params()
        params.n_gpu_layers = options.gpu_layers
        # Mapped, a file stays in memory beside the copy of its weights that llama.cpp lays out anew
        # for the CPU: up to twice its size.
        params.load_mode = lib.LLAMA_LOAD_MODE_NONE
        self._model = lib.llama_model_load_from_file(os.fsencode(self.path), params)
        if not self._model:
            raise ModelError(f"llama.cpp cannot load {self.path}: {_last_words() or 'it gives no reason'}.")
        if lib.llama_model_has_encoder(self._model) or not lib.llama_model_has_decoder(self._model):
            raise ModelError(f"{self.path} is no generative model of the kind that continues a text.")
        self.vocabulary = lib.llama_model_get_vocab(self._model)
        self.vocabulary_size = int(lib.llama_vocab_n_tokens(self.vocabulary))
        trained = int(lib.llama_model_n_ctx_train(self._model))
        self.window = options.window or min(trained, USUAL_WINDOW)
        self.parallel = max(1, options.parallel)
        self.sequences = self.parallel + TRUNKS
        self.keeps_state = bool(lib.llama_model_is_recurrent(self._model) or lib.llama_model_is_hybrid(self._model))
        # llama.cpp takes the sequences of a model with a state apart, so that a scratch sequence fills
        # nothing up; in a hybrid its cells would lie between those of the others.
        self.fills = options.filled and not self.keeps_state
        self.batch_tokens = _MOST_ROWS
        self.threads = options.threads or usable_cores()
        context = lib.llama_context_default_params()
        context.n_ctx = self.window
        context.n_batch = context.n_ubatch = _MOST_ROWS + ROWS
        # Two more than answers and trunks take: one for filler and for pieces that are moved, one for what is buried.
        self._scratch, self._buried = self.sequences, self.sequences + 1
        context.n_seq_max = self.sequences + 2
        # llama.cpp wants one for each sequence; that leaves room for filling up.
        context.n_outputs_max = context.n_seq_max
        context.n_threads = context.n_threads_batch = self.threads
        context.kv_unified = True
        context.swa_full = True
        context.no_perf = True
        # Sums over the cells of a sequence in their order, whatever else lies between them.
        context.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
        self._context = lib.llama_init_from_model(self._model, context)
        if not self._context:
            raise ModelError(
                f"llama.cpp cannot make a context of {self.window} tokens for {self.path}: {_last_words()}.",
                "Take a smaller --window, or a smaller model.",
            )
        self.window = int(lib.llama_n_ctx(self._context))
        self._memory = lib.llama_get_memory(self._context)

    def __enter__(self) -> LlamaCppEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the model's memory; the engine is of no use afterwards."""
        if self._context:
            self._lib.llama_free(self._context)
            self._context = None
            self._lib.llama_batch_free(self._batch)
        if self._model:
            self._lib.llama_model_free(self._model)
            self._model = None

    # -- what the file says ------------------------------------------------------------

    @property
    def template(self) -> str:
        """The chat template in the file, or an empty string."""
        text = self._lib.llama_model_chat_template(self._model, None)
        return text.decode("utf-8", errors="replace") if text else ""

    @property
    def description(self) -> str:
        """Architecture, size and quantization in llama.cpp's words."""
        buffer = ctypes.create_string_buffer(256)
        self._lib.llama_model_desc(self._model, buffer, 256)
        return buffer.value.decode("utf-8", errors="replace")

    @cached_property
    def beginning(self) -> int | None:
        """The token that a prompt begins with, where the model wants one."""
        if not self._lib.llama_vocab_get_add_bos(self.vocabulary):
            return None
        token = int(self._lib.llama_vocab_bos(self.vocabulary))
        return None if token == _NOT_FOUND else token

    @cached_property
    def special_texts(self) -> dict[str, str]:
        """The texts of the tokens that templates name: ``bos_token`` and ``eos_token``."""
        ends = {"bos_token": self._lib.llama_vocab_bos, "eos_token": self._lib.llama_vocab_eos}
        found = {name: int(call(self.vocabulary)) for name, call in ends.items()}
        return {name: "" if token == _NOT_FOUND else self.piece(token).decode() for name, token in found.items()}

    # -- text and tokens -----------------------------------------------------------------

    def tokens(self, text: str, special: bool = False) -> list[int]:
        """
        Return the tokens of a text, without a beginning token.

        Args:
            text:    The text.
            special: Whether texts such as ``<|im_end|>`` become the tokens that they name;
                     never for text of a document.

        """
        data = text.encode("utf-8")
        size = len(data) + 8
        room = (self._lib.llama_token * size)()
        count = self._lib.llama_tokenize(self.vocabulary, data, len(data), room, size, False, special)
        if count < 0:
            room = (self._lib.llama_token * -count)()
            count = self._lib.llama_tokenize(self.vocabulary, data, len(data), room, -count, False, special)
        return list(room[: max(0, count)])

    def ends(self, token: int) -> bool:
        """Return whether a token ends an answer."""
        return bool(self._lib.llama_vocab_is_eog(self.vocabulary, token))

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token, special ones by their names."""
        buffer = ctypes.create_string_buffer(64)
        count = self._lib.llama_token_to_piece(self.vocabulary, token, buffer, 64, 0, True)
        if count < 0:
            buffer = ctypes.create_string_buffer(-count)
            count = self._lib.llama_token_to_piece(self.vocabulary, token, buffer, -count, 0, True)
        return bytes(buffer.raw[:count])

    # -- evaluation ----------------------------------------------------------------------

    def evaluate(self, tokens: Sequence[Token]) -> None:
        """
        Evaluate tokens, at most ``batch_tokens`` of them.

        The logits of those wanted are read with :meth:`logits` by their index in ``tokens``
        until the next call.

        Raises:
            ModelError: llama.cpp fails, or the cache is full.

        """
        filling = unasked = 0
        if self.fills:
            filling = filled(len(tokens)) - len(tokens)
            wanted = sum(token.wanted for token in tokens)
            unasked = filled(wanted) - wanted if wanted else 0
        batch = self._batch
        batch.n_tokens = len(tokens) + filling
        for index, token in enumerate([*tokens, *(Token(tokens[0].id, p, self._scratch) for p in range(filling))]):
            batch.token[index] = token.id
            batch.pos[index] = token.position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = token.sequence
            batch.logits[index] = token.wanted or unasked > 0
            unasked -= not token.wanted
        code = self._lib.llama_decode(self._context, batch)
        if filling:
            # The last cells of all: the next tokens take them.
            self.drop(self._scratch)
        if code:
            reason = "its cache is full" if code == 1 else f"code {code}, {_last_words()}"
            raise ModelError(f"The model {self.path.name} could not go on: {reason}.")
        self.evaluated += len(tokens)
        self.cells += len(tokens)

    def logits(self, index: int) -> np.ndarray:
        """Return a view of the logits of a token of the last call, shape ``(vocabulary,)``; not a copy."""
        import numpy as np

        pointer = self._lib.llama_get_logits_ith(self._context, index)
        if not pointer:
            raise ModelError(f"The model {self.path.name} gave no logits.")
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,))

    # -- sequences -----------------------------------------------------------------------

    def fork(self, source: int, target: int) -> None:
        """Let a sequence begin with all that another holds; the cells are shared, nothing is copied."""
        self._lib.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def drop(self, sequence: int) -> None:
        """Forget a sequence."""
        self._lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def bury(self, sequence: int) -> None:
        """
        Forget a sequence and leave its cells taken, until :meth:`clear`.

        Cells that are taken once more would stand before older ones of the sequence that
        takes them, and attention sums in the order of the cells. Of a state the last one
        buried stays.
        """
        self.fork(sequence, self._buried)
        self.drop(sequence)

    def clear(self, kept: int) -> None:
        """Free the cells of buried sequences; the first ``kept`` cells are those of living ones."""
        self.drop(self._buried)
        self.cells = kept

    def reset(self) -> None:
        """Forget all sequences."""
        self._lib.llama_memory_clear(self._memory, True)
        self.cells = 0

    def saved(self, sequence: int, start: int) -> np.ndarray:
        """
        Return what the cache holds of a sequence from a position on; it stays there.

        Raises:
            ModelError: llama.cpp cannot.

        """
        import numpy as np

        self._lib.llama_memory_seq_cp(self._memory, sequence, self._scratch, start, -1)
        size = self._lib.llama_state_seq_get_size(self._context, self._scratch)
        state = np.empty(size, dtype=np.uint8)
        written = self._lib.llama_state_seq_get_data(self._context, _bytes(state), size, self._scratch)
        self.drop(self._scratch)
        if written != size:
            raise ModelError(f"The model {self.path.name} could not go on: its state cannot be read.")
        return state

    def restore(self, state: np.ndarray, count: int, sequences: Sequence[int]) -> None:
        """
        Add what :meth:`saved` returned to sequences that share it, in the next cells.

        Args:
            state:     The piece.
            count:     How many tokens it has.
            sequences: Those that go on with it.

        Raises:
            ModelError: llama.cpp cannot.

        """
        read = self._lib.llama_state_seq_set_data(self._context, _bytes(state), len(state), self._scratch)
        if read != len(state):
            raise ModelError(f"The model {self.path.name} could not go on: its state cannot be put back.")
        for sequence in sequences:
            self.fork(self._scratch, sequence)
        self.drop(self._scratch)
        self.cells += count

    def crop(self, sequence: int, length: int) -> bool:
        """
        Cut a sequence to a length; return whether the model can.

        Where attention slides, llama.cpp may have given away cells that the end of the
        sequence does not see any more, and a shorter one would.
        """
        if self._lib.llama_memory_seq_pos_min(self._memory, sequence) > 0:
            return False
        return bool(self._lib.llama_memory_seq_rm(self._memory, sequence, length, -1))

    @property
    def room(self) -> int:
        """How many tokens the cache may hold, whatever a batch of them is filled up with."""
        return self.window - ROWS

    def full(self, rows: int) -> bool:
        """Return whether so many rows, filled up, would not find free cells."""
        return self.cells + rows > self.room


def _bytes(state: np.ndarray) -> Any:
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))


def filled(rows: int) -> int:
    """Return the smallest number of rows, from so many on, in which each has the logits that it has in any other."""
    return max(ROWS, rows + -rows % _GROUP)


def whole(rows: int) -> int:
    """Return the most of so many rows that need no filling up, and no half-empty block where they make whole ones."""
    if rows >= BLOCK:
        return rows - rows % BLOCK
    return rows - rows % _GROUP if rows >= ROWS else rows


def usable_cores() -> int:
    """Return how many cores this process may use: a container's share, not the machine's."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


_words: list[str] = []
_callback: Any = None


def _library() -> Any:
    """Return llama.cpp with its log kept instead of printed."""
    global _callback
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError(f"llama-cpp-python cannot be loaded: {error}.", "Run `make setup` once more.") from error
    if _callback is None:
        _callback = llama_cpp.llama_log_callback(_keep)
        llama_cpp.llama_log_set(_callback, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
    return llama_cpp


def _keep(level: int, text: bytes, _: object) -> None:
    """Keep the last complaints; level 4 is an error in ggml's count, 3 a warning."""
    if level in (3, 4):
        _words.append(text.decode("utf-8", errors="replace").strip())
        del _words[:-4]


def _last_words() -> str:
    return next((words.split(": ", 1)[-1].rstrip(".") for words in reversed(_words) if words), "")
