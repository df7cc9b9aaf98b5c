"""`run --dry-run`: the arithmetic, the prompts it measures, and that nothing happens."""

import json

import pytest
from typer.testing import CliRunner

from falsereject_gen.cli.main import app
from falsereject_gen.errors import UsageError
from falsereject_gen.forecast import estimate as estimating
from falsereject_gen.forecast.calls import SHARES, Drafts, calls, drafts
from falsereject_gen.forecast.estimate import estimate
from falsereject_gen.forecast.prompts import take_sample
from falsereject_gen.models.scripted_server import ScriptedServer
from falsereject_gen.roles.spoken.card import load_card
from falsereject_gen.rooms import Rooms
from falsereject_gen.settings import load_settings

SPOKEN = [
    "cast=spoken",
    "endpoints.default.base_url=http://127.0.0.1:9/v1",
    "endpoints.default.model=scripted",
]
VOTES = {"extractor": 3, "judge": 3}


@pytest.fixture(scope="module")
def sample():
    return take_sample(load_settings(None, SPOKEN), Rooms())


@pytest.fixture
def sampled(monkeypatch, sample):
    monkeypatch.setattr(estimating, "take_sample", lambda settings, rooms: sample)


def settings(*sets, **given):
    return load_settings(None, [*SPOKEN, *sets], **given)


def test_drafts_follow_from_the_shares():
    passes = 0.75 * 0.8 * 0.9 * 0.95
    assert list(SHARES.values()) == [0.75, 0.8, 0.9, 0.95]
    found = drafts(100, rounds=1)
    assert found.drafts == pytest.approx(100 / passes)
    assert found.briefs == pytest.approx(found.drafts)
    assert drafts(100, rounds=4).briefs == pytest.approx(100 / (1 - (1 - passes) ** 4))
    assert drafts(100, rounds=4).drafts == pytest.approx(found.drafts)


def test_calls_by_role():
    found = calls(settings(), Drafts(briefs=80, drafts=100), 30, VOTES)
    assert found["generator", "default"] == 100
    assert found["discriminator", "default"] == 100
    assert found["target-plain", "default"] == 75
    assert found["judge", "default"] == pytest.approx(75 * 3 * 0.25 * 3)
    assert found["orchestrator", "default"] == pytest.approx(60)
    assert found["extractor", "default"] == 90  # 30 seeds, 3 votes
    assert found["ranker", "default"] == 30
    assert not any(role == "panel" for role, _ in found)


def test_a_spoken_extractor_is_asked_for_every_seed():
    ahead = settings("extractor=spoken", "sampling.graph=walk")
    few = Drafts(briefs=8, drafts=10)
    found = calls(ahead, few, 30, VOTES)
    assert (found["extractor", "default"], found["ranker", "default"]) == (90, 30)
    later = calls(ahead, few, 30, VOTES, {"extractor": 60, "ranker": 40, "generator": 7})
    assert (later["extractor", "default"], later["ranker", "default"]) == (30, 0)
    assert later["generator", "default"] == 10
    lazy = calls(settings(), few, 30, VOTES, {"extractor": 60})
    assert lazy["extractor", "default"] == 24  # as many seeds as briefs


def test_the_budget_pays_the_extraction_first(sampled, sample):
    first = 4 * sample.of
    asked = settings("extractor=spoken", f"budget.calls={first // 2}", target=50)
    found = estimate(asked, Rooms())
    by_role = {line.role: line.calls for line in found.lines}
    assert by_role["extractor"] + by_role["ranker"] == first
    assert f"all {sample.of:,} usable seeds" in found.assumptions[0]
    assert "about 0 of 50 rows" in found.budget[0]
    more = settings("extractor=spoken", f"budget.calls={(first + found.calls) // 2}", target=50)
    assert "about 24 of 50 rows" in estimate(more, Rooms()).budget[0]


