"""The trigger lexicon: words at which a filter stops, from the taxonomy and the entity files."""

import re
from collections.abc import Iterable
from itertools import chain

from falsereject_gen.entities.english import forms
from falsereject_gen.entities.lexicon import Lexicon
from falsereject_gen.rooms import Rooms
from falsereject_gen.taxonomy import Category

__all__ = ["Triggers"]

_WORD = re.compile(r"\w+(?:['-]\w+)*")  # a quotation mark is no part of a word

SEVERE, STRONG, MILD = 2.0, 1.0, 0.4
"""Weights: graphs/severity.yaml's two lists, and what is merely a trigger term or a hot entity.

A trigger term of a category that is not ours is strong: whoever wrote it down knows the word, and
severity.yaml does not. A list `mild` of an overlaid severity.yaml takes words back."""


class Triggers:
    """Finds trigger terms in a text and sums their weights.

    Args:
        taxonomy: its categories' `triggers`, in all their forms.
        lexicon: its hot entities.
        rooms: where graphs/severity.yaml is read.
    """

    def __init__(self, taxonomy: Iterable[Category], lexicon: Lexicon, rooms: Rooms) -> None:
        self.weights: dict[str, float] = {}
        for note in lexicon.notes.values():
            if note.hot:
                self._add(note.surfaces, MILD)
        severity = rooms.yaml("graphs/severity.yaml")
        mild = set(chain.from_iterable(severity.get("mild") or ()))
        ours = {entry["id"] for entry in Rooms().yaml("graphs/taxonomy.yaml")["categories"]}
        for category in taxonomy:
            for term in category.triggers:
                known = category.id in ours or term.lower() in mild
                self._add(forms(term), MILD if known else STRONG)
        for name, weight in (("strong", STRONG), ("severe", SEVERE)):
            for term in chain.from_iterable(severity[name]):
                self._add(forms(term), weight)
        self._longest = max((term.count(" ") for term in self.weights), default=0) + 1

    def _add(self, terms: Iterable[str], weight: float) -> None:
        for term in (" ".join(_WORD.findall(form)) for form in terms):  # as texts are read
            self.weights[term] = max(weight, self.weights.get(term, 0.0))

    def found(self, text: str) -> list[str]:
        """Trigger terms in a text, left to right, the longest at each place."""
        words = _WORD.findall(text.lower().replace("’", "'"))
        out = []
        place = 0
        while place < len(words):
            for end in range(min(len(words), place + self._longest), place, -1):
                term = " ".join(words[place:end])
                if term in self.weights:
                    out.append(term)
                    place = end - 1
                    break
            place += 1
        return out

    def worst(self, text: str) -> float:
        """The weight of the most alarming trigger term of a text; 0 without one."""
        return max((self.weights[term] for term in self.found(text)), default=0.0)

    def heat(self, text: str) -> float:
        """Summed weight of the distinct trigger terms of a text."""
        return sum(self.weights[term] for term in set(self.found(text)))
