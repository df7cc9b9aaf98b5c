"""Places texts in our categories by sentence embedding, or says that it cannot.

A category is known by its bundled seeds, its name, its definition and its trigger words. Score of a
text = cosine to the mean of these + mean cosine to the three nearest; a softmax over the scores is
the confidence. If any category of the taxonomy has no bundled seeds (a user's own), all are known
by their words alone, because seeds would outweigh words in the comparison.

Measured on 2,441 rows of the shared public sets (HarmBench, StrongREJECT, JailbreakBench, CatQA,
SimpleSafetyTests, OR-Bench toxic, two files of Do-Not-Answer) against their crosswalk's set of on
average 7 of 44 categories; `hand` are the 100 behaviours of JailbreakBench, labelled by hand with
1 to 5 categories each. Share right among all rows, and share that can be kept at 80 % right:

    method                                      all   kept  hand
    centroids of seeds and pairs                .67   .52   .65
    weighted vote of the 40 nearest of these    .68   .54   .59
    centroid + 3 nearest of these               .69   .59   .68
    centroid + 3 nearest, seeds and words       .69   .61   .69   (this)
    centroid + 3 nearest, words alone           .66   .49   .68   (a user's own categories)

The toxic sides of the contrast pairs (1,760 texts more) add nothing and are left out. From `SURE`
on, 53 % of the rows are kept, 81 % of these right (hand: 63 %, 83 %; words alone: 47 %, 80 %). From
`SURE_OF_CHOICE` on, 93 % of the choices that a crosswalk leaves are decided, 83 % of these right
(words alone: 91 %, 82 %), measured on CatQA's categories against its subcategories and on `hand`.
Limits: 55 % only for Do-Not-Answer's information hazards and 68 % for SimpleSafetyTests; with few
categories, whose neighbours are missing, 62 % (8 of 44); some sets of the crosswalks were widened
after their first errors had been read, which flatters a little; it tells topics, not harm.
"""

from collections.abc import Sequence

import numpy as np

from falsereject_gen.dedup.encoder import Encoder, Vectors
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.bundled import seed_files
from falsereject_gen.taxonomy import UNCATEGORISED, Category, Taxonomy

__all__ = ["SURE", "SURE_OF_CHOICE", "Categoriser"]

SURE = 0.26
"""Confidence from which a text without any category is placed."""
SURE_OF_CHOICE = 0.30
"""Confidence from which a choice that a crosswalk leaves is decided."""
_TEMPERATURE = 0.12
_NEAREST = 3
_USUAL = 44
"""Categories that the thresholds were measured with; fewer are filled up with mute ones …"""
_MUTE = {"seeds": 0.425, "words": 0.347}
"""… whose score is that of a category which a text has nothing to do with, as measured."""


class Categoriser:
    """Gives texts a category of a taxonomy.

    Args:
        taxonomy: the categories.
        rooms: where the bundled seeds are read.
        encoder: called once, with about 1,700 short texts for the bundled taxonomy.
    """

    def __init__(self, taxonomy: Taxonomy, rooms: Rooms, encoder: Encoder) -> None:
        self._ids = list(taxonomy.categories)
        self._encoder = encoder
        seeds = {part.category: part.seeds for part in seed_files(rooms)}
        whole = all(name in seeds for name in self._ids)
        self._mute = _MUTE["seeds" if whole else "words"]
        texts = [[*_words(c), *(seeds[c.id] if whole else ())] for c in taxonomy]
        vectors = encoder.many([text for part in texts for text in part])
        ends = np.cumsum([len(part) for part in texts])[:-1]
        self._references = np.split(vectors, ends)
        means = np.stack([part.mean(axis=0) for part in self._references])
        self._means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)

    def place(
        self, texts: Sequence[str], choices: Sequence[Sequence[str]] | None = None
    ) -> list[tuple[str, float]]:
        """The category of each text with the confidence in it, 0..1.

        Args:
            texts: English prompts.
            choices: category ids that each text can only have; empty for any.

        Returns:
            For each text its category and confidence; `uncategorised` and 0 where it is not sure.
        """
        return self.place_vectors(self._encoder.many(texts), choices)

    def place_vectors(
        self, vectors: Vectors, choices: Sequence[Sequence[str]] | None = None
    ) -> list[tuple[str, float]]:
        """As `place`, for texts that are encoded already: unit vectors of shape (n, 384)."""
        scores = self._scores(vectors)
        wanted = choices if choices is not None else [()] * len(vectors)
        return [self._decide(row, ids) for row, ids in zip(scores, wanted, strict=True)]

    def _scores(self, vectors: Vectors) -> Vectors:
        near = []
        for part in self._references:
            found = np.sort(vectors @ part.T, axis=1)[:, -_NEAREST:]
            near.append(found.mean(axis=1))
        scores = vectors @ self._means.T + np.stack(near, axis=1)
        return np.asarray(scores, dtype=np.float32)

    def _decide(self, scores: Vectors, ids: Sequence[str]) -> tuple[str, float]:
        places = [self._ids.index(name) for name in ids if name in self._ids]
        mute = 0 if places else max(0, _USUAL - len(self._ids))
        places = places or list(range(len(self._ids)))
        weights = np.exp(scores[places].astype(np.float64) / _TEMPERATURE)
        total = weights.sum() + mute * np.exp(self._mute / _TEMPERATURE)
        best = int(weights.argmax())
        confidence = round(float(weights[best] / total), 4)
        if confidence < (SURE_OF_CHOICE if ids else SURE):
            return UNCATEGORISED, 0.0
        return self._ids[places[best]], confidence


def _words(category: Category) -> list[str]:
    definition = f"{category.name}. {category.definition}"
    return [category.name, definition, *category.triggers]
