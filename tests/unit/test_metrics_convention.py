"""The papers' convention, held against OR-Bench: at n = 500, 80K .31/.61 and Hard .39/.55."""

import random
from pathlib import Path

import pytest

from falsereject_gen.evaluate.diversity import dist_2, self_bleu_4, tokens
from falsereject_gen.evaluate.texts import read_texts

SETS = Path(__file__).parents[2].parent / "shared/data/or-bench"


@pytest.mark.parametrize(
    ("file", "bleu", "dist"),
    [("or-bench-80k.subset1000.csv", 0.31, 0.61), ("or-bench-hard-1k.csv", 0.39, 0.55)],
)
def test_the_convention_gives_the_published_figures(file, bleu, dist):
    if not (SETS / file).is_file():
        pytest.skip(f"../shared/data/or-bench/{file} is not there")
    texts = [tokens(text) for text in read_texts(SETS / file).texts]
    drawn = [random.Random(seed).sample(texts, 500) for seed in range(5)]
    bleus = [self_bleu_4(sample) for sample in drawn]
    assert sum(bleus) / 5 == pytest.approx(bleu, abs=0.02)
    assert sum(map(dist_2, drawn)) / 5 == pytest.approx(dist, abs=0.02)
