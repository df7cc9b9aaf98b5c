"""What shows on the surface of a set: openings, length, category balance, entities, disclaimers.

Pure functions; the lexicon and the patterns come from the caller.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from falsereject_gen.entities.lexicon import Lexicon
from falsereject_gen.errors import RoomError
from falsereject_gen.rooms import Rooms

__all__ = ["KnownEntities", "balance", "effective", "give_away", "lengths", "opening", "top_share"]

_WORD = re.compile(r"[\w'-]+")
_FIRST = re.compile(r"\w+(?:['’]\w+)*")


def opening(text: str, words: int) -> str:
    """The first words of a text, lower case, without punctuation."""
    return " ".join(_FIRST.findall(text.lower())[:words])


def top_share(values: Sequence[str]) -> float:
    """Share of the most frequent value, 0..1."""
    return max(Counter(values).values()) / len(values)


def effective(values: Sequence[str]) -> float:
    """Effective number of different values: the exponential of their entropy, 1..n."""
    return math.exp(_entropy(Counter(values).values()))


def balance(categories: Sequence[str]) -> float:
    """Entropy of the categories over its largest possible value: 1 when all have as many rows.

    Categories without a single row are not known here: read it beside their number.

    Raises:
        ValueError: fewer than two categories.
    """
    counts = Counter(categories)
    if len(counts) < 2:
        raise ValueError("all rows have one category")
    return _entropy(counts.values()) / math.log(len(counts))


def lengths(texts: Sequence[str]) -> tuple[float, float, float, float]:
    """Words a text, split at white space: mean, median, 5th and 95th percentile."""
    words = np.array([len(text.split()) for text in texts], dtype=np.float64)
    low, middle, high = (float(value) for value in np.percentile(words, (5, 50, 95)))
    return float(words.mean()), middle, low, high


def give_away(rooms: Rooms) -> re.Pattern[str]:
    """The disclaimers of graphs/patterns.yaml as one pattern.

    Raises:
        RoomError: one of them is no regular expression.
    """
    patterns = rooms.yaml("graphs/patterns.yaml")["give_away"]
    try:
        return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
    except re.error as fault:
        raise RoomError(f"graphs/patterns.yaml: `give_away`: {fault}") from None


class KnownEntities:
    """Finds the lexicon's entities in texts, in any of their forms, the longest at each place.

    Args:
        lexicon: entities of all categories.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._by_form = {form: note.id for form, note in lexicon.by_form.items()}
        self._longest = max((form.count(" ") for form in self._by_form), default=0) + 1
        self.number = len(set(self._by_form.values()))

    def found(self, text: str) -> set[str]:
        """Ids of the entities that stand in a text."""
        words = _WORD.findall(text.lower().replace("’", "'"))
        out: set[str] = set()
        place = 0
        while place < len(words):
            step = 1
            for end in range(min(len(words), place + self._longest), place, -1):
                if name := self._by_form.get(" ".join(words[place:end])):
                    out.add(name)
                    step = end - place
                    break
            place += step
        return out

    def share(self, texts: Iterable[str]) -> float:
        """Share of all known entities that stand in any of the texts, 0..1.

        Raises:
            ValueError: the lexicon is empty.
        """
        if not self.number:
            raise ValueError("no entities are known")
        return len(set().union(*(self.found(text) for text in texts))) / self.number


def _entropy(counts: Iterable[int]) -> float:
    values = np.array(list(counts), dtype=np.float64)
    shares = values / values.sum()
    return float(-(shares * np.log(shares)).sum())
