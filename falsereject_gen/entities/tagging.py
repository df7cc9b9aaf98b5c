"""Part-of-speech tags without a downloaded model: a spaCy component over textblob's tagger.

The tagger's lexicon ships in its wheel. Its typical errors (noun or verb) are mended by a few rules
of context. `pipeline` gives the same kind of Doc for it and for a spaCy model that the user has.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import lemminflect
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from falsereject_gen.errors import UsageError

__all__ = ["lemma_of", "pipeline"]


@contextlib.contextmanager
def _without(*names: str) -> Iterator[None]:
    """Import as where these packages are not installed, if they are not loaded yet."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _without("scipy", "sklearn"):  # nltk loads them where it can, for nothing used here: 1.3 s
    from textblob.en import tag as brill_tags

_COARSE = {"NN": "NOUN", "VB": "VERB", "JJ": "ADJ", "RB": "ADV", "MD": "AUX", "IN": "ADP"}
_COARSE |= {"DT": "DET", "PR": "PRON", "WP": "PRON", "WR": "ADV", "TO": "PART", "CC": "CCONJ"}
_COARSE |= {"CD": "NUM", "PO": "PART", "WD": "DET", "RP": "ADP", "EX": "PRON", "UH": "INTJ"}
_SUBJECTS = frozenset(
    ["i", "you", "we", "they", "he", "she", "someone", "somebody", "people", "anyone"]
)
_OBJECTS = frozenset(["me", "him", "her", "us", "them", "somebody", "someone"])
_OWNERS = frozenset(["a", "an", "the", "my", "your", "his", "her", "its", "our", "their", "'s"])
_AUXILIARIES = frozenset(
    [
        "be",
        "am",
        "is",
        "are",
        "was",
        "were",
        "been",
        "being",
        "do",
        "does",
        "did",
        "have",
        "has",
        "had",
        "will",
        "would",
        "can",
        "could",
        "may",
        "might",
        "shall",
        "should",
        "must",
        "'s",
        "'re",
        "'ve",
        "'d",
    ]
)
_ALSO_NOUNS = frozenset(["will", "can", "must", "might", "may"])


@Language.component("falsereject_tagger")
def tagger(doc: Doc) -> Doc:
    """Set `tag_`, `pos_` and `lemma_` of every token."""
    words = [token.text for token in doc]
    tags = [tag for _, tag in brill_tags(" ".join(words), tokenize=False)] if words else []
    if len(tags) != len(words):  # a token with a space in it: tag one by one
        tags = [brill_tags(word, tokenize=False)[0][1] if word.strip() else "_SP" for word in words]
    for place, token in enumerate(doc):
        tags[place] = _mend(words, tags, place)
        token.tag_ = tags[place]
        token.pos_ = (
            "PROPN" if tags[place].startswith("NNP") else _coarse(tags[place], token.lower_)
        )
        token.lemma_ = lemma_of(token.text, token.pos_)
    return doc


def _mend(words: list[str], tags: list[str], place: int) -> str:
    tag, word = tags[place], words[place].lower()
    before = words[place - 1].lower() if place else ""
    before_tag = tags[place - 1] if place else ""
    after_tag = tags[place + 1] if place + 1 < len(tags) else ""
    if word in _ALSO_NOUNS and _owned(words, tags, place):
        return "NN"
    if not tag.startswith(("NN", "VB", "JJ")) or word in _AUXILIARIES:
        return tag
    opens = after_tag[:2] in ("DT", "PR", "NN", "JJ", "IN")
    if tag[:2] in ("NN", "JJ") and _does(words, tags, place) and _can_be(word, "VERB"):
        return "VBZ" if tag == "NNS" else "VB"
    if place == 0 and opens and _can_be(word, "VERB") and tag != "JJ":
        return "VB"
    if before_tag in ("TO", "MD") or (before in _SUBJECTS and before_tag in ("PRP", "NN", "NNS")):
        return "VB" if _can_be(word, "VERB") and not tag.startswith("VB") else tag
    if (
        before in _OBJECTS
        and tag == "NN"
        and after_tag[:2] in ("DT", "PR")
        and _can_be(word, "VERB")
    ):
        return "VB"
    if before_tag == "CC" and place > 1 and tags[place - 2] == "VB" and opens and tag == "NN":
        return "VB" if _can_be(word, "VERB") else tag
    if before_tag in ("DT", "PRP$", "POS") and tag in ("VB", "VBP") and _can_be(word, "NOUN"):
        return "NN"
    return tag


