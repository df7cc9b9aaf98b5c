"""The result on a terminal of 80 columns: short tables; all of it is in the page and the JSON."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from falsereject_gen.annotate.agreement.records import REASONS, Agreement, Estimate, JudgeView
from falsereject_gen.annotate.agreement.words import NAMES, gold, lowest, two, why

__all__ = ["show"]

_PAIRS, _CATEGORIES = 5, 5
"""Pairs and categories that a terminal gets; the page has all."""
_SHORT = {"raw": "raw", "ac1": "AC1", "alpha": "alpha", "fleiss": "Fleiss"}


def show(agreement: Agreement, console: Console) -> None:
    """Print the tables, with the reasons of what is undefined below them."""
    for part in _parts(agreement):
        console.print(part)


def _parts(agreement: Agreement) -> Iterator[Table | Text]:
    yield _questions(agreement)
    yield from _reasons(agreement)
    yield from _categories(agreement)
    yield from _pairs(agreement)
    yield _people(agreement)
    for person in agreement.people:
        for remark in person.remarks:
            yield Text(f"{person.annotator}: {remark}")
    yield _judge(agreement.judge)
    for view in agreement.judge:
        yield from _suggested(view)
    for note in agreement.notes:
        yield Text(f"Note: {note}.")


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column(columns[0], no_wrap=columns[0] == "question")
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _figure(one: Estimate) -> Text:
    """The value, and its interval on a second line."""
    if one.value is None:
        return Text("–")
    if one.low is None or one.high is None:
        return Text(two(one.value))
    return Text(f"{two(one.value)}\n[{_bare(one.low)},{_bare(one.high)}]")


def _bare(value: float) -> str:
    return two(value).replace("0.", ".") if abs(value) < 0.995 else f"{value:.1f}"


def _questions(agreement: Agreement) -> Table:
    title = f"{agreement.batch}: {agreement.rows_answered} of {agreement.rows} rows answered"
    table = _table(title, "question", "by 2+", "yes", *_SHORT.values())
    for one in agreement.groups:
        if not one.category:
            said = sum(one.labels.values())
            share = f"{one.labels.get('yes', 0) / said:.0%}" if said else "–"
            cells = [_figure(one.estimates[name]) for name in _SHORT]
            table.add_row(one.question, str(one.paired), share, *cells)
    return table


def _reasons(agreement: Agreement) -> Iterator[Text]:
    for one in agreement.groups:
        said: dict[str, list[str]] = {}
        for name, value in one.estimates.items():
            if not one.category and why(value):
                what = "no value" if value.undefined else "no interval"
                said.setdefault(f"{what}: {why(value)}", []).append(NAMES[name])
        for reason, names in said.items():
            yield Text(f"{one.question}, {', '.join(names)}: {reason}.")


def _categories(agreement: Agreement) -> Iterator[Table | Text]:
    found, small = lowest(agreement, _CATEGORIES)
    if found:
        table = _table("Categories, the lowest AC1 first", "category", "question", "by 2+")
        for name in ("raw", "ac1"):
            table.add_column(_SHORT[name], justify="right")
        for one in found:
            cells = [_figure(one.estimates[name]) for name in ("raw", "ac1")]
            table.add_row(Text(one.category_name), one.question, str(one.paired), *cells)
        yield table
    if small:
        yield Text(f"{small} of category and question have fewer than 5 rows by 2+: on the page.")


def _pairs(agreement: Agreement) -> Iterator[Table | Text]:
    pairs = sorted(
        (one for one in agreement.pairs if one.rows),
        key=lambda one: (one.raw or 0.0, one.question, one.annotators),
    )
    if pairs:
        columns = ("pair", "question", "rows", "raw", "Cohen's kappa")
        table = _table("Pairs, the least agreeing first", *columns)
        for one in pairs[:_PAIRS]:
            kappa = _figure(one.kappa) if one.kappa.value is not None else Text(one.kappa.undefined)
            names = Text(" – ".join(one.annotators))
            table.add_row(names, one.question, str(one.rows), f"{one.raw:.2f}", kappa)
        yield table
    if len(pairs) > _PAIRS:
        yield Text(f"{len(pairs) - _PAIRS} more of pair and question: on the page.")


def _people(agreement: Agreement) -> Table:
    columns = ("answered", "skipped", "flagged", "controls", "attention", "seconds")
    table = _table("Annotators", "annotator", *columns)
    for one in agreement.people:
        seconds = "–" if one.seconds is None else f"{one.seconds:.1f}"
        numbers = (f"{one.answered}/{one.given}", str(one.skipped), str(one.flagged))
        checks = (gold(one.gold), gold(one.attention))
        table.add_row(Text(one.annotator), *numbers, *checks, seconds)
    return table


def _judge(views: tuple[JudgeView, ...]) -> Table:
    columns = ("rows", "people agree", "area under ROC", "calibration error")
    table = _table("The discriminator against people", "a high score means", *columns)
    for one in views:
        error = "–" if one.calibration_error is None else f"{one.calibration_error:.2f}"
        table.add_row(one.positive, str(one.rows), str(one.yes), _figure(one.auc), error)
    return table


def _suggested(view: JudgeView) -> Iterator[Text]:
    if why(view.auc):
        yield Text(f"{view.score}, area: {why(view.auc)}.")
    for one in view.suggested:
        if one.value is not None:
            yield Text(f"{view.score}, suggested ({one.rule}): {one.value:.3f}; {one.says}.")
        elif one.undefined != view.auc.undefined:
            yield Text(
                f"{view.score}, no threshold suggested ({one.rule}): {REASONS[one.undefined]}."
            )
    for note in view.notes:
        yield Text(f"{view.score}: {note}.")
