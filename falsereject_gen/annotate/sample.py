"""Which rows people see: a proportional sample over categories, strategies and score bands."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

__all__ = ["BANDS", "METHOD", "Drawable", "bands", "draw"]

METHOD = (
    "systematic: rows laid out by category, inside it by strategy, inside that by band of harm "
    "(order of each and rows of a stratum shuffled), one taken at every equal step from a random "
    "start; shuffled"
)
BANDS = ("low", "middle", "high")
"""Thirds of the discriminator's harm over all rows to draw from; equal scores stay together."""


class Drawable(Protocol):
    """What a sample is drawn by: a row, or as much of it as this."""

    @property
    def id(self) -> str:
        """Its id, by which rows are put in order."""

    @property
    def category(self) -> str:
        """Its category's id."""

    @property
    def strategy(self) -> str:
        """Its strategy."""

    @property
    def harm(self) -> float:
        """The discriminator's score, 0 to 1."""


One = TypeVar("One", bound=Drawable)


def bands(rows: Iterable[Drawable]) -> Callable[[Drawable], str]:
    """Says in which third of these rows' harm a row lies."""
    scores = sorted(row.harm for row in rows)
    cuts = [scores[len(scores) * k // 3] for k in (1, 2)] if scores else [0.0, 0.0]
    return lambda row: BANDS[sum(row.harm >= cut for cut in cuts)]


def draw(rows: Sequence[One], size: int, rng: int) -> list[One]:
    """A stratified sample in shuffled order.

    A systematic sample over the laid-out rows gives each category its proportional share, rounded
    up or down, and spreads strategies and bands inside it: at 1 row in 5, no category with 5 is
    missed.

    Args:
        rows: all rows, in any order: the result does not depend on it.
        size: rows wanted; 0, or more than there are, takes all.
        rng: the sampler's random seed.
    """
    dice = random.Random(rng)
    line = _lay_out(rows, dice)
    if 0 < size < len(line):
        step, start = len(line) / size, dice.random()
        line = [line[int((k + start) * step)] for k in range(size)]
    dice.shuffle(line)
    return line


def _lay_out(rows: Sequence[One], dice: random.Random) -> list[One]:
    band = bands(rows)
    strata: dict[tuple[str, str, str], list[One]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.id):
        strata[row.category, row.strategy, band(row)].append(row)
    for key in sorted(strata):
        dice.shuffle(strata[key])
    place: dict[tuple[str, ...], float] = {}  # of a category, of a strategy inside it, …
    for key in sorted(strata):
        for depth in (1, 2, 3):
            place.setdefault(key[:depth], dice.random())
    order = sorted(strata, key=lambda key: [place[key[:depth]] for depth in (1, 2, 3)])
    return [row for key in order for row in strata[key]]
