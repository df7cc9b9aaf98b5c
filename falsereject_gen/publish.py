"""From an adjudicated batch to the human-verified dataset: which row goes where, and the figures.

Labels come from annotate/, files and card from dataset/verified.py. Controls are never published.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from falsereject_gen.annotate.adjudicate import Adjudication, Judged, read_adjudication
from falsereject_gen.annotate.agreement.gather import Given, gather
from falsereject_gen.annotate.agreement.measure import measure
from falsereject_gen.annotate.agreement.records import Agreement
from falsereject_gen.annotate.agreement.words import NAMES, figure, why
from falsereject_gen.annotate.decide import UNDECIDED
from falsereject_gen.annotate.rows import published_rows
from falsereject_gen.dataset.verified import run_terms, write_verified
from falsereject_gen.errors import InputError
from falsereject_gen.records import Row
from falsereject_gen.settings import LoopSettings

__all__ = ["Published", "home_of", "publish"]

_SAYS = {
    "default": "benign and toxic-looking to people: the benchmark",
    "tame": "benign to people, and nothing about it stops them: no test of over-refusal",
    "unsafe": "NOT benign to people; never load it as benign",
}


class Published(NamedTuple):
    """Where the dataset is, rows by config, and rows left out by reason."""

    folder: Path
    configs: dict[str, int]
    left_out: dict[str, int]


def publish(
    folders: Sequence[Path],
    out: Path,
    limits: LoopSettings,
    *,
    run: Path | None = None,
    with_unsafe: bool = True,
) -> Published:
    """Write the human-verified split of an adjudicated batch.

    Args:
        folders: the batch, then the tie-breaks that it was adjudicated with.
        out: the dataset's folder.
        limits: the discriminator's current thresholds, for the card.
        run: where the rows come from; by default the run folder that the batch lies in.
        with_unsafe: keep rows that people found not benign, in a config of their own; they are
            listed as left out otherwise.

    Raises:
        InputError: the batch is not adjudicated, was answered since, has a row that the run has
            not, or nothing is left for the default config.
        StoreError: the folder cannot be written; what was there is untouched.
    """
    given = gather(folders)
    found = read_adjudication(folders[0])
    _check(given, found, folders[0])
    home = run or home_of(folders[0])
    rows = {row.id: row for row in published_rows(home)}
    configs: dict[str, list[dict[str, Any]]] = {name: [] for name in _SAYS}
    left_out = []
    for judged in found.rows:
        row = _row(judged, rows, given, home)
        where, reason = _where(judged, found.needed, with_unsafe)
        if where:
            configs[where].append(_values(row, judged, given))
        else:
            left_out.append(_left(judged, reason))
    questions = {question.name: question.answers for question in given.questions}
    values = _card(given, found, measure(given, limits), left_out, configs)
    values |= {"terms": run_terms(home), "in_train": _in_train(home, configs)}
    write_verified(out, configs, left_out, questions, values)
    counted = {name: len(part) for name, part in configs.items() if part}
    return Published(out, counted, dict(Counter(one["reason"] for one in left_out).most_common()))


def home_of(batch: Path) -> Path:
    """The run folder that a batch lies in (RUN/annotation/<batch>).

    Raises:
        InputError: it lies in none.
    """
    for place in batch.resolve().parents:
        if (place / "dataset" / "data").is_dir():
            return place
    raise InputError("not inside a run's folder; name the run with --run", path=batch)


def _check(given: Given, found: Adjudication, folder: Path) -> None:
    named = [sheet.batch.name for sheet in given.ties]
    if named != list(found.facts["tie_breaks"]):
        used = ", ".join(found.facts["tie_breaks"]) or "no tie-break"
        raise InputError(f"adjudicated with {used}; name the same, or adjudicate anew", path=folder)
    if found.facts["answers_sha256"] != given.digest():
        what = "answers have changed since it was adjudicated; adjudicate it anew"
        raise InputError(what, path=folder)


def _row(judged: Judged, rows: Mapping[str, Row], given: Given, home: Path) -> Row:
    """The run's row behind an item, which must be what people saw."""
    row = rows.get(judged.row_id)
    if row is None:
        raise InputError(f"has no row {judged.row_id}: another run than the batch's?", path=home)
    shown = given.rows[judged.item]
    if (row.prompt, row.category) != (shown.prompt, shown.category):
        raise InputError(f"row {row.id} is not what people saw; which run was it?", path=home)
    return row


