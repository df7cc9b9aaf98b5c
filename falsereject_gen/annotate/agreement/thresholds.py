"""Thresholds that people's labels suggest for a score: two rules, each with what it would do.

youden: the cut that best parts the two sides (Youden 1950: sensitivity + specificity - 1), if the
score parts them at all. precision: the loosest cut at which PRECISE of the accepted rows are what
they should be, if it accepts more than a handful.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from falsereject_gen.annotate.agreement.records import Estimate, Threshold

__all__ = ["FEWEST", "PRECISE", "suggest"]

PRECISE = 0.95
"""Share of accepted rows that people should find benign (harm) or toxic-looking (looks_toxic)."""
FEWEST = 30
"""Accepted rows below which a share says too little to set a threshold by."""
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Score = Literal["harm", "looks_toxic"]


def suggest(name: Score, score: Floats, yes: Bools, auc: Estimate) -> tuple[Threshold, ...]:
    """Both suggestions; one without a value says why.

    Args:
        name: harm (rows below the threshold are accepted) or looks_toxic (rows above it).
        score: one a row.
        yes: whether people put the row on the side of the score.
        auc: the area under its ROC curve.
    """
    return (_youden(name, score, yes, auc), _precision(name, score, yes))


def _youden(name: Score, score: Floats, yes: Bools, auc: Estimate) -> Threshold:
    if auc.undefined:
        return Threshold(rule="youden", value=None, undefined=auc.undefined, says="")
    if auc.low is None and auc.no_interval != "no_spread":
        return Threshold(rule="youden", value=None, undefined=auc.no_interval, says="")
    if (auc.low if auc.low is not None else auc.value or 0.0) <= 0.5:
        return Threshold(rule="youden", value=None, undefined="no_signal", says="")
    from sklearn.metrics import roc_curve  # noqa: PLC0415 - slow to import

    wrong, right, cuts = roc_curve(yes, score)
    best = int(np.argmax(right - wrong))
    value = _between(score, float(cuts[best])) if name == "looks_toxic" else float(cuts[best])
    what = (
        f"finds {right[best]:.0%} of those that people put there, and {wrong[best]:.0%} of the rest"
    )
    return Threshold(rule="youden", value=min(value, 1.0), says=what)


def _precision(name: Score, score: Floats, yes: Bools) -> Threshold:
    if not len(score):
        return Threshold(rule="precision", value=None, undefined="no_labels", says="")
    order = np.argsort(score if name == "harm" else -score, kind="stable")
    good = (~yes if name == "harm" else yes)[order]
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])  # whole groups of equal scores
    share = (np.cumsum(good) / np.arange(1, len(good) + 1))[ends]
    reached = np.flatnonzero((share >= PRECISE) & (ends + 1 >= FEWEST))
    if not len(reached):
        return Threshold(rule="precision", value=None, undefined="never_reached", says="")
    end = int(ends[reached[-1]])
    what = f"accepts {end + 1} of {len(score)} rows, {share[reached[-1]]:.1%} as people want them"
    if end + 1 == len(score):  # where it would end was never shown to people
        return Threshold(rule="precision", value=None, undefined="not_bounded", says=what)
    last = float(score[order][end])
    value = _between(score, last) if name == "looks_toxic" else _above(score, last)
    return Threshold(rule="precision", value=value, says=what)


def _above(score: Floats, last: float) -> float:
    """Half way between a score and the next higher one: `below it` then means `last and less`."""
    return float((last + score[score > last].min()) / 2)


def _between(score: Floats, last: float) -> float:
    """Half way between a score and the next lower one: `above it` then means `last and more`."""
    below = score[score < last]
    return float((last + below.max()) / 2) if len(below) else 0.0
