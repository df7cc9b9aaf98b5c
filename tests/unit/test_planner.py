"""Briefs: spread, never twice, blind to what they must not know, and closing what is barren."""

from collections import Counter
from typing import get_args

import pytest

from falsereject_gen.entities import sample
from falsereject_gen.entities.sample import Planner
from falsereject_gen.records import (
    Candidate,
    Draft,
    Entity,
    Relation,
    Round,
    Ruling,
    Seed,
    SeedGraph,
    Strategy,
)
from falsereject_gen.settings import SamplingSettings

STRATEGIES = get_args(Strategy)
NAMES = ("kill", "knife", "alley", "victim", "gang")


def world(categories, seeds_each=3):
    seeds, graphs = [], []
    for category in categories:
        for number in range(seeds_each):
            seed = Seed.make(f"{category} {number}", category, source="x", licence="y")
            entities = tuple(Entity(id=n, surface=n, kind="act") for n in NAMES)
            link = Relation(source="kill", label="with", target="knife", seed_id=seed.id)
            seeds.append(seed)
            graphs.append(
                SeedGraph(seed_id=seed.id, category=category, entities=entities, relations=(link,))
            )
    return seeds, graphs


def planner(categories="abcd", *, patience=5, lookahead=4, rng=0):
    limits = SamplingSettings(graph="seed", entities_min=1, entities_max=4)
    seeds, graphs = world(categories)
    return Planner(
        seeds, graphs, STRATEGIES, limits, patience=patience, lookahead=lookahead, rng=rng
    )


def ended(brief, accepted):
    ruling = Ruling(decision="accept" if accepted else "reject", stage="orchestrate")
    return Candidate(
        brief=brief,
        rounds=(Round(draft=Draft(text="x", by="y"), ruling=ruling),),
        status="accepted" if accepted else "rejected",
        stage="orchestrate",
    )


def play(plan, count, accept):
    """Briefs one by one, each result noted at once."""
    briefs = []
    for ordinal in range(count):
        brief = plan.brief(ordinal)
        if brief is None:
            break
        briefs.append(brief)
        plan.record(ended(brief, accept(brief)))
    return briefs


def test_categories_and_strategies_are_spread():
    briefs = play(planner(), 96, lambda _: True)
    assert set(Counter(b.category for b in briefs).values()) == {24}
    assert set(Counter((b.category, b.strategy) for b in briefs).values()) == {2}
    assert set(Counter(b.seed_ids for b in briefs).values()) == {8}


def test_no_brief_twice():
    briefs = play(planner(), 400, lambda b: b.ordinal % 3 > 0)
    assert len({b.id for b in briefs}) == len({b.rng for b in briefs}) == 400
    assert [b.ordinal for b in briefs] == list(range(400))


def test_entities_come_from_the_seed_within_the_limits_and_the_rare_ones_first():
    briefs = play(planner("a"), 60, lambda _: True)
    for brief in briefs:
        assert 1 <= len(brief.entities) <= 4
        kept = {e.id for e in brief.entities}
        assert all({r.source, r.target} <= kept for r in brief.relations)
    uses = Counter(e.id for b in briefs for e in b.entities)
    assert max(uses.values()) - min(uses.values()) <= 2


def test_a_brief_depends_on_no_result_later_than_the_lookahead():
    """Brief k is the same whatever became of brief k - lookahead + 1 and all later ones."""
    ahead, asked = 6, 40
    base = play(planner(lookahead=ahead), asked + 1, lambda b: b.ordinal % 2 == 0)
    other = play(
        planner(lookahead=ahead),
        asked + 1,
        lambda b: b.ordinal % 2 == 0 if b.ordinal <= asked - ahead else b.category == "a",
    )
    assert base == other


def test_a_brief_does_learn_from_earlier_results():
    known = play(planner(lookahead=2), 60, lambda _: True)
    other = play(planner(lookahead=2), 60, lambda b: b.category != "a")
    assert known != other


def test_asking_ahead_or_one_by_one_gives_the_same():
    """An engine that has many briefs under way draws the ones that a slow one draws."""
    ahead = 8
    slow = play(planner(lookahead=ahead), 64, lambda b: b.ordinal % 3 > 0)
    fast, plan = [], planner(lookahead=ahead)
    for ordinal in range(64):
        fast.append(plan.brief(ordinal))
        if ordinal >= ahead - 1:
            oldest = fast[ordinal - ahead + 1]
            plan.record(ended(oldest, oldest.ordinal % 3 > 0))
    assert fast == slow


def test_another_seed_gives_other_briefs():
    same = [play(planner(rng=r), 20, lambda _: True) for r in (0, 0, 1)]
    assert same[0] == same[1]
    assert [b.rng for b in same[0]] != [b.rng for b in same[2]]


def test_a_barren_category_is_closed_and_named():
    plan = planner(patience=5, lookahead=1)
    briefs = play(plan, 200, lambda b: b.category != "c")
    assert plan.closed == {"c": 5}
    assert Counter(b.category for b in briefs)["c"] == 5
    assert len(briefs) == 200


def test_an_accepted_row_makes_patience_new():
    plan = planner("a", patience=3, lookahead=1)
    assert len(play(plan, 50, lambda b: b.ordinal % 3 == 2)) == 50
    assert plan.closed == {}


@pytest.mark.parametrize("lookahead", [1, 3, 50])
def test_when_nothing_is_accepted_it_ends(lookahead):
    plan = planner("ab", patience=4, lookahead=lookahead)
    briefs = play(plan, 10_000, lambda _: False)
    assert plan.closed.keys() == {"a", "b"}
    assert len(briefs) <= 2 * 4 + lookahead
    assert plan.brief(len(briefs)) is None


def test_a_seed_without_entities_is_not_served():
    seeds, graphs = world("a", 1)
    bare = Seed.make("z", "z", source="x", licence="y")
    plan = Planner(
        [*seeds, bare],
        [*graphs, SeedGraph(seed_id=bare.id, category="z", entities=())],
        STRATEGIES,
        SamplingSettings(graph="seed", entities_min=1, entities_max=4),
        patience=1,
        lookahead=1,
        rng=0,
    )
    assert plan.categories == ("a",)


def test_what_was_asked_in_full_is_not_gone_through_again(monkeypatch):
    """Categories that are drawn out change no brief, and cost nothing."""
    made, gone_through = [], []
    for known in (frozenset(), sample.EXHAUSTIVE):
        monkeypatch.setattr(sample, "EXHAUSTIVE", known)
        seeds, graphs = world("ab", seeds_each=2)
        large, some = world("c", seeds_each=1)
        names = tuple(Entity(id=f"e{k}", surface=f"e{k}", kind="act") for k in range(9))
        some = [some[0].model_copy(update={"entities": names, "relations": ()})]
        limits = SamplingSettings(graph="seed", entities_min=1, entities_max=4)
        given = (seeds + large, graphs + some, STRATEGIES, limits)
        plan = Planner(*given, patience=10**6, lookahead=4, rng=0)
        offered, in_turn = Counter(), plan._tongues.in_turn

        def counted(category, in_turn=in_turn, offered=offered):
            for language, draw in in_turn(category):

                def one_by_one(ask, uses, rng, draw=draw):
                    for one in draw(ask, uses, rng):
                        offered[ask.category] += 1
                        yield one

                yield language, one_by_one

        monkeypatch.setattr(plan._tongues, "in_turn", counted)
        made.append(play(plan, 2000, lambda brief: True))
        gone_through.append(offered["a"])
        assert plan.drawn_out["a"]
    assert made[0] == made[1]
    assert gone_through[1] < gone_through[0] / 5
