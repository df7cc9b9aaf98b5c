"""Answers as arrays: one table a question, items down, annotators across, -1 where nobody answered.

Also the patterns that everything is computed from: how many said what of an item. Thousands of
items share a few dozen patterns, which is what makes a bootstrap cheap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from falsereject_gen.annotate.questions import Question
from falsereject_gen.annotate.records import Answer

__all__ = ["MISSING", "Panel", "counts", "lay_out", "patterns"]

MISSING = -1
Labels = NDArray[np.int8]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Panel:
    """Who said what of which item.

    Attributes:
        items: ids, in the order of the batch.
        annotators: names, sorted.
        labels: by question name, an array (items, annotators) of places in the question's answers;
            MISSING where it was not answered.
    """

    items: tuple[str, ...]
    annotators: tuple[str, ...]
    labels: Mapping[str, Labels]


def lay_out(
    answers: Iterable[Answer], items: Sequence[str], questions: Sequence[Question]
) -> Panel:
    """A panel of the answers to these items; answers to others are left aside, skipped ones too."""
    place = {item: row for row, item in enumerate(items)}
    kept = [one for one in answers if one.item in place and one.labels and not one.skipped]
    people = {name: column for column, name in enumerate(sorted({one.annotator for one in kept}))}
    labels = {
        question.name: np.full((len(place), len(people)), MISSING, dtype=np.int8)
        for question in questions
    }
    codes = {q.name: {answer: code for code, answer in enumerate(q.answers)} for q in questions}
    for one in kept:
        row, column = place[one.item], people[one.annotator]
        for name, label in one.labels.items():
            labels[name][row, column] = codes[name][label]
    return Panel(tuple(place), tuple(people), labels)


def counts(labels: Labels, answers: int) -> Counts:
    """How many annotators gave each answer to each item: an array (items, answers)."""
    return np.stack([(labels == code).sum(axis=1) for code in range(answers)], axis=1)


def patterns(table: Counts) -> tuple[Counts, Counts]:
    """The different rows of a table of counts that hold anything, and how often each stands there.

    Returns:
        Patterns (kinds, answers) and their frequencies (kinds,); both empty when nobody answered.
    """
    answered = table[table.sum(axis=1) > 0]
    if not len(answered):
        return answered, np.zeros(0, dtype=np.int64)
    kinds, times = np.unique(answered, axis=0, return_counts=True)
    return kinds, times
