"""The names of Kafka's settings: which exist, and which one a misspelt name meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from draftproof.errors import DataError
from draftproof.knowledge.shapes import Shape, load_yaml, validated

# Two parts at least, lower case, as Kafka writes its settings.
DOTTED = re.compile(r"[a-z]+(?:\.[a-z0-9]+)+")
# What stands in front of a setting in files for several clients or listeners.
SETTING_PREFIX = re.compile(r"^(?:(?:producer|consumer|admin)(?:\.override)?|listener\.name\.\w+)\.")

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
        bare = SETTING_PREFIX.sub("", name)
        if not known or name in known or bare in known or not DOTTED.fullmatch(bare):
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
