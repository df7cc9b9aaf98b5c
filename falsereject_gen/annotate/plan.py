"""The plan of a batch: which rows and controls, who sees which, in which order. Writes nothing."""

import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from falsereject_gen.annotate.controls import CONTROLS, Pools, draw_controls
from falsereject_gen.annotate.records import Item, ItemKind, Key
from falsereject_gen.annotate.sample import METHOD, bands, draw
from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.records import Row

__all__ = ["ANYBODY", "Plan", "Wanted", "make_plan"]

ANYBODY = ("annotator",)
"""The one assignment of a batch that was made for nobody by name."""
_NAME = re.compile(r"\w(?:[\w .@+-]{0,62}[\w@+-])?")


@dataclass(frozen=True)
class Wanted:
    """What is asked of a batch.

    `size` 0 takes all rows. `controls` is the share of one person's items that are controls, of
    which `attention` are attention items. `without` holds ids of rows that an earlier batch had.
    """

    annotators: tuple[str, ...] = ANYBODY
    overlap: int = 1
    size: int = 0
    rng: int = 0
    pilot: bool = False
    controls: float = 0.0
    attention: float = 0.2
    toxic_side: bool = True
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """A batch before it is written; `told` goes into its manifest, `limits` to the user too."""

    items: tuple[Item, ...]
    keys: tuple[Key, ...]
    assignment: dict[str, list[str]]
    told: dict[str, Any]
    limits: tuple[str, ...]


class _Mark(NamedTuple):
    """As much of a row as it is drawn by, and its place: all rows as records may be too many."""

    id: str
    category: str
    strategy: str
    harm: float
    place: int


def make_plan(rows: Sequence[Row], pools: Pools, wanted: Wanted) -> Plan:
    """Draw rows and controls and deal them out; the same input and seed give the same plan.

    Each row goes to `overlap` people, each control to all; loads differ by one row at most; each
    person has an order of their own.

    Args:
        rows: published rows, in any order.
        pools: controls to choose from.
        wanted: size, people, shares, seed.

    Raises:
        UsageError: names that cannot be, or more people a row than there are.
        InputError: no row is left.
    """
    people = _people(wanted)
    marks = [_Mark(r.id, r.category, r.strategy, r.harm, k) for k, r in enumerate(rows)]
    there = {mark.id: mark for mark in marks if mark.id not in wanted.without}
    if not there:
        gone = f" ({len(rows):,} are in earlier batches)" if rows else ""
        raise InputError(f"no row to annotate{gone}")
    drawn = [rows[m.place] for m in draw(list(there.values()), wanted.size, wanted.rng)]
    overlap = len(people) if wanted.pilot else wanted.overlap
    asked = _controls(len(drawn) * overlap / len(people), wanted)
    dice = random.Random(f"controls:{wanted.rng}")
    added = draw_controls(pools, drawn, asked, dice, {row.prompt for row in rows})
    pairs = [(_item(row), _key(row)) for row in drawn]
    hands = _deal([item.id for item, _ in pairs], people, overlap, wanted.rng)
    everyone = [item.id for item, _ in added]
    assignment = {name: _mixed(hands[name] + everyone, wanted.rng, name) for name in people}
    made = sorted(pairs + added, key=lambda pair: pair[0].id)
    given = Counter(key.kind for _, key in added)
    told = {
        **_drawn(rows, there, drawn, wanted),
        "annotators": list(people),
        "open": people == ANYBODY,
        "overlap": overlap,
        "pilot": wanted.pilot,
        "controls": {k: {"asked": asked[k], "drawn": given[k]} for k in CONTROLS if k in asked},
    }
    limits = _limits(len(there), asked, given, wanted)
    items, keys = (tuple(part) for part in zip(*made, strict=True))
    return Plan(items, keys, assignment, told, tuple(limits))


