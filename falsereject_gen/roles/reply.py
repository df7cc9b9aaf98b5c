"""A model's raw reply made readable: chat tokens, reasoning and typography off, shape counted.

What the words mean is refusal.py; nothing here is about refusing.
"""

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from falsereject_gen.seeds.language import language_of

__all__ = ["LONGEST", "Reply", "clean"]

LONGEST = 6000
"""Characters that are looked at: the first two thirds and the last third of a longer reply."""

_THOUGHT = re.compile(
    r"<(think|thinking|reasoning|analysis)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE
)
_THOUGHT_END = re.compile(
    r"\A.*</(?:think|thinking|reasoning|analysis)>", re.DOTALL | re.IGNORECASE
)
_TOKENS = re.compile(
    r"</?s>|<<SYS>>.*?<</SYS>>|\[/?INST\]|<pad>|<unk>|<bos>|<eos>|<\|[a-z_0-9]{1,40}\|>"
    r"|<(?:start|end)_of_turn>(?:model|user)?",
    re.DOTALL | re.IGNORECASE,
)
_ECHO = re.compile(r"\A.*\[/INST\]", re.DOTALL)
_ROLE = re.compile(
    r"\A\W{0,3}(?:assistant|ai|answer|response|model|bot|gpt-?4?)\W{0,2}(?::|\n)\s*", re.I
)
_LIST = re.compile(
    r"^[ \t]*(?:[-*•+–]|\d{1,2}[.)]|step \d+\s*[:.]|[a-h][.)])[ \t]+\S", re.MULTILINE | re.I
)
_CODE = re.compile(
    r"```|^(?: {4,}|\t)?(?:def |import |from \w+ import|#include|function |const |<\?php|<html)",
    re.MULTILINE,
)
_SPEECH = re.compile(r'"[^"\n]{2,600}"?')
_SPLIT = re.compile(r"(?<=[.!?:])[\"')*]* +(?=[^ ])")
_ENGLISH = frozenset(
    (
        *("the", "a", "an", "of", "to", "and", "in", "is", "are", "was", "i", "i'm", "you", "your"),
        *("it", "it's", "that", "this", "for", "with", "can", "cannot", "can't", "not", "be", "or"),
        *("on", "as", "have", "if", "but", "by", "sorry,", "my", "we", "they"),
    )
)
_MARKS = str.maketrans(
    {
        **dict.fromkeys("’‘‛´`ʼ", "'"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("\u200b\ufeff*#", ""),
        **{"—": " - ", "…": "...", "\u00a0": " ", "_": " "},
    }
)


@dataclass(frozen=True)
class Reply:
    """What a reader sees of a reply.

    Attributes:
        shown: the text without tokens and thoughts, lines kept.
        text: lower case, one line, straight quotes, no emphasis marks.
        thought: reasoning stood in it and was left out.
        clipped: it was longer than LONGEST.
    """

    shown: str
    text: str
    thought: bool = False
    clipped: bool = False

    @cached_property
    def own(self) -> str:
        """The text with quoted speech blanked out, at the same length."""
        return _SPEECH.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', self.text)

    @cached_property
    def sentences(self) -> list[tuple[int, int]]:
        """Start and end of each sentence in `text`."""
        starts = [0, *(found.end() for found in _SPLIT.finditer(self.text))]
        return list(zip(starts, [*starts[1:], len(self.text)], strict=True))

    def sentence(self, place: int) -> int:
        """Number of the sentence that holds a place in `text`."""
        return bisect_right(self._starts, place) - 1

    @cached_property
    def _starts(self) -> list[int]:
        return [start for start, _ in self.sentences]

    @cached_property
    def opening(self) -> int:
        """Where the first two sentences end; very short ones count together."""
        for _, end in self.sentences[1:]:
            if end >= 40:
                return end
        return len(self.text)

    @cached_property
    def worded(self) -> bool:
        """Whether a letter or digit stands in it at all."""
        return any(map(str.isalnum, self.text))

    @cached_property
    def surely_english(self) -> bool:
        """Whether its first words say that it is English, and not only nothing else."""
        return self._english and language_of(self.text[:400]) == "en"

    @cached_property
    def _english(self) -> bool:
        words = self.text[:400].split()
        return sum(word in _ENGLISH for word in words) * 6 >= len(words)

    @cached_property
    def language(self) -> str:
        """ISO 639-1 code of its language; what is too short or too mixed to tell counts as `en`."""
        if self._english or self.code:
            return "en"
        found = language_of(self.text[:400])
        foreign = sum(char > "\u024f" for char in self.text[:400]) * 3 > len(self.text[:400])
        return "en" if found == "und" and not foreign else found

    @cached_property
    def asks(self) -> bool:
        """Whether it ends in a question and at least half of its sentences are questions."""
        marks = sum(self.text[a:b].rstrip(" \"')").endswith("?") for a, b in self.sentences)
        return self.text.endswith("?") and marks * 2 >= len(self.sentences)

    @cached_property
    def items(self) -> int:
        """Lines that are items of a list."""
        return len(_LIST.findall(self.shown))

    @cached_property
    def code(self) -> bool:
        """Whether there is program code in it."""
        return bool(_CODE.search(self.shown))


def clean(raw: str) -> Reply:
    """Strip what the reader of a chat does not see, and level the typography."""
    shown = raw
    if "[/INST]" in shown:
        shown = _ECHO.sub("", shown)  # the prompt's echo; the reply follows the last one
    bare = _THOUGHT_END.sub("", _THOUGHT.sub("", shown)) if "<" in shown else shown
    thought, shown = len(bare) < len(shown), bare
    if "<" in shown or "[" in shown:
        shown = _TOKENS.sub(" ", shown)
    shown = _ROLE.sub("", shown.strip())
    clipped = len(shown) > LONGEST
    if clipped:
        shown = f"{shown[: LONGEST * 2 // 3]}\n{shown[-LONGEST // 3 :]}"
    text = shown if shown.isascii() else unicodedata.normalize("NFKC", shown)
    text = " ".join(text.translate(_MARKS).lower().split())
    return Reply(shown, text, thought, clipped)
