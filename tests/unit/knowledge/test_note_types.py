"""The Python examples of all notes keep the types of the libraries that they show."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
IMPORT = re.compile(r"^(?:from|import) (\w+)", re.M)
# aiokafka is annotated in part and does not say so. Its source is read, so that names and
# numbers of arguments are checked; calls of its functions without annotations are let through.
CONFIGURATION = """\
[mypy]
strict = true
untyped_calls_exclude = aiokafka
[mypy-aiokafka.*]
follow_untyped_imports = true
"""


def examples() -> dict[str, str]:
    """Return the examples by a file name that leads back to the note."""
    return {
        f"{path.stem.replace('-', '_')}_{number}.py": code
        for path in sorted((ROOT / "knowledge" / "notes").glob("*.md"))
        for number, code in enumerate(EXAMPLE.findall(path.read_text(encoding="utf-8")))
    }


def libraries(codes: dict[str, str]) -> set[str]:
    imported = {name for code in codes.values() for name in IMPORT.findall(code)}
    return imported - set(sys.stdlib_module_names)


def test_all_examples_pass_mypy_together(tmp_path: Path):
    codes = examples()
    missing = sorted(name for name in {*libraries(codes), "mypy"} if importlib.util.find_spec(name) is None)
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; `pip install .[dev,notes]` brings them")
    for name, code in codes.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(CONFIGURATION, encoding="utf-8")
    # What mypy learns of the libraries is kept for the next run.
    cache = str(ROOT / ".mypy_cache" / "notes")
    options = ["--config-file", "mypy.ini", "--cache-dir", cache, "--no-error-summary"]
    command = [sys.executable, "-m", "mypy", *options, "."]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert run.stdout + run.stderr == ""


def test_every_library_that_an_example_imports_is_in_the_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["notes"]]
    named = {re.split(r"[\[<>=~! ]", line)[0].lower().replace("-", "_") for line in lines}
    # What is imported under another name than it is installed, or comes with another one.
    aliases = {"jwt": "pyjwt", "opentelemetry": "opentelemetry_sdk", "starlette": "fastapi"}

    assert {name for name in libraries(examples()) if aliases.get(name, name) not in named} == set()
