"""The turnstile: one at a time, in order, and each sees the rows before it and no other."""

import asyncio
import time

import numpy as np
import pytest

from falsereject_gen.dedup.index import TextIndex
from falsereject_gen.records import Brief, Candidate, Draft, Round, Ruling
from falsereject_gen.run.commit import Turnstile, row_id
from falsereject_gen.run.embedding import ENOUGH, Embedding
from falsereject_gen.settings import DedupSettings

LIMITS = DedupSettings(rows_max=0.8, seeds_max=0.9, reference_max=0.95)
ANGLES = {"a": 0.0, "b": 0.3, "c": 1.5, "d": 1.6}


class Angles:
    """Texts as points on a circle: the cosine is that of their difference."""

    def one(self, text):
        vector = np.zeros(384, dtype=np.float32)
        vector[:2] = np.cos(ANGLES[text]), np.sin(ANGLES[text])
        return vector

    def some(self, texts):
        return [self.one(text) for text in texts]


def candidate(ordinal, text, accepted=True):
    brief = Brief(
        id="b", ordinal=ordinal, category="c", strategy="homonym", entities=(), seed_ids=(), rng=0
    )
    ruling = Ruling(decision="accept" if accepted else "reject", stage="dedup")
    return Candidate(
        brief=brief,
        rounds=(Round(draft=Draft(text=text, by="x"), ruling=ruling),),
        status="accepted" if accepted else "rejected",
        stage="dedup",
    )


def take(gate, ordinal, text, accepted=True):
    gate.take(candidate(ordinal, text, accepted), Angles().one(text) if accepted else None)


def index(among, *texts):
    found = TextIndex(among)
    ids, vectors = [f"{among}-{t}" for t in texts], [Angles().one(t) for t in texts]
    found.add(ids, list(texts), np.stack(vectors))
    return found


def test_a_row_is_compared_with_accepted_rows_only():
    async def go():
        gate = Turnstile(Embedding(Angles()), [], LIMITS)
        assert await gate.nearest(0, "a") == (None, False)
        take(gate, 0, "a", accepted=False)
        assert await gate.nearest(1, "b") == (None, False)
        take(gate, 1, "b")
        near, too_near = await gate.nearest(2, "a")
        assert too_near
        assert (near.id, near.among, near.text) == (row_id("b"), "rows", "b")
        near, too_near = await gate.nearest(2, "d")
        assert not too_near

    asyncio.run(go())


@pytest.mark.parametrize(("among", "too_near"), [("seeds", True), ("reference", True)])
def test_seeds_and_references_have_limits_of_their_own(among, too_near):
    async def go():
        gate = Turnstile(Embedding(Angles()), [index(among, "a")], LIMITS)
        near, found = await gate.nearest(0, "b")  # cosine .955
        assert found is too_near
        assert near.among == among

    asyncio.run(go())


def test_what_is_too_near_comes_before_what_is_merely_nearer():
    """Cosine .9998 to a reference (limit 1) and .997 to a row: the row is what it fell for."""

    async def go():
        limits = DedupSettings(rows_max=0.8, seeds_max=0.9, reference_max=1.0)
        gate = Turnstile(Embedding(Angles()), [index("reference", "d")], limits)
        take(gate, 0, "c")
        ANGLES["e"] = 1.58
        near, too_near = await gate.nearest(1, "e")
        assert (near.among, too_near) == ("rows", True)
        assert near.score < Angles().one("e") @ Angles().one("d")

    asyncio.run(go())


def test_later_ones_wait_for_their_turn():
    async def go():
        gate = Turnstile(Embedding(Angles()), [], LIMITS)
        passed = []

        async def play(ordinal, text):
            _, too_near = await gate.nearest(ordinal, text)
            passed.append(ordinal)
            take(gate, ordinal, text, not too_near)

        tasks = [asyncio.create_task(play(n, t)) for n, t in ((2, "c"), (1, "b"), (0, "a"))]
        await asyncio.wait_for(asyncio.gather(*tasks), 10)
        assert passed == [0, 1, 2]
        assert gate.turn == 3
        near, _ = await gate.nearest(3, "b")
        assert near.text == "a", "b fell for a, so it is no row"

    asyncio.run(go())


