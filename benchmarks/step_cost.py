"""What a call and a step of the loop cost beside their work: ours, and the library's own way.

    python benchmarks/step_cost.py      # writes results/step_cost.json

`call`: CPU of the client a call, against the scripted server without latency: our `Client`, and the
openai library's `post` with a raw answer on the same transport. `step`: CPU a step of a loop whose
players answer at once: our walk over the table, and LangGraph's over the same table. Each in turn,
medians of five.
"""

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path
from types import SimpleNamespace

from machine import facts

from falsereject_gen.loop.graph import compile_loop
from falsereject_gen.loop.play import build_loop
from falsereject_gen.loop.state import start
from falsereject_gen.models.client import Client
from falsereject_gen.models.config import EndpointSettings, resolve
from falsereject_gen.models.scripted_server import ScriptedServer
from falsereject_gen.records import Brief, Draft, Probe, Ruling, Verdict
from falsereject_gen.settings import load_settings

HERE = Path(__file__).resolve().parent
CALLS, CONCURRENCY, BRIEFS, REPEATS = 600, 32, 200, 5
BODY = {"model": "m", "messages": [{"role": "user", "content": "lorem ipsum " * 200}]}


async def timed(work):
    """CPU milliseconds of this process."""
    begun = time.process_time()
    await work
    return 1000 * (time.process_time() - begun)


async def many(one):
    numbers = iter(range(CALLS))

    async def worker():
        for _ in numbers:
            await one()

    await asyncio.gather(*[worker() for _ in range(CONCURRENCY)])


def ours(url):
    target = resolve("m", EndpointSettings(base_url=url, model="m", concurrency=CONCURRENCY), {})
    client = Client(target, None)
    return lambda: client.post(BODY), client.close


def library(url):
    import openai
    from httpx2 import Response

    client = openai.AsyncOpenAI(
        base_url=url,
        api_key="none",
        max_retries=0,
        http_client=openai.DefaultAioHttpClient(),
    )
    return lambda: client.post("/chat/completions", cast_to=Response, body=BODY), client.close


async def call(url, way):
    one, close = way(url)
    await many(one)  # connections
    spent = await timed(many(one))
    await close()
    return spent / CALLS


class Player:
    """Every role at once; its second draft is the one that passes."""

    name = "spoken"

    async def write(self, brief, rounds):
        return Draft(text=f"Draft {len(rounds)}?", by="m")

    async def judge(self, text):
        return Verdict(harm=0.1 if "1" in text else 0.9, looks_toxic=0.9, label="benign")

    async def reply(self, text):
        outcome = "direct_refusal" if self.name == "spoken" else "full_compliance"
        return Probe(target="t", outcome=outcome, decided_by="rules", text="")

    async def rule(self, brief, rounds, turn):
        return Ruling(decision="accept", stage="orchestrate")

    async def nearest(self, ordinal, text, language):
        return None, False


def brief(number):
    fixed = {"category": "c", "strategy": "homonym", "entities": (), "seed_ids": (), "rng": 0}
    return Brief(id=f"b{number}", ordinal=number, **fixed)


async def step(way):
    limits, player, other = load_settings().loop, Player(), Player()
    other.name = "answers"
    cast = SimpleNamespace(
        name="spoken",
        generator=player,
        discriminator=player,
        pool=[player, other],
        orchestrator=player,
    )
    if way == "ours":
        loop = build_loop(cast, player, limits)
    else:

        async def opening(state):
            return dict(start(state["brief"]))

        graph = compile_loop(cast, player, limits, opening)

        async def loop(one):
            return await graph.ainvoke({"brief": one})

    async def go():
        for number in range(BRIEFS):
            await loop(brief(number))

    await loop(brief(0))
    return await timed(go()) / (BRIEFS * 9)  # a draft that falls and closes, then all six steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "results" / "step_cost.json")
    args = parser.parse_args()
    found = {"call": {"ours": [], "openai": []}, "step": {"ours": [], "langgraph": []}}
    with ScriptedServer(process=True) as server:
        for _ in range(REPEATS):
            for name, way in (("ours", ours), ("openai", library)):
                found["call"][name].append(asyncio.run(call(server.url, way)))
            for name in ("ours", "langgraph"):
                found["step"][name].append(asyncio.run(step(name)))
    out = {"machine": facts(), "unit": "CPU ms"}
    for what, ways in found.items():
        out[what] = {name: round(statistics.median(values), 3) for name, values in ways.items()}
    args.out.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({"call": out["call"], "step": out["step"]}))


if __name__ == "__main__":
    main()
