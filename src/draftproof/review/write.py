"""
What a language model writes: on findings, on sections, and as summary.

Verdicts, severities and scores stand before it is asked. Each sentence names lines that were
shown; one that names none, or a number or a name that neither these lines nor the notes
hold, is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from draftproof.domain.asking import Answer, Effort, ModelRule, Question
from draftproof.domain.document import Document, Passage
from draftproof.domain.findings import Finding, Sentence, Severity, Verdict
from draftproof.domain.notes import Knowledge
from draftproof.domain.review import SUMMARY, Assessment
from draftproof.domain.rubric import SECTIONS, Rubric
from draftproof.review.asking import Asker
from draftproof.review.material import Material
from draftproof.review.ports import Progress
from draftproof.review.prompts import Prompt
from draftproof.review.sentences import sentence_on, sentence_schema
from draftproof.review.shown import (
    candidates,
    fenced,
    offered,
    opening,
    ranges,
    together,
    within,
)

_REMARK, _PARAGRAPH, _SUMMARY = "remark", "paragraph", "summary"
PROMPTS = (_REMARK, _PARAGRAPH, _SUMMARY)
_LONGEST_SENTENCE = 220
_MOST_SENTENCES = 3
_MOST_SUMMED_UP = 6
# Characters of lines, tried in turn until the model's window has room.
_ROOMS = (4800, 2400, 1200)
# What a sentence may not invent: numbers, and names as they stand in code and settings.
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"\w{2,}(?:[._]\w{2,})+|[a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*")


class WrittenSentence(BaseModel):
    """One sentence as the model gives it."""

    model_config = ConfigDict(extra="forbid")

    sentence: str
    lines: list[int]


class WrittenAnswer(BaseModel):
    """The form of an answer; a finding has the first three members, a paragraph the last."""

    model_config = ConfigDict(extra="forbid")

    comment: list[WrittenSentence] = []
    recommendation: list[WrittenSentence] = []
    alternative: list[WrittenSentence] = []
    sentences: list[WrittenSentence] = []


@dataclass(frozen=True, slots=True)
class Written:
    """
    The findings with what the model wrote.

    Args:
        findings:   In the rubric's order.
        paragraphs: On sections by their names, and the summary by :data:`SUMMARY`.
        unwritten:  How many pieces there was no time for.
        refused:    How many got no answer that can be used.
        dropped:    How many sentences were dropped.

    """

    findings: tuple[Finding, ...]
    paragraphs: Mapping[str, tuple[Sentence, ...]]
    unwritten: int = 0
    refused: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class _Piece:
    """
    One thing to write.

    Args:
        name:     Check id, section or :data:`SUMMARY`.
        question: How it is asked.
        lines:    Numbers of the lines that are shown.
        known:    All text that a sentence may take numbers and names from.

    """

    name: str
    question: Question
    lines: tuple[int, ...]
    known: str


@dataclass(frozen=True)
class Writer:
    """
    Has a language model write.

    Args:
        asker:     Who is asked.
        prompts:   How, by the names in :data:`PROMPTS`.
        knowledge: The notes.
        rule:      What is written with which effort.
        effort:    The effort.

    """

    asker: Asker
    prompts: Mapping[str, Prompt]
    knowledge: Knowledge
    rule: ModelRule
    effort: Effort = Effort.STANDARD

    def write(
        self,
        rubric: Rubric,
        findings: Sequence[Finding],
        assessment: Assessment,
        material: Material,
        progress: Progress,
    ) -> Written:
        """
        Return the findings and paragraphs with the model's sentences.

        Args:
            rubric:     The checks.
            findings:   With severities and advice.
            assessment: The grades, for the summary.
            material:   The design.
            progress:   Told what it takes and how far it is.

        """
        wanted = self.rule.writes.get(self.effort, ())
        pieces: list[_Piece] = []
        if "summary" in wanted:
            pieces += self._summary(rubric, findings, assessment, material)
        pieces += self._remarks(rubric, [f for f in findings if f.severity in wanted], material)
        if "sections" in wanted:
            pieces += self._paragraphs(rubric, findings, material)
        if not pieces:
            return Written(tuple(findings), {})
        answers = self.asker.ask(f"writes {len(pieces)} comments", [p.question for p in pieces], progress)
        unwritten = refused = dropped = 0
        said: dict[str, dict[str, tuple[Sentence, ...]]] = {}
        for piece, answer in zip(pieces, answers, strict=True):
            if answer is None:
                unwritten += 1
                continue
            parts = _parts(answer)
            if parts is None:
                refused += 1
                continue
            said[piece.name] = {k: tuple(_kept(v, piece, material.design)) for k, v in parts.items()}
            dropped += sum(len(v) - len(said[piece.name][k]) for k, v in parts.items())
        paragraphs = {name: parts["sentences"] for name, parts in said.items() if parts["sentences"]}
        return Written(
            tuple(_with(finding, said.get(finding.check_id)) for finding in findings),
            paragraphs,
            unwritten,
            refused,
            dropped,
        )

    def _remarks(self, rubric: Rubric, findings: Sequence[Finding], material: Material) -> Iterator[_Piece]:
        """Yield a piece for each finding, the hardest first; those over common lines side by side."""
        by_id = {f.check_id: f for f in sorted(findings, key=_hardness)}
        near = {name: candidates(rubric.by_id[name], finding, material) for name, finding in by_id.items()}
        for name, passages in together({name: own for name, own in near.items() if own}):
            finding, check = by_id[name], rubric.by_id[name]
            note = self.knowledge.notes.get(finding.note_id)
            advice = note.recommendation if note else ""
            ask = _Ask(
                name,
                _REMARK,
                {
                    "check": check,
                    "verdict": finding.verdict.value,
                    "comment": finding.comment,
                    "near": ranges(offered(near[name])),
                    "recommendation": finding.recommendation,
                    "advice": advice,
                },
                (check.question, finding.comment, finding.recommendation, note.text if note else ""),
                ("comment", "recommendation", *(("alternative",) if finding.verdict is Verdict.FLAWED else ())),
                1,
            )
            yield from self._fitting(ask, (passages, near[name]), material.design)

    def _paragraphs(self, rubric: Rubric, findings: Sequence[Finding], material: Material) -> Iterator[_Piece]:
        by_id = {finding.check_id: finding for finding in findings}
        for section in SECTIONS:
            own = [by_id[check.id] for check in rubric.of_section(section)]
            yield from self._told(section, _PARAGRAPH, own, rubric, material, {"section": section})

    def _summary(
        self, rubric: Rubric, findings: Sequence[Finding], assessment: Assessment, material: Material
    ) -> Iterator[_Piece]:
        hardest = sorted((f for f in findings if f.severity), key=_hardness)[:_MOST_SUMMED_UP]
        sound = sorted((f for f in findings if f.verdict is Verdict.MET), key=lambda f: -f.confidence)
        told = [*hardest, *sound[: _MOST_SUMMED_UP // 2]]
        yield from self._told(SUMMARY, _SUMMARY, told, rubric, material, {"overall": assessment.overall})

    def _told(
        self,
        name: str,
        prompt: str,
        findings: Sequence[Finding],
        rubric: Rubric,
        material: Material,
        values: Mapping[str, Any],
    ) -> Iterator[_Piece]:
        """Yield the piece on several findings, where they rest on any lines."""
        points = [(rubric.by_id[f.check_id].title, f.verdict.value, f.comment) for f in findings]
        sources = [text for title, _, comment in points for text in (title, comment)]
        ask = _Ask(name, prompt, {**values, "points": points}, sources, ("sentences",), _MOST_SENTENCES)
        cited = _cited(findings, material)
        choices = [sorted(within(cited, room), key=lambda p: p.number) for room in _ROOMS]
        yield from self._fitting(ask, choices, material.design)

    def _fitting(self, ask: _Ask, choices: Sequence[Sequence[Passage]], design: Document) -> Iterator[_Piece]:
        """Yield the piece over the first choice of passages that the model's window has room for, or over the last."""
        prompt = self.prompts[ask.prompt]
        piece = None
        for passages in choices:
            if not passages:
                continue
            lines = offered(passages)
            shown = {"title": design.title, "lines": fenced(passages, design)}
            system, text = prompt.rendered({**shown, **ask.values})
            form = schema(lines, ask.members, ask.most)
            question = Question(system, text, form, prompt.most, opening=opening(text))
            known = [*ask.sources, *(design.lines[number - 1] for number in lines)]
            piece = _Piece(ask.name, question, lines, "\n".join(known))
            if self.asker.model.fits(question):
                break
        if piece:
            yield piece


