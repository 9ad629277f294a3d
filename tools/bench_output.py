"""Where benchmarks keep their figures: at ``BENCH_OUT``, a file, or a folder with a file for each benchmark."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def keep_figures(name: str, figures: Any) -> None:
    """
    Write figures as JSON where ``BENCH_OUT`` points; do nothing where it is not set.

    Args:
        name:    Of the benchmark; names the file in a folder.
        figures: What was measured.

    """
    place = os.environ.get("BENCH_OUT")
    if place:
        target = Path(place) / f"{name}.json" if Path(place).is_dir() else Path(place)
        target.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