def _owned(words: list[str], tags: list[str], place: int) -> bool:
    """Whether `will`, `can`, … is a thing: `her will`, `a forged will`; not `the rich will pay`."""
    after = tags[place + 1][:2] if place + 1 < len(tags) else ""
    first = place - 1
    while first > 0 and tags[first][:2] in ("JJ", "VB", "NN") and words[first].lower() != "'s":
        first -= 1
    owned = first >= 0 and words[first].lower() in _OWNERS
    return owned and (first == place - 1 or after not in ("VB", "RB", "JJ", "NN"))


def _does(words: list[str], tags: list[str], place: int) -> bool:
    """Whether what looks like a noun stands where a verb does: `a note that scares my …`."""
    before = words[place - 1].lower() if place > 1 else ""
    before_tag = tags[place - 1] if place else ""
    after = tags[place + 1] if place + 1 < len(tags) else ""
    if before in ("that", "who", "which"):
        return after[:2] in ("DT", "PR", "NN", "JJ", "IN")
    if before in _OBJECTS and words[place - 2].lower() in ("let", "help", "make", "watch"):
        return True
    if before_tag == "NNS" and tags[place] in ("NN", "JJ"):  # few compounds begin with a plural
        return after in ("DT", "PRP$", "PRP", "NNS")
    return before_tag == "NN" and tags[place] == "NNS" and after in ("DT", "PRP$", "PRP")


def _can_be(word: str, pos: str) -> bool:
    return bool(lemminflect.getAllLemmas(word, upos=pos))


def _coarse(tag: str, word: str) -> str:
    if word in _AUXILIARIES and tag != "NN":
        return "AUX"
    return _COARSE.get(tag[:2], "PUNCT" if not tag[:1].isalpha() else "X")


def lemma_of(word: str, pos: str) -> str:
    """The base form of a word in its part of speech, in lower case."""
    kind = pos if pos in ("NOUN", "VERB", "ADJ", "ADV") else None
    plain = kind is not None and word.isascii()  # it cuts letters off `café`
    found = lemminflect.getLemma(word.lower(), upos=kind) if plain else ()
    return found[0] if found else word.lower()


def pipeline(name: str) -> Any:
    """`embedded`, or an installed spaCy pipeline of the user's, by its name or path.

    A pipeline that gives no lemmas gets them from lemminflect.

    Raises:
        UsageError: it is not there, cannot be loaded, is for another language or sets no tags.
    """
    if name == "embedded":
        nlp = spacy.blank("en")
        nlp.add_pipe("falsereject_tagger")
        return nlp
    if name == "spoken":
        raise UsageError(
            "extractor `spoken` asks endpoints, which only `run` and `graph build` do; "
            "set another one here"
        )
    nlp = _installed(name)
    if nlp.lang not in ("en", "xx"):
        raise UsageError(f"extractor `{name}`: it is for `{nlp.lang}`; seeds are in English")
    probe = nlp("They read old books.")
    if not probe.has_annotation("POS"):
        raise UsageError(
            f"extractor `{name}`: it sets no parts of speech (token.pos); "
            "take a pipeline with a tagger or morphologizer, or `embedded`"
        )
    if not probe.has_annotation("LEMMA"):
        nlp.add_pipe("falsereject_lemmas")
    return nlp


def _installed(name: str) -> Any:
    try:
        return spacy.load(name)
    except OSError:
        raise UsageError(
            f"extractor `{name}`: no such spaCy model is installed, and no such folder is there; "
            f"`python -m spacy download {name}`, or use `embedded`"
        ) from None
    except Exception as fault:  # whatever a package of somebody else's raises while it loads
        says = " ".join(str(fault).split())[:200]
        raise UsageError(f"extractor `{name}`: spaCy cannot load it: {says}") from None


@Language.component("falsereject_lemmas")
def lemmas(doc: Doc) -> Doc:
    """Set `lemma_` of every token by its `pos_`."""
    for token in doc:
        token.lemma_ = lemma_of(token.text, token.pos_)
    return doc