@dataclass(frozen=True, slots=True)
class _Ask:
    """
    What is asked for, whatever lines are shown with it.

    Args:
        name:    Check id, section or :data:`SUMMARY`.
        prompt:  Name of the prompt.
        values:  Of its variables, the title and the lines apart.
        sources: Texts that a sentence may take numbers and names from, beside the lines.
        members: Of the answer.
        most:    Sentences in each.

    """

    name: str
    prompt: str
    values: Mapping[str, Any]
    sources: Sequence[str]
    members: Sequence[str]
    most: int


def schema(lines: Sequence[int], members: Sequence[str], most: int) -> dict[str, Any]:
    """Return the JSON Schema of sentences that each name some of these lines."""
    array = {"type": "array", "maxItems": most, "items": sentence_schema("sentence", lines, _LONGEST_SENTENCE)}
    return {
        "type": "object",
        "properties": dict.fromkeys(members, array),
        "required": list(members),
        "additionalProperties": False,
    }


def invented(sentence: str, known: str) -> list[str]:
    """
    Return the numbers and names of a sentence that its sources do not hold.

    Args:
        sentence: The sentence.
        known:    Its sources: lines, notes, and the numbers of the lines that it names.

    """
    numbers = set(_NUMBER.findall(known))
    lower = known.casefold()
    found = [number for number in _NUMBER.findall(sentence) if number not in numbers]
    return found + [name for name in _NAME.findall(sentence) if name.casefold() not in lower]


