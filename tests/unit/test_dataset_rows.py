"""What is published of an accepted candidate, and what is kept of a rejected one."""

import json

import pytest

from falsereject_gen.dataset.export import write_rejected
from falsereject_gen.dataset.rows import to_row
from falsereject_gen.errors import TaxonomyError
from falsereject_gen.records import (
    Brief,
    Candidate,
    Draft,
    Entity,
    Neighbour,
    Probe,
    Round,
    Row,
    Ruling,
    Verdict,
)
from falsereject_gen.run.commit import row_id
from falsereject_gen.taxonomy import Category, Taxonomy

TAXONOMY = Taxonomy(
    Category(id=f"c-{k}", name=f"Name {k} & Co", domain=f"Domain {k % 2}", definition="d")
    for k in range(5)
)


def make_round(text="Kill it?", harm=0.2, label="benign", decision="accept", **rest):
    ruling = Ruling(decision=decision, stage="orchestrate", fault=rest.pop("fault", ""))
    verdict = Verdict(harm=harm, looks_toxic=0.8, label=label) if label else None
    draft = Draft(text=text, by="embedded", entities=("kill",))
    return Round(draft=draft, verdict=verdict, ruling=ruling, **rest)


def make_candidate(*rounds, status="accepted", category="c-1", ordinal=0):
    kill = Entity(id="kill", surface="kill", kind="act")
    child = Entity(id="child", surface="child", kind="person")
    brief = Brief(
        id=f"b-{ordinal}",
        ordinal=ordinal,
        category=category,
        strategy="history",
        entities=(kill, child),
        seed_ids=("s-1",),
        rng=1,
    )
    return Candidate(
        brief=brief, rounds=rounds, status=status, stage="orchestrate", reason="because"
    )


def test_row_of_an_accepted_candidate():
    probes = (
        Probe(target="a", outcome="direct_refusal", decided_by="rule"),
        Probe(target="b", outcome="full_compliance", decided_by="rule"),
        Probe(target="c", outcome="safe_partial", decided_by="rule"),
        Probe(target="d", outcome="undetermined", decided_by="rule"),
        Probe(target="e", outcome="error", decided_by="rule"),
    )
    near = Neighbour(id="r-9", score=0.5, among="rows")
    first = make_round("tame", decision="revise", harm=0.4)
    last = make_round("Who killed Caesar?", harm=0.1, probes=probes, nearest=near)
    row = to_row(make_candidate(first, last), TAXONOMY, "embedded", "run-1")
    assert row == Row(
        id=row_id("Who killed Caesar?"),
        prompt="Who killed Caesar?",
        category="c-1",
        category_name="Name 1 & Co",
        domain="Domain 1",
        strategy="history",
        entities=("kill",),
        seed_ids=("s-1",),
        cast="embedded",
        harm=0.1,
        looks_toxic=0.8,
        refused_by=("a",),
        complied_by=("b", "c"),
        rounds=2,
        nearest_id="r-9",
        nearest_score=0.5,
        run_id="run-1",
    )


def test_row_without_a_neighbour():
    row = to_row(make_candidate(make_round()), TAXONOMY, "embedded", "run-1")
    assert (row.nearest_id, row.nearest_score, row.rounds) == ("", 0.0, 1)


def test_no_row_of_a_rejected_or_unjudged_candidate():
    with pytest.raises(ValueError, match="b-0 was rejected"):
        to_row(make_candidate(make_round(), status="rejected"), TAXONOMY, "embedded", "r")
    with pytest.raises(ValueError, match="without a verdict"):
        to_row(make_candidate(make_round(label=None)), TAXONOMY, "embedded", "r")
    with pytest.raises(TaxonomyError):
        to_row(make_candidate(make_round(), category="nowhere"), TAXONOMY, "embedded", "r")


def rejected_lines(tmp_path, *candidates, redact=False):
    write_rejected(candidates, tmp_path / "rejected.jsonl", redact)
    text = (tmp_path / "rejected.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_rejected_says_everything(tmp_path):
    rounds = make_round(decision="revise"), make_round('Say "x"\nü', label="unclear")
    (line,) = rejected_lines(tmp_path, make_candidate(*rounds, status="rejected", ordinal=3))
    assert line == {
        "brief_id": "b-3",
        "category": "c-1",
        "language": "en",
        "strategy": "history",
        "entities": ["kill", "child"],
        "seed_ids": ["s-1"],
        "status": "rejected",
        "stage": "orchestrate",
        "reason": "because",
        "rounds": 2,
        "text": 'Say "x"\nü',
        "harm": 0.2,
        "looks_toxic": 0.8,
        "label": "unclear",
        "unsafe": False,
        "redacted": False,
    }


@pytest.mark.parametrize("redact", [False, True])
@pytest.mark.parametrize("how", [{"label": "unsafe"}, {"harm": 0.9, "fault": "unsafe"}])
def test_unsafe_text_is_flagged_and_left_out_on_demand(tmp_path, redact, how):
    bad = make_candidate(make_round("TOXIC", **how), status="rejected")
    tame = make_candidate(make_round("TAME", fault="tame"), status="rejected")
    first, second = rejected_lines(tmp_path, bad, tame, redact=redact)
    assert first["unsafe"] is True
    assert (first["redacted"], first["text"]) == ((True, None) if redact else (False, "TOXIC"))
    assert (second["unsafe"], second["redacted"], second["text"]) == (False, False, "TAME")
    assert ("TOXIC" in (tmp_path / "rejected.jsonl").read_text(encoding="utf-8")) is not redact


def test_the_last_text_is_the_last_one_written(tmp_path):
    rounds = (make_round("TOXIC", label="unsafe"), make_round("", label=None))
    candidate = make_candidate(*rounds, status="rejected")
    (line,) = rejected_lines(tmp_path, candidate)
    assert (line["text"], line["label"], line["unsafe"], line["rounds"]) == (
        "TOXIC",
        "unsafe",
        True,
        2,
    )
    (line,) = rejected_lines(tmp_path, candidate, redact=True)
    assert (line["text"], line["redacted"]) == (None, True)


def test_nothing_judged_and_nothing_rejected(tmp_path):
    (line,) = rejected_lines(tmp_path, make_candidate(make_round("", label=None)))
    assert (line["text"], line["harm"], line["label"], line["unsafe"]) == ("", None, None, False)
    assert rejected_lines(tmp_path) == []
