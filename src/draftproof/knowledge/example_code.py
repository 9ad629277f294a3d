"""Whether examples of code are Python or SQL of PostgreSQL, and name settings that exist."""

from __future__ import annotations

import ast
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import ErrorLevel, SqlglotError

from draftproof.knowledge.kafka_names import KafkaNames
from draftproof.knowledge.lines import Fault

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


def python_faults(code: str, kafka: KafkaNames) -> Iterator[Fault]:
    """Yield where a text is not Python, or gives a client of Kafka what it does not know."""
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


def _client_settings(call: ast.Call, kafka: KafkaNames) -> Iterator[Fault]:
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


def sql_faults(code: str) -> Iterator[Fault]:
    """Yield where a text is not SQL of PostgreSQL."""
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
