"""
A language model's second opinion on the checks that the judge is unsure of.

Each check is one closed question over its candidate lines, numbered as in the document. The
model names lines and one of five verdicts; its word is weighed with the judge's by
probability, and a parsed fact or a user's own exemplar is not up for a vote.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from draftproof.domain.asking import Answer, Effort, ModelRule, Question
from draftproof.domain.document import Document, Passage
from draftproof.domain.findings import Basis, Finding, Source, Verdict
from draftproof.domain.notes import Exemplar, Knowledge
from draftproof.domain.rubric import Check, Rubric
from draftproof.review.advice import choose_note
from draftproof.review.asking import Asker
from draftproof.review.material import Material
from draftproof.review.ports import Progress
from draftproof.review.prompts import Prompt
from draftproof.review.sentences import cited_schema, evidence_on, plain_sentence
from draftproof.review.shown import (
    candidates,
    fenced,
    offered,
    opening,
    outline,
    ranges,
    shortened,
    together,
)

# ``missing`` begins like ``met``; every word of the answer begins with a letter of its own.
WORDS: Mapping[str, Verdict] = {
    "met": Verdict.MET,
    "partial": Verdict.PARTIAL,
    "absent": Verdict.MISSING,
    "flawed": Verdict.FLAWED,
    "not_applicable": Verdict.NOT_APPLICABLE,
}
_LONGEST_EXAMPLE = 90
_LONGEST_RATIONALE = 220
_MOST_FLAWS = 1
_EXPLAINED = ("met", "partial", "flawed")
_SUREST = 1e-4


class AdjudicationAnswer(BaseModel):
    """The form of an answer; the schema that decodes it also names the lines that were shown."""

    model_config = ConfigDict(extra="forbid")

    rationale: str
    lines: list[int]
    verdict: Literal["met", "partial", "absent", "flawed", "not_applicable"]


@dataclass(frozen=True, slots=True)
class Opinion:
    """
    What the model said of one check.

    Args:
        verdict:       Its verdict.
        rationale:     One sentence.
        lines:         Lines of the design that it names.
        probabilities: Of each verdict.

    """

    verdict: Verdict
    rationale: str
    lines: tuple[int, ...]
    probabilities: Mapping[Verdict, float]


@dataclass(frozen=True, slots=True)
class Adjudication:
    """
    The findings after the model was asked.

    Args:
        findings: By check id.
        asked:    Ids of the checks that it answered.
        refused:  Ids without an answer, with the reason.
        unasked:  Ids for which there was no time.
        opinions: What the model said, by check id.

    """

    findings: Mapping[str, Finding]
    asked: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    unasked: tuple[str, ...] = ()
    opinions: Mapping[str, Opinion] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckQuestion:
    """
    What is asked about a check.

    Args:
        check_id: The check.
        question: The question.
        lines:    Numbers of the lines that are shown with it.

    """

    check_id: str
    question: Question
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Adjudicator:
    """
    Asks a model about checks.

    Args:
        asker:     Who is asked.
        prompt:    How.
        knowledge: The notes.
        rule:      How its word is weighed.
        effort:    Which checks are asked about.

    """

    asker: Asker
    prompt: Prompt
    knowledge: Knowledge
    rule: ModelRule
    effort: Effort = Effort.STANDARD

    def adjudicate(
        self, rubric: Rubric, findings: Mapping[str, Finding], material: Material, progress: Progress
    ) -> Adjudication:
        """
        Return the findings with the model's word weighed in.

        Args:
            rubric:   The checks.
            findings: The judge's, by check id.
            material: What they rest on.
            progress: Told what it takes and how far it is.

        """
        chosen = self._chosen(findings)
        changed: dict[str, Finding] = dict(findings)
        asked: list[str] = []
        refused: dict[str, str] = {}
        opinions: dict[str, Opinion] = {}
        unasked: list[str] = []
        questions = list(self.questions([rubric.by_id[name] for name in chosen], findings, material))
        topic = f"is asked about {len(questions)} checks"
        answers = self.asker.ask(topic, [one.question for one in questions], progress)
        for asking, answer in zip(questions, answers, strict=True):
            name = asking.check_id
            if answer is None:
                unasked.append(name)
                continue
            opinion = self._opinion(answer, asking.lines)
            if isinstance(opinion, str):
                refused[name] = opinion
                continue
            asked.append(name)
            opinions[name] = opinion
            changed[name] = weighed(findings[name], opinion, self.rule.share, material.design, self.asker.model.name)
        return Adjudication(changed, tuple(asked), refused, tuple(unasked), opinions)

    def questions(
        self, checks: Sequence[Check], findings: Mapping[str, Finding], material: Material
    ) -> Iterator[CheckQuestion]:
        """
        Yield the questions about checks; those that rest on common lines follow each other and share their prompt.

        Args:
            checks:   Those to ask about, the most doubtful first.
            findings: The judge's, by check id.
            material: What they rest on.

        """
        near = {check.id: candidates(check, findings[check.id], material) for check in checks}
        by_id = {check.id: check for check in checks}
        for name, common in together(near):
            passages = common
            question = self.question(by_id[name], passages, near[name], material)
            if not self.asker.model.fits(question):
                passages = near[name]
                question = self.question(by_id[name], passages, passages, material)
            yield CheckQuestion(name, question, offered(passages))

    def question(
        self, check: Check, passages: Sequence[Passage], near: Sequence[Passage], material: Material
    ) -> Question:
        """
        Return the question about a check.

        Args:
            check:    The check.
            passages: Those that are shown, in the document's order.
            near:     Those of them that may answer this check.
            material: What they are taken from.

        """
        good, bad = _examples(check, near, material)
        note = choose_note(check, self.knowledge, (), check.question, material.parts.foreign)
        system, text = self.prompt.rendered(
            {
                "title": material.design.title,
                "outline": outline(material.design),
                "check": check,
                "aspects": [aspect.name for aspect in check.aspects],
                "flaws": [flaw.why for flaw in check.flaws[:_MOST_FLAWS]],
                "verdicts": [
                    (word, check.verdicts[WORDS[word]]) for word in _EXPLAINED if check.verdicts.get(WORDS[word])
                ],
                "lines": fenced(passages, material.design),
                "near": ranges(offered(near)) if len(near) < len(passages) else "",
                "advice": note.recommendation if note else "",
                "good": _example(good),
                "bad": _example(bad),
            }
        )
        return Question(
            system, text, schema(offered(passages)), self.prompt.most, "verdict", tuple(WORDS), opening(text)
        )

    def _chosen(self, findings: Mapping[str, Finding]) -> list[str]:
        """Return the checks to ask about, the most doubtful first."""
        limit = self.rule.ask_below[self.effort]
        open_ = [f for f in findings.values() if f.confidence < limit and not settled(f)]
        return [f.check_id for f in sorted(open_, key=lambda f: (f.confidence, f.check_id))]

    def _opinion(self, answer: Answer, shown: Sequence[int]) -> Opinion | str:
        if answer.error:
            return answer.error
        try:
            said = AdjudicationAnswer.model_validate_json(answer.text)
        except ValidationError:
            return "the answer does not have the form asked for"
        if not set(said.lines) <= set(shown):
            return "the answer names lines that were not shown"
        verdict = WORDS[said.verdict]
        if verdict in (Verdict.MET, Verdict.PARTIAL, Verdict.FLAWED) and not said.lines:
            return f"the answer says {verdict.value} and names no line"
        told = {WORDS[word]: p for word, p in answer.probabilities.items()}
        if not told:
            rest = (1 - self.rule.told) / (len(WORDS) - 1)
            told = {v: self.rule.told if v is verdict else rest for v in WORDS.values()}
        return Opinion(verdict, plain_sentence(said.rationale), tuple(dict.fromkeys(said.lines)), told)


def settled(finding: Finding) -> bool:
    """Return whether a verdict rests on a parsed fact or a user's own word, or on the absence of a whole part."""
    return finding.verdict is Verdict.NOT_APPLICABLE or any(
        basis.source is Source.FACT or basis.statement.startswith("your own exemplar") for basis in finding.basis
    )