def _parts(answer: Answer) -> dict[str, list[WrittenSentence]] | None:
    if answer.error:
        return None
    try:
        said = WrittenAnswer.model_validate_json(answer.text)
    except ValidationError:
        return None
    return {name: getattr(said, name) for name in WrittenAnswer.model_fields}


def _kept(sentences: Sequence[WrittenSentence], piece: _Piece, design: Document) -> Iterator[Sentence]:
    before: set[str] = set()
    for said in sentences:
        kept = sentence_on(said.sentence, said.lines, piece.lines, design)
        if kept is None or not kept.text or kept.text in before:
            continue
        if invented(kept.text, f"{piece.known} {' '.join(map(str, said.lines))}"):
            continue
        before.add(kept.text)
        yield kept


def _with(finding: Finding, parts: Mapping[str, tuple[Sentence, ...]] | None) -> Finding:
    if not parts:
        return finding
    return replace(
        finding, remarks=parts["comment"], proposals=parts["recommendation"], alternatives=parts["alternative"]
    )


def _hardness(finding: Finding) -> tuple[int, float]:
    return (finding.severity.rank if finding.severity else len(Severity), -finding.confidence)


def _cited(findings: Sequence[Finding], material: Material) -> list[Passage]:
    """Return the passages that findings rest on, in the order of the findings."""
    spans = [e.span for f in findings for e in f.evidence]
    spans += [f.nearest.evidence.span for f in findings if f.nearest and not f.evidence]
    return list({p.number: p for span in spans for p in material.passages if p.span.overlaps(span)}.values())
