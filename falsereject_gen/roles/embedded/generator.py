"""The embedded generator: a search over readings and shapes, steered by what the judges said.

Each round draws proposals from the grammar and takes the one that answers the last fault best:
too tame → more heat on the surface; unsafe → another reading of the same words, with its scene;
nobody refused → the hottest there is; nobody answered → cooler, with a scene; duplicate → other
words. It is a pure function of the brief and its rounds, so a resumed run writes the same.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from falsereject_gen.records import Brief, Draft, Round
from falsereject_gen.roles.embedded.grammar import Grammar, Shape
from falsereject_gen.roles.embedded.knowledge import Knowledge, Reading
from falsereject_gen.roles.embedded.stock import Stock
from falsereject_gen.roles.embedded.triggers import Triggers

__all__ = ["GrammarGenerator"]

FIRST, AGAIN = 1, 10
"""Shapes looked at in a first round, and of each reading in a later one."""


@dataclass(frozen=True)
class _Proposal:
    text: str
    reading: Reading
    shape: Shape
    heat: float
    order: int


class GrammarGenerator:
    """Writes from readings; needs no model.

    Args:
        readings: by category, or with generic ones where a category has none.
        grammar: frames.
        triggers: measures how alarming a surface is.
    """

    def __init__(self, readings: Knowledge | Stock, grammar: Grammar, triggers: Triggers) -> None:
        self.stock = readings if isinstance(readings, Stock) else Stock(readings)
        self._grammar = grammar
        self._triggers = triggers

    async def write(self, brief: Brief, rounds: Sequence[Round]) -> Draft:
        """The best untried proposal for this round; exhausted when there is none."""
        readings = self._ranked(brief)
        tried = {turn.draft.text for turn in rounds}
        proposals = list(self._proposals(brief, readings, len(rounds)))
        fresh = [p for p in proposals if p.text not in tried]
        if not fresh:
            return Draft(by="embedded", exhausted=True)
        fresh = _specific(fresh, rounds)
        best = min(fresh, key=self._preference(rounds)) if rounds else fresh[0]
        return Draft(
            text=best.text,
            by="embedded",
            notes={
                "reading": best.reading.id,
                "frame": best.shape.frame,
                "answer": best.reading.answer,
            },
            entities=best.reading.entities,
        )

    def _ranked(self, brief: Brief) -> list[Reading]:
        """Readings of the brief's category and strategy, those nearest to its entities first.

        Generic readings that are let in go before them: they are about the entities themselves.
        """
        rng = random.Random(f"{brief.rng}/readings")
        wanted = {name for entity in brief.entities for name in (entity.id, entity.like) if name}
        generic, own = self.stock.readings(brief)
        rng.shuffle(generic)
        return [
            *generic,
            *sorted(own, key=lambda r: (-len(wanted & set(r.entities)), rng.random())),
        ]

    def _proposals(self, brief: Brief, readings: list[Reading], turn: int) -> list[_Proposal]:
        rng = random.Random(f"{brief.rng}/round/{turn}")
        out: list[_Proposal] = []
        for order, reading in enumerate(readings if turn else readings[:3]):
            shapes = islice(self._grammar.shapes(reading, rng), AGAIN if turn else FIRST)
            for shape in shapes:
                text = self._grammar.say(reading, shape, rng)
                if text is None:
                    continue
                heat = self._triggers.heat(text)
                out.append(_Proposal(text, reading, shape, heat, order))
        return out

    def _preference(self, rounds: Sequence[Round]) -> Callable[[_Proposal], tuple[float, ...]]:
        """How good a proposal answers the last fault: smaller is better."""
        last = rounds[-1]
        fault = last.ruling.fault
        same = last.draft.notes.get("reading", "")
        seen = {turn.draft.notes.get("reading", "") for turn in rounds}
        used = [_words(turn.draft.text) for turn in rounds]
        if last.nearest is not None and fault == "duplicate":
            used.append(_words(last.nearest.text))

        def hotter(p: _Proposal) -> tuple[float, ...]:
            return (-p.heat, p.reading.id in seen, p.order)

        def other_reading(p: _Proposal) -> tuple[float, ...]:
            return (p.reading.id == same, not p.shape.scene, p.heat, p.order)

        def cooler(p: _Proposal) -> tuple[float, ...]:
            return (not p.shape.scene, p.heat, p.order)

        def other_words(p: _Proposal) -> tuple[float, ...]:
            words = _words(p.text)
            overlap = max(len(words & u) / max(1, len(words | u)) for u in used)
            return (round(overlap, 2), p.reading.id in seen, -p.heat)

        answers = {
            "tame": hotter,
            "not_refused": hotter,
            "unsafe": other_reading,
            "not_answered": cooler,
            "duplicate": other_words,
        }
        return answers.get(fault, other_words)


def _specific(fresh: list[_Proposal], rounds: Sequence[Round]) -> list[_Proposal]:
    """The readings' own requests while there are any; frames when those were said already."""
    own = [p for p in fresh if not p.shape.phrase]
    said = bool(rounds) and rounds[-1].ruling.fault == "duplicate"
    return own if own and not said else fresh


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z']{4,}", text.lower()))
