"""The offline extractors: one small typed graph a seed (FalseReject, section on entity graphs).

Known entities (our lexicon) are found by their forms; the rest are noun phrases and verbs by their
tags, and names of the user's spaCy pipeline. The kind of an unknown noun is that of its head or of
the nearest known nouns in embedding space. Relations: neighbours.py from tags, parsed.py from a
dependency parse.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from falsereject_gen.dedup.encoder import Encoder, Vectors
from falsereject_gen.entities.lexicon import Lexicon
from falsereject_gen.entities.neighbours import link_neighbours
from falsereject_gen.entities.parsed import link_parsed, named
from falsereject_gen.entities.spans import Span
from falsereject_gen.entities.tagging import lemma_of, pipeline
from falsereject_gen.records import ENGLISH, Entity, Kind, Relation, Seed, SeedGraph

__all__ = ["LIKE_MIN", "EmbeddedExtractor"]

LIKE_MIN = 0.45
"""Cosine from which an unknown entity is taken to be like a known one."""
VOTERS = 5
"""Nearest known nouns that decide the kind of an unknown one, each by its cosine."""

_FUNCTION = frozenset(["AUX", "PRON", "DET", "ADP", "PART", "CCONJ", "SCONJ"])
"""Tags of words that carry grammar: alone they name nothing, whatever is spelled like them."""

_Placed = dict[str, tuple[Kind, str]]


class EmbeddedExtractor:
    """Extracts the entities of seeds without a language model.

    Args:
        lexicon: our own entities.
        encoder: places unknown ones.
        model: `embedded`, or an installed spaCy pipeline by its name or path.

    Raises:
        UsageError: the pipeline is not there or cannot tag English.
    """

    def __init__(self, lexicon: Lexicon, encoder: Encoder, model: str = "embedded") -> None:
        self._lexicon, self._english = lexicon, lexicon.english
        self._encoder = encoder
        self._nlp = pipeline(model)
        self._own = model == "embedded"
        self._longest = max((form.count(" ") for form in lexicon.by_form), default=0) + 1
        everyday = self._english.kinds.items()
        self._everyday: dict[str, Kind] = {w.lower(): k for k, words in everyday for w in words}

    def extract(self, seeds: Sequence[Seed]) -> list[SeedGraph]:
        """One graph a seed, in their order; a seed without entities has an empty one.

        So has one in another language than English, and says so (`left_out`).
        """
        graphs = iter(self._english_ones([seed for seed in seeds if seed.language == ENGLISH]))
        return [next(graphs) if seed.language == ENGLISH else _not_english(seed) for seed in seeds]

    def _english_ones(self, seeds: Sequence[Seed]) -> list[SeedGraph]:
        docs = list(self._nlp.pipe(seed.text for seed in seeds))
        found = [self._spans(doc) for doc in docs]
        unknown = {s.id for spans in found for s in spans if not s.known and s.kind != "act"}
        placed = self._place(sorted(unknown))
        return [
            self._graph(seed, doc, [_settled(span, placed) for span in spans], placed)
            for seed, doc, spans in zip(seeds, docs, found, strict=True)
        ]

    def _spans(self, doc: Any) -> list[Span]:
        """The span of each entity, left to right."""
        names = {} if self._own else named(doc)
        out = []
        place = 0
        while place < len(doc):
            span = (
                self._known(doc, place)
                or names.get(place)
                or self._act(doc, place)
                or self._noun(doc, place)
            )
            if span is None:
                place += 1
                continue
            out.append(span)
            place = span.end
        return out

    def _known(self, doc: Any, start: int) -> Span | None:
        for end in range(min(len(doc), start + self._longest), start, -1):
            note = self._lexicon.by_form.get(doc[start:end].text.lower())
            if note is None:
                continue
            verb = doc[start].pos_ == "VERB" and not _modifies(doc, start)
            if end == start + 1 and doc[start].pos_ in _FUNCTION:
                continue  # `they will` is no testament, `theirs and mine` no bomb
            if verb and note.kind != "act":
                if end > start + 1 or doc[start].lemma_.lower() != note.id:
                    continue  # `draft` as a verb is no conscript
                return Span(start, end, note.id, "act", note.id, True)
            verb = verb and not _possessed(doc, start)
            return Span(start, end, note.id, note.kind, note.id, verb)
        return None

    def _act(self, doc: Any, start: int) -> Span | None:
        token = doc[start]
        lemma = token.lemma_.lower()
        if token.pos_ != "VERB" or lemma in self._english.light or not token.is_alpha:
            return None
        if _modifies(doc, start):
            return None
        return Span(start, start + 1, lemma, "act", "", not _possessed(doc, start))

    def _noun(self, doc: Any, start: int) -> Span | None:
        end = start
        while end < len(doc) and doc[end].pos_ in ("NOUN", "PROPN") and doc[end].is_alpha:
            if end > start and self._known(doc, end):
                break
            end += 1
        if end == start:
            return None
        if doc[max(0, start - 1) : end + 1].text.lower() in self._english.prepositions:
            return None  # in front of
        head = doc[end - 1].lemma_.lower()
        if head in self._english.filler or len(head) < 3:
            return None
        name = " ".join([t.lower_ for t in doc[start : end - 1]] + [head])
        return Span(start, end, name, None, "", False)

    def _place(self, names: list[str]) -> _Placed:
        """Kind and nearest known noun of unknown nouns, by head and by cosine."""
        nouns = [note for note in self._lexicon.notes.values() if note.kind != "act"]
        if not names:
            return {}
        everyday = list(self._everyday)
        base = self._encoder.many([note.id for note in nouns] + everyday)
        kinds: list[Kind] = [n.kind for n in nouns] + [self._everyday[w] for w in everyday]
        scores = self._encoder.many(names) @ base.T
        out: _Placed = {}
        for name, row in zip(names, scores, strict=True):
            best = int(np.argmax(row[: len(nouns)])) if nouns else 0
            like = nouns[best].id if nouns and row[best] >= LIKE_MIN else ""
            out[name] = self._by_head(name) or _vote(row, kinds), like
        return out

    def _by_head(self, name: str) -> Kind | None:
        """The kind of a noun that is known, or whose last word is."""
        head = lemma_of(name.split()[-1], "NOUN")
        for word in (name, head):
            if word in self._everyday:
                return self._everyday[word]
        note = self._lexicon.by_form.get(head)
        return note.kind if note is not None and note.kind != "act" else None

    def _graph(self, seed: Seed, doc: Any, spans: Sequence[Span], placed: _Placed) -> SeedGraph:
        entities: dict[str, Entity] = {}
        for span in spans:
            like = span.known or placed.get(span.id, ("", ""))[1]
            surface = doc[span.start : span.end].text
            entity = Entity(id=span.id, surface=surface, kind=span.kind or "concept", like=like)
            entities.setdefault(span.id, entity)
        parsed = not self._own and doc.has_annotation("DEP")
        links = (link_parsed if parsed else link_neighbours)(doc, spans, self._english)
        return SeedGraph(
            seed_id=seed.id,
            category=seed.category,
            entities=tuple(entities.values()),
            relations=tuple(
                Relation(source=a, label=label, target=b, seed_id=seed.id) for a, label, b in links
            ),
        )


def _not_english(seed: Seed) -> SeedGraph:
    """The graph of a seed that these rules cannot read."""
    return SeedGraph(
        seed_id=seed.id, category=seed.category, entities=(), left_out={"not English": 1}
    )


def _settled(span: Span, placed: _Placed) -> Span:
    return span if span.kind else span._replace(kind=placed[span.id][0])


def _vote(cosines: Vectors, kinds: Sequence[Kind]) -> Kind:
    """The kind that most of the nearest nouns have, each counted by its cosine."""
    votes: Counter[Kind] = Counter()
    for place in np.argsort(-cosines, kind="stable")[:VOTERS]:
        votes[kinds[place]] += max(0.0, float(cosines[place]))  # type: ignore[assignment]
    return votes.most_common(1)[0][0] if votes else "concept"


def _modifies(doc: Any, place: int) -> bool:
    """Whether a participle stands before its noun (`a parked car`): no act of its own."""
    token, after = doc[place], doc[place + 1 : place + 2]
    if not len(after) or after[0].pos_ not in ("NOUN", "PROPN", "ADJ"):
        return False
    before = doc[place - 1].pos_ if place else ""
    if token.lower_.endswith("ing"):
        return before in ("DET", "ADJ", "NUM")
    return token.lower_.endswith(("ed", "en")) and before in ("DET", "ADJ", "NUM", "ADP", "VERB")


def _possessed(doc: Any, place: int) -> bool:
    """Whether an act is named like a thing: `the killing`, `my fasting`."""
    return place > 0 and (doc[place - 1].pos_ == "DET" or doc[place - 1].tag_ in ("PRP$", "POS"))
