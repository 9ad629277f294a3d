"""
Markdown to sections and passages, each with its lines.

markdown-it-py parses the block structure; inline markup is left as it stands,
since passages are quoted, searched and embedded as the author wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from draftproof.domain.document import Passage, PassageKind, Section, Span

# A passage longer than this is cut: at sentences in prose, at blank lines and
# statements in code. MiniLM reads 128 to 256 tokens, and a reader wants a line.
MAX_WORDS = 90
MAX_CODE_LINES = 12

_MAX_NESTING = 200
_DIAGRAM_LANGUAGES = frozenset({"mermaid", "plantuml", "puml", "dot", "graphviz", "ditaa", "d2"})
_BOLD_LINE = re.compile(r"^\s*(?:\*\*|__)(?P<title>[^*_].{0,78}?)(?:\*\*|__)\s*:?\s*$")
# Lower-case notes begin sentences without a capital; a few abbreviations end in a dot.
_SENTENCE_END = re.compile(
    r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)(?<!\betc\.)(?<!\bapprox\.)(?<!\bincl\.)(?<!\bno\.)(?<!\bca\.)"
    r"(?<=[.!?;])\s+(?=[\"'(\[`*_]*[A-Za-z0-9`])|\n"
)
_STATEMENT_START = re.compile(
    r"^(?:\s{0,4}(?:async\s+def|def|class|@|CREATE|ALTER|INSERT|SELECT|UPDATE|DELETE|WITH|DROP|GRANT|BEGIN|COMMIT|-- )"
    r"|\S+:\s*$|\s{2}[\w.-]+:\s*$|\[[\w.-]+\]|[\w.-]+\s*:(?!=).*$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the parser found: the title if a heading gives one, sections and passages."""

    title: str | None
    sections: tuple[Section, ...]
    passages: tuple[Passage, ...]


@dataclass(slots=True)
class _Heading:
    level: int
    title: str
    line: int
    passages_before: int = 0


@dataclass(slots=True)
class _Builder:
    """Collects passages while the tokens are walked in order."""

    lines: Sequence[str]
    path: list[_Heading] = field(default_factory=list)
    headings: list[tuple[_Heading, tuple[str, ...]]] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    block: int = 0

    def open_heading(self, level: int, title: str, line: int) -> None:
        self.settle()
        while self.path and self.path[-1].level >= level:
            self.path.pop()
        heading = _Heading(level, title, line, len(self.passages))
        self.path.append(heading)
        if level <= 6:
            self.headings.append((heading, tuple(h.title for h in self.path)))

    def settle(self) -> None:
        """Make a bold line with nothing below it the paragraph that it is."""
        if self.path and self.path[-1].level > 6 and self.path[-1].passages_before == len(self.passages):
            line = self.path.pop().line
            self.add(PassageKind.PARAGRAPH, line, line, self.lines[line])

    def add(self, kind: PassageKind, first: int, last: int, text: str, language: str = "", header: str = "") -> None:
        """Append a passage on 0-based lines ``first`` to ``last``, both included."""
        text = text.strip()
        if not text:
            return
        self.passages.append(
            Passage(
                number=len(self.passages),
                kind=kind,
                span=Span(first + 1, last + 1),
                text=text,
                headings=tuple(h.title for h in self.path),
                language=language,
                header=header,
                block=self.block,
            )
        )


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table")
    parser.use(front_matter_plugin).use(footnote_plugin).use(deflist_plugin)
    # Inline parsing costs most of the time and is not needed for quoting lines. Link
    # definitions stay paragraphs: `[//]: # (...)` is a usual way to hide a comment.
    return parser.disable(["inline", "text_join", "footnote_tail", "reference"], ignoreInvalid=True)


def parse(text: str) -> Parsed:
    """
    Return the sections and passages of a Markdown text.

    Args:
        text: The whole document with a line feed as line end.

    """
    lines = text.split("\n")
    builder = _Builder(lines)
    tokens = _parser().parse(text)
    _walk(tokens, builder)
    builder.settle()
    if not any(p.kind is not PassageKind.HEADING for p in builder.passages):
        _add_headings_as_passages(builder)
    return Parsed(_title(builder, tokens), _sections(builder, len(lines)), tuple(builder.passages))


