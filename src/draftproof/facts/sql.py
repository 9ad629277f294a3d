"""
Tables, columns, keys and indexes of SQL in a design, parsed as PostgreSQL by sqlglot.

Statements are found wherever a fence holds one, whatever its language label, and parsed
one by one, so that a sketch with `...` in one statement does not lose the others.
"""

from __future__ import annotations

import ast
import logging
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from draftproof.domain.document import Document, Span
from draftproof.facts.base import Block, Fact, blocks
from draftproof.facts.python import python_trees

if TYPE_CHECKING:
    from sqlglot import exp

_DDL = re.compile(
    r"^[ \t]*(?:create\s+(?:or\s+replace\s+)?(?:unlogged\s+|temp(?:orary)?\s+)?table"
    r"|create\s+(?:unique\s+)?index|alter\s+table)\b",
    re.IGNORECASE | re.MULTILINE,
)
_SELECT = re.compile(r"^[ \t]*(?:with\s+\w+\s+as\s*\(|select\b)", re.IGNORECASE | re.MULTILINE)
# Before a SELECT that is a part of another statement: a subquery, or the body of a view.
_PART_OF_ANOTHER = re.compile(r"(?:\(|\bas)\s*$", re.IGNORECASE)
_ELIDED = re.compile(r"^\s*(?:\.\.\.|…|--\s*\.\.\.).*$|,\s*(?:\.\.\.|…)\s*(?=\))", re.MULTILINE)
_NEXT = re.compile(
    r"^[ \t]*(?:create|alter|insert|update|delete|select|with|drop|grant|comment|begin|commit|set)\b",
    re.IGNORECASE | re.MULTILINE,
)
_MOST_CHARACTERS = 6000
_ZONED = "timestamp with time zone"
_ONE_OF = re.compile(r"\bnum_nonnulls\s*\((?P<columns>[\w\s,]+)\)\s*=\s*1\b", re.IGNORECASE)
_VOLATILE = re.compile(
    r"\bCAST\(\w+ AS DATE\)|\bcurrent_(?:date|time|timestamp)\b"
    r"|\b(?:now|clock_timestamp|statement_timestamp|timeofday|random|gen_random_uuid)\(\)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Fact):
    """
    A table that DDL creates.

    Args:
        name:        Without the schema, lower-case.
        primary_key: Its columns; empty where there is none.
        unique:      Column tuples that are unique, the primary key among them.
        columns:     Names in order.
        partitioned: The columns or expression that it is partitioned by, or empty.
        partition:   Whether it is itself a partition of another table.

    """

    kind: ClassVar[str] = "sql.table"
    name: str
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    columns: tuple[str, ...] = ()
    partitioned: str = ""
    partition: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Fact):
    """
    A column of a table.

    Args:
        table:   The table's name.
        name:    Lower-case.
        type:    PostgreSQL's name of the type, lower-case, without length: ``numeric``.
        length:  Of ``varchar(n)``, else 0.
        nullable: Whether NULL is allowed.
        checked: Whether a CHECK names it.
        default: The default expression as written, lower-case, or empty.
        allowed: The texts that a CHECK lists for it; empty where none does.

    """

    kind: ClassVar[str] = "sql.column"
    table: str
    name: str
    type: str
    length: int = 0
    nullable: bool = True
    checked: bool = False
    default: str = ""
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Fact):
    """Columns of which a CHECK wants exactly one to be set: ``num_nonnulls(a, b) = 1``."""

    kind: ClassVar[str] = "sql.choice"
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey(Fact):
    """A reference from columns of a table to another table; ``indexed`` where an index or key leads with them."""

    kind: ClassVar[str] = "sql.foreign_key"
    table: str
    columns: tuple[str, ...]
    target: str
    on_delete: str = ""
    indexed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Fact):
    """
    An index: its columns in order, whether it is unique, partial or of another method than B-tree.

    ``volatile`` is what its predicate or expressions call that changes with the clock or chance, or empty.
    ``compared`` are the columns that its predicate compares with texts, and the texts; ``unheard`` is one
    of them, written out, that the column's CHECK does not list, or empty.
    """

    kind: ClassVar[str] = "sql.index"
    table: str
    name: str
    columns: tuple[str, ...]
    unique: bool = False
    partial: bool = False
    method: str = "btree"
    concurrently: bool = False
    volatile: str = ""
    unheard: str = ""
    compared: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Fact):
    """
    A SELECT that stands in the design.

    Args:
        table:   Its first table.
        equal:   Columns compared by equality or ``IN``.
        ordered: Columns of ORDER BY.
        offset:  Whether it skips rows by OFFSET.
        limited: Whether it has a LIMIT.
        star:    Whether it selects ``*``.
        locks:   ``update``, ``skip locked`` or empty.
        compared: Columns compared with texts, and the texts.
        unheard: One of them, written out, that the column's CHECK does not list, or empty.
        beyond:  A column that is compared by ``>`` and is the first one ordered by, or empty.
        served:  Whether some index or key of the DDL leads with an equal or the first ordered column;
                 ``True`` where the table is in no DDL.

    """

    kind: ClassVar[str] = "sql.query"
    table: str
    equal: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()
    offset: bool = False
    limited: bool = False
    star: bool = False
    locks: str = ""
    unheard: str = ""
    compared: tuple[tuple[str, str], ...] = ()
    beyond: str = ""
    served: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenStatement(Fact):
    """DDL that PostgreSQL would not accept as far as the parser can tell; ``reason`` in its words."""

    kind: ClassVar[str] = "sql.broken"
    statement: str
    reason: str


