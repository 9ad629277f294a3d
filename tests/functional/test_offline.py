"""A review with the real embedder: nothing is asked of the network, nothing heavy is loaded."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from draftproof.adapters.llamacpp.embedder import LlamaCppEmbedder
from draftproof.settings import Settings
from tests.functional.command import DESIGN, DRAFTPROOF, REQUIREMENTS, ROOT, draftproof, process, unshared

REFERENCES = json.loads((ROOT / "tests" / "fixtures" / "reference_vectors.json").read_text(encoding="utf-8"))
# Reads no more than this of a text; what is cut off there differs in its last token.
TOKENS_READ = 128
NEVER_LOADED = ("torch", "sentence_transformers", "transformers", "outlines")
SMALL = """# Orders

## Data

Orders are stored in PostgreSQL 16. Migrations are written with Alembic, one revision per change.

## Events

Consumers commit offsets after the batch has been processed; a message that fails three times goes to `orders.dlq`.
"""


@dataclass(frozen=True)
class Alone:
    """A whole review in a process of its own, and in a network namespace where that is permitted."""

    isolated: bool
    loaded: list[str]
    data: dict[str, Any]
    report: str
    err: str


@pytest.fixture(scope="module")
def alone(embedder_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Alone:
    place = tmp_path_factory.mktemp("alone")
    prefix = unshared("-rn") or unshared("-n")
    arguments = ["review", DESIGN, "-r", REQUIREMENTS, "--data-dir", embedder_dir]
    code = (
        "import sys\nfrom draftproof.cli.main import main\n"
        f"code = main({[str(a) for a in arguments]!r})\n"
        f"print(sorted(set(sys.modules) & set({NEVER_LOADED!r})))\nsys.exit(code)"
    )
    run = process(
        [*(prefix or ()), sys.executable, "-c", code],
        {"HOME": str(place), "DRAFTPROOF_EMBEDDER": "", "DRAFTPROOF_CONFIG": str(place / "none")},
        cwd=place,
    )
    assert run.code == 0, run.err
    loaded = run.out.rstrip().split("\n")[-1]
    return Alone(
        isolated=prefix is not None,
        loaded=[] if loaded == "[]" else [loaded],
        data=json.loads((place / "review.json").read_text(encoding="utf-8")),
        report=(place / "tech-design-review.md").read_text(encoding="utf-8"),
        err=run.err,
    )


def test_a_whole_review_needs_no_network_interface(alone: Alone):
    if not alone.isolated:
        pytest.skip("a network namespace is not permitted here")

    assert alone.data["provenance"]["embedder"].startswith("all-MiniLM-L6-v2 sha256:")
    assert alone.data["provenance"]["tokens_read"]["embedder"] > 1000
    assert alone.err == ""


def test_a_review_tries_no_connection(alone: Alone):
    assert alone.data["provenance"]["connections_refused"] == 0
    assert alone.data["provenance"]["bytes_sent"] == 0


def test_a_review_loads_no_torch(alone: Alone):
    assert alone.loaded == []


def test_a_review_with_the_embedder_names_a_note_for_each_defect(alone: Alone):
    without = [c["id"] for c in alone.data["checks"] if c["severity"] and not c["note"]]

    assert without == []


def test_the_store_answers_the_review_without_a_notice(alone: Alone):
    assert alone.data["notices"] == []


def test_no_call_of_a_review_reaches_the_socket(embedder_dir: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
    attempts: list[str] = []

    def counted(name: str, original: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            family = getattr(arguments[0], "family", socket.AF_INET) if arguments else socket.AF_INET
            if family in (socket.AF_INET, socket.AF_INET6):
                attempts.append(name)
                raise OSError("a test has no network")
            return original(*arguments, **options)

        return call

    for name in ("connect", "connect_ex", "sendto", "sendmsg"):
        monkeypatch.setattr(socket.socket, name, counted(name, getattr(socket.socket, name)))
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, counted(name, getattr(socket, name)))
    (folder / "design.md").write_text(SMALL, encoding="utf-8")
    run = draftproof("review", "design.md", "--data-dir", embedder_dir)
    data = json.loads((folder / "review.json").read_text(encoding="utf-8"))

    assert run.code == 0, run.err
    assert data["provenance"]["embedder"].startswith("all-MiniLM-L6-v2")
    assert attempts == []
    assert data["provenance"]["connections_refused"] == 0


def test_the_embedder_agrees_with_sentence_transformers(embedder_dir: Path):
    path = Settings(data_dir=embedder_dir).embedder_path
    assert path is not None
    embedder = LlamaCppEmbedder(path, 2)
    rows = embedder.embed([reference["text"] for reference in REFERENCES])
    cosines = [float(np.dot(row, reference["vector"])) for row, reference in zip(rows, REFERENCES, strict=True)]
    long = [len(reference["text"].split()) >= TOKENS_READ for reference in REFERENCES]

    assert len(REFERENCES) == 12
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(12), abs=1e-3)
    assert min(c for c, cut in zip(cosines, long, strict=True) if not cut) > 0.999
    assert min(c for c, cut in zip(cosines, long, strict=True) if cut) > 0.998


def test_a_text_has_the_same_vector_alone_and_among_others(embedder_dir: Path):
    path = Settings(data_dir=embedder_dir).embedder_path
    assert path is not None
    embedder = LlamaCppEmbedder(path, 2)
    texts = [reference["text"] for reference in REFERENCES]
    together, alone = embedder.embed(texts * 3), np.vstack([embedder.embed([text]) for text in texts])

    assert (together[:12] * alone).sum(axis=1) == pytest.approx(np.ones(12), abs=1e-4)


def test_a_broken_store_is_made_anew_with_one_line_of_notice(data_dir_with_embedder: Path, folder: Path):
    store = data_dir_with_embedder / "store"
    store.mkdir()
    (store / "chroma.sqlite3").write_bytes(b"this is no database " * 500)
    (folder / "design.md").write_text(SMALL, encoding="utf-8")
    arguments = ["review", "design.md", "--data-dir", data_dir_with_embedder]
    broken, mended = process([*DRAFTPROOF, *arguments]), draftproof(*arguments)
    notices = [line for line in broken.err.split("\n") if "store" in line]

    assert broken.code == 0, broken.err
    assert len(notices) == 1
    assert notices[0].startswith(f"note: The knowledge store in {store} was broken")
    assert notices[0].endswith("and is made anew.")
    assert mended.code == 0
    assert "store" not in mended.err


def test_two_processes_that_build_the_store_at_once_both_succeed(data_dir_with_embedder: Path):
    notes = data_dir_with_embedder / "knowledge" / "notes"
    notes.mkdir(parents=True)
    source = (ROOT / "knowledge" / "notes" / "alerts-on-symptoms.md").read_text(encoding="utf-8")
    for number in range(3):
        # A note of the user's own is not embedded yet, so that both write vectors, too.
        text = source.replace("id: alerts-on-symptoms", f"id: own-{number}").replace("CPU at", f"Node {number} at")
        (notes / f"own-{number}.md").write_text(text, encoding="utf-8")
    command = [*DRAFTPROOF, "setup", "--data-dir", str(data_dir_with_embedder)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy())
        for _ in range(2)
    ]
    outcomes = [(*process.communicate(timeout=120), process.returncode) for process in running]

    assert [(code, err) for _, err, code in outcomes] == [(0, ""), (0, "")]
    assert outcomes[0][0] == outcomes[1][0]
    assert "notes and" in outcomes[0][0]
