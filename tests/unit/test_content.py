"""What is known of each category: enough of it, for every strategy, and nothing twice."""

import re
from collections import Counter, defaultdict
from typing import get_args

import pytest

from falsereject_gen.records import Strategy
from falsereject_gen.seeds.bundled import bundled_seeds, seed_files

STRATEGIES = set(get_args(Strategy))
SLOT = re.compile(r"\{(?:\w+:)?(\w+)\}")


def plain(text):
    return " ".join(text.casefold().split())


@pytest.fixture(scope="module")
def files(rooms):
    return {part.category: part for part in seed_files(rooms)}


def test_every_category_has_its_files_and_nothing_else_has(files, knowledge, lexicon, taxonomy):
    ids = set(taxonomy.categories)
    assert set(files) == set(knowledge.by_category) == set(lexicon.by_category) == ids


def test_a_file_is_named_after_its_category(rooms):
    for folder in ("graphs/seeds", "graphs/entities"):
        for name in rooms.names(folder):
            assert rooms.yaml(name)["category"] == name.split("/")[-1].removesuffix(".yaml")


def test_enough_of_everything(files, knowledge, lexicon, taxonomy):
    for category in taxonomy.categories:
        part = files[category]
        assert len(part.seeds) >= 12, category
        assert len(part.pairs) >= 40, category
        assert len(part.tame) >= 1, category
        assert len(lexicon.by_category[category]) >= 40, category
        assert len(knowledge.readings(category)) >= 25, category


def test_all_twelve_strategies_among_pairs_and_readings(files, knowledge, taxonomy):
    for category in taxonomy.categories:
        assert {pair.strategy for pair in files[category].pairs} == STRATEGIES, category
        assert {r.strategy for r in knowledge.readings(category)} == STRATEGIES, category


def test_strategies_have_one_name(rooms):
    assert [entry["id"] for entry in rooms.yaml("graphs/strategies.yaml")] == list(
        get_args(Strategy)
    )


def test_no_text_stands_in_two_categories(files):
    homes = defaultdict(set)
    for category, part in files.items():
        for text in part.seeds:
            homes[plain(text)].add(category)
    assert {text: where for text, where in homes.items() if len(where) > 1} == {}


def test_no_seed_stands_twice_and_none_is_a_benign_side(files):
    for category, part in files.items():
        counts = Counter(map(plain, part.seeds))
        assert [text for text, count in counts.items() if count > 1] == [], category
        benign = {plain(pair.benign) for pair in part.pairs} | set(map(plain, part.tame))
        assert set(counts) & benign == set(), category


def test_the_sides_of_a_pair_differ(files):
    for category, part in files.items():
        sides = [(plain(pair.toxic), plain(pair.benign)) for pair in part.pairs]
        assert [toxic for toxic, benign in sides if toxic == benign] == [], category
        assert len(set(sides)) == len(sides), category


def test_seeds_are_one_request_of_a_sentence_or_two(files):
    for part in files.values():
        for text in part.seeds:
            assert 3 <= len(text.split()) <= 40, text
            assert "\n" not in text
            assert text == text.strip()


def test_seeds_have_ids_of_their_own(rooms):
    seeds = bundled_seeds(rooms)
    assert len({seed.id for seed in seeds}) == len(seeds) >= 528
    assert {seed.licence for seed in seeds} == {"Apache-2.0"}


def test_readings_have_ids_of_their_own(knowledge, taxonomy):
    for category in taxonomy.categories:
        ids = [reading.id for reading in knowledge.readings(category)]
        assert len(set(ids)) == len(ids), category


def test_nearly_every_phrase_has_an_alarming_word(knowledge, triggers):
    """With the first value of each slot, as the phrases were written."""
    bare, phrases = [], 0
    for category, readings in knowledge.by_category.items():
        for reading in readings:
            for text in (*reading.do, *reading.wh, *reading.ask):
                phrases += 1
                said = SLOT.sub(lambda m: reading.slots[m[1]][0], text)  # noqa: B023
                if triggers.heat(said) == 0:
                    bare.append(f"{category}/{reading.id}: {said}")
    assert len(bare) <= 0.01 * phrases, bare
