"""The turnstile: candidates are compared and committed one by one, in the order of their briefs.

Loops run side by side and finish in any order. Whether a text is a near-duplicate depends on which
rows came before it, so each waits for its turn: the dataset is then the same however long replies
took, and however often the run was killed.
"""

import asyncio

from falsereject_gen.dedup.encoder import Encoder, Vectors
from falsereject_gen.dedup.index import TextIndex
from falsereject_gen.records import Candidate, Neighbour, content_id
from falsereject_gen.settings import DedupSettings

__all__ = ["Turnstile", "row_id"]


def row_id(text: str) -> str:
    """The id of a published row: derived from its prompt."""
    return content_id("r", text)


class Turnstile:
    """Lets one ordinal at a time compare itself with rows, seeds and references, and commit.

    Args:
        encoder: embeds the texts.
        others: indexes of seeds and references, which don't grow.
        limits: the cosine from which a text is too near, for each.
    """

    def __init__(
        self,
        encoder: Encoder,
        others: list[TextIndex],
        limits: DedupSettings,
    ) -> None:
        self._encoder = encoder
        self._rows = TextIndex("rows")
        self._others = others
        self._limit = {
            "rows": limits.rows_max,
            "seeds": limits.seeds_max,
            "reference": limits.reference_max,
        }
        self._turn = 0
        self._waiting: dict[int, asyncio.Future[None]] = {}

    @property
    def turn(self) -> int:
        """The ordinal whose turn it is: as many candidates are committed."""
        return self._turn

    async def nearest(self, ordinal: int, text: str) -> tuple[Neighbour | None, bool]:
        """The nearest text among rows, seeds and references; and whether it is too near.

        A neighbour that is too near comes first; otherwise the nearest of all.
        """
        vector = await asyncio.to_thread(self._encoder.one, text)
        await self.wait(ordinal)
        found = [n for index in (self._rows, *self._others) if (n := index.nearest(vector))]
        found.sort(key=lambda n: (n.score < self._limit[n.among], -n.score))
        best = found[0] if found else None
        return best, best is not None and best.score >= self._limit[best.among]

    def take(self, candidate: Candidate, vector: Vectors | None) -> None:
        """Count a candidate in whose turn it is, and let the next one pass.

        Args:
            candidate: just committed, or loaded from the store.
            vector: its text's, if it was accepted.
        """
        if candidate.status == "accepted" and vector is not None:
            text = candidate.last.draft.text
            self._rows.add([row_id(text)], [text], vector[None, :])
        self._turn += 1
        waiting = self._waiting.pop(self._turn, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def wait(self, ordinal: int) -> None:
        """Sleep until it is this ordinal's turn."""
        if ordinal == self._turn:
            return
        await self._waiting.setdefault(ordinal, asyncio.get_running_loop().create_future())
