"""The report, in the specification's format: every heading, in its order, word for word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from draftproof.domain.findings import (
    Finding,
    RequirementFinding,
    Sentence,
    Severity,
    Verdict,
)
from draftproof.domain.notes import Note
from draftproof.domain.review import SUMMARY, Review
from draftproof.domain.rubric import SECTIONS, Check, Rubric
from draftproof.domain.scoring import ScoringRule, ticked
from draftproof.render.text import (
    cell,
    cited,
    count,
    first_paragraph,
    first_sentence,
    one_line,
    quoted,
    snippet,
    spoken,
    where,
)

# The last section, on risks, has a heading of its own.
REVIEW_SECTIONS = SECTIONS[:-1]
CHECKLIST = (
    "Business requirements clearly defined",
    "Architecture decisions justified",
    "Data model specified with migration strategy",
    "API contracts defined with Pydantic models",
    "Kafka topics and message schemas defined",
    "Event flow documented",
    "Consumer error handling strategy defined",
    "Testing strategy outlined (unit, integration, e2e)",
    "Security considerations addressed",
    "Monitoring and observability approach defined",
    "Docker Compose configuration planned",
    "CI/CD pipeline defined (pre-commit, pytest, Makefile)",
    "Deployment strategy specified",
    "Risk mitigation planned",
)
_MAX_STRENGTHS = 10
_MARKS = {
    Verdict.MET: "met",
    Verdict.PARTIAL: "partly there",
    Verdict.MISSING: "missing",
    Verdict.FLAWED: "flawed",
    Verdict.NOT_APPLICABLE: "not applicable",
}
_GROUPS = (
    (Severity.CRITICAL, "C", "## Critical Issues (Must Fix)"),
    (Severity.RECOMMENDED, "R", "## Recommendations (Should Fix)"),
    (Severity.SUGGESTED, "S", "## Suggestions (Could Fix)"),
)


def to_markdown(review: Review, rubric: Rubric, notes: dict[str, Note], rule: ScoringRule) -> str:
    """
    Return the whole report.

    Args:
        review: The review.
        rubric: For titles, questions and the order.
        notes:  By id, for sources and alternatives.
        rule:   For the checklist and the second look.

    """
    writer = _Report(review, rubric, notes, rule)
    return "\n".join(writer.lines()).rstrip() + "\n"


@dataclass
class _Report:
    review: Review
    rubric: Rubric
    notes: dict[str, Note]
    rule: ScoringRule

    def lines(self) -> Iterator[str]:
        """Yield the report line by line."""
        yield f"# Technical Design Review: {one_line(self.review.title)}"
        yield ""
        yield from self.summary()
        yield from self.strengths()
        for severity, _, heading in _GROUPS:
            yield from self.issues(severity, heading)
        yield "## Section-by-Section Review"
        yield ""
        for name in REVIEW_SECTIONS:
            yield from self.section(name)
        yield from self.missing_elements()
        yield from self.alternatives()
        yield from self.risks()
        yield from self.checklist()
        yield from self.next_steps()

    @cached_property
    def labels(self) -> dict[str, str]:
        """C1, R4, S2: the number of each finding with a severity, by check id."""
        return {
            finding.check_id: f"{letter}{number}"
            for severity, letter, _ in _GROUPS
            for number, finding in enumerate(self.of_severity(severity), start=1)
        }

    def of_severity(self, severity: Severity) -> list[Finding]:
        """Return the findings of a severity, heaviest and surest first."""
        order = {Verdict.FLAWED: 0, Verdict.MISSING: 1, Verdict.PARTIAL: 2}
        found = [f for f in self.review.findings if f.severity is severity]
        return sorted(
            found,
            key=lambda f: (-self.rule.weight(self.check(f)), order[f.verdict], -f.confidence),
        )

    def check(self, finding: Finding) -> Check:
        """Return the check of a finding."""
        return self.rubric.by_id[finding.check_id]

    # Summary and strengths

    def summary(self) -> Iterator[str]:
        assessment = self.review.assessment
        yield "## Review Summary"
        yield f"- **Overall Assessment**: {assessment.overall}"
        yield f"- **Completeness Score**: {assessment.completeness.value:g}/10"
        yield f"- **Technical Soundness Score**: {assessment.soundness.value:g}/10"
        yield f"- **Implementation Readiness**: {assessment.readiness}"
        yield ""
        yield self.counted()
        yield ""
        heaviest = self.of_severity(Severity.CRITICAL)[:3]
        if heaviest:
            names = "; ".join(
                f"{self.check(f).title} ({self.labels[f.check_id]}, {_MARKS[f.verdict]})" for f in heaviest
            )
            yield f"What weighs most: {names}."
            yield ""
        yield from self.by_model(self.review.paragraphs.get(SUMMARY, ()))
        for reason in assessment.reasons:
            yield f"- {reason}"
        if assessment.reasons:
            yield ""
        yield from self.second_look()
        for injection in self.review.injections:
            yield f"- **Text that addresses the reviewer** was found: {injection.reason}. It counts as no evidence."
            yield from quoted(injection.evidence, "  ")
        for notice in self.review.notices:
            yield f"- {notice}"
        if self.review.injections or self.review.notices:
            yield ""

    def counted(self) -> str:
        verdicts = Counter(f.verdict for f in self.review.findings)
        parts = ", ".join(f"{verdicts[v]} {_MARKS[v]}" for v in Verdict if verdicts[v])
        text = f"Of {len(self.review.findings)} checks, {parts}."
        if self.review.requirements:
            answered = Counter(r.verdict for r in self.review.requirements)
            text += (
                f" Of {len(self.review.requirements)} requirements, {answered[Verdict.MET]} answered, "
                f"{answered[Verdict.PARTIAL]} in part, {answered[Verdict.MISSING]} not."
            )
        if self.review.inconsistencies:
            text += f" {count(len(self.review.inconsistencies), 'contradiction')} found."
        return f"{text} Scores follow from the verdicts by a fixed rule; `draftproof explain` shows every lost point."

    def second_look(self) -> Iterator[str]:
        unsure = [f for f in self.review.findings if f.confidence < self.rule.second_look]
        if unsure:
            names = ", ".join(f"`{f.check_id}`" for f in unsure)
            yield (
                f"A person should look at {count(len(unsure), 'verdict')} with a confidence below "
                f"{self.rule.second_look:g}: {names}."
            )
            yield ""

    def strengths(self) -> Iterator[str]:
        yield "## Strengths"
        yield ""
        met = [f for f in self.review.findings if f.verdict is Verdict.MET and f.evidence]
        met.sort(key=lambda f: (-self.rule.weight(self.check(f)) * f.confidence, f.check_id))
        for finding in met[:_MAX_STRENGTHS]:
            yield f"- **{self.check(finding).title}** ({cited(finding.evidence)}). {finding.comment}"
            yield from quoted(finding.evidence[0], "  ")
        if not met:
            yield "No check of the rubric is met in full."
            yield ""

    # Issues

    def issues(self, severity: Severity, heading: str) -> Iterator[str]:
        yield heading
        yield ""
        found = self.of_severity(severity)
        shown: set[str] = set()
        for finding in found:
            yield from self.issue(finding, shown, with_example=severity is not Severity.SUGGESTED)
        if not found:
            yield "None."
            yield ""

    def issue(self, finding: Finding, shown: set[str], with_example: bool) -> Iterator[str]:
        check = self.check(finding)
        label = self.labels[finding.check_id]
        yield (
            f"**{label}. {check.title}: {_MARKS[finding.verdict]}** (`{check.id}`, confidence {finding.confidence:.2f})"
        )
        yield ""
        yield f"{finding.comment} {self.looked_for(finding)}".strip()
        yield ""
        yield from self.by_model(finding.remarks)
        for evidence in finding.evidence:
            yield from quoted(evidence, "")
        if not finding.evidence and finding.nearest:
            yield f"Nearest is {where(finding.nearest.evidence)}; it does not count: {finding.nearest.reason}."
            yield from quoted(finding.nearest.evidence, "")
        yield f"**Do:** {finding.recommendation}"
        yield ""
        yield from self.by_model(finding.proposals)
        note = self.notes.get(finding.note_id)
        if note is None:
            return
        if with_example and finding.example and note.id not in shown:
            shown.add(note.id)
            yield from finding.example.split("\n")
            yield ""
        yield f"Note: `{note.id}`, after {'; '.join(note.sources)}."
        yield ""

    def looked_for(self, finding: Finding) -> str:
        if finding.verdict is not Verdict.MISSING or not finding.lacking:
            return ""
        return f"Looked for: {'; '.join(finding.lacking)}."

    # Sections

    def section(self, name: str) -> Iterator[str]:
        yield f"### {name}"
        yield ""
        yield from self.section_body(name)
        yield ""
        if name == "Business Requirements":
            yield from self.requirement_table()
            yield from self.contradictions()

    def section_body(self, name: str) -> Iterator[str]:
        """Yield what a section comes to, and its verdicts."""
        findings = [self.review.by_check[check.id] for check in self.rubric.of_section(name)]
        yield self.section_summary(name, findings)
        yield ""
        yield from self.by_model(self.review.paragraphs.get(name, ()))
        yield from (self.verdict_line(finding) for finding in findings)

    def section_summary(self, name: str, findings: Sequence[Finding]) -> str:
        score = self.review.assessment.sections[name]
        defects = [f for f in findings if f.verdict.is_defect]
        if not defects:
            return f"**{score.value:g}/10.** Nothing to mend here; what stands is sound at the lines cited."
        worst = min(defects, key=lambda f: (f.severity.rank if f.severity else 9, -f.confidence))
        met = [self.check(f).title.lower() for f in findings if f.verdict is Verdict.MET]
        text = (
            f"**{score.value:g}/10.** {count(len(defects), 'point')} of {len(findings)} to work on; "
            f"first {self.check(worst).title} ({self.labels[worst.check_id]})."
        )
        return f"{text} Sound: {', '.join(met)}." if met else text

    def verdict_line(self, finding: Finding) -> str:
        check = self.check(finding)
        text = f"- **{check.title}**: {_MARKS[finding.verdict]}"
        label = self.labels.get(finding.check_id)
        if label:
            text += f" ({label}, {finding.severity})"
        text += f". {finding.comment}"
        if finding.evidence:
            text += f" {cited(finding.evidence).capitalize()}: {snippet(finding.evidence[0])}"
        if label and finding.recommendation:
            text += f" {first_sentence(finding.recommendation)}"
        return text

    def requirement_table(self) -> Iterator[str]:
        if not self.review.requirements:
            return
        yield "| Requirement | Lines | Verdict | Answered at | Remark |"
        yield "|---|---|---|---|---|"
        for item in self.review.requirements:
            yield self.requirement_row(item)
        yield ""

    def requirement_row(self, item: RequirementFinding) -> str:
        answered = ", ".join(str(e.span) for e in item.evidence) or "-"
        return (
            f"| {cell(item.requirement_id)} | {item.requirement.span} | {_MARKS[item.verdict]} "
            f"| {answered} | {cell(item.comment)} |"
        )

    def contradictions(self) -> Iterator[str]:
        for number, item in enumerate(self.review.inconsistencies, start=1):
            yield f"Contradiction {number}: {item.summary}"
            yield ""
            for evidence in item.evidence:
                yield from quoted(evidence, "")

    # What is left to do

    def missing_elements(self) -> Iterator[str]:
        yield "## Missing Elements"
        yield ""
        any_missing = False
        for finding in self.review.findings:
            if finding.verdict is Verdict.MISSING:
                any_missing = True
                looked = f" Looked for: {'; '.join(finding.lacking)}." if finding.lacking else ""
                yield f"- **{self.check(finding).title}** ({self.labels[finding.check_id]}).{looked}"
        for finding in self.review.findings:
            if finding.verdict is Verdict.PARTIAL and finding.lacking:
                any_missing = True
                yield (
                    f"- {self.check(finding).title} ({self.labels[finding.check_id]}), in part: "
                    f"{'; '.join(finding.lacking)}."
                )
        for item in self.review.requirements:
            if item.verdict is Verdict.MISSING:
                any_missing = True
                yield (
                    f"- Requirement {item.requirement_id} (requirements, line {item.requirement.span}): {item.comment}"
                )
        if not any_missing:
            yield "Nothing that the rubric or the requirements ask for is missing."
        yield ""

    def alternatives(self) -> Iterator[str]:
        yield "## Alternative Approaches"
        yield ""
        shown: set[str] = set()
        for finding in self.review.findings:
            note = self.notes.get(finding.note_id)
            if finding.verdict is not Verdict.FLAWED or note is None or note.id in shown:
                continue
            shown.add(note.id)
            limits = first_paragraph(note.part("When it does not apply"))
            yield (
                f"- **{self.check(finding).title}** ({self.labels[finding.check_id]}). Instead of what stands at "
                f"{cited(finding.evidence) or 'the lines cited'}: {note.recommendation}"
                + (f" When that does not apply: {limits}" if limits else "")
                + f" (`{note.id}`)"
            )
            if finding.alternatives:
                yield ""
                yield from self.by_model(finding.alternatives, "  ")
        if not shown:
            yield "No choice of the design calls for another approach."
        yield ""

    def risks(self) -> Iterator[str]:
        yield "## Risk Assessment Review"
        yield ""
        yield from self.section_body("Risk Assessment Review")
        critical = self.of_severity(Severity.CRITICAL)
        if critical:
            yield ""
            yield "Risks that follow from the critical issues:"
            yield ""
        for finding in critical:
            note = self.notes.get(finding.note_id)
            prevented = first_paragraph(note.part("Prevents")) if note else ""
            yield f"- {self.labels[finding.check_id]}, {self.check(finding).title}: {prevented or finding.comment}"
        yield from self.observations()
        yield ""

    def by_model(self, sentences: Sequence[Sentence], indent: str = "") -> Iterator[str]:
        """Yield what a language model wrote, marked as its word."""
        if sentences:
            yield f"{indent}*The language model:* {' '.join(map(spoken, sentences))}"
            yield ""

    def observations(self) -> Iterator[str]:
        """Yield what a language model sees beyond the checks."""
        if not self.review.observations:
            return
        yield ""
        yield "Seen by the language model alone, counted in no score, to be checked by a person:"
        yield ""
        for seen in self.review.observations:
            yield f"- {spoken(seen)}"

    def checklist(self) -> Iterator[str]:
        yield "## Implementation Readiness Checklist"
        for item in CHECKLIST:
            done = ticked(item, self.rubric, self.review.by_check, self.rule)
            yield f"- [{'x' if done else ' '}] {item}"
        yield ""

    def next_steps(self) -> Iterator[str]:
        yield "## Recommended Next Steps"
        yield ""
        number = 0
        for severity in (Severity.CRITICAL, Severity.RECOMMENDED):
            for finding in self.of_severity(severity):
                number += 1
                first = first_sentence(finding.recommendation)
                yield f"{number}. {self.labels[finding.check_id]}, {self.check(finding).title}: {first}"
        unanswered = [r.requirement_id for r in self.review.requirements if r.verdict is Verdict.MISSING]
        if unanswered:
            number += 1
            yield f"{number}. Design an answer to {', '.join(unanswered)}, or agree with the owner to drop them."
        if self.review.inconsistencies:
            number += 1
            contradictions = count(len(self.review.inconsistencies), "contradiction")
            yield f"{number}. Settle the {contradictions} listed under Business Requirements."
        if not number:
            number += 1
            yield f"{number}. Start; take up the suggestions as the work touches them."
        number += 1
        yield f"{number}. Run the review again on the changed design."
        yield ""
        yield from self.provenance()

    def provenance(self) -> Iterator[str]:
        made = self.review.provenance
        yield "---"
        yield ""
        inputs = "; ".join(f"{i.path} ({i.lines} lines, sha256 {i.sha256[:12]})" for i in made.inputs)
        model = ""
        if made.model:
            checks = count(len(made.asked), "check")
            model = f"model {made.model} (asked about {checks}, changed {len(made.changed)} of the verdicts) · "
        yield (
            f"Draftproof {made.version} · judge {made.judge} · embedder {made.embedder} · "
            f"knowledge {made.knowledge} · {model}{inputs} · bytes sent off the machine: {made.bytes_sent}"
        )
