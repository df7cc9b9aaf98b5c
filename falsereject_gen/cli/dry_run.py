"""What `run --dry-run` prints: the estimate as a table, or as one JSON object."""

from contextlib import closing
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from falsereject_gen.cli.options import say
from falsereject_gen.cli.spending import money
from falsereject_gen.forecast.estimate import Estimate, estimate
from falsereject_gen.rooms import Rooms
from falsereject_gen.settings import RunSettings

__all__ = ["dry_run"]


def dry_run(settings: RunSettings, rooms: Rooms, resume: Path | None, *, as_json: bool) -> None:
    """Estimate a run and print it; nothing is asked or written."""
    done = _accepted(resume) if resume is not None else 0
    answered = _answered(resume) if resume is not None and settings.extractor == "spoken" else {}
    found = estimate(settings, rooms, done, answered)
    if as_json:
        typer.echo(found.model_dump_json())
        return
    if not found.lines:
        say(f"{found.rows:,} rows by the embedded cast: no call is made and nothing is spent")
        return
    screen = Console()
    screen.print(_table(found))
    for line in (*found.assumptions,):
        screen.print(f"assumed: {line}", highlight=False, markup=False, style="dim")
    for line in (*found.budget, *(f"warning: {warning}" for warning in found.warnings)):
        screen.print(line, highlight=False, markup=False)
    if found.unpriced:
        names = ", ".join(found.unpriced)
        said = f"no price for {names}: set endpoints.NAME.price_in and price_out (per million)"
        screen.print(said, highlight=False, markup=False)


def _table(found: Estimate) -> Table:
    title = f"estimate for {found.rows:,} rows; nothing was asked"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, show_footer=True)
    table.add_column("role", "total", no_wrap=True)
    table.add_column("model", overflow="fold")
    spent = (sum(line.tokens_in for line in found.lines), found.tokens)
    table.add_column("calls", f"{found.calls:,}", justify="right")
    table.add_column("tokens in", f"{spent[0]:,}", justify="right")
    table.add_column("out", f"{spent[1] - spent[0]:,}", justify="right")
    known = any(line.cost is not None for line in found.lines)
    table.add_column("cost", money(found.cost) if known else "?", justify="right")
    for line in found.lines:
        counts = (f"{n:,}" for n in (line.calls, line.tokens_in, line.tokens_out))
        cost = "?" if line.cost is None else money(line.cost)
        table.add_row(line.role, line.model, *counts, cost)
    return table


def _accepted(folder: Path) -> int:
    """Rows that a run has."""
    from falsereject_gen.run.store import Store  # noqa: PLC0415

    with closing(Store(folder / "run.sqlite")) as store:
        return sum(candidate.status == "accepted" for candidate, _ in store.candidates())


def _answered(folder: Path) -> dict[str, int]:
    """Answered calls that a run has kept, by role."""
    from falsereject_gen.models.cache import CallCache  # noqa: PLC0415

    found: dict[str, int] = {}
    with closing(CallCache(folder / "run.sqlite")) as cache:
        for role, _, spent in cache.totals():
            found[role] = found.get(role, 0) + spent.calls
    return found
