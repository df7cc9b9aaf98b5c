"""Which rows people see, in which order: a proportional sample over categories and strategies."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

from falsereject_gen.records import Row

__all__ = ["METHOD", "draw"]

METHOD = (
    "systematic: rows laid out by category, inside a category by strategy (both orders and the "
    "rows of a stratum shuffled), one taken at every equal step from a random start; shuffled"
)


def draw(rows: Sequence[Row], size: int, rng: int) -> list[Row]:
    """A stratified sample in shuffled order.

    A systematic sample over the laid-out rows gives each category its proportional share, rounded
    up or down, and spreads the strategies inside it: at 1 row in 5, no category with 5 is missed.

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
    strata: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in sorted(rows, key=lambda row: row.id):
        strata[row.category][row.strategy].append(row)
    line: list[Row] = []
    for category in _shuffled(strata, dice):
        for strategy in _shuffled(strata[category], dice):
            stratum = strata[category][strategy]
            dice.shuffle(stratum)
            line += stratum
    return line


def _shuffled(keys: Iterable[str], dice: random.Random) -> list[str]:
    names = sorted(keys)
    dice.shuffle(names)
    return names
