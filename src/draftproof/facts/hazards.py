"""
What goes wrong in a design's Python when two do it at once, or one does it again.

A function is read as a whole: what it loads, tests and then changes; what it repeats; and
when a consumer says that it is done.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from draftproof.domain.document import Document
from draftproof.facts.base import Block, Fact
from draftproof.facts.python import (
    LOGS,
    OFFSET_COMMITS,
    is_broad,
    own_nodes,
    python_trees,
    shallow,
    shortened,
    written_as,
)

_LOADS = re.compile(
    r"\b(?:session|db|s|conn|connection|uow|tx|\w*repo\w*)\.(?:\w+\.)?"
    r"(?:get\(\s*[A-Z]|(?:get_one|scalar|scalars|execute|fetchrow|fetch_one|get_\w+|find\w*|load\w*)\()"
)
_GUARDED = re.compile(
    r"with_for_update|for[ _]update|advisory|lock\w*\(|\block\b|serializable|version|on_?conflict|on conflict|"
    r"rowcount|returning|nowait",
    re.IGNORECASE,
)
_CONSUMER = re.compile(r"consumer|kafka", re.IGNORECASE)
_BATCH = re.compile(r"\.(?:getmany|consume|poll)\(")
_SIDE_BY_SIDE = re.compile(r"(?:^|\.)(?:gather|create_task|start_soon|as_completed)$")
_BY_KEY = re.compile(r"key|partition|\.items\(\)|\.values\(\)|group", re.IGNORECASE)
_IDLE = re.compile(r"(?:^|\.)(?:sleep|str|repr|labels|observe|set|int|len|getattr)$")
_REPEATS = re.compile(r"retry|backoff|tenacity|stamina", re.IGNORECASE)
_KNOWN_AGAIN = re.compile(r"dempoten|request_id|x-request-id|dedup|reference", re.IGNORECASE)
_KEY_NAME = re.compile(r"idempotency[_-]?key", re.IGNORECASE)
_CHANGES = re.compile(
    r"uuid[14]\(|\brandom\b|token_hex|\battempts?\b|\btries\b|\bnow\(|\butcnow\(|\btime\(\)", re.IGNORECASE
)
_PER_PROCESS = re.compile(r"hostname|uuid[14]\(|getpid|pod_?name|\bnode\(", re.IGNORECASE)
_POST = re.compile(r"\.post\(|\.request\(\s*['\"]POST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard(Fact):
    """
    A function that is wrong when it runs twice, at once or again.

    Args:
        hazard:   ``check_then_act``: a loaded row's attribute is tested and then set, without a lock
                  or a condition in the statement. ``lost_update``: a loaded row's number is counted up
                  in memory. ``batch_at_once``: the messages of a batch are handled side by side.
                  ``failure_committed``: a message that failed is at most logged, and its offset
                  committed. ``changing_key``: a key by which a repetition should be known is made anew, or
                  counts the attempts. ``group_per_process``: each process is a consumer group of its own.
                  ``post_repeated``: a POST to another system is repeated without a key by
                  which it would be known again.
        function: Its name; empty for a loop outside a function.
        subject:  The attribute or call, as written.

    """

    kind: ClassVar[str] = "python.hazard"
    hazard: str
    function: str
    subject: str


def hazard_facts(document: Document) -> Iterable[Fact]:
    """Return the hazards of all Python in fences."""
    for tree, block, shift in python_trees(document):
        yield from shallow(_of_tree(tree, block, shift))


def _of_tree(tree: ast.Module, block: Block, shift: int) -> Iterator[Hazard]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            reader = _Reader(node, node.name, block, shift)
            yield from reader.changes()
            yield from reader.consumes()
            # A test repeats, and makes keys, as it likes.
            if not node.name.startswith("test"):
                yield from reader.keys()
                yield from reader.repeats(node.decorator_list)
    # A sketch may show a consumer, or its loop, alone.
    module = _Reader(tree, "", block, shift)
    yield from module.consumes()
    yield from module.keys()


class _Reader:
    """Reads one function, or a module's own statements."""

    def __init__(self, node: ast.AST, name: str, block: Block, shift: int) -> None:
        self._node, self._name, self._block, self._shift = node, name, block, shift
        self._nodes = list(own_nodes(node))

    def _hazard(self, hazard: str, subject: str, first: ast.AST, last: ast.AST | None = None) -> Hazard:
        start = getattr(first, "lineno", 1) - 1 + self._shift
        stop = getattr(last or first, "lineno", 1) - 1 + self._shift
        span = self._block.lines(start, max(start, stop))
        return Hazard(span=span, hazard=hazard, function=self._name, subject=subject)

    # -- rows -----------------------------------------------------------------------------

    def changes(self) -> Iterator[Hazard]:
        """Yield rows that are tested or counted up in memory and then written."""
        loaded = self._loaded()
        if not loaded or _GUARDED.search(written_as(self._node)):
            return
        tested = self._tested(loaded)
        for node in self._nodes:
            if isinstance(node, ast.AugAssign) and _row_of(node.target) in loaded:
                yield self._hazard("lost_update", written_as(node.target), node)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1:
                subject = written_as(node.targets[0])
                if subject in tested and tested[subject].lineno < node.lineno:
                    yield self._hazard("check_then_act", subject, tested[subject], node)
                elif _row_of(node.targets[0]) in loaded and subject in map(written_as, ast.walk(node.value)):
                    yield self._hazard("lost_update", subject, node)

    def _loaded(self) -> set[str]:
        """Return the names that hold a row read from the database."""
        names = set()
        for node in self._nodes:
            if not isinstance(node, ast.Assign) or len(node.targets) != 1:
                continue
            target = node.targets[0]
            if isinstance(target, ast.Name) and _LOADS.search(written_as(node.value)):
                names.add(target.id)
        return names

    def _tested(self, loaded: set[str]) -> dict[str, ast.If]:
        """Return the attributes of rows on which the function turns away, each with its first test."""
        tested: dict[str, ast.If] = {}
        for node in self._nodes:
            if not isinstance(node, ast.If) or not isinstance(node.body[-1], ast.Raise | ast.Return | ast.Continue):
                continue
            for part in ast.walk(node.test):
                if isinstance(part, ast.Attribute) and _row_of(part) in loaded:
                    tested.setdefault(written_as(part), node)
        return tested

    # -- consumers ------------------------------------------------------------------------

    def consumes(self) -> Iterator[Hazard]:
        """Yield what a consumer's loop does too early or all at once; of loops in one another the outer one."""
        read: set[ast.AST] = set()
        for loop in self._nodes:
            if not isinstance(loop, ast.For | ast.AsyncFor | ast.While) or loop in read:
                continue
            text = written_as(loop)
            if _CONSUMER.search(text):
                read.update(own_nodes(loop))
                yield from self._at_once(loop, text)
                yield from self._failures(loop)

    def _at_once(self, loop: ast.For | ast.AsyncFor | ast.While, text: str) -> Iterator[Hazard]:
        if not _BATCH.search(text) and not isinstance(loop, ast.AsyncFor):
            return
        for call in own_nodes(loop):
            if not isinstance(call, ast.Call) or not _SIDE_BY_SIDE.search(written_as(call.func)):
                continue
            if not _BY_KEY.search(" ".join([*map(written_as, call.args), *_walked(loop, call)])):
                yield self._hazard("batch_at_once", shortened(call), call)
                return

    def _failures(self, loop: ast.For | ast.AsyncFor | ast.While) -> Iterator[Hazard]:
        for statements in _lists(loop):
            for place, node in enumerate(statements):
                if not isinstance(node, ast.Try):
                    continue
                after = [*node.finalbody, *statements[place + 1 :]]
                commits = next(filter(_commits_offset, after), None)
                if commits is None:
                    continue
                dropped = next((h for h in node.handlers if _goes_on(h)), None)
                if dropped is not None:
                    yield self._hazard("failure_committed", written_as(dropped.type), dropped, commits)
                    return

    # -- calls ----------------------------------------------------------------------------

    def keys(self) -> Iterator[Hazard]:
        """Yield keys of idempotency that differ between attempts, and consumer groups that differ between processes."""
        for node in self._nodes:
            pairs: list[tuple[str, ast.expr]] = []
            # What a class is made with is stored, and the same at each attempt.
            if isinstance(node, ast.Call) and not written_as(node.func).rpartition(".")[2][:1].isupper():
                pairs = [(word.arg, word.value) for word in node.keywords if word.arg]
            elif isinstance(node, ast.Call) and re.search(r"Consumer$", written_as(node.func)):
                pairs = [(word.arg, word.value) for word in node.keywords if word.arg == "group_id"]
            elif isinstance(node, ast.Dict):
                pairs = [(_text(k), v) for k, v in zip(node.keys, node.values, strict=True)]
            for name, value in pairs:
                text = written_as(value)
                subject = f"{name} = {shortened(value)}"
                if name in ("group_id", "group.id") and _PER_PROCESS.search(text) and "test" not in text:
                    yield self._hazard("group_per_process", subject, value)
                if _KEY_NAME.search(name) and _CHANGES.search(text):
                    yield self._hazard("changing_key", subject, value)

    def repeats(self, decorators: Sequence[ast.expr]) -> Iterator[Hazard]:
        """Yield a POST that a decorator or a loop of attempts repeats, with nothing to know it again by."""
        repeated = any(_REPEATS.search(written_as(getattr(d, "func", d))) for d in decorators) or any(
            isinstance(n, ast.For | ast.AsyncFor) and _REPEATS.search(written_as(n.iter)) for n in self._nodes
        )
        if not repeated or _KNOWN_AGAIN.search(written_as(self._node)):
            return
        for call in self._nodes:
            if isinstance(call, ast.Call) and _POST.search(
                f"{written_as(call.func)}({written_as(call.args[0]) if call.args else ''}"
            ):
                yield self._hazard("post_repeated", shortened(call), call)
                return


