"""A bar over seeds, for extractors that ask an endpoint; silent where there is no terminal."""

from collections.abc import Callable
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["SeedBar"]


class SeedBar:
    """Shown from `begin` on; leaving it ends the bar."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("seeds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal)

    def begin(self, total: int) -> Callable[[], None]:
        """Show the bar; what is given back is called after each seed."""
        task = self._bar.add_task("seeds", total=total)
        self._bar.start()
        return partial(self._bar.advance, task)

    def __enter__(self) -> "SeedBar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
