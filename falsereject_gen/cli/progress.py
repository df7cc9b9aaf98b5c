"""What a person sees of a run: a live view on a terminal, a few plain lines elsewhere."""

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from falsereject_gen.cli.options import say
from falsereject_gen.cli.spending import Spending
from falsereject_gen.job import Watcher
from falsereject_gen.models.desk import Models
from falsereject_gen.records import Candidate
from falsereject_gen.run.result import RunResult

__all__ = ["ProgressWatcher", "tell"]

LINES = 10
"""Plain lines that a run has where there is no terminal."""


class ProgressWatcher(Watcher):
    """Shows accepted rows, why others fell, and, with endpoints, what is spent and under way."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._spending: Spending | None = None
        self._live: Live | None = None
        self._accepted = self._target = self._said = 0
        self._fell: dict[str, int] = {}
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            expand=True,
        )
        self._task = self._bar.add_task("rows", total=None)

    def __enter__(self) -> "ProgressWatcher":
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, what: str) -> None:
        """A stage begins: stop the view, name it."""
        self.__exit__()
        self._console.print(f"[dim]{what} …[/dim]", highlight=False)

    def warn(self, what: str) -> None:
        """A line that stays."""
        whole = not self._console.is_terminal  # a log has lines, a terminal has a width
        said = f"warning: {what}"
        self._console.print(said, style="yellow", highlight=False, markup=False, soft_wrap=whole)

    def attend(self, models: Models) -> None:
        """Show what these endpoints do, if the run has any."""
        self._spending = Spending(models) if models.cache is not None else None

    def extracted(self, done: int, total: int) -> None:
        """Count a seed that a spoken extractor took apart."""
        if self._console.is_terminal:
            self._bar.update(self._task, description="seeds", total=total, completed=done)
            self._start()
        elif done == total or done * LINES // total > (done - 1) * LINES // total:
            spent = f", {self._spending.line()}" if self._spending else ""
            said = f"extracting the entity graph: {done:,} of {total:,} seeds{spent}"
            self._console.print(said, highlight=False, markup=False, soft_wrap=True)

    def begin(self, done: int, target: int) -> None:
        """Start the view; a thread draws it, so it moves while nothing is committed."""
        self.__exit__()
        self._accepted, self._target, self._said = done, target, done
        if not self._console.is_terminal:
            self._console.print(f"generating, {done} of {target} rows so far …", highlight=False)
            return
        self._bar.reset(self._task, description="rows", total=target, completed=done)
        self._start()

    def _start(self) -> None:
        if self._live is None:
            self._live = Live(
                get_renderable=self._view,
                console=self._console,
                refresh_per_second=4,
                transient=False,
            )
            self._live.start()

    def committed(self, candidate: Candidate) -> None:
        """Count a candidate."""
        if candidate.status == "accepted":
            self._accepted += 1
        else:
            self._fell[candidate.stage] = self._fell.get(candidate.stage, 0) + 1
        self._bar.update(self._task, completed=self._accepted)
        if self._live is None and self._accepted >= self._said + max(10, self._target // LINES):
            self._said = self._accepted
            spent = f", {self._spending.line()}" if self._spending else ""
            said = f"{self._accepted} of {self._target} rows, {self._falls()}{spent}"
            self._console.print(said, highlight=False, markup=False, soft_wrap=True)

    def stopping(self) -> None:
        """The user wants to stop."""
        said = "stopping: waiting for the calls under way; Ctrl-C again ends at once"
        self._console.print(said if self._spending else "stopping", highlight=False)

    def _falls(self) -> str:
        stages = list(self._fell.items())
        return ", ".join(f"{n} fell at {stage}" for stage, n in stages) or "none fell"

    def _view(self) -> Group:
        parts: list[RenderableType] = [self._bar.get_renderable()]
        if self._target:  # rows are made
            parts.append(Text(self._falls(), style="dim"))
        if self._spending is not None:
            parts += self._spending.view()
        return Group(*parts)


def tell(result: RunResult) -> None:
    """What came out of a run, in a few lines."""
    short = f"\n  {result.why_short}" if result.why_short else ""
    took = f"{result.generation_s:.1f} s ({result.wall_s:.1f} s in all)"
    say(f"{len(result.rows)} of {result.target} rows in {took}{short}")
    if spent := result.spent():
        failed = sum(row["failures"] for row in result.usage)
        said = f"  spent    {spent['calls']:,} calls, {spent['tokens']:,} tokens, "
        say(f"{said}cost {spent['cost']:g}" + (f", {failed:,} failed tries" if failed else ""))
    say(f"  dataset  {result.out / 'dataset'}\n  report   {result.report()}")
