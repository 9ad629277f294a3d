"""Faults of a note or of exemplars, each with its file and line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from draftproof.errors import DataError
from draftproof.knowledge.kafka_names import NO_NAMES, KafkaNames
from draftproof.knowledge.loading import load_exemplars, load_notes
from draftproof.knowledge.note_form import note_faults


def note_file_faults(
    text: str, place: str, check_ids: Sequence[str], ids: dict[str, str], kafka: KafkaNames = NO_NAMES
) -> list[str]:
    """
    Return the faults of a note: its front matter, its checks, its parts, its example.

    Args:
        text:      The file's text.
        place:     Its path.
        check_ids: The rubric's ids.
        ids:       Ids seen so far with their file; filled here, so that twins are found.
        kafka:     The settings of Kafka that exist.

    """
    try:
        (note,) = load_notes([(place, text)], check_ids).values()
    except DataError as error:
        return error.message.split("\n")
    faults = note_faults(text, place, kafka)
    if note.id != Path(place).stem:
        faults.append(f"{place}:2: the id {note.id} is not the file's name.")
    if note.id in ids:
        faults.append(f"{place}:2: the id {note.id} stands in {ids[note.id]}, too.")
    ids.setdefault(note.id, place)
    return faults


def exemplar_faults(text: str, place: str, check_ids: Sequence[str], seen: dict[tuple[str, str], str]) -> list[str]:
    """
    Return the faults of a file of exemplars, line by line.

    Args:
        text:      The file's text.
        place:     Its path.
        check_ids: The rubric's ids.
        seen:      Texts seen so far by check, with their place; filled here.

    """
    faults = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{place}:{number}"
        try:
            load_exemplars([(where, line)], check_ids)
        except DataError as error:
            faults += [fault.replace(f"{where}:1", where) for fault in error.message.split("\n")]
            continue
        data = json.loads(line)
        key = (data["check"], " ".join(data["text"].lower().split()))
        if key in seen:
            faults.append(f"{where}: the same passage stands at {seen[key]}.")
        seen.setdefault(key, where)
    return faults
