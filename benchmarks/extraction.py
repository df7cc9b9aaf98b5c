"""How well the extractors find entities, their kinds and their relations in 60 sentences of ours.

    python benchmarks/extraction.py [--spacy NAME_OR_PATH] [--spoken --set endpoints.default...]

The sentences and what belongs to them: tests/data/extraction.yaml. Half of them (`dev`) were
looked at while the embedded extractor was mended, half (`held`) were only measured. Writes
benchmarks/results/extraction.json; a result of an extractor that is not asked for now is kept.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from extraction_score import Sentence, overall
from machine import facts

from falsereject_gen.dedup.encoder import MiniLM
from falsereject_gen.entities.extract import EmbeddedExtractor
from falsereject_gen.entities.extraction import summary
from falsereject_gen.entities.lexicon import load_lexicon
from falsereject_gen.records import Seed, SeedGraph
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.extraction import extract_spoken
from falsereject_gen.settings import RunSettings, load_settings

HERE = Path(__file__).resolve().parent
GOLD = HERE.parent / "tests/data/extraction.yaml"
OUT = HERE / "results/extraction.json"
PARTS = ("dev", "held")


def read_gold(path: Path = GOLD) -> list[Sentence]:
    return [Sentence(**entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]


def seeds_of(gold: Sequence[Sentence]) -> list[Seed]:
    return [Seed.make(s.text, s.category, source="ours", licence="Apache-2.0") for s in gold]


def scores(gold: Sequence[Sentence], graphs: Sequence[SeedGraph]) -> dict[str, Any]:
    """Of all sentences, of those that were looked at, and of those that were not."""
    both = list(zip(gold, graphs, strict=True))
    parts = {part: [one for one in both if one[0].part == part] for part in PARTS}
    return {name: overall(pairs) for name, pairs in {"all": both, **parts}.items()}


def offline(model: str, gold: Sequence[Sentence], rooms: Rooms) -> dict[str, Any]:
    extractor = EmbeddedExtractor(load_lexicon(rooms), MiniLM(), model)
    seeds = seeds_of(gold)
    extractor.extract(seeds)  # loads what is loaded lazily
    begun = time.perf_counter()
    graphs = extractor.extract(seeds)
    taken = time.perf_counter() - begun
    return {**scores(gold, graphs), "seeds_a_second": round(len(seeds) / taken)}


def spoken(settings: RunSettings, gold: Sequence[Sentence], rooms: Rooms) -> dict[str, Any]:
    found = extract_spoken(settings, rooms, seeds_of(gold))
    told = summary(found.graphs, found.failed)
    return {**scores(gold, found.graphs), "extraction": told}


def table(results: dict[str, Any], part: str) -> str:
    """As it stands in docs/graph.md."""
    lines = ["| extractor | entities P / R / F1 | kinds right | relations P / R / F1 | pairs F1 |"]
    lines.append("|---|---|---|---|---|")
    for name, found in results.items():
        one = found[part]
        cells = [
            " / ".join(f"{one[what][key]:.2f}" for key in ("precision", "recall", "f1"))
            for what in ("entities", "relations")
        ]
        kinds, pairs = one["kinds"]["right"], one["pairs"]["f1"]
        lines.append(f"| {name} | {cells[0]} | {kinds:.2f} | {cells[1]} | {pairs:.2f} |")
    return "\n".join(lines)


def show(gold: Sequence[Sentence], model: str, part: str, rooms: Rooms) -> None:
    """What was missed and what was invented, sentence by sentence."""
    chosen = [one for one in gold if one.part == part]
    graphs = EmbeddedExtractor(load_lexicon(rooms), MiniLM(), model).extract(seeds_of(chosen))
    for sentence, graph in zip(chosen, graphs, strict=True):
        print(sentence.text, json.dumps(overall([(sentence, graph)], faults=True)["faults"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spacy", action="append", default=[], help="pipeline: name or path")
    parser.add_argument("--spoken", action="store_true", help="ask the endpoints of --set")
    parser.add_argument("--set", action="append", default=[], dest="sets", help="key=value")
    parser.add_argument("--show", choices=PARTS, help="print the faults of one half, write nothing")
    parser.add_argument("--name", default="embedded", help="what the embedded result is called")
    given = parser.parse_args()
    gold, rooms = read_gold(), Rooms()
    if given.show:
        show(gold, given.spacy[0] if given.spacy else "embedded", given.show, rooms)
        return
    old = json.loads(OUT.read_text(encoding="utf-8"))["extractors"] if OUT.exists() else {}
    found = {given.name: offline("embedded", gold, rooms)}
    for name in given.spacy:
        found[f"spacy:{Path(name).name}"] = offline(name, gold, rooms)
    if given.spoken:
        settings = load_settings(None, [*given.sets, "extractor=spoken"], rooms)
        found["spoken"] = spoken(settings, gold, rooms)
    results = {**old, **found}
    whole = {"machine": facts(), "sentences": len(gold), "extractors": results}
    OUT.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    for part in ("all", *PARTS):
        print(f"\n{part}\n{table(results, part)}")


if __name__ == "__main__":
    main()
