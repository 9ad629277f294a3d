"""The shapes of the data files, validated with every fault of a file at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from draftproof.documents.lexical import folded_pattern
from draftproof.domain.asking import Effort
from draftproof.domain.findings import Severity, Verdict
from draftproof.errors import DataError

# The C loader is ten times as fast and not built everywhere.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


# Compiling takes most of the start-up time: it is done once, by `joined`.
Pattern = Annotated[str, Field(min_length=1)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:[-.][a-z0-9]+)*$")]


class Shape(BaseModel):
    """A part of a data file; an unknown member is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ShapeT = TypeVar("ShapeT", bound=Shape)


class AspectShape(Shape):
    """One thing that is looked for."""

    id: Identifier
    name: str
    weight: float = Field(ge=1, le=3)
    patterns: list[Pattern] = Field(min_length=1)
    context: list[Pattern] = []
    unless: list[Pattern] = []
    advice: str
    without: dict[str, str] = {}


class FlawShape(Shape):
    """One anti-pattern."""

    id: Identifier
    patterns: list[Pattern] = Field(min_length=1)
    all: list[Pattern] = []
    unless: list[Pattern] = []
    document: list[Pattern] = []
    absent: list[Pattern] = []
    why: str
    fix: str


class CheckShape(Shape):
    """One check."""

    id: str = Field(pattern=r"^[a-z]+\.[a-z0-9_]+$")
    title: str
    criterion: Literal["completeness", "soundness", "practices", "risk", "feasibility"]
    readiness_item: str | None
    question: str
    verdicts: dict[Verdict, str]
    severity: dict[Verdict, Severity]
    queries: list[str] = Field(min_length=1)
    aspects: list[AspectShape] = Field(min_length=1)
    flaws: list[FlawShape] = []
    needs: str | None = None
    by_absence: bool = False


class RubricFileShape(Shape):
    """A file of the rubric."""

    section: str
    checks: list[CheckShape] = Field(min_length=1)


class CueShape(Shape):
    """One wording that takes back."""

    id: Identifier
    reason: str
    patterns: list[Pattern] = []
    before: list[Pattern] = []
    code: list[Pattern] = []
    not_for: list[str] = []
    headings: list[Pattern] = []

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.patterns or self.code):
            raise ValueError("a cue needs patterns, or code")
        return self


class CuesShape(Shape):
    """``knowledge/cues.yaml``."""

    cues: list[CueShape]


class PurposeShape(Shape):
    """One thing that a value may be about."""

    id: Identifier
    patterns: list[Pattern] = Field(min_length=1)
    check: str = ""


class PurposesShape(Shape):
    """``knowledge/purposes.yaml``."""

    purposes: list[PurposeShape]


class FactRuleShape(Shape):
    """One rule over facts."""

    id: Identifier
    check: str
    verdict: Literal["flawed", "partial", "met"]
    binds: dict[str, str] = Field(min_length=1)
    when: str
    says: str
    breaks: str = ""
    fix: str = ""
    contradicts: bool = False


class FactRulesShape(Shape):
    """A file in ``knowledge/facts/``."""

    rules: list[FactRuleShape] = Field(min_length=1)


class SettingShape(Shape):
    """One setting or measure."""

    name: str = Field(pattern=r"^[a-z][a-z_]*$")
    unit: Literal["word", "count", "ms", "s", "percent", "claim"]
    names: list[str] = []
    phrases: list[Pattern] = []


class SettingsShape(Shape):
    """``knowledge/settings.yaml``."""

    settings: list[SettingShape] = Field(min_length=1)


class ContextShape(Shape):
    """Something that is at stake."""

    id: Identifier
    name: str
    least: int = Field(ge=1)
    patterns: list[Pattern] = Field(min_length=1)
    harder: list[str] = Field(min_length=1)


class SeverityShape(Shape):
    """``knowledge/severity.yaml``."""

    contexts: list[ContextShape]
    at_most: dict[Severity, list[str]] = {}


class PartShape(Shape):
    """One part that a system may lack."""

    id: Identifier
    name: str
    least: int = Field(ge=1)
    patterns: list[Pattern] = Field(min_length=1)
    rivals: list[Pattern] = []
    kind_of: str | None = None
    technologies: list[str] = []


class PartsShape(Shape):
    """``knowledge/parts.yaml``."""

    parts: list[PartShape]


class InjectionShape(Shape):
    """One way of addressing the reviewer."""

    id: Identifier
    reason: str
    patterns: list[Pattern] = Field(min_length=1)


