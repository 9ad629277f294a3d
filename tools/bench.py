"""
Review every labelled case and print what the scorer says, with times.

    python tools/bench.py CASES_DIR [CASES_DIR ...] [--scorer FILE] [--out DIR]

A case is a folder with design.md, gold.json and perhaps requirements.md. Without a
scorer only times and quotations are reported. Where BENCH_OUT names a folder or file, the
figures are written there as JSON, too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_output import keep_figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument("--scorer", type=Path, default=None, help="score.py of the benchmark")
    parser.add_argument("--out", type=Path, default=None, help="keep the reviews here")
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="draftproof-bench-"))
    command = Path(sys.executable).with_name("draftproof")
    figures: dict[str, dict[str, float]] = {}
    for place in options.cases:
        for folder in sorted(p.parent for p in place.glob("*/gold.json")):
            figures[folder.name] = review(command, folder, out / place.name / folder.name)
    for name, row in figures.items():
        print(f"{name:24} {row['lines']:5.0f} lines {row['seconds']:6.2f} s {row['reviewing']:6.2f} s in the review")
    for place in options.cases:
        if options.scorer:
            print(f"\n{place}")
            subprocess.run([sys.executable, str(options.scorer), str(place), str(out / place.name)], check=True)
    keep_figures("cases", figures)
    print(f"\nreviews in {out}")


def review(command: Path, folder: Path, target: Path) -> dict[str, float]:
    """Review one case in a process of its own, as a user does; return its figures."""
    arguments = [str(command), "review", str(folder / "design.md"), "--output", str(target / "review.md"), "--quiet"]
    if (folder / "requirements.md").exists():
        arguments += ["--requirements", str(folder / "requirements.md")]
    started = time.perf_counter()
    subprocess.run(arguments, check=True)
    seconds = time.perf_counter() - started
    data = json.loads((target / "review.json").read_text(encoding="utf-8"))
    return {
        "lines": data["provenance"]["inputs"][0]["lines"],
        "seconds": seconds,
        "reviewing": sum(data["provenance"]["seconds"].values()),
    }


if __name__ == "__main__":
    main()
