"""Whether examples of builds can be a Makefile or a Dockerfile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from draftproof.knowledge.lines import Fault, joined_lines

_MAKE_DIRECTIVE = re.compile(
    r"(?:-?include|sinclude|ifeq|ifneq|ifdef|ifndef|else|endif|define|endef|export|unexport|override|undefine|vpath)\b"
)
_MAKE_VARIABLE = re.compile(r"[\w.-]+\s*(?:=|:=|::=|:::=|\?=|\+=|!=)")
_MAKE_TARGET = re.compile(r"[\w./%*?$-]+(?:\s+[\w./%*?$-]+)*\s*&?::?(?:\s|;|$)")
_INSTRUCTION = re.compile(
    "ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR"
)


def makefile_faults(code: str) -> Iterator[Fault]:
    """Yield the lines that can stand in no Makefile."""
    target = inside = False
    for number, line in joined_lines(code):
        text = line.strip()
        if re.match(r"(?:override\s+)?define\b", text):
            inside = True
        if inside:
            inside = text != "endef"
            continue
        if not text or (text.startswith("#") and not line.startswith("\t")):
            continue
        if line.startswith("\t"):
            if not target:
                yield number, "a recipe line without a target in front of it."
            continue
        # References may hold colons and blanks.
        plain = re.sub(r"\$[({][^(){}]*[)}]", "$", text)
        if _MAKE_DIRECTIVE.match(plain) or _MAKE_VARIABLE.match(plain):
            continue
        if line.startswith(" ") and target:
            yield number, "a recipe line has to begin with a tab."
        elif _MAKE_TARGET.match(plain):
            target = True
        elif not re.fullmatch(r"\$", plain):
            yield number, f"neither target, variable nor recipe: {text[:40]!r}."


def dockerfile_faults(code: str) -> Iterator[Fault]:
    """Yield the lines that can stand in no Dockerfile."""
    started = False
    waiting: list[str] = []
    lines = "\n".join("" if line.lstrip().startswith("#") else line for line in code.split("\n"))
    # A comment between continued lines does not end the instruction.
    lines = re.sub(r"\\\n(?:[ \t]*\n)+", lambda found: "\\\n" * found.group().count("\n"), lines)
    for number, line in joined_lines(lines):
        text = line.strip()
        if waiting:
            waiting = waiting[1:] if text == waiting[0] else waiting
            continue
        if not text:
            continue
        word, _, rest = text.partition(" ")
        if not _INSTRUCTION.fullmatch(word.upper()):
            yield number, f"{word} is no instruction of a Dockerfile."
        elif not rest.strip():
            yield number, f"{word} has no argument."
        elif not started and word.upper() not in ("FROM", "ARG"):
            yield number, "the first instruction has to be FROM or ARG."
        elif word.upper() in ("CMD", "ENTRYPOINT", "SHELL") and rest.lstrip().startswith("[") and not _is_json(rest):
            yield number, f"{word} in exec form has to be a JSON array."
        started = True
        waiting = re.findall(r"<<-?[\"']?(\w+)[\"']?", rest) if word.upper() in ("RUN", "COPY", "ADD") else []


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True
