"""A progress bar on a terminal, a few plain lines elsewhere."""

import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from falsereject_gen.job import Watcher
from falsereject_gen.records import Candidate

__all__ = ["ProgressWatcher"]


class ProgressWatcher(Watcher):
    """Shows accepted rows, and why others fell."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: Any = None
        self._accepted = 0
        self._fell: dict[str, int] = {}

    def __enter__(self) -> "ProgressWatcher":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def say(self, what: str) -> None:
        """A stage begins: stop the bar, name it."""
        self.__exit__()
        self._console.print(f"[dim]{what} …[/dim]", highlight=False)

    def begin(self, done: int, target: int) -> None:
        """Start the bar."""
        self._accepted = done
        if not sys.stderr.isatty():
            self._console.print(f"generating, {done} of {target} rows so far …", highlight=False)
            return
        self._bar = Progress(
            TextColumn("generating"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[fell]}[/dim]"),
            console=self._console,
        )
        self._bar.start()
        self._task = self._bar.add_task("rows", total=target, completed=done, fell="")

    def committed(self, candidate: Candidate) -> None:
        """Move the bar."""
        if candidate.status == "accepted":
            self._accepted += 1
        else:
            self._fell[candidate.stage] = self._fell.get(candidate.stage, 0) + 1
        if self._bar is not None:
            fell = ", ".join(f"{n} fell at {stage}" for stage, n in self._fell.items())
            self._bar.update(self._task, completed=self._accepted, fell=fell)
