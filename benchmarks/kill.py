"""kill -9 a run again and again: is its dataset that of an undisturbed run, and who pays twice?

Moments are random shares of the requests that the whole run needs. `repeated` is the scripted
server's own count of requests that came again after it had answered them in full.

    python benchmarks/kill.py                             # 300 rows, 20 kills → results/kill.json
    python benchmarks/kill.py --target 24 --kills 4 --out somewhere.json
    python benchmarks/kill.py --set extractor=spoken --set sampling.graph=walk --each 1
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from cheap import prepare_once, sitting, warm, write_some_seeds
from machine import facts

from falsereject_gen.models.scripted_server import ScriptedServer

HERE = Path(__file__).resolve().parent


def start(folder, sets):
    """A sitting in a process of its own, forked from this warm one; returns its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        sitting(folder, sets, say=lambda _: None)
        code = 0
    except BaseException as fault:
        print(f"a sitting failed: {fault!r}", file=sys.stderr)
    finally:
        os._exit(code)


def finish(child):
    """Wait for a sitting to end well."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise SystemExit(f"a sitting ended with {code}")


def kill_at(child, server, requests, pause):
    """Kill -9 once the server has seen so many requests; False when the run was over before."""
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if server.stats()["requests"] >= requests:
            time.sleep(pause)
            os.kill(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        time.sleep(0.01)
    return False


def rows(folder):
    """Rows in a dataset, by the store."""
    store = sqlite3.connect(folder / "run.sqlite")
    (found,) = store.execute("SELECT count(*) FROM candidates WHERE status='accepted'").fetchone()
    store.close()
    return found


def files(folder):
    """What must be equal, byte for byte."""
    found = [*(folder / "dataset").rglob("*"), folder / "rejected.jsonl"]
    return {str(f.relative_to(folder)): f.read_bytes() for f in found if f.is_file()}


def measure(target, kills, latency, concurrency, seed, each, set, work):
    seeds = work / "seeds.jsonl"
    write_some_seeds(seeds, each)
    rng = random.Random(seed)
    warm()
    with ScriptedServer(process=True, latency=latency) as server:
        sets = [
            f"target={target}",
            "cast=spoken",
            f"seeds=[{seeds}]",
            f"endpoints.default.base_url={server.url}",
            "endpoints.default.model=scripted",
            f"endpoints.default.concurrency={concurrency}",
            *set,
        ]
        prepare_once([*sets, "extractor=embedded"])
        begun = time.monotonic()
        finish(start(work / "calm", sets))
        calm_s = time.monotonic() - begun
        requests = server.stats()["requests"]
        server.reset()
        begun, hits, at = time.monotonic(), 0, []
        for moment in sorted(rng.uniform(0, requests) for _ in range(kills)):
            before = server.stats()["repeated"]
            child = start(work / "killed", sets)
            hit = kill_at(child, server, moment, rng.uniform(0, 0.5))
            hits += hit
            at.append({"requests": round(moment), "hit": hit, "repeated_before": before})
            if not hit:
                break
        finish(start(work / "killed", sets))
        stats = server.stats()
        return {
            "target": target,
            "kills": hits,
            "latency_s": latency,
            "concurrency": concurrency,
            "requests": requests,
            "requests_killed": stats["requests"],
            "abandoned": stats["abandoned"],
            "repeated": stats["repeated"],
            "equal": files(work / "calm") == files(work / "killed"),
            "rows": [rows(work / "calm"), rows(work / "killed")],
            "calm_s": round(calm_s, 1),
            "killed_s": round(time.monotonic() - begun, 1),
            "moments": at,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--target", type=int, default=300)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=4, help="seeds of a category")
    parser.add_argument("--set", action="append", default=[], help="more settings, key=value")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "kill.json")
    given = vars(parser.parse_args())
    out = given.pop("out")
    with tempfile.TemporaryDirectory() as work:
        found = {"machine": facts(), **measure(**given, work=Path(work))}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print({key: value for key, value in found.items() if key != "moments"})


if __name__ == "__main__":
    main()
