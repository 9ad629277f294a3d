"""What a GGUF says of itself, and the list of recorded models."""

from __future__ import annotations

import contextlib
import json
import random
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from draftproof.adapters.model_files import (
    OVERHEAD,
    ModelFile,
    ModelList,
    check_memory,
    machine_memory,
    read_model_file,
)
from draftproof.errors import ModelError
from tests.fakes.gguf import tiny


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("models"), "tiny-bpe")


def test_the_header_is_read(file: Path) -> None:
    model = read_model_file(file)
    assert (model.name, model.architecture, model.quantization, model.window) == ("tiny-bpe", "qwen2", "Q8_0", 16384)
    assert model.licence == "apache-2.0"
    assert model.template
    assert model.size == file.stat().st_size


def test_memory_is_weights_and_cache_and_overhead(file: Path) -> None:
    model = read_model_file(file)
    # Two layers, one head of 64 for keys and one for values, two bytes a number.
    assert model.cache_bytes == 2 * 1 * (64 + 64) * 2
    assert model.memory == model.size + model.cache_bytes * 12288 + OVERHEAD


def test_a_model_that_does_not_fit_is_refused_with_the_sum(file: Path) -> None:
    model = replace(read_model_file(file), size=9 * 1024**3)
    with pytest.raises(
        ModelError, match=r"needs 9\.6 GB \(weights 9\.0 GB, cache 0\.0 GB, overhead 0\.6 GB\).*8\.0 GB"
    ):
        check_memory(model, 8 * 1024**3)
    check_memory(model, 16 * 1024**3)
    check_memory(model, 0)


def test_a_state_of_fixed_size_needs_no_cache(tmp_path: Path) -> None:
    assert read_model_file(tiny(tmp_path, "tiny-mamba")).cache_bytes == 0