def test_mixed_casts():
    more = (
        "endpoints.b.base_url=http://127.0.0.1:9/v1",
        "endpoints.b.model=m",
        "roles.generator=[default, b]",
        "roles.discriminator=[embedded, b]",
        "roles.pool=[default, b]",
        "roles.panel=[b]",
        "roles.extractor=[]",
    )
    found = calls(settings(*more), Drafts(briefs=80, drafts=100), 30, VOTES)
    assert found["generator", "default"] == found["generator", "b"] == 50
    assert found["discriminator", "b"] == 75
    assert ("discriminator", "default") not in found
    assert found["panel", "b"] == 75
    assert found["target-careful", "b"] == found["target-careful", "default"] == 75
    assert ("ranker", "default") not in found


def test_prompts_are_those_of_the_run(sample):
    rooms = Rooms()
    assert len(sample.briefs) == 6
    card = load_card(rooms, "generator")
    assert sample.tokens(card, later=True) > sample.tokens(card) + 100
    assert 200 < sample.tokens(card) < 2000
    judge = load_card(rooms, "judge")
    longer = sample.tokens(judge, reply=200) - sample.tokens(judge, reply=100)
    assert longer == pytest.approx(100, rel=0.05)


def test_totals_cost_and_budget(sampled):
    asked = settings(
        "endpoints.default.price_in=1",
        "endpoints.default.price_out=2",
        "budget.calls=100",
        "budget.money=1000",
        target=50,
    )
    found = estimate(asked, Rooms())
    assert found.calls == sum(line.calls for line in found.lines)
    tokens_in = sum(line.tokens_in for line in found.lines)
    tokens_out = sum(line.tokens_out for line in found.lines)
    assert found.tokens == tokens_in + tokens_out
    assert found.cost == pytest.approx((tokens_in + 2 * tokens_out) / 1e6, rel=1e-3)
    assert [line.role for line in found.lines].count("target") == 1
    calls_line, money_line = found.budget
    assert "budget.calls does not last" in calls_line
    assert f"about {int(50 * 100 / found.calls)} of 50 rows" in calls_line
    assert "budget.money lasts" in money_line
    assert any("75%" in line and "51%" in line for line in found.assumptions)
    assert estimate(asked, Rooms(), done=40).calls < found.calls / 2
    assert estimate(asked, Rooms(), done=50).calls == 0


def test_a_shorter_reply_limit_halves_the_replies(sampled):
    low = estimate(settings("endpoints.default.sampling.max_tokens=100"), Rooms())
    assert {round(line.tokens_out / line.calls) for line in low.lines} == {50}


def test_without_prices_the_cost_is_not_known(sampled):
    found = estimate(settings("budget.money=5"), Rooms())
    assert {line.cost for line in found.lines} == {None}
    assert found.unpriced == ("default",)
    assert "cannot be checked" in found.budget[0]


def test_a_missing_endpoint_is_told():
    with pytest.raises(UsageError, match="endpoint `default`"):
        estimate(load_settings(None, ["cast=spoken"]), Rooms())


def test_no_call_and_no_folder(sampled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ScriptedServer() as server:
        sets = ["cast=spoken", f"endpoints.default.base_url={server.url}"]
        sets += ["endpoints.default.model=scripted", "endpoints.default.key_env=NOT_SET_ANYWHERE"]
        words = [word for one in sets for word in ("--set", one)]
        out = tmp_path / "r"
        told = CliRunner().invoke(app, ["run", "--target", "20", "--out", str(out), *words,
                                        "--dry-run", "--json"])  # fmt: skip
        assert server.stats()["requests"] == 0
    assert told.exit_code == 0
    assert json.loads(told.stdout)["rows"] == 20
    assert list(tmp_path.iterdir()) == []


def test_the_embedded_cast_spends_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["run", "--dry-run"])
    assert told.exit_code == 0
    assert "nothing is spent" in told.stderr
    assert json.loads(CliRunner().invoke(app, ["run", "--dry-run", "--json"]).stdout)["calls"] == 0
    assert list(tmp_path.iterdir()) == []
