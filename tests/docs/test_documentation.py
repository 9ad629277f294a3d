"""What the documentation names exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from draftproof.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "ARCHITECTURE.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\[[^\]\n]*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
HEADING = re.compile(r"^#+ +(.+?)\s*$", re.M)
GROUP: Any = typer.main.get_command(app)


def text_of(page: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text.strip(), f"{page} is empty"
    return text


def without_code(text: str) -> str:
    return re.sub(r"^( *)(```+|~~~+).*?^\1\2", "", text, flags=re.M | re.S)


def anchors(text: str) -> set[str]:
    """Return the names that GitHub gives to a page's headings."""
    found = set()
    for heading in HEADING.findall(without_code(text)):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(name if name not in found else f"{name}-1")
    return found


@pytest.mark.parametrize("name", sorted(GROUP.commands))
def test_every_command_and_each_of_its_options_has_help(name: str):
    command = GROUP.commands[name]

    assert command.help
    assert [parameter.name for parameter in command.params if not parameter.help] == []


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md"])
def test_every_make_target_that_is_named_is_in_the_makefile(page: str):
    text = text_of(page)
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^(?: {4}|\$ )?(make .*)$", text, re.M)
    named = {target for line in code for target in re.findall(r"\bmake ((?!-)[a-z][a-z-]*)\b", line)}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))

    assert named - targets == set()


def test_every_target_of_the_makefile_is_phony():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.search(r"^\.PHONY: (.+)$", makefile, re.M)[1].split())

    assert set(re.findall(r"^([a-z-]+):", makefile, re.M)) == phony


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_points_to_what_exists(page: str):
    broken = []
    for link in LINK.findall(without_code(text_of(page))):
        if re.match(r"[a-z][a-z+.-]*:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8"))
        ):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_that_is_shown_is_one_that_exists(page: str):
    text = text_of(page)
    shown = set(re.findall(r"(?:^|`|\$ |bin/)draftproof ([a-z][a-z-]*)", text, re.M))

    assert shown - set(GROUP.commands) == set()
