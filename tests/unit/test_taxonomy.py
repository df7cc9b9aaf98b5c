"""The 44 categories, and taxonomies of a user's own."""

import json
import re
from collections import Counter

import pytest

from falsereject_gen.errors import FalseRejectError, TaxonomyError
from falsereject_gen.taxonomy import Category, Taxonomy, load_taxonomy

MINE = """
categories:
  - {id: kites, name: Kites, domain: Toys, definition: Unsafe is to fly a kite into a wire.}
"""


def write(tmp_path, text):
    path = tmp_path / "taxonomy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_forty_four_categories_in_four_domains(taxonomy):
    assert len(taxonomy) == 44
    counts = Counter(category.domain for category in taxonomy)
    assert list(counts.values()) == [5, 19, 15, 5]


def test_the_names_are_those_of_the_source_less_impersonation(taxonomy, shared_data):
    place = shared_data / "categories_falsereject_numbering.json"
    names = [entry["name"] for entry in json.loads(place.read_text(encoding="utf-8"))]
    wanted = set(names) - {"Others", "Impersonation"}
    assert len(wanted) == 44
    assert {category.name for category in taxonomy} == wanted


def test_a_category_says_what_is_unsafe_and_what_lives_next_door(taxonomy):
    for category in taxonomy:
        assert 2 <= len(re.findall(r"[.!?](?: |$)", category.definition)) <= 3, category.id
        assert 30 <= len(category.definition.split()) <= 110, category.id
        assert len(category.neighbours) >= 5, category.id
        assert len(set(category.triggers)) == len(category.triggers) >= 10, category.id


def test_found_by_id_and_by_name(taxonomy):
    for category in taxonomy:
        assert taxonomy.find(category.id) == taxonomy.find(category.name) == category.id
    assert taxonomy.find("  self-HARM ") == "self-harm"
    assert taxonomy.find("kites") is None


def test_an_unknown_category_has_a_hint(taxonomy):
    with pytest.raises(TaxonomyError, match=r"unknown category `violent-crime`.*violent-crimes"):
        taxonomy["violent-crime"]


def test_ids_and_names_stand_once(taxonomy):
    one = Category(id="a", name="One", domain="d", definition="x")
    with pytest.raises(TaxonomyError, match="id `a` stands twice"):
        Taxonomy([one, Category(id="a", name="Two", domain="d", definition="x")])
    with pytest.raises(TaxonomyError, match="name `one` stands twice"):
        Taxonomy([one, Category(id="b", name="one", domain="d", definition="x")])
    with pytest.raises(TaxonomyError, match="no category"):
        Taxonomy([])


def test_ones_own_in_place_and_on_top(tmp_path, rooms):
    alone, walks = load_taxonomy(rooms, write(tmp_path, MINE))
    assert [c.id for c in alone] == ["kites"]
    assert walks.ours("falsereject", "7") == ()
    both, walks = load_taxonomy(rooms, write(tmp_path, "extends: bundled\n" + MINE))
    assert len(both) == 45
    assert "kites" in both
    assert walks.ours("falsereject", "7") == ("violent-crimes",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINE + MINE.split("categories:\n")[1], "`kites` stands twice"),
        ("extends: bundled\n" + MINE.replace("id: kites", "id: self-harm"), "stands twice"),
        ("extends: ours\n" + MINE, "`extends` can only be `bundled`"),
        ("kites: yes\n", "`categories:`"),
        ("- kites\n", "mapping"),
        ("categories: [\n", "not valid YAML"),
        ("categories: [{id: a, name: A, domain: d}]\n", "category 1: `definition`"),
        ("categories: [{id: A B, name: A, domain: d, definition: e}]\n", "category 1: `id`"),
        ("categories: [{id: a, name: A, domain: d, definition: e, hue: 1}]\n", "`hue`"),
        ("categories: []\n", "no category"),
        ("categories: [kites]\n", "category 1"),
    ],
)
def test_a_broken_taxonomy_is_one_line_with_its_file(tmp_path, rooms, text, said):
    path = write(tmp_path, text)
    with pytest.raises(FalseRejectError, match=said) as caught:
        load_taxonomy(rooms, path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_taxonomy_that_cannot_be_read(tmp_path, rooms, content):
    path = tmp_path / "taxonomy.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FalseRejectError, match="cannot be read"):
        load_taxonomy(rooms, path)
