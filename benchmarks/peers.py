"""Ours and other generators side by side: same server, same machine, one sitting.

    python benchmarks/peers.py --bench DIR --venvs DIR      # → results/peers.json, docs/speed.md

`--bench` holds `mock.py PORT LATENCY`, an OpenAI-compatible server of fixed latency that counts,
and an adapter a peer in `peers/`, called with the numbers of calls and of calls at once; adapters
ask port 8099. `--venvs` holds a virtual environment a peer. Peers that are missing or fail are
named with the reason. Efficiency = (calls x latency / concurrency) / seconds from first to last
call, by the server's count; CPU and memory are those of all processes, start-up included. Ours:

ours            our client in one process: call cache on disk, budget, adaptive limit
ours_apart      the same through the process that makes the calls of a run
ours_loop       a whole run, every role, against our scripted server at the same latency
ours_bucket_*   100 requests a second are let through: limit told to our client (set), or not
ours_pushback   10 % random 429 and 5 % 500 at C=64

Repeats are the outer loop: what else the machine does meets everybody. Nothing is pinned to a core
unless `--pin` is given: then the mock server gets the last core and its clients the others.
"""

import argparse
import json
import signal
import statistics
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from machine import facts, load
from peers_cases import BUCKET, LATENCY, OURS, PEERS, PUSHBACK, Ground, cases, plan
from peers_servers import Mock, Scripted
from peers_table import write_table

HERE = Path(__file__).resolve().parent
DIGITS = {
    "efficiency": 3,
    "times_ideal": 2,
    "calls_s": 1,
    "cpu_ms_a_call": 2,
    "cpu_ms_after_start": 2,
    "rss_mb": 0,
    "start_s": 1,
    "share_429": 4,
}
COUNTS = ("ok", "requests", "r429", "r500", "repeated", "peak", "processes")


def measure(case, ground, server, log):
    """One run of a case; returns its figures, or `fault` with the reason."""
    server.reset(case.ask)
    seen = ground.run(case, server, log)
    stats = server.stats()
    ok, span = stats["ok"], stats["span_s"]
    if seen.fault or ok < case.calls or not span:
        return {"fault": seen.fault or f"{ok} of {case.calls} calls were answered"}
    ideal = case.seconds(case.calls or ok)
    cpu = {"cpu_ms_a_call": seen.cpu_s, "cpu_ms_after_start": seen.cpu_s - seen.cpu_before_s}
    return {
        "efficiency": ideal / span,
        "times_ideal": span / ideal,
        "calls_s": ok / span,
        **{name: 1000 * seconds / ok for name, seconds in cpu.items()},
        "rss_mb": seen.rss_mb,
        "start_s": max(0.0, seen.wall_s - span),
        "share_429": stats["r429"] / stats["requests"],
        "processes": seen.processes,
        **{name: stats[name] for name in COUNTS if name in stats},
    }


def brief(run):
    """A run in a line, for whoever watches."""
    shown = {name: round(run[name], digits) for name, digits in DIGITS.items() if name in run}
    return json.dumps({**run, **shown})


def summary(case, runs):
    """Medians and ranges over the repeats of a case; runs that failed are counted and named."""
    good = [run for run in runs if "fault" not in run]
    out = {"case": case.name, "concurrency": case.concurrency, "repeats": len(runs)}
    out["faults"] = [run["fault"] for run in runs if "fault" in run]
    if not good:
        return out
    for name, digits in DIGITS.items():
        values = [run[name] for run in good]
        out[name] = round(statistics.median(values), digits)
        out[f"{name}_range"] = [round(end(values), digits) for end in (min, max)]
    return out | {name: [run[name] for run in good] for name in COUNTS}


def sitting(args, ground, keep):
    """All cases, `args.repeats` times; `keep` is called after every round."""
    wanted, missing = plan(ground, args.only, args.share)
    for name, why in missing.items():
        print(f"left out: {name}: {why}", flush=True)
    runs = [[] for _ in wanted]
    with tempfile.TemporaryDirectory() as logs, Mock(ground) as mock, Scripted() as scripted:
        for turn in range(args.repeats):
            for case, done in zip(wanted, runs, strict=True):
                if turn and case.once and not args.only:
                    continue
                log = Path(logs) / f"{case.name}-{case.concurrency}-{turn}.txt"
                server = scripted if case.server == "scripted" else mock
                done.append(measure(case, ground, server, log))
                print(turn + 1, case.name, case.concurrency, brief(done[-1]), flush=True)
            results = [summary(*pair) for pair in zip(wanted, runs, strict=True)]
            keep({"rounds": turn + 1, "missing": missing, "results": results})


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bench", type=Path, required=True, help="folder of mock.py and peers/")
    parser.add_argument("--venvs", type=Path, required=True, help="folder of environments")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="of the calls, for a try")
    parser.add_argument("--only", type=lambda text: text.split(","), help="cases, by name")
    parser.add_argument("--pin", action="store_true", help="the mock server has a core of its own")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "peers.json")
    args = parser.parse_args()
    known = sorted({case.name for case in cases()})
    if unknown := set(args.only or ()) - set(known):
        sys.exit(f"--only: no case {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    ground = Ground(args.bench.resolve(), args.venvs.absolute(), args.pin)
    head = {"machine": facts(), "latency_s": LATENCY, "pinned": args.pin, "share": args.share}
    head |= {"bucket": BUCKET, "pushback": PUSHBACK}
    head["versions"] = {name: ground.version(peer) for name, peer in PEERS.items()}
    head["versions"]["ours"] = {name: version(name) for name in ("falsereject-gen", *OURS)}

    def keep(found):
        found = {**head, "load_after": load(), **found}
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # its servers end with it
    sitting(args, ground, keep)
    if args.out == parser.get_default("out"):
        write_table(args.out)


if __name__ == "__main__":
    main()
