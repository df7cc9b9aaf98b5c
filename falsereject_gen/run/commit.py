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
from dataclasses import dataclass

from falsereject_gen.dedup.encoder import Vectors
from falsereject_gen.dedup.equal import EqualTexts, bare
from falsereject_gen.dedup.index import TextIndex, exact_cosine
from falsereject_gen.records import ENGLISH, Candidate, Neighbour, content_id
from falsereject_gen.run.embedding import Embedding
from falsereject_gen.settings import DedupSettings

__all__ = ["Turnstile", "row_id"]


def row_id(text: str) -> str:
    """The id of a published row: derived from its prompt."""
    return content_id("r", text)


_Near = tuple[float, Neighbour]
"""A text with its cosine in double precision."""


@dataclass(slots=True)
class _Hopeful:
    """Passed every gate and waits: its vector or bare words, and the nearest row so far."""

    what: Vectors | str
    near: _Near | None = None


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
        self._hopeful: dict[int, _Hopeful] = {}
        self._vectors: dict[int, Vectors] = {}

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
        vector = self._vectors[ordinal] = await self._embedding.one(text, ordinal)
        fixed = [n for index in self._others if (n := index.nearest(vector))]
        close = [n for n in fixed if n.score >= self._limit[n.among]]
        if close:
            return max(close, key=lambda n: n.score), True
        near = self._rows.closest(vector)
        if near is not None and near[1].score >= self._limit["rows"]:
            return self._rows.first(vector, self._limit["rows"]), True
        if ordinal != self._turn:
            hope = _Hopeful(vector, near)
            row = await self._hope(ordinal, hope)
            if row is not None:
                return row, True
            near = hope.near
        rows = [near[1]] if near else []
        return max([*fixed, *rows], key=lambda n: n.score, default=None), False

    def vector(self, ordinal: int) -> Vectors | None:
        """The vector of an ordinal's last text that was compared; None if it has none."""
        return self._vectors.get(ordinal)

    async def _equal(self, ordinal: int, text: str) -> Neighbour | None:
        """The text that this one equals: a seed or a reference, or the first such row."""
        for others in self._equal_others:
            if found := others.find(text):
                return found
        row = self._equal_rows.find(text)
        if row is None and ordinal != self._turn:
            row = await self._hope(ordinal, _Hopeful(bare(text)))
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
        self._vectors.pop(self._turn, None)
        self._turn += 1
        _wake(self._waiting.pop(self._turn, None), None)

    async def wait(self, ordinal: int) -> None:
        """Sleep until it is this ordinal's turn."""
        if ordinal != self._turn:
            await self._wait(ordinal)

    async def _hope(self, ordinal: int, hope: _Hopeful) -> Neighbour | None:
        """Wait as one that passed every gate before this, and is told of a row that is too near."""
        self._hopeful[ordinal] = hope
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
        """Tell those who wait of a new row; those too near to it need not wait for their turn."""
        for ordinal, hope in self._hopeful.items():
            exact = _closeness(hope.what, what)
            if exact is None or (hope.near is not None and exact <= hope.near[0]):
                continue
            found = Neighbour(id=name, score=round(exact, 4), among="rows", text=text)
            hope.near = (exact, found)
            if found.score >= self._limit["rows"]:
                _wake(self._waiting.pop(ordinal, None), found)


def _closeness(one: Vectors | str, other: Vectors | str) -> float | None:
    """Cosine of two vectors; 1 for equal words, else None, as for a vector and words."""
    if isinstance(one, str) or isinstance(other, str):
        equal = isinstance(one, str) and isinstance(other, str) and one == other
        return 1.0 if equal else None
    return exact_cosine(one, other)


def _wake(turn: "asyncio.Future[Neighbour | None] | None", found: Neighbour | None) -> None:
    if turn is not None and not turn.done():
        turn.set_result(found)
