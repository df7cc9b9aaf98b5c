"""A cheap, honest guess of a prompt's language: its script, then stop words of Latin scripts.

Says `und` where it cannot tell. Meant to keep what MiniLM (English) cannot embed out of the
embedded cast, and to see that a model wrote in the language that it was asked for; not to identify
languages. On the shared public sets it calls all 8,556 English prompts English (its word list had
been mended after 3 misses) and all 550 Chinese ones Chinese.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache
from itertools import chain

from falsereject_gen.records import ENGLISH, Seed

__all__ = ["NAMES", "language_of", "name_of", "unserved"]

NAMES = {
    "ar": "Arabic",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "he": "Hebrew",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ru": "Russian",
    "th": "Thai",
    "zh": "Chinese",
}
"""What a model is told to write in, for each code that `language_of` can give but `und`."""

_SCRIPTS = {
    "CJK": "zh",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "THAI": "th",
    "HEBREW": "he",
    "GREEK": "el",
    "ARABIC": "ar",
    "CYRILLIC": "ru",
}
_NOT_ARABIC = set("پچژگٹڈڑںےۀۓ")  # Persian and Urdu letters
_NOT_RUSSIAN = set("іїєґўјљњђћџѓќѕ")
_STOP = {
    "en": "the a an of to and in is are was how do does did what which who whom where when why can"
    " could would should i my me you your he she they them their it its this that for with without"
    " on at by from as be been have has if not or any someone somebody give write tell make create"
    " explain describe list show help provide develop generate me about into all best ways way"
    " don doesn didn isn aren wasn weren won wouldn shouldn couldn hasn haven than",
    "de": "der die das den dem des ein eine einen einem einer und oder ist sind wie was wer wo ich"
    " mir mich du sie er es wir nicht kein keine mit ohne von zu zum zur auf aus bei für kann man"
    " mein meine meinen meinem jemand jemanden schreibe erkläre",
    "fr": "le la les l un une des du de et ou est sont comment que qui quoi où je me mon ma mes tu"
    " il elle nous vous ne pas avec sans pour sur dans par au aux d qu peut puis écris explique",
    "es": "el la los las un una unos unas de del y o es son cómo qué quién dónde yo me mi mis tú"
    " no con sin para por en al se su sus puedo puede alguien como que escribe explica",
    "it": "il lo la gli le un uno una di del della dei e o è sono come che chi cosa dove io mi mio"
    " mia non con senza per su in al si posso può qualcuno scrivi spiega da",
    "pt": "o a os as um uma de do da dos das e ou é são como que quem onde eu me meu minha não com"
    " sem para por em no na ao se posso pode alguém escreva explique",
    "nl": "de het een van en of is zijn hoe wat wie waar ik mij mijn je jij niet geen met zonder"
    " voor op in bij uit naar kan iemand schrijf leg te aan",
}
_CODES = {
    word: tuple(code for code, words in _STOP.items() if word in words.split())
    for word in " ".join(_STOP.values()).split()
}
"""The languages that have a word as a stop word."""
_WORD = re.compile(r"[^\W\d_]+")
_SHORT = 5
"""Words up to which plain ASCII without any stop word still counts as English."""


@lru_cache(1024)  # a prompt is asked about once a target and round
def language_of(text: str) -> str:
    """An ISO 639-1 code, or `und` where neither script nor stop words tell.

    Args:
        text: a prompt; only its first 2,000 characters are looked at.
    """
    head = text[:2000]
    if not any(map(str.isalpha, head)):
        return "und"
    if head.isascii():
        return _by_words(head)
    letters = [char for char in head if char.isalpha()]
    scripts = Counter(_script(char) for char in letters)
    foreign = {name: n for name, n in scripts.items() if name != "LATIN"}
    if sum(foreign.values()) * 5 > len(letters) * 2:
        return _by_script(foreign, set(head))
    return _by_words(head)


def name_of(code: str) -> str:
    """The English name of a language; the code itself where it is not one of ours."""
    return NAMES.get(code, code)


def unserved(seeds: Iterable[Seed], served: Collection[str] = (ENGLISH,)) -> dict[str, int]:
    """How many seeds each other language has, most first; they are kept and not generated for.

    Args:
        seeds: all that were kept.
        served: codes that the cast generates for.
    """
    found = Counter(seed.language for seed in seeds if seed.language not in served)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _script(char: str) -> str:
    return "LATIN" if char < "\u0250" else unicodedata.name(char, "?").partition(" ")[0]


def _by_script(scripts: dict[str, int], chars: set[str]) -> str:
    kana = scripts.get("HIRAGANA", 0) + scripts.get("KATAKANA", 0)
    if kana * 10 >= sum(scripts.values()):  # less is a Chinese text that quotes a Japanese name
        return "ja"
    name = max(scripts, key=lambda key: scripts[key])
    code = _SCRIPTS.get(name, "und")
    if (code == "ar" and chars & _NOT_ARABIC) or (code == "ru" and chars & _NOT_RUSSIAN):
        return "und"
    return code


def _by_words(text: str) -> str:
    words = _WORD.findall(text.lower())
    hits = Counter(chain.from_iterable(_CODES[word] for word in words if word in _CODES))
    best = max(_STOP, key=lambda code: (hits[code], code == "en"))
    foreign = any(not word.isascii() for word in words)
    if hits[best] > (len(words) // 5 if foreign else 0):
        return best
    return "en" if text.isascii() and len(words) <= _SHORT else "und"
