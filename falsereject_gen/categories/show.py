"""A finding as tables and lines for a person."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from falsereject_gen.categories.finding import CLOSE_DEFINITION, CLOSE_SEEDS, Finding

__all__ = ["show"]

SHOWN = 5
_NAMES = 24


def show(found: Finding, screen: Console | None = None) -> None:
    """Print a finding, the closest categories first."""
    screen = screen or Console()
    screen.print(f"[bold]{escape(found.name)}[/bold] ({found.id}), {found.seeds} seeds")
    table = Table(title=f"closest of {len(found.near)} categories", title_justify="left")
    table.add_column("category", overflow="fold", max_width=28)
    for name in ("definition", "seeds"):
        table.add_column(name, no_wrap=True)
    table.add_column("nearest two seeds", overflow="fold")
    for one in [*found.near[:SHOWN], *(one for one in found.near[SHOWN:] if one.close)]:
        pair = f"{one.seed}\n{one.their_seed}  ({one.seed_score:.2f})" if one.their_seed else "–"
        cosines = (
            f"[bold]{value:.2f} *[/bold]" if value >= limit else f"{value:.2f}"
            for value, limit in ((one.definition, CLOSE_DEFINITION), (one.seeds, CLOSE_SEEDS))
        )
        table.add_row(one.id, *cosines, escape(pair))
    screen.print(table)
    screen.print(
        "How alike the definitions are, and the seeds (cosines; 1 is the same). * is close: "
        f"definitions from {CLOSE_DEFINITION}, seeds from {CLOSE_SEEDS}; 95 of 100 pairs of our "
        "44 are further apart.",
        style="dim",
        highlight=False,
    )
    agree = "–" if found.agreement is None else f"{found.agreement:.2f}"
    screen.print(f"seeds agree at {agree} (the bundled categories: .14 to .33)")
    screen.print(f"{len(found.new_entities)} new entities: {_list(found.new_entities)}")
    screen.print(f"{len(found.known_entities)} known entities: {_list(found.known_entities)}")
    written = {name: count for name, count in found.readings.items() if count}
    told = ", ".join(f"{name} {count}" for name, count in written.items()) or "none of its own"
    screen.print(f"readings: {told}; contrast pairs: {found.pairs}; triggers: {found.triggers}")
    for note in found.notes:
        screen.print(f"  note: {note}", style="yellow", markup=False, highlight=False)
    for reason in found.reasons:
        screen.print(f"  not ready: {reason}", style="red", markup=False, highlight=False)
    if found.ready:
        screen.print("ready", style="bold green")


def _list(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMES} more (all with --json)" if len(names) > _NAMES else ""
    return escape(", ".join(names[:_NAMES]) + more) or "–"
