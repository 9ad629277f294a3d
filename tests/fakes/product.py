"""The product's own data files, loaded once for all tests."""

from __future__ import annotations

from functools import lru_cache

from draftproof.documents.cues import Cue
from draftproof.documents.injection import InjectionRule
from draftproof.documents.quantities import Purpose
from draftproof.domain.rubric import Rubric
from draftproof.domain.scoring import ScoringRule
from draftproof.knowledge.loading import load_cues, load_injections, load_purposes, load_rubric, load_scoring
from tests.fakes.documents import ROOT

_KNOWLEDGE = ROOT / "knowledge"


def _text(name: str) -> str:
    return (_KNOWLEDGE / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def rubric() -> Rubric:
    """Return the product's rubric."""
    files = sorted((_KNOWLEDGE / "rubric").glob("*.yaml"))
    return load_rubric({str(path): path.read_text(encoding="utf-8") for path in files})


@lru_cache(maxsize=1)
def scoring() -> ScoringRule:
    """Return the product's scoring rule."""
    return load_scoring(_text("scoring.yaml"), "scoring.yaml")


@lru_cache(maxsize=1)
def cues() -> tuple[Cue, ...]:
    """Return the product's cues."""
    return load_cues(_text("cues.yaml"), "cues.yaml")


@lru_cache(maxsize=1)
def purposes() -> tuple[Purpose, ...]:
    """Return what a quantity may be about, as the product knows it."""
    return load_purposes(_text("purposes.yaml"), "purposes.yaml", (check.id for check in rubric()))


@lru_cache(maxsize=1)
def injections() -> tuple[InjectionRule, ...]:
    """Return the product's injection rules."""
    return load_injections(_text("injections.yaml"), "injections.yaml")
