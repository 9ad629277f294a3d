"""YAML in fences becomes values that know their lines; broken YAML yields what stands before the fault."""

from __future__ import annotations

import time

import pytest

from draftproof.facts.base import blocks
from draftproof.facts.yaml_blocks import Node, parsed, yaml_nodes
from tests.fakes.facts import fenced


def nodes(text: str, language: str = "yaml") -> list[Node]:
    (block,) = blocks(fenced(text, language))
    return list(yaml_nodes(block))


def test_values_are_found_under_chains_of_keys_with_their_lines() -> None:
    (root,) = nodes("a:\n  b:\n    c: 1\nd: [x, y]\n")
    found = root.get("a", "b", "c")
    assert found is not None
    assert (found.value, found.first) == ("1", 2)
    assert root.text("a", "b", "c") == "1"
    assert root.get("a", "x", "c") is None
    assert root.text("a", "b") == ""


def test_a_mapping_ends_with_its_last_value() -> None:
    (root,) = nodes("a:\n  b: 1\n  c: 2\nd: 3\n")
    inner = root.get("a")
    assert inner is not None
    assert (inner.first, inner.last) == (0, 2)


def test_scalars_stay_text_as_written() -> None:
    (root,) = nodes("a: yes\nb: 0x10\nc: 1.10\non: push\n")
    assert [root.text(name) for name in ("a", "b", "c", "on")] == ["yes", "0x10", "1.10", "push"]


def test_lists_of_assignments_count_as_pairs() -> None:
    (root,) = nodes("env:\n  - A=1\n  - B = x=y\n  - C\n")
    environment = root.get("env")
    assert environment is not None
    assert [(name, node.value) for name, node in environment.items()] == [("A", "1"), ("B", "x=y")]
    assert environment.names() == ["A=1", "B = x=y", "C"]


def test_what_is_merged_in_counts_and_yields_to_what_stands_there() -> None:
    (root,) = nodes("x: &x\n  a: 1\n  b: 2\ny:\n  <<: *x\n  b: 3\nz:\n  <<: [*x]\n")
    assert (root.text("y", "a"), root.text("y", "b"), root.text("z", "b")) == ("1", "3", "2")
    merged = root.get("y", "a")
    assert merged is not None
    assert merged.first == 4


def test_several_documents_of_a_fence_are_read_up_to_the_fault() -> None:
    assert [node.text("a") for node in nodes("a: 1\n---\na: 2\n---\na: [\n")] == ["1", "2"]


def test_a_sketch_may_leave_out_lines_and_indent_by_tabs() -> None:
    (root,) = nodes("a:\n\tb: 1\n...\nc: 2\n")
    assert (root.text("a", "b"), root.text("c")) == ("1", "2")


def test_a_fence_without_a_label_is_yaml_if_it_looks_like_it() -> None:
    assert nodes("a: 1\nb: 2\nc: 3", "")
    assert not nodes("a: 1\nsome words", "")
    assert not nodes("a: 1\nb: 2\nc: 3", "python")


@pytest.mark.parametrize(
    "text", ["~", "a: [", "*x", "a: *x", "- - -", "%", "a: 'x", "{{ x }}: 1", "? [a]\n: b", "!!python/object:x {}"]
)
def test_broken_yaml_raises_nothing(text: str) -> None:
    assert all(isinstance(node, Node) for node in nodes(text))


def test_nothing_reads_a_mapping_from_a_scalar_or_a_list() -> None:
    for value in ("x", [Node("y", 0, 0)]):
        node = Node(value, 0, 0)
        assert node.get("a") is None
        assert node.text("a") == ""
    assert Node("x", 0, 0).items() == []
    assert Node("x", 0, 0).names() == []


def test_aliases_that_multiply_and_refer_to_themselves_take_no_time() -> None:
    rows = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"{new}: &{new} [{', '.join(['*' + old] * 10)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    started = time.perf_counter()
    assert list(parsed("\n".join(rows)))
    assert list(parsed("a: &a [*a, *a]\n"))
    assert time.perf_counter() - started < 2


def test_endless_nesting_yields_nothing() -> None:
    assert list(parsed("[" * 15_000)) == []
