"""Calls a second and CPU a call of our client, beside the bare openai library on httpx.

    python benchmarks/endpoint_throughput.py --port P [--calls 64=3000,256=6000] [--repeats 3]

Wants an OpenAI-compatible server of fixed latency on loopback (`falsereject-gen scripted-server
--port P --latency 0.2`, or any other), best on a core of its own. Ours runs with everything on:
call cache on disk, budget, adaptive turnstile; `ours_apart` through the process of its own that
makes the calls of a run. Each run is a fresh process. Efficiency = (calls x latency / concurrency)
/ wall. CPU and memory are those of the asking process alone: `peers.py` counts all of them. Prints
the medians, a line each and as JSON.
"""

import argparse
import asyncio
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILLER = "lorem ipsum " * 20
MODES = ("ours", "ours_apart", "openai_httpx")


async def drive(calls: int, concurrency: int, one) -> dict:
    """Run `calls` calls with `concurrency` workers; returns wall and CPU seconds."""
    numbers = iter(range(calls))

    async def worker() -> None:
        for number in numbers:
            assert await one(f"prompt number {number} {FILLER}")

    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    await asyncio.gather(*[worker() for _ in range(concurrency)])
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "rss_mb": after.ru_maxrss / 1024}


async def ours(
    url: str, calls: int, concurrency: int, *, apart: bool = False, rpm: float | None = None
) -> dict:
    from falsereject_gen.models.config import EndpointSettings
    from falsereject_gen.models.desk import open_models
    from falsereject_gen.models.protocol import Message

    with tempfile.TemporaryDirectory() as folder:
        given = EndpointSettings(
            base_url=url, model="mock", concurrency=concurrency, requests_per_minute=rpm
        )
        store = Path(folder) / "run.sqlite"
        limits = {"calls": 2 * calls, "tokens": 10**12, "money": 1e9}
        models = open_models({"default": given}, store=store, apart=apart, **limits)
        async with models:
            endpoint = models.get()

            async def one(prompt: str) -> str:
                request = endpoint.request([Message(role="user", content=prompt)], role="bench")
                return (await endpoint.chat(request)).text

            return await drive(calls, concurrency, one)


async def openai_httpx(url: str, calls: int, concurrency: int) -> dict:
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:

        async def one(prompt: str) -> str:
            messages = [{"role": "user", "content": prompt}]
            answer = await client.chat.completions.create(model="mock", messages=messages)
            return answer.choices[0].message.content

        return await drive(calls, concurrency, one)


def child(mode: str, url: str, calls: int, concurrency: int, pin: list[str]) -> dict:
    command = [*pin, sys.executable, __file__, "--child", mode, "--url", url]
    command += ["--calls", f"{concurrency}={calls}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--url")
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--calls", default="64=3000,256=6000", help="concurrency=calls, …")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pin", help="core that the client is pinned to")
    parser.add_argument("--rpm", type=float, help="requests_per_minute of a child that is ours")
    parser.add_argument("--child", choices=MODES)
    args = parser.parse_args()
    url = args.url or f"http://127.0.0.1:{args.port}/v1"
    plan = [tuple(map(int, pair.split("="))) for pair in args.calls.split(",")]
    if args.child:
        ((concurrency, calls),) = plan
        more = {} if args.child == "openai_httpx" else {"rpm": args.rpm}
        if args.child == "ours_apart":
            more["apart"] = True
        run = openai_httpx if args.child == "openai_httpx" else ours
        print(json.dumps(asyncio.run(run(url, calls, concurrency, **more))))
        return
    pin = ["taskset", "-c", args.pin] if args.pin else []
    results = [measure(mode, url, *pair, args, pin) for pair in plan for mode in MODES]
    print(json.dumps({"machine": platform.processor() or platform.machine(), "results": results}))


def measure(mode: str, url: str, concurrency: int, calls: int, args, pin: list[str]) -> dict:
    runs = [child(mode, url, calls, concurrency, pin) for _ in range(args.repeats)]
    rate = sorted(calls / run["wall"] for run in runs)
    middle = statistics.median(rate)
    result = {
        "client": mode,
        "concurrency": concurrency,
        "calls_s": round(middle, 1),
        "range": [round(rate[0], 1), round(rate[-1], 1)],
        "efficiency": round(middle * args.latency / concurrency, 3),
        "cpu_ms_a_call": round(statistics.median(r["cpu"] for r in runs) * 1000 / calls, 2),
        "rss_mb": round(max(run["rss_mb"] for run in runs)),
    }
    print(" ".join(f"{key}={value}" for key, value in result.items()), flush=True)
    return result


if __name__ == "__main__":
    main()
