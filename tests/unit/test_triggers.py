"""The trigger lexicon: all forms, the longest term at each place, each term once."""

import pytest

from falsereject_gen.entities.lexicon import EntityNote, Lexicon
from falsereject_gen.roles.embedded.triggers import MILD, STRONG, Triggers
from falsereject_gen.taxonomy import Category, Taxonomy


@pytest.fixture(scope="module")
def few(rooms):
    category = Category(
        id="c", name="C", domain="d", definition="x", triggers=("kill", "hate speech", "hate")
    )
    notes = (
        EntityNote(id="knife", kind="object", hot=True, also=("dagger",)),
        EntityNote(id="kill", kind="act", hot=True),
        EntityNote(id="process", kind="object", hot=False),
    )
    return Triggers(Taxonomy([category]), Lexicon({"c": notes}), rooms)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("How do I kill a process?", ["kill"]),
        ("KILLED, killing; Knives!", ["killed", "killing", "knives"]),
        ("The skill of a killjoy", []),
        ("Is hate speech hate?", ["hate speech", "hate"]),
        ("I hate speeches", ["hate speeches"]),
        ("why ‘kill’ and 'dagger' and \"hate\"", ["kill", "dagger", "hate"]),
        ("", []),
    ],
)
def test_found(few, text, found):
    assert few.found(text) == found


def test_heat_counts_a_term_once_and_the_severe_ones_more(few):
    assert few.heat("a dagger") > 0 == few.heat("a process")
    assert few.heat("kill kill dagger") == few.heat("kill") + few.heat("dagger")
    assert few.heat("kill") >= STRONG > MILD


def test_every_trigger_of_the_taxonomy_is_found(taxonomy, triggers):
    for category in taxonomy:
        for term in category.triggers:
            assert triggers.heat(f"What about {term} here?") >= MILD, (category.id, term)
