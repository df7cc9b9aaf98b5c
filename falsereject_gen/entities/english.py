"""English inflection for the grammar: articles, plurals, gerunds, and all forms of a word.

The rules are those of two libraries (inflect for nouns, lemminflect for verbs); nothing of our own
but the joining. Every function is pure and cached.
"""

from functools import cache
from unittest.mock import patch

import lemminflect

__all__ = ["article", "forms", "gerund", "only_noun", "plural", "sentence_case"]

with patch("typeguard.typechecked", lambda function: function):
    import inflect  # without its checks of types at each call: 2 s of import, a third of the time

_NOUNS = inflect.engine()
_TAGS = ("NNS", "VBG", "VBD", "VBN", "VBZ")


@cache
def article(phrase: str) -> str:
    """`hour` -> `an hour`, `European` -> `a European`."""
    return str(_NOUNS.a(phrase))


@cache
def plural(phrase: str) -> str:
    """`dead cron job` -> `dead cron jobs`; a plural stays as it is."""
    head = phrase.split()[-1]
    if _NOUNS.singular_noun(head):
        return phrase
    return str(_NOUNS.plural_noun(phrase))


@cache
def gerund(phrase: str) -> str:
    """The -ing form of a verb phrase's first word: `kill a process` -> `killing a process`."""
    verb, space, rest = phrase.partition(" ")
    found = lemminflect.getInflection(verb, "VBG") if verb else ()
    return (found[0] if found else f"{verb}ing") + space + rest


@cache
def forms(phrase: str) -> frozenset[str]:
    """Every lower-case form in which a noun or verb (phrase) can stand in a text."""
    words = phrase.lower().split()
    out = {" ".join(words), plural(" ".join(words)).lower()}
    out |= {" ".join([*words[:-1], last]) for last in _inflected(words[-1])}
    out |= {" ".join([first, *words[1:]]) for first in _inflected(words[0])}
    return frozenset(out)


@cache
def _inflected(word: str) -> frozenset[str]:
    """The forms of a word, in lower case."""
    found = (lemminflect.getInflection(word, tag) for tag in _TAGS)
    return frozenset(form.lower() for forms in found for form in forms)


def only_noun(phrase: str) -> bool:
    """Whether a dictionary has no adjective that is spelled like the last word of a phrase."""
    return "ADJ" not in lemminflect.getAllLemmas(phrase.split(" ")[-1])


def sentence_case(text: str) -> str:
    """The text with its first letter in upper case, and each sentence after it."""
    return text[:1].upper() + text[1:]
