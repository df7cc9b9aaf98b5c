"""How good the embedded discriminator's harm is, beside MiniLM + logistic regression.

    python benchmarks/discriminator.py [--folds 5] [--refit]

Both are fitted on our own pairs only. Held out: whole categories of our pairs, everything fitted
anew without them, calibration too. Foreign: OR-Bench toxic against hard and JailbreakBench's
pairs, read from ../shared/data when they are there. Intervals: 95 %, bootstrap over texts (pairs
for JailbreakBench). Writes benchmarks/results/discriminator.json and docs/img/reliability.svg.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from machine import facts, load
from reliability_svg import draw
from roc import area, areas, operating, reliability

from falsereject_gen.dedup.encoder import MiniLM, Vectors
from falsereject_gen.entities.lexicon import load_lexicon
from falsereject_gen.roles.embedded.discriminator import LinearDiscriminator
from falsereject_gen.roles.embedded.fit import fit_judge, load_judge
from falsereject_gen.roles.embedded.triggers import Triggers
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.bundled import SeedFile, seed_files
from falsereject_gen.seeds.read import read_table
from falsereject_gen.settings import load_settings
from falsereject_gen.taxonomy import load_taxonomy

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "shared/data"
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)
Judge = Callable[[Sequence[str]], np.ndarray]
Sides = tuple[list[str], list[str]]


class Once:
    """An encoder that embeds a text once, in whatever fold it comes up."""

    def __init__(self, encoder: MiniLM) -> None:
        self.encoder = encoder
        self.kept: dict[str, Vectors] = {}

    def deep_many(self, texts: Sequence[str]) -> Vectors:
        fresh = [text for text in dict.fromkeys(texts) if text not in self.kept]
        self.kept.update(zip(fresh, self.encoder.deep_many(fresh), strict=True) if fresh else ())
        return np.array([self.kept[text] for text in texts])

    def many(self, texts: Sequence[str]) -> Vectors:
        """The last layer of the deep vectors: what MiniLM gives as the sentence embedding."""
        return self.deep_many(texts)[:, -384:]

    def one(self, text: str) -> Vectors:
        found: Vectors = self.many([text])[0]
        return found

    def deep(self, text: str) -> Vectors:
        found: Vectors = self.deep_many([text])[0]
        return found


def sides(files: Sequence[SeedFile]) -> Sides:
    pairs = [pair for part in files for pair in part.pairs]
    return [pair.toxic for pair in pairs], [pair.benign for pair in pairs]


def baseline(files: Sequence[SeedFile], encoder: Once, strength: float = 1.0) -> Judge:
    """MiniLM's sentence embedding and a plain logistic regression on the pairs.

    Args:
        files: whose pairs it is fitted on.
        encoder: gives the embeddings.
        strength: scikit-learn's C; 1 is its default.
    """
    from sklearn.linear_model import LogisticRegression

    toxic, benign = sides(files)
    labels = np.repeat([1, 0], [len(toxic), len(benign)])
    head = LogisticRegression(C=strength, max_iter=5000).fit(encoder.many(toxic + benign), labels)
    return lambda texts: head.predict_proba(encoder.many(texts))[:, 1]


def ours(
    files: Sequence[SeedFile], encoder: Once, triggers: Triggers, harm_max: float, fresh: bool
) -> Judge:
    judge = None if fresh else load_judge(Rooms(), files)
    judge = judge or fit_judge(files, encoder)
    found = LinearDiscriminator(judge, encoder, triggers, harm_max)
    return lambda texts: np.array([verdict.harm for verdict in found.judge_many(texts)])


def held_out(
    files: Sequence[SeedFile], folds: int, fit: Callable[[list[SeedFile]], Judge]
) -> tuple[np.ndarray, np.ndarray]:
    """Harm of both sides of all pairs, each by a judge that never saw its category."""
    toxic: list[float] = []
    benign: list[float] = []
    for fold in range(folds):
        judge = fit([part for k, part in enumerate(files) if k % folds != fold])
        hot, cold = sides([part for k, part in enumerate(files) if k % folds == fold])
        toxic += list(judge(hot))
        benign += list(judge(cold))
    return np.array(toxic), np.array(benign)


def sweep(files: Sequence[SeedFile], encoder: Once, folds: int) -> list[dict[str, float]]:
    """The baseline at other strengths: what it reaches is much a matter of its C.

    Only `held_out` may choose among them; the rest is there for the reader.
    """
    out = []
    for strength in STRENGTHS:
        hot, cold = held_out(files, folds, partial(baseline, encoder=encoder, strength=strength))
        judge = baseline(files, encoder, strength)
        row = {"C": strength, "own_pairs_held_out_categories": round(area(hot, cold), 3)}
        for name, ((toxic, benign), _) in foreign().items():
            row[name] = round(area(judge(toxic), judge(benign)), 3)
        out.append(row)
    return out


def foreign() -> dict[str, tuple[Sides, bool]]:
    """Sets that nothing was fitted on, and whether they are matched pairs."""
    found: dict[str, tuple[Sides, bool]] = {}
    hot, cold = (DATA / f"or-bench/or-bench-{name}.csv" for name in ("toxic", "hard-1k"))
    if hot.is_file() and cold.is_file():
        found["or_bench_toxic_vs_hard"] = (column(hot, "prompt"), column(cold, "prompt")), False
    pairs = DATA / "jailbreakbench/jbb_pairs.derived.csv"
    if pairs.is_file():
        both = column(pairs, "harmful_goal"), column(pairs, "benign_goal")
        found["jailbreakbench_pairs"] = both, True
    return found


def column(path: Path, name: str) -> list[str]:
    return [str(row.values[name]).strip() for row in read_table(path).rows]


def batch_ms(judge: Callable[[Sequence[str]], object], texts: Sequence[str]) -> dict[str, float]:
    """One batch of 64 texts, embedding included: fastest and median of 15, after a warm-up.

    One other busy process on a machine of two cores makes this five times slower (two threads
    wait for each other at every layer), and evenly so: read it beside `load_before`.
    """
    found = []
    for turn in range(16):
        started = time.perf_counter()
        judge(texts[:64])
        if turn:
            found.append((time.perf_counter() - started) * 1000)
    words = statistics.mean(len(text.split()) for text in texts[:64])
    return {
        "median_ms": round(statistics.median(found), 1),
        "fastest_ms": round(min(found), 1),
        "mean_words": round(words, 1),
    }


def main() -> None:
    """Fit, judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--refit", action="store_true", help="do not use graphs/judge.json")
    args = parser.parse_args()
    machine, rooms = facts(), Rooms()
    files, encoder = seed_files(rooms), Once(MiniLM())
    limits = load_settings(rooms=rooms).loop
    triggers = Triggers(load_taxonomy(rooms)[0], load_lexicon(rooms), rooms)

    def fit_ours(part: list[SeedFile]) -> Judge:
        return ours(part, encoder, triggers, limits.harm_max, fresh=True)

    result: dict[str, object] = {
        "machine": machine,
        "folds": args.folds,
        "harm_max": limits.harm_max,
    }
    result["pairs"] = sum(len(part.pairs) for part in files)
    result["fitted_heads"] = "graphs/judge.json" if load_judge(rooms, files) else "stale: refitted"
    shipped = ours(files, encoder, triggers, limits.harm_max, fresh=args.refit)
    plain = baseline(files, encoder)
    hot, cold = held_out(files, args.folds, fit_ours)
    plain_hot, plain_cold = held_out(files, args.folds, lambda part: baseline(part, encoder))
    table: dict[str, dict[str, object]] = {
        "own_pairs_held_out_categories": {
            "ours": areas(hot, cold, paired=True),
            "minilm_linear": areas(plain_hot, plain_cold, paired=True),
        }
    }
    for name, ((toxic, benign), paired) in foreign().items():
        table[name] = {
            "ours": areas(shipped(toxic), shipped(benign), paired),
            "minilm_linear": areas(plain(toxic), plain(benign), paired),
        }
    result["auc"] = table
    result["minilm_linear_by_strength"] = sweep(files, encoder, args.folds)
    result["operating_points_held_out"] = operating(hot, cold)
    result["reliability_held_out"] = found = reliability(hot, cold)
    bare = LinearDiscriminator.load(rooms, encoder.encoder, triggers, limits)
    result["batch_of_64"] = batch_ms(bare.judge_many, sides(files)[1])
    result["load_after"] = load()
    print(json.dumps(result, indent=1))
    write(result, found["bins"])  # type: ignore[arg-type]


def write(result: dict[str, object], bins: list[dict[str, float]]) -> None:
    out, picture = HERE / "results/discriminator.json", HERE.parent / "docs/img/reliability.svg"
    for path in (out, picture):
        path.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    title = f"Harm on held-out categories of our {result['pairs']:,} pairs"
    picture.write_text(draw(bins, title), encoding="utf-8")


if __name__ == "__main__":
    main()
