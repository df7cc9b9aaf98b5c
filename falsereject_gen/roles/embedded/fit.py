"""Fits the embedded discriminator on our own contrast pairs, seeds and tame texts; nothing else.

`python -m falsereject_gen.roles.embedded.fit graphs/judge.json` writes the fitted heads; they carry
the fingerprint of what they were fitted on, and a test fails when that has changed since.

Harm: logistic regression, toxic against benign sides of the pairs, with seeds and tame texts at a
third of the weight (they teach topic, pairs teach intent). looks_toxic: everything that looks toxic
(seeds and both sides of the pairs) against tame texts; trigger words come in beside it, in the
discriminator, because tame texts have none and would teach a head nothing but that. Harm is
calibrated on held-out categories (Platt's sigmoid over 5 folds grouped by category); looks_toxic is
not: the two sorts of text lie so far apart that calibration would leave nothing between 0 and 1.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from falsereject_gen.dedup.encoder import LAYERS, Encoder, MiniLM
from falsereject_gen.records import Record, content_id
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.bundled import SeedFile, seed_files

__all__ = ["Head", "Judge", "fit_judge", "load_judge"]

STRENGTH = 1e-4
"""Inverse regularisation of both heads (standardised features)."""
ASIDE = 0.3
"""Weight of seeds and tame texts in the harm head, pairs having 1."""
FOLDS = 5

Array = NDArray[np.float64]


class Head(Record):
    """One calibrated linear head: probability = sigmoid(weights · vector + heat · heat + bias)."""

    weights: tuple[float, ...]
    bias: float


class Judge(Record):
    """Both heads, what they were fitted on, and what they reached on held-out categories."""

    fitted_on: str = Field(description="Fingerprint of pairs, seeds and tame texts.")
    layers: tuple[int, ...]
    harm: Head
    looks_toxic: Head
    held_out: dict[str, float]


def load_judge(rooms: Rooms, files: Sequence[SeedFile]) -> Judge | None:
    """The fitted heads of graphs/judge.json, or None when they were fitted on something else."""
    judge = Judge.model_validate(json.loads(rooms.text("graphs/judge.json")))
    return judge if judge.fitted_on == _fingerprint(_paired(files)) else None


def fit_judge(files: Sequence[SeedFile], encoder: Encoder) -> Judge:
    """Fit both heads; takes about 20 s."""
    files = _paired(files)
    texts, kinds, groups = _texts(files)
    vectors = encoder.deep_many(texts).astype(np.float64)
    toxic, benign, seed, tame = (kinds == kind for kind in ("toxic", "benign", "seed", "tame"))
    weight = np.where(toxic | benign, 1.0, ASIDE)
    harm, harm_cv = _fit(
        vectors, toxic | seed, weight, groups, report_on=toxic | benign, calibrate=True
    )
    balance = np.where(tame, (~tame).sum() / tame.sum(), 1.0)
    looks, looks_cv = _fit(
        vectors, ~tame, balance, groups, report_on=benign | tame, calibrate=False
    )
    return Judge(
        fitted_on=_fingerprint(files),
        layers=LAYERS,
        harm=Head(weights=harm[:-1], bias=harm[-1]),
        looks_toxic=Head(weights=looks[:-1], bias=looks[-1]),
        held_out={"harm_auc_pairs": harm_cv, "looks_toxic_auc_benign_side_vs_tame": looks_cv},
    )


def _paired(files: Sequence[SeedFile]) -> list[SeedFile]:
    """Files with pairs: seeds without benign counterparts would teach that their topic is harm."""
    return [part for part in files if part.pairs]


def _fit(
    features: Array, labels: Any, weight: Array, groups: Array, *, report_on: Any, calibrate: bool
) -> tuple[tuple[float, ...], float]:
    """Weights with the bias last, and the held-out area under the ROC curve."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - 1 s, only to fit
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415
    from sklearn.model_selection import GroupKFold  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    scaler = StandardScaler().fit(features)
    scaled = scaler.transform(features)
    held_out = np.zeros(len(labels))
    for train, test in GroupKFold(FOLDS).split(scaled, labels, groups):
        part = LogisticRegression(C=STRENGTH, max_iter=5000)
        part.fit(scaled[train], labels[train], sample_weight=weight[train])
        held_out[test] = part.decision_function(scaled[test])
    slope, shift = 1.0, 0.0
    if calibrate:
        sigmoid = LogisticRegression(C=1e6).fit(held_out[:, None], labels, sample_weight=weight)
        slope, shift = float(sigmoid.coef_[0, 0]), float(sigmoid.intercept_[0])
    whole = LogisticRegression(C=STRENGTH, max_iter=5000).fit(scaled, labels, sample_weight=weight)
    weights = slope * whole.coef_[0] / scaler.scale_
    moved = float(whole.coef_[0] @ (scaler.mean_ / scaler.scale_))
    bias = slope * (float(whole.intercept_[0]) - moved) + shift
    area = float(roc_auc_score(labels[report_on], held_out[report_on]))
    return tuple(round(float(value), 6) for value in (*weights, bias)), round(area, 3)


def _texts(files: Sequence[SeedFile]) -> tuple[list[str], Array, Array]:
    rows: list[tuple[str, str, str]] = []
    for part in files:
        rows += [(pair.toxic, "toxic", part.category) for pair in part.pairs]
        rows += [(pair.benign, "benign", part.category) for pair in part.pairs]
        rows += [(text, "seed", part.category) for text in part.seeds]
        rows += [(text, "tame", part.category) for text in part.tame]
    texts, kinds, groups = zip(*rows, strict=True)
    return list(texts), np.array(kinds), np.array(groups)


def _fingerprint(files: Sequence[SeedFile]) -> str:
    return content_id("fit", [part.model_dump() for part in files])


def main(target: Path) -> None:
    """Fit on the bundled rooms and write the heads."""
    rooms = Rooms()
    judge = fit_judge(seed_files(rooms), MiniLM())
    target.write_text(judge.model_dump_json(indent=None) + "\n", encoding="utf-8")
    sys.stdout.write(f"{target}: {judge.held_out}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