def _people(wanted: Wanted) -> tuple[str, ...]:
    people = wanted.annotators
    for name in people:
        if not _NAME.fullmatch(name):
            what = "a name has letters, digits and . @ + - _, 64 characters at most"
            raise UsageError(f"--annotators {name!r}: {what}")
    double = [name for name, count in Counter(map(str.casefold, people)).items() if count > 1]
    if double or not people:
        raise UsageError(f"--annotators: {double[0]} stands twice" if double else "--annotators: -")
    if not wanted.pilot and not 1 <= wanted.overlap <= len(people):
        what = f"{len(people)} annotator(s) cannot give each row {wanted.overlap} readers"
        raise UsageError(f"--overlap {wanted.overlap}: {what}")
    return people


def _controls(load: float, wanted: Wanted) -> dict[ItemKind, int]:
    """How many controls of each kind go to everybody whose rows number `load`."""
    total = math.ceil(round(load * wanted.controls / (1 - wanted.controls), 6))
    attention = round(total * wanted.attention)
    toxic = (total - attention) // 2 if wanted.toxic_side else 0
    asked: dict[ItemKind, int] = {"control-benign": total - attention - toxic}
    asked |= {"control-toxic": toxic} if wanted.toxic_side else {}
    return asked | {"attention": attention}


def _deal(
    ids: Sequence[str], people: Sequence[str], overlap: int, rng: int
) -> dict[str, list[str]]:
    """Each id to `overlap` people: those with the fewest so far, then the rarest company.

    Taking the least loaded keeps loads within one of each other after every row.
    """
    dice = random.Random(f"deal:{rng}")
    hands: dict[str, list[str]] = {name: [] for name in people}
    company: Counter[tuple[str, str]] = Counter()
    for one in ids:
        free, chosen = list(people), list[str]()
        dice.shuffle(free)
        for _ in range(overlap):
            best = min(free, key=lambda n: (len(hands[n]), sum(company[n, c] for c in chosen)))
            free.remove(best)
            company.update(pair for c in chosen for pair in ((best, c), (c, best)))
            chosen.append(best)
        for name in chosen:
            hands[name].append(one)
    return hands


def _mixed(ids: list[str], rng: int, name: str) -> list[str]:
    line = sorted(ids)
    random.Random(f"order:{rng}:{name}").shuffle(line)
    return line


def _item(row: Row) -> Item:
    return Item.make(row.prompt, row.category, row.category_name, row.domain)


def _key(row: Row) -> Key:
    return Key(
        item=_item(row).id,
        row_id=row.id,
        strategy=row.strategy,
        harm=row.harm,
        looks_toxic=row.looks_toxic,
    )


def _drawn(
    rows: Sequence[Row], there: dict[str, _Mark], drawn: Sequence[Row], wanted: Wanted
) -> dict[str, Any]:
    band = bands(there.values())
    could = Counter((row.category, row.strategy, band(row)) for row in there.values())
    taken: Counter[tuple[str, str, str]] = Counter(
        (row.category, row.strategy, band(row)) for row in drawn
    )
    return {
        "run_ids": sorted({row.run_id for row in rows}),
        "sampler": {"method": METHOD, "rng": wanted.rng, "asked": wanted.size or "all"},
        "rows": {
            "available": len(there),
            "drawn": len(drawn),
            "left_out": len(there) - len(drawn),
            "in_earlier_batches": len({row.id for row in rows}) - len(there),
        },
        "strata": [
            {"category": c, "strategy": s, "band": b, "available": n, "drawn": taken[c, s, b]}
            for (c, s, b), n in sorted(could.items())
        ],
    }


def _limits(
    there: int, asked: dict[ItemKind, int], given: Counter[ItemKind], wanted: Wanted
) -> list[str]:
    out = []
    if wanted.size > there:
        out.append(f"asked for {wanted.size:,} rows, had {there:,}")
    for kind, count in asked.items():
        if given[kind] < count:
            out.append(f"asked for {count:,} of {kind}, had {given[kind]:,}")
    if wanted.controls and not wanted.toxic_side:
        out.append("no toxic controls, as asked: who calls everything benign is not found out")
    return out
