"""Texts of data files to values. Reading the files is an adapter's business."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from draftproof.documents.cues import Cue
from draftproof.documents.injection import InjectionRule
from draftproof.documents.quantities import Purpose
from draftproof.domain.asking import ModelRule
from draftproof.domain.findings import Verdict
from draftproof.domain.notes import Exemplar, Note
from draftproof.domain.rubric import SECTIONS, Aspect, Check, FlawRule, Part, Rubric
from draftproof.domain.scoring import GradeRule, ScoreRule, ScoringRule
from draftproof.domain.severity import Context, SeverityRule
from draftproof.errors import DataError
from draftproof.facts.rules import FactRule, check_rule
from draftproof.facts.settings import SettingRule, name_pattern, phrase_pattern
from draftproof.knowledge.shapes import (
    AspectShape,
    CheckShape,
    CuesShape,
    ExemplarShape,
    FactRulesShape,
    FlawShape,
    InjectionsShape,
    NoteShape,
    PartsShape,
    PurposesShape,
    RubricFileShape,
    ScoringShape,
    SettingsShape,
    SeverityShape,
    each,
    front_matter,
    joined,
    joined_folded,
    load_yaml,
    validated,
)

# What may stand between "no" and the thing that is refused.
_FEW_WORDS = r"(?:[^\S\n]+[\w'/-]+){0,3}\W{0,4}\Z"


def load_rubric(files: Mapping[str, str]) -> Rubric:
    """
    Return the rubric.

    Args:
        files: Text of each file by its path.

    Raises:
        DataError: A file is malformed, a section is unknown, or an id stands twice.

    """
    checks: list[Check] = []
    for place, text in files.items():
        shape = validated(RubricFileShape, load_yaml(text, place), place)
        if shape.section not in SECTIONS:
            raise DataError(f"{place}: the report has no section {shape.section!r}.")
        checks.extend(_check(item, shape.section, place) for item in shape.checks)
    _refuse_twins([check.id for check in checks], "check")
    _refuse_twins([flaw.id for check in checks for flaw in check.flaws], "flaw")
    checks.sort(key=lambda check: SECTIONS.index(check.section))
    return Rubric(tuple(checks))


def _check(shape: CheckShape, section: str, place: str) -> Check:
    where = f"{place}: {shape.id}"
    _refuse_twins([aspect.id for aspect in shape.aspects], f"aspect of {shape.id}")
    return Check(
        id=shape.id,
        title=shape.title,
        section=section,
        criterion=shape.criterion,
        readiness_item=shape.readiness_item,
        question=shape.question.strip(),
        verdicts=shape.verdicts,
        severity=shape.severity,
        queries=tuple(shape.queries),
        aspects=tuple(_aspect(aspect, where) for aspect in shape.aspects),
        flaws=tuple(_flaw(flaw, where) for flaw in shape.flaws),
        needs=shape.needs,
        by_absence=shape.by_absence,
    )


def _aspect(shape: AspectShape, where: str) -> Aspect:
    place = f"{where}: aspect {shape.id}"
    return Aspect(
        id=shape.id,
        name=shape.name,
        weight=shape.weight,
        patterns=joined_folded(shape.patterns, place),
        context=joined(shape.context, place) if shape.context else None,
        advice=shape.advice.strip(),
        unless=joined(shape.unless, place) if shape.unless else None,
        without={part: advice.strip() for part, advice in shape.without.items()},
    )


def _flaw(shape: FlawShape, where: str) -> FlawRule:
    place = f"{where}: flaw {shape.id}"
    return FlawRule(
        id=shape.id,
        patterns=joined_folded(shape.patterns, place),
        all=each(shape.all, place),
        unless=joined(shape.unless, place) if shape.unless else None,
        document=each(shape.document, place),
        absent=joined(shape.absent, place) if shape.absent else None,
        why=shape.why.strip(),
        fix=shape.fix.strip(),
    )


def load_cues(text: str, place: str) -> tuple[Cue, ...]:
    """Return the wordings that take back what a passage names."""
    shape = validated(CuesShape, load_yaml(text, place), place)
    return tuple(
        Cue(
            cue.id,
            cue.reason,
            joined(cue.patterns, f"{place}: {cue.id}") if cue.patterns else None,
            joined([f"(?:{p}){_FEW_WORDS}" for p in cue.before], f"{place}: {cue.id}") if cue.before else None,
            joined(cue.headings, f"{place}: {cue.id}") if cue.headings else None,
            joined(cue.code, f"{place}: {cue.id}") if cue.code else None,
            tuple(cue.not_for),
        )
        for cue in shape.cues
    )


def load_purposes(text: str, place: str, check_ids: Iterable[str]) -> tuple[Purpose, ...]:
    """Return what a quantity may be about; each may name one of the checks."""
    shape = validated(PurposesShape, load_yaml(text, place), place)
    _refuse_twins([item.id for item in shape.purposes], "purpose")
    unknown = {item.check for item in shape.purposes if item.check} - set(check_ids)
    if unknown:
        raise DataError(f"{place}: the rubric has no check {', '.join(sorted(unknown))}.")
    return tuple(Purpose(item.id, joined(item.patterns, f"{place}: {item.id}"), item.check) for item in shape.purposes)


def load_parts(text: str, place: str, named: Iterable[str] = ()) -> tuple[Part, ...]:
    """Return the parts that a system may lack; those that the rubric names have to be among them."""
    shape = validated(PartsShape, load_yaml(text, place), place)
    wanted = {*named, *(part.kind_of for part in shape.parts if part.kind_of)}
    unknown = wanted - {part.id for part in shape.parts}
    if unknown:
        raise DataError(f"{place}: parts are named that are not here: {', '.join(sorted(unknown))}.")
    return tuple(
        Part(
            part.id,
            part.name,
            part.least,
            joined_folded(part.patterns, f"{place}: {part.id}"),
            joined_folded(part.rivals, f"{place}: {part.id}") if part.rivals else None,
            part.kind_of,
            frozenset(part.technologies),
        )
        for part in shape.parts
    )


def load_settings_named(text: str, place: str) -> tuple[SettingRule, ...]:
    """Return how settings and measures are found."""
    shape = validated(SettingsShape, load_yaml(text, place), place)
    _refuse_twins([item.name for item in shape.settings], "setting")
    return tuple(
        SettingRule(
            item.name,
            item.unit,
            name_pattern(item.names) if item.names else None,
            tuple(phrase_pattern(phrase) for phrase in item.phrases),
        )
        for item in shape.settings
    )


def load_severity(text: str, place: str, check_ids: Iterable[str]) -> SeverityRule:
    """
    Return how what is at stake shifts severities.

    Raises:
        DataError: The file is malformed or names an unknown check.

    """
    shape = validated(SeverityShape, load_yaml(text, place), place)
    unknown = sorted({name for context in shape.contexts for name in context.harder} - set(check_ids))
    if unknown:
        raise DataError(f"{place}: the rubric has no check {', '.join(unknown)}.")
    return SeverityRule(
        tuple(
            Context(c.id, c.name, c.least, joined(c.patterns, f"{place}: {c.id}"), frozenset(c.harder))
            for c in shape.contexts
        ),
        {start: severity for severity, starts in shape.at_most.items() for start in starts},
    )


def load_fact_rules(files: Mapping[str, str], check_ids: Iterable[str]) -> tuple[FactRule, ...]:
    """
    Return the rules over facts, in the order of their files.

    Raises:
        DataError: A file is malformed, a rule names an unknown check, an expression cannot be
            read, or a defect comes without what breaks and what mends it.

    """
    known = set(check_ids)
    found: list[FactRule] = []
    for place, text in files.items():
        for shape in validated(FactRulesShape, load_yaml(text, place), place).rules:
            where = f"{place}: {shape.id}"
            if shape.check not in known:
                raise DataError(f"{where}: the rubric has no check {shape.check}.")
            if shape.verdict != "met" and not (shape.breaks and shape.fix):
                raise DataError(f"{where}: a defect needs 'breaks' and 'fix'.")
            rule = FactRule(
                id=shape.id,
                check=shape.check,
                verdict=Verdict(shape.verdict),
                binds=shape.binds,
                when=shape.when.strip(),
                says=shape.says.strip(),
                breaks=shape.breaks.strip(),
                fix=shape.fix.strip(),
                contradicts=shape.contradicts,
            )
            fault = check_rule(rule)
            if fault:
                raise DataError(f"{where}: {fault}.")
            found.append(rule)
    _refuse_twins([rule.id for rule in found], "fact rule")
    return tuple(found)


def load_injections(text: str, place: str) -> tuple[InjectionRule, ...]:
    """Return the wordings that address the reviewer."""
    shape = validated(InjectionsShape, load_yaml(text, place), place)
    return tuple(
        InjectionRule(rule.id, rule.reason, joined(rule.patterns, f"{place}: {rule.id}")) for rule in shape.injections
    )


def load_notes(files: Iterable[tuple[str, str]], check_ids: Iterable[str]) -> dict[str, Note]:
    """
    Return the notes by id; a later file overrides an earlier one of the same id.

    Args:
        files:     Pairs of path and text.
        check_ids: The ids of the rubric.

    """
    known = set(check_ids)
    notes: dict[str, Note] = {}
    for place, text in files:
        data, body, _ = front_matter(text, place)
        data = {**data, "reviewed": str(data.get("reviewed", ""))}
        shape = validated(NoteShape, data, place)
        unknown = sorted(set(shape.checks) - known)
        if unknown:
            raise DataError(f"{place}: the rubric has no check {', '.join(unknown)}.")
        notes[shape.id] = Note(
            id=shape.id,
            title=shape.title,
            checks=tuple(shape.checks),
            technologies=tuple(shape.technologies),
            versions=shape.versions,
            sources=tuple(f"{source.title} ({source.version})" for source in shape.sources),
            reviewed=shape.reviewed,
            recommendation=re.sub(r"\s+", " ", shape.recommendation).strip(),
            body=body,
            path=place,
            asked_as=tuple(shape.asked_as),
        )
    return dict(sorted(notes.items()))


def load_exemplars(files: Iterable[tuple[str, str]], check_ids: Iterable[str]) -> tuple[Exemplar, ...]:
    """
    Return the exemplars in order.

    Raises:
        DataError: A line is not JSON, lacks a member, or names an unknown check.

    """
    known = set(check_ids)
    found = []
    for place, text in files:
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            where = f"{place}:{number}"
            try:
                data = json.loads(line)
            except ValueError as error:
                raise DataError(f"{where}: not a line of JSON.") from error
            shape = validated(ExemplarShape, data, where)
            if shape.check not in known:
                raise DataError(f"{where}: the rubric has no check {shape.check}.")
            found.append(Exemplar(shape.check, shape.label, shape.form, shape.text, shape.why, shape.fix, shape.own))
    return tuple(found)


def _refuse_twins(ids: list[str], noun: str) -> None:
    twins = sorted({name for name in ids if ids.count(name) > 1})
    if twins:
        raise DataError(f"The {noun} {', '.join(twins)} is defined twice.")


def load_scoring(text: str, place: str) -> ScoringRule:
    """Return the rule by which verdicts become scores."""
    shape = validated(ScoringShape, load_yaml(text, place), place)
    for name, grades in (("overall", shape.overall), ("readiness", shape.readiness)):
        last = grades[-1]
        if (last.critical, last.completeness, last.soundness) != (None, None, None):
            raise DataError(f"{place}: {name}: the last grade must have no limits.")
    return ScoringRule(
        weights=shape.weights,
        scores={
            name: ScoreRule(part.title, part.about, tuple(part.criteria), part.credit)
            for name, part in shape.scores.items()
        },
        overall=[GradeRule(**grade.model_dump()) for grade in shape.overall],
        readiness=[GradeRule(**grade.model_dump()) for grade in shape.readiness],
        partial_share=shape.checklist.partial_share,
        second_look=shape.second_look,
        model=ModelRule(shape.model.share, shape.model.told, shape.model.ask_below, shape.model.writes),
    )
