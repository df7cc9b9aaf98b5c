"""A coefficient's value, its bootstrap interval, or the named reason why there is none.

Values come from well-kept libraries where one takes our data (answers missing here and there):
alpha from nltk, Cohen's kappa from scikit-learn. Fleiss' kappa and AC1 are `coefficients.py`'s:
statsmodels' Fleiss wants equally many answers an item, and irrCAC pins scipy to 1.12. The bootstrap
resamples items. Items of one pattern are alike, so a resample is a draw of how often each pattern
comes up: the same distribution, at the cost of a few dozen numbers instead of thousands.
"""

import zlib
from collections.abc import Callable
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from falsereject_gen.annotate.agreement.coefficients import COEFFICIENTS, cohen
from falsereject_gen.annotate.agreement.records import Estimate

__all__ = ["LEVEL", "estimate", "estimate_cohen", "interval", "resample", "stream"]

LEVEL = 0.95
"""Share that an interval covers."""
_TOLERATED = 0.05
"""Share of resamples without a value from which on no interval is given."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def stream(seed: int, *names: str) -> np.random.Generator:
    """A generator of random numbers of its own for each name, so that no order matters."""
    return np.random.default_rng([seed, zlib.crc32("\0".join(names).encode())])


def resample(times: Ints, samples: int, dice: np.random.Generator) -> Floats:
    """How often each pattern comes up when items are drawn with replacement: (samples, kinds)."""
    total = int(times.sum())
    return dice.multinomial(total, times / total, size=samples).astype(np.float64)


def estimate(
    name: str, kinds: Ints, times: Ints, people: int, samples: int, dice: np.random.Generator
) -> Estimate:
    """One of COEFFICIENTS with its interval.

    Args:
        name: raw, ac1, alpha or fleiss.
        kinds: (kinds, answers): how many annotators gave each answer.
        times: (kinds,): items of each pattern.
        people: annotators who answered any of them.
        samples: resamples; 0 leaves the interval out.
        dice: random numbers.
    """
    if why := _undefined(kinds, people):
        return Estimate(undefined=why, no_interval=why)
    formula = COEFFICIENTS[name]
    value = float(formula(times[None, :].astype(np.float64), kinds)[0])
    if np.isnan(value):
        return Estimate(undefined="one_label", no_interval="one_label")
    if name == "alpha":
        value = _nltk_alpha(kinds, times)
    if name == "raw" and value == 1:
        return Estimate(value=1.0, no_interval="no_disagreement")
    return interval(value, lambda: formula(resample(times, samples, dice), kinds), times, samples)


def estimate_cohen(
    first: NDArray[np.int8],
    second: NDArray[np.int8],
    answers: int,
    samples: int,
    dice: np.random.Generator,
) -> Estimate:
    """Cohen's kappa of two annotators over items that both answered, with its interval."""
    if not len(first):
        return Estimate(undefined="no_overlap", no_interval="no_overlap")
    if (first == first[0]).all() and (second == first[0]).all():
        return Estimate(undefined="one_label", no_interval="one_label")
    cells = np.bincount(first.astype(np.int64) * answers + second, minlength=answers**2)
    value = _sklearn_kappa(first, second)
    return interval(value, lambda: cohen(resample(cells, samples, dice), answers), cells, samples)


def interval(value: float, draw: Callable[[], Floats], times: Ints, samples: int) -> Estimate:
    """The percentile interval of a value.

    Args:
        value: the value itself.
        draw: gives the value of every resample, NaN where it has none.
        times: items; a single one cannot be resampled.
        samples: resamples.
    """
    if times.sum() < 2 or not samples:
        return Estimate(value=value, no_interval="one_item")
    drawn = draw()
    good = drawn[~np.isnan(drawn)]
    lost = samples - len(good)
    if lost > _TOLERATED * samples:
        return Estimate(value=value, no_interval="few_defined", undefined_resamples=lost)
    if np.ptp(good) == 0:
        return Estimate(value=value, no_interval="no_spread", undefined_resamples=lost)
    low, high = np.quantile(good, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value=value, low=float(low), high=float(high), undefined_resamples=lost)


def _undefined(kinds: Ints, people: int) -> str:
    if not people or not len(kinds):
        return "no_answers"
    if people == 1:
        return "one_annotator"
    return "" if (kinds.sum(axis=1) >= 2).any() else "no_overlap"


def _nltk_alpha(kinds: Ints, times: Ints) -> float:
    from nltk.metrics import agreement  # type: ignore[import-untyped]  # noqa: PLC0415 - slow

    said: list[tuple[int, int, int]] = []
    number = count()
    for kind, often in zip(kinds.tolist(), times.tolist(), strict=True):
        labels = [label for label, people in enumerate(kind) for _ in range(people)]
        for item in islice(number, often):
            said += [(who, item, label) for who, label in enumerate(labels)]
    return float(agreement.AnnotationTask(said).alpha())


def _sklearn_kappa(first: NDArray[np.int8], second: NDArray[np.int8]) -> float:
    from sklearn.metrics import cohen_kappa_score  # noqa: PLC0415 - slow to import

    return float(cohen_kappa_score(first, second))
