r"""
Wild trials of the decoder: random weights, temperature 2, schemas of many kinds.

A model with random weights says anything; whatever is accepted has to follow its schema.
Each answer is read as JSON and validated by jsonschema, which knows nothing of the
grammars. An answer that is refused, since it did not end or its schema cannot be
constrained, is counted by its reason and is no fault. Exit code 1 where an accepted answer
is invalid.

::

    make bench-wild
    python tools/wild_trials.py --trials 200 --seed 3
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench_output import keep_figures
from draftproof.adapters.llamacpp.decoder import Decoded, Decoder, Prompted
from draftproof.adapters.llamacpp.engine import EngineOptions, LlamaCppEngine
from draftproof.adapters.llamacpp.grammar import Grammars
from random_gguf import GENERATIVE, write_tiny
from wild_schemas import KINDS, drawn, fault

MOST = 200
TEMPERATURE = 2.0
WINDOW = 8192


@dataclass
class Tally:
    """
    What became of the trials of one kind.

    Args:
        trials:  How many.
        valid:   Accepted, and valid.
        invalid: Accepted, and not valid: what is wrong, schema and answer.
        errors:  Refused, by reason.
        seconds: Spent on them.

    """

    trials: int = 0
    valid: int = 0
    invalid: list[dict[str, str]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tallies = {kind: Tally() for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        for place, name in enumerate(GENERATIVE):
            path = Path(folder) / f"{name}.gguf"
            write_tiny(path, name)
            run(path, shares(options.trials, place), options.seed, tallies)
    report(tallies, options.seed)
    if any(tally.invalid for tally in tallies.values()):
        sys.exit(1)


def shares(trials: int, place: int) -> dict[str, list[int]]:
    """Return the numbers of the trials that a model makes, by kind; each round of kinds goes to the next model."""
    kinds = list(KINDS)
    own = [number for number in range(trials) if number // len(kinds) % len(GENERATIVE) == place]
    return {kind: [n for n in own if n % len(kinds) == index] for index, kind in enumerate(kinds)}


def run(path: Path, numbers: dict[str, list[int]], seed: int, tallies: dict[str, Tally]) -> None:
    """Make the trials of one model and add them up."""
    with LlamaCppEngine(path, EngineOptions(window=WINDOW, threads=1)) as engine:
        grammars = Grammars(engine)
        decoder = Decoder(engine, grammars, temperature=TEMPERATURE, seed=seed)
        for kind, own in numbers.items():
            schemas = [drawn(kind, f"{seed} {number}") for number in own]
            prompts = [
                Prompted(tuple(engine.tokens(f"trial {number}: {kind}")), grammars.of_schema(schema), MOST)
                for number, schema in zip(own, schemas, strict=True)
            ]
            started = time.perf_counter()
            answers = decoder.decode(prompts)
            tally = tallies[kind]
            tally.seconds += time.perf_counter() - started
            for schema, answer in zip(schemas, answers, strict=True):
                count(tally, schema, answer)


def count(tally: Tally, schema: dict[str, object], answer: Decoded | None) -> None:
    """Add one answer."""
    tally.trials += 1
    if answer is None or answer.error:
        tally.errors[reason(answer.error if answer else "there was no time")] += 1
        return
    wrong = fault(answer.text, schema)
    if wrong:
        tally.invalid.append({"wrong": wrong, "schema": json.dumps(schema), "answer": answer.text})
    else:
        tally.valid += 1


def reason(error: str) -> str:
    """Return an error without what differs from trial to trial."""
    return re.sub(r"\d+", "N", error).partition(". ")[0][:80]


def report(tallies: dict[str, Tally], seed: int) -> None:
    """Print the table, what is invalid, and why answers were refused."""
    print(f"seed {seed}, temperature {TEMPERATURE}, at most {MOST} tokens an answer, models {', '.join(GENERATIVE)}")
    print("| kind | trials | valid | invalid | refused | s |\n|---|---|---|---|---|---|")
    for kind, tally in tallies.items():
        print(row(kind, tally))
    print(row("all", total(tallies)))
    for kind, tally in tallies.items():
        for error, times in tally.errors.most_common():
            print(f"{kind}: refused {times} times: {error}")
        for item in tally.invalid:
            print(f"{kind}: INVALID, {item['wrong']}\n  schema {item['schema']}\n  answer {item['answer']}")
    keep_figures("wild", {"seed": seed, "kinds": {kind: vars(tally) for kind, tally in tallies.items()}})


def row(name: str, tally: Tally) -> str:
    """Return a line of the table."""
    refused = tally.errors.total()
    return f"| {name} | {tally.trials} | {tally.valid} | {len(tally.invalid)} | {refused} | {tally.seconds:.1f} |"


def total(tallies: dict[str, Tally]) -> Tally:
    """Return the sum over all kinds."""
    whole = Tally()
    for tally in tallies.values():
        whole.trials += tally.trials
        whole.valid += tally.valid
        whole.invalid += tally.invalid
        whole.errors += tally.errors
        whole.seconds += tally.seconds
    return whole


if __name__ == "__main__":
    main()
