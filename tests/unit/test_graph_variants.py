"""Names that mean one entity: by lemma, by spelling and meaning, and never what must stay apart."""

import numpy as np
import pytest

from falsereject_gen.entities.graph import merge, stats
from falsereject_gen.entities.variants import find_variants, lemma_key
from falsereject_gen.records import Entity, Relation, SeedGraph


def graph(seed, names, links=(), *, kinds=None, known=()):
    kinds = kinds or {}
    entities = tuple(
        Entity(id=n, surface=n, kind=kinds.get(n, "object"), like=n if n in known else "")
        for n in names
    )
    relations = tuple(Relation(source=a, label="with", target=b, seed_id=seed) for a, b in links)
    return SeedGraph(seed_id=seed, category="c", entities=entities, relations=relations)


def encode_as(angles):
    """A made-up encoder: the cosine of two names is that of the angle between them."""

    def encode(names):
        radians = np.radians([angles[name] for name in names])
        return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)

    return encode


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("knives", "knife"),
        ("the Knife", "knife"),
        ("e-mail", "email"),
        ("cyber attack", "cyber-attacks"),
    ],
)
def test_names_of_one_lemma_have_one_key(one, other):
    assert lemma_key(one, False) == lemma_key(other, False)


def test_an_act_is_reduced_as_a_verb_and_a_thing_as_a_noun():
    assert lemma_key("poisoning wells", True) == "poisonwells"
    assert lemma_key("thieves", False) == "thief"
    assert lemma_key("saws", True) != lemma_key("sawing machine", False)


def test_the_name_that_more_seeds_have_stays():
    found = find_variants(
        [graph("1", ["cyber-attack"]), graph("2", ["cyberattack"]), graph("3", ["cyberattack"])]
    )
    assert {name: one.of for name, one in found.items()} == {"cyber-attack": "cyberattack"}
    assert found["cyber-attack"].label == "cyber-attack (lemma)"


def test_meaning_joins_only_what_is_spelled_alike_and_only_from_the_threshold():
    seeds = [graph("1", ["licence", "license", "husband", "wife"])]
    near = encode_as({"licence": 0, "license": 20, "husband": 0, "wife": 1})
    assert find_variants(seeds, near, 0.9)["license"].of == "licence"
    assert find_variants(seeds, near, 0.9)["license"].cosine == 0.9397
    assert find_variants(seeds, near, 0.95) == {}


def test_acts_and_things_and_two_words_of_the_lexicon_stay_apart():
    kinds = {"paint": "act"}
    both = encode_as({"paint": 0, "paints": 0, "painting": 0})
    assert find_variants([graph("1", ["paint", "painting"], kinds=kinds)], both, 0.9) == {}
    known = ("paint", "painting")
    assert find_variants([graph("1", known, known=known)], both, 0.9) == {}
    assert find_variants([graph("1", ["paint", "paints"], known=("paint", "paints"))]) == {}


def test_a_known_name_wins_over_a_heavier_one():
    seeds = [graph("1", ["painting", "paint"], known=("painting",)), graph("2", ["paint"])]
    found = find_variants(seeds, encode_as({"painting": 0, "paint": 0}), 0.9)
    assert found["paint"].of == "painting"


def test_there_are_no_chains():
    """b is near a and c is near b; c is not near a, so c stays."""
    angles = {"colours": 0, "colourse": 25, "coloursen": 50}
    seeds = [graph("1", angles), graph("2", ["colours"])]
    found = find_variants(seeds, encode_as(angles), 0.9)
    assert {name: one.of for name, one in found.items()} == {"colourse": "colours"}


def test_a_variant_by_lemma_follows_its_canonical_name():
    seeds = [
        graph("1", ["licence", "license"]),
        graph("2", ["licence", "licenses"]),
        graph("3", ["license"]),
    ]
    seeds.append(graph("4", ["licence"]))
    found = find_variants(seeds, encode_as({"licence": 0, "license": 5, "licenses": 5}), 0.9)
    assert {name: one.of for name, one in found.items()} == {
        "license": "licence",
        "licenses": "licence",
    }


def test_the_merged_node_says_what_was_merged_and_counts_a_seed_once():
    seeds = [
        graph(
            "1",
            ["cyberattack", "cyber-attack", "bank"],
            [("cyberattack", "cyber-attack"), ("cyber-attack", "bank")],
        ),
        graph("2", ["cyberattack"]),
    ]
    merged = merge(seeds, find_variants(seeds))
    node = merged.nodes["cyberattack"]
    assert node["variants"] == ["cyber-attack (lemma)"]
    assert (node["weight"], node["seeds"]) == (2, ["1", "2"])
    assert merged.edges["cyberattack", "bank", "with"]["seeds"] == ["1"]
    assert (stats(merged)["variants"], stats(merged)["loops_left_out"]) == (1, 1)


def test_the_real_encoder_joins_two_spellings(encoder):
    seeds = [graph("1", ["license plate", "licence plate", "price", "prince"])]
    found = find_variants(seeds, encoder.many, 0.85)
    assert found["license plate"].of == "licence plate"
    assert set(found) == {"license plate"}
