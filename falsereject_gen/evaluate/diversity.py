"""How different the texts of a set are: Self-BLEU-4, Dist-2, Vendi score, mean pairwise cosine.

Pure functions of tokens or vectors; nothing is read, drawn or embedded here. All four depend on
the number of texts, so sets are only comparable at the same n (metrics.py sees to that).

Why our own BLEU: with all other texts as references a library goes over n² pairs (nltk: minutes at
n = 500). Of all references only the largest count of an n-gram matters, so the two largest counts
of the whole set are enough: the second one stands in where a text holds the largest itself.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from falsereject_gen.dedup.encoder import Vectors

__all__ = ["dist_2", "mean_cosine", "self_bleu_4", "tokens", "vendi"]

ORDER = 4
EPSILON = 0.1
"""Stands for a count of zero (method 1 of Chen & Cherry 2014, WMT, section 3)."""
_TOKEN = re.compile(r"\w+|[^\w\s]")

Grams = list[Counter[tuple[str, ...]]]
Top = list[dict[tuple[str, ...], tuple[int, int]]]


def tokens(text: str) -> list[str]:
    """Lower-case words and single punctuation marks; `Don't` gives don, ', t."""
    return _TOKEN.findall(text.lower())


def dist_2(texts: Sequence[Sequence[str]]) -> float:
    """Distinct bigrams / all bigrams of the whole set, 0..1 (Li et al. 2016, NAACL; corpus level).

    Raises:
        ValueError: no text has two tokens.
    """
    found = [pair for text in texts for pair in pairwise(text)]
    if not found:
        raise ValueError("no text has two tokens")
    return len(set(found)) / len(found)


def self_bleu_4(texts: Sequence[Sequence[str]]) -> float:
    """Mean BLEU-4 of each text with all others as references, 0..1 (Zhu et al. 2018, SIGIR).

    Uniform weights, brevity penalty against the nearest length, a count of zero taken as 0.1. At
    n = 500 this gives the published figures of OR-Bench (.31 for 80K, .39 for Hard).

    Args:
        texts: the tokens of each text.

    Raises:
        ValueError: fewer than two texts.
    """
    if len(texts) < 2:
        raise ValueError("fewer than two texts")
    counts = [[_grams(text, order) for order in range(1, ORDER + 1)] for text in texts]
    top = _top(counts)
    lengths = Counter(len(text) for text in texts)
    scores = [_bleu(own, len(text), top, lengths) for own, text in zip(counts, texts, strict=True)]
    return math.fsum(scores) / len(scores)


def vendi(vectors: Vectors) -> float:
    """Effective number of different texts, 1..n (Friedman & Dieng 2023, TMLR).

    The exponential of the entropy of the eigenvalues of K/n, K being the cosines. Their
    `vendi-score` package computes the same; its last release is of 2022, so it is no dependency.

    Args:
        vectors: unit vectors, shape (n, d).
    """
    exact = vectors.astype(np.float64)
    small = exact @ exact.T if len(exact) < exact.shape[1] else exact.T @ exact
    values = np.linalg.eigvalsh(small / len(exact))  # both products have the same ones, but zeros
    values = values[values > 1e-12]
    return float(np.exp(-np.sum(values * np.log(values))))


def mean_cosine(vectors: Vectors) -> float:
    """Mean cosine over all pairs of two texts, -1..1.

    Args:
        vectors: unit vectors, shape (n, d).

    Raises:
        ValueError: fewer than two texts.
    """
    n = len(vectors)
    if n < 2:
        raise ValueError("fewer than two texts")
    total = vectors.astype(np.float64).sum(axis=0)
    return float((total @ total - n) / (n * (n - 1)))


def _grams(text: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(text[start:] for start in range(order)), strict=False))


def _top(counts: Sequence[Grams]) -> Top:
    """The largest and the second largest count that any text has of an n-gram."""
    top: Top = [{} for _ in range(ORDER)]
    for own in counts:
        for best, grams in zip(top, own, strict=True):
            for gram, count in grams.items():
                first, second = best.get(gram, (0, 0))
                best[gram] = (count, first) if count > first else (first, max(second, count))
    return top


def _bleu(own: Grams, length: int, top: Top, lengths: Counter[int]) -> float:
    """BLEU-4 of one text of the set against all others."""
    logs = 0.0
    for order, (grams, best) in enumerate(zip(own, top, strict=True)):
        clipped = 0
        for gram, count in grams.items():
            first, second = best[gram]
            clipped += min(count, second if count == first else first)
        if not clipped and not order:
            return 0.0  # no word in common with any other
        logs += math.log((clipped or EPSILON) / max(1, grams.total()))
    others = (other for other, times in lengths.items() if times > (other == length))
    nearest = min(others, key=lambda other: (abs(other - length), other))
    penalty = 1.0 if length > nearest else math.exp(1 - nearest / length)
    return penalty * math.exp(logs / ORDER)