def _title(builder: _Builder, tokens: Sequence[Token]) -> str | None:
    for token in tokens:
        if token.type == "front_matter":
            found = re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", token.content, re.MULTILINE)
            if found:
                return found.group(1)
    top = [h for h, _ in builder.headings if h.level == 1] or [h for h, _ in builder.headings]
    return top[0].title if top else None


def _sections(builder: _Builder, line_count: int) -> tuple[Section, ...]:
    sections = []
    for index, (heading, path) in enumerate(builder.headings):
        later = (h.line for h, _ in builder.headings[index + 1 :] if h.level <= heading.level)
        last = next(later, line_count)
        span = Span(heading.line + 1, max(heading.line + 1, last))
        sections.append(Section(heading.title, heading.level, span, path))
    return tuple(sections)


def _add_headings_as_passages(builder: _Builder) -> None:
    for heading, path in builder.headings:
        builder.path = [_Heading(i, title, 0) for i, title in enumerate(path[:-1])]
        builder.add(PassageKind.HEADING, heading.line, heading.line, heading.title)


def _walk(tokens: Sequence[Token], builder: _Builder) -> None:
    kinds: list[PassageKind] = []
    opened = {
        "list_item_open": PassageKind.LIST_ITEM,
        "blockquote_open": PassageKind.QUOTE,
        "dd_open": PassageKind.DEFINITION,
        "dt_open": PassageKind.DEFINITION,
        "footnote_reference_open": PassageKind.FOOTNOTE,
    }
    closed = {name.replace("_open", "_close") for name in opened}
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.level == 0:
            builder.block += 1
        if token.type in opened:
            kinds.append(opened[token.type])
        elif token.type in closed:
            kinds.pop()
        elif token.type == "heading_open" and token.map:
            title = tokens[index + 1].content.strip() or "(untitled)"
            builder.open_heading(int(token.tag[1]), title, token.map[0])
        elif token.type == "table_open":
            index = _walk_table(tokens, index, builder)
        elif token.type == "inline" and tokens[index - 1].type != "heading_open" and token.map:
            _add_prose(builder, kinds[-1] if kinds else PassageKind.PARAGRAPH, token)
        elif token.type in ("fence", "code_block") and token.map:
            _add_code(builder, token)
        elif token.type == "html_block" and token.map:
            builder.add(PassageKind.HTML, *_trim(builder.lines, *token.map), token.content)
        elif token.type == "front_matter" and token.map:
            builder.add(PassageKind.FRONT_MATTER, *_trim(builder.lines, *token.map), token.content)
        index += 1


def _trim(lines: Sequence[str], first: int, end: int) -> tuple[int, int]:
    """Return the first and last line with a visible character of ``[first, end)``, 0-based."""
    last = max(first, min(end, len(lines)) - 1)
    while first < last and not lines[first].strip():
        first += 1
    while last > first and not lines[last].strip():
        last -= 1
    return first, last


def _add_prose(builder: _Builder, kind: PassageKind, token: Token) -> None:
    assert token.map
    first, last = _trim(builder.lines, *token.map)
    bold = _BOLD_LINE.match(token.content)
    if bold and first == last and kind is PassageKind.PARAGRAPH:
        builder.open_heading(7, bold.group("title").strip(" :"), first)
        return
    for start, stop, text in _pieces(token.content, first, last):
        builder.add(kind, start, stop, text)


def _pieces(content: str, first: int, last: int) -> Iterator[tuple[int, int, str]]:
    """Cut long prose at sentences; yield 0-based first and last line and the text."""
    if len(content.split()) <= MAX_WORDS:
        yield first, last, content
        return
    ends = [0, *(m.end() for m in _SENTENCE_END.finditer(content)), len(content)]
    start = 0
    for here, following in pairwise(ends):
        if following > start and len(content[start:following].split()) > MAX_WORDS and here > start:
            yield _lines_of(content, start, here, first, last)
            start = here
    for cut in range(start, len(content), _MAX_CHARACTERS):
        yield _lines_of(content, cut, min(cut + _MAX_CHARACTERS, len(content)), first, last)


