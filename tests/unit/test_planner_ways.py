"""The named ways to draw entities, quotas, and what is left out because nobody can write it."""

from collections import Counter
from itertools import pairwise
from typing import get_args

import pytest

from falsereject_gen.entities.graph import merge
from falsereject_gen.entities.sample import Planner, check_quotas
from falsereject_gen.errors import UsageError
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
from falsereject_gen.settings import SamplingSettings, load_settings

STRATEGIES = get_args(Strategy)
WAYS = ("seed", "walk", "bridge", "coverage", "none")


def world(categories="abc", seeds_each=4):
    """Seeds of three entities each: a hub that a category shares, one of its own, and one that the
    next category has too."""
    seeds, graphs = [], []
    for place, category in enumerate(categories):
        following = categories[(place + 1) % len(categories)]
        for number in range(seeds_each):
            seed = Seed.make(f"{category} {number}", category, source="x", licence="y")
            names = (f"hub-{category}", f"{category}-{number}", f"shared-{following}-{number}")
            if place:
                names = (*names, f"shared-{category}-{number}")
            entities = tuple(Entity(id=n, surface=n, kind="object") for n in names)
            links = tuple(
                Relation(source=names[0], label="with", target=n, seed_id=seed.id)
                for n in names[1:]
            )
            seeds.append(seed)
            graphs.append(
                SeedGraph(seed_id=seed.id, category=category, entities=entities, relations=links)
            )
    return seeds, graphs


def planner(way, *, quotas=None, patience=50, lookahead=4, rng=0, seeds_each=4, **rest):
    limits = SamplingSettings(graph=way, entities_min=1, entities_max=4, quotas=quotas or {})
    seeds, graphs = world(seeds_each=seeds_each)
    return Planner(seeds, graphs, STRATEGIES, limits, patience, lookahead, rng, **rest)


def ended(brief, accepted, draft=None):
    ruling = Ruling(decision="accept" if accepted else "reject", stage="orchestrate")
    draft = draft or Draft(text="x", by="y", entities=tuple(e.id for e in brief.entities[:1]))
    return Candidate(
        brief=brief,
        rounds=(Round(draft=draft, ruling=ruling),),
        status="accepted" if accepted else "rejected",
        stage="orchestrate",
    )


def play(plan, count, accept=lambda _: True, draft=None, start=0):
    briefs = []
    for ordinal in range(start, start + count):
        brief = plan.brief(ordinal)
        if brief is None:
            break
        briefs.append(brief)
        plan.record(ended(brief, accept(brief), draft))
    return briefs


