"""The original command's sentence: which file is what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from draftproof.errors import CommandSentenceError

_PATH = re.compile(
    r"""(?:"(?P<double>[^"\n]+\.\w{1,8})"|'(?P<single>[^'\n]+\.\w{1,8})'|`(?P<tick>[^`\n]+\.\w{1,8})`"""
    r"""|[“„«](?P<curly>[^“”„«»\n]+\.\w{1,8})[”“»]"""
    r"""|(?P<bare>(?:[~.]{0,2}/)?[\w@%+=-][\w@%+=./\\-]*\.[A-Za-z]\w{0,7}))(?![\w/])"""
)
_ROLES = (
    ("output", re.compile(r"\b(?:save|write|store|put|print|output|report|comments?|results?|into)\b", re.I)),
    (
        "requirements",
        re.compile(r"\brequire(?:ments?|s|d)?\b|\bspecs?\b|\bspecification\b|\buser stories\b", re.I),
    ),
    ("design", re.compile(r"\bdesign\b|\barchitecture\b|\bdocument\b", re.I)),
)
_NAMES = (
    ("output", re.compile(r"review|report|comments?", re.I)),
    ("requirements", re.compile(r"requirement|^reqs?\b|\bprd\b", re.I)),
    ("design", re.compile(r"design|architecture|tdd|rfc", re.I)),
)


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """The files that the sentence names, by role."""

    design: Path
    requirements: Path | None
    output: Path | None


def read_sentence(sentence: str) -> NamedFiles:
    """
    Return which file is the design, which the requirements, which the report.

    A file's role is said by the words in front of it, since the last comma or the end
    of a sentence; where they say nothing, by the words behind it, then by its own name,
    and last by all words since the file named before.

    Raises:
        CommandSentenceError: No design is named, or two files have one role.

    """
    found = list(_PATH.finditer(sentence))
    if not found:
        raise CommandSentenceError("The sentence names no file.")
    roles: dict[str, list[str]] = {}
    for index, match in enumerate(found):
        path = next(group for group in match.groups() if group)
        before = sentence[found[index - 1].end() if index else 0 : match.start()]
        stop = found[index + 1].start() if index + 1 < len(found) else len(sentence)
        after = re.split(r"[.;,\n]|\band\b", sentence[match.end() : stop])[0]
        role = _role(before, after, path)
        if role is None:
            raise CommandSentenceError(f"The sentence does not say what {path} is.")
        if path not in roles.setdefault(role, []):
            roles[role].append(path)
    for role, paths in roles.items():
        if len(paths) > 1:
            raise CommandSentenceError(f"The sentence names several files as {role}: {', '.join(paths)}.")
    if "design" not in roles:
        raise CommandSentenceError("The sentence does not name the tech design.")
    named = {role: Path(paths[0]).expanduser() for role, paths in roles.items()}
    return NamedFiles(named["design"], named.get("requirements"), named.get("output"))


def _role(before: str, after: str, path: str) -> str | None:
    # The last clause in front of the file speaks of it; what lies before is the end of
    # what is said about the file before.
    clause = re.split(r"(?<=[.;,\n])\s+", before)[-1]
    for text, patterns in ((clause, _ROLES), (after, _ROLES), (Path(path).name, _NAMES), (before, _ROLES)):
        for role, pattern in patterns:
            if pattern.search(text):
                return role
    return None
