"""Settings: options over environment over the settings file over defaults."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_config_path, user_data_path

from draftproof.errors import SettingsError

PREFIX = "DRAFTPROOF_"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    All that can be set.

    Args:
        data_dir: Where the embedder, the vectors and the store are kept
                  (``DRAFTPROOF_DATA_DIR``).
        embedder: A GGUF of the BERT family to embed with; ``none`` for BM25 alone
                  (``DRAFTPROOF_EMBEDDER``).
        threads:  Threads for llama.cpp; 0 for all cores (``DRAFTPROOF_THREADS``).
        chroma:   ``host:port`` of a Chroma server that a team shares, instead of the store
                  on this machine (``DRAFTPROOF_CHROMA``). The notes and vectors of the
                  project's own questions go there, nothing of a reviewed document.

        model:    A generative model's GGUF, or the name under which `draftproof models add`
                  recorded one; empty for none (``DRAFTPROOF_MODEL``).
        chat_template: A file with a Jinja chat template to use instead of the model's own
                  (``DRAFTPROOF_CHAT_TEMPLATE``).
        window:   Tokens of the model's context; 0 to choose (``DRAFTPROOF_WINDOW``).
        parallel: Answers decoded together (``DRAFTPROOF_PARALLEL``).
        gpu_layers: Layers to evaluate on a GPU (``DRAFTPROOF_GPU_LAYERS``).
        engine_url: Base address of a server that the team hosts, asked instead of a model in
                  this process; passages of the design go there (``DRAFTPROOF_ENGINE_URL``).
        engine_key: Its key, where it wants one (``DRAFTPROOF_ENGINE_KEY``).

    """

    data_dir: Path
    embedder: str = ""
    threads: int = 0
    chroma: str = ""
    model: str = ""
    chat_template: str = ""
    window: int = 0
    parallel: int = 8
    gpu_layers: int = 0
    engine_url: str = ""
    engine_key: str = ""

    @property
    def embedder_path(self) -> Path | None:
        """The embedding model's file, or ``None`` where BM25 alone is wanted."""
        if self.embedder.lower() == "none":
            return None
        if self.embedder:
            return Path(self.embedder).expanduser()
        return self.data_dir / "models" / "all-MiniLM-L6-v2.gguf"

    @property
    def chroma_server(self) -> tuple[str, int] | None:
        """Host and port of the shared Chroma server, or ``None``."""
        if not self.chroma:
            return None
        host, _, port = self.chroma.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def engine_server(self) -> tuple[str, int] | None:
        """Host and port of the language model's server, or ``None``."""
        if not self.engine_url:
            return None
        parts = urlsplit(self.engine_url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def store_dir(self) -> Path:
        """The Chroma store of the notes."""
        return self.data_dir / "store"

    @property
    def user_knowledge_dirs(self) -> tuple[Path, ...]:
        """Where a user's own notes stand; a later folder overrides an earlier one."""
        return (self.data_dir / "knowledge", Path.cwd() / "knowledge")

    @property
    def last_run_file(self) -> Path:
        """What the last run cost; it holds no text of a document."""
        return self.data_dir / "last-run.json"


def load_settings(options: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """
    Return the settings, or one error that lists all faults.

    Args:
        options:     Given on the command line; ``None`` values count as absent.
        environment: Instead of ``os.environ``.

    """
    environment = os.environ if environment is None else environment
    known = tuple(f.name for f in fields(Settings))
    values: dict[str, tuple[Any, str]] = {}
    faults: list[str] = []
    config = Path(environment.get(f"{PREFIX}CONFIG") or user_config_path("draftproof") / "settings.toml")
    for name, value in _from_file(config).items():
        if name in known:
            values[name] = (value, str(config))
        else:
            faults.append(f"{config}: there is no setting {name!r}.")
    for name in known:
        if environment.get(PREFIX + name.upper()):
            values[name] = (environment[PREFIX + name.upper()], PREFIX + name.upper())
    for name, value in (options or {}).items():
        if value is not None:
            values[name] = (value, f"--{name.replace('_', '-')}")

    settings = Settings(data_dir=user_data_path("draftproof"))
    for name, (value, place) in values.items():
        try:
            settings = replace(settings, **{name: _converted(name, value)})
        except ValueError as error:
            faults.append(f"{place}: {error}.")
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


_WHOLE_NUMBERS = {"threads": (0, 512), "window": (0, 1_000_000), "parallel": (1, 64), "gpu_layers": (0, 999)}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from error


def _converted(name: str, value: Any) -> Any:
    if name == "data_dir":
        return Path(str(value)).expanduser()
    if name in _WHOLE_NUMBERS:
        least, most = _WHOLE_NUMBERS[name]
        try:
            count = int(value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} is a whole number, not {value!r}") from None
        if not least <= count <= most:
            raise ValueError(f"{name} is between {least} and {most}, not {count}")
        return count
    if name == "engine_url" and value:
        parts = urlsplit(str(value))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"engine_url is an address such as http://gpu-box:8000/v1, not {value!r}")
        _ = parts.port  # raises a ValueError of its own
    if name == "chroma" and value and not re.fullmatch(r"(?:[\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}", str(value)):
        raise ValueError(f"chroma is host:port, not {value!r}")
    if name == "chroma" and value and int(str(value).rpartition(":")[2]) > 65535:
        raise ValueError(f"chroma names no port, {value!r}")
    return str(value)
