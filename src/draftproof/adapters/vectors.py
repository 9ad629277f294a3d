"""
Vectors of the project's own texts, kept on disk so that each is embedded once.

The reviewed document never comes here: its vectors live in memory only.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from draftproof.knowledge.ports import Embedder

_CHUNK = 64


class VectorCache:
    """
    A file of vectors by the hash of their text, one file for each embedder.

    Args:
        folder:   Where the file stands.
        embedder: What embeds the texts that are not there yet.
        notice:   Told in one line where the file cannot be written; the vectors serve all the
                  same, and are made again next time.

    """

    def __init__(self, folder: Path, embedder: Embedder, notice: Callable[[str], None] = lambda _: None) -> None:
        key = sha256(embedder.name.encode()).hexdigest()[:12]
        self.path = folder / f"vectors-{key}.npz"
        self._embedder = embedder
        self._notice = notice

    def vectors(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        """
        Return the vectors of the texts, embedding only those that are new.

        Args:
            texts:    The texts.
            progress: Called with how many are done, and of how many.

        Returns:
            Shape ``(len(texts), dimension)``, float32.

        """
        import numpy as np

        if not texts:
            return self._embedder.embed([])
        digests = [sha256(text.encode()).digest()[:16] for text in texts]
        known = self._load()
        fresh = {d: t for d, t in zip(digests, texts, strict=True) if d not in known}
        if fresh:
            keys, values = list(fresh), list(fresh.values())
            for start in range(0, len(keys), _CHUNK):
                rows = self._embedder.embed(values[start : start + _CHUNK])
                # Rounded as it is kept, so that the first run and the next agree.
                known.update(zip(keys[start : start + _CHUNK], rows.astype(np.float16), strict=True))
                if progress:
                    progress(min(start + _CHUNK, len(keys)), len(keys))
            self._save(known)
        return np.stack([known[d] for d in digests]).astype(np.float32)

    def _load(self) -> dict[bytes, np.ndarray]:
        import numpy as np

        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                keys, rows = stored["keys"], stored["rows"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            # Absent, half-written by an old crash, or of another layout: made anew.
            return {}
        raw = keys.tobytes()
        return {raw[i * 16 : i * 16 + 16]: row for i, row in enumerate(rows)}

    def _save(self, known: dict[bytes, np.ndarray]) -> None:
        import numpy as np

        part = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".vectors.")
            part = Path(name)
            with os.fdopen(handle, "wb") as stream:
                keys = np.frombuffer(b"".join(known), dtype=np.uint8)
                np.savez(stream, keys=keys, rows=np.stack(list(known.values())))
            os.replace(part, self.path)
            part = None
        except OSError as error:
            self._notice(f"{self.path} cannot be written ({error.strerror}); its vectors are made again next time.")
        finally:
            if part is not None:
                part.unlink(missing_ok=True)
