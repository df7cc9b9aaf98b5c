"""A batch of the rows that people dispute, for people who have not seen them.

Items and keys are those of the first batch, so that answers join; controls are drawn from its own,
for those who have not had them.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path

from falsereject_gen.annotate.adjudicate import Adjudication
from falsereject_gen.annotate.agreement.gather import Given, fingerprint
from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.plan import Plan
from falsereject_gen.errors import InputError, UsageError

__all__ = ["CONTROL_SHARE", "free_name", "plan_tie_break", "write_tie_break"]

_NAME = re.compile(r"\w(?:[\w .@+-]{0,62}[\w@+-])?")  # as plan.py has it: names become folders
CONTROL_SHARE = 0.1
"""Share of a tie-breaker's items that are controls, as far as the first batch has any."""


def write_tie_break(
    given: Given, found: Adjudication, names: Sequence[str], folder: Path, *, overlap: int = 1
) -> Batch:
    """Write the batch, in the first batch's formats.

    Args:
        given: the batch and earlier tie-breaks.
        found: its adjudication; without disputed rows there is nothing to write.
        names: annotators; nobody gets a row that they were given before.
        folder: the new batch's.
        overlap: people a row.

    Raises:
        UsageError: no names, a name twice, or more people a row than names.
        InputError: nothing is disputed, or too few of the people have not seen a row.
        StoreError: the folder cannot be written, or holds answers.
    """
    plan = plan_tie_break(given, found, names, overlap)
    return export(plan, folder, given.first.batch.manifest.get("formats", ()))


def plan_tie_break(
    given: Given, found: Adjudication, names: Sequence[str], overlap: int = 1
) -> Plan:
    """Who gets which disputed row and which controls; the same input gives the same plan."""
    people = _people(names)
    if not 1 <= overlap <= len(people):
        raise UsageError(f"--overlap {overlap}: {len(people)} annotator(s) named")
    disputed = [row.item for row in found.disputed]
    if not disputed:
        raise InputError(
            "no row is disputed: there is no tie to break", path=given.first.batch.name
        )
    batch = given.first.batch
    dice = random.Random(f"tie-break:{given.digest()}")
    hands = _deal(given, disputed, people, overlap, dice)
    controls = [item for item, key in batch.keys.items() if key.kind != "row"]
    seen = _seen(given)
    drawn = set()
    for name, hand in hands.items():
        fresh = [item for item in controls if name not in seen.get(item, ())]
        wanted = round(len(hand) * CONTROL_SHARE / (1 - CONTROL_SHARE))
        mixed = dice.sample(fresh, min(wanted, len(fresh)))
        drawn |= set(mixed)
        hand += mixed
        dice.shuffle(hand)
    chosen = sorted({*disputed, *drawn})
    told = {
        "run_ids": batch.manifest.get("run_ids", []),
        "sampler": {"method": "every disputed row", "rng": 0, "asked": "all"},
        "rows": {"available": len(disputed), "drawn": len(disputed), "left_out": 0},
        "strata": [],
        "annotators": people,
        "open": False,
        "overlap": overlap,
        "pilot": False,
        "controls": {},
        "tie_break_of": {"batch": batch.name, "sha256": fingerprint(batch)},
    }
    items, keys = (tuple(part[item] for item in chosen) for part in (batch.items, batch.keys))
    return Plan(items, keys, hands, told, ())  # type: ignore[arg-type]


def free_name(folder: Path) -> Path:
    """`<batch>-tie-break-1` beside the batch, or the first number that is free."""
    folder, number = folder.resolve(), 1
    while (place := folder.with_name(f"{folder.name}-tie-break-{number}")).exists():
        number += 1
    return place


def _people(names: Sequence[str]) -> list[str]:
    people = [name.strip() for name in names if name.strip()]
    if not people or len({name.casefold() for name in people}) < len(people):
        raise UsageError("--tie-break: names of other annotators, each once, separated by commas")
    for name in people:
        if not _NAME.fullmatch(name):
            what = "a name has letters, digits and . @ + - _, 64 characters at most"
            raise UsageError(f"--tie-break {name!r}: {what}")
    return people


def _seen(given: Given) -> dict[str, set[str]]:
    """Who was given an item, or answered it, in any of the batches."""
    out: dict[str, set[str]] = {}
    for sheet in given.sheets:
        if not sheet.batch.open:
            for name, items in sheet.batch.assignment.items():
                for item in items:
                    out.setdefault(item, set()).add(name)
        for answer in sheet.answers:
            out.setdefault(answer.item, set()).add(answer.annotator)
    return out


def _deal(
    given: Given, items: Sequence[str], people: Sequence[str], overlap: int, dice: random.Random
) -> dict[str, list[str]]:
    """Each item to `overlap` people who have not seen it, those with the fewest so far first."""
    seen, hands = _seen(given), {name: list[str]() for name in people}
    free = {item: [n for n in people if n not in seen.get(item, ())] for item in items}
    for item in sorted(items, key=lambda one: (len(free[one]), one)):
        fresh = free[item]
        if len(fresh) < overlap:
            had = ", ".join(name for name in people if name not in fresh)
            what = f"{item} needs {overlap} who have not seen it; {had} had it; name somebody else"
            raise InputError(what, path=given.first.batch.name)
        dice.shuffle(fresh)
        for name in sorted(fresh, key=lambda one: len(hands[one]))[:overlap]:
            hands[name].append(item)
    return hands
