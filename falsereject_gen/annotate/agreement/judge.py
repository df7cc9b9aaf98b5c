"""How the automatic discriminator's two scores stand against what most people said.

Rows only: controls are what it was fitted on, they would flatter it. Every row of a run has passed
its thresholds, so nothing here can show what it wrongly turned away; notes say so. Suggested
thresholds are reported and never applied.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from falsereject_gen.annotate.agreement.estimate import interval, stream
from falsereject_gen.annotate.agreement.gather import Given
from falsereject_gen.annotate.agreement.panel import counts, lay_out
from falsereject_gen.annotate.agreement.records import Bin, Confusion, Estimate, JudgeView
from falsereject_gen.annotate.agreement.thresholds import suggest
from falsereject_gen.settings import LoopSettings

__all__ = ["BINS", "judge", "roc_areas"]

BINS = 10
"""Bars of the reliability diagram, equally wide."""
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class _Side(NamedTuple):
    """A score, the question that people answered, and which answer means a high score."""

    score: Literal["harm", "looks_toxic"]
    question: str
    yes: str
    no: str


_SIDES = (
    _Side("harm", "benign", "no", "yes"),
    _Side("looks_toxic", "looks_toxic", "yes", "no"),
)


def judge(
    given: Given, limits: LoopSettings, *, seed: int, resamples: int
) -> tuple[JudgeView, ...]:
    """Both scores against the label that more than half of at least two people gave.

    Args:
        given: batches and answers; a label counts tie-break answers too.
        limits: the current thresholds (`harm_max`, `toxic_min`).
        seed: of the bootstrap.
        resamples: of the bootstrap.
    """
    rows = tuple(given.rows)
    answers = [one for sheet in given.sheets for one in sheet.answers]
    panel = lay_out(answers, rows, given.questions)
    allowed = {question.name: question.answers for question in given.questions}
    views = []
    for side in _SIDES:
        table = counts(panel.labels[side.question], len(allowed[side.question]))
        winner = np.where(_won(table), table.argmax(axis=1), -1)
        labels = [allowed[side.question][code] if code >= 0 else "" for code in winner]
        scores = [getattr(given.key(row), side.score) for row in rows]
        limit = limits.harm_max if side.score == "harm" else limits.toxic_min
        views.append(_view(side, scores, labels, limit, seed, resamples))
    return tuple(views)


def _won(table: NDArray[np.int64]) -> Bools:
    size = table.sum(axis=1)
    out: Bools = (size >= 2) & (2 * table.max(axis=1) > size)
    return out


def _view(
    side: _Side,
    scores: Sequence[float | None],
    labels: Sequence[str],
    limit: float,
    seed: int,
    resamples: int,
) -> JudgeView:
    pairs = list(zip(scores, labels, strict=True))
    left_out = {
        "no score": sum(score is None for score, _ in pairs),
        "no majority of two or more": sum(s is not None and not label for s, label in pairs),
        "unclear to most": sum(s is not None and label == "unclear" for s, label in pairs),
    }
    kept = [(s, label) for s, label in pairs if s is not None and label in (side.yes, side.no)]
    score = np.array([s for s, _ in kept], dtype=np.float64)
    yes = np.array([label == side.yes for _, label in kept], dtype=np.bool_)
    auc = _auc(score, yes, seed, side.score, resamples, bool(left_out["no score"]))
    view = JudgeView(
        score=side.score,
        positive=f"{side.question}: {side.yes}",
        rows=len(kept),
        yes=int(yes.sum()),
        left_out={why: number for why, number in left_out.items() if number},
        lowest=float(score.min()) if kept else None,
        highest=float(score.max()) if kept else None,
        confusion=_confusion(side, score, yes, limit) if kept else None,
        auc=auc,
        brier=float(np.mean((score - yes) ** 2)) if kept else None,
        calibration_error=None,
        bins=_bins(score, yes),
        suggested=suggest(side.score, score, yes, auc),
        notes=tuple(_notes(side, score, yes, limit)),
    )
    error = sum(one.rows * abs(one.score - one.share) for one in view.bins) / len(kept or [0])
    return view.model_copy(update={"calibration_error": error if kept else None})


def _far(side: _Side, score: Floats, limit: float) -> Bools:
    """The side that the gate acts on: harm that is too high, a look that is toxic enough."""
    out: Bools = score >= limit if side.score == "harm" else score > limit
    return out


def _confusion(side: _Side, score: Floats, yes: Bools, limit: float) -> Confusion:
    far = _far(side, score, limit)
    return Confusion(
        threshold=limit,
        above_yes=int((far & yes).sum()),
        above_no=int((far & ~yes).sum()),
        below_yes=int((~far & yes).sum()),
        below_no=int((~far & ~yes).sum()),
    )


def _bins(score: Floats, yes: Bools) -> tuple[Bin, ...]:
    place = np.minimum((score * BINS).astype(int), BINS - 1)
    return tuple(
        Bin(
            low=k / BINS,
            high=(k + 1) / BINS,
            rows=int((place == k).sum()),
            score=float(score[place == k].mean()),
            share=float(yes[place == k].mean()),
        )
        for k in range(BINS)
        if (place == k).any()
    )


def _auc(
    score: Floats, yes: Bools, seed: int, name: str, resamples: int, no_scores: bool
) -> Estimate:
    if not len(score):
        why = "no_scores" if no_scores else "no_labels"
        return Estimate(undefined=why, no_interval=why)
    if yes.all() or not yes.any():
        return Estimate(undefined="one_class", no_interval="one_class")
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - slow to import

    value = float(roc_auc_score(yes, score))
    dice = stream(seed, "auc", name)
    return interval(
        value, lambda: roc_areas(score, yes, resamples, dice), np.array([len(score)]), resamples
    )


def roc_areas(score: Floats, yes: Bools, samples: int, dice: np.random.Generator) -> Floats:
    """The area under the ROC curve in each of many resamples of rows; NaN with one class only.

    Scores are sorted once; a resample only changes how often each row counts.
    """
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) > 0])
    hit, size = yes[order], len(score)
    out = np.full(samples, np.nan)
    for k in range(samples):
        times = np.bincount(dice.integers(size, size=size), minlength=size)
        high = np.add.reduceat(np.where(hit, times, 0), starts).astype(np.float64)
        low = np.add.reduceat(np.where(hit, 0, times), starts).astype(np.float64)
        if high.any() and low.any():
            beaten = np.cumsum(low) - low / 2
            out[k] = (high * beaten).sum() / (high.sum() * low.sum())
    return out


def _notes(side: _Side, score: Floats, yes: Bools, limit: float) -> list[str]:
    out = []
    far = _far(side, score, limit)
    if len(score) and (far.all() or not far.any()):
        what = "above" if far.all() else "below"
        out.append(
            f"every row lies {what} the threshold {limit}, because rows were chosen by it: what it"
            " turned away is not in the batch, so its misses on that side cannot be seen"
        )
    rare = min(int(yes.sum()), int((~yes).sum()))
    if 0 < rare < 10:
        out.append(f"only {rare} rows on the rarer side: area and thresholds are a rough guess")
    return out
