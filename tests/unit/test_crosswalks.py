"""Crosswalks: every label known, both ways where possible, nothing joined by number."""

import json

import pytest

# Coarser than ours: one label of theirs means several of ours.
TABLES = {
    "falsereject": 46,
    "or_bench": 10,
    "harmbench": 7,
    "mlcommons": 25,
    "strongreject": 6,
    "jailbreakbench": 10,
}


def test_the_tables_are_there_with_all_their_labels(crosswalks):
    for name, least in TABLES.items():
        assert len(crosswalks.tables[name]) >= least, name


def test_every_table_names_our_categories_only(crosswalks, taxonomy):
    for name, table in crosswalks.tables.items():
        for label, ids in table.items():
            assert len(set(ids)) == len(ids), (name, label)
            assert set(ids) <= set(taxonomy.categories), (name, label)


def test_the_raw_file_has_no_unknown_ids_either(rooms, taxonomy):
    """Loading leaves unknown ids out (a user's taxonomy may lack them); ours must have none."""
    for name, table in rooms.yaml("graphs/crosswalks.yaml").items():
        for label, ids in table.items():
            assert set(ids) <= set(taxonomy.categories), (name, label)


def test_both_ways(crosswalks, taxonomy):
    for name, table in crosswalks.tables.items():
        for label in table:
            for ours in crosswalks.ours(name, label):
                assert label in crosswalks.theirs(name, ours)
    for category in taxonomy:
        assert crosswalks.theirs("falsereject", category.id), category.id


def test_falsereject_numbers_are_those_of_its_own_release(crosswalks, taxonomy, shared_data):
    place = shared_data / "categories_falsereject_numbering.json"
    for entry in json.loads(place.read_text(encoding="utf-8")):
        found = crosswalks.ours("falsereject", str(entry["id"]))
        if entry["name"] == "Others":
            assert (entry["id"], found) == (46, ())
        elif entry["name"] == "Impersonation":
            assert entry["id"] == 12
            assert set(found) == {"fraud-scams-and-deception", "personal-identifiable-information"}
        else:
            assert found == (taxonomy.find(entry["name"]),)


@pytest.mark.parametrize(
    ("table", "label", "among"),
    [
        ("or_bench", "self-harm", "self-harm"),
        ("or_bench", "sexual", "sexual-crimes"),
        ("harmbench", "copyright", "intellectual-property-infringement"),
        ("mlcommons", "iwp", "illegal-crafting-manufacturing-and-distribution"),
        ("mlcommons", "S11", "self-harm"),
        ("strongreject", "Violence", "violent-crimes"),
        ("jailbreakbench", "Malware/Hacking", "malware-code-generation"),
    ],
)
def test_known_labels(crosswalks, table, label, among):
    assert among in crosswalks.ours(table, label)


def test_a_label_is_found_however_it_is_spelt_and_unknown_ones_say_nothing(crosswalks):
    assert crosswalks.ours("or_bench", " Self-Harm") == crosswalks.ours("or_bench", "self-harm")
    assert crosswalks.ours("or_bench", "weather") == ()
    assert crosswalks.ours("no_such_table", "violence") == ()
    assert crosswalks.theirs("no_such_table", "self-harm") == ()
