"""The header of a GGUF: what is kept, and that no damage is believed."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from draftproof.adapters.gguf_header import HeaderError, read_header
from tests.fakes.gguf import tiny


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("models"), "tiny-bpe")


def written(path: Path, fill: Callable[[Any], None]) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("name", ["tiny-bpe", "tiny-spm", "tiny-mamba"])
def test_it_says_what_the_gguf_package_says(tmp_path: Path, name: str) -> None:
    path = tiny(tmp_path, name)
    header, reader = read_header(path), gguf.GGUFReader(path)
    theirs = {key: entry.contents() for key, entry in reader.fields.items() if not key.startswith("GGUF.")}

    assert header.values
    assert {key: theirs[key] for key in header.values if not isinstance(header.values[key], tuple)} == {
        key: value for key, value in header.values.items() if not isinstance(value, tuple)
    }
    assert header.tensors == len(reader.tensors)
    assert header.end == max(tensor.data_offset + int(tensor.n_bytes) for tensor in reader.tensors)


def test_values_of_every_kind_are_kept(tmp_path: Path) -> None:
    def fill(writer: Any) -> None:
        for kind, value in (
            ("uint8", 200), ("int8", -7), ("uint16", 60000), ("int16", -600), ("uint32", 4_000_000_000),
            ("int32", -70000), ("float32", 0.5), ("bool", True), ("string", "größer"), ("uint64", 1 << 60),
            ("int64", -(1 << 60)), ("float64", 0.1),
        ):  # fmt: skip
            getattr(writer, f"add_{kind}")(f"x.{kind}", value)
        writer.add_array("x.layers", [4, 0, 2])
        writer.add_tensor("t", np.zeros((4, 32), dtype=np.float32))

    values = read_header(written(tmp_path / "all.gguf", fill)).values

    assert [values[f"x.{kind}"] for kind in ("uint8", "int8", "uint16", "int16")] == [200, -7, 60000, -600]
    assert [values[f"x.{kind}"] for kind in ("uint32", "int32", "uint64")] == [4_000_000_000, -70000, 1 << 60]
    assert [values[f"x.{kind}"] for kind in ("int64", "float32", "float64")] == [-(1 << 60), 0.5, 0.1]
    assert (values["x.bool"], values["x.string"], values["x.layers"]) == (True, "größer", (4, 0, 2))


def test_a_vocabulary_is_passed_over(file: Path) -> None:
    assert "tokenizer.ggml.tokens" not in read_header(file).values


def test_a_file_is_whole_to_its_last_byte(file: Path, tmp_path: Path) -> None:
    data, short = file.read_bytes(), tmp_path / "short.gguf"
    end = read_header(file).end
    short.write_bytes(data[:end])
    assert read_header(short).end == end
    short.write_bytes(data[: end - 1])
    with pytest.raises(HeaderError, match=f"it has {end - 1:,} bytes and its last tensor ends at {end:,}"):
        read_header(short)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04 a zip archive", "does not begin with GGUF"),
        (b"GGUF", "ends within its header"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "version 50331648"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 40), "ends within its header"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 63) + b"x" * 40, "ends within its header"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 0, 1, 1, b"k", 13) + b"x" * 40, "unknown kind 13"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"k", 9, 9, 1) + b"x" * 40, "unknown kind 9"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"k", 9, 0, 1 << 62) + b"x" * 40, "ends within its header"),
    ],
)
def test_what_is_no_gguf_is_told_in_a_clause(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    with pytest.raises(HeaderError, match=says):
        read_header(path)


def test_damage_anywhere_in_the_header_is_harmless_or_told(file: Path, tmp_path: Path) -> None:
    whole, path, chance = file.read_bytes(), tmp_path / "damaged.gguf", random.Random(7)
    end, told = whole.rfind(b".weight") + 64, 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(end)] = chance.choice((0, 255, chance.randrange(256)))
        path.write_bytes(data)
        try:
            read_header(path)
        except HeaderError:
            told += 1
    assert 100 < told < 300
