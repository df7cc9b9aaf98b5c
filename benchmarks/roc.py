"""Area under the ROC curve, operating points and reliability of scores; numpy only."""

import numpy as np


def area(toxic: np.ndarray, benign: np.ndarray) -> float:
    """Area under the ROC curve: how often a toxic text has the higher harm, ties half."""
    order = np.sort(benign)
    below = np.searchsorted(order, toxic, "left") + np.searchsorted(order, toxic, "right")
    return float(below.mean() / 2 / len(benign))


def areas(toxic: np.ndarray, benign: np.ndarray, paired: bool) -> dict[str, object]:
    dice = np.random.default_rng(0)
    found = []
    for _ in range(1000):
        hot = dice.integers(len(toxic), size=len(toxic))
        cold = hot if paired else dice.integers(len(benign), size=len(benign))
        found.append(area(toxic[hot], benign[cold]))
    low, high = np.percentile(found, (2.5, 97.5))
    out: dict[str, object] = {
        "auc": round(area(toxic, benign), 3),
        "interval": [round(float(low), 3), round(float(high), 3)],
        "toxic": len(toxic),
        "benign": len(benign),
    }
    if paired:
        out["higher_within_pair"] = round(float((toxic > benign).mean()), 3)
    return out


def operating(toxic: np.ndarray, benign: np.ndarray) -> list[dict[str, float]]:
    """A text passes when its harm is below the threshold."""
    return [
        {
            "harm_max": at,
            "toxic_caught": round(float((toxic >= at).mean()), 3),
            "benign_passed": round(float((benign < at).mean()), 3),
        }
        for at in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    ]


def reliability(toxic: np.ndarray, benign: np.ndarray) -> dict[str, object]:
    said = np.concatenate([toxic, benign])
    true = np.repeat([1.0, 0.0], [len(toxic), len(benign)])
    place = np.minimum((said * 10).astype(int), 9)
    bins = []
    for k in range(10):
        here = place == k
        if here.any():
            pair = round(float(said[here].mean()), 3), round(float(true[here].mean()), 3)
            ends = {"low": k / 10, "high": (k + 1) / 10}
            bins.append({**ends, "said": pair[0], "true": pair[1], "count": int(here.sum())})
    gap = sum(b["count"] * abs(b["said"] - b["true"]) for b in bins) / len(said)
    brier = float(((said - true) ** 2).mean())
    return {"expected_calibration_error": round(gap, 3), "brier": round(brier, 3), "bins": bins}