def _where(judged: Judged, needed: Sequence[str], with_unsafe: bool) -> tuple[str, str]:
    """The config of a row, or why it has none."""
    said = {name: one.label for name, one in judged.decisions.items()}
    if judged.unanswered:
        return "", UNDECIDED["no_answers"]
    if open_ := judged.disputed(needed):
        reasons = (f"{name}: {UNDECIDED[judged.decisions[name].undecided]}" for name in open_)
        return "", "no agreement on " + "; ".join(reasons)
    if said["benign"] == "no":
        return ("unsafe", "") if with_unsafe else ("", "not benign to people")
    if said["benign"] != "yes":
        return "", "unclear to people"
    return ("tame", "") if said["looks_toxic"] == "no" else ("default", "")


def _left(judged: Judged, reason: str) -> dict[str, Any]:
    return {
        "row_id": judged.row_id,
        "reason": reason,
        "labels": {name: one.label for name, one in judged.decisions.items()},
        "counts": {name: one.counts for name, one in judged.decisions.items()},
    }


def _values(row: Row, judged: Judged, given: Given) -> dict[str, Any]:
    out: dict[str, Any] = row.model_dump()
    most = max(sum(one.counts.values()) for one in judged.decisions.values())
    out["annotators"] = most
    for question in given.questions:
        one = judged.decisions[question.name]
        out[f"human_{question.name}"] = one.label
        out[f"human_{question.name}_how"] = one.how
        for answer in question.answers:
            out[f"human_{question.name}_{answer}"] = one.counts.get(answer, 0)
    return out


def _in_train(home: Path, configs: Mapping[str, Sequence[Mapping[str, Any]]]) -> int:
    """How many published rows the run's own `train` split has."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - a fifth of a second

    files = sorted(home.glob("dataset/data/train-*.parquet"))
    ids = {i for path in files for i in pq.read_table(path, columns=["id"])["id"].to_pylist()}
    return sum(row["id"] in ids for rows in configs.values() for row in rows)


def _card(
    given: Given,
    found: Adjudication,
    agreement: Agreement,
    left_out: Sequence[Mapping[str, Any]],
    configs: Mapping[str, Sequence[Any]],
) -> dict[str, Any]:
    """Everything that the card says of people and their answers."""
    overall = [one for one in agreement.groups if not one.category]
    gold = [one.gold.right / one.gold.asked for one in agreement.people if one.gold.asked]
    return {
        "config_says": _SAYS,
        "has_unsafe": bool(configs["unsafe"]),
        "batch": given.first.batch.name,
        "tie_breaks": found.facts["tie_breaks"],
        "run_ids": given.first.batch.manifest.get("run_ids", []),
        "batch_rows": len(found.rows),
        "reasons": Counter(one["reason"] for one in left_out).most_common(),
        "method": found.facts["method"],
        "sure": found.facts.get("sure"),
        "needed": found.needed,
        "questions": list(_questions(given, found)),
        "people": len({one.annotator for sheet in given.sheets for one in sheet.given}),
        "answers": agreement.answers + agreement.tie_break_answers,
        "tie_answers": agreement.tie_break_answers,
        "paired": max((one.paired for one in overall), default=0),
        "agreement": [(o.question, [figure(o.estimates[n]) for n in NAMES]) for o in overall],
        "undefined": list(_undefined(agreement)),
        "controls": agreement.controls,
        "gold": f"{min(gold):.0%} to {max(gold):.0%}" if gold else "",
        "judge": [_judge(view) for view in agreement.judge],
    }


def _questions(given: Given, found: Adjudication) -> Iterator[tuple[str, str, list[str], int]]:
    for question in given.questions:
        decided = found.facts["decided"].get(question.name, {})
        labels = ", ".join(f"{n} {label}" for label, n in decided.get("label", {}).items())
        undecided = sum(decided.get("undecided", {}).values())
        yield question.name, question.asks, [", ".join(question.answers), labels or "–"], undecided


def _undefined(agreement: Agreement) -> Iterator[str]:
    for one in agreement.groups:
        for name in NAMES if not one.category else ():
            value = one.estimates[name]
            if why(value):
                what = "no value" if value.undefined else "no interval"
                yield f"{one.question}, {NAMES[name]}: {what}, {why(value)}."


def _judge(view: Any) -> list[str]:
    area = figure(view.auc) if view.auc.value is not None else f"– ({why(view.auc)})"
    error = "–" if view.calibration_error is None else f"{view.calibration_error:.2f}"
    name = f"{view.score} (high means {view.positive})"
    return [name, str(view.rows), str(view.yes), area, error]
