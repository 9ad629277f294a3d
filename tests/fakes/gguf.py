"""Tiny models with random weights, written by the product's own tool."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from tests.fakes.tools import tool


def random_gguf() -> ModuleType:
    """Return the tool ``tools/random_gguf.py`` as a module."""
    return tool("random_gguf")


# Attention over all, in a window, none, and in turn with a state.
MODELS: tuple[str, ...] = random_gguf().GENERATIVE
STATEFUL = ("tiny-mamba", "tiny-hybrid")
STATELESS = tuple(name for name in MODELS if name not in STATEFUL)


def tiny(folder: Path, name: str) -> Path:
    """Return a tiny model in a folder, written where it is not there yet."""
    path = folder / f"{name}.gguf"
    if not path.exists():
        random_gguf().write_tiny(path, name)
    return path


def quantized(folder: Path, architecture: str) -> Path:
    """Return a small model in Q4_K_M, whose rows are long enough for llama.cpp to pack them anew."""
    path = folder / f"{architecture}-q4_k_m.gguf"
    if not path.exists():
        make = random_gguf()
        shape = make.Shape(architecture, 2, 256, 512, 4, 2, sliding=32 if architecture == "gemma3" else 0)
        plain = folder / f"{architecture}-plain.gguf"
        make.write_shaped(plain, shape, tiny(folder, "tiny-bpe"))
        make.quantize(plain, path)
    return path