class InjectionsShape(Shape):
    """``knowledge/injections.yaml``."""

    injections: list[InjectionShape]


class SourceShape(Shape):
    """Where a note has it from."""

    title: str
    version: str
    url: str | None = None


class NoteShape(Shape):
    """Front matter of a note."""

    id: Identifier
    title: str
    checks: list[str] = Field(min_length=1)
    technologies: list[str] = []
    versions: str
    sources: list[SourceShape] = Field(min_length=1)
    reviewed: str
    recommendation: str
    asked_as: list[str] = []


class ExemplarShape(Shape):
    """One line of an exemplar file."""

    check: str
    label: Literal["met", "partial", "flawed", "decoy", "neighbour"]
    form: str = "prose"
    text: str = Field(min_length=3)
    why: str
    fix: str = ""
    own: bool = False


def load_yaml(text: str, place: str) -> Any:
    """Return the parsed YAML, or raise a fault that names the file and line."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, chosen above
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{place}:{mark.line + 1}" if mark else place
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise DataError(f"{where}: not valid YAML, {problem}.") from error


def validated(shape: type[ShapeT], data: Any, place: str) -> ShapeT:
    """Return the data as a shape, or raise one error that lists all faults."""
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        faults = [
            f"{place}: {'.'.join(str(part) for part in fault['loc']) or 'file'}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        ]
        raise DataError("\n".join(faults)) from error


def joined(patterns: list[str], place: str) -> re.Pattern[str]:
    """Compile patterns as alternatives of one; several are faster together than apart."""
    try:
        return re.compile("|".join(f"(?:{p})" for p in patterns), re.IGNORECASE | re.MULTILINE)
    except re.error as error:
        raise DataError(f"{place}: not a regular expression: {error}.") from error


def joined_folded(patterns: list[str], place: str) -> re.Pattern[str]:
    """
    Compile patterns for folded text, which is a third faster than to disregard case.

    A pattern that minds the case somewhere keeps ``re.IGNORECASE`` and wants the text as it is.
    """
    if any("(?-i" in pattern for pattern in patterns):
        return joined(patterns, place)
    try:
        return re.compile("|".join(f"(?:{folded_pattern(p)})" for p in patterns), re.MULTILINE)
    except re.error as error:
        raise DataError(f"{place}: not a regular expression: {error}.") from error


def each(patterns: list[str], place: str) -> tuple[re.Pattern[str], ...]:
    """Compile patterns that must each match."""
    return tuple(joined([pattern], place) for pattern in patterns)


def front_matter(text: str, place: str) -> tuple[Mapping[str, Any], str, int]:
    """
    Split a Markdown file into its front matter and body.

    Returns:
        The front matter, the body, and the 1-based line on which the body starts.

    """
    match = re.match(r"^---\n(.*?)\n---\n", text, re.DOTALL)
    if not match:
        raise DataError(f"{place}:1: the front matter between two lines of --- is missing.")
    data = load_yaml(match.group(1), place)
    if not isinstance(data, dict):
        raise DataError(f"{place}:1: the front matter is not a mapping.")
    return data, text[match.end() :], text.count("\n", 0, match.end()) + 1


class ScoreRuleShape(Shape):
    """What one score counts."""

    title: str
    about: str
    criteria: list[str]
    credit: dict[Verdict, float]


class GradeRuleShape(Shape):
    """A grade and its limits."""

    grade: str
    critical: int | None = None
    completeness: float | None = None
    soundness: float | None = None


class ChecklistShape(Shape):
    """When a checklist line is ticked."""

    partial_share: float = Field(ge=0, le=1)


class ModelRuleShape(Shape):
    """How a language model's word is weighed."""

    share: float = Field(ge=0, le=1)
    told: float = Field(gt=0, lt=1)
    ask_below: dict[Effort, float] = Field(min_length=len(Effort), max_length=len(Effort))
    writes: dict[Effort, tuple[Literal["critical", "recommended", "suggested", "sections", "summary"], ...]] = Field(
        min_length=len(Effort), max_length=len(Effort)
    )


class ScoringShape(Shape):
    """``knowledge/scoring.yaml``."""

    weights: dict[Severity, float]
    scores: dict[Literal["completeness", "soundness", "section"], ScoreRuleShape]
    overall: list[GradeRuleShape] = Field(min_length=1)
    readiness: list[GradeRuleShape] = Field(min_length=1)
    checklist: ChecklistShape
    second_look: float = Field(ge=0, le=1)
    model: ModelRuleShape
