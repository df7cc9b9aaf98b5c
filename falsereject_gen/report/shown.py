"""Which candidates a page holds with all that was said: all of them, or as many as a browser bears.

Counts, tables and figures are always of the whole run; only the list of rows, and the rows named
beside an entity, may be a part of it. The page says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from falsereject_gen.run.stored import StoredCandidates

__all__ = ["MOST_BYTES", "MOST_CANDIDATES", "Shown", "choose"]

MOST_CANDIDATES = 5_000
MOST_BYTES = 48 * 2**20
"""Of candidates as they are stored; a page is about as large."""


@dataclass(frozen=True)
class Shown:
    """A choice of candidates.

    Attributes:
        ordinals: whose briefs, in order.
        step: every so many-th one was taken; 1: all.
        total: how many there are.
    """

    ordinals: tuple[int, ...]
    step: int
    total: int

    @property
    def whole(self) -> bool:
        """Whether all are shown."""
        return len(self.ordinals) == self.total


def choose(candidates: StoredCandidates, named: Iterable[int]) -> Shown:
    """All candidates, or every so many-th, spread over the run, and those that the page names.

    Args:
        candidates: of the run.
        named: briefs whose candidates the page refers to elsewhere.
    """
    total = len(candidates)
    step = max(1, -(-total // MOST_CANDIDATES), -(-candidates.size() // MOST_BYTES))
    if step == 1:
        return Shown(tuple(candidates.ordinals), 1, total)
    return Shown(tuple(sorted({*candidates.ordinals[::step], *named})), step, total)
