"""
The header of a GGUF file: its metadata, and where its last tensor ends.

The ``gguf`` package makes an array of every token of the vocabulary, which takes seconds
and half a gigabyte for a usual model. Here long arrays are passed over, and nothing is
read of the tensors' data. Every length is held against the file's size before it is
believed, since a file that was cut short or damaged says anything.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

Value = int | float | bool | str | tuple[int | float | bool, ...]

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_SCALARS = {kind: struct.Struct(f"<{letter}") for kind, letter in enumerate("BbHhIif?")} | {
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_STRING, _ARRAY = 8, 9
# Figures for each layer are kept; vocabularies, scores and kinds of tokens are not.
_MOST_KEPT = 4096
_MOST_ENTRIES = 16_000_000
_MOST_DIMENSIONS = 4
_ALIGNMENT = 32


class HeaderError(ValueError):
    """The file is no GGUF, or not a whole one; the message is a clause."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """
    What a GGUF says before its tensors' data.

    Args:
        values:  Metadata by key: single values, and short arrays of numbers.
        tensors: How many tensors it lists.
        end:     Bytes that a whole file has at least.

    """

    values: Mapping[str, Value]
    tensors: int
    end: int


def read_header(path: Path) -> GgufHeader:
    """
    Return the header of a file.

    Raises:
        HeaderError: It is no GGUF, is damaged, or ends before its last tensor does.
        OSError:     It cannot be read.

    """
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        if not size:
            raise HeaderError("it is empty")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            header = _Cursor(data, size).header()
    if header.end > size:
        raise HeaderError(f"it has {size:,} bytes and its last tensor ends at {header.end:,}")
    return header


class _Cursor:
    """Reads one item after another and never beyond the end."""

    def __init__(self, data: mmap.mmap, size: int) -> None:
        self._data = data
        self._size = size
        self._at = 0

    def header(self) -> GgufHeader:
        if self._data[: len(_MAGIC)] != _MAGIC:
            raise HeaderError("it does not begin with GGUF")
        self._at = len(_MAGIC)
        version = self._number(4)
        if version not in _VERSIONS:
            raise HeaderError(f"version {version} of the format is not known")
        tensors, pairs = self._number(10), self._number(10)
        values: dict[str, Value] = {}
        # The least that a pair takes: an empty key, a kind, a value of one byte.
        for _ in range(self._count(pairs, 13)):
            key = self._text()
            value = self._value(int(self._number(4)))
            if value is not None:
                values[key] = value
        ends = [self._tensor_end() for _ in range(self._count(tensors, 24))]
        alignment = values.get("general.alignment", _ALIGNMENT)
        if type(alignment) is not int or alignment < 1:
            raise HeaderError("its alignment is no positive number")
        start = -(-self._at // alignment) * alignment
        return GgufHeader(values, len(ends), start + max(ends) if ends else self._at)

    def _value(self, kind: int, nested: bool = False) -> Value | None:
        """Return the value at this place; ``None`` for one that is passed over."""
        if kind in _SCALARS:
            return self._number(kind)
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY or nested:
            raise HeaderError(f"it has a value of the unknown kind {kind}")
        return self._array(int(self._number(4)), self._number(10))

    def _array(self, kind: int, count: int | float) -> Value | None:
        if kind in _SCALARS:
            width = _SCALARS[kind].size
            entries = self._count(count, width)
            if entries <= _MOST_KEPT:
                return tuple(self._number(kind) for _ in range(entries))
            self._skip(entries * width)
        elif kind == _STRING:
            for _ in range(self._count(count, 8)):
                self._skip(int(self._number(10)))
        else:
            raise HeaderError(f"it has an array of the unknown kind {kind}")
        return None

    def _tensor_end(self) -> int:
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

        self._text()
        dimensions = int(self._number(4))
        if dimensions > _MOST_DIMENSIONS:
            raise HeaderError(f"it has a tensor of {dimensions} dimensions")
        numbers = prod(int(self._number(10)) for _ in range(dimensions))
        kind, offset = int(self._number(4)), int(self._number(10))
        try:
            block, width = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
        except (ValueError, KeyError):
            # A quantization newer than the package: where it begins is all that is known.
            return offset
        return offset + numbers // int(block) * int(width)

    def _number(self, kind: int) -> int | float | bool:
        reader = _SCALARS[kind]
        place = self._at
        self._skip(reader.size)
        (value,) = reader.unpack_from(self._data, place)
        assert isinstance(value, int | float)
        return value

    def _text(self) -> str:
        length = int(self._number(10))
        place = self._at
        self._skip(length)
        return self._data[place : self._at].decode("utf-8", errors="replace")

    def _count(self, count: int | float, width: int) -> int:
        """Return a count of entries of at least so many bytes, if the rest of the file can hold them."""
        if count > _MOST_ENTRIES or int(count) * width > self._size - self._at:
            raise HeaderError("it ends within its header, or its header is damaged")
        return int(count)

    def _skip(self, length: int) -> None:
        if length > self._size - self._at:
            raise HeaderError("it ends within its header, or its header is damaged")
        self._at += length
