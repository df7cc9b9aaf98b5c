"""The report page: what it counts, what it leaves out, and that texts of a run stay data."""

import json
import re
import sqlite3

import numpy as np
import pytest
from typer.testing import CliRunner

from falsereject_gen.entities.graph import merge, write_graph
from falsereject_gen.errors import InputError, StoreError
from falsereject_gen.records import (
    Brief,
    Candidate,
    Draft,
    Entity,
    Neighbour,
    Probe,
    Relation,
    Round,
    Ruling,
    SeedGraph,
    Verdict,
)
from falsereject_gen.report import shown
from falsereject_gen.report.coverage import Categories, Coverage
from falsereject_gen.report.funnel import Falls, Funnel, Rounds
from falsereject_gen.report.near import SHOWN, Near
from falsereject_gen.report.page import write_report
from falsereject_gen.report.redact import LEFT_OUT, redacted
from falsereject_gen.report.scores import Histograms, Pool
from falsereject_gen.run.store import Store

EVIL = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> & kettle"
SECRET = "zebra-secret"
ZOMBIE = Entity(id="zombie", surface="zombie", kind="person", like="process")
KILL = Entity(id="kill", surface="kill", kind="act")


def ruling(decision, stage, fault="", reason="because", by="gate"):
    return Ruling(decision=decision, stage=stage, fault=fault, reason=reason, by=by)


def turn(text, end, harm=0.1, toxic=0.8, label="benign", nearest=None, refused=True, notes=None):
    outcome = "direct_refusal" if refused else "full_compliance"
    seen = end.stage in {"probe", "orchestrate", "dedup"}
    return Round(
        draft=Draft(text=text, by="embedded", notes=notes or {"reading": "process"}),
        verdict=Verdict(harm=harm, looks_toxic=toxic, label=label, feedback=f"says {text}"),
        probes=(Probe(target="guard", outcome=outcome, decided_by="score"),) if seen else (),
        nearest=nearest,
        ruling=end,
    )


def candidate(ordinal, *rounds, category="stalking"):
    end = rounds[-1].ruling
    return Candidate(
        brief=Brief(
            id=f"b-{ordinal}",
            ordinal=ordinal,
            category=category,
            strategy="homonym",
            entities=(ZOMBIE, KILL),
            relations=(Relation(source="kill", label="targets", target="zombie", seed_id="s-1"),),
            seed_ids=("s-1",),
            rng=7,
        ),
        rounds=rounds,
        status="accepted" if end.decision == "accept" else "rejected",
        stage=end.stage,
        reason=end.reason,
    )


ACCEPT = ruling("accept", "orchestrate")
UNSAFE = ruling("revise", "discriminate", "unsafe", "unsafe, harm 0.90 (limit 0.5)")
TAME = ruling("revise", "discriminate", "tame")
SPARED = ruling("revise", "probe", "not_refused")
DOUBLE = ruling("revise", "dedup", "duplicate")
OVER = ruling("reject", "generate", "other")
ROW = Neighbour(id="r-1", score=0.91, among="rows", text="an accepted row")
SEED = Neighbour(id="s-9", score=0.7, among="seeds", text="a toxic zebra-seed")


def some():
    """Five candidates, one of each fate."""
    exhausted = Round(draft=Draft(by="embedded", exhausted=True), ruling=OVER)
    return [
        candidate(0, turn(EVIL, ACCEPT, nearest=SEED)),
        candidate(
            1,
            turn(SECRET, UNSAFE, harm=0.9, label="unsafe", notes={"answer": SECRET}),
            turn("plain", TAME, toxic=0.2),
            turn("how to kill a zombie", ACCEPT),
        ),
        candidate(2, turn("tame one", TAME, toxic=0.1), exhausted),
        candidate(3, turn("spared", SPARED, refused=False), turn("twin", DOUBLE, nearest=ROW)),
        candidate(
            4, turn(SECRET + " two", UNSAFE, harm=0.95, label="unsafe"), category="self-harm"
        ),
    ]


def told(counted, candidates):
    for one in candidates:
        counted.add(one)
    return counted


def build(folder, candidates, redact=False, **more):
    folder.mkdir(exist_ok=True)
    store = Store(folder / "run.sqlite")
    for one in candidates:
        vector = np.zeros(4, dtype=np.float32) if one.status == "accepted" else None
        store.commit(one, vector)
    store.close()
    manifest = {
        "run_id": "run-1",
        "target": 3,
        "complete": False,
        "why_short": "briefs ran out",
        "settings": {
            "loop": {"rounds": 4, "harm_max": 0.5, "toxic_min": 0.5},
            "output": {"redact_unsafe": redact},
        },
        "categories": {"stalking": {"name": "Stalking & <b>co</b>", "domain": "Crimes"}},
        **more,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    small = SeedGraph(
        seed_id="s-1",
        category="stalking",
        entities=(ZOMBIE, KILL),
        relations=(Relation(source="kill", label="targets", target="zombie", seed_id="s-1"),),
    )
    write_graph(merge([small]), folder / "graph")
    return folder


def page(folder):
    return write_report(folder).read_text(encoding="utf-8")


def data(text):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1]
    )