@pytest.mark.parametrize("way", WAYS)
def test_the_same_run_has_the_same_briefs_and_another_seed_has_others(way):
    runs = [play(planner(way, rng=r), 60, lambda b: b.ordinal % 3 > 0) for r in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert [b.rng for b in runs[0]] != [b.rng for b in runs[2]]


@pytest.mark.parametrize("way", WAYS)
def test_no_brief_depends_on_a_result_later_than_the_lookahead(way):
    ahead, asked = 6, 40
    base = play(planner(way, lookahead=ahead), asked + 1, lambda b: b.ordinal % 2 == 0)
    other = play(
        planner(way, lookahead=ahead),
        asked + 1,
        lambda b: b.ordinal % 2 == 0 if b.ordinal <= asked - ahead else b.category == "a",
    )
    assert base == other


@pytest.mark.parametrize("way", WAYS)
def test_a_restored_planner_stands_where_it_stood(way):
    def accept(brief):
        return brief.ordinal % 3 > 0

    whole = play(planner(way, quotas={"a": 7}), 80, accept)
    again = planner(way, quotas={"a": 7})
    for brief in whole[:50]:
        again.restore(brief)
        again.record(ended(brief, accept(brief)))
    assert play(again, 30, accept, start=50) == whole[50:]


@pytest.mark.parametrize("way", ["seed", "walk", "bridge", "coverage"])
def test_no_brief_is_asked_twice(way):
    briefs = play(planner(way), 500, lambda b: b.ordinal % 5 > 0)
    keys = [(b.category, b.strategy, frozenset(e.id for e in b.entities)) for b in briefs]
    assert len(briefs) > 200
    assert len(set(keys)) == len(keys)


def test_when_every_brief_was_asked_it_ends_and_says_so():
    """One seed with two entities: three sets of entities for each of twelve strategies."""
    seed = Seed.make("s", "a", source="x", licence="y")
    entities = tuple(Entity(id=n, surface=n, kind="object") for n in ("p", "q"))
    small = SeedGraph(seed_id=seed.id, category="a", entities=entities)
    limits = SamplingSettings(graph="seed", entities_min=1, entities_max=4)
    plan = Planner([seed], [small], STRATEGIES, limits, 99, 1, 0)
    assert len(play(plan, 100)) == 36
    assert plan.account()["drawn_out"] == ["a"]


def test_a_walk_brings_together_what_never_met_in_a_seed():
    plan = planner("walk")
    seeds, graphs = world()
    held = {g.seed_id: {e.id for e in g.entities} for g in graphs}
    for brief in play(plan, 150):
        names = {e.id for e in brief.entities}
        assert 2 <= len(names) <= 4
        assert not any(names <= of_seed for of_seed in held.values())
        assert set(brief.seed_ids) <= {seed.id for seed in seeds}
        for relation in brief.relations:
            assert {relation.source, relation.target} <= names & held[relation.seed_id]


def test_a_bridge_leads_from_the_category_to_another_one():
    graph = merge(world()[1])
    for brief in play(planner("bridge"), 100):
        names = [e.id for e in brief.entities]
        assert brief.category in graph.nodes[names[0]]["categories"]
        assert brief.category not in graph.nodes[names[-1]]["categories"]
        for a, b in pairwise(names):
            assert graph.has_edge(a, b) or graph.has_edge(b, a)


def test_coverage_uses_everything_before_anything_often():
    uses = Counter(e.id for b in play(planner("coverage"), 60) for e in b.entities)
    names = set(merge(world()[1]))
    assert set(uses) == names
    assert max(uses.values()) - min(uses.values()) <= 12


def test_coverage_counts_what_stands_in_rows():
    """The hub stands in every row, whatever was asked for: it is drawn last."""
    spoken = Draft(text="x", by="y", entities=("hub-a", "hub-b", "hub-c"))
    briefs = play(planner("coverage", lookahead=1), 100, draft=spoken)
    uses = Counter(e.id for b in briefs[10:] for e in b.entities)
    assert uses["hub-a"] < min(uses[f"a-{k}"] for k in range(4))


def test_coverage_asks_for_what_the_cast_can_speak_of():
    def serves(category):
        return {"fiction": {"a-1", "b-2"}, "history": {"c-3"}}

    for brief in play(planner("coverage", serves=serves), 6):
        wanted = serves(brief.category)[brief.strategy]
        assert {e.id for e in brief.entities} <= wanted


def test_none_is_the_name_of_the_category_only():
    briefs = play(planner("none"), 80)
    assert len(briefs) == 80
    assert {(b.entities, b.relations, b.seed_ids) for b in briefs} == {((), (), ())}
    assert len({b.id for b in briefs}) == len({b.rng for b in briefs}) == 80


@pytest.mark.parametrize("lookahead", [1, 20])
def test_a_quota_is_met_first_and_never_passed(lookahead):
    rows = Counter()
    plan = planner("seed", quotas={"a": 10, "b": 0}, lookahead=lookahead)
    accepted = []
    for brief in play(plan, 60, lambda b: b.ordinal % 3 > 0):
        if brief.ordinal % 3 > 0:
            rows[brief.category] += 1
            accepted.append(brief.category)
    assert rows["a"] == 10
    assert rows["b"] == 0
    if lookahead == 1:
        assert accepted[:10] == ["a"] * 10


def test_when_all_quotas_are_full_it_waits_for_results_and_then_ends():
    plan = planner("seed", quotas={"a": 2, "b": 1, "c": 0}, lookahead=8)
    briefs = [plan.brief(k) for k in range(3)]
    assert plan.brief(3) is None  # a result that is still out may open a category again
    plan.record(ended(briefs[0], False))
    assert plan.brief(3) is None
    for brief in briefs[1:]:
        plan.record(ended(brief, True))
    late = plan.brief(3)
    assert late.category == briefs[0].category
    plan.record(ended(late, True))
    assert plan.brief(4) is None


def test_a_quota_for_a_category_without_seeds_is_told():
    limits = SamplingSettings(graph="seed", entities_min=1, entities_max=4, quotas={"terorism": 5})
    with pytest.raises(UsageError, match=r"terorism.*there are terrorism"):
        check_quotas(limits, ["terrorism"])


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("sampling.quotas={terrorism: -1}", "below 0"),
        ("sampling.graph=stroll", "sampling.graph"),
        ("sampling.entities_min=9", "entities_min is above"),
        ("graph.merge_min=2", "graph.merge_min"),
    ],
)
def test_impossible_settings_are_told(pair, said):
    with pytest.raises(UsageError, match=said):
        load_settings(None, [pair])


def test_walks_need_room_for_two():
    with pytest.raises(UsageError, match="needs entities_max of 2"):
        load_settings(None, ["sampling.graph=walk", "sampling.entities_max=1"])


def test_what_the_cast_cannot_write_is_never_asked_and_is_told():
    def serves(category):
        every = {strategy: {"x"} for strategy in STRATEGIES}
        return {"a": {"fiction": {"x"}}, "b": {}, "c": every}[category]

    plan = planner("seed", serves=serves)
    asked = Counter((b.category, b.strategy) for b in play(plan, 60))
    assert {s for c, s in asked if c == "a"} == {"fiction"}
    assert not any(c == "b" for c, _ in asked)
    assert len(plan.left_out["a"]) == 11
    assert plan.account()["left_out"]["b"] == list(STRATEGIES)
    assert "c" not in plan.left_out


def test_seeds_that_the_cast_cannot_speak_of_are_not_drawn():
    _, graphs = world()
    able = {g.seed_id for g in graphs[::2]}
    plan = planner(
        "seed",
        serves=lambda _: {"fiction": set(), "history": set()},
        says=lambda small: ["fiction"] if small.seed_id in able else [],
    )
    briefs = play(plan, 40)
    assert {b.strategy for b in briefs} == {"fiction"}
    assert {seed for b in briefs for seed in b.seed_ids} == able
    assert "history" in plan.left_out["a"]


def test_a_pair_that_stays_silent_is_learned_and_left_out():
    silent = Draft(by="y", exhausted=True)
    plan = planner("none", lookahead=1, patience=1000)
    briefs = []
    for ordinal in range(300):
        brief = plan.brief(ordinal)
        mute = (brief.category, brief.strategy) == ("a", "fiction")
        briefs.append(brief)
        plan.record(ended(brief, not mute, silent if mute else None))
    asked = Counter((b.category, b.strategy) for b in briefs)
    assert asked["a", "fiction"] == 4  # as many as the category has seeds
    assert plan.left_out == {"a": ("fiction",)}


def test_a_category_that_stays_silent_altogether_is_closed():
    plan = planner("none", lookahead=1, patience=1000)
    silent = Draft(by="y", exhausted=True)
    for ordinal in range(400):
        brief = plan.brief(ordinal)
        mute = brief.category == "a"
        plan.record(ended(brief, not mute, silent if mute else None))
    assert plan.closed == {"a": 48}
