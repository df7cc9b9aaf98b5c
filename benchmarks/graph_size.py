"""20,000 seeds: seconds and peak memory of building, measuring and writing the entity graph.

    python benchmarks/graph_size.py [--seeds 20000] [--out FILE]

The seeds' small graphs are made up here: names are drawn by Zipf's law from words that are made up
too, a part of them as variants of another name (plural, hyphen, another spelling), so that lemma
merge and embedding merge have as much to do as real names give them. Extraction is not in it: what
is timed begins with extracted entities. Each step is timed in one process; the peak is that of the
process so far, with the sentence encoder loaded (which is most of it). Writes
benchmarks/results/graph_size.json.
"""

import argparse
import bisect
import json
import random
import resource
import sys
import tempfile
import time
from itertools import accumulate, pairwise
from pathlib import Path
from typing import get_args

from machine import facts, load

from falsereject_gen.dedup.encoder import MiniLM
from falsereject_gen.entities.graph import merge, write_graph
from falsereject_gen.entities.load import load_graph
from falsereject_gen.entities.measures import annotate, describe
from falsereject_gen.entities.sample import Planner
from falsereject_gen.entities.variants import find_variants
from falsereject_gen.records import Entity, Kind, Relation, Seed, SeedGraph, Strategy
from falsereject_gen.rooms import Rooms
from falsereject_gen.settings import load_settings

HERE = Path(__file__).resolve().parent
BUDGET_S, BUDGET_MIB = 60, 1024
CATEGORIES, SYLLABLES = 44, 120
ENTITIES_A_SEED = (2, 6)
BRIEFS = 200
LABELS = ("with", "of", "in", "object", "and", "from", "at")


class Words:
    """Made-up names, drawn with the frequencies of real ones (Zipf).

    Few syllables make many names alike in spelling: there are more of them than among real names
    (114 pairs of 872; 192 pairs of 1,693 in 1,000 public prompts).
    """

    def __init__(self, dice, size):
        consonants, vowels = "bcdfghklmnprstvw", "aeiou"
        parts = [c + v + e for c in consonants for v in vowels for e in ("", "n", "r", "l")]
        self.parts, self.dice = dice.sample(parts, SYLLABLES), dice
        self.names = list(dict.fromkeys(self._name() for _ in range(size)))
        self.sums = list(accumulate(1 / (rank + 3) for rank in range(len(self.names))))

    def _word(self):
        return "".join(self.dice.choices(self.parts, k=self.dice.randint(2, 4)))

    def _name(self):
        return " ".join(self._word() for _ in range(1 if self.dice.random() < 0.6 else 2))

    def draw(self):
        place = bisect.bisect(self.sums, self.dice.random() * self.sums[-1])
        name = self.names[min(place, len(self.names) - 1)]
        luck = self.dice.random()
        if luck < 0.03:
            return name + "s"
        if luck < 0.05:
            return name.replace(" ", "-") if " " in name else name[:-1] + "e"
        return name


def made(count, dice):
    """Seeds and their graphs: chains of two to six entities, as our extractor makes them."""
    words, kinds = Words(dice, count), get_args(Kind)
    kind_of, seeds, graphs = {}, [], []
    for number in range(count):
        category = f"category-{dice.randrange(CATEGORIES)}"
        seed = Seed.make(f"made-up seed {number}", category, source="made up", licence="none")
        names = list(dict.fromkeys(words.draw() for _ in range(dice.randint(*ENTITIES_A_SEED))))
        entities = tuple(
            Entity(id=n, surface=n, kind=kind_of.setdefault(n, dice.choice(kinds))) for n in names
        )
        relations = tuple(
            Relation(source=a, label=dice.choice(LABELS), target=b, seed_id=seed.id)
            for a, b in pairwise(names)
        )
        seeds.append(seed)
        graphs.append(
            SeedGraph(seed_id=seed.id, category=category, entities=entities, relations=relations)
        )
    return seeds, graphs


def peak_mib():
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / (2**20 if sys.platform == "darwin" else 2**10))


class Clock:
    """Wall and processor seconds of named steps, and the peak so far."""

    def __init__(self):
        self.steps = {}

    def __call__(self, name, step):
        wall, cpu = time.perf_counter(), time.process_time()
        found = step()
        self.steps[name] = {
            "seconds": round(time.perf_counter() - wall, 2),
            "cpu_s": round(time.process_time() - cpu, 2),
            "peak_mib": peak_mib(),
        }
        print(f"{name:<34} {self.steps[name]}", flush=True)
        return found


def briefs(way, seeds, graphs, graph, settings):
    """Draw some briefs with one way; the planner is made anew, which is counted."""
    limits = settings.sampling.model_copy(update={"graph": way})
    ahead = BRIEFS + 1
    planner = Planner(seeds, graphs, get_args(Strategy), limits, 40, ahead, 0, graph=graph)
    return [planner.brief(k) for k in range(BRIEFS)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "graph_size.json")
    args = parser.parse_args()
    machine, settings, clock = facts(), load_settings(rooms=Rooms()), Clock()
    seeds, graphs = made(args.seeds, random.Random(0))
    encoder = MiniLM()
    encoder.many(["warm up"])
    before = peak_mib()
    least = settings.graph.merge_min
    variants = clock("find variants", lambda: find_variants(graphs, encoder.many, least))
    graph = clock("merge", lambda: merge(graphs, variants))
    clock("communities and centralities", lambda: annotate(graph, pivots=settings.graph.pivots))
    with tempfile.TemporaryDirectory() as place:
        clock("write GraphML and JSON", lambda: write_graph(graph, Path(place)))
        clock("read JSON", lambda: load_graph(Path(place)))
        clock("read GraphML", lambda: load_graph(Path(place) / "entities.graphml"))
    found = clock("describe", lambda: describe(graph))
    for way in ("seed", "walk", "bridge", "coverage", "none"):
        clock(f"{BRIEFS} briefs, {way}", lambda: briefs(way, seeds, graphs, graph, settings))  # noqa: B023
    built = ("find variants", "merge", "communities and centralities")
    seconds = round(sum(clock.steps[name]["seconds"] for name in built), 2)
    peak = clock.steps[built[-1]]["peak_mib"]
    result = {
        "machine": machine | {"load_after": load()},
        "seeds": args.seeds,
        "names": len({entity.id for small in graphs for entity in small.entities}),
        "graph": {k: found[k] for k in ("entities", "relations", "variants", "community_count")},
        "pivots": settings.graph.pivots,
        "merge_min": least,
        "built_s": seconds,
        "built_cpu_s": round(sum(clock.steps[name]["cpu_s"] for name in built), 2),
        "peak_before_mib": before,
        "budget": {"seconds": BUDGET_S, "mib": BUDGET_MIB},
        "built_peak_mib": peak,
        "within_budget": seconds < BUDGET_S and peak < BUDGET_MIB,
        "steps": clock.steps,
    }
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"built in {seconds} s, peak {peak} MiB", flush=True)


if __name__ == "__main__":
    main()
