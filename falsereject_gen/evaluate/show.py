"""Measures of several sets side by side: a table for people, one object for scripts."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from falsereject_gen.evaluate.metrics import Metrics, Value
from falsereject_gen.evaluate.texts import Texts

__all__ = ["as_object", "show"]

Measured = Sequence[tuple[Texts, Metrics]]
_DOWN, _UP, _NEITHER = "↓", "↑", " "
_LINES = (
    ("self_bleu_4", "Self-BLEU-4", _DOWN, ".3f"),
    ("dist_2", "Dist-2", _UP, ".3f"),
    ("vendi", "Vendi score", _UP, ".1f"),
    ("mean_cosine", "mean pairwise cosine", _DOWN, ".3f"),
    ("top_first_word", "most common first word", _DOWN, ".1%"),
    ("top_first_two", "most common first two words", _DOWN, ".1%"),
    ("openings", "effective openings (two words)", _UP, ".1f"),
    ("entity_coverage", "our entities that occur", _UP, ".1%"),
    ("words_mean", "words, mean", _NEITHER, ".1f"),
    ("words_median", "words, median", _NEITHER, ".0f"),
    ("words_p5", "words, 5 %", _NEITHER, ".0f"),
    ("words_p95", "words, 95 %", _NEITHER, ".0f"),
    ("categories", "categories", _NEITHER, ",.0f"),
    ("category_balance", "category balance", _UP, ".3f"),
    ("category_min", "smallest category, rows", _NEITHER, ",.0f"),
    ("category_max", "largest category, rows", _NEITHER, ",.0f"),
    ("give_away", "give-away disclaimers", _DOWN, ".1%"),
)
_AT_N = 8
"""The first lines are taken on samples of n, those below on all rows."""


def show(measured: Measured, console: Console | None = None) -> None:
    """Print one column a set; arrows say which way is better, the range stands below the mean."""
    metrics = [found for _, found in measured]
    drawn = max(found.repeats for found in metrics)
    table = Table(title=f"n = {metrics[0].n:,}, up to {drawn} samples; mean, range below")
    table.add_column("measure", min_width=22)
    table.add_column("")
    for texts, _ in measured:
        table.add_column(escape(texts.name), justify="right", overflow="fold")
    table.add_row("prompts", "", *(f"{found.rows:,}" for found in metrics))
    table.add_row("left out", "", *(_left_out(texts) for texts, _ in measured))
    table.add_row("column", "", *(escape(" + ".join(t.columns)) for t, _ in measured))
    table.add_section()
    for number, (name, label, arrow, form) in enumerate(_LINES, 1):
        cells = (_cell(getattr(found, name), form) for found in metrics)
        table.add_row(label, arrow, *cells, end_section=number == _AT_N)
    (console or Console()).print(table)
    for reason in dict.fromkeys(_undefined(measured)):
        (console or Console()).print(f"– {escape(reason)}", highlight=False)


def as_object(measured: Measured, seed: int) -> dict[str, Any]:
    """What `metrics --json` prints."""
    first = measured[0][1]
    files = [
        {
            "name": texts.name,
            "columns": list(texts.columns),
            "left_out": texts.left_out,
            **found.model_dump(exclude={"n"}),
        }
        for texts, found in measured
    ]
    return {"n": first.n, "seed": seed, "files": files}


def _left_out(texts: Texts) -> str:
    return "\n".join(f"{count:,} {reason}" for reason, count in texts.left_out.items()) or "0"


def _cell(value: Value, form: str) -> str:
    if value.mean is None or value.low is None or value.high is None:
        return "–"
    if value.low == value.high:
        return format(value.mean, form)
    return f"{value.mean:{form}}\n{value.low:{form}}–{value.high:{form}}"


def _undefined(measured: Measured) -> list[str]:
    """Why cells are empty: `file: reason (measures)`."""
    out = []
    for texts, found in measured:
        reasons: dict[str, list[str]] = {}
        for name, label, _, _ in _LINES:
            if why := getattr(found, name).undefined:
                reasons.setdefault(why, []).append(label)
        out += [f"{texts.name}: {why}: {', '.join(names)}" for why, names in reasons.items()]
    return out