def sql_facts(document: Document) -> Iterable[Fact]:
    """Return the facts of all SQL in fences, and of the queries in their Python."""
    found: list[Fact] = []
    with _quiet():
        for block in blocks(document):
            if not block.diagram and block.language not in ("python", "py", "json", "bash", "sh"):
                for text, span in _statements(block):
                    found.extend(_facts(text, span))
        for text, span in _in_python(document):
            found.extend(fact for fact in _facts(text, span) if isinstance(fact, Query))
    return _zoned(_unheard(_served(_indexed(found))))


def _in_python(document: Document) -> Iterator[tuple[str, Span]]:
    """Yield the queries that stand as texts in Python, each with its lines."""
    for tree, block, shift in python_trees(document):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SELECT.match(node.value.strip()):
                first, last = node.lineno - 1 + shift, (node.end_lineno or node.lineno) - 1 + shift
                if len(node.value) <= _MOST_CHARACTERS:
                    yield textwrap.dedent(node.value).strip(), block.lines(first, last)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep sqlglot from writing to the terminal that it passes a statement on as text."""
    logger = logging.getLogger("sqlglot")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _statements(block: Block) -> Iterator[tuple[str, Span]]:
    """Yield each statement with its lines."""
    ddl = {m.start() for m in _DDL.finditer(block.text)}
    selects = {m.start() for m in _SELECT.finditer(block.text) if not _is_part(block.text, m.start())}
    starts = sorted(ddl | selects)
    for start in starts:
        stop = _end(block.text, start)
        text = block.text[start:stop].rstrip()
        line = block.text.count("\n", 0, start)
        if 0 < len(text) <= _MOST_CHARACTERS:
            yield text, block.lines(line, line + text.count("\n"))


def _is_part(text: str, start: int) -> bool:
    return _PART_OF_ANOTHER.search(text[max(0, start - 200) : start]) is not None


def _end(text: str, start: int) -> int:
    """Return where a statement ends: at its semicolon, or before the next one outside parentheses."""
    depth = 0
    position = start
    for token in re.finditer(r"--[^\n]*|'(?:[^']|'')*'|[();]|\n(?=[ \t]*\w)", text[start:]):
        position = start + token.end()
        mark = token.group()
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(0, depth - 1)
        elif depth == 0 and (mark == ";" or _opens_another(mark, text, position)):
            return position
    return len(text)


def _opens_another(mark: str, text: str, position: int) -> bool:
    """Return whether a line begins a statement of its own, not a clause such as a SELECT's part."""
    if mark != "\n" or not _NEXT.match(text, position):
        return False
    return not text[position:].lstrip().lower().startswith(("select", "with", "set")) or text[:position].endswith(
        "\n\n"
    )


def _facts(text: str, span: Span) -> Iterator[Fact]:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    sketched = _ELIDED.search(text) is not None
    # A comma before the closing parenthesis is what a cut-off sketch leaves.
    cleaned = re.sub(r",(\s*(?:--[^\n]*\n\s*)*\))", r" \1", _ELIDED.sub("", text)) if sketched else text
    try:
        tree = sqlglot.parse_one(cleaned.rstrip(" ;\n"), dialect="postgres")
    except (SqlglotError, RecursionError) as error:
        if _DDL.match(text) and not sketched and not re.search(r"[<{$]\w*|\?|%\(", text):
            yield BrokenStatement(span=span, statement=text.split("\n")[0].strip(), reason=_reason(error))
        return
    if isinstance(tree, exp.Create) and str(tree.kind).upper() == "TABLE":
        yield from _table(tree, text, span)
    elif isinstance(tree, exp.Create) and str(tree.kind).upper() == "INDEX":
        yield from _index(tree, span)
    elif isinstance(tree, exp.Alter):
        yield from _alteration(tree, span)
    elif isinstance(tree, exp.Select):
        yield from _query(tree, span)