def _text(node: ast.expr | None) -> str:
    """Return the text of a literal, or nothing."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _walked(loop: ast.AST, call: ast.Call) -> Iterator[str]:
    """Yield what the loops and comprehensions between a consumer's loop and a call in it go through."""
    for node in own_nodes(loop):
        inside = any(part is call for part in ast.walk(node))
        if inside and isinstance(node, ast.For | ast.AsyncFor):
            yield written_as(node.iter)
        elif inside and isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            yield from (written_as(generator.iter) for generator in node.generators)


def _commits_offset(statement: ast.stmt) -> bool:
    return any(isinstance(n, ast.Call) and OFFSET_COMMITS.search(written_as(n.func)) for n in ast.walk(statement))


def _row_of(node: ast.AST) -> str:
    """Return the name of the row that an attribute belongs to, or nothing."""
    return node.value.id if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else ""


def _lists(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements inside a loop, without those of functions in it."""
    for part in (node, *own_nodes(node)):
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(part, name, None)
            if isinstance(statements, list) and statements and isinstance(statements[0], ast.stmt):
                yield statements


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler of every exception lets the loop go on without putting the message aside."""
    if not is_broad(handler):
        return False
    leaves = any(isinstance(n, ast.Raise | ast.Return | ast.Break | ast.Continue) for n in ast.walk(handler))
    # Any call but one that tells or waits may put the message aside.
    calls = [n for n in ast.walk(handler) if isinstance(n, ast.Call)]
    return not leaves and all(LOGS.search(written_as(c.func)) or _IDLE.search(written_as(c.func)) for c in calls)
