"""All measures of one set of prompts, at a stated n with repeats.

What depends on the number of texts is taken on seeded sub-samples of n, the rest on all rows. A
value that cannot be had says why. How it is shown is show.py.
"""

import random
import re
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from pydantic import Field

from falsereject_gen.dedup.encoder import Encoder
from falsereject_gen.errors import UsageError
from falsereject_gen.evaluate import diversity, surface
from falsereject_gen.evaluate.surface import KnownEntities
from falsereject_gen.records import Record

__all__ = ["Metrics", "Value", "measure"]

OPENING = 2
"""Words of a text that make its opening."""


class Value(Record):
    """A measured number; mean and range over the repeats, or the reason why there is none."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    undefined: str = Field(default="", description="Why there is no value; empty when there is.")


class Metrics(Record):
    """The measures of one set. `at n`: depends on the number of texts, taken on samples of n."""

    rows: int = Field(description="Prompts in the set.")
    n: int = Field(description="Prompts in a sample.")
    repeats: int = Field(description="Samples drawn; 1 when the set has exactly n, 0 if fewer.")
    self_bleu_4: Value = Field(description="At n. Mean BLEU-4 of each against all others.")
    dist_2: Value = Field(description="At n. Distinct bigrams / all bigrams.")
    vendi: Value = Field(description="At n. Effective number of different texts, 1..n.")
    mean_cosine: Value = Field(description="At n. Mean cosine of all pairs of texts.")
    top_first_word: Value = Field(description="At n. Share of the most common first word.")
    top_first_two: Value = Field(description="At n. Share of the most common first two words.")
    openings: Value = Field(description="At n. Effective number of first two words, 1..n.")
    entity_coverage: Value = Field(description="At n. Share of our entities that stand in it.")
    words_mean: Value = Field(description="Words a prompt.")
    words_median: Value = Field(description="Words a prompt.")
    words_p5: Value = Field(description="Words a prompt, 5th percentile.")
    words_p95: Value = Field(description="Words a prompt, 95th percentile.")
    categories: Value = Field(description="Categories that have a row.")
    category_balance: Value = Field(description="Entropy of categories / its maximum, 0..1.")
    category_min: Value = Field(description="Rows of the smallest category.")
    category_max: Value = Field(description="Rows of the largest category.")
    give_away: Value = Field(description="Share of prompts with a give-away disclaimer.")


def measure(
    texts: Sequence[str],
    categories: Sequence[str] | None,
    *,
    n: int,
    repeats: int,
    rng: random.Random,
    encoder: Encoder,
    known: KnownEntities,
    give_away: re.Pattern[str],
) -> Metrics:
    """Measure a set of prompts.

    Args:
        texts: at least one prompt.
        categories: a label for each, or None when the set has none.
        n: size of a sample, at least 2. Samples of one set overlap when it is not much larger than
            n: the range is that of the samples, no confidence interval.
        repeats: samples, at least 1.
        rng: draws the samples.
        encoder: gives sentence vectors; only drawn texts are embedded.
        known: entities whose coverage is measured.
        give_away: pattern of disclaimers.

    Raises:
        UsageError: n or repeats is too small.
        ValueError: no texts, or another number of labels.
    """
    if n < 2 or repeats < 1:
        raise UsageError(f"n is at least 2 and repeats at least 1, not {n} and {repeats}")
    if not texts or (categories is not None and len(categories) != len(texts)):
        raise ValueError("one text at least, and a label for each text or none at all")
    samples = _samples(len(texts), n, repeats, rng)
    hits = sum(bool(give_away.search(text)) for text in texts)
    return Metrics(
        rows=len(texts),
        n=n,
        repeats=len(samples),
        **_at_n(texts, n, samples, encoder, known),
        **_lengths(texts),
        **_categories(categories),
        give_away=_value(hits / len(texts)),
    )


def _samples(rows: int, n: int, repeats: int, rng: random.Random) -> list[list[int]]:
    if rows <= n:
        return [list(range(rows))] if rows == n else []
    return [sorted(rng.sample(range(rows), n)) for _ in range(repeats)]


def _at_n(
    texts: Sequence[str],
    n: int,
    samples: Sequence[Sequence[int]],
    encoder: Encoder,
    known: KnownEntities,
) -> dict[str, Value]:
    places = sorted({place for sample in samples for place in sample})
    row_of = {place: row for row, place in enumerate(places)}
    vectors = encoder.many([texts[place] for place in places])
    words = {place: diversity.tokens(texts[place]) for place in places}
    first = {place: surface.opening(texts[place], 1) for place in places}
    two = {place: surface.opening(texts[place], OPENING) for place in places}
    how: dict[str, Callable[[Sequence[int]], float]] = {
        "self_bleu_4": lambda sample: diversity.self_bleu_4([words[place] for place in sample]),
        "dist_2": lambda sample: diversity.dist_2([words[place] for place in sample]),
        "vendi": lambda sample: diversity.vendi(vectors[[row_of[place] for place in sample]]),
        "mean_cosine": lambda sample: diversity.mean_cosine(vectors[[row_of[p] for p in sample]]),
        "top_first_word": lambda sample: surface.top_share([first[place] for place in sample]),
        "top_first_two": lambda sample: surface.top_share([two[place] for place in sample]),
        "openings": lambda sample: surface.effective([two[place] for place in sample]),
        "entity_coverage": lambda sample: known.share(texts[place] for place in sample),
    }
    few = f"{len(texts):,} rows, fewer than n = {n:,}"
    return {name: _over(samples, one, few) for name, one in how.items()}


def _over(
    samples: Sequence[Sequence[int]], one: Callable[[Sequence[int]], float], few: str
) -> Value:
    if not samples:
        return Value(undefined=few)
    try:
        found = [one(sample) for sample in samples]
    except ValueError as fault:
        return Value(undefined=str(fault))
    return _value(*found)


def _lengths(texts: Sequence[str]) -> dict[str, Value]:
    names = ("words_mean", "words_median", "words_p5", "words_p95")
    return {name: _value(x) for name, x in zip(names, surface.lengths(texts), strict=True)}


def _categories(labels: Sequence[str] | None) -> dict[str, Value]:
    names = ("categories", "category_balance", "category_min", "category_max")
    if labels is None:
        return {name: Value(undefined="no category column") for name in names}
    counts = [labels.count(label) for label in set(labels)]
    even = _over([range(len(labels))], lambda _: surface.balance(labels), "")
    numbers = (_value(len(counts)), even, _value(min(counts)), _value(max(counts)))
    return dict(zip(names, numbers, strict=True))


def _value(*found: float) -> Value:
    """Rounded: the last digits of a vector depend on the batch that it was embedded in."""
    near = partial(round, ndigits=4)
    return Value(mean=near(float(np.mean(found))), low=near(min(found)), high=near(max(found)))