def _reason(error: Exception) -> str:
    return re.sub(r"\x1b\[\d*m", "", str(error)).split("\n")[0].split(". Line ")[0][:120]


def _name(node: Any) -> str:
    return str(node.name).lower() if node is not None else ""


def _table(tree: exp.Create, text: str, span: Span) -> Iterator[Fact]:
    from sqlglot import exp

    schema = tree.this
    name = _name(schema.this if isinstance(schema, exp.Schema) else schema)
    partition = tree.find(exp.PartitionedOfProperty) is not None
    by = tree.find(exp.PartitionedByProperty)
    primary: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = []
    columns: list[Column] = []
    keys: list[ForeignKey] = []
    checked: dict[str, tuple[str, ...]] = {}
    for part in schema.expressions if isinstance(schema, exp.Schema) else ():
        if isinstance(part, exp.ColumnDef):
            column, is_primary, is_unique, key = _column(part, name, _line_of(part, text, span))
            columns.append(column)
            keys.extend([key] if key else [])
            primary = (column.name,) if is_primary else primary
            unique.extend([(column.name,)] if is_unique else [])
        else:
            for piece in part.expressions if isinstance(part, exp.Constraint) else [part]:
                if isinstance(piece, exp.PrimaryKey):
                    primary = _columns(piece.expressions)
                elif isinstance(piece, exp.UniqueColumnConstraint) and piece.this is not None:
                    unique.append(_columns(piece.this.expressions))
                elif isinstance(piece, exp.ForeignKey):
                    keys.append(_foreign_key(piece, name, span))
                elif isinstance(piece, exp.CheckColumnConstraint):
                    for column_name in map(_name, piece.find_all(exp.Column)):
                        checked.setdefault(column_name, ())
                    checked.update(_listed(piece))
    one = _ONE_OF.search(text)
    if one is not None:
        names = tuple(name.strip().lower() for name in one.group("columns").split(","))
        line = span.first + text.count("\n", 0, one.start())
        yield Choice(span=Span(line, line), table=name, columns=names)
    if primary:
        unique.insert(0, primary)
        columns = [replace(c, nullable=False) if c.name in primary else c for c in columns]
    yield Table(
        span=Span(span.first, span.first),
        name=name,
        primary_key=primary,
        unique=tuple(unique),
        columns=tuple(column.name for column in columns),
        partitioned=by.this.sql().lower() if by is not None else "",
        partition=partition,
    )
    yield from (
        replace(c, checked=True, allowed=checked[c.name] or c.allowed) if c.name in checked else c for c in columns
    )
    yield from keys


def _listed(check: exp.Expression) -> dict[str, tuple[str, ...]]:
    """Return the texts that a CHECK allows, by column; nothing where it says anything beside one list."""
    from sqlglot import exp

    node = check.this
    while isinstance(node, exp.Paren):
        node = node.this
    if not isinstance(node, exp.In) or not isinstance(node.this, exp.Column):
        return {}
    texts = [e.this for e in node.expressions if isinstance(e, exp.Literal) and e.is_string]
    return {_name(node.this): tuple(texts)} if texts and len(texts) == len(node.expressions) else {}


def _compared(where: exp.Expression | None) -> tuple[tuple[str, str], ...]:
    """Return the columns that a condition compares with texts for equality, and the texts."""
    from sqlglot import exp

    found = []
    for node in where.find_all(exp.EQ, exp.In) if where is not None else ():
        if not isinstance(node.this, exp.Column) or node.find_ancestor(exp.Not, exp.Subquery) is not None:
            continue
        texts = [node.expression] if isinstance(node, exp.EQ) else node.expressions
        found += [(_name(node.this), t.this) for t in texts if isinstance(t, exp.Literal) and t.is_string]
    return tuple(found)


def _unheard(facts: Sequence[Fact]) -> list[Fact]:
    """Say of indexes and queries which text they look for that no row may hold."""
    allowed = {(f.table, f.name): f.allowed for f in facts if isinstance(f, Column) and f.allowed}
    found: list[Fact] = []
    for fact in facts:
        if isinstance(fact, Index | Query):
            odd = [f"{c} = '{v}'" for c, v in fact.compared if v not in allowed.get((fact.table, c), (v,))]
            fact = replace(fact, unheard=odd[0]) if odd else fact
        found.append(fact)
    return found


