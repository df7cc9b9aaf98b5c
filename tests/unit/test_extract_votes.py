"""The vote over several extractions: which one is kept, how far they agree, what is left out."""

import pytest

from falsereject_gen.models.structured import strict_schema
from falsereject_gen.records import Seed
from falsereject_gen.roles.spoken.replies import ExtractorReply
from falsereject_gen.roles.spoken.votes import agreement, most_shared, to_graph

SEED = Seed.make("Poison the dog of a neighbour", "animal-related-crimes", source="x", licence="y")


def said(*names, links=(), kind="object"):
    return ExtractorReply.model_validate(
        {
            "entities": [
                {"name": n, "kind": kind} if isinstance(n, str) else {"name": n[0], "kind": n[1]}
                for n in names
            ],
            "relations": [dict(zip(("source", "label", "target"), x, strict=True)) for x in links],
        }
    )


def graph(reply, found=None, asked=3):
    return to_graph(SEED, reply, found=found or [reply], asked=asked, by="overlap")


def test_the_one_that_overlaps_most_is_kept_not_the_shortest():
    full = said("dog", "poison", "neighbour")
    found = [said("dog"), full, said("dog", "poison", "neighbour", "garden")]
    assert most_shared(found) is full


def test_inflection_case_and_articles_are_no_disagreement():
    assert agreement([said("The Dogs"), said("dog")]) == 1.0


def test_relations_break_a_tie():
    one, two = said("a", "b"), said("a", "b", links=[("a", "bites", "b")])
    assert most_shared([one, two, said("a", "b", links=[("a", "bit", "b")])]) is two


@pytest.mark.parametrize(
    ("found", "share"),
    [
        ([said("a")], None),
        ([said("a"), said("b")], 0.0),
        ([said("a", "b"), said("b", "c")], 0.3333),
        ([said("a", "b"), said("a", "b"), said("c")], 0.3333),
        ([said(), said()], 1.0),
    ],
)
def test_agreement_is_the_mean_overlap_of_pairs(found, share):
    assert agreement(found) == share


def test_the_graph_says_how_it_came_about():
    one, two = said("dog", "poison"), said("dog")
    found = graph(one, [one, two], asked=3)
    assert (found.votes, found.agreement, found.chosen_by) == (2, 0.5, "overlap")
    assert found.left_out == {"failed extraction": 1}


def test_what_is_no_entity_is_left_out_and_counted():
    reply = said(
        *("dog", "  ", ("park", "location"), SEED.text, " ".join("abcdefghi")),
        links=[
            ("Dog", "bites", "park"),
            ("dog", "bites", "dog "),
            ("dog", "", "poison"),
        ],
    )
    found = graph(reply, asked=1)
    assert [e.id for e in found.entities] == ["dog"]
    assert found.relations == ()
    assert found.left_out == {
        "empty name": 1,
        "unknown kind": 1,
        "a sentence for a name": 2,
        "relation of no entity": 2,
        "relation to itself": 1,
    }


def test_relations_carry_their_label_and_stand_once():
    link = ("Dog", " is of ", "neighbour")
    found = graph(said("dog", "neighbour", links=[link, link, ("dog", "", "neighbour")]), asked=1)
    assert [(r.source, r.label, r.target) for r in found.relations] == [
        ("dog", "is of", "neighbour")
    ]
    assert found.left_out == {"relation without a label": 1}


def test_kinds_are_asked_for_strictly():
    entity = strict_schema(ExtractorReply)["$defs"]["ExtractedEntity"]["properties"]
    assert entity["name"] == {"minLength": 1, "type": "string"}
    assert set(entity["kind"]["enum"]) >= {"act", "substance", "concept"}
