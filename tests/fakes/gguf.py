"""Tiny models with random weights, written by the product's own tool."""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from tests.fakes.documents import ROOT


@lru_cache(maxsize=1)
def random_gguf() -> ModuleType:
    """Return the tool ``tools/random_gguf.py`` as a module."""
    spec = importlib.util.spec_from_file_location("random_gguf", ROOT / "tools" / "random_gguf.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def tiny(folder: Path, name: str) -> Path:
    """Return a tiny model in a folder, written where it is not there yet."""
    path = folder / f"{name}.gguf"
    if not path.exists():
        random_gguf().write_tiny(path, name)
    return path
