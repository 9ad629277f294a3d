"""What is shown while a review runs."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class TerminalProgress:
    """
    Shows each stage on standard error; says nothing where that is no terminal.

    Args:
        quiet: Say nothing in any case.

    """

    def __init__(self, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> TerminalProgress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def stage(self, name: str, total: int | None = None) -> None:
        """Show that a stage begins."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=total)

    def advance(self, done: int) -> None:
        """Show how much of the stage is done."""
        if self._task is not None:
            self._bar.update(self._task, completed=done)

    def embedding(self, done: int, total: int) -> None:
        """Show how far the project's own texts are embedded, which happens once."""
        if done <= 64 or self._task is None:
            self.stage("Embedding the knowledge base (once)", total)
        self.advance(done)
