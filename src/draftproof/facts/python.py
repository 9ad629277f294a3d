"""
What Python in a design does, read from its syntax tree.

A sketch that does not parse as a whole is read definition by definition; what still does
not parse yields nothing.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, TypeVar

from draftproof.domain.document import Document, Span
from draftproof.facts.base import Block, Fact, blocks, clipped

F = TypeVar("F", bound=Fact)

_LOOKS_PYTHON = re.compile(
    r"^\s*(?:async\s+def|def|class)\s+\w+|^\s*(?:from\s+[\w.]+\s+)?import\s+\w|^\s*@\w|^\w+\s*=\s*\w+\(", re.MULTILINE
)
_OTHER_LANGUAGES = frozenset(
    {"sql", "yaml", "yml", "json", "toml", "bash", "sh", "makefile", "make", "mermaid", "http"}
)
_TOP_LEVEL = re.compile(r"^(?=(?:@|async def |def |class ))", re.MULTILINE)
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_WRITES = re.compile(
    r"\.(?:add|add_all|merge|delete|commit)\(|\b(?:insert|update|delete)\("
    r"|\b(?:INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b"
)
_AUTHENTICATES = re.compile(
    r"current_?user|Depends\((?:\w+\.)*(?:get_)?current_\w+|require|auth|security|principal|token|scope|role|permission|verify|identity",
    re.IGNORECASE,
)
_BLOCKING = re.compile(
    r"^(?:requests\.(?:get|post|put|patch|delete|request|head)|time\.sleep|urllib\.request\.urlopen|"
    r"httpx\.(?:get|post|put|patch|delete|request)|subprocess\.(?:run|call|check_output|check_call)|os\.system|"
    r"psycopg2\.connect|psycopg\.connect|boto3\.(?:client|resource)|smtplib\.SMTP|zeep\.Client|"
    r"(?:bcrypt|pwd_context|argon2)\.(?:hashpw|hash|checkpw|verify)|"
    r"stripe\.[\w.]+\.(?:create|retrieve|modify|capture|cancel|confirm|list)|sendgrid\.\w+\.send|ldap\.initialize|qrcode\.make|"
    r"pd\.read_\w+|pandas\.read_\w+|Image\.open|weasyprint\.HTML|HTML\([^()]*\)\.write_pdf)$"
)
_OLD_PYDANTIC = re.compile(
    r"\b(?:constr|conint|confloat|conlist|Field)\([^()]*\bregex\s*=|\borm_mode\s*=\s*True|@(?:root_)?validator\(|"
    r"\ballow_population_by_field_name\b|\bschema_extra\s*="
)
_SYNC_CLIENTS = re.compile(
    r"^(?:boto3\.(?:client|resource)|requests\.Session|httpx\.Client|psycopg2?\.connect|KafkaProducer|smtplib\.SMTP\w*|"
    r"(?:pymongo\.)?MongoClient|Elasticsearch|Minio|paramiko\.SSHClient)$"
)
_SENDS = re.compile(r"(?:^|[._])(?:send|send_and_wait|produce|publish|send_message|emit)$")
_COMMITS = re.compile(r"(?:session|db|conn|connection|tx|transaction|uow|s)\.commit$")
OFFSET_COMMITS = re.compile(r"(?:consumer|kafka|msg|message)\w*\.commit$")
_HANDLES = re.compile(
    r"(?:^|[._])(?:handle|process|apply|execute|save|store|add|insert|upsert|dispatch|project|on_)\w*$"
)
LOGS = re.compile(
    r"(?:^|\.)(?:debug|info|warning|warn|error|exception|critical|capture_exception|inc|record_exception)$"
)
_RANDOM = re.compile(r"uuid4|uuid\.uuid|random\.|token_hex|secrets\.|urandom")
_SECRET_NAME = re.compile(r"(?:SECRET|PASSWORD|API_?KEY|TOKEN)(?:_KEY)?$", re.IGNORECASE)
_MONEY = re.compile(
    r"(?:^|_)(?:amount|price|total|balance|fee|cost|salary|premium|payout|refund)(?:_|$)", re.IGNORECASE
)
# Names that dictionaries, sessions and repositories have as well.
_COMMON = frozenset({
    "get", "set", "add", "put", "post", "delete", "update", "save", "load", "read", "write", "send", "close", "open",
    "run", "call", "list", "create", "find",
})  # fmt: skip
_NULLABLE = re.compile(r"^Optional\[|\|\s*None\b|^None\s*\|")
_FIELD_RULES = frozenset(
    {"gt", "ge", "lt", "le", "min_length", "max_length", "pattern", "max_digits", "decimal_places", "multiple_of"}
)
_CONSTRAINED_TYPES = re.compile(
    r"Literal|Enum|UUID|EmailStr|HttpUrl|AnyUrl|Decimal|date|datetime|conint|constr|confloat|condecimal|conlist|"
    r"Positive|NonNegative|Annotated|Field|StringConstraints|AwareDatetime|IPvAny|SecretStr|bool"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Fact):
    """
    A FastAPI path operation.

    Args:
        method:   Lower-case.
        path:     As written, behind the prefixes that its router is given in the same block.
        function: Name of the handler.
        is_async: Whether it is a coroutine.
        model:    Response model or return annotation, or empty.
        status:   ``status_code`` as written, or empty.
        authenticated: Whether a parameter, dependency, decorator or its router names a user, token or role.
        writes:   Whether its body writes to a session or database.
        returns_dict: Whether it returns a literal dict.
        paged:    ``offset`` where a parameter is named offset, skip or page; ``cursor`` for cursor,
                  after or token; else empty.

    """

    kind: ClassVar[str] = "python.route"
    method: str
    path: str
    function: str
    is_async: bool = False
    model: str = ""
    status: str = ""
    authenticated: bool = False
    writes: bool = False
    returns_dict: bool = False
    paged: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Fact):
    """A Pydantic model: how many fields it has, how many of them are constrained, and ``extra`` of its config."""

    kind: ClassVar[str] = "python.model"
    name: str
    fields: int
    constrained: int
    extra: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Fact):
    """
    A field of a Pydantic model.

    ``money`` where its name counts money; ``nullable_required`` where it may be None and has no default,
    so that Pydantic 2 wants it sent all the same.
    """

    kind: ClassVar[str] = "python.field"
    model: str
    name: str
    type: str
    constrained: bool
    money: bool
    nullable_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Fact):
    """
    Something that a function does and had better not.

    Args:
        fault:    ``blocking`` in a coroutine, ``string_sql``, ``unverified_token``, ``trace_to_client``,
                  ``random_key``, ``plain_secret``, ``mutable_global``, ``default_argument``,
                  ``no_timeout``, ``float_money``, ``old_pydantic``.
        function: The function, or the name that is set, or empty.
        code:     The call or statement, shortened.

    """

    kind: ClassVar[str] = "python.call"
    fault: str
    function: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swallowed(Fact):
    """An ``except`` that neither raises nor logs; ``broad`` for a bare one or ``Exception``."""

    kind: ClassVar[str] = "python.swallowed"
    function: str
    broad: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAndCommit(Fact):
    """A function that both publishes and commits a transaction; ``first`` is ``send`` or ``commit``."""

    kind: ClassVar[str] = "python.send_and_commit"
    function: str
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetCommit(Fact):
    """Where a consumer commits its offset: ``before`` or ``after`` the work."""

    kind: ClassVar[str] = "python.offset_commit"
    function: str
    when: str


def python_facts(document: Document) -> Iterable[Fact]:
    """Return the facts of all Python in fences."""
    for tree, block, shift in python_trees(document):
        yield from shallow(_Reader(block, shift).read(tree))


def python_trees(document: Document) -> Iterator[tuple[ast.Module, Block, int]]:
    """Yield the syntax trees of all Python in fences, each with its block and the lines of it that stand before."""
    for block in blocks(document):
        labelled = block.language in ("python", "py")
        if block.language in _OTHER_LANGUAGES or block.diagram:
            continue
        if not labelled and not _LOOKS_PYTHON.search(block.text):
            continue
        for tree, shift in _trees(block.text):
            yield tree, block, shift


def shallow(facts: Iterable[F]) -> list[F]:
    """Return what is read of a tree; nothing of one that is nested too deep to be read."""
    try:
        return list(facts)
    except RecursionError:
        return []


def _trees(text: str) -> Iterator[tuple[ast.Module, int]]:
    """Yield syntax trees with the lines that stand before each."""
    dedented = textwrap.dedent(text)
    whole = _parsed(dedented)
    if whole is not None:
        yield whole, 0
        return
    starts = [0, *(m.start() for m in _TOP_LEVEL.finditer(dedented)), len(dedented)]
    # A decorator begins a definition with what follows it.
    pieces: list[tuple[int, int]] = []
    for start, stop in pairwise(starts):
        if (
            pieces
            and dedented[pieces[-1][0] : start].lstrip().startswith("@")
            and "def " not in dedented[pieces[-1][0] : start]
        ):
            pieces[-1] = (pieces[-1][0], stop)
        elif stop > start:
            pieces.append((start, stop))
    for start, stop in pieces:
        tree = _parsed(dedented[start:stop])
        if tree is not None:
            yield tree, dedented.count("\n", 0, start)


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def written_as(node: ast.AST | None) -> str:
    """Return a node as source, or nothing for none."""
    return "" if node is None else ast.unparse(node)


def shortened(node: ast.AST) -> str:
    """Return a node as source in one line of at most 80 characters."""
    return clipped(" ".join(written_as(node).split()), 80)


@dataclass(frozen=True, slots=True)
class _Router:
    """What a router gives to all its routes, as written: a prefix and dependencies."""

    prefix: str = ""
    dependencies: str = ""


def _routers(tree: ast.Module) -> dict[str, _Router]:
    """Return the routers that a module makes, each with what it is included with."""
    made: dict[str, _Router] = {}
    included: list[tuple[str, _Router]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if written_as(node.value.func).rpartition(".")[2] in ("APIRouter", "FastAPI"):
                made[written_as(node.targets[0])] = _given(node.value)
        elif isinstance(node, ast.Call) and written_as(node.func).endswith(".include_router") and node.args:
            included.append((written_as(node.args[0]), _given(node)))
    for name, outer in included:
        inner = made.get(name, _Router())
        made[name] = _Router(outer.prefix + inner.prefix, f"{outer.dependencies} {inner.dependencies}".strip())
    return made


def _given(call: ast.Call) -> _Router:
    words = {word.arg: word.value for word in call.keywords}
    prefix = words.get("prefix")
    written = prefix.value if isinstance(prefix, ast.Constant) and isinstance(prefix.value, str) else ""
    return _Router(written, written_as(words.get("dependencies")))


class _Reader:
    """Reads one tree; ``shift`` lines of the block stand before it."""

    def __init__(self, block: Block, shift: int) -> None:
        self._block, self._shift = block, shift
        self._routers: dict[str, _Router] = {}
        self._waiting: set[str] = set()
        self._clients: set[str] = set()

    def read(self, tree: ast.Module) -> Iterator[Fact]:
        self._routers = _routers(tree)
        self._clients = _sync_clients(tree)
        self._waiting = _waiting(tree)
        for statement in tree.body:
            yield from self._global(statement)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield from self._class(node)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from self._function(node)

    def _at(self, node: ast.AST, last: ast.AST | None = None) -> Span:
        first = getattr(node, "lineno", 1) - 1 + self._shift
        end = getattr(last or node, "end_lineno", None) or first + 1
        return self._block.lines(first, min(end - 1 + self._shift, first + 3))

    def _global(self, node: ast.stmt) -> Iterator[Fact]:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            return
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        name = written_as(target)
        if _SECRET_NAME.search(name) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            if len(node.value.value) > 3:
                yield Call(span=self._at(node), fault="plain_secret", function=name, code=f"{name} = ...")
        elif isinstance(node.value, ast.Dict | ast.List | ast.Set | ast.Call) and name.islower():
            empty = written_as(node.value) in ("{}", "[]", "set()", "dict()", "list()") or "defaultdict" in written_as(
                node.value
            )
            if empty:
                yield Call(span=self._at(node), fault="mutable_global", function=name, code=shortened(node))

    def _class(self, node: ast.ClassDef) -> Iterator[Fact]:
        bases = {written_as(base) for base in node.bases}
        if not any(b.endswith(("BaseModel", "Schema", "Request", "Base", "Event")) or "BaseModel" in b for b in bases):
            return
        if not any("BaseModel" in b for b in bases) and any("Mapped" in written_as(part) for part in node.body):
            return
        fields = []
        extra = ""
        for part in node.body:
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                if part.target.id == "model_config":
                    continue
                fields.append(self._field(node.name, part))
            found = (
                re.search(r"extra\s*=\s*['\"](\w+)", written_as(part)) if "model_config" in written_as(part) else None
            )
            extra = found.group(1) if found else extra
        old = _OLD_PYDANTIC.search(written_as(node))
        if old is not None:
            yield Call(span=self._at(node), fault="old_pydantic", function=node.name, code=old.group())
        if fields and any("BaseModel" in b for b in bases):
            yield Model(
                span=self._at(node),
                name=node.name,
                fields=len(fields),
                constrained=sum(field.constrained for field in fields),
                extra=extra,
            )
            yield from fields

    def _field(self, model: str, node: ast.AnnAssign) -> Field:
        written = f"{written_as(node.annotation)} {written_as(node.value)}"
        rules = {word.arg for call in ast.walk(node) if isinstance(call, ast.Call) for word in call.keywords}
        name = written_as(node.target)
        return Field(
            span=self._at(node),
            model=model,
            name=name,
            type=written_as(node.annotation),
            constrained=bool(rules & _FIELD_RULES) or bool(_CONSTRAINED_TYPES.search(written)),
            money=bool(_MONEY.search(name)),
            nullable_required=node.value is None and bool(_NULLABLE.search(written_as(node.annotation))),
        )

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Fact]:
        yield from self._route(node)
        calls = [call for call in own_nodes(node) if isinstance(call, ast.Call)]
        awaited = set(_awaited(node))
        for call in calls:
            yield from self._call(node, call, call in awaited)
        yield from self._handlers(node)
        yield from self._order(node, calls)
        for default in [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
            if isinstance(default, ast.Call) and re.search(
                r"(?:utcnow|now|today|uuid4|time)$", written_as(default.func)
            ):
                yield Call(span=self._at(node), fault="default_argument", function=node.name, code=shortened(default))

    def _waits(self, call: ast.Call) -> bool:
        """Return whether a call goes to a client that blocks, or to a function beside it that does."""
        receiver, _, name = written_as(call.func).rpartition(".")
        if receiver in self._clients:
            return True
        # A method is known by its name alone, so that the name has to be a telling one.
        return name in self._waiting and (not receiver or name not in _COMMON)

    def _route(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Route]:
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
                continue
            if (
                decorator.func.attr not in _METHODS
                or not decorator.args
                or not isinstance(decorator.args[0], ast.Constant)
            ):
                continue
            words = {word.arg: word.value for word in decorator.keywords}
            body = "\n".join(written_as(part) for part in node.body)
            taken = written_as(node.args)
            router = self._routers.get(written_as(decorator.func.value), _Router())
            yield Route(
                span=self._at(decorator, decorator),
                method=decorator.func.attr,
                path=router.prefix + str(decorator.args[0].value),
                function=node.name,
                is_async=isinstance(node, ast.AsyncFunctionDef),
                model=written_as(words.get("response_model")) or written_as(node.returns),
                status=written_as(words.get("status_code")),
                authenticated=bool(
                    _AUTHENTICATES.search(taken + written_as(words.get("dependencies")) + router.dependencies)
                ),
                writes=bool(_WRITES.search(body)),
                returns_dict=any(isinstance(r, ast.Return) and isinstance(r.value, ast.Dict) for r in own_nodes(node)),
                paged=_paged(node),
            )

    def _call(self, function: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call, awaited: bool) -> Iterator[Call]:
        name = written_as(call.func)
        written = written_as(call)

        def found(fault: str) -> Call:
            return Call(span=self._at(call), fault=fault, function=function.name, code=shortened(call))

        blocks_here = _BLOCKING.match(name) or (not awaited and self._waits(call))
        if isinstance(function, ast.AsyncFunctionDef) and blocks_here:
            yield found("blocking")
        if (
            name.endswith((".execute", ".fetch", ".fetchrow", ".fetchval", "text"))
            and call.args
            and _built(call.args[0])
        ):
            yield found("string_sql")
        if re.search(r"(?:jwt|jose)\.decode$|^decode_jwt$", name) and _unverified(call, written):
            yield found("unverified_token")
        if re.search(
            r"traceback\.format_exc|str\((?:e|exc|err|error)\)|repr\((?:e|exc|err|error)\)", written
        ) and re.search(r"(?:HTTPException|JSONResponse|Response)$", name):
            yield found("trace_to_client")
        if _SENDS.search(name):
            key = next((word.value for word in call.keywords if word.arg == "key"), None)
            if key is not None and _RANDOM.search(written_as(key)):
                yield found("random_key")
        if re.search(r"^(?:requests|httpx)\.(?:get|post|put|patch|delete|request)$|^urlopen$", name) and not any(
            word.arg == "timeout" for word in call.keywords
        ):
            yield found("no_timeout")

    def _handlers(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Swallowed]:
        for part in own_nodes(node):
            if not isinstance(part, ast.ExceptHandler):
                continue
            inside = [inner for statement in part.body for inner in ast.walk(statement)]
            answers = any(isinstance(inner, ast.Raise) for inner in inside)
            logs = any(isinstance(inner, ast.Call) and LOGS.search(written_as(inner.func)) for inner in inside)
            empty = all(
                isinstance(statement, ast.Pass | ast.Continue | ast.Break)
                or (
                    isinstance(statement, ast.Return)
                    and (statement.value is None or isinstance(statement.value, ast.Constant))
                )
                for statement in part.body
            )
            if empty and not answers and not logs:
                yield Swallowed(span=self._at(part), function=node.name, broad=is_broad(part))

    def _order(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, calls: Sequence[ast.Call]
    ) -> Iterator[SendAndCommit | OffsetCommit]:
        placed = sorted(calls, key=lambda call: (call.lineno, call.col_offset))
        names = [(written_as(call.func), call) for call in placed]
        sends = [
            call
            for name, call in names
            if _SENDS.search(name) and not re.search(r"mail|sms|http|client|ws|socket", name)
        ]
        commits = [call for name, call in names if _COMMITS.search(name)]
        if sends and commits:
            first, second = sorted((sends[0], commits[0]), key=lambda call: call.lineno)
            yield SendAndCommit(
                span=self._block.lines(first.lineno - 1 + self._shift, second.lineno - 1 + self._shift),
                function=node.name,
                first="send" if first is sends[0] else "commit",
            )
        offsets = [call for name, call in names if OFFSET_COMMITS.search(name)]
        loops = [part for part in own_nodes(node) if isinstance(part, ast.For | ast.AsyncFor | ast.While)]
        for commit in offsets[:1]:
            around = [loop for loop in loops if loop.lineno <= commit.lineno <= (loop.end_lineno or loop.lineno)]
            inside = [
                call.lineno
                for name, call in names
                if _HANDLES.search(name)
                and (not around or around[-1].lineno < call.lineno <= (around[-1].end_lineno or 0))
            ]
            if inside:
                when = "before" if commit.lineno < min(inside) else "after" if commit.lineno > max(inside) else ""
                if when:
                    yield OffsetCommit(span=self._at(commit), function=node.name, when=when)


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler takes every exception."""
    return handler.type is None or written_as(handler.type) in ("Exception", "BaseException")


