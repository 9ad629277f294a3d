"""YAML in fences as plain values that know their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from draftproof.facts.base import Block

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_CHARACTERS = 20_000
_MOST_NODES = 20_000
_DEEPEST = 40
_KEY = re.compile(r"^\s*-?\s*[\w.\"'/${}-]+\s*:(?:\s|$)", re.MULTILINE)
_OTHER_LANGUAGES = frozenset({"python", "py", "sql", "json", "toml", "make", "makefile", "dockerfile", "http", "ini"})


@dataclass(frozen=True, slots=True)
class Node:
    """
    A YAML value with the lines that it stands on.

    Args:
        value: A scalar as text, a list of nodes, or a mapping of text to node.
        first: Its first line within the block, 0-based; a mapping's value starts at its key.
        last:  Its last line within the block.

    """

    value: Any
    first: int
    last: int

    def get(self, *names: str) -> Node | None:
        """Return what stands under a chain of keys, or ``None``."""
        node: Node | None = self
        for name in names:
            if node is None or not isinstance(node.value, dict):
                return None
            node = node.value.get(name)
        return node

    def text(self, *names: str) -> str:
        """Return a scalar under a chain of keys as text, or an empty string."""
        node = self.get(*names)
        return node.value if node is not None and isinstance(node.value, str) else ""

    def items(self) -> list[tuple[str, Node]]:
        """Return the pairs of a mapping; ``KEY=value`` entries of a list count as pairs."""
        if isinstance(self.value, dict):
            return list(self.value.items())
        if not isinstance(self.value, list):
            return []
        pairs = []
        for node in self.value:
            if isinstance(node.value, str) and "=" in node.value:
                name, _, value = node.value.partition("=")
                pairs.append((name.strip(), Node(value.strip(), node.first, node.last)))
        return pairs

    def names(self) -> list[str]:
        """Return the keys of a mapping, or the scalars of a list."""
        if isinstance(self.value, dict):
            return list(self.value)
        if isinstance(self.value, list):
            return [node.value for node in self.value if isinstance(node.value, str)]
        return []


def yaml_nodes(block: Block) -> Iterator[Node]:
    """Yield the documents of a block that is YAML by label or by look; what cannot be parsed yields nothing."""
    if block.language in _OTHER_LANGUAGES or block.diagram or len(block.text) > _MOST_CHARACTERS:
        return
    if block.language not in ("yaml", "yml") and len(_KEY.findall(block.text)) < 3:
        return
    # Sketches: an ellipsis on a line of its own means "and more", a tab is a slip.
    yield from parsed(re.sub(r"^\s*(?:\.\.\.|…)\s*$", "", block.text.replace("\t", "  "), flags=re.MULTILINE))


def parsed(text: str) -> Iterator[Node]:
    """Yield the documents of YAML, or of JSON, which is YAML as well, up to the first fault."""
    reader = _Reader()
    try:
        for document in yaml.compose_all(text, Loader=_Loader):
            if document is not None:
                yield reader.node(document, document.start_mark.line, 0)
    except (yaml.YAMLError, RecursionError):
        return


class _Reader:
    """Turns the nodes of PyYAML into ours; aliases that multiply are cut off."""

    def __init__(self) -> None:
        self._left = _MOST_NODES

    def node(self, node: Any, first: int, depth: int) -> Node:
        last = max(first, node.end_mark.line - (1 if node.end_mark.column == 0 else 0))
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return Node("", first, last)
        if isinstance(node, yaml.MappingNode):
            pairs = self._pairs(node, depth)
            return Node(pairs, first, max((n.last for n in pairs.values()), default=last))
        if isinstance(node, yaml.SequenceNode):
            return Node([self.node(n, n.start_mark.line, depth + 1) for n in node.value], first, last)
        return Node(str(node.value), first, last)

    def _pairs(self, node: Any, depth: int) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            read = self.node(value, key.start_mark.line, depth + 1)
            if key.value == "<<":
                for part in read.value if isinstance(read.value, list) else [read]:
                    # What is merged stands where it is merged in, not where the anchor is.
                    members = part.value if isinstance(part.value, dict) else {}
                    merged.update({k: Node(v.value, read.first, read.first) for k, v in members.items()})
            else:
                own[str(key.value)] = read
        return {**merged, **own}