def written(folder: Path, architecture: str, values: dict[str, Any]) -> Path:
    """Return a GGUF of one small tensor with the metadata given."""
    path = folder / "written.gguf"
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in values.items():
        if isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_array(key, value)
    writer.add_tensor("token_embd.weight", np.zeros((4, 32), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize(
    ("architecture", "values", "says"),
    [
        ("bert", {}, r"is an embedding model \(bert\)"),
        ("nomic-bert", {}, r"is an embedding model \(nomic-bert\)"),
        ("qwen3", {"qwen3.pooling_type": 3}, r"is an embedding model \(qwen3\)"),
        ("t5", {}, "continues a text"),
        ("llada", {"llada.attention.causal": False}, "continues a text"),
        ("clip", {}, "reads images"),
        ("clip", {"general.type": "mmproj"}, "reads images"),
        ("llama", {"general.type": "adapter"}, "is an adapter"),
        ("llama", {"general.type": "imatrix"}, "is an importance matrix"),
        ("qwen2", {"split.count": 2}, "is one of 2 parts of a model"),
        ("", {}, "does not name its architecture"),
        ("qwen2", {"qwen2.context_length": "many"}, "qwen2.context_length is no count"),
        ("qwen2", {"general.license": 7}, "general.license is no text"),
        ("qwen2", {"qwen2.block_count": 2_000_000_000}, "2,000,000,000 layers"),
        ("qwen2", {"qwen2.block_count": 3, "qwen2.attention.head_count": [2, 2]}, "for each of 3 layers"),
        ("qwen2", {"qwen2.block_count": 1, "qwen2.attention.head_count": [-2]}, "for each of 1 layers"),
    ],
)
def test_what_cannot_answer_is_refused(tmp_path: Path, architecture: str, values: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        read_model_file(written(tmp_path, architecture, values))


def test_a_model_that_pools_nothing_and_says_that_it_is_one_is_read(tmp_path: Path) -> None:
    values = {"qwen3.pooling_type": 0, "general.type": "model", "split.count": 1, "qwen3.attention.causal": True}
    assert read_model_file(written(tmp_path, "qwen3", values)).architecture == "qwen3"


def test_layers_without_attention_need_no_cache(tmp_path: Path) -> None:
    values = {
        "jamba.block_count": 4,
        "jamba.embedding_length": 512,
        "jamba.attention.head_count": 8,
        "jamba.attention.head_count_kv": [0, 0, 2, 0],
    }
    # One layer of four: two heads of 64 for keys and values each, two bytes a number.
    assert read_model_file(written(tmp_path, "jamba", values)).cache_bytes == 2 * (64 + 64) * 2


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        read_model_file(tmp_path / "nothing.gguf")
    with pytest.raises(ModelError, match="is no file"):
        read_model_file(tmp_path)


@pytest.mark.parametrize("name", ["none", "None", "a/b", "../a", "two words", "a.gguf", "script.json", "-a", "ä"])
def test_a_name_that_a_command_would_take_for_something_else_is_refused(file: Path, name: str) -> None:
    with pytest.raises(ModelError, match="is no name for a model"):
        read_model_file(file, name)


def test_a_name_may_have_dots_and_hyphens(file: Path) -> None:
    assert read_model_file(file, "Qwen2.5-7B_q4.k-m").name == "Qwen2.5-7B_q4.k-m"


def test_damage_anywhere_is_harmless_or_told(file: Path, tmp_path: Path) -> None:
    whole, path, chance = file.read_bytes(), tmp_path / "damaged.gguf", random.Random(11)
    end = whole.find(b"tokenizer.ggml.tokens")
    for _ in range(200):
        data = bytearray(whole)
        data[chance.randrange(end)] = chance.randrange(256)
        path.write_bytes(data)
        with contextlib.suppress(ModelError):
            read_model_file(path)


@pytest.mark.parametrize(
    ("texts", "memory"),
    [
        (["1073741824\n"], 1 << 30),
        (["max\n", "1073741824\n"], 1 << 30),
        (["9223372036854771712\n"], machine_memory(())),
    ],
)
def test_the_share_of_a_container_counts(tmp_path: Path, texts: list[str], memory: int) -> None:
    shares = [tmp_path / f"share-{place}" for place in range(len(texts))]
    for path, text in zip(shares, texts, strict=True):
        path.write_text(text)
    assert machine_memory([tmp_path / "nowhere", *shares]) == memory


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_a_file_that_is_cut_short_is_refused(file: Path, tmp_path: Path, share: float) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    with pytest.raises(ModelError, match="no whole GGUF"):
        read_model_file(cut)


def test_a_vocabulary_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vocab.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(ModelError, match="holds no weights"):
        read_model_file(path)


def listed(tmp_path: Path, file: Path, *names: str) -> tuple[ModelList, ModelFile]:
    models, model = ModelList(tmp_path / "models.json"), read_model_file(file)
    for name in names:
        models.add(replace(model, name=name))
    return models, model


def test_one_model_at_most_is_the_default(tmp_path: Path, file: Path) -> None:
    models, model = listed(tmp_path, file, "a", "b")
    assert models.default() is None
    models.add(replace(model, name="c"), default=True)
    models.set_default("a")
    default = models.default()
    assert default is not None
    assert default.name == "a"
    assert [known.default for known in models.all()] == [True, False, False]
    models.set_default("")
    assert models.default() is None


def test_a_name_belongs_to_one_file(tmp_path: Path, file: Path) -> None:
    models, model = listed(tmp_path, file, "a")
    models.add(replace(model, name="a"))
    with pytest.raises(ModelError, match="Another model is recorded as 'a'"):
        models.add(replace(model, name="a", sha256="0" * 64))


def test_a_changed_or_missing_file_is_noticed(tmp_path: Path, file: Path) -> None:
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(file.read_bytes())
    models, _ = listed(tmp_path, copy, "a")
    assert models.verify("a").path == str(copy)
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(data)
    with pytest.raises(ModelError, match="has changed"):
        models.verify("a")
    copy.unlink()
    with pytest.raises(ModelError, match="is gone"):
        models.verify("a")


def test_an_unknown_name_and_a_damaged_list_are_named(tmp_path: Path, file: Path) -> None:
    models, _ = listed(tmp_path, file, "a", "b")
    with pytest.raises(ModelError, match="recorded are: a, b"):
        models.remove("c")
    (tmp_path / "models.json").write_text("[{}]")
    with pytest.raises(ModelError, match="is damaged"):
        models.all()


@pytest.mark.parametrize(
    "entry", [{"size": "large"}, {"default": 1}, {"path": None}, {"another": "member"}, {"added": 20261124}]
)
def test_an_entry_of_the_wrong_kind_is_damage(tmp_path: Path, file: Path, entry: dict[str, Any]) -> None:
    (tmp_path / "models.json").write_text(json.dumps([{**asdict(read_model_file(file)), **entry}]))
    with pytest.raises(ModelError, match="is damaged"):
        ModelList(tmp_path / "models.json").all()


def test_a_model_that_is_recorded_anew_stays_the_default(tmp_path: Path, file: Path) -> None:
    models, model = listed(tmp_path, file, "a", "b")
    models.set_default("a")
    models.add(replace(model, name="a", path="/elsewhere/a.gguf"))
    default = models.default()
    assert default is not None
    assert (default.name, default.path) == ("a", "/elsewhere/a.gguf")


def test_a_copy_is_whole_and_goes_with_its_record(tmp_path: Path, file: Path) -> None:
    models, model = listed(tmp_path / "data", file)
    copied = models.copy_in(replace(model, name="a"))
    models.add(copied)
    assert models.verify("a").path == str((tmp_path / "data" / "a.gguf").resolve())
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["a.gguf", "models.json"]
    assert models.remove("a").copied
    assert not (tmp_path / "data" / "a.gguf").exists()
    assert file.exists()


def test_a_copy_that_is_added_anew_is_still_a_copy(tmp_path: Path, file: Path) -> None:
    models, model = listed(tmp_path, file)
    models.add(models.copy_in(replace(model, name="a")))
    models.add(models.copy_in(replace(model, name="a")))
    models.add(read_model_file(tmp_path / "a.gguf"))
    assert models.get("a").copied
    models.add(replace(model, name="a"))
    assert not models.get("a").copied
    assert not (tmp_path / "a.gguf").exists()
    assert file.exists()


def test_a_file_of_the_users_is_neither_replaced_nor_removed(tmp_path: Path, file: Path) -> None:
    models, model = listed(tmp_path, file)
    own = tmp_path / "a.gguf"
    own.write_bytes(b"something else")
    with pytest.raises(ModelError, match="is there already"):
        models.copy_in(replace(model, name="a"))
    own.write_bytes(file.read_bytes())
    models.add(models.copy_in(replace(model, name="a")))
    models.remove("a")
    assert own.exists()


def test_a_copy_of_other_bytes_is_not_kept(tmp_path: Path, file: Path) -> None:
    models, model = listed(tmp_path, file)
    with pytest.raises(ModelError, match="has changed while it was copied"):
        models.copy_in(replace(model, name="a", sha256="0" * 64))
    assert list(tmp_path.iterdir()) == []
