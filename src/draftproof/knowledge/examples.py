"""Whether a note keeps its form, and whether its fenced examples can be what they claim to be."""

from __future__ import annotations

import ast
import difflib
import json
import logging
import re
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import sqlglot
import yaml
from pydantic import Field
from sqlglot import expressions as exp
from sqlglot.errors import ErrorLevel, SqlglotError

from draftproof.errors import DataError
from draftproof.knowledge.shapes import Shape, front_matter, load_yaml, validated

HEADINGS = ("Practice", "How", "Numbers", "Prevents", "When it does not apply", "Ask")
OPTIONAL_HEADINGS = frozenset({"Numbers"})
MOST_WORDS = 60
MOST_QUESTIONS = 3

# Languages that may stand at a fence and are not looked into. Shell scripts are checked by
# the tests, with bash itself.
_UNCHECKED = re.compile(
    "avro|bash|console|csv|diff|go|graphql|hcl|html|http|ini|java|javascript|js|kotlin|markdown|md|nginx|proto|protobuf"
    "|pycon|rego|rust|sh|shell|terraform|text|ts|txt|typescript|xml|zsh"
)
_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<marks>`{3,}|~{3,})[ \t]*(?P<language>[^\s`{]*)")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_QUOTED = re.compile(r"`([^`\n]+)`")
# Two parts at least, lower case, as Kafka writes its settings.
_DOTTED = re.compile(r"[a-z]+(?:\.[a-z0-9]+)+")
_PROPERTY = re.compile(r"(?P<key>[^\s=:]+)\s*=\s*(?P<value>.*)")
# What stands in front of a setting in files for several clients or listeners.
_SETTING_PREFIX = re.compile(r"^(?:(?:producer|consumer|admin)(?:\.override)?|listener\.name\.\w+)\.")

Scope = Literal[
    "producer", "consumer", "broker", "topic", "librdkafka", "connect", "aiokafka-producer", "aiokafka-consumer"
]
Value = bool | int | float | str | None


class KafkaSettingShape(Shape):
    """One setting of Kafka or of one of its clients."""

    name: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")
    scopes: list[Scope] = Field(min_length=1)
    default: Value = None
    defaults: dict[Scope, Value] = Field(default_factory=dict)
    since: str | None = None
    removed: str | None = None


class KafkaSettingsShape(Shape):
    """``knowledge/kafka-settings.yaml``."""

    settings: list[KafkaSettingShape] = Field(min_length=1)


@dataclass(frozen=True)
class KafkaNames:
    """
    The names of settings that exist, by where they are used.

    Args:
        by_scope: Names by producer, consumer, broker and so on. Without any, no name is checked.

    """

    by_scope: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def all(self) -> frozenset[str]:
        """Every name."""
        return frozenset().union(*self.by_scope.values())

    def misspelt(self, name: str) -> str | None:
        """
        Return the setting that was meant, or nothing where the name is right or is none of Kafka's.

        Only a name of three parts or more that is very near to one, and ends or begins as one, is
        taken for one of Kafka's: other programs have settings with dots, too.
        """
        known = self.all
        bare = _SETTING_PREFIX.sub("", name)
        if not known or name in known or bare in known or not _DOTTED.fullmatch(bare):
            return None
        near = difflib.get_close_matches(bare, known, n=1, cutoff=0.88)
        if not near:
            return None
        if near[0].replace(".", "") == bare.replace(".", ""):
            return near[0]
        ours, theirs = near[0].split("."), bare.split(".")
        return near[0] if len(theirs) > 2 and (ours[-1] == theirs[-1] or ours[:2] == theirs[:2]) else None


NO_NAMES = KafkaNames()


def load_kafka_names(text: str, place: str) -> KafkaNames:
    """Return the names of Kafka's settings, or raise a fault that names the entry."""
    shape = validated(KafkaSettingsShape, load_yaml(text, place), place)
    by_scope: dict[str, set[str]] = {}
    for setting in shape.settings:
        for scope in setting.scopes:
            names = by_scope.setdefault(scope, set())
            if setting.name in names:
                raise DataError(f"{place}: {setting.name} stands twice for {scope}.")
            names.add(setting.name)
    return KafkaNames({scope: frozenset(names) for scope, names in by_scope.items()})


# A line of the example, counted from 1, and what is wrong there.
_Fault = tuple[int, str]


def faults_of_example(language: str, code: str, kafka: KafkaNames = NO_NAMES) -> list[str]:
    """
    Return what is wrong with an example, each with its line.

    Args:
        language: The word behind the fence.
        code:     The text between the fences.
        kafka:    The settings that exist; without them names are not checked.

    """
    return [f"line {line}: {what}" for line, what in _example_faults(language, code, kafka)]


def note_faults(note_text: str, place: str, kafka: KafkaNames = NO_NAMES) -> list[str]:
    """
    Return every fault of a note's form and of its examples, as ``file:line: what``.

    Args:
        note_text: The file's text.
        place:     Its path.
        kafka:     The settings that exist; without them names are not checked.

    """
    try:
        data, body, first = front_matter(note_text, place)
    except DataError as error:
        return error.message.split("\n")
    faults = _front_faults(data, note_text)
    prose, blocks, open_fences = _divided(body, first)
    faults += open_fences
    faults += _heading_faults(prose, first)
    if not blocks:
        faults.append((first, "there is no fenced example."))
    for line, language, code in blocks:
        if language:
            faults += [(line + at, what) for at, what in _example_faults(language, code, kafka)]
        else:
            faults.append((line, "the example names no language behind its fence."))
    head = list(enumerate(note_text.split("\n")[: first - 1], start=1))
    faults += _prose_faults([*head, *prose], kafka)
    return [f"{place}:{line}: {what}" for line, what in sorted(faults)]


def _front_faults(data: Mapping[str, Any], text: str) -> list[_Fault]:
    faults = []
    reviewed = str(data.get("reviewed", ""))
    if not _ISO_DATE.fullmatch(reviewed) or not _is_date(reviewed):
        faults.append((_line_of("reviewed", text), f"reviewed: {reviewed!r} is not a date YYYY-MM-DD."))
    sources = data.get("sources")
    if not isinstance(sources, list) or not sources:
        faults.append((_line_of("sources", text), "sources: at least one is needed."))
    else:
        for number, source in enumerate(sources, start=1):
            given = source if isinstance(source, dict) else {}
            if not all(str(given.get(key) or "").strip() for key in ("title", "version")):
                faults.append((_line_of("sources", text), f"sources: number {number} lacks title or version."))
    words = len(str(data.get("recommendation") or "").split())
    if not words:
        faults.append((_line_of("recommendation", text), "recommendation: it is empty."))
    elif words > MOST_WORDS:
        faults.append(
            (_line_of("recommendation", text), f"recommendation: {words} words; at most {MOST_WORDS} are read.")
        )
    return faults


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _line_of(member: str, text: str) -> int:
    found = re.search(rf"^{member}:", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _divided(body: str, first: int) -> tuple[list[tuple[int, str]], list[tuple[int, str, str]], list[_Fault]]:
    """Return the lines of prose, the fenced blocks with the line of their fence, and fences left open."""
    prose: list[tuple[int, str]] = []
    blocks: list[tuple[int, str, str]] = []
    held: list[str] = []
    opened: tuple[int, str, str] | None = None
    for number, line in enumerate(body.split("\n"), start=first):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened, held = (number, fence["marks"], fence["language"]), []
        elif opened is None:
            prose.append((number, line))
        elif fence and line.strip().startswith(opened[1]) and not line.strip().strip(opened[1][0]):
            blocks.append((opened[0], opened[2].lower(), "\n".join(held) + "\n"))
            opened = None
        else:
            held.append(line)
    return prose, blocks, [(opened[0], "the fence is not closed.")] if opened else []


def _heading_faults(prose: list[tuple[int, str]], first: int) -> list[_Fault]:
    faults: list[_Fault] = []
    parts: dict[str, tuple[int, list[str]]] = {}
    name = ""
    for number, line in prose:
        if line.startswith("## "):
            name = line[3:].strip()
            if name not in HEADINGS:
                faults.append((number, f"the heading {name!r} is none of {', '.join(HEADINGS)}."))
            elif name in parts:
                faults.append((number, f"the heading {name!r} stands twice."))
            parts.setdefault(name, (number, []))
        elif name and line.strip():
            parts[name][1].append(line)
    known = [heading for heading in parts if heading in HEADINGS]
    wanted = [heading for heading in HEADINGS if heading in parts]
    for before, after in zip(known, wanted, strict=True):
        if before != after:
            faults.append((parts[before][0], f"the heading {before!r} stands where {after!r} belongs."))
            break
    missing = [heading for heading in HEADINGS if heading not in parts and heading not in OPTIONAL_HEADINGS]
    faults += [(first, f"the heading {heading!r} is missing.") for heading in missing]
    faults += [(parts[heading][0], f"{heading!r} is empty.") for heading in known if not parts[heading][1]]
    if "Ask" in parts:
        number, lines = parts["Ask"]
        questions = [line for line in lines if line.startswith("- ")]
        if not 1 <= len(questions) <= MOST_QUESTIONS:
            faults.append((number, f"'Ask' has {len(questions)} questions; one to {MOST_QUESTIONS} are wanted."))
        faults += [(number, f"not a question: {line[2:]!r}.") for line in questions if not line.rstrip().endswith("?")]
    return faults


def _prose_faults(prose: list[tuple[int, str]], kafka: KafkaNames) -> list[_Fault]:
    faults = []
    for number, line in prose:
        for quoted in _QUOTED.findall(line):
            name = quoted.split("=")[0].strip()
            meant = kafka.misspelt(name)
            if meant:
                faults.append((number, f"Kafka has no setting {name}; {meant} is near."))
    return faults


def _example_faults(language: str, code: str, kafka: KafkaNames) -> list[_Fault]:
    name = language.lower()
    if not code.strip():
        return [(1, "the example is empty.")]
    if name == "properties":
        return list(_properties(code, kafka))
    if name in ("python", "py"):
        return list(_python(code, kafka))
    check = _CHECKS.get(name)
    if check is not None:
        return list(check(code))
    return [] if _UNCHECKED.fullmatch(name) else [(1, f"the language {language!r} is not known.")]


def _python(code: str, kafka: KafkaNames) -> Iterator[_Fault]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SyntaxWarning)
            tree = ast.parse(code)
    except SyntaxError as error:
        yield error.lineno or 1, f"not Python: {error.msg}."
        return
    except ValueError as error:
        yield 1, f"not Python: {error}."
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _client_settings(node, kafka)


def _client_settings(call: ast.Call, kafka: KafkaNames) -> Iterator[_Fault]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    scope = {"AIOKafkaProducer": "aiokafka-producer", "AIOKafkaConsumer": "aiokafka-consumer"}.get(name)
    known = kafka.by_scope.get(scope or "")
    if known:
        for keyword in call.keywords:
            if keyword.arg and keyword.arg not in known:
                yield keyword.lineno, f"{name} has no argument {keyword.arg}."
    if name in ("Producer", "Consumer", "DeserializingConsumer", "SerializingProducer") and call.args:
        keys = call.args[0].keys if isinstance(call.args[0], ast.Dict) else []
        for key in keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                meant = kafka.misspelt(key.value)
                if meant:
                    yield key.lineno, f"Kafka has no setting {key.value}; {meant} is near."


# What sqlglot has no grammar for and passes on as text, by the first words.
_PASSED_ON = re.compile(
    r"(?:CALL|CHECKPOINT|CLUSTER|COPY|DISCARD|DO|EXECUTE|EXPLAIN|GRANT|LISTEN|LOCK|NOTIFY|PREPARE|REASSIGN|REFRESH|REINDEX"
    r"|RELEASE|RESET|REVOKE|SAVEPOINT|SECURITY|SET|SHOW|UNLISTEN|VACUUM|(?:ALTER|CREATE|DROP) (?:AGGREGATE|CAST"
    r"|COLLATION|DATABASE|DEFAULT PRIVILEGES|DOMAIN|EVENT TRIGGER|EXTENSION|FOREIGN|FUNCTION|GROUP|INDEX|MATERIALIZED"
    r"|OPERATOR|OR REPLACE|OWNED|POLICY|PROCEDURE|PUBLICATION|ROLE|RULE|SCHEMA|SEQUENCE|SERVER|STATISTICS|SUBSCRIPTION"
    r"|SYSTEM|TABLE|TABLESPACE|TEMP|TEMPORARY|TRIGGER|TYPE|UNIQUE|UNLOGGED|USER|VIEW))\b",
    re.IGNORECASE,
)
_NO_STATEMENT = (exp.Column, exp.Alias, exp.Literal, exp.Identifier, exp.Paren, exp.Binary)


def _sql(code: str) -> Iterator[_Fault]:
    faults = [
        (number, "a command or variable of psql, which no driver understands.")
        for number, line in enumerate(code.split("\n"), start=1)
        if re.match(r"\s*\\\w", line) or re.search(r"(?<!:):['\"]\w+['\"]", re.sub(r"--.*", "", line))
    ]
    if faults:
        yield from faults
        return
    logger = logging.getLogger("sqlglot")
    level = logger.level
    # It warns of what it passes on as text; that is looked at below.
    logger.setLevel(logging.ERROR)
    try:
        statements = sqlglot.parse(code, read="postgres", error_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        first: Mapping[str, Any] = next(iter(getattr(error, "errors", [])), {})
        what = str(first.get("description") or error).split("\n")[0].rstrip(".")
        yield int(first.get("line") or 1), f"not SQL of PostgreSQL: {what}."
        return
    finally:
        logger.setLevel(level)
    for statement in statements:
        if isinstance(statement, exp.Command):
            text = " ".join(f"{statement.this} {statement.expression or ''}".split())
            if not _PASSED_ON.match(text):
                yield _place_in(code, text), f"not a statement of PostgreSQL: {text[:40]!r}."
        elif isinstance(statement, _NO_STATEMENT):
            text = statement.sql("postgres")
            yield _place_in(code, text), f"not a statement of PostgreSQL: {text[:40]!r}."


def _place_in(code: str, text: str) -> int:
    """Return the line on which a statement begins, by its first words."""
    found = re.search(r"\s+".join(re.escape(word) for word in text.split()[:2]), code)
    return code.count("\n", 0, found.start()) + 1 if found else 1


def _yaml(code: str) -> Iterator[_Fault]:
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


def _twin_keys(node: yaml.Node | None) -> Iterator[_Fault]:
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


def _toml(code: str) -> Iterator[_Fault]:
    try:
        tomllib.loads(code)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        yield int(found.group(1)) if found else 1, f"not TOML: {error}."


def _json(code: str) -> Iterator[_Fault]:
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


def _properties(code: str, kafka: KafkaNames) -> Iterator[_Fault]:
    keys: dict[str, int] = {}
    for number, line in _joined_lines(code):
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
    dotted = {key: _SETTING_PREFIX.sub("", key) for key in keys if _DOTTED.fullmatch(_SETTING_PREFIX.sub("", key))}
    right = [key for key, bare in dotted.items() if key in known or bare in known]
    for key, bare in dotted.items():
        if key in right or not known:
            continue
        meant = kafka.misspelt(key)
        # Among settings of Kafka a name that is none of them is wrong, near to another or not.
        if meant or 2 * len(right) > len(dotted):
            yield keys[key], f"Kafka has no setting {bare}" + (f"; {meant} is near." if meant else ".")


def _joined_lines(code: str) -> Iterator[tuple[int, str]]:
    """Yield lines with those that continue them, each with the number of its first line."""
    start, held = 0, ""
    for number, line in enumerate(code.split("\n"), start=1):
        start = start or number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        yield start, held + line
        start, held = 0, ""
    if held:
        yield start, held


_MAKE_DIRECTIVE = re.compile(
    r"(?:-?include|sinclude|ifeq|ifneq|ifdef|ifndef|else|endif|define|endef|export|unexport|override|undefine|vpath)\b"
)
_MAKE_VARIABLE = re.compile(r"[\w.-]+\s*(?:=|:=|::=|:::=|\?=|\+=|!=)")
_MAKE_TARGET = re.compile(r"[\w./%*?$-]+(?:\s+[\w./%*?$-]+)*\s*&?::?(?:\s|;|$)")


def _makefile(code: str) -> Iterator[_Fault]:
    target = inside = False
    for number, line in _joined_lines(code):
        text = line.strip()
        if re.match(r"(?:override\s+)?define\b", text):
            inside = True
        if inside:
            inside = text != "endef"
            continue
        if not text or (text.startswith("#") and not line.startswith("\t")):
            continue
        if line.startswith("\t"):
            if not target:
                yield number, "a recipe line without a target in front of it."
            continue
        # References may hold colons and blanks.
        plain = re.sub(r"\$[({][^(){}]*[)}]", "$", text)
        if _MAKE_DIRECTIVE.match(plain) or _MAKE_VARIABLE.match(plain):
            continue
        if line.startswith(" ") and target:
            yield number, "a recipe line has to begin with a tab."
        elif _MAKE_TARGET.match(plain):
            target = True
        elif not re.fullmatch(r"\$", plain):
            yield number, f"neither target, variable nor recipe: {text[:40]!r}."


_INSTRUCTION = re.compile(
    "ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR"
)


def _dockerfile(code: str) -> Iterator[_Fault]:
    started = False
    waiting: list[str] = []
    lines = "\n".join("" if line.lstrip().startswith("#") else line for line in code.split("\n"))
    # A comment between continued lines does not end the instruction.
    lines = re.sub(r"\\\n(?:[ \t]*\n)+", lambda found: "\\\n" * found.group().count("\n"), lines)
    for number, line in _joined_lines(lines):
        text = line.strip()
        if waiting:
            waiting = waiting[1:] if text == waiting[0] else waiting
            continue
        if not text:
            continue
        word, _, rest = text.partition(" ")
        if not _INSTRUCTION.fullmatch(word.upper()):
            yield number, f"{word} is no instruction of a Dockerfile."
        elif not rest.strip():
            yield number, f"{word} has no argument."
        elif not started and word.upper() not in ("FROM", "ARG"):
            yield number, "the first instruction has to be FROM or ARG."
        elif word.upper() in ("CMD", "ENTRYPOINT", "SHELL") and rest.lstrip().startswith("[") and not _is_json(rest):
            yield number, f"{word} in exec form has to be a JSON array."
        started = True
        waiting = re.findall(r"<<-?[\"']?(\w+)[\"']?", rest) if word.upper() in ("RUN", "COPY", "ADD") else []


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


_DIAGRAM = re.compile(
    "architecture-beta|block(?:-beta)?|C4(?:Component|Container|Context|Deployment|Dynamic)|classDiagram(?:-v2)?|erDiagram"
    "|flowchart|gantt|gitGraph|graph|info|journey|kanban|mindmap|packet(?:-beta)?|pie|quadrantChart|radar-beta"
    "|requirementDiagram|sankey(?:-beta)?|sequenceDiagram|stateDiagram(?:-v2)?|timeline|treemap-beta|xychart(?:-beta)?"
    "|zenuml"
)


def _mermaid(code: str) -> Iterator[_Fault]:
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


_CHECKS: Mapping[str, Callable[[str], Iterator[_Fault]]] = {
    "sql": _sql,
    "postgresql": _sql,
    "yaml": _yaml,
    "yml": _yaml,
    "toml": _toml,
    "json": _json,
    "makefile": _makefile,
    "make": _makefile,
    "dockerfile": _dockerfile,
    "docker": _dockerfile,
    "mermaid": _mermaid,
}
