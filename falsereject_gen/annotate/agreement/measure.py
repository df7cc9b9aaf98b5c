"""Puts agreement together: questions over all rows and by category, pairs, people, judge.

Coefficients are over rows of the first batch: controls have a known answer and would flatter them,
and tie-breaks were given rows *because* people disagreed.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from falsereject_gen.annotate.agreement.coefficients import COEFFICIENTS
from falsereject_gen.annotate.agreement.estimate import estimate, estimate_cohen, stream
from falsereject_gen.annotate.agreement.gather import Given
from falsereject_gen.annotate.agreement.judge import judge
from falsereject_gen.annotate.agreement.panel import MISSING, Panel, counts, lay_out, patterns
from falsereject_gen.annotate.agreement.people import people
from falsereject_gen.annotate.agreement.records import Agreement, Group, Pair
from falsereject_gen.annotate.questions import Question
from falsereject_gen.settings import LoopSettings

__all__ = ["RESAMPLES", "measure"]

RESAMPLES = 2000
"""Resamples of a bootstrap unless told otherwise."""
Labels = NDArray[np.int8]


def measure(
    given: Given, limits: LoopSettings, *, seed: int = 0, resamples: int = RESAMPLES
) -> Agreement:
    """Everything that the answers say about agreement; the same answers and seed, the same result.

    Args:
        given: batches and answers, as `gather` read them.
        limits: the discriminator's current thresholds.
        seed: of all bootstraps.
        resamples: of each bootstrap.
    """
    rows = given.rows
    panel = lay_out(given.first.answers, tuple(rows), given.questions)
    categories = [(item.category, item.category_name) for item in rows.values()]
    batch = given.first.batch
    return Agreement(
        batch=batch.name,
        tie_breaks=tuple(sheet.batch.name for sheet in given.ties),
        rows=len(rows),
        rows_answered=len({one.item for one in given.first.given} & set(rows)),
        controls=len(batch.items) - len(rows),
        answers=len(given.first.given),
        tie_break_answers=sum(len(sheet.given) for sheet in given.ties),
        seed=seed,
        resamples=resamples,
        groups=tuple(_groups(panel, categories, given.questions, seed, resamples)),
        pairs=tuple(_pairs(panel, given.questions, seed, resamples)),
        people=people(given),
        judge=judge(given, limits, seed=seed, resamples=resamples),
        notes=tuple(_notes(given, panel)),
    )


def _groups(
    panel: Panel,
    categories: Sequence[tuple[str, str]],
    questions: Sequence[Question],
    seed: int,
    resamples: int,
) -> Iterator[Group]:
    """All rows first, then each category, question by question."""
    where = np.array([category for category, _ in categories])
    for question in questions:
        labels = panel.labels[question.name]
        yield _group(question, ("", ""), labels, seed, resamples)
        for category in sorted(set(categories)):
            yield _group(question, category, labels[where == category[0]], seed, resamples)


def _group(
    question: Question, category: tuple[str, str], labels: Labels, seed: int, resamples: int
) -> Group:
    table = counts(labels, len(question.answers))
    kinds, times = patterns(table)
    people = int((labels != MISSING).any(axis=0).sum())
    found = {}
    for name in COEFFICIENTS:
        dice = stream(seed, question.name, category[0], name)
        found[name] = estimate(name, kinds, times, people, resamples, dice)
    return Group(
        question=question.name,
        category=category[0],
        category_name=category[1],
        rows=int(times.sum()),
        paired=int((table.sum(axis=1) >= 2).sum()),
        annotators=people,
        labels=dict(zip(question.answers, table.sum(axis=0).tolist(), strict=True)),
        estimates=found,
    )


def _pairs(
    panel: Panel, questions: Sequence[Question], seed: int, resamples: int
) -> Iterator[Pair]:
    """Every two annotators, question by question; those without a common row say so."""
    for question in questions:
        labels = panel.labels[question.name]
        for one, other in combinations(range(len(panel.annotators)), 2):
            both = (labels[:, one] != MISSING) & (labels[:, other] != MISSING)
            first, second = labels[both, one], labels[both, other]
            names = (panel.annotators[one], panel.annotators[other])
            dice = stream(seed, question.name, *names)
            yield Pair(
                question=question.name,
                annotators=names,
                rows=len(first),
                raw=float((first == second).mean()) if len(first) else None,
                kappa=estimate_cohen(first, second, len(question.answers), resamples, dice),
            )


def _notes(given: Given, panel: Panel) -> Iterator[str]:
    if len(panel.annotators) < 2:
        yield f"{len(panel.annotators)} annotator(s) answered rows: agreement needs two"
    batch = given.first.batch
    silent = [] if batch.open else sorted(set(batch.assignment) - set(panel.annotators))
    if silent:
        yield f"nothing on rows yet from {', '.join(silent)}"
    for sheet in given.sheets:
        if sheet.strangers:
            names = ", ".join(sheet.strangers)
            yield f"{names} answered {sheet.batch.name} without being asked; counted all the same"
    if given.ties:
        yield (
            "coefficients are over the first batch: tie-breaks were given rows because people"
            " disagreed; labels for the discriminator, and people, count them"
        )