def _awaited(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the calls of a function that are awaited, entered asynchronously, or handed to what awaits them."""
    for part in own_nodes(node):
        if isinstance(part, ast.Await):
            yield part.value
            if isinstance(part.value, ast.Call):
                yield from (inner for argument in part.value.args for inner in ast.walk(argument))
        elif isinstance(part, ast.AsyncWith):
            yield from (item.context_expr for item in part.items)
        elif isinstance(part, ast.Call) and re.search(
            r"(?:gather|create_task|wait_for|start_soon)$", written_as(part.func)
        ):
            yield from (inner for argument in part.args for inner in ast.walk(argument))


def _sync_clients(tree: ast.Module) -> set[str]:
    """Return the names of clients that block, made at the top of a module or kept in an object (``self.s3``)."""
    return {
        written_as(node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and (node in tree.body or isinstance(node.targets[0], ast.Attribute))
        and isinstance(node.value, ast.Call)
        and _SYNC_CLIENTS.match(written_as(node.value.func))
    }


def _waiting(tree: ast.Module) -> set[str]:
    """Return the functions of a module that are no coroutines and make a call that blocks."""
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(n, ast.Call) and _BLOCKING.match(written_as(n.func)) for n in own_nodes(node))
        and not any(_METHODS & {written_as(getattr(d, "func", d)).rpartition(".")[2]} for d in node.decorator_list)
    }


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a function holds, without the functions inside it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        yield child
        yield from own_nodes(child)


def _paged(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    names = {argument.arg.lower() for argument in (*node.args.args, *node.args.kwonlyargs)}
    if names & {"cursor", "after", "page_token", "before", "next_token"}:
        return "cursor"
    return "offset" if names & {"offset", "skip", "page"} else ""


def _built(node: ast.expr) -> bool:
    """Return whether an argument is SQL put together from values: f-string, ``%``, ``+`` or ``format``."""
    written = written_as(node)
    if not re.search(r"\b(?:select|insert|update|delete|where|from|order by)\b", written, re.IGNORECASE):
        return False
    if isinstance(node, ast.Call) and written_as(node.func) in ("text", "sa.text", "sqlalchemy.text") and node.args:
        return _built(node.args[0])
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        return True
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def _unverified(call: ast.Call, written: str) -> bool:
    if re.search(r"verify_signature['\"]?\s*[:=]\s*False|verify\s*=\s*False|['\"]none['\"]", written, re.IGNORECASE):
        return True
    return not any(word.arg in ("algorithms", None) for word in call.keywords) and len(call.args) < 3