def test_row_ids_are_those_of_the_text():
    assert row_id("a") == row_id("a") != row_id("b")
    assert row_id("a").startswith("r-")


def test_who_is_too_near_to_a_new_row_is_sent_back_before_its_turn():
    """And who is near to a row that never came about waits until its turn, and passes."""

    async def go():
        gate = Turnstile(Embedding(Angles()), [], LIMITS)
        close = asyncio.ensure_future(gate.nearest(5, "b"))
        far = asyncio.ensure_future(gate.nearest(6, "d"))
        while gate.hopeful < 2:
            await asyncio.sleep(0)
        take(gate, 0, "a")
        near, too_near = await close
        assert (near.id, too_near) == (row_id("a"), True)
        assert gate.turn == 1
        assert not far.done()
        for ordinal in range(1, 6):
            take(gate, ordinal, "c", accepted=False)
        assert await far == (near.model_copy(update={"score": -0.0292}), False)
        assert gate.hopeful == 0

    asyncio.run(go())


def test_the_first_row_that_is_too_near_is_told_whenever_one_asks():
    async def go():
        gate = Turnstile(Embedding(Angles()), [], LIMITS)
        early = asyncio.ensure_future(gate.nearest(3, "a"))
        await asyncio.sleep(0.05)
        take(gate, 0, "b")  # cosine .955
        take(gate, 1, "a")  # cosine 1, but later
        late = await gate.nearest(2, "a")
        assert await early == late
        assert late[0].id == row_id("b")

    asyncio.run(go())


def test_the_earliest_briefs_text_is_embedded_first():
    order = []

    class Slow(Angles):
        def one(self, text):
            order.append(text)
            time.sleep(0.02)
            return super().one(text)

    async def go():
        queue = Embedding(Slow())
        first = asyncio.ensure_future(queue.one("a", 9))
        await asyncio.sleep(0)
        gone = asyncio.ensure_future(queue.one("d", 1))
        await asyncio.sleep(0)
        rest = [asyncio.ensure_future(queue.one(text, n)) for text, n in (("b", 7), ("c", 2))]
        await asyncio.sleep(0)
        assert queue.waiting == 3
        gone.cancel()
        await asyncio.gather(first, *rest)

    asyncio.run(go())
    assert order == ["a", "c", "b"]


def test_texts_wait_for_company_but_not_for_ever():
    batches = []

    class Counting(Angles):
        def some(self, texts):
            batches.append(len(texts))
            return super().some(texts)

    async def go():
        queue = Embedding(Counting(), gather_s=0.05)
        await asyncio.gather(*[queue.one("abcd"[n % 4], n) for n in range(ENOUGH + 3)])
        await queue.one("a", ENOUGH + 3)

    asyncio.run(go())
    assert batches == [ENOUGH, 3, 1]


@pytest.mark.parametrize("early", [True, False])
def test_the_nearest_row_is_the_same_whenever_it_was_asked_for(early):
    """Before the rows came, or after: an exact tie goes to the first."""

    async def go():
        gate = Turnstile(Embedding(Angles()), [], LIMITS.model_copy(update={"rows_max": 0.9999}))
        take(gate, 0, "c")
        asked = asyncio.ensure_future(gate.nearest(3, "a")) if early else None
        await asyncio.sleep(0.05)
        take(gate, 1, "b")
        take(gate, 2, "b")
        found, too_near = await (asked or gate.nearest(3, "a"))
        assert (found.id, found.score, too_near) == (row_id("b"), 0.9553, False)
        assert gate.vector(3) is not None
        take(gate, 3, "a")
        assert gate.vector(3) is None

    asyncio.run(go())
