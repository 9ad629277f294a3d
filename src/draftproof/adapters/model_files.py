"""
The user's generative models: what a GGUF says of itself, and the list of those recorded.

The files stay where they are; the list keeps their hash, so that a file that has changed is
noticed before it is asked anything.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from draftproof.adapters.files import write_text
from draftproof.errors import ModelError

# Context for which memory is reckoned, as a review runs it, tokens.
USUAL_WINDOW = 8192
# Compute buffers, the tokenizer of the grammar and Python itself, bytes.
OVERHEAD = 600 * 1024**2
_EMBEDDERS = (
    "bert",
    "nomic-bert",
    "jina-bert-v2",
    "modern-bert",
    "neo-bert",
    "eurobert",
    "gemma-embedding",
    "t5encoder",
)
_BYTES_OF_A_CACHED_NUMBER = 2


@dataclass(frozen=True, slots=True)
class ModelFile:
    """
    A generative model as it is recorded.

    Args:
        name:         By which ``--model`` finds it.
        path:         The file, absolute.
        sha256:       Of its bytes.
        size:         Bytes.
        architecture: As llama.cpp calls it.
        title:        The model's own name.
        quantization: Such as ``Q4_K_M``.
        window:       Tokens that it was trained on.
        licence:      As the file states it, or an empty string.
        template:     Whether it holds a chat template.
        cache_bytes:  Bytes of cache for each token of context; 0 where it keeps a state of
                      fixed size.
        default:      Whether a review uses it without being told.

    """

    name: str
    path: str
    sha256: str
    size: int
    architecture: str
    title: str
    quantization: str
    window: int
    licence: str
    template: bool
    cache_bytes: int
    default: bool = False

    @property
    def memory(self) -> int:
        """Bytes that a review needs with it: weights, cache of :data:`USUAL_WINDOW` tokens, overhead."""
        return self.size + self.cache_bytes * min(self.window or USUAL_WINDOW, USUAL_WINDOW) + OVERHEAD


def read_model_file(path: Path, name: str = "") -> ModelFile:
    """
    Return what a GGUF says of itself.

    Args:
        path: The file.
        name: To record it by; the file's name without its ending where not given.

    Raises:
        ModelError: It is missing, no GGUF, cut short, or no generative model.

    """
    import gguf

    if not path.is_file():
        raise ModelError(f"The model {path} does not exist.", "Name a GGUF file.")
    try:
        reader = gguf.GGUFReader(path)
        fields = {key: entry.contents() for key, entry in reader.fields.items() if not _is_long(key)}
        weights = sum(int(tensor.n_bytes) for tensor in reader.tensors)
    except (ValueError, IndexError, KeyError, OSError, UnicodeDecodeError, OverflowError) as error:
        raise ModelError(
            f"{path} is no whole GGUF file: {str(error) or type(error).__name__}.", "Copy it once more."
        ) from error
    if not weights:
        raise ModelError(f"{path} holds no weights.", "Copy the whole model.")
    architecture = str(fields.get("general.architecture", ""))
    if architecture in _EMBEDDERS or f"{architecture}.pooling_type" in fields:
        raise ModelError(
            f"{path} is an embedding model ({architecture}); it cannot answer.", "Name it with --embedder instead."
        )
    return ModelFile(
        name=name or path.stem,
        path=str(path.resolve()),
        sha256=_hash(path),
        size=path.stat().st_size,
        architecture=architecture,
        title=str(fields.get("general.name", path.stem)),
        quantization=_quantization(fields.get("general.file_type")),
        window=int(fields.get(f"{architecture}.context_length", 0)),
        licence=str(fields.get("general.license", "")),
        template=bool(fields.get("tokenizer.chat_template")),
        cache_bytes=_cache_bytes(fields, architecture),
    )


def _is_long(key: str) -> bool:
    return key.startswith("tokenizer.ggml.") and key.rsplit(".", 1)[-1] in ("tokens", "scores", "token_type", "merges")


def _quantization(kind: Any) -> str:
    import gguf

    try:
        return str(gguf.LlamaFileType(kind).name).removeprefix("MOSTLY_").removeprefix("ALL_")
    except ValueError:
        return "unknown"


def _cache_bytes(fields: Mapping[str, Any], architecture: str) -> int:
    def number(name: str, default: int = 0) -> int:
        value = fields.get(f"{architecture}.{name}", default)
        # Some models give a figure for each layer.
        return max(value) if isinstance(value, list) else int(value)

    heads = number("attention.head_count")
    if not heads:
        return 0
    narrow = number("attention.head_count_kv", heads)
    size = number("embedding_length") // heads
    key, value = number("attention.key_length", size), number("attention.value_length", size)
    return number("block_count") * narrow * (key + value) * _BYTES_OF_A_CACHED_NUMBER


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def machine_memory() -> int:
    """Return the machine's memory in bytes; 0 where the system does not tell."""
    try:
        return int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return 0


