"""A fresh run of the embedded cast: rows a second, its frames, and its metrics beside OR-Bench.

    python benchmarks/rows.py [--target 1000] [--n 500] [--repeats 5] [--seed 0]

The run goes to a temporary folder. OR-Bench is read from ../shared/data when it is there. Writes
benchmarks/results/rows.json and prints the table.
"""

import argparse
import json
import random
import tempfile
from collections import Counter
from pathlib import Path

from machine import facts

from falsereject_gen.dedup.encoder import MiniLM
from falsereject_gen.entities.lexicon import load_lexicon
from falsereject_gen.evaluate.metrics import measure
from falsereject_gen.evaluate.show import as_object, show
from falsereject_gen.evaluate.surface import KnownEntities, give_away
from falsereject_gen.evaluate.texts import read_texts
from falsereject_gen.job import run
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.store import Store
from falsereject_gen.settings import load_settings

HERE = Path(__file__).resolve().parent
OR_BENCH = HERE.parent.parent / "shared/data/or-bench"


def generate(target: int, seed: int, folder: Path) -> dict[str, object]:
    """A run, its speed and how often its most used frame was used."""
    result = run(load_settings(target=target, seed=seed), folder)
    store = Store(folder / "run.sqlite")
    accepted = [c for c, _ in store.candidates() if c.status == "accepted"]
    store.close()
    frames = Counter(c.last.draft.notes["frame"] for c in accepted)
    strategies = Counter(c.brief.strategy for c in accepted)
    return {
        **{k: v for k, v in result.summary().items() if k not in ("out", "run_id")},
        "rows_per_second": round(len(result.rows) / result.generation_s, 1),
        "rows_per_second_with_start_and_files": round(len(result.rows) / result.wall_s, 1),
        "frames": len(frames),
        "top_frame_share": round(frames.most_common(1)[0][1] / len(accepted), 4),
        "strategies": dict(strategies.most_common()),
    }


def main() -> None:
    """Run, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("target", 1000), ("n", 500), ("repeats", 5), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    machine, rooms = facts(), Rooms()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "embedded"
        made = generate(args.target, args.seed, folder)
        sets = [read_texts(folder), *map(read_texts, sorted(OR_BENCH.glob("*.csv")))]
    encoder, known, pattern = MiniLM(cache=1), KnownEntities(load_lexicon(rooms)), give_away(rooms)
    measured = []
    for texts in sets:
        found = measure(
            texts.texts,
            texts.categories,
            n=args.n,
            repeats=args.repeats,
            rng=random.Random(args.seed),
            encoder=encoder,
            known=known,
            give_away=pattern,
        )
        measured.append((texts, found))
    show(measured)
    print(json.dumps(made, indent=1))
    out = HERE / "results/rows.json"
    out.parent.mkdir(exist_ok=True)
    result = {"machine": machine, "run": made, "metrics": as_object(measured, args.seed)}
    out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
