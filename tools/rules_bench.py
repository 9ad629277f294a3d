"""
Where the rules over facts fire on labelled cases, and how often the label agrees.

    python tools/rules_bench.py [CASES_DIR ...] [--rules WORD]

Each rule counts once for each case in which it fires. It is right where the label of its
check is its verdict. `exact` counts those; `side` counts a defect on a check that is
labelled as any defect, or met on met. No model is needed: facts are parsed, not judged.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from pathlib import Path

from draftproof.bootstrap import Library
from draftproof.evaluation import labelled_cases
from draftproof.review.prepare import Reference, read_and_judge_facts
from draftproof.settings import load_settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", type=Path, default=[Path("benchmarks/cases")])
    parser.add_argument("--rules", default="", help="only rules whose id holds this word")
    options = parser.parse_args()

    library = Library(load_settings())
    reference = Reference(
        library.rubric, library.cues, library.parts, fact_rules=library.fact_rules, setting_rules=library.setting_rules
    )
    said = {rule.id: (rule.check, str(rule.verdict)) for rule in library.fact_rules if options.rules in rule.id}
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    # A case that stands in two folders counts once.
    cases = {case.name: case for case in labelled_cases(options.cases)}
    for case in cases.values():
        _, hits = read_and_judge_facts(*case.read(), reference)
        for rule_id in {hit.rule.id for hit in hits} & said.keys():
            labels[rule_id][case.checks[said[rule_id][0]]["verdict"]] += 1
    report(said, labels, len(cases))


def report(said: dict[str, tuple[str, str]], labels: dict[str, Counter[str]], count: int) -> None:
    """Print a line for each rule that fired, and the sums."""
    print(f"{'rule':36} {'check':24} {'says':8} {'cases':>5} {'exact':>5} {'side':>5}  labels")
    total = exact = side = 0
    for rule_id, (check, verdict) in said.items():
        found = labels.get(rule_id)
        if not found:
            continue
        cases_hit = found.total()
        same = found[verdict]
        near = sum(n for label, n in found.items() if (label == "met") == (verdict == "met") and label in _JUDGED)
        total, exact, side = total + cases_hit, exact + same, side + near
        spread = ", ".join(f"{label} {n}" for label, n in found.most_common())
        print(f"{rule_id:36} {check:24} {verdict:8} {cases_hit:5} {same:5} {near:5}  {spread}")
    silent = len(said) - sum(rule_id in labels for rule_id in said)
    print(
        f"{count} cases, {len(said)} rules, {silent} of them silent; {total} firings, {exact} exact, {side} on the side"
    )


_JUDGED = frozenset({"met", "partial", "missing", "flawed"})


if __name__ == "__main__":
    main()
