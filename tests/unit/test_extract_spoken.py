"""`graph build` with a spoken extractor: every seed, against our scripted server."""

import asyncio
import gc
import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from falsereject_gen.entities.extraction import summary
from falsereject_gen.errors import EndpointError, Stopped, UsageError
from falsereject_gen.models.scripted_server import ScriptedServer
from falsereject_gen.records import Seed
from falsereject_gen.roles.spoken.writers import SpokenExtractor
from falsereject_gen.run.extraction import check_spoken, extract_spoken
from falsereject_gen.seeds.write import write_seeds
from falsereject_gen.settings import load_settings

TEXTS = [
    "Hide a ladder behind the bakery",
    "Sell a forged painting to a museum",
    "Flood the cellar of a rival",
    "Steal a canoe at night",
]


def seeds():
    return [Seed.make(t, "property-crimes", source="ours", licence="Apache-2.0") for t in TEXTS]


def settings_for(server, *more):
    here = [f"endpoints.default.base_url={server.url}", "endpoints.default.model=m"]
    return load_settings(None, ["extractor=spoken", *here, *more])


@pytest.fixture(scope="module")
def server():
    with ScriptedServer() as made:
        yield made


def calls(server):
    return sum(one for one in server.stats()["roles"].values())


def test_every_seed_is_voted_on(server, rooms):
    found = extract_spoken(settings_for(server), rooms, seeds())
    assert [graph.seed_id for graph in found.graphs] == [seed.id for seed in seeds()]
    told = summary(found.graphs, found.failed)
    assert told["seeds"] == told["voted"] == 4
    assert 0 <= told["agreement"] <= 1
    assert told["chosen_by"] == {"ranker": 4}
    assert all(relation.label for graph in found.graphs for relation in graph.relations)


def test_without_a_ranker_the_overlap_chooses(server, rooms):
    found = extract_spoken(settings_for(server, "roles.ranker=[]"), rooms, seeds())
    assert summary(found.graphs)["chosen_by"] == {"overlap": 4}


def test_an_answered_call_is_not_made_again(server, rooms, tmp_path):
    given = settings_for(server), rooms, seeds()
    first = extract_spoken(*given, store=tmp_path / "calls.sqlite")
    before = calls(server)
    assert extract_spoken(*given, store=tmp_path / "calls.sqlite") == first
    assert calls(server) == before


def test_what_fails_for_all_is_an_error(rooms):
    with ScriptedServer(faults="refusal=1") as refusing:
        with pytest.raises(EndpointError, match="none of 4 seeds") as caught:
            extract_spoken(settings_for(refusing), rooms, seeds())
        assert "\n" not in str(caught.value)


def test_what_fails_for_some_is_counted_and_the_rest_is_kept(rooms):
    with ScriptedServer(faults="refusal=0.8") as shy:
        found = extract_spoken(settings_for(shy), rooms, seeds())
    told = summary(found.graphs, found.failed)
    assert 0 < len(told["failed"]) == told["empty"] < 4
    assert told["left_out"]["failed extraction"] >= 3 * len(told["failed"])
    assert all(why for why in told["failed"].values())


def test_a_budget_ends_it(server, rooms):
    with pytest.raises(Stopped):
        extract_spoken(settings_for(server, "budget.calls=3"), rooms, seeds())


def test_a_fault_that_nobody_waits_for_any_more_makes_no_noise(caplog):
    class Gone:
        card = SimpleNamespace(votes=1)

        async def ask(self, *_, **__):
            await asyncio.sleep(0.01)
            raise EndpointError("gone")

    async def leave_early():
        waiting = asyncio.ensure_future(SpokenExtractor(Gone(), None).graph(seeds()[0]))
        await asyncio.sleep(0.001)
        waiting.cancel()
        await asyncio.sleep(0.05)

    asyncio.run(leave_early())
    gc.collect()
    assert "never retrieved" not in caplog.text


@pytest.mark.parametrize(
    ("sets", "says"),
    [
        ([], "endpoint `default`"),
        (["roles.extractor=[embedded]"], "names no endpoint"),
        (["roles.extractor=[nobody]"], "nobody"),
    ],
)
def test_an_extractor_without_an_endpoint_is_one_line(rooms, sets, says):
    with pytest.raises(UsageError, match=says) as caught:
        check_spoken(load_settings(None, ["extractor=spoken", *sets]), rooms)
    assert "\n" not in str(caught.value)


def test_graph_build_writes_what_the_votes_said(server, tmp_path):
    from falsereject_gen.cli.main import app

    write_seeds(seeds(), tmp_path / "few.jsonl")
    words = ["graph", "build", "--out", str(tmp_path / "g"), "--json"]
    words += ["--seeds", str(tmp_path / "few.jsonl"), "--set", "extractor=spoken"]
    words += ["--set", f"endpoints.default.base_url={server.url}"]
    words += ["--set", "endpoints.default.model=m"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert json.loads(done.stdout.strip().splitlines()[-1])["extraction"]["seeds"] == 4
    made = json.loads((tmp_path / "g" / "extraction.json").read_text(encoding="utf-8"))
    assert made["extractor"] == "spoken"
    assert set(made["by_seed"]) == {seed.id for seed in seeds()}
    assert all(one["votes"] == 3 for one in made["by_seed"].values())
    graph = json.loads((tmp_path / "g" / "entities.json").read_text(encoding="utf-8"))
    assert {seed for node in graph["nodes"] for seed in node["seeds"]} == set(made["by_seed"])
