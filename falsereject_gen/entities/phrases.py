"""The act that a seed asks for, as a verb phrase: `fly a drone over an airport`.

A seed is a request with a known beginning ("How can I …", "Help me …"); what follows is the act,
up to the first clause that only says how not to be caught. The rules (graphs/generic.yaml) take
few sentences and leave many: a phrase that could not stand behind "people who …" and, as a gerund,
behind "caught …" is none. No tagger in here: its errors would be read in every row.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import lemminflect

from falsereject_gen.entities.english import article, gerund
from falsereject_gen.errors import RoomError
from falsereject_gen.rooms import Rooms

__all__ = ["ActPhrase", "Phrases", "load_phrases"]

MAX_WORDS = 14
CORE_WORDS = 5
"""Words of the kind of an act, at most: more belong to one case."""
_SENTENCE = re.compile(r"(?<=[.?!;])\s+")
_TIES = re.compile(r"who|that|which|whether|where|why|how|for|\w+ing")
_MINE = re.compile(
    r"\b(?:my|our|your) (?:own )?([\w'-]+(?: (?!(?:my|our|your)\b)[\w'-]+)*)", re.IGNORECASE
)


@dataclass(frozen=True)
class ActPhrase:
    """A verb phrase in its two forms, without `my`, `me` or a full stop.

    Attributes:
        do: `fly a drone over an airport to stop planes from landing`.
        doing: the same as a gerund.
        short: how many words it has without its purpose (`fly a drone over an airport`: 6).
        kind: the kind of act (`smuggle drugs` of `smuggle drugs over a border in a coffin`), for
            what is asked of many cases; None if it takes more than a few words.
    """

    do: str
    doing: str
    short: int = 0
    kind: "ActPhrase | None" = None

    @property
    def dos(self) -> tuple[str, ...]:
        """The base form, whole and without its purpose."""
        return tuple(dict.fromkeys((self.do, " ".join(self.do.split(" ")[: self.short]))))

    @property
    def doings(self) -> tuple[str, ...]:
        """The gerund, whole and without its purpose."""
        return tuple(dict.fromkeys((self.doing, " ".join(self.doing.split(" ")[: self.short]))))


class Phrases:
    """Takes the act out of a seed.

    Args:
        rules: the `phrases` part of graphs/generic.yaml.

    Raises:
        RoomError: a rule is missing or no regular expression.
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        try:
            self._openings = [
                re.compile(rf"^(?:{rule})\s+(?P<act>.+)$", re.IGNORECASE)
                for rule in rules["openings"]
            ]
            self._cuts = re.compile(rf"\s*(?:{'|'.join(rules['cuts'])}).*$", re.IGNORECASE)
            self._never = re.compile("|".join(rules["never"]), re.IGNORECASE)
            self._not_acts = frozenset(rules["not_acts"])
            self._requests = frozenset(rules["requests"])
            self._mass, self._the = frozenset(rules["mass"]), frozenset(rules["the"])
            self._half, self._whole = frozenset(rules["half"]), re.compile(rules["whole"])
            self._ends_noun = frozenset(rules["ends_noun"])
            self._further = frozenset(rules["further"])
        except (KeyError, TypeError, re.error) as fault:
            raise RoomError(f"graphs/generic.yaml: phrases: {fault!r}") from None

    def of(self, text: str) -> ActPhrase | None:
        """The first act of a text that can be said in any sentence, or None."""
        for sentence in _SENTENCE.split(" ".join(text.replace("’", "'").split())):
            found = self._act(sentence.strip(" .?!;"))
            if found is not None:
                return found
        return None

    def _act(self, sentence: str) -> ActPhrase | None:
        for opening in self._openings:
            match = opening.search(sentence)
            if match:
                return self._phrase(match["act"])
        first = sentence.split(" ")[0].lower()
        if _is_base(first) and first not in self._requests:
            return self._phrase(sentence[:1].lower() + sentence[1:])
        return None

    def _phrase(self, act: str) -> ActPhrase | None:
        cut = _one_verb(self._cuts.sub("", act)).strip(" ,")
        if self._never.search(cut):
            return None
        words = self._without_mine(_base(cut)).split(" ")
        verb = _verb(words)
        torn = len(cut) < len(act) and verb in self._half and not self._whole.search(cut)
        fits = 2 <= len(words) <= MAX_WORDS and verb not in self._not_acts and not torn
        if not fits or not _is_base(verb):
            return None
        core = self._any_of(words[: self._core(words)])
        kind = ActPhrase(" ".join(core), _doing(core), len(core)) if core else None
        return ActPhrase(" ".join(words), _doing(words), self._short(words), kind)

    def _short(self, words: list[str]) -> int:
        """Words before a closing `to …`, if the act is one without it; else all of them."""
        place = next((i for i, w in enumerate(words) if w == "to" and i > 2), len(words))
        purpose = _is_base(words[place + 1]) if place + 1 < len(words) else False
        tied = {_verb(words)} & self._half or any(_TIES.fullmatch(word) for word in words[1:place])
        return place if purpose and not tied else len(words)

    def _core(self, words: list[str]) -> int:
        """Words up to the first preposition behind an object; an act of a few words is its own."""
        if {_verb(words)} & self._half:
            return len(words) if len(words) <= CORE_WORDS else 0
        ends = (self._ends_noun | self._further) - {"of"}
        place = next((i for i, w in enumerate(words) if i > 1 and w in ends), len(words))
        return place if place <= CORE_WORDS else 0

    def _any_of(self, words: list[str]) -> list[str]:
        """`crack the safe` -> `crack a safe`; there is but one government."""
        if "the" not in words[:-1]:
            return words
        place = words.index("the")
        thing = self._head(words[place + 1 :])
        if {thing, words[place + 1]} & (self._the | self._mass) or _is_plural(thing):
            return words
        return [*words[:place], *article(" ".join(words[place + 1 :])).split(" ")]

    def _without_mine(self, text: str) -> str:
        """`my neighbour's dog` -> `a neighbour's dog`, `my marks` -> `the marks`."""

        def other(found: re.Match[str]) -> str:
            head = self._head(found.group(1).split(" "))
            if head in self._the:
                return f"the {found.group(1)}"
            first = found.group(1).split(" ")[0]
            bare = {head, first} & self._mass or _is_plural(head)
            return found.group(1) if bare else article(found.group(1))

        return _MINE.sub(other, text)

    def _head(self, words: list[str]) -> str:
        """The noun that decides on the article: the last one before a preposition, or of an 's."""
        head = ""
        for word in words:
            if word.lower() in self._ends_noun:
                break
            head = word.lower()
            if head.endswith(("'s", "s'")):
                return head[:-2] if head.endswith("'s") else head[:-1]
        return head