def weighed(finding: Finding, opinion: Opinion, share: float, design: Document, name: str) -> Finding:
    """
    Return the finding with a model's opinion weighed in.

    The probabilities are pooled geometrically, ``judge ** (1 - share) * model ** share``, and
    the likeliest verdict is taken.

    Args:
        finding: The judge's.
        opinion: The model's.
        share:   The model's weight, 0 to 1.
        design:  For quotations.
        name:    The model's name.

    """
    pooled = {
        verdict: math.exp(
            (1 - share) * math.log(max(finding.probabilities.get(verdict, 0.0), _SUREST))
            + share * math.log(max(opinion.probabilities.get(verdict, 0.0), _SUREST))
        )
        for verdict in Verdict
    }
    whole = sum(pooled.values())
    probabilities = {verdict: round(p / whole, 4) for verdict, p in pooled.items()}
    order = (Verdict.FLAWED, Verdict.MISSING, Verdict.PARTIAL, Verdict.MET, Verdict.NOT_APPLICABLE)
    verdict = max(order, key=lambda v: probabilities[v])
    cited = ", ".join(map(str, opinion.lines))
    said = Basis(Source.MODEL, f"{name} says {opinion.verdict.value}" + (f", of line {cited}" if cited else ""))
    changed = replace(
        finding,
        verdict=verdict,
        confidence=round(probabilities[verdict], 3),
        probabilities=probabilities,
        basis=(*finding.basis, said),
    )
    if verdict is finding.verdict:
        return changed
    evidence = evidence_on(opinion.lines, design)
    if verdict is opinion.verdict:
        comment = opinion.rationale if not cited else f"{opinion.rationale.rstrip('.')} (line {cited})."
    else:
        comment = "What was found leaves this open."
    return replace(
        changed,
        evidence=evidence if verdict is not Verdict.MISSING else (),
        comment=comment if verdict is not Verdict.MISSING else "Not found in the design.",
        nearest=None,
        rules=(),
    )


