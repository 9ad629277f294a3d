"""The judge's weights: ``models/judge.json`` and ``models/judge-heads.npz``."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from draftproof.errors import DataError
from draftproof.review.coverage import REQUIREMENT_SIGNALS
from draftproof.review.judge import LinearModel, Weights
from draftproof.review.signals import NAMES, Heads

JSON_NAME = "judge.json"
HEADS_NAME = "judge-heads.npz"


def load_weights(folder: Path, checks: tuple[str, ...]) -> Weights:
    """
    Return the fitted weights.

    Args:
        folder: Holds both files.
        checks: The rubric's ids, in order; weights of another rubric are refused.

    Raises:
        DataError: A file is missing, damaged, or was fitted on another rubric.

    """
    import numpy as np

    place = folder / JSON_NAME
    try:
        raw = place.read_bytes()
        data = json.loads(raw)
        with np.load(folder / HEADS_NAME, allow_pickle=False) as stored:
            labels = tuple(str(label) for label in stored["labels"])
            ids = [str(name) for name in stored["checks"]]
            weights = stored["weights"].astype(np.float32)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"The judge's weights in {folder} cannot be read: {error}.", "Install Draftproof once more."
        ) from error
    if (
        tuple(data["checks"]) != checks
        or tuple(data["signals"]) != NAMES
        or len(data["requirements"]["mean"]) != len(REQUIREMENT_SIGNALS)
    ):
        raise DataError(f"{place} was fitted for another rubric.", "Fit it again: `make judge`.")
    return Weights(
        name=f"evidence-judge {data['version']} sha256:{sha256(raw).hexdigest()[:12]}",
        checks=checks,
        embedder=str(data["embedder"]),
        verdicts=_model(data["verdicts"]),
        without_vectors=_model(data["without_vectors"]),
        heads=Heads(labels, dict(zip(ids, weights, strict=True))),
        requirements=_model(data["requirements"]),
    )


def _model(data: Mapping[str, Any]) -> LinearModel:
    import numpy as np

    return LinearModel(
        classes=tuple(data["classes"]),
        mean=np.array(data["mean"]),
        scale=np.array(data["scale"]),
        weights=np.array(data["weights"]),
        bias=np.array(data["bias"]),
        temperature=float(data["temperature"]),
    )


def model_data(model: LinearModel, digits: int = 5) -> dict[str, Any]:
    """Return a model as JSON-ready data, rounded so that refits differ readably."""
    return {
        "classes": list(model.classes),
        "mean": [round(float(x), digits) for x in model.mean],
        "scale": [round(float(x), digits) for x in model.scale],
        "weights": [[round(float(x), digits) for x in row] for row in model.weights],
        "bias": [round(float(x), digits) for x in model.bias],
        "temperature": round(float(model.temperature), digits),
    }
