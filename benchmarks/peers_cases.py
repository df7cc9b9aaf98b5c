"""What `peers.py` measures: the peers, our own cases, and how each is started. Data, mostly."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from watched import watch

HERE = Path(__file__).resolve().parent
PORT = 8099  # the adapters have it built in
LATENCY = 0.2
CALLS = {64: 1280, 256: 2560}  # the ideal is 4 and 2 seconds
BUCKET = {"rps": 100, "burst": 100, "calls": 2000}
PUSHBACK = {"fail429": 0.1, "fail500": 0.05}
ROWS = {64: 600, 256: 1200}  # 20 calls a row; a short run is mostly its beginning and end
TIMEOUT_S = 180.0
OURS = ("openai", "aiohttp")  # what our own calls go through: versions are told

OFFLINE = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "PYTHONPATH": None}


@dataclass(frozen=True)
class Peer:
    """A peer, or a bare client.

    Attributes:
        shown: its name in the table.
        room: its environment in --venvs.
        adapter: its script in --bench/peers.
        packages: distributions whose versions are told.
        share: of CALLS that it is asked for; less than 1 where it would take minutes.
    """

    shown: str
    room: str
    adapter: str
    packages: tuple[str, ...]
    share: float = 1.0


PEERS = {
    "aiohttp": Peer("aiohttp, bare", "base", "base_aiohttp.py", ("aiohttp",)),
    "openai": Peer("openai on httpx, bare", "base", "base_openai.py", ("openai", "httpx2")),
    "datatrove": Peer("datatrove", "datatrove", "b_datatrove.py", ("datatrove",)),
    "curator": Peer("Curator", "curator", "b_curator.py", ("bespokelabs-curator",)),
    "datadesigner": Peer(
        "DataDesigner", "datadesigner", "b_datadesigner.py", ("data-designer",), 0.4
    ),
    "sdghub": Peer("SDG Hub", "sdghub", "b_sdghub.py", ("sdg-hub",), 0.4),
    "distilabel": Peer("distilabel", "distilabel", "b_distilabel.py", ("distilabel",), 0.3),
    "inspectai": Peer("inspect_ai", "inspectai", "b_inspectai.py", ("inspect-ai",), 0.15),
}


@dataclass(frozen=True)
class Case:
    """One line of the results.

    Attributes:
        command: from its environments and the server's URL to the words that start it.
        calls: how many it is asked for; 0 where that shows only afterwards.
        server: `mock` or `scripted`.
        ask: what the server is told beforehand, e.g. its faults.
        ideal: from the calls answered to the seconds that they need at least.
        once: in the first round only, unless it is named: the clock of a bucket hardly varies.
    """

    name: str
    concurrency: int
    command: Callable[["Ground", str], list[object]]
    calls: int = 0
    server: str = "mock"
    ask: dict[str, float] = field(default_factory=dict)
    ideal: Callable[[int], float] | None = None
    once: bool = False

    def seconds(self, calls):
        """The ideal time of so many calls."""
        return self.ideal(calls) if self.ideal else calls * LATENCY / self.concurrency


@dataclass(frozen=True)
class Ground:
    """Where the adapters and environments are, and which cores are whose."""

    bench: Path
    venvs: Path
    pin: bool = False

    def python(self, peer):
        return self.venvs / peer.room / "bin" / "python"

    def lacks(self, peer):
        """Why a peer cannot be measured, or ""."""
        if not (self.bench / "peers" / peer.adapter).is_file():
            return f"no peers/{peer.adapter} in --bench"
        if not self.python(peer).exists():
            return f"no {peer.room}/bin/python in --venvs"
        if None in self.version(peer).values():
            return f"{', '.join(peer.packages)}: not installed in {peer.room} of --venvs"
        return ""

    def version(self, peer):
        """Versions of what a peer's environment has of it; None where it is not there."""
        code = (
            "import importlib.metadata as m, json, sys\n"
            "there = {d.name.lower().replace('_', '-'): d.version for d in m.distributions()}\n"
            "print(json.dumps({name: there.get(name) for name in sys.argv[1:]}))"
        )
        if not self.python(peer).exists():
            return dict.fromkeys(peer.packages)
        words = [str(self.python(peer)), "-I", "-c", code, *peer.packages]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else dict.fromkeys(peer.packages)

    def cores(self, server):
        """Words in front of a command, for --pin: the last core serves, the others ask."""
        everyone = sorted(os.sched_getaffinity(0))
        if not self.pin or len(everyone) < 2:
            return []
        mine = everyone[-1:] if server else everyone[:-1]
        return ["taskset", "-c", ",".join(map(str, mine))]

    def run(self, case, server, log):
        """One run of a case in a folder of its own."""
        with tempfile.TemporaryDirectory() as work:
            mine = case.name.partition("_")[0] == "ours"
            return watch(
                [*self.cores(server=False), *case.command(self, server.url)],
                log,
                begun=server.begun,
                folder=work,
                env={"OUT": work} if mine else {"OUT": work, **OFFLINE},
                timeout=TIMEOUT_S,
            )


