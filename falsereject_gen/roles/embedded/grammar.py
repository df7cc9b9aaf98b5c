"""From a reading to a sentence: frames, slots, inflection.

A frame is a generic sentence around a verb phrase (`do`) or an indirect question (`wh`), or one of
a reading's own requests (`ask`). The grammar enumerates shapes, it does not judge them: which one
is tried, and in which order, is the generator's search.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from falsereject_gen.errors import RoomError
from falsereject_gen.records import content_id
from falsereject_gen.entities.english import article, gerund, plural, sentence_case
from falsereject_gen.roles.embedded.knowledge import Reading
from falsereject_gen.rooms import Rooms

__all__ = ["MAX_WORDS", "MIN_WORDS", "Grammar", "Shape", "load_grammar"]

MIN_WORDS, MAX_WORDS = 8, 45
_SLOT = re.compile(r"\{(?:(a|the|pl):)?(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_BREAK = re.compile(r"[.?!] ")
_INFLECT = {None: str, "a": article, "the": "the {}".format, "pl": plural}


@dataclass(frozen=True)
class Shape:
    """One way to say a reading: the frame, and which of its phrases go in.

    `frame` names the sentence (for the two-per-cent rule); `scene` is -1 without a set-up.
    """

    frame: str
    template: str
    phrase: str
    scene: str
    tail: bool


class Grammar:
    """Frames by the constituent that they need."""

    def __init__(self, frames: dict[str, list[str]]) -> None:
        self.frames = frames

    def shapes(self, reading: Reading, rng: random.Random) -> Iterator[Shape]:
        """All shapes of a reading in random order, its own requests first and again and again.

        A reading's own requests (`ask`) come before and between the generic frames: they are the
        most specific thing that can be said, so two of three proposals are such while they last.
        """
        own = [Shape(content_id("f", a), a, "", s, False) for a in reading.ask for s in ("", "+")]
        own = [s for s in own if not s.scene or not _BREAK.search(s.template)]
        generic = [
            Shape(content_id("f", frame), frame, phrase, scene, tail)
            for slot, phrases in (("do", reading.do), ("wh", reading.wh))
            for frame in self.frames[slot]
            for phrase in phrases
            for scene in ("", "+")
            for tail in ((False, True) if "[" in frame and reading.tail else (False,))
            if not (scene and _BREAK.search(frame)) and ("{who}" not in frame or reading.who)
        ]
        rng.shuffle(own)
        rng.shuffle(generic)
        while own or generic:
            take = own if own and (not generic or rng.random() < 2 / 3) else generic
            yield take.pop()

    def say(self, reading: Reading, shape: Shape, rng: random.Random) -> str | None:
        """The sentence of a shape, or None when it is too short or too long.

        Slots are drawn anew; the same reading, shape and random state give the same text.
        """
        keep_tail = rng.choice(reading.tail) if shape.tail else ""
        text = _OPTIONAL.sub(lambda m: m.group(1) if keep_tail else "", shape.template)
        parts = {"do": shape.phrase, "doing": gerund(shape.phrase), "wh": shape.phrase}
        parts |= {"tail": keep_tail, "who": rng.choice(reading.who) if reading.who else ""}
        for name, part in parts.items():
            text = text.replace("{" + name + "}", part)
        text = sentence_case(text)
        if shape.scene and reading.scene:
            text = sentence_case(rng.choice(reading.scene)) + " " + text
        drawn = {name: rng.choice(values) for name, values in reading.slots.items()}
        text = sentence_case(_SLOT.sub(lambda m: _INFLECT[m.group(1)](drawn[m.group(2)]), text))
        text = re.sub(r"([.?!] )([a-z])", lambda m: m.group(1) + m.group(2).upper(), text)
        return text if MIN_WORDS <= len(text.split()) <= MAX_WORDS else None


def load_grammar(rooms: Rooms) -> Grammar:
    """Read graphs/grammar.yaml.

    Raises:
        RoomError: a frame lacks its constituent.
    """
    frames = rooms.yaml("graphs/grammar.yaml")
    for slot in ("do", "wh"):
        for frame in frames[slot]:
            if "{" + slot not in frame:
                raise RoomError(f"graphs/grammar.yaml: `{slot}` frame without it: {frame!r}")
    return Grammar(frames)
