"""A long run against the scripted server at no latency: memory over time, and how soon it resumes.

    python benchmarks/long_run.py                             # 100,000 → results/long_run.json
    python benchmarks/long_run.py --candidates 5000 --out somewhere.json

The run is the real command in a process of its own, with MiniLM: one round, one target, no judge
and no spoken extractor, so three to four calls a candidate. Near-duplicates count as rows (the
scripted generator has few words), so that what grows with the rows grows as much as it can.
Memory is resident memory as the system tells it (`/proc`), once a second, of the run's process and
of the one that makes the calls; shared pages count in both. The resumption is the same command once
more, with `--resume`.
"""

import argparse
import contextlib
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import facts

from falsereject_gen.models.scripted_server import ScriptedServer

HERE = Path(__file__).resolve().parent
CLI = [sys.executable, "-m", "falsereject_gen.cli.main"]
YIELD = 0.7
"""Share of candidates that the scripted judges accept; a run ends by its rows."""
SETTINGS = {
    "cast": "spoken",
    "endpoints.default.model": "scripted",
    "endpoints.default.concurrency": 64,
    "roles.extractor": [],
    "roles.judge": [],
    "spoken_pool": ["plain"],
    "loop.rounds": 1,
    "loop.toxic_min": 0.5,
    "loop.min_refusals": 0,
    "loop.min_compliances": 0,
    "loop.patience": 1_000_000,
    "dedup.rows_max": 1.0,
    "dedup.seeds_max": 1.0,
    "sampling.entities_max": 6,
}


def sets(url, target):
    """The flags of the run."""
    given = {**SETTINGS, "endpoints.default.base_url": url, "target": target}
    return [part for key, value in given.items() for part in ("--set", f"{key}={value}")]


def status(process):
    """Resident memory now and at its highest, in MiB; None when it has ended."""
    found = {}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM"):
                found[name] = int(value.split()[0]) / 1024
    return (found["VmRSS"], found["VmHWM"]) if len(found) == 2 else None


def children(process):
    """Processes that a process started."""
    with contextlib.suppress(OSError):
        listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8")
        return [int(one) for one in listed.split()]
    return []


def cpu():
    """Seconds of the processes that this one started and that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def committed(folder):
    """Candidates in the store so far."""
    with contextlib.suppress(sqlite3.Error):
        store = sqlite3.connect(f"file:{folder / 'run.sqlite'}?mode=ro", uri=True)
        try:
            (count,) = store.execute("SELECT max(ordinal) + 1 FROM candidates").fetchone()
            return count or 0
        finally:
            store.close()
    return 0


def sample(process, high, seconds, folder):
    """Memory of a run's processes and how far it is; raises what is highest so far."""
    found = {"run": status(process)}
    for child in children(process):
        found["calls"] = status(child) or found.get("calls")
    found = {name: one for name, one in found.items() if one}
    for name, (_, top) in found.items():
        high[name] = max(high.get(name, 0), top)
    here = {f"{name}_mib": round(now) for name, (now, _) in found.items()}
    return {"s": seconds, "candidates": committed(folder), **here}


def watched(command, folder):
    """Run a command; returns its seconds, its samples, and the highest memory by process."""
    begun, samples, high = time.monotonic(), [], {}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:  # a pipe would fill up
        process = subprocess.Popen(command, stdout=said, stderr=said)
        while process.poll() is None:
            samples.append(sample(process.pid, high, round(time.monotonic() - begun, 1), folder))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
        said.seek(0)
        text = said.read()
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}: {text[-2000:]}")
    return time.monotonic() - begun, samples, {name: round(top) for name, top in high.items()}


def thinned(samples, count=60):
    """So many samples, evenly spread, with the last one."""
    step = max(1, len(samples) // count)
    return [*samples[::step], samples[-1]] if samples else []


def halves(samples):
    """Memory of both processes at the middle of the candidates and when the last one came."""
    total = samples[-1]["candidates"]

    def at(share):
        here = next(one for one in samples if one["candidates"] >= share * total)
        return {"candidates": here["candidates"], "mib": _sum(here)}

    middle, end = at(0.5), at(1)
    grown = end["mib"] - middle["mib"]
    each = max(1, end["candidates"] - middle["candidates"])
    return {
        "middle": middle,
        "end_of_generation": end,
        "grown_mib": grown,
        "grown_share": round(grown / middle["mib"], 3),
        "bytes_a_candidate": round(grown * 2**20 / each),
    }


def _sum(sample):
    return sum(value for name, value in sample.items() if name.endswith("_mib"))


def measure(candidates, folder):
    with ScriptedServer(process=True, latency=0) as server:
        run = [*CLI, "run", *sets(server.url, max(1, round(candidates * YIELD)))]
        seconds, samples, high = watched([*run, "--out", str(folder)], folder)
        calls = server.stats()["ok"]
        before = cpu()
        resumed_s, _, resumed = watched([*CLI, "run", "--resume", str(folder)], folder)
        resumed_cpu_s, asked = cpu() - before, server.stats()["ok"] - calls
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    made = samples[-1]["candidates"]
    done = next(one["s"] for one in samples if one["candidates"] == made)
    size = {
        str(f.relative_to(folder)): round(f.stat().st_size / 2**20, 1)
        for f in sorted(folder.rglob("*"))
        if f.is_file() and f.stat().st_size > 2**20
    }
    return {
        "candidates": made,
        "rows": manifest["counts"]["accepted"],
        "rejected_by_stage": manifest["counts"]["rejected_by_stage"],
        "calls": calls,
        "calls_a_candidate": round(calls / made, 2),
        "wall_s": round(seconds, 1),
        "generation_s": manifest["generation_s"],
        "candidates_a_second": round(made / manifest["generation_s"], 1),
        "files_s": round(seconds - done, 1),
        "peak_mib": high,
        "peak_sum_mib": max(map(_sum, samples)),
        "last_half": halves(samples),
        "resume_s": round(resumed_s, 2),
        "resume_cpu_s": round(resumed_cpu_s, 2),
        "resume_peak_mib": resumed,
        "resume_calls": asked,
        "files_mib": size,
        "samples": thinned(samples),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="keep the run in this folder, which is new")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "long_run.json")
    args = parser.parse_args()
    machine = facts()
    with tempfile.TemporaryDirectory() as work:
        found = measure(args.candidates, args.folder or Path(work) / "run")
    found = {"machine": machine, "settings": SETTINGS, **found}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({k: v for k, v in found.items() if k not in ("samples", "machine")}, indent=1))


if __name__ == "__main__":
    main()
