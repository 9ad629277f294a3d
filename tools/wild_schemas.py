"""Schemas of many kinds, drawn at random, and what is wrong with an answer: for trials with random weights."""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Callable
from typing import Any

import jsonschema

Schema = dict[str, Any]

_WORDS = ("met", "partial", "absent", "flawed", "topic", "key", "retry", "order", "design", "index", "log", "not")
_AWKWARD = (
    "naïve “quote” €",
    'a "quoted" word',
    "back\\slash",
    "line\nbreak",
    "tab\tand nul \u0000",
    "日本語",
    "e\u0301 and é",
    "👩‍💻",
    "</s><|im_end|>",
    "",
    " ",
    "\u2028",
)
_PATTERNS = (
    "^[a-z]{1,4}-[0-9]{2}$",
    "^(met|missing|partial)( and (met|missing|partial)){0,2}$",
    '^[^\\s"]{1,8}$',
    "^FR-[1-9][0-9]{0,2}$",
    "^(0|[1-9][0-9]*)(\\.[0-9]+)?$",
    "^[à-ÿ]{2,6}$",
    "[0-9]{3}",
)
_FORMATS = ("date", "time", "date-time", "uuid", "ipv4", "ipv6", "email", "hostname")


def _closed(properties: Schema, required: list[str] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _names(draw: random.Random, least: int = 1, most: int = 4) -> list[str]:
    return draw.sample(_WORDS, draw.randint(least, most))


def _short(draw: random.Random) -> Schema:
    return {"type": "string", "maxLength": draw.randint(0, 12)}


def _leaf(draw: random.Random) -> Schema:
    leaves: list[Schema] = [
        {"type": "boolean"},
        {"type": "null"},
        {"enum": _names(draw)},
        {"type": "integer", "minimum": 0, "maximum": draw.randint(0, 500)},
        _short(draw),
    ]
    return draw.choice(leaves)


def verdict(draw: random.Random) -> Schema:
    """Return the schema of a flat answer, as a review asks for it."""
    lines = sorted(draw.sample(range(1, 400), draw.randint(1, 20)))
    return _closed(
        {
            "rationale": {"type": "string", "maxLength": draw.randint(1, 60)},
            "lines": {"type": "array", "items": {"enum": lines}, "maxItems": draw.randint(0, 4)},
            "verdict": {"enum": _names(draw, 2, 5)},
        }
    )


def nested(draw: random.Random) -> Schema:
    """Return arrays of objects that hold arrays of objects."""
    inner = _closed({name: _leaf(draw) for name in _names(draw, 1, 3)})
    row = _closed({"id": {"type": "integer", "minimum": 1, "maximum": 99}, "parts": _array(draw, inner, 2)})
    return _array(draw, row, 3)


def _array(draw: random.Random, items: Schema, most: int) -> Schema:
    least = draw.randint(0, most)
    return {"type": "array", "items": items, "minItems": least, "maxItems": draw.randint(least, most)}


def integers(draw: random.Random) -> Schema:
    """Return an enum of integers, some the beginnings of others."""
    values = {0, 1, 10, 100, 101, -1, -10, 2**31, -(2**53)} | {draw.randint(-999, 9999) for _ in range(6)}
    return _array(draw, {"enum": draw.sample(sorted(values), draw.randint(1, len(values)))}, 5)


def common_beginnings(draw: random.Random) -> Schema:
    """Return a long enum of which values begin alike, and some are the beginnings of others."""
    stem = " ".join(draw.choices(_WORDS, k=draw.randint(1, 6)))
    values = dict.fromkeys([stem, *(f"{stem}{'s' * count}" for count in range(1, 8))])
    values |= dict.fromkeys(f"{stem} {draw.choice(_WORDS)} {draw.randint(0, 99)}" for _ in range(40))
    return _closed({"choice": {"enum": list(values)}, "then": {"enum": list(values)[::-1]}})


def bounded_strings(draw: random.Random) -> Schema:
    """Return strings with bounds of their length, counted in characters, not bytes."""
    bounds = [sorted((draw.randint(0, 20), draw.randint(0, 20))) for _ in range(3)]
    return _closed(
        {
            name: {"type": "string", "minLength": least, "maxLength": most}
            for name, (least, most) in zip("abc", bounds, strict=True)
        }
    )


def awkward_text(draw: random.Random) -> Schema:
    """Return constants and names with quotes, escapes, control characters and all planes of Unicode."""
    values = draw.sample(_AWKWARD, draw.randint(2, 6))
    names = draw.sample(_AWKWARD, 2)
    return _closed({names[0]: {"enum": values}, names[1]: {"const": draw.choice(_AWKWARD)}, "free": _short(draw)})


def numbers(draw: random.Random) -> Schema:
    """Return numbers with bounds, open and closed."""
    low = draw.randint(-50, 50)
    high = low + draw.randint(2, 1000)
    fraction = round(draw.uniform(0.1, 0.9), 2)
    return _closed(
        {
            "count": {"type": "integer", "minimum": low, "maximum": high},
            "open": {"type": "integer", "exclusiveMinimum": low, "exclusiveMaximum": high},
            "share": {"type": "number", "minimum": 0, "maximum": 1},
            "rate": {"type": "number", "exclusiveMinimum": low + fraction, "maximum": high + fraction},
            "step": {"type": "integer", "multipleOf": draw.choice((2, 3, 5, 10)), "minimum": 0, "maximum": 1000},
        }
    )


def optional_members(draw: random.Random) -> Schema:
    """Return an object of which any member may be left out, or all but one."""
    names = _names(draw, 2, 6)
    return _closed({name: _leaf(draw) for name in names}, draw.sample(names, draw.randint(0, 1)))


def any_of(draw: random.Random) -> Schema:
    """Return alternatives of different types, nested once."""
    options = [_leaf(draw), _closed({name: _leaf(draw) for name in _names(draw, 1, 2)}), {"const": draw.choice(_WORDS)}]
    return _closed({"value": {"anyOf": [*options, {"anyOf": [{"type": "null"}, _array(draw, _leaf(draw), 2)]}]}})


def references(draw: random.Random) -> Schema:
    """Return an object whose parts are defined elsewhere, one by way of another."""
    part = _closed({name: _leaf(draw) for name in _names(draw, 1, 3)})
    return {
        "$defs": {"part": part, "row": _closed({"part": {"$ref": "#/$defs/part"}, "ok": {"type": "boolean"}})},
        **_closed({"first": {"$ref": "#/$defs/row"}, "rest": _array(draw, {"$ref": "#/$defs/row"}, 2)}),
    }


def recursive(draw: random.Random) -> Schema:
    """Return a tree of any depth; a wild model may well not find its end."""
    node = _closed(
        {
            "name": {"enum": _names(draw)},
            "children": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2},
        }
    )
    return {"$defs": {"node": node}, "$ref": "#/$defs/node"}


