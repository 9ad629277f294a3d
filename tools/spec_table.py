"""
Write ``docs/specification.md`` from ``knowledge/specification.yaml``.

    python tools/spec_table.py [--check]

One table for each group of the specification: what it asks for, which checks of the
rubric answer it, and which part of the product does. ``--check`` writes nothing and
exits with 1 where the page is not current.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "knowledge" / "specification.yaml"
PAGE = ROOT / "docs" / "specification.md"
# With more checks than this a cell names the sections of the rubric, not each check.
MOST_IN_A_CELL = 8

HEAD = """# The specification and what answers it

Each line of the specification, in its words, with the checks of the rubric that answer
it and the part of the product that does. A check's question and the verdicts it knows
are printed by `draftproof explain --check ID`. The parts are explained at the end.

This page is made by `python tools/spec_table.py` from `knowledge/specification.yaml`;
change that file, not this page.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether the page is current")
    options = parser.parse_args()
    page = render(yaml.safe_load(SOURCE.read_text(encoding="utf-8")))
    if options.check:
        current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page
        if not current:
            print(f"{PAGE.relative_to(ROOT)} is not current: run python tools/spec_table.py", file=sys.stderr)
        return 0 if current else 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
    return 0


def render(data: Mapping[str, Any]) -> str:
    """
    Return the page.

    Args:
        data: What ``knowledge/specification.yaml`` holds.

    """
    return "\n".join([HEAD, *_groups(data["groups"]), *_parts(data["product"])]).rstrip() + "\n"


def _groups(groups: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for group in groups:
        yield f"## {group['title']}"
        yield ""
        yield "| Line | The specification says | Checks | Part of the product |"
        yield "|---|---|---|---|"
        for item in group["items"]:
            yield f"| {item['lines']} | {_cell(item['text'])} | {_checks(item['checks'])} | {_keys(item['product'])} |"
        yield ""


def _parts(product: Sequence[Mapping[str, str]]) -> Iterator[str]:
    yield "## The parts of the product"
    yield ""
    yield "| Part | What it does | Module |"
    yield "|---|---|---|"
    for part in product:
        yield f"| {part['key']} | {_cell(part['what'])} | `{part['module']}` |"


def _checks(ids: Sequence[str]) -> str:
    if len(ids) <= MOST_IN_A_CELL:
        return ", ".join(f"`{name}`" for name in ids)
    counts: dict[str, int] = {}
    for name in ids:
        prefix = name.split(".")[0]
        counts[prefix] = counts.get(prefix, 0) + 1
    named = ", ".join(f"`{prefix}.*` ({count})" for prefix, count in counts.items())
    return f"{len(ids)} checks: {named}"


def _keys(keys: Sequence[str]) -> str:
    return ", ".join(keys)


def _cell(text: str) -> str:
    # A bracket at the start, as in "[X/10]", must not become a link.
    return " ".join(text.split()).replace("|", "\\|").replace("[", "\\[").replace("]", "\\]")


if __name__ == "__main__":
    sys.exit(main())
