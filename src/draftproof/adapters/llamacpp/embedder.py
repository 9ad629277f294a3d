"""The embedding model, run by llama.cpp."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from draftproof.adapters.files import file_hash
from draftproof.adapters.llamacpp.engine import usable_cores
from draftproof.errors import EmbedderError

if TYPE_CHECKING:
    import numpy as np

# Attention runs over the whole batch, masked, so short texts want a small one;
# one text must fit in it, and MiniLM was trained on 128 tokens.
BATCH_TOKENS = 128
_TEXTS_AT_ONCE = 16
# Each thread has a context; beyond these the passages of one design run out.
_MOST_THREADS = 16


class LlamaCppEmbedder:
    """
    Embeds with a GGUF of the BERT family.

    Each thread has a context of its own and works alone: threads that share one small
    batch wait for each other at every layer, and on a busy machine wait long.

    Args:
        path:    The model file.
        threads: Threads to use; all cores where not given.

    Raises:
        EmbedderError: The file or the library cannot be loaded.

    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        if not path.exists():
            raise EmbedderError(f"The embedding model {path} does not exist.")
        try:
            import llama_cpp
        except (ImportError, OSError, RuntimeError) as error:
            raise EmbedderError(f"llama-cpp-python cannot be loaded: {error}.") from error
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._threads = threads or min(_MOST_THREADS, usable_cores())
        try:
            for _ in range(self._threads):
                model = llama_cpp.Llama(
                    str(path),
                    embedding=True,
                    n_ctx=BATCH_TOKENS,
                    n_batch=BATCH_TOKENS,
                    n_ubatch=BATCH_TOKENS,
                    n_threads=1,
                    n_threads_batch=1,
                    offload_kqv=False,
                    verbose=False,
                )
                self._idle.put(model)
        except (ValueError, RuntimeError, AssertionError) as error:
            raise EmbedderError(f"The embedding model {path} cannot be loaded: {error}.") from error
        self._dimension = int(model.n_embd())
        self._name = f"{path.stem} sha256:{file_hash(path)[:12]}"
        self._tokens = 0

    @property
    def name(self) -> str:
        """File name and short hash."""
        return self._name

    @property
    def tokens_read(self) -> int:
        """Tokens read so far."""
        return self._tokens

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return an array of shape ``(len(texts), dimension)``, float32, rows of length 1."""
        import numpy as np

        if not texts:
            return np.zeros((0, self._dimension), dtype=np.float32)
        starts = range(0, len(texts), _TEXTS_AT_ONCE)
        chunks = [texts[start : start + _TEXTS_AT_ONCE] for start in starts]
        with ThreadPoolExecutor(max_workers=self._threads) as pool:
            done = list(pool.map(self._embed_chunk, chunks))
        self._tokens += sum(tokens for _, tokens in done)
        return np.asarray([row for rows, _ in done for row in rows], dtype=np.float32)

    def _embed_chunk(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        model = self._idle.get()
        try:
            # An empty text has no tokens to pool over.
            filled = [text if text.strip() else "." for text in texts]
            vectors, tokens = model.embed(filled, normalize=True, return_count=True)
        finally:
            self._idle.put(model)
        return vectors, int(tokens)