# Prose without any sentence end (a line of a megabyte, a dump) is cut by length.
_MAX_CHARACTERS = 4000


def _lines_of(content: str, start: int, stop: int, first: int, last: int) -> tuple[int, int, str]:
    piece = content[start:stop]
    begin = first + content.count("\n", 0, start)
    end = begin + piece.rstrip().count("\n")
    return min(begin, last), min(max(begin, end), last), piece


def _walk_table(tokens: Sequence[Token], index: int, builder: _Builder) -> int:
    header: list[str] = []
    row: list[str] = []
    line = header_line = 0
    in_head = False
    rows = 0
    while tokens[index].type != "table_close":
        token = tokens[index]
        if token.type == "thead_open":
            in_head = True
        elif token.type == "thead_close":
            in_head = False
        elif token.type == "tr_open" and token.map:
            row, line = [], token.map[0]
        elif token.type == "inline":
            row.append(token.content.strip())
        elif token.type == "tr_close" and in_head:
            header, header_line = row, line
        elif token.type == "tr_close":
            rows += 1
            text = _row_text(header, row)
            builder.add(PassageKind.TABLE_ROW, line, line, text, header=builder.lines[header_line].strip())
        index += 1
    if not rows and header:
        builder.add(PassageKind.TABLE_ROW, header_line, header_line, " | ".join(header))
    return index


def _row_text(header: Sequence[str], row: Sequence[str]) -> str:
    cells = []
    for position, cell in enumerate(row):
        if not cell:
            continue
        name = header[position] if position < len(header) else ""
        cells.append(f"{name}: {cell}" if name else cell)
    return " | ".join(cells)


def _add_code(builder: _Builder, token: Token) -> None:
    assert token.map
    language = token.info.strip().split(" ")[0].lower() if token.info else ""
    offset = 1 if token.type == "fence" else 0
    first = token.map[0] + offset
    body = token.content.rstrip("\n").split("\n")
    diagram = language in _DIAGRAM_LANGUAGES or _looks_drawn(body)
    kind = PassageKind.DIAGRAM if diagram else PassageKind.CODE
    for start, stop in _code_pieces(body):
        text = "\n".join(body[start:stop])
        last = min(first + stop - 1, len(builder.lines) - 1)
        if text.strip():
            builder.add(kind, min(first + start, last), last, text, language)


def _looks_drawn(body: Sequence[str]) -> bool:
    drawn = sum(1 for line in body if re.search(r"[┌└│▼►]|--+>|\+--+\+|\|\s*v\s*\|", line))
    return drawn >= max(2, len(body) // 4)


def _code_pieces(body: Sequence[str]) -> list[tuple[int, int]]:
    """Cut code into runs of at most ``MAX_CODE_LINES``, best at blank lines and statements."""
    pieces = []
    start = 0
    while start < len(body):
        while start < len(body) and not body[start].strip():
            start += 1
        if start >= len(body):
            break
        stop = _code_end(body, start)
        last = stop
        while last > start + 1 and not body[last - 1].strip():
            last -= 1
        pieces.append((start, last))
        start = stop
    return pieces


def _code_end(body: Sequence[str], start: int) -> int:
    limit = min(start + MAX_CODE_LINES, len(body))
    if len(body) - start <= MAX_CODE_LINES and not any(not line.strip() for line in body[start:limit]):
        return len(body)
    for position in range(start + 3, limit):
        if not body[position].strip():
            return position
    if limit == len(body):
        return limit
    for position in range(limit - 1, start + 4, -1):
        if _STATEMENT_START.match(body[position]):
            return position
    return limit


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the character ranges of the sentences (and lines) of a text."""
    ends = [0, *(m.end() for m in _SENTENCE_END.finditer(text)), len(text)]
    return [(a, b) for a, b in pairwise(ends) if text[a:b].strip()]
