"""The 60 annotated sentences and how they are scored; the embedded extractor stays as good."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import yaml

from falsereject_gen.entities.extract import EmbeddedExtractor
from falsereject_gen.records import Entity, Relation, Seed, SeedGraph
from falsereject_gen.seeds.bundled import bundled_seeds

ROOT = Path(__file__).resolve().parents[2]
LINES = yaml.safe_load((ROOT / "tests/data/extraction.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def score():
    spec = importlib.util.spec_from_file_location(
        "extraction_score", ROOT / "benchmarks" / "extraction_score.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_the_sentences_are_whole():
    kinds = set(Entity.model_fields["kind"].annotation.__args__)
    assert len(LINES) == len({line["text"] for line in LINES}) == 60
    assert sum(line["part"] == "held" for line in LINES) == 30
    for line in LINES:
        assert set(line["entities"].values()) <= kinds, line["text"]
        for relation in line["relations"]:
            source, label, target = relation.split(" | ")
            assert {source, target} <= set(line["entities"]), relation
            assert label


def test_no_sentence_is_a_bundled_seed(rooms, taxonomy):
    def plain(text):
        return re.sub(r"\W+", " ", text.lower()).strip()

    ours = {plain(seed.text) for seed in bundled_seeds(rooms)}
    assert not ours & {plain(line["text"]) for line in LINES}
    assert {line["category"] for line in LINES} <= {category.id for category in taxonomy}


def test_no_noun_of_the_held_half_was_put_into_the_lists(rooms):
    listed = {
        w.lower() for words in rooms.yaml("graphs/extraction.yaml")["kinds"].values() for w in words
    }
    held = {name for line in LINES if line["part"] == "held" for name in line["entities"]}
    assert not listed & held


def test_scores_are_counted_by_hand(score):
    line = score.Sentence("x", "c", "dev", {"rob": "act", "bank": "place"}, ["rob | object | bank"])
    found = SeedGraph(
        seed_id="s",
        category="c",
        entities=(
            Entity(id="rob", surface="robbing", kind="act"),
            Entity(id="banks", surface="Banks", kind="object"),
            Entity(id="noon", surface="noon", kind="event"),
        ),
        relations=(Relation(source="banks", label="object", target="rob", seed_id="s"),),
    )
    told = score.overall([(line, found)], faults=True)
    assert (told["entities"]["precision"], told["entities"]["recall"]) == (0.667, 1.0)
    assert told["kinds"]["right"] == 0.5
    assert told["relations"]["f1"] == 0.0
    assert told["pairs"]["f1"] == 1.0
    assert told["faults"]["invented"] == ["noon"]
    assert told["faults"]["kind"] == ["banks: object for place"]


@pytest.mark.parametrize("part", ["dev", "held"])
def test_the_embedded_extractor_stays_as_good(score, lexicon, encoder, part):
    gold = [score.Sentence(**line) for line in LINES if line["part"] == part]
    seeds = [Seed.make(one.text, one.category, source="x", licence="y") for one in gold]
    graphs = EmbeddedExtractor(lexicon, encoder).extract(seeds)
    told = score.overall(list(zip(gold, graphs, strict=True)))
    assert told["entities"]["precision"] >= 0.85
    assert told["entities"]["recall"] >= 0.9
    assert told["kinds"]["right"] >= 0.75
    assert told["relations"]["f1"] >= 0.55