def check_memory(model: ModelFile, memory: int) -> None:
    """
    Refuse a model that does not fit.

    Args:
        model:  The model.
        memory: The machine's memory in bytes; 0 where it is not known.

    Raises:
        ModelError: It does not fit; the message shows the sum.

    """
    if memory and model.memory > memory:
        cache = model.memory - model.size - OVERHEAD
        raise ModelError(
            f"{model.name} needs {_gb(model.memory)} (weights {_gb(model.size)}, cache {_gb(cache)}, "
            f"overhead {_gb(OVERHEAD)}) and this machine has {_gb(memory)}.",
            "Choose a smaller model or quantization; `draftproof models catalog` names some by memory.",
        )


def _gb(size: int) -> str:
    return f"{size / 1024**3:.1f} GB"


class ModelList:
    """
    The recorded models, kept in one JSON file.

    Args:
        path: The file; it need not exist.

    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> tuple[ModelFile, ...]:
        """
        Return the models by name.

        Raises:
            ModelError: The list is damaged.

        """
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
            return tuple(sorted((ModelFile(**entry) for entry in entries), key=lambda m: m.name))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(
                f"The list of models {self._path} is damaged: {error}.", "Remove it and add them again."
            ) from error

    def get(self, name: str) -> ModelFile:
        """
        Return a model.

        Raises:
            ModelError: There is none of that name.

        """
        found = next((model for model in self.all() if model.name == name), None)
        if found is None:
            names = ", ".join(model.name for model in self.all()) or "none"
            raise ModelError(
                f"No model is recorded as {name!r}; recorded are: {names}.", "See `draftproof models list`."
            )
        return found

    def default(self) -> ModelFile | None:
        """Return the model that reviews use without being told, or ``None``."""
        return next((model for model in self.all() if model.default), None)

    def add(self, model: ModelFile, default: bool = False) -> None:
        """
        Record a model.

        Raises:
            ModelError: Another one has its name.

        """
        others = [known for known in self.all() if known.name != model.name]
        if len(others) < len(self.all()) and self.get(model.name).sha256 != model.sha256:
            raise ModelError(
                f"Another model is recorded as {model.name!r}.", "Choose a name with --name, or remove that one."
            )
        if default:
            others = [replace(known, default=False) for known in others]
        self._write([*others, replace(model, default=default)])

    def remove(self, name: str) -> None:
        """Take a model off the list; its file stays."""
        gone = self.get(name)
        self._write([model for model in self.all() if model.name != gone.name])

    def set_default(self, name: str) -> None:
        """Let reviews use a model without being told; an empty name for none."""
        chosen = self.get(name).name if name else ""
        self._write([replace(model, default=model.name == chosen) for model in self.all()])

    def verify(self, name: str) -> ModelFile:
        """
        Return a model whose file is as it was recorded.

        Raises:
            ModelError: It is gone or has changed.

        """
        model = self.get(name)
        path = Path(model.path)
        if not path.is_file():
            raise ModelError(
                f"The file of {name} is gone: {path}.", f"Put it back, or `draftproof models remove {name}`."
            )
        if path.stat().st_size != model.size or _hash(path) != model.sha256:
            raise ModelError(
                f"The file of {name} has changed: {path}.",
                f"Remove it and add it again: `draftproof models remove {name}`.",
            )
        return model

    def _write(self, models: list[ModelFile]) -> None:
        entries = [asdict(model) for model in sorted(models, key=lambda m: m.name)]
        write_text(self._path, json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
