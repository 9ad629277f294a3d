"""The scripts in ``tools/``, as modules."""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache
from types import ModuleType

from tests.fakes.documents import ROOT


@lru_cache
def tool(name: str) -> ModuleType:
    """Return the script ``tools/NAME.py`` as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
