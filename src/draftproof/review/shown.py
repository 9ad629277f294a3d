"""Which lines of a design a language model is shown, and how: numbered as in the document, none cut unseen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from draftproof.domain.document import Document, Passage
from draftproof.domain.findings import Finding
from draftproof.domain.rubric import Check
from draftproof.review.material import Material
from draftproof.review.sentences import joined_spans

# A prompt costs a laptop as much as an answer: a hundred tokens a second.
_MOST_PASSAGES = 4
_MOST_LINES = 12
_LONGEST_LINE = 480
_MOST_HEADINGS = 16
# Questions over common lines share a prompt up to their end, so the lines are read once. On 24
# labelled designs a question sees a line of the label in 94 of 100 cases so, and in 92 alone, for
# 0.6 of the characters. With more lines it sees more, and attention over them costs what is saved.
_MOST_TOGETHER = 8
_MOST_SHARED = 2400


def candidates(check: Check, finding: Finding, material: Material) -> list[Passage]:
    """Return the passages that may answer a check, in the document's order."""
    import numpy as np

    chosen: dict[int, Passage] = {}
    lines = 0

    def add(passage: Passage) -> None:
        nonlocal lines
        count = len(_shown(passage))
        if passage.number not in chosen and len(chosen) < _MOST_PASSAGES and lines + count <= _MOST_LINES:
            chosen[passage.number] = passage
            lines += count

    cited = [evidence.span for evidence in finding.evidence]
    cited += [finding.nearest.evidence.span] if finding.nearest else []
    for passage in material.passages:
        if any(passage.span.overlaps(span) for span in cited):
            add(passage)
    scores = material.search.fused([check.question, *check.queries], material.query_vectors.get(check.id))
    for index in np.argsort(-scores, kind="stable"):
        if len(chosen) >= _MOST_PASSAGES or scores[index] <= 0:
            break
        add(material.passages[int(index)])
    return sorted(chosen.values(), key=lambda p: p.number)


def grouped(near: Mapping[str, Sequence[Passage]]) -> Iterator[list[str]]:
    """
    Yield the checks in groups that are asked over common lines.

    Args:
        near: The passages that may answer each check, by its id, the most doubtful first.

    """
    left = list(near)
    while left:
        group = [left.pop(0)]
        shown = {passage.number: passage for passage in near[group[0]]}
        while left and len(group) < _MOST_TOGETHER:
            added = {name: sum(_length(p) for p in near[name] if p.number not in shown) for name in left}
            best = min(left, key=added.__getitem__)
            if sum(map(_length, shown.values())) + added[best] > _MOST_SHARED:
                break
            left.remove(best)
            group.append(best)
            shown |= {passage.number: passage for passage in near[best]}
        yield group


def together(near: Mapping[str, Sequence[Passage]]) -> Iterator[tuple[str, list[Passage]]]:
    """
    Yield each check with the passages that it is asked over, its group's; those of a group follow each other.

    Args:
        near: The passages that may answer each check, by its id, the most important first.

    """
    for group in grouped(near):
        passages = sorted({p.number: p for name in group for p in near[name]}.values(), key=lambda p: p.number)
        yield from ((name, passages) for name in group)


def within(passages: Iterable[Passage], most: int) -> Iterator[Passage]:
    """Yield the first passages that have room in one prompt of so many characters."""
    room = most
    for passage in passages:
        room -= _length(passage)
        if room < 0:
            return
        yield passage


def offered(passages: Sequence[Passage]) -> tuple[int, ...]:
    """Return the numbers of the lines shown, ascending."""
    return tuple(sorted({number for passage in passages for number in _shown(passage)}))


def fenced(passages: Sequence[Passage], document: Document) -> str:
    """
    Return passages as a prompt shows them: fenced, under their headings, each line behind its number.

    The fence is not the prompt's to leave out, and no line can close it: a number stands
    before each.
    """
    shown = ["<lines>"]
    above = ""
    for passage in passages:
        path = _path(passage)
        if path and path != above:
            shown.append(f"[{path}]")
            above = path
        # Of a line that holds text that addresses the reviewer, what is left is shown.
        texts = [(n, passage.text if passage.cut else document.lines[n - 1]) for n in _shown(passage)]
        shown += [f"{number}| {shortened(text)}" for number, text in texts]
    if not passages:
        shown.append("(no line of the design comes near)")
    return "\n".join([*shown, "</lines>"])


def opening(text: str) -> str:
    """Return the beginning of a prompt up to the end of its lines, which questions over common lines share."""
    before, end, _ = text.partition("\n</lines>")
    return before + end if end else ""


def ranges(lines: Sequence[int]) -> str:
    """Return line numbers in words, neighbouring ones joined: ``4, 7-9``."""
    return ", ".join(str(span) for span in joined_spans(lines))


def outline(document: Document) -> str:
    """Return the document's headings of the upper levels, in order."""
    titles = [section.title for section in document.sections if section.level <= 2]
    return "; ".join(titles[:_MOST_HEADINGS]) or "none"


def shortened(text: str, most: int = _LONGEST_LINE) -> str:
    """Return a text, cut at a word where it is long; the cut is shown."""
    return text if len(text) <= most else f"{text[:most].rsplit(None, 1)[0]} …"


def _length(passage: Passage) -> int:
    """Return about how many characters a passage takes in a prompt."""
    return min(len(passage.text), _LONGEST_LINE * len(_shown(passage)))


def _shown(passage: Passage) -> range:
    """Return the numbers of the lines that are shown of a passage; one for the rest of a cut one."""
    count = 1 if passage.cut else min(passage.span.last - passage.span.first + 1, _MOST_LINES)
    return range(passage.span.first, passage.span.first + count)


def _path(passage: Passage) -> str:
    """The headings above without the document's title, the nearest two."""
    return " > ".join(passage.headings[1:][-2:])
