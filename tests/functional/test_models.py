"""``draftproof models`` and ``draftproof doctor``."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from draftproof.adapters.model_files import OVERHEAD, ModelList, read_model_file
from tests.fakes.gguf import tiny
from tests.fakes.server import obedient, serving
from tests.functional.command import ROOT, draftproof


@pytest.fixture(scope="module")
def folder_of_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def record(data_dir: Path, file: Path, name: str, **other: str) -> None:
    """Put a model on the list without loading it."""
    ModelList(data_dir / "models" / "models.json").add(replace(read_model_file(file, name), **other))


def test_a_model_is_added_listed_verified_and_removed(folder_of_models: Path) -> None:
    run = draftproof("models", "add", tiny(folder_of_models, "tiny-bpe"), "--name", "small", "--default")
    assert run.code == 0, run.err
    assert "A constrained answer was decoded" in run.out
    assert draftproof("models", "list").out.startswith("* small")
    (entry,) = json.loads(draftproof("models", "list", "--json").out)
    assert date.fromisoformat(entry["added"]) <= date.today()
    assert entry["sha256"] in draftproof("models", "verify").out
    assert draftproof("models", "default", "none").code == 0
    assert draftproof("models", "remove", "small").code == 0
    assert "No model is recorded" in draftproof("models", "list").out


def test_a_model_without_a_template_is_not_recorded(folder_of_models: Path) -> None:
    run = draftproof("models", "add", tiny(folder_of_models, "tiny-untemplated"))
    assert run.code == 2
    assert "holds no chat template" in run.err
    assert "No model is recorded" in draftproof("models", "list").out


def test_a_model_is_copied_into_the_data_folder_and_out_again(folder_of_models: Path, folder: Path) -> None:
    original = tiny(folder_of_models, "tiny-spm")
    run = draftproof("models", "add", original, "--copy", "--data-dir", folder / "data")
    copy = folder / "data" / "models" / "tiny-spm.gguf"
    assert run.code == 0, run.err
    assert copy.read_bytes() == original.read_bytes()
    assert draftproof("models", "verify", "tiny-spm", "--data-dir", folder / "data").code == 0
    assert "its copy is removed" in draftproof("models", "remove", "tiny-spm", "--data-dir", folder / "data").out
    assert not copy.exists()
    assert original.exists()


def test_the_file_is_asked_even_where_reviews_ask_a_server(
    folder_of_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAFTPROOF_ENGINE_URL", "http://127.0.0.1:9/v1")
    run = draftproof("models", "add", tiny(folder_of_models, "tiny-bpe"))
    assert run.code == 0, run.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("add nothing.gguf", "The model nothing.gguf does not exist."),
        ("add .", ". is no file."),
        ("add text.gguf", "text.gguf is no whole GGUF file: it does not begin with GGUF."),
        ("add cut.gguf", "cut.gguf is no whole GGUF file: it has 300,000 bytes and its last tensor ends at"),
        ("add whole.gguf --name none", "'none' is no name for a model."),
        ("add whole.gguf --name small.gguf", "'small.gguf' is no name for a model."),
        ("add whole.gguf --name taken", "Another model is recorded as 'taken'."),
        ("remove nobody", "No model is recorded as 'nobody'; recorded are: taken."),
        ("default nobody", "No model is recorded as 'nobody'; recorded are: taken."),
        ("verify nobody", "No model is recorded as 'nobody'; recorded are: taken."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(folder_of_models: Path, folder: Path, arguments: str, says: str) -> None:
    whole = tiny(folder_of_models, "tiny-bpe").read_bytes()
    (folder / "whole.gguf").write_bytes(whole)
    (folder / "cut.gguf").write_bytes(whole[:300_000])
    (folder / "text.gguf").write_text("A page that a proxy gave instead of the model.")
    record(folder / "data", folder / "whole.gguf", "taken", sha256="0" * 64)
    run = draftproof("models", *arguments.split(), "--data-dir", "data")
    assert run.code == 2
    assert run.err.startswith(f"draftproof: {says}")
    assert len(run.err.splitlines()) == 1
    assert run.out == ""


def test_a_model_that_does_not_fit_is_refused_with_the_sum(
    folder_of_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("draftproof.adapters.model_files.machine_memory", lambda: OVERHEAD)
    run = draftproof("models", "add", tiny(folder_of_models, "tiny-bpe"))
    assert run.code == 2
    assert re.search(r"needs 0\.6 GB \(weights .*, cache .*, overhead 0\.6 GB\) and this machine has 0\.6 GB", run.err)
    assert "No model is recorded" in draftproof("models", "list").out


def test_verify_names_every_file_that_is_not_as_it_was(folder_of_models: Path, folder: Path) -> None:
    for name in ("a", "b", "c"):
        (folder / f"{name}.gguf").write_bytes(tiny(folder_of_models, "tiny-bpe").read_bytes())
        record(folder / "data", folder / f"{name}.gguf", name)
    (folder / "a.gguf").unlink()
    (folder / "c.gguf").write_bytes(b"GGUF")
    run = draftproof("models", "verify", "--data-dir", folder / "data")
    assert run.code == 2
    assert run.out.startswith("b: ")
    assert "The file of a is gone" in run.err
    assert "The file of c has changed" in run.err


def test_the_doctor_shows_the_form_of_a_prompt(folder_of_models: Path) -> None:
    run = draftproof("doctor", "--model", tiny(folder_of_models, "tiny-spm"))
    assert run.code == 0, run.err
    assert "prompt begins '<s>'" in run.out
    assert "beginning     1 (wanted: 1)" in run.out
    assert "constrained   yes" in run.out


def test_the_doctor_probes_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(obedient) as (url, _):
        monkeypatch.setenv("DRAFTPROOF_ENGINE_URL", url)
        run = draftproof("doctor")
    assert run.code == 0, run.err
    assert "scripted at 127.0.0.1" in run.out
    assert "constrained   yes" in run.out


def test_the_doctor_needs_no_model() -> None:
    run = draftproof("doctor")
    assert run.code == 0
    assert "a review needs none" in run.out


def test_an_unknown_name_is_one_sentence() -> None:
    run = draftproof("review", "design.md", "--model", "nobody")
    assert run.code == 2
    assert len(run.err.strip().splitlines()) == 1


def test_the_catalog_lists_models_by_memory() -> None:
    run = draftproof("models", "catalog")
    assert run.code == 0
    assert "  8 GB" in run.out
    assert "Apache-2.0" in run.out


def test_every_model_of_the_catalog_fits_its_class_and_states_its_licence() -> None:
    entries = tomllib.loads((ROOT / "models" / "catalog.toml").read_text(encoding="utf-8"))["model"]
    assert [entry["memory_gb"] for entry in entries] == sorted(entry["memory_gb"] for entry in entries)
    for entry in entries:
        assert set(entry) == {"memory_gb", "name", "file_gb", "licence", "expect"}
        assert entry["file_gb"] * 1e9 + OVERHEAD < entry["memory_gb"] * 1024**3
        assert entry["licence"]
        assert entry["expect"].endswith(".")
