"""
The notes in a Chroma collection; the only module that imports ``chromadb``.

A collection is named by the hash of the embedder and of all it holds, so that
another embedder or another text is another collection and nothing is ever mixed.
Vectors are always passed in; Chroma's own embedding function would download a model.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from draftproof.domain.notes import Note
from draftproof.errors import StoreError

if TYPE_CHECKING:
    import numpy as np

_PREFIX = "notes-"
_UPSERT = 500
_LOCK_SECONDS = 120
# Passages asked for, for each note wanted: the nearest notes hold several of them.
_PASSAGES_FOR_A_NOTE = 14
_NEAREST = 3


class ChromaNotes:
    """
    The index of notes.

    Args:
        place:    Folder of the store on disk, or host and port of a shared server.
        notes:    The notes that it should hold.
        embedder: Name of what made the vectors.
        vectors:  Called for the vectors of all notes' passages, in their order, only where
                  the collection has to be filled.
        notice:   Told in one line when a broken store is made anew.

    Raises:
        StoreError: Chroma cannot be loaded, or the store cannot be made.

    """

    def __init__(
        self,
        place: Path | tuple[str, int],
        notes: Sequence[Note],
        embedder: str,
        vectors: Callable[[], np.ndarray],
        notice: Callable[[str], None],
    ) -> None:
        self._notes = list(notes)
        self._vectors = vectors
        self._size = sum(len(note.passages) for note in self._notes)
        self.collection_name = _PREFIX + _digest(embedder, self._notes)
        if isinstance(place, tuple):
            self._collection = self._on_server(place)
        else:
            # Chroma makes its tables without a lock of its own: two processes that start
            # on an empty folder would each take the other's for a broken store.
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(place.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                    self._collection = self._on_disk(place, notice)
            except OSError as error:  # filelock's Timeout is one, too
                raise StoreError(f"The knowledge store in {place} cannot be opened: {error}.") from error

    def _on_server(self, place: tuple[str, int]) -> Any:
        try:
            return self._open(place)
        except StoreError:
            raise
        except Exception as error:
            raise StoreError(
                f"The Chroma server {place[0]}:{place[1]} cannot be used: {error}.",
                "Start it, or take the setting `chroma` back.",
            ) from error

    def _on_disk(self, place: Path, notice: Callable[[str], None]) -> Any:
        try:
            return self._open(place)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - Chroma raises what its Rust core gives it
            notice(f"The knowledge store in {place} was broken ({error}) and is made anew.")
            shutil.rmtree(place, ignore_errors=True)
            _forget_clients()
        try:
            return self._open(place)
        except Exception as error:
            raise StoreError(f"The knowledge store in {place} cannot be made: {error}.") from error

    def query(self, vectors: np.ndarray, count: int) -> list[list[tuple[str, float]]]:
        """Return for each vector pairs of note id and cosine (mean of its three nearest passages), best first."""
        if not self._notes or len(vectors) == 0:
            return [[] for _ in vectors]
        try:
            found = self._collection.query(
                query_embeddings=vectors,
                n_results=min(count * _PASSAGES_FOR_A_NOTE, self._size),
                include=["distances"],
            )
        except Exception as error:
            raise StoreError(f"The knowledge store cannot be asked: {error}.") from error
        return [
            _by_note(ids, distances)[:count] for ids, distances in zip(found["ids"], found["distances"], strict=True)
        ]

    def _open(self, place: Path | tuple[str, int]) -> Any:
        try:
            import chromadb
            from chromadb.config import Settings
        except (ImportError, RuntimeError) as error:
            raise StoreError(f"Chroma cannot be loaded: {error}.") from error
        quiet = Settings(anonymized_telemetry=False)
        if isinstance(place, tuple):
            client = chromadb.HttpClient(host=place[0], port=place[1], settings=quiet)
        else:
            place.mkdir(parents=True, exist_ok=True)
            client = chromadb.PersistentClient(path=str(place), settings=quiet)
        collection = client.get_or_create_collection(
            self.collection_name, embedding_function=None, metadata={"hnsw:space": "cosine"}
        )
        if collection.count() != self._size:
            # Two machines may fill it at once: the same ids get the same values.
            passages = [(f"{n.id}#{i}", text, n) for n in self._notes for i, text in enumerate(n.passages)]
            rows = self._vectors()
            for start in range(0, len(passages), _UPSERT):
                chunk = passages[start : start + _UPSERT]
                collection.upsert(
                    ids=[name for name, _, _ in chunk],
                    embeddings=rows[start : start + _UPSERT],
                    documents=[text for _, text, _ in chunk],
                    metadatas=[{"note": n.id, "path": n.path, "checks": ",".join(n.checks)} for _, _, n in chunk],
                )
            if not isinstance(place, tuple):
                # Others on a shared server may hold other notes.
                _drop_old(client, keep=self.collection_name)
        return collection


def _forget_clients() -> None:
    """Let Chroma open a store again: it keeps one system for each path, a broken one, too."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


def _padded(found: Sequence[float]) -> list[float]:
    """Return the nearest cosines; where fewer were found, the last stands for the others."""
    return [found[min(place, len(found) - 1)] for place in range(_NEAREST)]


def _by_note(ids: Sequence[str], distances: Sequence[float]) -> list[tuple[str, float]]:
    cosines: dict[str, list[float]] = {}
    for name, distance in zip(ids, distances, strict=True):
        cosines.setdefault(name.partition("#")[0], []).append(1.0 - float(distance))
    nearest = {note: sum(_padded(found)) / _NEAREST for note, found in cosines.items()}
    return sorted(nearest.items(), key=lambda pair: (-pair[1], pair[0]))


def _drop_old(client: Any, keep: str) -> None:
    """Delete collections of earlier texts or embedders, so that the store does not grow."""
    for collection in client.list_collections():
        name = getattr(collection, "name", collection)
        if name.startswith(_PREFIX) and name != keep:
            client.delete_collection(name)


def _digest(embedder: str, notes: Sequence[Note]) -> str:
    whole = "\n".join([embedder, *(note.digest for note in notes)])
    return sha256(whole.encode()).hexdigest()[:24]
