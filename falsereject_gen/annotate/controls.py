"""Controls of a batch: requests whose right answers are known, from our own files.

Gold items are the contrast pairs of graphs/seeds/ (one side benign, one toxic), attention items
those of graphs/controls.yaml. An annotator cannot tell one from a row: it gets a category of the
batch's rows, in the rows' proportions, and the same fields.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from falsereject_gen.annotate.questions import QUESTIONS
from falsereject_gen.annotate.records import Item, ItemKind, Key
from falsereject_gen.errors import RoomError
from falsereject_gen.records import Row
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.bundled import seed_files

__all__ = ["CONTROLS", "Control", "Pools", "draw_controls", "load_pools"]

CONTROLS: tuple[ItemKind, ...] = ("control-benign", "control-toxic", "attention")
_ASSET = "graphs/controls.yaml"
_GOLD = {"control-benign": {"benign": "yes"}, "control-toxic": {"benign": "no"}}


class Control(NamedTuple):
    """A request with its right answers, not yet in a batch; no category: any will do."""

    prompt: str
    kind: ItemKind
    category: str
    expected: Mapping[str, str]


@dataclass(frozen=True)
class Pools:
    """Controls that can be drawn, by kind."""

    by_kind: Mapping[ItemKind, Sequence[Control]] = field(default_factory=dict)


def load_pools(rooms: Rooms) -> Pools:
    """All controls that we have.

    Raises:
        RoomError: an asset is missing or does not fit.
    """
    gold: dict[ItemKind, Sequence[Control]] = {
        kind: [
            Control(text, kind, part.category, _GOLD[kind])
            for part in seed_files(rooms)
            for text in (getattr(pair, kind.removeprefix("control-")) for pair in part.pairs)
        ]
        for kind in CONTROLS[:2]
    }
    return Pools({**gold, "attention": _attention(rooms.yaml(_ASSET))})


def _attention(asset: Any) -> list[Control]:
    groups = asset.get("attention") if isinstance(asset, dict) else None
    allowed = {question.name: question.answers for question in QUESTIONS}
    out = []
    for number, group in enumerate(groups or [], 1):
        if not isinstance(group, dict) or set(group) != {"expected", "prompts"}:
            raise RoomError(f"{_ASSET}: group {number}: it has `expected` and `prompts`")
        for name, answer in group["expected"].items():
            if answer not in allowed.get(name, ()):
                raise RoomError(f"{_ASSET}: group {number}: `{name}: {answer}` is no answer")
        out += [Control(text, "attention", "", group["expected"]) for text in group["prompts"]]
    return out


def draw_controls(
    pools: Pools,
    rows: Sequence[Row],
    wanted: Mapping[ItemKind, int],
    dice: random.Random,
    taken: Collection[str] = (),
) -> list[tuple[Item, Key]]:
    """Draw controls to go with rows; fewer where the pools end.

    Args:
        pools: what there is.
        rows: the rows of the batch; their categories and names are used, in their proportions.
        wanted: number by kind.
        dice: everything random comes from it.
        taken: prompts that may not come (those of the run's rows).
    """
    names = {row.category: row for row in rows}
    used = set(taken)
    out: list[tuple[Item, Key]] = []
    for kind in CONTROLS:
        size = wanted.get(kind, 0)
        line = _line(rows, size, dice)
        found = _spread(pools.by_kind.get(kind, ()), line, size, dice, used)
        used |= {control.prompt for control, _ in found}
        out += [_made(control, names[category]) for control, category in found]
    return out


def _line(rows: Sequence[Row], size: int, dice: random.Random) -> list[str]:
    """As many categories as are wanted, in the rows' proportions."""
    there, start = sorted(row.category for row in rows), dice.random()
    line = [there[int((k + start) * len(there) / size)] for k in range(size)]
    dice.shuffle(line)
    return line


def _spread(
    pool: Sequence[Control], line: Sequence[str], size: int, dice: random.Random, used: set[str]
) -> list[tuple[Control, str]]:
    """Controls with their categories: down the line of the rows' categories, again and again."""
    heaps: dict[str, list[Control]] = {}
    for control in sorted(pool, key=lambda one: (one.category, one.prompt)):
        if control.prompt not in used:
            heaps.setdefault(control.category, []).append(control)
    for category in sorted(heaps):
        dice.shuffle(heaps[category])
    free = heaps.pop("", [])
    out: list[tuple[Control, str]] = []
    while len(out) < size:
        before = len(out)
        for category in line:
            heap = heaps.get(category) or free
            if heap and len(out) < size:
                out.append((heap.pop(), category))
        if len(out) == before:
            break
    return out


def _made(control: Control, row: Row) -> tuple[Item, Key]:
    item = Item.make(control.prompt, row.category, row.category_name, row.domain)
    return item, Key(item=item.id, kind=control.kind, expected=dict(control.expected))
