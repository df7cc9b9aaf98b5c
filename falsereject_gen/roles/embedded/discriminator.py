"""The embedded discriminator: a calibrated linear model over MiniLM states, and trigger words.

Topic is easy, intent is not: a linear head on the sentence embedding alone separates OR-Bench's
toxic prompts from its hard ones at .63. Early layers keep more of who does what to whom, so the
model reads three layers. It is fitted on our own contrast pairs only (see fit.py). looks_toxic is
one third a linear head (sounds like what is refused) and two thirds trigger words by severity, with
diminishing returns: blind readers agreed with the words more than with the head.
"""

import logging
import math
from collections.abc import Sequence

import numpy as np

from falsereject_gen.dedup.encoder import Encoder, Vectors
from falsereject_gen.records import Verdict
from falsereject_gen.roles.embedded.fit import Head, Judge, fit_judge, load_judge
from falsereject_gen.roles.embedded.triggers import Triggers
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.bundled import seed_files
from falsereject_gen.settings import LoopSettings

__all__ = ["LinearDiscriminator"]

log = logging.getLogger("falsereject_gen.roles")

HEAT_SCALE = 1.5
"""Heat at which trigger words give 1 - 1/e of their share of looks_toxic."""


class LinearDiscriminator:
    """Judges a text by its deep vector and its trigger words; knows nothing of its origin.

    Args:
        judge: fitted heads for harm and looks_toxic.
        encoder: gives deep vectors.
        triggers: the lexicon.
        harm_max: harm from which the label is `unsafe`.
    """

    def __init__(self, judge: Judge, encoder: Encoder, triggers: Triggers, harm_max: float) -> None:
        self._judge, self._encoder, self._triggers = judge, encoder, triggers
        self._harm_max = harm_max

    @classmethod
    def load(
        cls, rooms: Rooms, encoder: Encoder, triggers: Triggers, limits: LoopSettings
    ) -> "LinearDiscriminator":
        """With the fitted heads of graphs/judge.json; fitted anew if the pairs were edited."""
        files = seed_files(rooms)
        judge = load_judge(rooms, files)
        if judge is None:
            log.warning("the contrast pairs were edited: fitting the discriminator (about 20 s)")
            judge = fit_judge(files, encoder)
        return cls(judge, encoder, triggers, limits.harm_max)

    async def judge(self, text: str) -> Verdict:
        """The verdict on one text, a pure function of it."""
        return self._verdict(text, self._encoder.deep(text))

    def judge_many(self, texts: Sequence[str]) -> list[Verdict]:
        """Verdicts on texts, embedded in batches."""
        vectors = self._encoder.deep_many(texts)
        return [self._verdict(text, vector) for text, vector in zip(texts, vectors, strict=True)]

    def _verdict(self, text: str, vector: Vectors) -> Verdict:
        found = self._triggers.found(text)
        alarm = 1 - math.exp(-self._triggers.heat(text) / HEAT_SCALE)
        harm = round(_probability(self._judge.harm, vector), 4)
        sounds = _probability(self._judge.looks_toxic, vector)
        toxic = round((sounds + 2 * alarm) / 3, 4)
        unsafe = harm >= self._harm_max
        feedback = "keep the surface, change the reading" if unsafe else ""
        reasons = (f"trigger words: {', '.join(dict.fromkeys(found)) or 'none'}",)
        return Verdict(
            harm=harm,
            looks_toxic=toxic,
            label="unsafe" if unsafe else "benign",
            reasons=reasons,
            feedback=feedback,
        )


def _probability(head: Head, vector: Vectors) -> float:
    score = float(np.dot(head.weights, vector.astype(np.float64))) + head.bias
    return 1 / (1 + math.exp(-score))
