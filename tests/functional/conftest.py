"""A folder of its own for each test, one review of the example, and the real embedder."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from draftproof.bootstrap import build_store, write_embedder
from draftproof.errors import DraftproofError
from draftproof.settings import Settings, load_settings
from tests.functional.command import BM25, DESIGN, DRAFTPROOF, REQUIREMENTS, Outcome, process

# As it was at the start of the session, before any test has a home of its own.
ENVIRONMENT = dict(os.environ)


@pytest.fixture(scope="session", autouse=True)
def _patterns_are_kept() -> Iterator[None]:
    """Let ``re`` keep the rubric's patterns, which every review in this process compiles again."""
    kept = {name: getattr(re, name) for name in ("_MAXCACHE", "_MAXCACHE2") if hasattr(re, name)}
    for name in kept:
        setattr(re, name, 10_000)
    yield
    for name, value in kept.items():
        setattr(re, name, value)


@pytest.fixture(autouse=True)
def folder(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder of its own, and take back what the network guard sets."""
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


@dataclass(frozen=True)
class Reviewed:
    """A review as it was written, and the run that wrote it."""

    run: Outcome
    report: str
    data: dict[str, Any]
    json_path: Path
    data_dir: Path


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    """The example design, reviewed against its requirements in a process of its own."""
    place = tmp_path_factory.mktemp("example")
    data_dir = tmp_path_factory.mktemp("example-data")
    run = process(
        [*DRAFTPROOF, "review", DESIGN, "--requirements", REQUIREMENTS, *BM25, "--data-dir", data_dir],
        {"HOME": str(data_dir), "XDG_CONFIG_HOME": str(data_dir), "PYTHONHASHSEED": "1"},
        cwd=place,
    )
    assert run.code == 0, run.err
    report = (place / "tech-design-review.md").read_text(encoding="utf-8")
    data = json.loads((place / "review.json").read_text(encoding="utf-8"))
    return Reviewed(run, report, data, place / "review.json", data_dir)


@pytest.fixture(scope="session")
def embedder_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A data folder with the real embedder and its store, kept between sessions.

    What the user has is copied, so that nothing is embedded twice; what is missing is
    made, which takes minutes on a machine that has never been set up.
    """
    cache = getattr(request.config, "cache", None)
    place = cache.mkdir("draftproof") if cache else tmp_path_factory.mktemp("embedder")
    own = load_settings(environment=ENVIRONMENT)
    settings = Settings(data_dir=place)
    target = settings.embedder_path
    assert target is not None
    if own.embedder_path is not None and own.embedder_path.exists() and not target.exists():
        shutil.copytree(own.embedder_path.parent, target.parent, dirs_exist_ok=True)
        if (own.data_dir / "vectors").is_dir():
            shutil.copytree(own.data_dir / "vectors", place / "vectors", dirs_exist_ok=True)
    try:
        write_embedder(settings, None, "Q8_0", force=False)
    except DraftproofError as error:
        pytest.skip(f"no embedder in the user's data folder, and {error}")
    build_store(settings, lambda _done, _total: None, lambda _notice: None)
    return place


@pytest.fixture
def data_dir_with_embedder(embedder_dir: Path, tmp_path: Path) -> Path:
    """A data folder of the test's own with the embedder and the vectors, and no store."""
    place = tmp_path / "data"
    place.mkdir()
    (place / "models").symlink_to(embedder_dir / "models")
    shutil.copytree(embedder_dir / "vectors", place / "vectors")
    return place
