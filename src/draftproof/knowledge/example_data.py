"""Whether examples of data and of settings are YAML, TOML, JSON or properties."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import yaml

from draftproof.knowledge.kafka_names import DOTTED, SETTING_PREFIX, KafkaNames
from draftproof.knowledge.lines import Fault, joined_lines

_PROPERTY = re.compile(r"(?P<key>[^\s=:]+)\s*=\s*(?P<value>.*)")


def yaml_faults(code: str) -> Iterator[Fault]:
    """Yield where a text is not YAML, or a key stands twice."""
    loader: Any = yaml.SafeLoader(code)
    try:
        while loader.check_node():
            node = loader.get_node()
            yield from _twin_keys(node)
            loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield (mark.line + 1 if mark else 1), f"not YAML: {getattr(error, 'problem', None) or error}."
    except (ValueError, TypeError) as error:
        yield 1, f"not YAML: {error}."
    finally:
        loader.dispose()


def _twin_keys(node: yaml.Node | None) -> Iterator[Fault]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen and key.value != "<<":
                    yield key.start_mark.line + 1, f"the key {key.value!r} stands twice."
                seen.add(key.value)
            yield from _twin_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twin_keys(item)


def toml_faults(code: str) -> Iterator[Fault]:
    """Yield where a text is not TOML."""
    try:
        tomllib.loads(code)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        yield int(found.group(1)) if found else 1, f"not TOML: {error}."


def json_faults(code: str) -> Iterator[Fault]:
    """Yield where a text is not JSON, or a key stands twice."""
    twins: list[str] = []
    constants: list[str] = []

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in pairs]
        twins.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return dict(pairs)

    try:
        json.loads(code, object_pairs_hook=unique, parse_constant=constants.append)
    except json.JSONDecodeError as error:
        yield error.lineno, f"not JSON: {error.msg}."
    for constant in constants:
        yield 1, f"JSON has no {constant}."
    for twin in twins:
        yield 1, f"the key {twin!r} stands twice."


def properties_faults(code: str, kafka: KafkaNames) -> Iterator[Fault]:
    """Yield lines without a value, keys that stand twice, and settings that Kafka does not have."""
    keys: dict[str, int] = {}
    for number, line in joined_lines(code):
        text = line.strip()
        if not text or text.startswith(("#", "!", ";")) or re.fullmatch(r"\[[\w.-]+\]", text):
            continue
        found = _PROPERTY.fullmatch(text)
        if not found:
            yield number, f"not of the form key=value: {text!r}."
        elif found["key"] in keys:
            yield number, f"the key {found['key']!r} stands twice."
        else:
            keys[found["key"]] = number
    known = kafka.all
    dotted = {key: SETTING_PREFIX.sub("", key) for key in keys if DOTTED.fullmatch(SETTING_PREFIX.sub("", key))}
    right = [key for key, bare in dotted.items() if key in known or bare in known]
    for key, bare in dotted.items():
        if key in right or not known:
            continue
        meant = kafka.misspelt(key)
        # Among settings of Kafka a name that is none of them is wrong, near to another or not.
        if meant or 2 * len(right) > len(dotted):
            yield keys[key], f"Kafka has no setting {bare}" + (f"; {meant} is near." if meant else ".")
