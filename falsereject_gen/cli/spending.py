"""What a run's endpoints are doing and what was spent, as lines and tables for a terminal."""

import contextlib
import math
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from falsereject_gen.models.desk import Models

__all__ = ["Spending", "money", "usage_table"]


class Spending:
    """Reads the accounts and the state of a run's endpoints; may be asked from any thread."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._states: list[Any] = []

    def line(self) -> str:
        """Calls, tokens and cost in one line, with the limits of the budget."""
        budget = self._models.budget
        total = budget.usage.total
        tokens = total.tokens_in + total.tokens_out
        parts = [
            f"{total.calls:,}{_of(budget.calls)} calls",
            f"{tokens:,}{_of(budget.tokens)} tokens",
            f"cost {money(total.cost)}{f' of {budget.money:g}' if budget.money else ''}",
        ]
        parts += [f"{total.cached:,} replayed"] if total.cached else []
        parts += [f"{total.failures:,} failed tries"] if total.failures else []
        return ", ".join(parts)

    def view(self) -> list[RenderableType]:
        """The line, one line an endpoint, and the table by role and model."""
        with contextlib.suppress(RuntimeError):  # one was opened meanwhile: the last state will do
            self._states = self._models.status()
        lines: list[RenderableType] = [Text(self.line())]
        lines += [Text(_state(status), overflow="ellipsis") for status in self._states]
        rows = self._models.budget.usage.rows()
        return [*lines, usage_table(rows)] if rows else lines


def usage_table(rows: list[dict[str, Any]]) -> Table:
    """Calls, tokens and cost by role and model; at home in 80 columns."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("role", no_wrap=True)
    table.add_column("model", overflow="ellipsis", max_width=30)  # the one that gives way
    for name in ("calls", "failed", "tokens in", "out", "cost", "s a call"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        mean = row["seconds"] / row["calls"] if row["calls"] else 0.0
        table.add_row(
            row["role"],
            Text(row["model"]),
            *(f"{row[key]:,}" for key in ("calls", "failures", "tokens_in", "tokens_out")),
            money(row["cost"]),
            f"{mean:.1f}" if mean else "",
        )
    return table


def money(cost: float) -> str:
    """A cost with cents, or with as many digits as a small one needs."""
    return f"{cost:,.2f}" if cost >= 1 or not cost else f"{cost:.4f}"


def _of(limit: int | None) -> str:
    return "" if limit is None else f" of {limit:,}"


def _state(status: Any) -> str:
    adapted = f" (adapted, at most {status.ceiling})" if status.limit < status.ceiling else ""
    said = f"{status.name}: {status.in_flight} under way, limit {status.limit}{adapted}"
    said += f", {status.waiting} waiting" if status.waiting else ""
    if status.random_loss >= 0.005:
        said += f", {status.random_loss:.0%} random loss"
    if math.isinf(status.paused_s):
        return said + ", sends nothing more"
    return said + (f", paused {status.paused_s:.0f} s" if status.paused_s >= 0.5 else "")
