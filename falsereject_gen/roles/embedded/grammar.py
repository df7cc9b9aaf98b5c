"""From a reading to a sentence: frames, slots, inflection.

A frame is a generic sentence around a verb phrase (`do`) or an indirect question (`wh`), or one of
a reading's own requests (`ask`). The grammar enumerates shapes, it does not judge them: which one
is tried, and in which order, is the generator's search.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from falsereject_gen.entities.english import article, gerund, plural, sentence_case
from falsereject_gen.errors import RoomError
from falsereject_gen.records import content_id
from falsereject_gen.roles.embedded.knowledge import Reading
from falsereject_gen.rooms import Rooms

__all__ = ["MAX_WORDS", "MIN_WORDS", "Grammar", "Shape", "load_grammar"]

MIN_WORDS, MAX_WORDS = 8, 45
OWN_SHARE = 0.98
"""How often a reading's own request is taken, generic frames having the rest."""
SCENE_SHARE = 0.4
"""How likely a set-up sentence is to come early, a plain request having 1."""
_SLOT = re.compile(r"\{(?:(a|the|pl):)?(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_BREAK = re.compile(r"[.?!] ")
_INFLECT: dict[str | None, Callable[[str], str]] = {
    None: str,
    "a": article,
    "the": "the {}".format,
    "pl": plural,
}


@dataclass(frozen=True)
class Shape:
    """One way to say a reading: the frame, and which of its phrases go in.

    An empty `phrase` means that the template is one of the reading's own requests.
    """

    template: str
    phrase: str = ""
    scene: bool = False
    tail: bool = False

    @property
    def frame(self) -> str:
        """The name of the sentence, for the rule that no frame makes up much of a run."""
        return content_id("f", self.template)


class Grammar:
    """Frames by the constituent that they need."""

    def __init__(self, frames: dict[str, list[str]]) -> None:
        self.frames = frames

    def shapes(self, reading: Reading, rng: random.Random) -> Iterator[Shape]:
        """All shapes of a reading in random order.

        A reading's own requests (`ask`) come most of the time while they last: they are the
        most specific thing that can be said. They stand alone, without a set-up.
        """
        own = [Shape(request) for request in reading.ask]
        generic = [
            Shape(frame, phrase, scene, tail)
            for slot, phrases in (("do", reading.do), ("wh", reading.wh))
            for frame in self.frames[slot]
            for phrase in phrases
            for scene in (False, True)
            for tail in ((False, True) if "[" in frame and reading.tail else (False,))
            if not (scene and _BREAK.search(frame)) and ("{who}" not in frame or reading.who)
        ]
        for shapes in (own, generic):  # the last is taken first; set-ups are rarer
            shapes.sort(key=lambda s: rng.random() * (SCENE_SHARE if s.scene else 1.0))
        while own or generic:
            take = own if own and (not generic or rng.random() < OWN_SHARE) else generic
            yield take.pop()

    def say(self, reading: Reading, shape: Shape, rng: random.Random) -> str | None:
        """The sentence of a shape, or None when it is too short or too long.

        Slots are drawn anew; the same reading, shape and random state give the same text.
        """
        text = self._framed(reading, shape, rng) if shape.phrase else shape.template
        text = sentence_case(text)
        if shape.scene and reading.scene:
            text = sentence_case(rng.choice(reading.scene)) + " " + text
        drawn = {name: rng.choice(values) for name, values in reading.slots.items()}
        text = sentence_case(_SLOT.sub(lambda m: _INFLECT[m.group(1)](drawn[m.group(2)]), text))
        text = re.sub(r"([.?!] )([a-z])", lambda m: m.group(1) + m.group(2).upper(), text)
        return text if MIN_WORDS <= len(text.split()) <= MAX_WORDS else None

    @staticmethod
    def _framed(reading: Reading, shape: Shape, rng: random.Random) -> str:
        """A generic frame with its constituents in; the slots of the phrases are still open."""
        tail = rng.choice(reading.tail) if shape.tail else ""
        text = _OPTIONAL.sub(lambda m: m.group(1) if tail else "", shape.template)
        parts = {"do": shape.phrase, "wh": shape.phrase, "tail": tail}
        if "{doing}" in text:
            parts["doing"] = gerund(shape.phrase)
        if "{who}" in text:
            parts["who"] = rng.choice(reading.who)
        return re.sub(r"\{(do|doing|wh|tail|who)\}", lambda m: parts[m.group(1)], text)


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