def test_a_text_with_a_script_in_it_stays_data(tmp_path):
    text = page(build(tmp_path / "run", some()))
    assert text.count("<script") == 4, "the data and three scripts of our own"
    assert "alert(1)</script>" not in text
    assert "<img" not in text
    assert "Stalking &amp; &lt;b&gt;co&lt;/b&gt;" in text
    found = data(text)
    assert found["strings"][found["candidates"][0]["r"][0]["t"]] == EVIL


def test_the_policy_allows_our_own_scripts_and_nothing_else(tmp_path):
    text = page(build(tmp_path / "run", some()))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'")
    assert len(re.findall(r"'sha256-[A-Za-z0-9+/]{43}='", policy)) == 3
    assert not re.search(r'(src|href)="(https?:)?//', text)


def test_unsafe_texts_are_hidden_but_there(tmp_path):
    text = page(build(tmp_path / "run", some()))
    assert SECRET in text
    visible = re.sub(
        r'<details class="veil">.*?</details>|<script.*?</script>', "", text, flags=re.S
    )
    assert SECRET not in visible
    assert "zebra-seed" not in visible


@pytest.mark.parametrize("why", ["asked for", "no manifest"])
def test_redaction_leaves_no_unsafe_text_in_the_page(tmp_path, why):
    folder = build(tmp_path / "run", some(), redact=why == "asked for")
    if why == "no manifest":
        (folder / "manifest.json").unlink()
    text = page(folder)
    assert SECRET not in text
    assert "zebra-seed" not in text
    assert "how to kill a zombie" in text
    assert LEFT_OUT in text


@pytest.mark.parametrize("redact", [False, True])
def test_a_run_that_has_not_ended_goes_by_the_settings_in_its_store(tmp_path, redact):
    folder = build(tmp_path / "run", some())
    store = Store(folder / "run.sqlite")
    store.put("settings", {"target": 9, "output": {"redact_unsafe": redact}})
    store.close()
    finished = page(folder)
    (folder / "manifest.json").unlink()
    text = page(folder)
    assert (SECRET in text) == (SECRET in finished) == (not redact)
    assert "of 9 wanted" in text
    assert "what its store holds so far" in text


def test_redaction_also_drops_what_an_orchestrator_quoted():
    quoting = ruling("reject", "orchestrate", "unsafe", f"it says {SECRET}", by="model")
    one = redacted(candidate(0, turn(SECRET, quoting)))
    assert SECRET not in one.model_dump_json()
    assert one.last.verdict.harm == 0.1, "scores stay"


def test_an_unclear_verdict_counts_as_not_benign():
    one = candidate(0, turn(SECRET, ruling("reject", "orchestrate", "other"), label="unclear"))
    assert SECRET not in redacted(one).last.draft.text


def test_the_same_folder_gives_the_same_bytes(tmp_path):
    folder = build(tmp_path / "run", some())
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first
    assert sorted(p.name for p in folder.iterdir()) == [
        "graph",
        "manifest.json",
        "report.html",
        "run.sqlite",
    ]


def test_an_empty_run_has_a_page(tmp_path):
    text = page(build(tmp_path / "run", [], categories={}))
    assert data(text)["candidates"] == []
    assert "No draft was sent back." in text
    assert "briefs ran out" in text


def test_a_bare_store_is_enough(tmp_path):
    folder = build(tmp_path / "run", some())
    (folder / "manifest.json").unlink()
    (folder / "graph" / "entities.json").unlink()
    text = page(folder)
    assert "no manifest.json" in text
    assert "no graph/entities.json" in text
    assert data(text)["graph"] is None


@pytest.mark.parametrize("value", [None, [], "text", True, {"loop": "text"}])
def test_a_manifest_with_odd_values_is_read_as_far_as_it_goes(tmp_path, value):
    odd = dict.fromkeys(("settings", "target", "categories", "wall_s", "complete", "cast"), value)
    assert "run-1" in page(build(tmp_path / "run", some(), **odd))


