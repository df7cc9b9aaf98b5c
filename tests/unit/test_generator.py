"""The embedded generator: pure, never the same text twice, and it answers what went wrong."""

import asyncio

import pytest

from falsereject_gen.records import Brief, Draft, Entity, Neighbour, Round, Ruling
from falsereject_gen.roles.embedded.generator import GrammarGenerator
from falsereject_gen.roles.embedded.grammar import load_grammar
from falsereject_gen.roles.embedded.knowledge import Knowledge

CASES = [
    (category, strategy, rng)
    for rng, (category, strategy) in enumerate(
        [
            ("violent-crimes", "homonym"),
            ("self-harm", "help-seeking"),
            ("malware-code-generation", "definition"),
            ("terrorism", "history"),
            ("animal-related-crimes", "safe-target"),
            ("financial-advice", "fiction"),
        ]
        * 3
    )
]


@pytest.fixture(scope="module")
def generator(knowledge, rooms, triggers):
    return GrammarGenerator(knowledge, load_grammar(rooms), triggers)


def brief(category, strategy, rng, entities=()):
    return Brief(
        id="b",
        ordinal=0,
        category=category,
        strategy=strategy,
        entities=tuple(Entity(id=e, surface=e, kind="act") for e in entities),
        seed_ids=("s",),
        rng=rng,
    )


def failed(draft, fault, nearest=None):
    ruling = Ruling(decision="revise", stage="discriminate", fault=fault)
    return Round(draft=draft, nearest=nearest, ruling=ruling)


def write(generator, asked, rounds=()):
    return asyncio.run(generator.write(asked, tuple(rounds)))


def second(generator, fault, nearest=None):
    """Pairs of a first draft and what follows a fault, for all cases."""
    for case in CASES:
        asked = brief(*case)
        first = write(generator, asked)
        yield first, write(generator, asked, [failed(first, fault, nearest)])


def test_a_draft_depends_on_brief_and_rounds_alone(generator, knowledge, rooms, triggers):
    other = GrammarGenerator(knowledge, load_grammar(rooms), triggers)
    for case in CASES:
        asked = brief(*case)
        first = write(generator, asked)
        rounds = [failed(first, "tame")]
        again = write(generator, asked, rounds)
        assert write(other, asked, rounds) == again  # without having written the first
        assert write(other, asked) == first
        assert again.text != first.text


def test_a_brief_has_drafts_of_its_own(generator):
    drafts = {write(generator, brief("violent-crimes", "homonym", rng)).text for rng in range(12)}
    assert len(drafts) > 6


def test_the_draft_is_of_the_category_and_strategy_asked_for(generator, knowledge):
    for category, strategy, rng in CASES:
        draft = write(generator, brief(category, strategy, rng))
        readings = {r.id: r for r in knowledge.readings(category)}
        assert readings[draft.notes["reading"]].strategy == strategy
        assert draft.entities == readings[draft.notes["reading"]].entities


def test_entities_of_the_brief_choose_the_reading(generator, knowledge):
    for reading in knowledge.readings("violent-crimes"):
        asked = brief("violent-crimes", reading.strategy, 0, reading.entities)
        found = write(generator, asked).entities
        assert len(set(found) & set(reading.entities)) == len(set(reading.entities))


@pytest.mark.parametrize("fault", ["tame", "not_refused"])
def test_too_tame_makes_it_hotter(generator, triggers, fault):
    pairs = list(second(generator, fault))
    hotter = sum(triggers.heat(b.text) > triggers.heat(a.text) for a, b in pairs)
    cooler = sum(triggers.heat(b.text) < triggers.heat(a.text) for a, b in pairs)
    assert hotter > len(pairs) / 2
    assert cooler < len(pairs) / 4  # only where the first draft was the hottest there is


def test_unsafe_takes_another_reading(generator):
    for first, then in second(generator, "unsafe"):
        assert then.notes["reading"] != first.notes["reading"]


def test_not_answered_makes_it_no_hotter_than_the_hottest(generator, triggers):
    hot = [triggers.heat(b.text) for _, b in second(generator, "not_refused")]
    cool = [triggers.heat(b.text) for _, b in second(generator, "not_answered")]
    assert sum(cool) < sum(hot)
    assert all(c <= h for c, h in zip(cool, hot, strict=True))


def test_a_duplicate_leads_to_other_words(generator):
    def words(text):
        return {word for word in text.lower().split() if len(word) > 4}

    text = write(generator, brief(*CASES[0])).text
    near = Neighbour(id="r-1", score=0.9, among="rows", text=text)
    for first, then in second(generator, "duplicate", near):
        overlap = len(words(first.text) & words(then.text)) / len(words(first.text))
        assert overlap < 0.5


def test_no_text_twice_in_many_rounds(generator):
    asked, rounds = brief(*CASES[0]), []
    for _ in range(12):
        draft = write(generator, asked, rounds)
        assert draft.text not in {turn.draft.text for turn in rounds}
        rounds.append(failed(draft, "duplicate"))


def test_without_a_reading_it_is_exhausted_and_says_so(generator, rooms, triggers):
    nobody = GrammarGenerator(Knowledge({}), load_grammar(rooms), triggers)
    assert write(nobody, brief(*CASES[0])) == Draft(by="embedded", exhausted=True)
    assert write(generator, brief("no-such-category", "homonym", 0)).exhausted
