"""
The user's generative models: what a GGUF says of itself, and the list of those recorded.

The files stay where they are; the list keeps their hash, so that a file that has changed is
noticed before it is asked anything.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from draftproof.adapters.files import file_hash, write_text
from draftproof.adapters.gguf_header import GgufHeader, HeaderError, Value, read_header
from draftproof.errors import ModelError

# Context of a review, for which memory is reckoned, tokens: sixteen answers over two sets of common lines.
USUAL_WINDOW = 12288
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
# They read a whole text first and answer with another part, which llama.cpp drives otherwise.
_TRANSLATORS = ("t5",)
# What `general.type` calls files that belong to a model, and what they are.
_BELONGINGS = {
    "adapter": "an adapter (LoRA), which changes a model",
    "mmproj": "the part of a model that reads images",
    "imatrix": "an importance matrix, by which a model is quantized",
}
_BYTES_OF_A_CACHED_NUMBER = 2
# The largest models have some two hundred.
_MOST_LAYERS = 4096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
# A name with one of these endings is taken for a file.
_ENDINGS = (".gguf", ".json")
# Where a container's share of the memory stands: version 2 and version 1 of Linux's control groups.
_SHARES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


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
        added:        Day on which it was recorded, ``YYYY-MM-DD``.
        copied:       Whether the file is a copy in the data folder, which goes with the record.

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
    added: str = ""
    copied: bool = False

    @property
    def memory(self) -> int:
        """Bytes that a review needs with it: weights, cache of :data:`USUAL_WINDOW` tokens, overhead."""
        return self.size + self.cache_bytes * min(self.window or USUAL_WINDOW, USUAL_WINDOW) + OVERHEAD


def read_model_file(path: Path, name: str = "") -> ModelFile:
    """
    Return what a GGUF says of itself, with the hash of its bytes.

    Args:
        path: The file.
        name: To record it by; the file's name without its ending where not given.

    Raises:
        ModelError: It is missing, no GGUF, cut short, or no generative model; or the name is none.

    """
    name = name or path.name.removesuffix(".gguf")
    if not path.exists():
        raise ModelError(f"The model {path} does not exist.", "Name a GGUF file.")
    if not path.is_file():
        raise ModelError(f"{path} is no file.", "Name a GGUF file.")
    _check_name(name)
    try:
        header = read_header(path)
        values = header.values
        _check_generative(path, header)
        architecture = _text(values, "general.architecture")
        return ModelFile(
            name=name,
            path=str(path.resolve()),
            sha256=file_hash(path),
            size=path.stat().st_size,
            architecture=architecture,
            title=_text(values, "general.name") or name,
            quantization=_quantization(values.get("general.file_type")),
            window=_number(values, f"{architecture}.context_length"),
            licence=_text(values, "general.license"),
            template="tokenizer.chat_template" in values,
            cache_bytes=_cache_bytes(values, architecture),
        )
    except HeaderError as error:
        raise ModelError(f"{path} is no whole GGUF file: {error}.", "Copy it once more.") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.") from error


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name.lower() == "none" or name.lower().endswith(_ENDINGS):
        raise ModelError(
            f"{name!r} is no name for a model.",
            "Choose one of letters, digits, dots and hyphens with --name; 'none' stands for no model.",
        )


def _check_generative(path: Path, header: GgufHeader) -> None:
    values = header.values
    architecture, kind = _text(values, "general.architecture"), _text(values, "general.type")
    if kind in _BELONGINGS or architecture == "clip":
        raise ModelError(f"{path} is {_BELONGINGS.get(kind, _BELONGINGS['mmproj'])}.", "Name the model itself.")
    if _number(values, "split.count") > 1:
        raise ModelError(
            f"{path} is one of {_number(values, 'split.count')} parts of a model.",
            "Join them first: `llama-gguf-split --merge FIRST-PART WHOLE.gguf`.",
        )
    if not header.tensors:
        raise ModelError(f"{path} holds no weights.", "Copy the whole model.")
    if not architecture:
        raise HeaderError("it does not name its architecture")
    if architecture in _EMBEDDERS or _number(values, f"{architecture}.pooling_type"):
        raise ModelError(
            f"{path} is an embedding model ({architecture}); it cannot answer.", "Name it with --embedder instead."
        )
    if architecture in _TRANSLATORS or values.get(f"{architecture}.attention.causal") is False:
        raise ModelError(
            f"{path} is no model that continues a text ({architecture}).",
            "`draftproof models catalog` names some that do.",
        )


def _text(values: Mapping[str, Value], key: str) -> str:
    value = values.get(key, "")
    if not isinstance(value, str):
        raise HeaderError(f"{key} is no text")
    return value


def _number(values: Mapping[str, Value], key: str) -> int:
    value = values.get(key, 0)
    if not isinstance(value, int) or value < 0:
        raise HeaderError(f"{key} is no count")
    return value


def _quantization(kind: Value | None) -> str:
    import gguf

    try:
        return str(gguf.LlamaFileType(kind).name).removeprefix("MOSTLY_").removeprefix("ALL_")
    except ValueError:
        return "unknown"


def _cache_bytes(values: Mapping[str, Value], architecture: str) -> int:
    layers = _number(values, f"{architecture}.block_count")

    def each(name: str, default: Sequence[int]) -> list[int]:
        """Return a figure for each layer; most models state one for all."""
        key = f"{architecture}.{name}"
        value = values.get(key)
        if value is None:
            return list(default)
        if not isinstance(value, tuple):
            return [_number(values, key)] * layers
        figures = [figure for figure in value[:layers] if isinstance(figure, int) and figure >= 0]
        if len(figures) < layers:
            raise HeaderError(f"{key} has no figure for each of {layers} layers")
        return figures

    if layers > _MOST_LAYERS:
        raise HeaderError(f"it names {layers:,} layers")
    heads = each("attention.head_count", [0] * layers)
    if not any(heads):
        return 0
    size = _number(values, f"{architecture}.embedding_length") // max(heads)
    keys = each("attention.key_length", [size] * layers)
    cached = each("attention.value_length", [size] * layers)
    narrow = each("attention.head_count_kv", heads)
    numbers = sum(count * (key + value) for count, key, value in zip(narrow, keys, cached, strict=True))
    return numbers * _BYTES_OF_A_CACHED_NUMBER


def machine_memory(shares: Sequence[Path] = _SHARES) -> int:
    """
    Return the memory that this process may use, in bytes; 0 where the system does not tell.

    Args:
        shares: Files in which a container's share stands; the first that states a number counts.

    """
    try:
        whole = int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        whole = 0
    for path in shares:
        # Where there is no limit, version 2 says "max" and version 1 a number beyond any machine.
        with contextlib.suppress(OSError, ValueError):
            share = int(path.read_text(encoding="ascii"))
            return min(whole, share) if whole else share
    return whole


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
            return tuple(sorted(map(_entry, entries), key=lambda m: m.name))
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
        Record a model; one that is recorded already with these bytes is recorded anew.

        Args:
            model:   The model.
            default: Make it the default; one that was it before stays it in any case.

        Raises:
            ModelError: Another one has its name.

        """
        self.check_free(model)
        known = self.all()
        before = next((other for other in known if other.name == model.name), None)
        others = [replace(other, default=other.default and not default) for other in known if other is not before]
        if before is not None:
            same_file = before.path == model.path
            model = replace(model, default=before.default, copied=model.copied or (before.copied and same_file))
        self._write([*others, replace(model, default=default or model.default)])
        if before is not None and before.path != model.path:
            _remove_copy(before)

    def check_free(self, model: ModelFile) -> None:
        """
        Refuse a model whose name is taken.

        Raises:
            ModelError: Another one has its name.

        """
        if any(known.name == model.name and known.sha256 != model.sha256 for known in self.all()):
            raise ModelError(
                f"Another model is recorded as {model.name!r}.", "Choose a name with --name, or remove that one."
            )

    def copy_in(self, model: ModelFile) -> ModelFile:
        """
        Copy a model's file beside the list, whole or not at all, and return the model that is the copy.

        Raises:
            ModelError: There is such a file already, it cannot be written, or the copy differs.

        """
        target = self._path.parent / f"{model.name}.gguf"
        part = ""
        try:
            if target.exists():
                if file_hash(target) != model.sha256:
                    raise ModelError(f"{target} is there already.", "Choose a name with --name, or remove that file.")
                # Whether it is a copy of ours, only an earlier record knows.
                return replace(model, path=str(target.resolve()))
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            os.close(handle)
            shutil.copyfile(model.path, part)
            if file_hash(Path(part)) != model.sha256:
                raise ModelError(f"{model.path} has changed while it was copied.", "Add it once more.")
            os.chmod(part, 0o644)
            os.replace(part, target)
        except OSError as error:
            reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
            raise ModelError(
                f"{target} cannot be written: {reason}.", "Leave --copy out to use the file where it is."
            ) from error
        finally:
            if part:
                Path(part).unlink(missing_ok=True)
        return replace(model, path=str(target.resolve()), copied=True)

    def remove(self, name: str) -> ModelFile:
        """
        Take a model off the list and return it; a copy goes with it, any other file stays.

        Raises:
            ModelError: There is none of that name, or the copy cannot be removed.

        """
        gone = self.get(name)
        self._write([model for model in self.all() if model.name != gone.name])
        _remove_copy(gone)
        return gone

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
        try:
            same = path.stat().st_size == model.size and file_hash(path) == model.sha256
        except OSError as error:
            raise ModelError(
                f"The file of {name} cannot be read: {error.strerror or error}.", "Check its permissions."
            ) from error
        if not same:
            raise ModelError(
                f"The file of {name} has changed: {path}.",
                f"Remove it and add it again: `draftproof models remove {name}`.",
            )
        return model

    def _write(self, models: list[ModelFile]) -> None:
        entries = [asdict(model) for model in sorted(models, key=lambda m: m.name)]
        write_text(self._path, json.dumps(entries, indent=1, ensure_ascii=False) + "\n")


def _remove_copy(model: ModelFile) -> None:
    if not model.copied:
        return
    try:
        Path(model.path).unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{model.path} cannot be removed: {error.strerror}.", "Remove it yourself.") from error


def _entry(entry: Mapping[str, Any]) -> ModelFile:
    model = ModelFile(**entry)
    for field in fields(model):
        # Annotations are kept as text; here they are names of plain types.
        if type(getattr(model, field.name)).__name__ != field.type:
            raise ValueError(f"{field.name} is no {field.type}")
    return model
