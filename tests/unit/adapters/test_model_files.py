"""What a GGUF says of itself, and the list of recorded models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from draftproof.adapters.model_files import OVERHEAD, ModelFile, ModelList, check_memory, read_model_file
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
    assert model.memory == model.size + model.cache_bytes * 8192 + OVERHEAD


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


def test_an_embedding_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "embedder.gguf"
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_tensor("token_embd.weight", np.zeros((4, 32), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match="is an embedding model"):
        read_model_file(path)


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
