"""The turnstile: candidates are compared and committed one by one, in the order of their briefs.

Loops run side by side and finish in any order. Whether a text is a near-duplicate depends on which
rows came before it, so each waits for its turn: the dataset is then the same however long replies
took, and however often the run was killed. Only what is certain before is told before: the first
row that a text is too near to stays the first one, whatever comes between.

Texts in other languages than English have no vector that means anything: of these, only equal ones
are too near to each other.
"""

import asyncio
from collections.abc import Callable, Sequence

from falsereject_gen.dedup.encoder import Vectors
from falsereject_gen.dedup.equal import EqualTexts, bare
from falsereject_gen.dedup.index import TextIndex, cosine
from falsereject_gen.records import ENGLISH, Candidate, Neighbour, content_id
from falsereject_gen.run.embedding import Embedding
from falsereject_gen.settings import DedupSettings

__all__ = ["Turnstile", "row_id"]


def row_id(text: str) -> str:
    """The id of a published row: derived from its prompt."""
    return content_id("r", text)


class Turnstile:
    """Lets one ordinal at a time compare itself with rows, seeds and references, and commit.

    Args:
        embedding: embeds the texts.
        others: indexes of seeds and references, which don't grow.
        limits: the cosine from which a text is too near, for each.
        on_wait: told whenever somebody begins to wait.
        equal: seeds and references that a text in another language must not equal.
    """

    def __init__(
        self,
        embedding: Embedding,
        others: list[TextIndex],
        limits: DedupSettings,
        on_wait: Callable[[], None] = lambda: None,
        equal: Sequence[EqualTexts] = (),
    ) -> None:
        self._embedding = embedding
        self._rows = TextIndex("rows")
        self._others = others
        self._equal_rows, self._equal_others = EqualTexts("rows"), tuple(equal)
        self._limit = {
            "rows": limits.rows_max,
            "seeds": limits.seeds_max,
            "reference": limits.reference_max,
        }
        self._on_wait = on_wait
        self._turn = 0
        self._waiting: dict[int, asyncio.Future[Neighbour | None]] = {}
        self._hopeful: dict[int, Vectors | str] = {}

    @property
    def turn(self) -> int:
        """The ordinal whose turn it is: as many candidates are committed."""
        return self._turn

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    @property
    def hopeful(self) -> int:
        """How many of those that wait have passed every gate before this one."""
        return len(self._hopeful)

    async def nearest(
        self, ordinal: int, text: str, language: str = ENGLISH
    ) -> tuple[Neighbour | None, bool]:
        """The nearest text among rows, seeds and references; and whether it is too near.

        A text that is too near to a seed or a reference is told at once; one that is too near to a
        row, as soon as the first such row is there; any other text, in its turn. In another
        language than English there is no nearest text, only an equal one.
        """
        if language != ENGLISH:
            found = await self._equal(ordinal, text)
            return found, found is not None
        vector = await self._embedding.one(text, ordinal)
        fixed = [n for index in self._others if (n := index.nearest(vector))]
        close = [n for n in fixed if n.score >= self._limit[n.among]]
        if close:
            return max(close, key=lambda n: n.score), True
        row = self._rows.first(vector, self._limit["rows"])
        if row is None and ordinal != self._turn:
            row = await self._hope(ordinal, vector)
        if row is not None:
            return row, True
        last = self._rows.nearest(vector)
        return max([*fixed, *filter(None, [last])], key=lambda n: n.score, default=None), False

    async def _equal(self, ordinal: int, text: str) -> Neighbour | None:
        """The text that this one equals: a seed or a reference, or the first such row."""
        for others in self._equal_others:
            if found := others.find(text):
                return found
        row = self._equal_rows.find(text)
        if row is None and ordinal != self._turn:
            row = await self._hope(ordinal, bare(text))
        return row

    def take(self, candidate: Candidate, vector: Vectors | None) -> None:
        """Count a candidate in whose turn it is, and let the next one pass.

        Args:
            candidate: just committed, or loaded from the store.
            vector: its text's, if it was accepted and is in English.
        """
        text = candidate.last.draft.text
        if candidate.status == "accepted" and vector is not None:
            self._rows.add([row_id(text)], [text], vector[None, :])
            self._tell_near(row_id(text), text, vector)
        elif candidate.status == "accepted":
            self._equal_rows.add(row_id(text), text)
            self._tell_near(row_id(text), text, bare(text))
        self._turn += 1
        _wake(self._waiting.pop(self._turn, None), None)

    async def wait(self, ordinal: int) -> None:
        """Sleep until it is this ordinal's turn."""
        if ordinal != self._turn:
            await self._wait(ordinal)

    async def _hope(self, ordinal: int, what: Vectors | str) -> Neighbour | None:
        """Wait as one that passed every gate before this, and is told of a row that is too near."""
        self._hopeful[ordinal] = what
        try:
            return await self._wait(ordinal)
        finally:
            del self._hopeful[ordinal]

    async def _wait(self, ordinal: int) -> Neighbour | None:
        """Until it is this ordinal's turn (None), or the row is there that it is too near to."""
        turn = self._waiting.setdefault(ordinal, asyncio.get_running_loop().create_future())
        self._on_wait()
        return await turn

    def _tell_near(self, name: str, text: str, what: Vectors | str) -> None:
        """Send back those that are too near to a new row: they need not wait for their turn."""
        for ordinal, other in self._hopeful.items():
            score = _closeness(other, what)
            if score >= self._limit["rows"]:
                found = Neighbour(id=name, score=score, among="rows", text=text)
                _wake(self._waiting.pop(ordinal, None), found)


def _closeness(one: Vectors | str, other: Vectors | str) -> float:
    """Cosine of two vectors; 1 for equal words; a vector and words have nothing in common."""
    if isinstance(one, str) or isinstance(other, str):
        return float(isinstance(one, str) and isinstance(other, str) and one == other)
    return cosine(one, other)


def _wake(turn: "asyncio.Future[Neighbour | None] | None", found: Neighbour | None) -> None:
    if turn is not None and not turn.done():
        turn.set_result(found)
