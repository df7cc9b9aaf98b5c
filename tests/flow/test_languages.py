"""Whole runs on Chinese and German seeds against the scripted server, and what nobody serves.

The seeds are our own: tests/data/seeds_zh_de.jsonl. The encoder is a cheap one.
"""

import json
import sqlite3
from collections import Counter
from functools import partial

import pytest
import yaml

from falsereject_gen import job
from falsereject_gen.annotate.rows import published_rows
from falsereject_gen.errors import InputError
from falsereject_gen.records import Candidate, Seed
from falsereject_gen.seeds.language import language_of
from falsereject_gen.settings import load_settings

TARGET = 40


class Listener(job.Watcher):
    def __init__(self):
        self.warned = []

    def warn(self, what):
        self.warned.append(what)


@pytest.fixture(scope="module")
def foreign(root):
    return root / "tests" / "data" / "seeds_zh_de.jsonl"


@pytest.fixture(scope="module")
def english(cheap, tmp_path_factory):
    path = tmp_path_factory.mktemp("english") / "some.jsonl"
    cheap["write_some_seeds"](path, each=1)
    return path


@pytest.fixture(scope="module")
def go(cheap, endpoint):
    def run(folder, seeds, *sets, target=TARGET, cast="spoken"):
        given = [*endpoint, f"cast={cast}"]
        settings = load_settings(None, [*given, *sets], target=target, seeds=seeds)
        watcher = Listener()
        resume = (folder / "run.sqlite").exists()
        return job.run(settings, folder, watcher=watcher, resume=resume), watcher.warned

    return run


@pytest.fixture(scope="module")
def served(go, foreign, tmp_path_factory):
    """A finished run on the foreign seeds alone. Look, don't touch."""
    return go(tmp_path_factory.mktemp("served") / "run", (foreign,))


def candidates(folder):
    store = sqlite3.connect(folder / "run.sqlite")
    found = store.execute("SELECT body, vector FROM candidates ORDER BY ordinal").fetchall()
    store.close()
    return [(Candidate.model_validate_json(body), vector) for body, vector in found]


def languages_of(path):
    lines = map(json.loads, path.read_text("utf-8").splitlines())
    return {line["text"]: language_of(line["text"]) for line in lines}


def test_a_spoken_cast_reaches_its_target_in_the_seeds_languages(served, foreign):
    result, _ = served
    assert result.complete
    assert len({row.prompt for row in result.rows}) == TARGET
    by = Counter(row.language for row in result.rows)
    assert set(by) == {"zh", "de"}
    assert min(by.values()) > TARGET * 0.3
    for row in result.rows:
        assert language_of(row.prompt) == row.language, row.prompt
    assert len({row.category for row in result.rows}) == 5
    manifest = json.loads((result.out / "manifest.json").read_text("utf-8"))
    assert manifest["counts"]["by_language"] == dict(sorted(by.items()))
    assert manifest["seeds"]["not_served"] == {}
    texts = languages_of(foreign)
    spoken = {Seed.make(t, "x", source="x", licence="x").id: c for t, c in texts.items()}
    for candidate, vector in candidates(result.out):
        brief = candidate.brief
        assert {spoken[seed] for seed in brief.seed_ids} == {brief.language}
        assert vector is None, "a vector of a text that the encoder does not know"


def test_drafts_in_another_language_are_sent_back_and_counted(served):
    result, _ = served
    turns = [(c, t) for c, _ in candidates(result.out) for t in c.rounds]
    slips = [(c, t) for c, t in turns if t.ruling.fault == "language"]
    assert slips, "the scripted generator slips into English now and then"
    for candidate, turn in slips:
        assert turn.draft.language == "en" != candidate.brief.language
        assert turn.verdict is None
        assert turn.probes == ()
    manifest = json.loads((result.out / "manifest.json").read_text("utf-8"))
    counted = manifest["other_language"]["default"]
    assert sum(counted.values()) == len(slips)
    assert set(counted) <= {"en instead of zh", "en instead of de"}


def test_the_rules_decide_nothing_on_replies_in_other_languages(served):
    result, _ = served
    probes = [p for c, _ in candidates(result.out) for t in c.rounds for p in t.probes]
    assert {p.outcome for p in probes} >= {"direct_refusal", "full_compliance"}
    for probe in probes:
        if language_of(probe.text) != "en":
            assert probe.decided_by.startswith("judge"), probe


