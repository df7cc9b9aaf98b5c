"""A run on a bad day: 10 % 429, 5 % 500, 2 % dropped connections, 2 % broken JSON.

Is any candidate lost, and is every fault that the server played explained in the store? The
server's count may be higher by the calls that were under way when the target was reached.

    python benchmarks/faults.py     # 800 rows, some 1,000 candidates; writes results/faults.json
"""

import argparse
import json
import sqlite3
import tempfile
import time
from collections import Counter
from pathlib import Path

from cheap import prepare_once, sitting, warm, write_some_seeds
from machine import facts

from falsereject_gen.models.scripted_server import ScriptedServer

HERE = Path(__file__).resolve().parent
FAULTS = "429=0.1,500=0.05,drop=0.02,bad_json=0.02"
SAYS = {
    "429": ("rate_limit",),
    "500": ("server",),
    "drop": ("connection", "truncated"),
    "bad_json": ("unusable",),
}


def ask(folder, query):
    store = sqlite3.connect(folder / "run.sqlite")
    found = store.execute(query).fetchall()
    store.close()
    return found


def look(folder, stats):
    """What the store says, beside what the server did."""
    ordinals = [n for (n,) in ask(folder, "SELECT ordinal FROM candidates ORDER BY ordinal")]
    told = Counter(dict(ask(folder, "SELECT error, count(*) FROM failures GROUP BY error")))
    silent = ask(folder, "SELECT count(*) FROM failures WHERE error = '' OR says = ''")[0][0]
    met = {fault: stats["faults"].get(fault, 0) for fault in SAYS}
    return {
        "candidates": len(ordinals),
        "lost": len(set(range(len(ordinals))) - set(ordinals)),
        "played_by_server": met,
        "explained_in_store": {f: sum(told[kind] for kind in SAYS[f]) for f in SAYS},
        "other_failures": {k: n for k, n in told.items() if k not in sum(SAYS.values(), ())},
        "unexplained": silent,
        "abandoned_at_the_end": stats["abandoned"],
        "requests": stats["requests"],
        "repeated": stats["repeated"],
    }


def measure(target, latency, concurrency, work):
    seeds = work / "seeds.jsonl"
    write_some_seeds(seeds, each=10)
    warm()
    with ScriptedServer(process=True, latency=latency) as server:
        sets = [
            f"target={target}",
            "cast=spoken",
            f"seeds=[{seeds}]",
            f"endpoints.default.base_url={server.url}",
            "endpoints.default.model=scripted",
            f"endpoints.default.concurrency={concurrency}",
        ]
        prepare_once(sets)
        out = {"target": target, "latency_s": latency, "concurrency": concurrency}
        for name, faults in (("calm", ""), ("faults", FAULTS)):
            server.reset(faults=faults)
            said = []
            begun = time.monotonic()
            sitting(work / name, sets, say=said.append)
            summary = json.loads(said[-1].removeprefix("end "))
            found = look(work / name, server.stats())
            ideal = found["requests"] * latency / concurrency
            times = {
                "generation_s": summary["generation_s"],
                "wall_s": round(time.monotonic() - begun, 1),
                "ideal_s": round(ideal, 1),
            }
            out[name] = {"accepted": summary["accepted"], **times, **found}
        return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--target", type=int, default=800)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "faults.json")
    given = vars(parser.parse_args())
    out = given.pop("out")
    machine = facts()
    with tempfile.TemporaryDirectory() as work:
        found = {"machine": machine, **measure(**given, work=Path(work))}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({name: found[name] for name in ("calm", "faults")}, indent=1))


if __name__ == "__main__":
    main()
