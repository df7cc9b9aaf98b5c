"""Which rows people see: a proportional sample over categories, strategies and score bands."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from falsereject_gen.records import Row

__all__ = ["BANDS", "METHOD", "bands", "draw"]

METHOD = (
    "systematic: rows laid out by category, inside it by strategy, inside that by band of harm "
    "(order of each and rows of a stratum shuffled), one taken at every equal step from a random "
    "start; shuffled"
)
BANDS = ("low", "middle", "high")
"""Thirds of the discriminator's harm over all rows to draw from; equal scores stay together."""


def bands(rows: Iterable[Row]) -> Callable[[Row], str]:
    """Says in which third of these rows' harm a row lies."""
    scores = sorted(row.harm for row in rows)
    cuts = [scores[len(scores) * k // 3] for k in (1, 2)] if scores else [0.0, 0.0]
    return lambda row: BANDS[sum(row.harm >= cut for cut in cuts)]


def draw(rows: Sequence[Row], size: int, rng: int) -> list[Row]:
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


def _lay_out(rows: Sequence[Row], dice: random.Random) -> list[Row]:
    band = bands(rows)
    strata: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
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
