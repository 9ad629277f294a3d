"""
A language model looks for problems that no check covers, section by section.

What it names is kept only where it stands on lines that were shown and says nothing that a
finding says already. It changes no verdict and no score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from draftproof.documents.lexical import words
from draftproof.domain.asking import Answer, Question
from draftproof.domain.document import Document, Passage
from draftproof.domain.findings import Finding, Sentence
from draftproof.review.asking import Asker
from draftproof.review.material import Material
from draftproof.review.ports import Progress
from draftproof.review.prompts import Prompt
from draftproof.review.sentences import sentence_on, sentence_schema
from draftproof.review.shown import fenced, offered

_MOST_LINES = 40
_FEWEST_PASSAGES = 2
_MOST_PROBLEMS = 2
_LONGEST_PROBLEM = 240
_MOST_KNOWN = 6
# Of the words of a problem; beyond it a finding says the same.
_SAME_WORDS = 0.5


class Problem(BaseModel):
    """One problem as the model names it."""

    model_config = ConfigDict(extra="forbid")

    problem: str
    lines: list[int]


class ExplorationAnswer(BaseModel):
    """The form of an answer."""

    model_config = ConfigDict(extra="forbid")

    problems: list[Problem]


@dataclass(frozen=True)
class Explorer:
    """
    Asks a model about sections.

    Args:
        asker:  Who is asked.
        prompt: How.

    """

    asker: Asker
    prompt: Prompt

    def explore(self, findings: Mapping[str, Finding], material: Material, progress: Progress) -> tuple[Sentence, ...]:
        """
        Return what the model sees beyond the checks, in the document's order.

        Args:
            findings: What is known already.
            material: The design.
            progress: Told how many sections are done.

        """
        asked = [
            (part, question)
            for passages in shown_sections(material.passages)
            for part, question in self._fitting(passages, findings, material.design)
        ]
        sections, questions = [part for part, _ in asked], [question for _, question in asked]
        answers = self.asker.ask(f"looks through {len(sections)} sections", questions, progress)
        found: list[Sentence] = []
        for passages, answer in zip(sections, answers, strict=True):
            if answer is not None:
                found.extend(_kept(answer, passages, findings, material.design))
        return tuple(sorted(found, key=lambda o: o.evidence[0].span.first))

    def _fitting(
        self, passages: Sequence[Passage], findings: Mapping[str, Finding], design: Document
    ) -> Iterator[tuple[Sequence[Passage], Question]]:
        """Yield the question about a section, in halves where the model's window is too small for it."""
        question = self.question(passages, findings, design)
        if self.asker.model.fits(question) or len(passages) < 2 * _FEWEST_PASSAGES:
            yield passages, question
            return
        middle = len(passages) // 2
        for half in (passages[:middle], passages[middle:]):
            yield from self._fitting(half, findings, design)

    def question(self, passages: Sequence[Passage], findings: Mapping[str, Finding], design: Document) -> Question:
        """Return the question about a section."""
        first, last = passages[0].span.first, passages[-1].span.last
        known = [
            finding.comment
            for finding in findings.values()
            if finding.verdict.is_defect and any(first <= e.span.first <= last for e in finding.evidence)
        ]
        system, text = self.prompt.rendered(
            {
                "title": design.title,
                "section": passages[0].heading_path,
                "lines": fenced(passages, design),
                "known": known[:_MOST_KNOWN],
            }
        )
        return Question(system, text, schema(offered(passages)), self.prompt.most)


def shown_sections(passages: Sequence[Passage]) -> Iterator[list[Passage]]:
    """Yield the passages of each section of the second level, cut where they have too many lines."""
    for _, group in groupby(passages, key=lambda p: p.headings[:2]):
        piece: list[Passage] = []
        lines = 0
        for passage in group:
            count = passage.span.last - passage.span.first + 1
            if piece and lines + count > _MOST_LINES:
                yield piece
                piece, lines = [], 0
            piece.append(passage)
            lines += count
        if len(piece) >= _FEWEST_PASSAGES:
            yield piece


def schema(lines: Sequence[int]) -> dict[str, Any]:
    """Return the JSON Schema of an answer about these lines."""
    return {
        "type": "object",
        "properties": {
            "problems": {
                "type": "array",
                "maxItems": _MOST_PROBLEMS,
                "items": sentence_schema("problem", lines, _LONGEST_PROBLEM),
            }
        },
        "required": ["problems"],
        "additionalProperties": False,
    }


def _kept(
    answer: Answer, passages: Sequence[Passage], findings: Mapping[str, Finding], design: Document
) -> Iterator[Sentence]:
    try:
        said = ExplorationAnswer.model_validate_json(answer.text)
    except ValidationError:
        return
    for problem in said.problems[:_MOST_PROBLEMS]:
        seen = sentence_on(problem.problem, problem.lines, offered(passages), design)
        if seen and not _known(problem, findings):
            yield seen


def _known(problem: Problem, findings: Mapping[str, Finding]) -> bool:
    """Return whether a finding stands on the same lines as a defect, or says it in the same words."""
    own = set(words(problem.problem))
    for finding in findings.values():
        if not finding.verdict.is_defect:
            continue
        if any(e.span.first <= line <= e.span.last for e in finding.evidence for line in problem.lines):
            return True
        if own and len(own & set(words(finding.comment))) / len(own) > _SAME_WORDS:
            return True
    return False
