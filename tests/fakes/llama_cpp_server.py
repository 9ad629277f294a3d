"""The server that llama-cpp-python brings, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Ends with the test process, however that ends: its end of the pipe is closed then.
_PROGRAM = """
import os, runpy, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
runpy.run_module("llama_cpp.server", run_name="__main__")
"""
_ADDRESS = re.compile(r"running on (http://127\.0\.0\.1:\d+)")
_SECONDS = 30.0


@contextmanager
def llama_cpp_server(model: Path, log: Path, **options: object) -> Iterator[str]:
    """
    Run the server on a free port of loopback; yield its base address.

    Args:
        model:   A GGUF.
        log:     Where its output goes.
        options: Of the server, by name.

    """
    # Threads of llama.cpp that wait for each other on a busy machine wait long.
    threads = {"n_threads": 1, "n_threads_batch": 1}
    given = {"model": model, "host": "127.0.0.1", "port": 0, **threads, **options}
    command = [
        sys.executable,
        "-c",
        _PROGRAM,
        *(word for name, value in given.items() for word in (f"--{name}", value)),
    ]
    # The server reads these before its options.
    environment = {name: value for name, value in os.environ.items() if name not in ("HOST", "PORT", "CONFIG_FILE")}
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            [str(word) for word in command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield f"{_address(process, log)}/v1"
        finally:
            process.kill()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address once the server listens."""
    until = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < until:
        found = _ADDRESS.search(log.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"The server did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")
