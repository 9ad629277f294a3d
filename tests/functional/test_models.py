"""``draftproof models`` and ``draftproof doctor``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.gguf import tiny
from tests.functional.command import draftproof


@pytest.fixture(scope="module")
def folder_of_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def test_a_model_is_added_listed_verified_and_removed(folder_of_models: Path) -> None:
    run = draftproof("models", "add", tiny(folder_of_models, "tiny-bpe"), "--name", "small", "--default")
    assert run.code == 0, run.err
    assert "A constrained answer was decoded" in run.out
    assert draftproof("models", "list").out.startswith("* small")
    (entry,) = json.loads(draftproof("models", "list", "--json").out)
    assert entry["sha256"] in draftproof("models", "verify").out
    assert draftproof("models", "default", "none").code == 0
    assert draftproof("models", "remove", "small").code == 0
    assert "No model is recorded" in draftproof("models", "list").out


def test_a_model_without_a_template_is_not_recorded(folder_of_models: Path) -> None:
    run = draftproof("models", "add", tiny(folder_of_models, "tiny-untemplated"))
    assert run.code == 2
    assert "holds no chat template" in run.err
    assert "No model is recorded" in draftproof("models", "list").out


def test_the_doctor_shows_the_form_of_a_prompt(folder_of_models: Path) -> None:
    run = draftproof("doctor", "--model", tiny(folder_of_models, "tiny-spm"))
    assert run.code == 0, run.err
    assert "prompt begins '<s>'" in run.out
    assert "beginning     1 (wanted: 1)" in run.out
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
