"""Which names mean the same entity: by their lemma, and by their sentence vectors.

Names that differ in inflection, an article or a hyphen have the same key. Names that are spelled
alike are merged when their cosine reaches `graph.merge_min`: spelling alone joins `trial` and
`trail`, vectors alone `wife` and `husband`. Acts and things are never merged, nor two entries of
our lexicon: people wrote those as different ones. A name joins one heavier name, never a chain of
them, so nothing drifts.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import lemminflect
import numpy as np

from falsereject_gen.dedup.encoder import Vectors
from falsereject_gen.dedup.index import cosine
from falsereject_gen.records import Record, SeedGraph

__all__ = ["Encode", "Variant", "find_variants", "lemma_key"]

Encode = Callable[[Sequence[str]], Vectors]
CHUNK = 1024
"""Names embedded at a time: bounds memory, not the result."""
ALIKE = 0.4
"""Share of letters by threes that two names have in common when they are spelled alike."""
_ARTICLES = frozenset(["a", "an", "the", "some", "any", "my", "your", "his", "her", "our", "their"])


class Variant(Record):
    """A name that stands for another one."""

    name: str
    of: str
    cosine: float | None = None
    """None: the same lemma."""

    @property
    def label(self) -> str:
        """As the merged graph records it: `cyber-attack (lemma)`, `licence plate (0.95)`."""
        return f"{self.name} ({'lemma' if self.cosine is None else f'{self.cosine:.2f}'})"


class _Names:
    """Every name of some graphs: how often, an act or not, in the lexicon or not."""

    def __init__(self, graphs: Iterable[SeedGraph]) -> None:
        self.weight: Counter[str] = Counter()
        self.act: dict[str, bool] = {}
        self.known: set[str] = set()
        for small in graphs:
            for entity in small.entities:
                self.weight[entity.id] += 1
                self.act.setdefault(entity.id, entity.kind == "act")
                if entity.like == entity.id:
                    self.known.add(entity.id)

    def rank(self, name: str) -> tuple[bool, int, str]:
        """The order in which names become canonical: known ones, then heavy ones."""
        return name not in self.known, -self.weight[name], name

    def may_join(self, name: str, of: str) -> bool:
        """Whether two names may be one entity at all."""
        return self.act[name] == self.act[of] and not (name in self.known and of in self.known)


def find_variants(
    graphs: Iterable[SeedGraph], encode: Encode | None = None, merge_min: float = 1.0
) -> dict[str, Variant]:
    """The names that are to be merged into others, by name; canonical names are not in it.

    Args:
        graphs: the small graphs of all seeds.
        encode: unit vectors of names, shape (n, d); None: lemmas only.
        merge_min: cosine from which names are one entity, 0..1.
    """
    names = _Names(graphs)
    found = _by_lemma(names)
    if encode is None:
        return found
    left = sorted((name for name in names.weight if name not in found), key=names.rank)
    found.update(_by_vector(names, left, encode, merge_min))
    return {  # a name that joined by lemma follows where its own canonical name went
        name: one.model_copy(update={"of": found[one.of].of}) if one.of in found else one
        for name, one in found.items()
    }


@cache
def lemma_key(name: str, act: bool) -> str:
    """What names of one lemma share: lower case, no article, base form, no space or hyphen."""
    words = name.lower().replace("-", " ").replace("’", "'").split()
    while len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    if not words:
        return name
    place = 0 if act else -1
    found = lemminflect.getLemma(words[place], "VERB" if act else "NOUN", lemmatize_oov=False)
    if found:
        words[place] = found[0]
    return "".join(words)


def _by_lemma(names: _Names) -> dict[str, Variant]:
    groups: dict[tuple[bool, str], list[str]] = defaultdict(list)
    for name in names.weight:
        groups[names.act[name], lemma_key(name, names.act[name])].append(name)
    out = {}
    for group in groups.values():
        first, *others = sorted(group, key=names.rank)
        for name in others:
            if names.may_join(name, first):
                out[name] = Variant(name=name, of=first)
    return out


def _by_vector(
    names: _Names, ranked: Sequence[str], encode: Encode, merge_min: float
) -> dict[str, Variant]:
    """Each name in its order takes in the free names near it."""
    pairs = [pair for pair in _alike(names, ranked) if names.may_join(*pair)]
    near: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for (name, other), score in zip(pairs, _cosines(pairs, encode), strict=True):
        if score >= merge_min:
            near[name].append((other, score))
            near[other].append((name, score))
    out: dict[str, Variant] = {}
    for name in ranked:
        if name in out:
            continue
        for variant, score in sorted(near[name]):
            if variant not in out and names.rank(name) < names.rank(variant):
                out[variant] = Variant(name=variant, of=name, cosine=score)
    return out


def _alike(names: _Names, ranked: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of names that begin alike and share ALIKE of their letters by threes."""
    blocks: dict[tuple[bool, str], list[tuple[str, frozenset[str]]]] = defaultdict(list)
    out = []
    for name in ranked:
        key = lemma_key(name, names.act[name])
        threes = frozenset(key[place : place + 3] for place in range(max(1, len(key) - 2)))
        block = blocks[names.act[name], key[:3]]
        out += [
            (other, name)
            for other, theirs in block
            if len(threes & theirs) >= ALIKE * len(threes | theirs)
        ]
        block.append((name, threes))
    return out


def _cosines(pairs: Sequence[tuple[str, str]], encode: Encode) -> list[float]:
    """The cosine of each pair, to four decimals; only names of pairs are embedded."""
    needed = sorted({name for pair in pairs for name in pair})
    if not needed:
        return []
    parts = [encode(needed[start : start + CHUNK]) for start in range(0, len(needed), CHUNK)]
    vectors = np.concatenate(parts)
    place = {name: row for row, name in enumerate(needed)}
    return [cosine(vectors[place[a]], vectors[place[b]]) for a, b in pairs]
