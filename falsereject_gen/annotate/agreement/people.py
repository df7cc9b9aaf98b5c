"""Each annotator: right answers on controls, attention items, speed, what was skipped and flagged.

It draws attention to people and judges none: what somebody should look at stands in `remarks`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np

from falsereject_gen.annotate.agreement.gather import Given, Sheet
from falsereject_gen.annotate.agreement.records import Gold, Person
from falsereject_gen.annotate.records import Answer, Key

__all__ = ["HASTY_SHARE", "OUTLIER", "QUICK", "people"]

OUTLIER = 3.5
"""Modified z-score of the logarithm of the seconds from which an answer is an outlier (Iglewicz and
Hoaglin 1993, How to Detect and Handle Outliers: 0.6745 times distance over MAD, above 3.5)."""
QUICK = 3.0
"""An annotator whose median is this many times below, or above, that of the others is remarked."""
HASTY_SHARE = 0.1
"""Share of hasty answers from which an annotator is remarked."""
_GOLD_LOW = 0.8
"""Share of right answers to controls below which an annotator is remarked."""
_MAD = 0.6745
Answered = tuple[Answer, Key]


def people(given: Given) -> tuple[Person, ...]:
    """One record an annotator of any of the batches, by name."""
    assigned: dict[str, int] = defaultdict(int)
    said: dict[str, list[Answered]] = defaultdict(list)
    for sheet in given.sheets:
        for name in _asked(sheet):
            assigned[name] += len(sheet.batch.assignment.get(name, sheet.batch.items))
        for answer in sheet.answers:
            said[answer.annotator].append((answer, sheet.batch.keys[answer.item]))
    paces = _Paces([(name, one.seconds) for name, ones in said.items() for one, _ in ones])
    return tuple(_person(name, assigned[name], said[name], paces) for name in sorted(assigned))


def _asked(sheet: Sheet) -> set[str]:
    """Annotators of a batch: those it was made for, and whoever answered."""
    return {a.annotator for a in sheet.answers} | (
        set() if sheet.batch.open else set(sheet.batch.assignment)
    )


def _person(name: str, assigned: int, said: Sequence[Answered], paces: "_Paces") -> Person:
    answered = [(one, key) for one, key in said if one.labels and not one.skipped]
    by_question = _by_question((one, key) for one, key in answered if key.kind != "attention")
    attention = [_awake(one, key) for one, key in answered if key.kind == "attention"]
    seconds, hasty, slow = paces.of(name)
    facts = Person(
        annotator=name,
        given=assigned,
        answered=len(answered),
        skipped=sum(one.skipped for one, _ in said),
        flagged=sum(one.flagged for one, _ in said),
        gold=_gold([hit for hits in by_question.values() for hit in hits]),
        gold_by_question={question: _gold(hits) for question, hits in by_question.items()},
        attention=_gold(attention),
        seconds=median(seconds) if seconds else None,
        timed=len(seconds),
        hasty=hasty,
        slow=slow,
    )
    return facts.model_copy(update={"remarks": tuple(_remarks(facts, paces))})


def _by_question(answered: Iterable[Answered]) -> dict[str, list[bool]]:
    """Right or wrong, for each answer to a question of a benign or toxic control."""
    out: dict[str, list[bool]] = defaultdict(list)
    for one, key in answered:
        for question, right in key.expected.items():
            if question in one.labels:
                out[question].append(one.labels[question] == right)
    return dict(sorted(out.items()))


def _awake(one: Answer, key: Key) -> bool:
    return all(one.labels.get(name) == right for name, right in key.expected.items())


def _gold(hits: Sequence[bool]) -> Gold:
    if not hits:
        return Gold(right=0, asked=0)
    from scipy.stats import binomtest  # type: ignore[import-untyped]  # noqa: PLC0415 - slow

    share = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    low, high = max(0.0, float(share.low)), min(1.0, float(share.high))
    return Gold(right=sum(hits), asked=len(hits), low=low, high=high)


class _Paces:
    """Everybody's seconds an item, skipped ones too: a skip takes time as well."""

    def __init__(self, said: Iterable[tuple[str, float | None]]) -> None:
        self.by_name: dict[str, list[float]] = defaultdict(list)
        for name, seconds in said:
            if seconds is not None:
                self.by_name[name].append(seconds)
        self.logs = {n: np.log(np.maximum(s, 0.1)) for n, s in self.by_name.items()}
        everything = np.concatenate(list(self.logs.values())) if self.logs else np.zeros(0)
        self.middle = float(np.median(everything)) if len(everything) else 0.0
        self.spread = float(np.median(np.abs(everything - self.middle))) if self.logs else 0.0

    def of(self, name: str) -> tuple[list[float], int, int]:
        """Seconds of one annotator, and how many are outliers below and above."""
        if name not in self.logs or not self.spread:
            return self.by_name.get(name, []), 0, 0
        score = _MAD * (self.logs[name] - self.middle) / self.spread
        return self.by_name[name], int((score < -OUTLIER).sum()), int((score > OUTLIER).sum())

    def against_others(self, name: str) -> float | None:
        """Median seconds as a multiple of the median of the others' medians."""
        others = [median(seconds) for other, seconds in self.by_name.items() if other != name]
        mine = self.by_name.get(name)
        if not mine or not others or not median(others):
            return None
        return median(mine) / median(others)


def _remarks(facts: Person, paces: _Paces) -> Iterable[str]:
    failed = facts.attention.asked - facts.attention.right
    if failed:
        yield f"failed {failed} of {facts.attention.asked} attention items"
    gold = facts.gold
    if gold.asked and gold.right / gold.asked < _GOLD_LOW:
        yield f"{gold.right} of {gold.asked} right on controls"
    pace = paces.against_others(facts.annotator)
    if pace is not None and pace * QUICK <= 1:
        yield f"suspiciously quick: {facts.seconds:.1f} s an item, {pace:.2f} x the others"
    if pace is not None and pace >= QUICK:
        yield f"slow: {facts.seconds:.1f} s an item, {pace:.1f} x the others"
    if facts.hasty > HASTY_SHARE * max(facts.timed, 1):
        yield f"{facts.hasty} of {facts.timed} answers far quicker than usual"
    if not facts.answered:
        yield "answered nothing"
