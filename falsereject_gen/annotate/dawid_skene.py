"""Dawid and Skene 1979 from crowd-kit: how likely each label is, given how people err.

The controls' right answers are told to the model, which learns from them how each person errs. It
needs several answers a row and labels that are not all alike; what it says of a row with one answer
is mostly the prior. Nothing is decided here.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from falsereject_gen.errors import UsageError

__all__ = ["ROUNDS", "Chances", "Said", "chances"]

ROUNDS = 200
"""Rounds of expectation and maximisation at most."""


class Said(NamedTuple):
    """One answer to one question."""

    item: str
    annotator: str
    label: str


class Chances(NamedTuple):
    """Probability of each label by item, and whether the model came to rest."""

    by_item: Mapping[str, Mapping[str, float]]
    rounds: int
    settled: bool


def chances(said: Sequence[Said], known: Mapping[str, str]) -> Chances:
    """Fit the model to one question.

    Args:
        said: all answers to it, those to controls too.
        known: right labels of controls by item; those with a label that nobody used are left aside.

    Raises:
        UsageError: crowd-kit is not installed.
    """
    if not said:
        return Chances({}, 0, True)
    try:
        import pandas as pd  # type: ignore[import-untyped]  # noqa: PLC0415 - optional
        from crowdkit.aggregation import DawidSkene  # noqa: PLC0415 - optional
    except ImportError:
        raise UsageError(
            "--method dawid-skene needs crowd-kit: pip install 'falsereject-gen[annotate]'"
        ) from None
    items, people, labels = (_numbers(column) for column in zip(*said, strict=True))
    table = [(items[one.item], people[one.annotator], labels[one.label]) for one in said]
    frame = pd.DataFrame(table, columns=["task", "worker", "label"])  # numbers: five times as fast
    gold = {items[i]: labels[label] for i, label in known.items() if i in items and label in labels}
    truth = pd.Series(gold) if gold else None
    with warnings.catch_warnings():  # crowd-kit 1.4 calls pandas 3 in a way that pandas 4 will end
        warnings.simplefilter("ignore")
        model = DawidSkene(n_iter=ROUNDS).fit(frame, true_labels=truth)
    found = {} if model.probas_ is None else model.probas_.to_dict("index")
    names = list(labels)
    by_item = {
        item: {names[code]: chance for code, chance in found[number].items()}
        for item, number in items.items()
    }
    return Chances(by_item, len(model.loss_history_), len(model.loss_history_) < ROUNDS)


def _numbers(column: Sequence[str]) -> dict[str, int]:
    """A number for each different text, in the order in which they come."""
    return {text: number for number, text in enumerate(dict.fromkeys(column))}