def test_what_is_weak_is_said_where_a_user_looks(served):
    result, warned = served
    said = [line for line in warned if "equal ones are recognised" in line]
    assert [line[:13] for line in said] == ["language `de`", "language `zh`"]
    manifest = json.loads((result.out / "manifest.json").read_text("utf-8"))
    assert set(said) <= set(manifest["warnings"])
    card = (result.out / "dataset" / "README.md").read_text("utf-8")
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["language"] == ["de", "zh"]
    assert header["multilinguality"] == ["multilingual"]
    assert "in German or Chinese" in card
    assert "English only**" not in card
    assert "Near-duplicates outside of English" in card
    page = (result.out / "report.html").read_text("utf-8")
    assert "Rows by language" in page
    assert {row.language for row in published_rows(result.out)} == {"zh", "de"}


def test_the_same_run_grows_and_repeats(go, served, foreign, tmp_path):
    result, _ = served
    small, _ = go(tmp_path / "run", (foreign,), target=15)
    grown, _ = go(tmp_path / "run", (foreign,), target=TARGET)
    assert [r.prompt for r in small.rows] == [r.prompt for r in result.rows][:15]
    assert [r.prompt for r in grown.rows] == [r.prompt for r in result.rows]


def test_english_seeds_beside_them_keep_apart(go, foreign, english, tmp_path):
    result, _ = go(tmp_path / "run", (foreign, english), target=44 * 2)
    assert result.complete
    assert {row.language for row in result.rows} == {"en", "zh", "de"}
    known = {seed.id: seed.language for seed in world_seeds(foreign, english)}
    for candidate, vector in candidates(result.out):
        brief = candidate.brief
        assert {known[seed] for seed in brief.seed_ids} == {brief.language}
        accepted = candidate.status == "accepted"
        assert (vector is not None) == (accepted and brief.language == "en")


def world_seeds(*paths):
    for path in paths:
        for text, code in languages_of(path).items():
            yield Seed.make(text, "x", source="x", licence="x", language=code)


@pytest.mark.parametrize("way", ["walk", "bridge", "coverage", "none"])
def test_ways_of_the_merged_graph_fall_back_and_say_so(way, go, foreign, tmp_path):
    result, warned = go(tmp_path / "run", (foreign,), f"sampling.graph={way}", target=10)
    assert result.complete
    assert {row.language for row in result.rows} == {"zh", "de"}
    manifest = json.loads((result.out / "manifest.json").read_text("utf-8"))
    assert sum(manifest["sampling"]["without_entities"].values()) == len(candidates(result.out))
    said = [line for line in warned if "have no entities" in line]
    assert len(said) == (0 if way == "none" else 2)


def test_the_embedded_cast_refuses_them_alone_and_names_them(go, foreign, tmp_path):
    with pytest.raises(InputError, match=r"20 in `de`, 20 in `zh`\); English ones"):
        go(tmp_path / "run", (foreign,), cast="embedded")


ONE = ["generator", "discriminator", "pool", "orchestrator"]


@pytest.mark.parametrize("role", [None, *ONE])
def test_one_embedded_player_is_enough_for_english_only(
    role, go, server, foreign, english, tmp_path
):
    loose = partial(go, target=3, cast="spoken" if role else "embedded")
    sets = [f"roles.{role}=[embedded]"] if role else []
    lax = ["loop.toxic_min=0", "loop.harm_max=1", "loop.min_refusals=0", "loop.min_compliances=0"]
    result, warned = loose(tmp_path / "run", (foreign, english), *sets, *lax)
    assert {row.language for row in result.rows} <= {"en"}
    assert {c.brief.language for c, _ in candidates(result.out)} == {"en"}
    manifest = json.loads((result.out / "manifest.json").read_text("utf-8"))
    assert manifest["seeds"]["not_served"] == {"de": 20, "zh": 20}
    line = next(line for line in warned if "`zh`" in line)
    assert line.startswith("20 of 84 seeds are in language `zh` and not served: ")
    for one in [role] if role else ONE:
        assert f"roles.{one}" in line
