"""All analyzers over one document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from draftproof.documents.cues import Cue
from draftproof.domain.document import Document
from draftproof.facts.base import Fact
from draftproof.facts.delivery import delivery_facts
from draftproof.facts.deployment import deployment_facts
from draftproof.facts.diagrams import diagram_facts
from draftproof.facts.estimates import estimate_facts
from draftproof.facts.hazards import hazard_facts
from draftproof.facts.python import python_facts
from draftproof.facts.schemas import schema_facts
from draftproof.facts.settings import SettingRule, pool_facts, setting_facts, topic_facts
from draftproof.facts.sql import sql_facts
from draftproof.facts.workflows import workflow_facts

Analyzer = Callable[[Document], Iterable[Fact]]
ANALYZERS: tuple[Analyzer, ...] = (
    sql_facts,
    python_facts,
    hazard_facts,
    deployment_facts,
    delivery_facts,
    schema_facts,
    diagram_facts,
    topic_facts,
    pool_facts,
    estimate_facts,
    workflow_facts,
)


def read_facts(document: Document, cues: Sequence[Cue], settings: Sequence[SettingRule] = ()) -> list[Fact]:
    """
    Return the facts of a document, analyzer by analyzer.

    Args:
        document: The parsed document, with text that addresses the reviewer marked.
        cues:     Wordings that take back what a sentence names; what is put off or refused
                  in prose is no fact.
        settings: How settings and measures are found.

    """
    found = [fact for analyzer in ANALYZERS for fact in analyzer(document)]
    found.extend(setting_facts(document, cues, settings))
    return found
