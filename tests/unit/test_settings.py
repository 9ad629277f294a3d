"""Options over environment over file over defaults, and all faults at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from draftproof.errors import SettingsError
from draftproof.settings import load_settings


def config(folder: Path, text: str) -> dict[str, str]:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return {"DRAFTPROOF_CONFIG": str(path)}


def test_defaults_hold_where_nothing_is_set(own_home: Path) -> None:
    settings = load_settings(environment={})

    assert (settings.embedder, settings.threads) == ("", 0)
    assert own_home in settings.data_dir.parents


def test_environment_of_the_process_is_read(own_home: Path) -> None:
    assert load_settings().data_dir == own_home / "draftproof"


def test_file_gives_way_to_environment_and_environment_to_options(tmp_path: Path) -> None:
    environment = config(tmp_path, "threads = 1\nembedder = 'a.gguf'\ndata_dir = '/a'\n")
    environment |= {"DRAFTPROOF_THREADS": "2", "DRAFTPROOF_EMBEDDER": "b.gguf"}
    settings = load_settings({"threads": 3, "embedder": None}, environment)

    assert (settings.threads, settings.embedder, settings.data_dir) == (3, "b.gguf", Path("/a"))


def test_empty_variable_counts_as_absent() -> None:
    assert load_settings(environment={"DRAFTPROOF_THREADS": ""}).threads == 0


@pytest.mark.parametrize("value", ["many", "-1", "513", "1.5"])
def test_senseless_count_of_threads_is_refused_with_its_place(value: str) -> None:
    with pytest.raises(SettingsError, match="DRAFTPROOF_THREADS: threads is"):
        load_settings(environment={"DRAFTPROOF_THREADS": value})


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    environment = config(tmp_path, "colour = 'red'\nshape = 1\n") | {"DRAFTPROOF_THREADS": "x"}

    with pytest.raises(SettingsError) as caught:
        load_settings(environment=environment)

    assert [word in caught.value.message for word in ("'colour'", "'shape'", "DRAFTPROOF_THREADS")] == [True] * 3


def test_broken_file_is_refused_by_path(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"settings\.toml cannot be read"):
        load_settings(environment=config(tmp_path, "threads = = 1"))


@pytest.mark.parametrize("word", ["none", "NONE", "None"])
def test_no_embedder_is_wanted(word: str) -> None:
    assert load_settings({"embedder": word}, {}).embedder_path is None


def test_paths_follow_from_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings({"data_dir": tmp_path}, {})

    assert settings.store_dir == tmp_path / "store"
    assert settings.last_run_file == tmp_path / "last-run.json"
    assert settings.user_knowledge_dirs[0] == tmp_path / "knowledge"
    assert settings.embedder_path is not None
    assert tmp_path in settings.embedder_path.parents


def test_tilde_is_the_home_folder(own_home: Path) -> None:
    settings = load_settings({"embedder": "~/m.gguf", "data_dir": "~/d"}, {})

    assert (settings.embedder_path, settings.data_dir) == (own_home / "m.gguf", own_home / "d")
