"""The embedded extractor: one small typed graph a seed (FalseReject, section on entity graphs).

Known entities (our lexicon) are found by their forms; the rest are noun phrases and verbs by their
tags. The kind of an unknown noun is that of the nearest known entity in embedding space.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from falsereject_gen.dedup.encoder import Encoder
from falsereject_gen.entities.lexicon import Lexicon
from falsereject_gen.entities.tagging import pipeline
from falsereject_gen.records import Entity, Kind, Relation, Seed, SeedGraph

__all__ = ["LIKE_MIN", "EmbeddedExtractor"]

LIKE_MIN = 0.45
"""Cosine from which an unknown entity is taken to be like a known one."""

_LIGHT = frozenset(
    [
        "make",
        "do",
        "have",
        "be",
        "get",
        "give",
        "write",
        "tell",
        "help",
        "explain",
        "create",
        "provide",
        "use",
        "let",
        "want",
        "need",
        "know",
        "find",
        "take",
        "show",
        "teach",
        "describe",
        "list",
        "generate",
        "develop",
        "go",
        "come",
        "put",
        "keep",
        "try",
        "start",
        "ask",
        "say",
        "think",
        "look",
        "suggest",
        "offer",
        "allow",
        "include",
        "involve",
        "become",
        "seem",
        "work",
    ]
)
_STOP = frozenset(
    [
        "way",
        "step",
        "method",
        "idea",
        "thing",
        "something",
        "someone",
        "somebody",
        "anyone",
        "anybody",
        "people",
        "example",
        "guide",
        "tip",
        "instruction",
        "tutorial",
        "detail",
        "list",
        "plan",
        "script",
        "article",
        "essay",
        "story",
        "post",
        "message",
        "email",
        "text",
        "technique",
        "strategy",
        "advice",
        "information",
        "order",
        "other",
        "kind",
        "type",
        "lot",
        "number",
        "part",
        "one",
        "what",
        "who",
        "everything",
        "anything",
        "nothing",
        "nobody",
        "everyone",
        "person",
        "time",
        "day",
        "night",
        "question",
        "reason",
    ]
)


class EmbeddedExtractor:
    """Extracts the entities of seeds without a language model.

    Args:
        lexicon: our own entities.
        encoder: places unknown ones.
        model: `embedded`, or an installed spaCy model.
    """

    def __init__(self, lexicon: Lexicon, encoder: Encoder, model: str = "embedded") -> None:
        self._lexicon = lexicon
        self._encoder = encoder
        self._nlp = pipeline(model)
        self._longest = max((form.count(" ") for form in lexicon.by_form), default=0) + 1

    def extract(self, seeds: Sequence[Seed]) -> list[SeedGraph]:
        """One graph a seed, in their order; a seed without entities has an empty one."""
        docs = list(self._nlp.pipe(seed.text for seed in seeds))
        found = [self._spans(doc) for doc in docs]
        unknown = {i for spans in found for _, _, i, act, known in spans if not known and not act}
        placed = self._place(sorted(unknown))
        return [
            self._graph(seed, doc, spans, placed)
            for seed, doc, spans in zip(seeds, docs, found, strict=True)
        ]

    def _spans(self, doc: Any) -> list[tuple[int, int, str, bool, bool]]:
        """(start, end, id, is an act, is known) of each entity, left to right."""
        out = []
        place = 0
        while place < len(doc):
            span = self._known(doc, place) or self._act(doc, place) or self._noun(doc, place)
            if span is None:
                place += 1
                continue
            out.append(span)
            place = span[1]
        return out

    def _known(self, doc: Any, start: int) -> tuple[int, int, str, bool, bool] | None:
        for end in range(min(len(doc), start + self._longest), start, -1):
            note = self._lexicon.by_form.get(doc[start:end].text.lower())
            if note is not None:
                return start, end, note.id, note.kind == "act", True
        return None

    def _act(self, doc: Any, start: int) -> tuple[int, int, str, bool, bool] | None:
        token = doc[start]
        if token.pos_ != "VERB" or token.lemma_ in _LIGHT or not token.is_alpha:
            return None
        return start, start + 1, token.lemma_.lower(), True, False

    def _noun(self, doc: Any, start: int) -> tuple[int, int, str, bool, bool] | None:
        end = start
        while end < len(doc) and doc[end].pos_ in ("NOUN", "PROPN") and doc[end].is_alpha:
            if end > start and self._known(doc, end):
                break
            end += 1
        if end == start:
            return None
        head = doc[end - 1].lemma_.lower()
        if head in _STOP or len(head) < 3:
            return None
        name = " ".join([t.lower_ for t in doc[start : end - 1]] + [head])
        return start, end, name, False, False

    def _place(self, names: list[str]) -> dict[str, tuple[Kind, str]]:
        """Kind and nearest known noun of unknown nouns, by cosine."""
        nouns = [note for note in self._lexicon.notes.values() if note.kind != "act"]
        if not names or not nouns:
            return {name: ("concept", "") for name in names}
        base = self._encoder.many([note.id for note in nouns])
        scores = self._encoder.many(names) @ base.T
        best = np.argmax(scores, axis=1)
        return {
            name: (
                nouns[i].kind,
                nouns[i].id if scores[n, i] >= LIKE_MIN else "",
            )
            for n, (name, i) in enumerate(zip(names, best, strict=True))
        }

    def _graph(
        self,
        seed: Seed,
        doc: Any,
        spans: list[tuple[int, int, str, bool, bool]],
        placed: dict[str, tuple[Kind, str]],
    ) -> SeedGraph:
        entities: dict[str, Entity] = {}
        for start, end, name, act, known in spans:
            kind: Kind = "act" if act else placed.get(name, ("concept", ""))[0]
            if known:
                kind = self._lexicon.notes[name].kind
            like = name if known else placed.get(name, ("", ""))[1]
            surface = doc[start:end].text
            entities.setdefault(name, Entity(id=name, surface=surface, kind=kind, like=like))
        relations = [
            Relation(source=a[2], label=label, target=b[2], seed_id=seed.id)
            for a, b in pairwise(spans)
            if a[2] != b[2] and (label := self._label(doc, a, b))
        ]
        return SeedGraph(
            seed_id=seed.id,
            category=seed.category,
            entities=tuple(entities.values()),
            relations=tuple(relations),
        )

    @staticmethod
    def _label(
        doc: Any, a: tuple[int, int, str, bool, bool], b: tuple[int, int, str, bool, bool]
    ) -> str:
        """How two neighbouring entities relate: a preposition, `object`, or nothing."""
        between = list(doc[a[1] : b[0]])
        if len(between) > 6 or any(t.text in ".?!;" for t in between):
            return ""
        prepositions = [t.lower_ for t in between if t.pos_ == "ADP"]
        if prepositions:
            return str(prepositions[-1])
        if any(t.pos_ == "CCONJ" for t in between):
            return "and"
        if a[3] and not b[3]:
            return "object"
        return "of" if any(t.text in ("'s", "’s", "'") for t in between) else "with"