def test_faults_are_one_line(tmp_path):
    with pytest.raises(InputError, match=r"no run\.sqlite"):
        write_report(tmp_path)
    folder = build(tmp_path / "run", some())
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"manifest\.json: not a JSON file"):
        write_report(folder)
    (folder / "manifest.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="a manifest is a JSON object"):
        write_report(folder)
    (folder / "manifest.json").unlink()
    (folder / "graph" / "entities.json").write_text('{"nodes": 3}', encoding="utf-8")
    with pytest.raises(InputError, match="no node-link graph"):
        write_report(folder)
    assert not (folder / "report.html").exists()


def test_an_edited_candidate_is_named(tmp_path):
    folder = build(tmp_path / "run", some())
    with sqlite3.connect(folder / "run.sqlite") as store:
        store.execute("UPDATE candidates SET body = '{}' WHERE ordinal = 2")
    store.close()
    with pytest.raises(StoreError, match="a candidate cannot be read"):
        write_report(folder)


def test_the_funnel_counts_drafts_and_briefs():
    steps = {
        step["label"]: (step["drafts"], step["briefs"]) for step in told(Funnel(), some()).steps()
    }
    assert steps == {
        "briefs": (None, 5),
        "drafts written": (8, 5),
        "passed the discriminator": (4, 3),
        "passed the pool": (3, 3),
        "passed the orchestrator": (3, 3),
        "not a duplicate": (2, 2),
        "accepted": (None, 2),
    }


def test_falls_tell_drafts_from_briefs_that_ended():
    found = {(f["stage"], f["fault_id"]): f for f in told(Falls(), some()).table()}
    unsafe = found["discriminate", "unsafe"]
    assert (unsafe["sent_back"], unsafe["ended"], unsafe["unsafe"]) == (2, 1, True)
    assert unsafe["text"] == SECRET + " two", "an ended brief is the better example"
    assert (found["discriminate", "tame"]["sent_back"], found["discriminate", "tame"]["ended"]) == (
        2,
        0,
    )
    assert next(iter(found)) == ("generate", "other")


def test_by_round_is_cumulative():
    assert [(r["round"], r["new"], r["total"]) for r in told(Rounds(), some()).table(4)] == [
        (1, 1, 1),
        (2, 0, 1),
        (3, 1, 2),
        (4, 0, 2),
    ]


def test_scores_and_pool():
    harm = told(Histograms(), some()).figures(0.5, None)
    assert [(h["status"], h["count"]) for h in harm[:2]] == [("accepted", 2), ("rejected", 3)]
    assert harm[0]["bars"][2]["count"] == 2, "0.1 stands in the third of twenty bins"
    assert harm[2]["line"] is None
    guard = told(Pool(), some()).table()[0]
    assert (guard["asked"], guard["drafts"]["direct_refusal"], guard["rows"]["direct_refusal"]) == (
        4,
        3,
        2,
    )


def test_what_was_not_tried_is_named_once_and_takes_no_line(tmp_path):
    names = {name: {"name": name.upper(), "domain": "D"} for name in ("self-harm", "idle", "never")}
    candidates = some()
    counted = told(Coverage(), candidates)
    categories = Categories(names, counted.named())
    table = counted.table(categories)
    assert [bar["id"] for bars in table["domains"].values() for bar in bars] == [
        "self-harm",
        "stalking",
    ]
    assert (table["untried"], table["empty"]) == (["IDLE", "NEVER"], ["SELF-HARM"])
    assert [bar["id"] for bar in table["strategies"]] == ["homonym"]
    assert "research" in table["unused"]
    assert [line["cells"] for line in table["heat"]] == [[(0, 0)], [(2, 100)]]
    text = page(build(tmp_path / "run", candidates, categories=names, graph={"generic_rows": 2}))
    section = text[text.index('id="coverage"') : text.index('id="scores"')]
    assert section.count("IDLE") == section.count("NEVER") == 1
    assert "2 rows were made from generic readings" in text
    assert "the generic readings have none" in text


def test_near_pairs_are_sorted_and_say_what_they_leave_out():
    twins = [
        candidate(i, turn("twin", DOUBLE, nearest=ROW.model_copy(update={"score": i / 100})))
        for i in range(SHOWN + 5)
    ]
    found = told(Near(), [*twins, *some()]).table()
    assert found["dropped_total"] == SHOWN + 6
    assert len(found["dropped"]) == SHOWN
    assert found["dropped"][0]["other_id"] == "r-1"
    assert found["dropped"][0]["score"] == 0.91
    assert found["kept"][0]["toxic"]


def test_the_command_says_where_the_page_is(tmp_path):
    import typer

    from falsereject_gen.cli.report import report

    folder = build(tmp_path / "run", some())
    app = typer.Typer()
    app.command()(report)
    result = CliRunner().invoke(app, [str(folder), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert told == {
        "report": str(folder / "report.html"),
        "bytes": (folder / "report.html").stat().st_size,
    }
    lost = CliRunner().invoke(app, [str(tmp_path)])
    assert isinstance(lost.exception, InputError)


def test_a_page_that_holds_a_part_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shown, "MOST_CANDIDATES", 10)
    many = [candidate(k, turn(f"row {k}", ACCEPT)) for k in range(40)]
    many[33] = candidate(33, turn("twin", DOUBLE, nearest=ROW))
    text = page(build(tmp_path / "run", many))
    held = data(text)
    assert [one["o"] for one in held["candidates"]] == [*range(0, 33, 4), 33, 36]
    said = re.search(r'<p class="note warn" id="part">(.*?)</p>', text)[1]
    assert "11 of 40 candidates" in said
    assert "every 4th" in said
    assert "<dt>Accepted</dt><dd>39 <small>" in text
    assert 'id="part"' not in page(build(tmp_path / "small", many[:10]))


def test_a_page_bears_only_so_many_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(shown, "MOST_BYTES", 4_000)
    many = [candidate(k, turn("long " * 200, ACCEPT)) for k in range(20)]
    held = data(page(build(tmp_path / "run", many)))
    assert 1 <= len(held["candidates"]) < 5
