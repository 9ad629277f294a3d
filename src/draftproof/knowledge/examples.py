"""Whether fenced examples can be what they claim to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from draftproof.knowledge.example_builds import dockerfile_faults, makefile_faults
from draftproof.knowledge.example_code import python_faults, sql_faults
from draftproof.knowledge.example_data import json_faults, properties_faults, toml_faults, yaml_faults
from draftproof.knowledge.kafka_names import NO_NAMES, KafkaNames
from draftproof.knowledge.lines import Fault

# Languages that may stand at a fence and are not looked into. Shell scripts are checked by
# the tests, with bash itself.
_UNCHECKED = re.compile(
    "avro|bash|console|csv|diff|go|graphql|hcl|html|http|ini|java|javascript|js|kotlin|markdown|md|nginx|proto|protobuf"
    "|pycon|rego|rust|sh|shell|terraform|text|ts|txt|typescript|xml|zsh"
)
_DIAGRAM = re.compile(
    "architecture-beta|block(?:-beta)?|C4(?:Component|Container|Context|Deployment|Dynamic)|classDiagram(?:-v2)?|erDiagram"
    "|flowchart|gantt|gitGraph|graph|info|journey|kanban|mindmap|packet(?:-beta)?|pie|quadrantChart|radar-beta"
    "|requirementDiagram|sankey(?:-beta)?|sequenceDiagram|stateDiagram(?:-v2)?|timeline|treemap-beta|xychart(?:-beta)?"
    "|zenuml"
)


def faults_of_example(language: str, code: str, kafka: KafkaNames = NO_NAMES) -> list[str]:
    """
    Return what is wrong with an example, each with its line.

    Args:
        language: The word behind the fence.
        code:     The text between the fences.
        kafka:    The settings that exist; without them names are not checked.

    """
    return [f"line {line}: {what}" for line, what in example_faults(language, code, kafka)]


def example_faults(language: str, code: str, kafka: KafkaNames) -> list[Fault]:
    """Return what is wrong with an example, as pairs of line and fault."""
    name = language.lower()
    if not code.strip():
        return [(1, "the example is empty.")]
    if name == "properties":
        return list(properties_faults(code, kafka))
    if name in ("python", "py"):
        return list(python_faults(code, kafka))
    check = _CHECKS.get(name)
    if check is not None:
        return list(check(code))
    return [] if _UNCHECKED.fullmatch(name) else [(1, f"the language {language!r} is not known.")]


def _mermaid_faults(code: str) -> Iterator[Fault]:
    text = re.sub(r"\A\s*---\n.*?\n---\n", lambda found: "\n" * found.group().count("\n"), code, flags=re.DOTALL)
    lines = [(n, line.strip()) for n, line in enumerate(text.split("\n"), start=1)]
    content = [(n, line) for n, line in lines if line and not line.startswith("%%")]
    if not content:
        yield 1, "the diagram is empty."
        return
    number, head = content[0]
    kind = re.match(r"[\w-]*", head)
    name = kind.group() if kind else ""
    if not _DIAGRAM.fullmatch(name):
        yield number, f"no type of diagram begins with {head[:30]!r}."
    elif len(content) == 1 and name != "info":
        yield number, "the diagram has only its type."


_CHECKS: Mapping[str, Callable[[str], Iterator[Fault]]] = {
    "sql": sql_faults,
    "postgresql": sql_faults,
    "yaml": yaml_faults,
    "yml": yaml_faults,
    "toml": toml_faults,
    "json": json_faults,
    "makefile": makefile_faults,
    "make": makefile_faults,
    "dockerfile": dockerfile_faults,
    "docker": dockerfile_faults,
    "mermaid": _mermaid_faults,
}
