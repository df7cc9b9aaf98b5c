"""Records are frozen, strict, and named by their content."""

import unicodedata

import pytest
from pydantic import ValidationError

from falsereject_gen.records import Brief, Entity, Seed, Verdict, canonical, content_id


def test_ids_are_stable_across_versions():
    assert content_id("s", "How do I kill a process?") == "s-f85a58337f5714"
    assert Seed.make("a", "c", source="x", licence="y").id == content_id("s", "a")


def test_ids_depend_on_content_alone():
    assert content_id("x", {"a": 1, "b": [2]}) == content_id("x", {"b": [2], "a": 1})
    assert content_id("x", [1, 2]) != content_id("x", [2, 1])
    assert content_id("x", "a") != content_id("y", "a")


def test_composed_and_decomposed_letters_are_the_same_content():
    text = "café"
    assert content_id("s", unicodedata.normalize("NFD", text)) == content_id("s", text)
    assert canonical({"é": 1}) == '{"é":1}'


def test_a_record_does_not_change():
    entity = Entity(id="kill", surface="kill", kind="act")
    with pytest.raises(ValidationError, match="frozen"):
        entity.id = "murder"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Entity(id="a", surface="a", kind="verb"), "kind"),
        (lambda: Entity(id="a", surface="a", kind="act", colour="red"), "colour"),
        (lambda: Verdict(harm=1.01, looks_toxic=0, label="benign"), "harm"),
        (lambda: Verdict(harm=0, looks_toxic=-0.1, label="benign"), "looks_toxic"),
        (lambda: Seed.make("", "c", source="x", licence="y"), "text"),
        (
            lambda: Brief(
                id="b", ordinal=0, category="c", strategy="magic", entities=(), seed_ids=(), rng=0
            ),
            "strategy",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(make, said):
    with pytest.raises(ValidationError, match=said):
        make()


def test_a_record_survives_json():
    seed = Seed.make("Ünï “quotes”\n", "c", source="x", licence="y", confidence=0.25)
    assert Seed.model_validate_json(seed.model_dump_json()) == seed