def schema(lines: Sequence[int]) -> dict[str, Any]:
    """Return the JSON Schema of an answer that may name these lines."""
    array = cited_schema(lines) if lines else {"type": "array", "maxItems": 0}
    return {
        "type": "object",
        "properties": {
            "rationale": {"type": "string", "minLength": 10, "maxLength": _LONGEST_RATIONALE},
            "lines": array,
            "verdict": {"enum": list(WORDS)},
        },
        "required": ["rationale", "lines", "verdict"],
        "additionalProperties": False,
    }


def _example(exemplar: Exemplar | None) -> str:
    """Return the beginning of an exemplar in one line."""
    return shortened(" ".join(exemplar.text.split()), _LONGEST_EXAMPLE) if exemplar else ""


def _examples(check: Check, passages: Sequence[Passage], material: Material) -> tuple[Exemplar | None, Exemplar | None]:
    """Return the exemplars of either side that come nearest to the candidates."""
    import numpy as np

    similarity = material.exemplar_similarity
    if similarity is None or material.exemplars is None or not passages:
        return None, None
    place = {passage.number: row for row, passage in enumerate(material.passages)}
    nearness = similarity[[place[p.number] for p in passages]].max(axis=0)
    found: list[Exemplar | None] = []
    for labels in (("met",), ("partial", "flawed", "decoy")):
        rows = [
            material.exemplars.rows[check.id, label] for label in labels if (check.id, label) in material.exemplars.rows
        ]
        if not rows:
            found.append(None)
            continue
        joined = np.concatenate(rows)
        found.append(material.exemplars.exemplars[int(joined[nearness[joined].argmax()])])
    return found[0], found[1]