def _zoned(facts: Sequence[Fact]) -> list[Fact]:
    """Keep, of indexes over a day, those over the day of a moment, which depends on the session's time zone."""
    moments = {(f.table, f.name) for f in facts if isinstance(f, Column) and f.type in ("timestamptz", _ZONED)}
    found: list[Fact] = []
    for fact in facts:
        if isinstance(fact, Index) and fact.volatile.startswith("cast("):
            column = fact.volatile[len("cast(") :].split()[0]
            fact = replace(fact, volatile=f"{column}::date" if (fact.table, column) in moments else "")
        found.append(fact)
    return found


def _columns(nodes: Iterable[Any]) -> tuple[str, ...]:
    from sqlglot import exp

    names = []
    for node in nodes:
        column = node.find(exp.Column, exp.Identifier)
        if column is not None:
            names.append(_name(column))
    return tuple(names)


def _column(node: exp.ColumnDef, table: str, span: Span) -> tuple[Column, bool, bool, ForeignKey | None]:
    from sqlglot import exp

    kind = node.args.get("kind")
    kinds = [c.args.get("kind") for c in node.constraints]
    reference = next((k for k in kinds if isinstance(k, exp.Reference)), None)
    default = next((k for k in kinds if isinstance(k, exp.DefaultColumnConstraint)), None)
    primary = any(isinstance(k, exp.PrimaryKeyColumnConstraint) for k in kinds)
    refused = any(isinstance(k, exp.NotNullColumnConstraint) and not k.args.get("allow_null") for k in kinds)
    written = kind.sql(dialect="postgres").lower() if kind is not None else ""
    length = re.search(r"^(?:var)?char\((\d+)\)", written)
    column = Column(
        span=span,
        table=table,
        name=_name(node),
        type=re.sub(r"\(.*?\)", "", written),
        length=int(length.group(1)) if length else 0,
        nullable=not (refused or primary or "serial" in written or _is_identity(kinds)),
        checked=any(isinstance(k, exp.CheckColumnConstraint) for k in kinds),
        default=default.this.sql(dialect="postgres").lower()
        if default is not None and default.this is not None
        else "",
        allowed=next((v for k in kinds if isinstance(k, exp.CheckColumnConstraint) for v in _listed(k).values()), ()),
    )
    key = None
    if reference is not None:
        key = ForeignKey(
            span=span,
            table=table,
            columns=(column.name,),
            target=_target(reference),
            on_delete=_on_delete(reference),
        )
    return column, primary, any(isinstance(k, exp.UniqueColumnConstraint) for k in kinds), key


def _is_identity(kinds: Sequence[Any]) -> bool:
    from sqlglot import exp

    return any(isinstance(kind, exp.GeneratedAsIdentityColumnConstraint) for kind in kinds)


def _foreign_key(node: exp.ForeignKey, table: str, span: Span) -> ForeignKey:
    reference = node.args.get("reference")
    return ForeignKey(
        span=span,
        table=table,
        columns=_columns(node.expressions),
        target=_target(reference) if reference is not None else "",
        on_delete=_on_delete(reference) if reference is not None else "",
    )


def _target(reference: Any) -> str:
    from sqlglot import exp

    table = reference.find(exp.Table)
    return _name(table)


def _on_delete(reference: Any) -> str:
    written = " ".join(str(option) for option in reference.args.get("options") or ()).lower()
    found = re.search(r"on delete (cascade|restrict|set null|no action)", written)
    return found.group(1) if found else ""


def _line_of(node: Any, text: str, span: Span) -> Span:
    """Return the line on which a column's definition starts; the statement's first one if it cannot be told."""
    pattern = re.compile(rf'^\s*(?:\(\s*|,\s*)?"?{re.escape(node.name)}"?\s', re.IGNORECASE | re.MULTILINE)
    found = pattern.search(text, text.find("(") + 1) or re.search(rf'[(,]\s*"?{re.escape(node.name)}"?\s', text)
    if found is None:
        return Span(span.first, span.first)
    start = found.start() + len(found.group()) - len(found.group().lstrip("(, \t\r\n"))
    line = min(span.first + text.count("\n", 0, start), span.last)
    return Span(line, line)


