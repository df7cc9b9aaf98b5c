"""The whole loop, all roles, against the scripted server: efficiency, CPU a call, pushback.

    python benchmarks/loop_efficiency.py           # C=64 and 256 → results/loop_efficiency.json

Efficiency = (calls x latency / concurrency) / seconds of generation. CPU a call counts all in
those seconds: the run's process with its sentence encoder, and the process that makes the calls,
from its start. `files_cpu_s` is what the dataset, its pictures and the report cost after that.
Beside it, half right before the loop and half right after: the bare openai library on httpx asking
the same server as often (`openai_httpx`).
`pushback` is the same run with 10 % random 429 and 5 % 500.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import facts

from falsereject_gen import job, settings
from falsereject_gen.models.scripted_server import ScriptedServer

HERE = Path(__file__).resolve().parent
LATENCY = 0.2
PUSHBACK = "429=0.1,500=0.05"
CALLS_A_ROW = 18


def cpu():
    """Seconds of this process and of its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class Clock(job.Watcher):
    """Notes what was used when generation begins, and when it has ended."""

    def begin(self, done, target):
        self.cpu = self.generated = cpu()

    def say(self, what):
        self.generated = cpu()  # the last thing said is that files are written


def loop(url, concurrency, target):
    """One run; returns generation seconds, CPU seconds, calls, rows."""
    sets = [
        f"target={target}",
        "cast=spoken",
        f"endpoints.default.base_url={url}",
        "endpoints.default.model=scripted",
        f"endpoints.default.concurrency={concurrency}",
    ]
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        result = job.run(settings.load_settings(None, sets), Path(folder) / "run", watcher=clock)
    return {
        "wall_s": result.generation_s,
        "cpu_s": clock.generated - clock.cpu,
        "files_cpu_s": cpu() - clock.generated,
        "rows": len(result.rows),
    }


def bare(url, concurrency, calls):
    """The openai library on httpx, one loop of workers."""

    async def go():
        import openai

        numbers = iter(range(calls))
        async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:

            async def worker():
                for number in numbers:
                    text = f"prompt {number} " + "lorem ipsum " * 200
                    messages = [{"role": "user", "content": text}]
                    await client.chat.completions.create(model="m", messages=messages)

            await asyncio.gather(*[worker() for _ in range(concurrency)])

    before, begun = cpu(), time.monotonic()
    asyncio.run(go())
    return {"wall_s": time.monotonic() - begun, "cpu_s": cpu() - before}


def child(mode, url, concurrency, amount):
    """A measurement in a process of its own."""
    command = [sys.executable, __file__, "--child", mode, url, str(concurrency), str(amount)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def line(found, calls, concurrency):
    ideal = calls * LATENCY / concurrency
    return {
        "calls": calls,
        "wall_s": round(found["wall_s"], 2),
        "ideal_s": round(ideal, 2),
        "efficiency": round(ideal / found["wall_s"], 3),
        "times_ideal": round(found["wall_s"] / ideal, 2),
        "cpu_ms_a_call": round(1000 * found["cpu_s"] / calls, 2),
    }


def measure(server, concurrency, target):
    out, half = {}, CALLS_A_ROW * target // 2

    def ask_bare():
        server.reset(latency=LATENCY, faults="")
        return child("bare", server.url, concurrency, half)

    before = ask_bare()
    for name, faults in (("loop", ""), ("pushback", PUSHBACK)):
        server.reset(latency=LATENCY, faults=faults)
        found = child("loop", server.url, concurrency, target)
        stats = server.stats()
        out[name] = {**line(found, stats["ok"], concurrency), "rows": found["rows"]}
        out[name]["files_cpu_s"] = round(found["files_cpu_s"], 1)
        out[name]["faults"] = stats["faults"]
        if name == "loop":
            after = ask_bare()
    both = {key: before[key] + after[key] for key in before}
    out["openai_httpx"] = line(both, 2 * half, concurrency)
    print(concurrency, json.dumps(out), flush=True)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--target", type=int, default=1200)
    parser.add_argument("--concurrency", default="64,256")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "loop_efficiency.json")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        mode, url, concurrency, amount = args.child
        print(json.dumps({"loop": loop, "bare": bare}[mode](url, int(concurrency), int(amount))))
        return
    found = {"machine": facts(), "latency_s": LATENCY, "target": args.target}
    with ScriptedServer(process=True, latency=LATENCY) as server:
        for concurrency in map(int, args.concurrency.split(",")):
            found[f"C={concurrency}"] = measure(server, concurrency, args.target)
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