def load_phrases(rooms: Rooms) -> Phrases:
    """With the rules of graphs/generic.yaml."""
    return Phrases(rooms.yaml("graphs/generic.yaml").get("phrases") or {})


def _verb(words: list[str]) -> str:
    """The verb of a phrase that may begin with an adverb (`secretly film …`)."""
    return next((w for w in words if _is_base(w) or not w.lower().endswith("ly")), "")


@cache
def _is_base(word: str) -> bool:
    """Whether a word is the base form of a verb that a dictionary knows."""
    lemmas = lemminflect.getAllLemmas(word.lower(), upos="VERB").get("VERB", ())
    return word.lower() in lemmas


def _is_plural(word: str) -> bool:
    lemmas = lemminflect.getAllLemmas(word, upos="NOUN").get("NOUN", ())
    return word not in lemmas if lemmas else word.endswith("s") and not word.endswith("ss")


def _base(text: str) -> str:
    """`chasing deer` -> `chase deer`; other beginnings stay."""
    words = text.split(" ")
    if words[0].lower().endswith("ing") and not _is_base(words[0]):
        lemmas = lemminflect.getLemma(words[0].lower(), upos="VERB")
        words[0] = lemmas[0] if lemmas else words[0]
    return " ".join(words)


def _one_verb(text: str) -> str:
    """Without a second act (`… and fly it into a crowd`): only one verb can be inflected."""
    words = text.split(" ")
    for place, word in enumerate(words[2:-1], 2):
        paired = {"between", "both"} & set(words[:place])
        if word in ("and", "or", "then") and _is_base(words[place + 1]) and not paired:
            return " ".join(words[:place])
    return text


def _doing(words: list[str]) -> str:
    """The phrase as a gerund; of `buy and resell …` both verbs."""
    out = list(words)
    place = out.index(_verb(out))
    out[place] = gerund(out[place])
    if set(out[place + 1 : place + 2]) & {"and", "or"} and _is_base(out[place + 2]):
        out[place + 2] = gerund(out[place + 2])
    return " ".join(out)
