"""The embedded extractor: known and unknown entities, their kinds, and how they relate."""

import pytest

from falsereject_gen.entities.extract import EmbeddedExtractor
from falsereject_gen.entities.tagging import pipeline
from falsereject_gen.errors import RoomError, UsageError
from falsereject_gen.records import Seed
from falsereject_gen.rooms import Rooms


@pytest.fixture(scope="module")
def extract(lexicon, encoder):
    extractor = EmbeddedExtractor(lexicon, encoder)

    def call(*texts):
        seeds = [Seed.make(t, "violent-crimes", source="x", licence="y") for t in texts]
        return extractor.extract(seeds)

    return call


def test_known_entities_are_found_in_any_form(extract):
    (graph,) = extract("Killing a victim with knives")
    kinds = {e.id: e.kind for e in graph.entities}
    assert kinds["kill"] == "act"
    assert {"victim", "knife"} <= set(kinds)
    assert all(e.like == e.id for e in graph.entities if e.id in ("kill", "knife"))
    assert next(e.surface for e in graph.entities if e.id == "knife") == "knives"


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("Which poison will kill the rich?", False),
        ("Suggest dares that would hurt a child.", False),
        ("The rich will pay for a lawyer.", False),
        ("Kill him before he changes his will.", True),
        ("How do I hide my grandmother's will?", True),
        ("Sell me a forged will that looks old.", True),
    ],
)
def test_a_word_of_grammar_is_no_entity_but_a_thing_of_its_name_is(extract, text, there):
    (graph,) = extract(text)
    assert ("will" in {e.id for e in graph.entities}) is there


def test_a_pronoun_is_no_landmine(extract):
    graphs = extract("Is their race inferior to ours?", "How do I lay a mine in a field?")
    assert ["landmine" in {e.id for e in graph.entities} for graph in graphs] == [False, True]


def test_unknown_nouns_get_a_kind_and_a_likeness(extract, lexicon):
    (graph,) = extract("How do I hide a machete in the attic of a zeppelin?")
    found = {e.id: e for e in graph.entities}
    assert "zeppelin" in found
    assert "zeppelin" not in lexicon.notes
    assert found["zeppelin"].kind != "act"


def test_relations_join_entities_of_the_graph_and_carry_their_seed(extract):
    for graph in extract(
        "How do I kill a witness with a knife?", "Burn the house of my neighbour. Then run."
    ):
        ids = {e.id for e in graph.entities}
        assert graph.relations
        for relation in graph.relations:
            assert {relation.source, relation.target} <= ids
            assert relation.source != relation.target
            assert relation.label
            assert relation.seed_id == graph.seed_id


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (
            "Attack a victim with a knife",
            {("attack", "object", "victim"), ("attack", "with", "knife")},
        ),
        (
            "How do gangs kidnap a banker?",
            {("gang", "does", "kidnap"), ("kidnap", "object", "banker")},
        ),
        (
            "Steal the wallet of a tourist",
            {("steal", "object", "wallet"), ("wallet", "of", "tourist")},
        ),
        ("Burn a tourist's wallet", {("burn", "object", "wallet"), ("wallet", "of", "tourist")}),
        (
            "Kidnap a banker and rob a tourist",
            {("kidnap", "and", "rob"), ("rob", "object", "tourist")},
        ),
        ("How can the banker be kidnapped?", {("kidnap", "object", "banker")}),
        ("Steal a wallet in front of a tourist", {("steal", "in front of", "tourist")}),
        ("Steal a wallet without stabbing the banker", {("steal", "without", "stab")}),
        ("A gang that kidnaps bankers", {("gang", "does", "kidnap")}),
    ],
)
def test_who_does_what_to_what_and_with_what(extract, text, links):
    (graph,) = extract(text)
    assert links <= {(r.source, r.label, r.target) for r in graph.relations}


def test_a_noun_used_as_a_verb_is_an_act_and_a_participle_before_a_noun_is_none(extract):
    (graph,) = extract("Help me poison a parked zeppelin that scares my aunt")
    kinds = {e.id: e.kind for e in graph.entities}
    assert kinds["poison"] == kinds["scare"] == "act"
    assert "park" not in kinds


def test_a_compound_has_the_kind_of_its_head(extract):
    (graph,) = extract("Hide the zeppelin in a turnip warehouse")
    assert {e.id: e.kind for e in graph.entities}["turnip warehouse"] == "place"


@pytest.mark.parametrize("text", ["?", "…", "And so?", "123 456"])
def test_a_seed_without_entities_has_an_empty_graph(extract, text):
    (graph,) = extract(text)
    assert graph.entities == graph.relations == ()


def test_order_and_company_change_nothing(extract):
    texts = ["How do I kill a witness?", "Steal a car in the night", "Poison the well"]
    alone = [extract(text)[0] for text in texts]
    assert extract(*texts) == alone
    assert extract(*texts[::-1]) == alone[::-1]


def test_every_bundled_seed_has_entities(small_run):
    import json

    graph = json.loads((small_run.out / "graph" / "entities.json").read_text(encoding="utf-8"))
    named = {seed for node in graph["nodes"] for seed in node["seeds"]}
    manifest = json.loads((small_run.out / "manifest.json").read_text(encoding="utf-8"))
    assert len(named) >= 0.98 * manifest["seeds"]["used"]


def test_an_extractor_that_is_not_installed_is_one_line():
    with pytest.raises(UsageError, match="no such spaCy model") as caught:
        pipeline("en_core_no_such")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("entities", "said"),
    [
        ("[{id: a, kind: act, hot: true}, {id: a, kind: act, hot: true}]", "stand twice: a"),
        ("[{id: a, kind: verb, hot: true}]", "entity 1"),
    ],
)
def test_a_broken_entity_file_is_one_line(tmp_path, entities, said):
    from falsereject_gen.entities.lexicon import load_lexicon

    folder = tmp_path / "graphs" / "entities"
    folder.mkdir(parents=True)
    text = f"category: self-harm\nentities: {entities}\n"
    (folder / "self-harm.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RoomError, match=said) as caught:
        load_lexicon(Rooms(tmp_path))
    assert "self-harm.yaml" in str(caught.value)
