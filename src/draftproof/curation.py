"""Curating the knowledge base: find, add, check, and record a reviewer's own verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from draftproof.adapters.files import read_document, write_text
from draftproof.bootstrap import Library, make_reference, note_index, open_embedder
from draftproof.domain.document import DocumentName, Span
from draftproof.domain.findings import Verdict
from draftproof.errors import DataError, EmbedderError, InputError, OutputError
from draftproof.knowledge.checking import exemplar_faults, note_file_faults
from draftproof.knowledge.learning import as_line, recorded_exemplar
from draftproof.knowledge.search import NoteSearch
from draftproof.settings import Settings

if TYPE_CHECKING:
    from draftproof.knowledge.search import Found


def find_notes(settings: Settings, text: str, count: int, notice: Callable[[str], None]) -> list[Found]:
    """Return the notes that answer a text, by words and, where there is an embedder, by meaning."""
    # The text is the user's own: its vector stays here, whatever server the notes are shared on.
    settings = replace(settings, chroma="")
    library = Library(settings)
    cosines = checks = None
    try:
        embedder = open_embedder(settings)
    except EmbedderError as error:
        embedder = None
        notice(f"{error.message} Notes are found by their words alone. {error.hint}")
    if embedder is not None:
        reference, vectors = make_reference(library, embedder)
        vector = embedder.embed([text])
        if reference.exemplars is not None:
            checks = reference.exemplars.subjects(vector[0])
        index = note_index(settings, library, embedder, vectors, notice)
        if index is not None:
            cosines = dict(index.query(vector, len(library.knowledge.notes))[0])
    return NoteSearch(list(library.knowledge.notes.values())).find(text, cosines, count, checks)


def add_knowledge(settings: Settings, files: Sequence[Path], force: bool) -> list[Path]:
    """
    Check files and copy them to the user's own folder, all of them or none.

    Raises:
        DataError:   A file has a fault; every fault is listed.
        OutputError: A file of that name is there already.

    """
    faults, _ = check_knowledge(settings, files, everything=False)
    if faults:
        raise DataError("\n".join(faults), "Nothing was added.")
    folders = {".md": "notes", ".jsonl": "exemplars"}
    own = settings.user_knowledge_dirs[0]
    targets = [own / folders[path.suffix] / path.name for path in files]
    taken = [str(target) for target in targets if target.exists() and not force]
    if taken:
        raise OutputError(f"{', '.join(taken)} is there already.", "Replace it with --force.")
    for path, target in zip(files, targets, strict=True):
        write_text(target, path.read_text(encoding="utf-8"))
    return targets


def check_knowledge(settings: Settings, files: Sequence[Path], everything: bool) -> tuple[list[str], int]:
    """
    Return every fault with its file and line, and how many files were read.

    Args:
        settings:   Where the user's own files stand.
        files:      What to check; the user's own files where none is given.
        everything: The product's own files, too.

    """
    library = Library(settings)
    places = ([library.folder] if everything else []) + ([] if files else list(settings.user_knowledge_dirs))
    chosen = list(files)
    for place in places:
        if everything or place.resolve() != library.folder.resolve():
            chosen += sorted(place.glob("notes/*.md")) + sorted(place.glob("exemplars/*.jsonl"))
    faults: list[str] = []
    ids: dict[str, str] = {}
    seen: dict[tuple[str, str], str] = {}
    for path in dict.fromkeys(chosen):
        if path.suffix not in (".md", ".jsonl"):
            faults.append(f"{path}: neither a note (.md) nor exemplars (.jsonl).")
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"{path}: it cannot be read as UTF-8 text: {error}.")
            continue
        if path.suffix == ".md":
            faults += note_file_faults(text, str(path), library.check_ids, ids, library.kafka_names)
        else:
            faults += exemplar_faults(text, str(path), library.check_ids, seen)
    return faults, len(dict.fromkeys(chosen))


def record_verdict(
    settings: Settings,
    review: Mapping[str, Any],
    check: str,
    verdict: str,
    lines: tuple[int, int] | None,
    reason: str,
) -> Path:
    """
    Append a reviewer's verdict to the user's own exemplars, and return their file.

    Raises:
        InputError: The check is unknown, or the design is not the one that was reviewed.

    """
    finding = next((item for item in review["checks"] if item["id"] == check), None)
    if finding is None:
        raise InputError(f"The review has no check {check}.", "`draftproof explain review.json` lists them.")
    record = review["provenance"]["inputs"][0]
    design = read_document(Path(record["path"]), DocumentName.DESIGN)
    if design.sha256 != record["sha256"]:
        raise InputError(f"{record['path']} has changed since the review.", "Run the review again first.")
    span = Span(*lines) if lines else None
    exemplar = recorded_exemplar(finding, design, Verdict(verdict), span, reason)
    target = settings.user_knowledge_dirs[0] / "exemplars" / "learned.jsonl"
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    # The last word on a passage counts: an earlier one on the same text is taken out.
    kept = [line for line in before.split("\n") if line and not _same_passage(line, exemplar)]
    write_text(target, "\n".join([*kept, as_line(exemplar)]) + "\n")
    return target


def _same_passage(line: str, exemplar: Mapping[str, Any]) -> bool:
    earlier = json.loads(line)
    return bool(earlier["check"] == exemplar["check"] and earlier["text"] == exemplar["text"])
