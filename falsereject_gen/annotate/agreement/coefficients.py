"""The formulas, over patterns and how often each one counts: one row of weights, or thousands.

All labels are nominal and any item may lack answers. Where a formula has no value the result is
NaN here; why, and what is reported instead, is `estimate.py`'s.

Raw agreement, Fleiss' kappa and AC1 as in Gwet, Handbook of Inter-Rater Reliability, 4th ed. 2014,
chapters 2 and 5 (missing ratings included); with equally many answers an item, kappa is that of
Fleiss 1971. Alpha as in Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011. AC1 from
Gwet 2008. Cohen's kappa from Cohen 1960.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["COEFFICIENTS", "ac1", "alpha", "cohen", "fleiss", "raw"]

Weights = NDArray[np.float64]
Values = NDArray[np.float64]
Patterns = NDArray[np.int64]


def raw(weights: Weights, kinds: Patterns) -> Values:
    """Share of agreeing pairs of annotators, averaged over items that two or more answered.

    Args:
        weights: (samples, kinds): how often each pattern counts in each sample.
        kinds: (kinds, answers): how many annotators gave each answer.

    Returns:
        One value a sample, 0 to 1; NaN where no item has two answers.
    """
    size = kinds.sum(axis=1)
    paired = size >= 2
    some, size = kinds[paired], size[paired]
    agreeing = (some * (some - 1)).sum(axis=1) / (size * (size - 1))
    return _share(weights[:, paired] @ agreeing, weights[:, paired].sum(axis=1))


def fleiss(weights: Weights, kinds: Patterns) -> Values:
    """Fleiss' kappa, -1 to 1; NaN where only one label was used."""
    expected = (_shares(weights, kinds) ** 2).sum(axis=1)
    return _corrected(raw(weights, kinds), expected)


def ac1(weights: Weights, kinds: Patterns) -> Values:
    """Gwet's AC1, -1 to 1: defined with a single label too, because unused answers count as ways.

    The number of answers is that of the question (Gwet: all that were available to the raters).
    """
    shares = _shares(weights, kinds)
    expected = (shares * (1 - shares)).sum(axis=1) / (kinds.shape[1] - 1)
    return _corrected(raw(weights, kinds), expected)


def alpha(weights: Weights, kinds: Patterns) -> Values:
    """Krippendorff's alpha for nominal data, at most 1; NaN where only one label was used."""
    size = kinds.sum(axis=1)
    paired = size >= 2
    some, size, weights = kinds[paired], size[paired], weights[:, paired]
    apart = (some * (size[:, None] - some)).sum(axis=1) / (size - 1)
    totals = weights @ some
    everything = totals.sum(axis=1)
    observed = _share(weights @ apart, everything)
    expected = _share(everything**2 - (totals**2).sum(axis=1), everything * (everything - 1))
    return 1 - _share(observed, expected)


def cohen(weights: Weights, answers: int) -> Values:
    """Cohen's kappa of two annotators; NaN where both used one and the same label.

    Args:
        weights: (samples, answers * answers): how often one said this and the other that.
        answers: answers that the question has.
    """
    table = weights.reshape(-1, answers, answers)
    everything = table.sum(axis=(1, 2))
    observed = _share(np.trace(table, axis1=1, axis2=2), everything)
    expected = _share((table.sum(axis=2) * table.sum(axis=1)).sum(axis=1), everything**2)
    return _corrected(observed, expected)


COEFFICIENTS: Mapping[str, Callable[[Weights, Patterns], Values]] = {
    "raw": raw,
    "ac1": ac1,
    "alpha": alpha,
    "fleiss": fleiss,
}
"""What is computed of every question, by the name that it has in the JSON."""


def _shares(weights: Weights, kinds: Patterns) -> Values:
    """The share of each answer, each item counting once: (samples, answers)."""
    size = kinds.sum(axis=1, keepdims=True)
    return _share(weights @ (kinds / size), weights.sum(axis=1)[:, None])


def _corrected(observed: Values, expected: Values) -> Values:
    return _share(
        observed - expected, np.where(np.isclose(expected, 1, rtol=0, atol=1e-12), 0, 1 - expected)
    )


def _share(part: Values, whole: Values) -> Values:
    """A division that gives NaN, and no warning, where the whole is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    out = np.full(part.shape, np.nan)
    np.divide(part, whole, out=out, where=whole != 0)
    return out