def _index(tree: exp.Create, span: Span) -> Iterator[Index]:
    from sqlglot import exp

    index = tree.this
    if not isinstance(index, exp.Index):
        return
    parameters = index.args.get("params")
    using = parameters.args.get("using") if parameters is not None else None
    yield Index(
        span=span,
        table=_name(index.args.get("table")),
        name=_name(index),
        columns=_columns((parameters.args.get("columns") or ()) if parameters is not None else ()),
        unique=bool(tree.args.get("unique")),
        partial=parameters is not None and parameters.args.get("where") is not None,
        method=str(using.name).lower() if using is not None else "btree",
        concurrently=bool(tree.args.get("concurrently")),
        volatile=_volatile(parameters),
        compared=_compared(parameters.args.get("where") if parameters is not None else None),
    )


def _volatile(parameters: exp.Expression | None) -> str:
    """Return what an index calls that gives another value at another moment; PostgreSQL refuses it."""
    found = _VOLATILE.search(parameters.sql(dialect="postgres")) if parameters is not None else None
    return found.group().lower() if found else ""


def _alteration(tree: exp.Alter, span: Span) -> Iterator[Fact]:
    from sqlglot import exp

    table = _name(tree.this)
    for key in tree.find_all(exp.ForeignKey):
        yield _foreign_key(key, table, span)
    for primary in tree.find_all(exp.PrimaryKey):
        columns = _columns(primary.expressions)
        yield Index(span=span, table=table, name="primary key", columns=columns, unique=True)
    for unique in tree.find_all(exp.UniqueColumnConstraint):
        if unique.this is not None:
            yield Index(span=span, table=table, name="unique", columns=_columns(unique.this.expressions), unique=True)


def _query(tree: exp.Select, span: Span) -> Iterator[Query]:
    from sqlglot import exp

    table = tree.find(exp.Table)
    if table is None:
        return
    where = tree.args.get("where")
    equal = []
    for node in where.find_all(exp.EQ, exp.In) if where is not None else ():
        if isinstance(node.this, exp.Column):
            equal.append(_name(node.this))
    order = tree.args.get("order")
    ordered = [_name(o.this) for o in order.expressions if isinstance(o.this, exp.Column)] if order is not None else []
    locks = tree.args.get("locks") or ()
    waits = "skip locked" if any(lock.args.get("wait") is False for lock in locks) else "update"
    yield Query(
        span=span,
        table=_name(table),
        equal=tuple(dict.fromkeys(equal)),
        ordered=tuple(ordered),
        offset=tree.args.get("offset") is not None,
        limited=tree.args.get("limit") is not None,
        star=any(isinstance(e, exp.Star) for e in tree.expressions),
        locks=waits if locks else "",
        # Of a join it is not plain whose column is meant.
        compared=() if tree.args.get("joins") else _compared(where),
        beyond=_beyond(where, ordered),
    )


def _beyond(where: exp.Expression | None, ordered: Sequence[str]) -> str:
    """Return the column by which a query goes on behind the last row that it has seen, or nothing."""
    from sqlglot import exp

    passed = {_name(n.this) for n in where.find_all(exp.GT) if isinstance(n.this, exp.Column)} if where else set()
    return ordered[0] if ordered and ordered[0] in passed else ""


def _keys(facts: Sequence[Fact]) -> dict[str, list[tuple[str, ...]]]:
    """Return the column tuples that an index or key of each table leads with."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for fact in facts:
        if isinstance(fact, Table):
            found.setdefault(fact.name, []).extend(fact.unique)
        elif isinstance(fact, Index) and not fact.partial:
            found.setdefault(fact.table, []).append(fact.columns)
    return found


def _indexed(facts: Sequence[Fact]) -> list[Fact]:
    keys = _keys(facts)
    return [
        replace(
            fact,
            indexed=any(set(key[: len(fact.columns)]) == set(fact.columns) for key in keys.get(fact.table, ()) if key),
        )
        if isinstance(fact, ForeignKey)
        else fact
        for fact in facts
    ]


def _served(facts: Sequence[Fact]) -> list[Fact]:
    keys = _keys(facts)
    partial = {(f.table, f.columns[:1]) for f in facts if isinstance(f, Index)}
    found: list[Fact] = []
    for fact in facts:
        if isinstance(fact, Query) and fact.table in keys and (fact.equal or fact.ordered):
            wanted = {*fact.equal, *fact.ordered[:1]}
            leading = {key[0] for key in keys[fact.table] if key} | {c[0] for t, c in partial if t == fact.table and c}
            fact = replace(fact, served=bool(wanted & leading))
        found.append(fact)
    return found
