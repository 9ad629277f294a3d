"""Tiny models, each loaded once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from draftproof.adapters.llamacpp.engine import EngineOptions, LlamaCppEngine
from tests.fakes.gguf import tiny

WINDOW = 4096


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def engine(models: Path) -> Callable[..., LlamaCppEngine]:
    """Return a loader of tiny models that keeps them for the session."""
    loaded: dict[tuple[str, EngineOptions], LlamaCppEngine] = {}

    def load(name: str = "tiny-bpe", parallel: int = 8, window: int = WINDOW, fresh: bool = False) -> LlamaCppEngine:
        options = EngineOptions(window=window, parallel=parallel, threads=1)
        if fresh:
            loaded.pop((name, options), None)
        if (name, options) not in loaded:
            loaded[name, options] = LlamaCppEngine(tiny(models, name), options)
        return loaded[name, options]

    return load
