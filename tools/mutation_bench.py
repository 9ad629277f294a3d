"""
Damage good designs on purpose, one thing at a time, and see whether the reviewer notices.

    python tools/mutation_bench.py [CASES_DIR ...] [--kinds benchmarks/mutations.yaml] [--show N]

A mutant is killed where the verdict on the damaged check turns from met to a defect;
undisturbed is the share of checks that the damage does not concern and whose verdict
stays. Deletions and deferrals take all sentences, rows and lines of code that speak of a
topic; settings turned wrong are replaced wherever they stand. Passages that mutants share
are embedded once. Where BENCH_OUT names a folder or file, the figures are written there as JSON, too.
"""

from __future__ import annotations

import argparse
import difflib
import re
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench_output import keep_figures
from draftproof.bootstrap import make_reviewer, read_inputs
from draftproof.documents.markdown import parse, sentences
from draftproof.domain.document import PassageKind, Requirements
from draftproof.domain.findings import Verdict
from draftproof.domain.review import Review
from draftproof.evaluation import LabelledCase, labelled_cases, labelled_lines
from draftproof.review.pipeline import Reviewer
from draftproof.settings import load_settings

_MARK = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")


@dataclass(frozen=True)
class Kind:
    """
    One kind of damage.

    Args:
        id:      Unique; the family before the colon.
        check:   The check that it breaks.
        related: Checks that may change with it.
        words:   Of what is deleted or put off; empty for a replacement.
        topic:   Names it in a deferral; empty for a deletion.
        find:    What is replaced; empty for a deletion or deferral.
        replace: By what.

    """

    id: str
    check: str
    related: frozenset[str]
    words: str = ""
    topic: str = ""
    find: str = ""
    replace: str = ""

    @property
    def family(self) -> str:
        """``delete``, ``defer`` or ``wrong``."""
        return self.id.split(":")[0]


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant."""

    kind: Kind
    case: str
    killed: bool
    verdict: str
    disturbed: tuple[str, ...]
    unrelated: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", type=Path, default=[Path("benchmarks/cases")])
    parser.add_argument("--kinds", type=Path, default=Path("benchmarks/mutations.yaml"))
    parser.add_argument("--show", type=int, default=0, help="print so many survivors")
    options = parser.parse_args()
    data = yaml.safe_load(options.kinds.read_text(encoding="utf-8"))
    kinds = list(read_kinds(data))
    reviewer = with_cache(make_reviewer(load_settings(), print))
    outcomes: list[Outcome] = []
    for case in labelled_cases(options.cases):
        outcomes.extend(of_case(case, kinds, data["deferrals"], reviewer))
        print(f"{case.name}: {len(outcomes)} mutants", flush=True)
    report(outcomes, options.show)


def read_kinds(data: Mapping[str, Any]) -> Iterator[Kind]:
    """Yield the kinds of a file: two for each topic, one for each replacement."""
    for item in data["topics"]:
        related = frozenset(item["related"])
        yield Kind(f"delete:{item['check']}", item["check"], related, words=item["words"])
        yield Kind(f"defer:{item['check']}", item["check"], related, words=item["words"], topic=item["topic"])
    for item in data["wrong"]:
        yield Kind(
            f"wrong:{item['id']}",
            item["check"],
            frozenset(item["related"]),
            find=item["find"],
            replace=item["replace"],
        )


def with_cache(reviewer: Reviewer) -> Reviewer:
    """Return the reviewer with an embedder that embeds each text once."""
    embed = reviewer.reference.embed
    if embed is None:
        return reviewer
    known: dict[str, np.ndarray] = {}

    def cached(texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, embed(new), strict=True))
        return np.stack([known[text] for text in texts])

    return replace(reviewer, reference=replace(reviewer.reference, embed=cached))


def of_case(
    case: LabelledCase, kinds: Sequence[Kind], deferrals: Sequence[str], reviewer: Reviewer
) -> Iterator[Outcome]:
    """Yield the outcomes of all kinds of damage that a case can take."""
    design, requirements = case.read()
    text, gold = design.text, case.checks
    before = verdicts(review(text, requirements, reviewer))
    lines = {name: labelled_lines(item) for name, item in gold.items()}
    for kind in kinds:
        # Met for the labels and for the reviewer: what is a defect already cannot become one.
        if gold[kind.check]["verdict"] != "met" or before[kind.check] != "met":
            continue
        damaged = damage(text, kind, deferrals, lines[kind.check])
        if damaged == text:
            continue
        # What a label rests on a line that was damaged may change as well.
        touched = changed_lines(text, damaged)
        hurt = {name for name, own in lines.items() if own & touched}
        after = verdicts(review(damaged, requirements, reviewer))
        others = [name for name in before if name != kind.check and name not in kind.related | hurt]
        yield Outcome(
            kind=kind,
            case=case.name,
            killed=Verdict(after[kind.check]).is_defect,
            verdict=after[kind.check],
            disturbed=tuple(name for name in others if after[name] != before[name]),
            unrelated=len(others),
        )


def review(text: str, requirements: Requirements | None, reviewer: Reviewer) -> Review:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "design.md"
        path.write_text(text, encoding="utf-8")
        document, _, _ = read_inputs(path, None)
    return reviewer.review(document, requirements)


def verdicts(result: Review) -> dict[str, str]:
    return {finding.check_id: finding.verdict.value for finding in result.findings}


def changed_lines(before: str, after: str) -> set[int]:
    """Return the lines of the first text, from 1, that the second does not have as they were."""
    matcher = difflib.SequenceMatcher(a=before.split("\n"), b=after.split("\n"), autojunk=False)
    return {n + 1 for tag, a, b, _, _ in matcher.get_opcodes() if tag != "equal" for n in range(a, b)}


def damage(text: str, kind: Kind, deferrals: Sequence[str], labelled: Collection[int] = ()) -> str:
    """
    Return the damaged text; the same text where the damage finds no place.

    Args:
        text:      The design.
        kind:      The damage.
        deferrals: Sentences that put a topic off.
        labelled:  Lines that the check's label points at; for a deletion or deferral what stands
                   there goes whole, in whatever words it is said.

    """
    if kind.find:
        return re.sub(kind.find, kind.replace, text, flags=re.MULTILINE)
    chosen = deferrals[zlib.crc32(text.encode() + kind.id.encode()) % len(deferrals)]
    sentence = chosen.format(topic=kind.topic) if kind.topic else ""
    words = re.compile(kind.words, re.IGNORECASE | re.MULTILINE)
    return without(text, words, sentence[:1].upper() + sentence[1:], labelled)


def without(text: str, words: re.Pattern[str], instead: str, labelled: Collection[int] = ()) -> str:
    """
    Return a text without the sentences, table rows and lines of code that match.

    Args:
        text:    A Markdown document.
        words:   What has to go.
        instead: Put in place of the first paragraph or item that loses something; may be empty.
        labelled: Lines, from 1, that go in any case, prose and rows whole.

    """
    lines: list[str | None] = list(text.split("\n"))
    for passage in parse(text).passages:
        span = range(passage.span.first - 1, passage.span.last)
        whole = any(i + 1 in labelled for i in span)
        if not whole and not words.search("\n".join(line for i in span if (line := lines[i]) is not None)):
            continue
        if passage.is_code or passage.kind is PassageKind.FRONT_MATTER:
            for i in span:
                if i + 1 in labelled or words.search(lines[i] or ""):
                    lines[i] = None
        elif passage.kind is PassageKind.TABLE_ROW:
            lines[span[0]] = None
        else:
            instead = _shortened(lines, span, passage.text, None if whole else words, instead)
    return "\n".join(line for line in lines if line is not None)


def _shortened(lines: list[str | None], span: range, passage: str, words: re.Pattern[str] | None, instead: str) -> str:
    """Cut the matching sentences, or all, out of some lines; return the deferral if it is still to be placed."""
    mark = _MARK.match(lines[span[0]] or "")
    kept = [passage[a:b].strip() for a, b in sentences(passage) if words and not words.search(passage[a:b])]
    if instead:
        kept, instead = [*kept, instead], ""
    for i in span:
        lines[i] = None
    if kept:
        lines[span[0]] = (mark.group() if mark else "") + " ".join(kept)
    elif not mark:
        lines[span[0]] = ""
    return instead


def report(outcomes: Sequence[Outcome], shown: int) -> None:
    """Print the shares by kind and family, and write them where BENCH_OUT points."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.kind.id].append(outcome)
        groups[f"= {outcome.kind.family}"].append(outcome)
        groups["= all"].append(outcome)
    figures = {}
    print(f"{'kind of damage':34} mutants  killed  undisturbed")
    for name in sorted(groups):
        part = groups[name]
        killed = sum(o.killed for o in part) / len(part)
        undisturbed = 1 - sum(len(o.disturbed) for o in part) / sum(o.unrelated for o in part)
        figures[name] = {"mutants": len(part), "killed": round(killed, 4), "undisturbed": round(undisturbed, 4)}
        print(f"{name:34} {len(part):7}  {killed:6.2f}  {undisturbed:11.3f}")
    print(f"{len({o.kind.id for o in outcomes})} kinds")
    for outcome in [o for o in outcomes if not o.killed][:shown]:
        print(f"survived: {outcome.kind.id} in {outcome.case} ({outcome.verdict})")
    keep_figures("mutation", figures)


if __name__ == "__main__":
    main()
