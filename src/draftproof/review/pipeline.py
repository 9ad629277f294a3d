"""The order of a review: prepare, judge, compare, advise, score."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from draftproof.documents.injection import InjectionRule, mark_injections
from draftproof.documents.quotes import is_verbatim
from draftproof.domain.document import Document, Requirements
from draftproof.domain.findings import (
    Evidence,
    Finding,
    Inconsistency,
    Injection,
    RequirementFinding,
    Sentence,
    Verdict,
)
from draftproof.domain.notes import Knowledge
from draftproof.domain.review import Assessment, InputRecord, Provenance, Review
from draftproof.domain.scoring import ScoringRule, assess
from draftproof.domain.severity import SeverityRule
from draftproof.errors import StoreError
from draftproof.review.adjudicate import Adjudication, Adjudicator
from draftproof.review.advice import all_fixes, with_advice
from draftproof.review.consistency import find_inconsistencies
from draftproof.review.coverage import RequirementReader, requirement_finding
from draftproof.review.explore import Explorer
from draftproof.review.judge import LinearModel, contradicted, covered
from draftproof.review.material import Material
from draftproof.review.ports import Clock, Judge, NoteIndex, Progress, Silence
from draftproof.review.prepare import Reference, prepare
from draftproof.review.write import Writer, Written

_NOTES_FOR_A_CHECK = 20
# The two checks that the comparison with the requirements speaks to.
COVERAGE_CHECK = "br.functional_coverage"
CLARITY_CHECK = "br.clarity"


@dataclass(frozen=True)
class Reviewer:
    """
    Reviews documents with what it was given; holds no state of its own.

    Args:
        reference:          What is known before a document is read.
        judge:              Gives the verdicts.
        requirement_model:  Weighs the signals of a requirement.
        knowledge:          The notes.
        note_index:         Called when notes are looked up by meaning; ``None`` without
                            an embedder.
        injections:         Wordings that address the reviewer.
        scoring:            The rule by which verdicts become numbers.
        severity:           How what is at stake shifts severities.
        names:              ``version``, ``embedder`` and ``knowledge`` for the provenance.
        tokens_read:        Called for the tokens that the embedder has read.
        connections_refused: Called for how many connections the guard has refused.
        bytes_sent:         Called for how many bytes have left the machine.
        adjudicator:        Asks a language model about checks, where there is one.
        explorer:           Asks it about sections, where that is wanted.
        writer:             Has it write, where that is wanted.
        tokens_written:     Called for the tokens that language models have written.
        clock:              Tells the time.

    """

    reference: Reference
    judge: Judge
    requirement_model: LinearModel
    knowledge: Knowledge
    note_index: Callable[[], NoteIndex | None]
    injections: Sequence[InjectionRule]
    scoring: ScoringRule
    severity: SeverityRule
    names: Mapping[str, str]
    tokens_read: Callable[[], Mapping[str, int]]
    connections_refused: Callable[[], int]
    bytes_sent: Callable[[], int]
    adjudicator: Adjudicator | None = None
    explorer: Explorer | None = None
    writer: Writer | None = None
    tokens_written: Callable[[], Mapping[str, int]] = dict
    clock: Clock = time.perf_counter

    def review(
        self,
        design: Document,
        requirements: Requirements | None,
        progress: Progress | None = None,
        notices: Sequence[str] = (),
    ) -> Review:
        """
        Return the whole review of a design.

        Args:
            design:       The design as it was read.
            requirements: Its requirements, or ``None``.
            progress:     Told what is being done.
            notices:      What a reader should know beforehand.

        """
        progress = progress or Silence()
        watch = _Watch(self.clock, progress)
        said: list[str] = []
        design, requirements, injections = self.marked(design, requirements)

        watch.start("Reading the design", len(design.evidence_passages))
        material = prepare(design, requirements, self.reference, progress.advance)
        watch.start("Judging 72 checks")
        inconsistencies = find_inconsistencies(material, self.reference.purposes)
        findings = with_clashes(self.judge.judge(self.reference.rubric, material), inconsistencies)
        second = self._adjudicated(findings, material, watch, progress)
        changed = tuple(n for n in second.asked if second.findings[n].verdict is not findings[n].verdict)
        findings = dict(second.findings)
        said.extend(model_notices(second))
        observations = self._observed(findings, material, watch, progress)
        watch.start("Comparing with the requirements")
        answered = with_contradictions(self._requirements(material, findings, inconsistencies), inconsistencies)
        findings = with_coverage(findings, answered)
        watch.start("Looking up best practice")
        ordered = with_open_points(self._advised(findings, material, said), answered, inconsistencies)
        watch.start("Scoring")
        assessment = assess(self.reference.rubric, ordered, self.scoring)
        written = self._written(ordered, assessment, material, watch, progress)
        said.extend(writing_notices(written))
        sentences = (*observations, *itertools.chain.from_iterable(written.paragraphs.values()))
        _prove(written.findings, answered, inconsistencies, injections, sentences, design, requirements)
        watch.stop()
        documents = [design] + ([requirements.document] if requirements else [])
        return Review(
            title=design.title,
            findings=written.findings,
            requirements=answered,
            inconsistencies=inconsistencies,
            injections=injections,
            assessment=assessment,
            provenance=Provenance(
                version=self.names["version"],
                judge=self.judge.name,
                embedder=self.names["embedder"],
                knowledge=self.names["knowledge"],
                inputs=tuple(InputRecord(d.name.value, d.path, d.sha256, len(d.lines)) for d in documents),
                seconds=watch.seconds,
                tokens_read=dict(self.tokens_read()),
                tokens_written=dict(self.tokens_written()),
                bytes_sent=self.bytes_sent(),
                connections_refused=self.connections_refused(),
                model=self.names.get("model", ""),
                prompts=self.names.get("prompts", ""),
                asked=second.asked,
                changed=changed,
            ),
            notices=(*notices, *said, *(notice for d in documents for notice in d.notices)),
            has_requirements=requirements is not None,
            observations=observations,
            paragraphs=written.paragraphs,
        )

    def marked(
        self, design: Document, requirements: Requirements | None
    ) -> tuple[Document, Requirements | None, tuple[Injection, ...]]:
        """Return the documents with what addresses the reviewer marked, and a finding for each such place."""
        design, found = mark_injections(design, self.injections)
        if requirements is None:
            return design, None, found
        document, more = mark_injections(requirements.document, self.injections)
        return design, replace(requirements, document=document), found + more

    def _adjudicated(
        self, findings: Mapping[str, Finding], material: Material, watch: _Watch, progress: Progress
    ) -> Adjudication:
        if self.adjudicator is None:
            return Adjudication(findings)
        watch.start("Asking the language model")
        return self.adjudicator.adjudicate(self.reference.rubric, findings, material, progress)

    def _observed(
        self, findings: Mapping[str, Finding], material: Material, watch: _Watch, progress: Progress
    ) -> tuple[Sentence, ...]:
        if self.explorer is None:
            return ()
        watch.start("Looking further")
        return self.explorer.explore(findings, material, progress)

    def _written(
        self,
        findings: tuple[Finding, ...],
        assessment: Assessment,
        material: Material,
        watch: _Watch,
        progress: Progress,
    ) -> Written:
        if self.writer is None:
            return Written(findings, {})
        watch.start("Writing")
        return self.writer.write(self.reference.rubric, findings, assessment, material, progress)

    def _requirements(
        self, material: Material, findings: Mapping[str, Finding], inconsistencies: Sequence[Inconsistency]
    ) -> tuple[RequirementFinding, ...]:
        if material.requirements is None:
            return ()
        reader = RequirementReader(
            material.requirements,
            material,
            self.reference.cues,
            {name: finding.probabilities for name, finding in findings.items()},
            {item.requirement_id for item in inconsistencies},
        )
        readings = reader.read()
        if not readings:
            return ()
        rows = self.requirement_model.probabilities(_stacked([r.signals for r in readings]))
        classes = [Verdict(name) for name in self.requirement_model.classes]
        return tuple(
            requirement_finding(
                reading,
                dict(zip(classes, map(float, row), strict=True)),
                material.design,
                material.requirements.document,
                material.passages,
            )
            for reading, row in zip(readings, rows, strict=True)
        )

    def _advised(self, findings: Mapping[str, Finding], material: Material, said: list[str]) -> tuple[Finding, ...]:
        rubric = self.reference.rubric
        fixes = all_fixes(rubric, self.reference.fact_rules)
        documents = [material.design, *([material.requirements.document] if material.requirements else [])]
        at_stake = self.severity.present([p.text for d in documents for p in d.evidence_passages])
        try:
            nearest = self._nearest_notes(findings, material)
        except StoreError as error:
            said.append(f"{error.message} Notes are chosen by their words alone. {error.hint}")
            nearest = {}
        return tuple(
            with_advice(
                self.severity.applied(findings[check.id], check, at_stake),
                check,
                self.knowledge,
                nearest.get(check.id, ()),
                fixes,
                material.parts,
            )
            for check in rubric
        )

    def _nearest_notes(self, findings: Mapping[str, Finding], material: Material) -> dict[str, list[tuple[str, float]]]:
        """Return the notes nearest to what is wrong, or to the question where no rule says what is."""
        index = self.note_index() if material.query_vectors else None
        if index is None:
            return {}
        flaws = self.reference.flaws or {}
        ids = [name for name in material.query_vectors if findings[name].verdict.is_defect]
        wanted = []
        for name in ids:
            fired = [flaws[rule] for rule in findings[name].rules if rule in flaws]
            wanted.append(fired[0] if fired else material.query_vectors[name][0])
        return dict(zip(ids, index.query(_stacked(wanted), _NOTES_FOR_A_CHECK), strict=True)) if ids else {}


def model_notices(second: Adjudication) -> list[str]:
    """Return in a line each what the language model was not asked, and what it did not answer."""
    notices = []
    if second.unasked:
        notices.append(
            f"The time was over before the language model was asked about {len(second.unasked)} checks: "
            f"{', '.join(second.unasked)}. The judge's verdicts stand."
        )
    if second.refused:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in second.refused.items())
        notices.append(f"The language model gave no usable answer on {len(second.refused)} checks ({reasons}).")
    return notices


def writing_notices(written: Written) -> list[str]:
    """Return in a line each what the language model did not write."""
    notices = []
    if written.unwritten:
        notices.append(
            f"The time was over before the language model wrote {written.unwritten} further comments; "
            "what the notes say stands."
        )
    if written.refused:
        notices.append(f"The language model gave no usable text for {written.refused} comments.")
    if written.dropped:
        notices.append(
            f"{written.dropped} sentences of the language model fell away, since they named no line that was shown, "
            "or a number or a name that stands neither there nor in the notes."
        )
    return notices


def with_clashes(findings: Mapping[str, Finding], inconsistencies: Sequence[Inconsistency]) -> dict[str, Finding]:
    """Return the findings with no check simply met that the design contradicts itself or its requirements on."""
    return {
        name: contradicted(finding, [i for i in inconsistencies if name in (CLARITY_CHECK, i.check_id)])
        for name, finding in findings.items()
    }


def with_contradictions(
    answered: Sequence[RequirementFinding], inconsistencies: Sequence[Inconsistency]
) -> tuple[RequirementFinding, ...]:
    """Return the findings with no requirement met that the design contradicts."""
    broken = {item.requirement_id: item for item in inconsistencies if item.requirement_id}
    return tuple(
        replace(
            finding,
            verdict=Verdict.PARTIAL,
            evidence=(broken[finding.requirement_id].evidence[0], *finding.evidence),
            comment=broken[finding.requirement_id].summary,
        )
        if finding.verdict is Verdict.MET and finding.requirement_id in broken
        else finding
        for finding in answered
    )


def with_coverage(findings: Mapping[str, Finding], answered: Sequence[RequirementFinding]) -> dict[str, Finding]:
    """Return the findings; that on coverage takes into account what was found of each requirement."""
    found = findings.get(COVERAGE_CHECK)
    return dict(findings) if found is None else {**findings, COVERAGE_CHECK: covered(found, answered)}


def with_open_points(
    findings: Sequence[Finding],
    answered: Sequence[RequirementFinding],
    inconsistencies: Sequence[Inconsistency],
) -> tuple[Finding, ...]:
    """Return the findings; those on coverage and clarity name the requirements and contradictions meant."""
    remarks: dict[str, str] = {}
    for verdict, words in ((Verdict.MISSING, "Not answered"), (Verdict.PARTIAL, "Answered in part")):
        ids = [item.requirement_id for item in answered if item.verdict is verdict]
        if ids:
            remarks[COVERAGE_CHECK] = f"{remarks.get(COVERAGE_CHECK, '')} {words}: {', '.join(ids)}."
    if inconsistencies:
        remarks[CLARITY_CHECK] = " ".join(item.summary for item in inconsistencies)
    return tuple(
        replace(finding, comment=f"{finding.comment} {remarks[finding.check_id].strip()}")
        if finding.check_id in remarks and finding.verdict.is_defect
        else finding
        for finding in findings
    )


def _stacked(rows: Sequence[Any]) -> Any:
    import numpy as np

    return np.array(rows)


def _prove(
    findings: Sequence[Finding],
    requirements: Sequence[RequirementFinding],
    inconsistencies: Sequence[Inconsistency],
    injections: Sequence[Injection],
    sentences: Sequence[Sentence],
    design: Document,
    documents: Requirements | None,
) -> None:
    """Refuse to go on with a quotation that does not stand in its document."""
    by_name = {design.name: design}
    if documents is not None:
        by_name[documents.document.name] = documents.document
    everything: list[Evidence] = [i.evidence for i in injections]
    for finding in findings:
        everything.extend(finding.evidence)
        everything.extend([finding.nearest.evidence] if finding.nearest else [])
        everything.extend(evidence for sentence in finding.written for evidence in sentence.evidence)
    for requirement in requirements:
        everything.extend((requirement.requirement, *requirement.evidence))
    for group in (inconsistencies, sentences):
        for item in group:
            everything.extend(item.evidence)
    for evidence in everything:
        if not is_verbatim(evidence, by_name[evidence.document]):
            raise AssertionError(f"not verbatim: {evidence.document} {evidence.span}")


class _Watch:
    """Times the stages, and tells the progress of each."""

    def __init__(self, clock: Clock, progress: Progress) -> None:
        self._clock, self._progress = clock, progress
        self.seconds: dict[str, float] = {}
        self._name = ""
        self._since = 0.0

    def start(self, name: str, total: int | None = None) -> None:
        self.stop()
        self._name, self._since = name, self._clock()
        self._progress.stage(name, total)

    def stop(self) -> None:
        if self._name:
            self.seconds[self._name] = round(self._clock() - self._since, 3)
