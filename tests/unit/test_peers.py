"""Side by side with peers: what is counted, what is left out with its reason, the table."""

import importlib
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("watched", "machine", "peers_cases", "peers_servers", "peers_table", "peers")
BURN = """
import subprocess, sys, time
code = "import time; end = time.process_time() + .5; kept = bytearray(80 << 20)\\n"
code += "while time.process_time() < end: pass"
subprocess.run([sys.executable, "-c", code], check=True)
"""


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in NAMES})
    sys.path.remove(str(ROOT / "benchmarks"))
    for name in NAMES:
        del sys.modules[name]


def watch(bench, tmp_path, code, **more):
    more = {"begun": lambda: True, "timeout": 60, **more}
    return bench.watched.watch([sys.executable, "-c", code], tmp_path / "log.txt", **more)


def test_what_children_use_is_counted(bench, tmp_path):
    seen = watch(bench, tmp_path, BURN)
    assert not seen.fault
    assert seen.cpu_s >= 0.5
    assert seen.rss_mb > 80
    assert seen.processes >= 2
    assert seen.cpu_before_s == 0.0


def test_what_was_used_before_a_moment_is_told_apart(bench, tmp_path):
    seen = watch(bench, tmp_path, BURN, begun=lambda: False)
    assert 0 < seen.cpu_before_s <= seen.cpu_s


def test_a_command_that_fails_says_why(bench, tmp_path):
    seen = watch(bench, tmp_path, "import sys; sys.exit('no tokenizer here')")
    assert seen.fault == "exit code 1; it last said: no tokenizer here"


def test_a_command_that_hangs_is_ended_with_its_children(bench, tmp_path):
    code = "import subprocess; subprocess.run(['sleep', '60'])"
    seen = watch(bench, tmp_path, code, timeout=1.0)
    assert seen.fault.startswith("not done in 1 s")
    assert seen.wall_s < 30


def test_peers_that_are_missing_are_named_and_the_rest_is_planned(bench, tmp_path):
    ground = bench.peers_cases.Ground(tmp_path, tmp_path)
    (tmp_path / "peers").mkdir()
    (tmp_path / "peers" / "b_curator.py").touch()
    (tmp_path / "peers" / "b_sdghub.py").touch()
    (tmp_path / "sdghub" / "bin").mkdir(parents=True)
    (tmp_path / "sdghub" / "bin" / "python").symlink_to(sys.executable)
    wanted, missing = bench.peers_cases.plan(ground)
    assert {case.name.partition("_")[0] for case in wanted} == {"ours"}
    assert set(missing) == set(bench.peers_cases.PEERS)
    assert missing["datatrove"] == "no peers/b_datatrove.py in --bench"
    assert missing["curator"] == "no curator/bin/python in --venvs"
    assert missing["sdghub"] == "sdg-hub: not installed in sdghub of --venvs"


def test_our_client_is_measured_by_the_servers_count(bench, tmp_path):
    cases = bench.peers_cases
    ground = cases.Ground(tmp_path, tmp_path)
    (case,) = [c for c in cases.cases(share=0.02) if (c.name, c.concurrency) == ("ours_apart", 64)]
    with bench.peers_servers.Scripted() as server:
        found = bench.peers.measure(case, ground, server, tmp_path / "log.txt")
        assert found["ok"] == found["requests"] == case.calls
        assert 0 < found["efficiency"] <= case.calls / 64 + 0.01  # fewer calls than places
        assert found["calls_s"] == pytest.approx(64 / 0.2 * found["efficiency"])
        assert found["cpu_ms_a_call"] > found["cpu_ms_after_start"] > 0
        assert found["processes"] == 2
        short = cases.replace(case, calls=case.calls + 1)
        fault = bench.peers.measure(short, ground, server, tmp_path / "log.txt")
    assert fault == {"fault": f"{case.calls} of {short.calls} calls were answered"}


def runs(*rates):
    figures = {name: 1.0 for name in ("times_ideal", "cpu_ms_a_call", "cpu_ms_after_start")}
    figures |= {"rss_mb": 99.6, "start_s": 1.0, "share_429": 0.01, "ok": 5, "requests": 5}
    figures |= dict.fromkeys(("r429", "r500", "repeated", "peak", "processes"), 1)
    return [{**figures, "calls_s": rate, "efficiency": rate / 320} for rate in rates]


def test_a_summary_has_medians_ranges_and_what_failed(bench):
    case = SimpleNamespace(name="curator", concurrency=64)
    found = bench.peers.summary(case, [*runs(160, 240, 80), {"fault": "it hung"}])
    assert (found["calls_s"], found["calls_s_range"]) == (160, [80, 240])
    assert (found["efficiency"], found["efficiency_range"]) == (0.5, [0.25, 0.75])
    assert (found["repeats"], found["faults"]) == (4, ["it hung"])
    assert "efficiency" not in bench.peers.summary(case, [{"fault": "it hung"}])


def result(bench, *measured):
    results = [
        bench.peers.summary(SimpleNamespace(name=name, concurrency=64), told)
        for name, told in measured
    ]
    machine = {"cores": 2, "cpu": ["x86_64"], "python": "3.11.7", "load_before": 0.1}
    return {
        "machine": machine,
        "load_after": 1.0,
        "latency_s": 0.2,
        "rounds": 3,
        "versions": {"curator": {"bespokelabs-curator": "0.1.31"}},
        "missing": {"sdghub": "no sdghub/bin/python in --venvs"},
        "results": results,
    }


def test_the_table_is_written_into_the_page(bench, tmp_path):
    page, out = tmp_path / "speed.md", tmp_path / "peers.json"
    shutil.copy(ROOT / "docs" / "speed.md", page)
    measured = [("curator", runs(160, 80)), ("ours", runs(300)), ("openai", [{"fault": "hung"}])]
    pushed = ("ours_pushback", runs(140))
    out.write_text(json.dumps(result(bench, *measured, pushed)), encoding="utf-8")
    bench.peers_table.write_table(out, page)
    text = page.read_text(encoding="utf-8")
    ours = text.index("| **our client**, one process | 0.938 | 300 | 1 | 1 | 100 |")
    assert ours < text.index("| Curator 0.1.31 | 0.375 (0.25–0.5) | 120 (80–160) | 1 | 1 | 100 |")
    assert "SDG Hub: not measured: no sdghub/bin/python in --venvs." in text
    assert "openai on httpx, bare, 64 at once, a run failed: hung." in text
    assert "5 % 500, 64 calls at once | 1 | 1.0 % |" in text
    assert text.startswith("# Speed") and "## Measure it yourself" in text
    bench.peers_table.write_table(out, page)
    assert page.read_text(encoding="utf-8") == text


def test_the_page_has_the_numbers_of_the_result(bench, tmp_path):
    table = bench.peers_table
    if not table.RESULTS.exists():
        pytest.skip("benchmarks/results/peers.json is not there: nothing was measured yet")
    page = tmp_path / "speed.md"
    shutil.copy(table.PAGE, page)
    table.write_table(table.RESULTS, page)
    assert page.read_text(encoding="utf-8") == table.PAGE.read_text(encoding="utf-8")