def _peer(peer, calls, concurrency):
    def command(ground, _):
        script = ground.bench / "peers" / peer.adapter
        return [ground.python(peer), script, calls, concurrency]

    return command


def _ours(mode, calls, concurrency, *more):
    def command(_, url):
        script = HERE / "endpoint_throughput.py"
        given = ["--child", mode, "--url", url, "--calls", f"{concurrency}={calls}"]
        return [sys.executable, script, *given, *more]

    return command


def _loop(rows, concurrency):
    script = HERE / "loop_efficiency.py"
    return lambda _, url: [sys.executable, script, "--child", "loop", url, concurrency, rows]


def _through_bucket(calls):
    return max(0, calls - BUCKET["burst"]) / BUCKET["rps"] + LATENCY


def _limits(share):
    """Our client against a bucket, told of it or not, and against random faults."""
    calls, per_minute = round(BUCKET["calls"] * share), 60 * BUCKET["rps"]
    ask = {"rps": BUCKET["rps"], "burst": BUCKET["burst"]}
    case = Case("ours_bucket_unset", 64, _ours("ours_apart", calls, 64), calls, ask=ask)
    case = replace(case, ideal=_through_bucket, once=True)
    told = _ours("ours_apart", calls, 64, "--rpm", per_minute)
    calls = round(CALLS[64] * share)
    pushed = Case("ours_pushback", 64, _ours("ours_apart", calls, 64), calls, ask=PUSHBACK)
    pushed = replace(pushed, once=True)
    return [replace(case, name="ours_bucket_set", command=told), case, pushed]


def _at(concurrency, share):
    """The cases of ours at one concurrency."""
    calls = round(CALLS[concurrency] * share)
    alone = [
        Case(mode, concurrency, _ours(mode, calls, concurrency), calls)
        for mode in ("ours", "ours_apart")
    ]
    rows = max(1, round(ROWS[concurrency] * share))
    return [*alone, Case("ours_loop", concurrency, _loop(rows, concurrency), server="scripted")]


def cases(share=1.0):
    """All of them, in the order in which they run."""
    found = []
    for concurrency, most in CALLS.items():
        found += _at(concurrency, share)
        for name, peer in PEERS.items():
            calls = round(most * share * peer.share)
            found.append(Case(name, concurrency, _peer(peer, calls, concurrency), calls))
    return [*found, *_limits(share)]


def plan(ground, only=None, share=1.0):
    """The cases that can run, and by name why the others cannot."""
    wanted = [case for case in cases(share) if not only or case.name in only]
    names = {case.name for case in wanted}
    missing = {name: why for name in PEERS if name in names and (why := ground.lacks(PEERS[name]))}
    return [case for case in wanted if case.name not in missing], missing