def patterns(draw: random.Random) -> Schema:
    """Return strings that follow regular expressions."""
    return _closed({name: {"type": "string", "pattern": draw.choice(_PATTERNS)} for name in "ab"})


def formats(draw: random.Random) -> Schema:
    """Return strings of formats that JSON Schema names."""
    return _closed({name.replace("-", "_"): {"type": "string", "format": name} for name in draw.sample(_FORMATS, 2)})


def open_objects(draw: random.Random) -> Schema:
    """Return a map from names of the model's own choice to numbers; no grammar sees that a name stands twice."""
    value: Schema = {"type": "integer", "minimum": 0, "maximum": draw.randint(1, 99)}
    return {"type": "object", "additionalProperties": value}


def tuples(draw: random.Random) -> Schema:
    """Return an array whose places have schemas of their own."""
    places = [_leaf(draw) for _ in range(draw.randint(1, 4))]
    return {"type": "array", "prefixItems": places, "items": False, "minItems": len(places)}


def forced(draw: random.Random) -> Schema:
    """Return an answer of which every byte is given."""
    return _closed({name: {"const": draw.choice((*_AWKWARD, 7, None, True, 1.5))} for name in _names(draw)})


def endless(draw: random.Random) -> Schema:
    """Return what has no end of its own within the tokens that an answer gets."""
    text: Schema = {"type": "string"}
    return draw.choice([text, {"type": "array", "items": text}, {"type": "array", "items": text, "minItems": 500}])


def unsupported(draw: random.Random) -> Schema:
    """Return what the grammar cannot hold a model to; refused, never ignored."""
    return draw.choice(
        [
            {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "maxItems": 3},
            {"type": "string", "pattern": "(?=a)b("},
            {"not": {"type": "string"}},
            _closed({"a": {"$ref": "#/nowhere"}}),
            {"type": "nonsense"},
            {"type": "integer", "minimum": 5, "maximum": 4},
            {"if": {"type": "string"}, "then": {"maxLength": 3}, "else": {"type": "null"}},
        ]
    )


KINDS: dict[str, Callable[[random.Random], Schema]] = {
    "flat verdict": verdict,
    "nested arrays of objects": nested,
    "enum of integers": integers,
    "long enum, common beginnings": common_beginnings,
    "strings with bounds": bounded_strings,
    "Unicode and escapes": awkward_text,
    "numbers with bounds": numbers,
    "optional members": optional_members,
    "anyOf": any_of,
    "$ref": references,
    "recursive $ref": recursive,
    "pattern": patterns,
    "format": formats,
    "names of its own": open_objects,
    "tuples": tuples,
    "all forced": forced,
    "endless": endless,
    "unsupported": unsupported,
}


def drawn(kind: str, seed: str) -> Schema:
    """
    Return a schema of a kind, the same for the same seed.

    Args:
        kind: One of :data:`KINDS`.
        seed: Any text.

    """
    return KINDS[kind](random.Random(f"{kind} {seed}"))  # noqa: S311 - no secret


def _moment(value: object) -> bool:
    """Return whether a text is a date, with a time or without; any year is a leap year, which no grammar counts out."""
    text = str(value).upper()
    datetime.datetime.fromisoformat(f"2000{text[4:]}".replace(":60", ":59"))
    return text[:4].isdecimal()


def _checker() -> jsonschema.FormatChecker:
    known = jsonschema.Draft202012Validator.FORMAT_CHECKER.checkers
    formats = jsonschema.FormatChecker(())
    formats.checkers = {**known, "date": (_moment, ValueError), "date-time": (_moment, ValueError)}
    return formats


_FORMAT_CHECKER = _checker()


def fault(answer: str, schema: Schema) -> str:
    """
    Return what is wrong with an answer, or an empty string.

    Args:
        answer: The text.
        schema: What it has to follow; formats are held to as far as jsonschema knows them.

    """
    try:
        value = json.loads(answer, parse_constant=_refused)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        jsonschema.validate(value, schema, jsonschema.Draft202012Validator, format_checker=_FORMAT_CHECKER)
    except (ValueError, jsonschema.ValidationError) as error:
        return str(error).splitlines()[0]
    return ""


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
