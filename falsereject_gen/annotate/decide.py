"""From what people said of a row to one label a question, or the reason why there is none.

Three methods; none of them settles a tie by itself. What people said is counted over the batch and
its tie-breaks together: whoever dissents counts, whenever they were asked.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from pydantic import Field

from falsereject_gen.records import Record, Unit

__all__ = ["FEWEST", "METHODS", "UNDECIDED", "Decision", "Method", "decide"]

Method = Literal["majority", "unanimous", "dawid-skene"]
METHODS: tuple[Method, ...] = get_args(Method)
FEWEST = 2
"""Answers below which nothing is decided."""
UNDECIDED: Mapping[str, str] = {
    "no_answers": "nobody answered it",
    "too_few": "one answer only",
    "tie": "as many said one thing as another",
    "no_majority": "no answer has more than half",
    "not_unanimous": "not everybody agrees",
    "uncertain": "the model is not sure enough",
}
"""Why there is no label, by the name that stands in the JSON."""


class Decision(Record):
    """What was decided of one question on one row."""

    label: str = Field(default="", description="Empty when undecided.")
    counts: dict[str, int] = Field(description="People by answer.")
    how: str = Field(default="", description="The method, or `tie-break` where that decided.")
    undecided: str = Field(default="", description="Why there is no label; a key of UNDECIDED.")
    probability: Unit | None = Field(default=None, description="Of the label, by Dawid-Skene.")


def decide(
    method: Method,
    first: Mapping[str, int],
    ties: Mapping[str, int],
    *,
    chances: Mapping[str, float] | None = None,
    sure: float = 0.95,
) -> Decision:
    """Decide one question on one row.

    majority: more than half of all who answered say it. unanimous: all say it; where they did not,
    all tie-breakers and more than half of everybody. dawid-skene: the model gives it `sure`.

    Args:
        method: how.
        first: people by answer in the batch itself; every allowed answer is a key.
        ties: the same in its tie-breaks.
        chances: probability by answer, for dawid-skene.
        sure: probability from which dawid-skene decides.
    """
    counts = {answer: first.get(answer, 0) + ties.get(answer, 0) for answer in first}
    total = sum(counts.values())
    if total < FEWEST:
        return Decision(counts=counts, undecided="too_few" if total else "no_answers")
    if method == "dawid-skene":
        return _modelled(counts, chances or {}, sure)
    best = max(counts, key=lambda answer: counts[answer])
    if method == "unanimous":
        return _unanimous(counts, ties, best)
    if 2 * counts[best] > total:
        broken = bool(sum(ties.values())) and not _more_than_half(first, best)
        return Decision(label=best, counts=counts, how="tie-break" if broken else method)
    even = sum(count == counts[best] for count in counts.values()) > 1
    return Decision(counts=counts, undecided="tie" if even else "no_majority")


def _unanimous(counts: dict[str, int], ties: Mapping[str, int], best: str) -> Decision:
    if counts[best] == sum(counts.values()):
        return Decision(label=best, counts=counts, how="unanimous")
    breakers = sum(ties.values())
    if breakers and ties.get(best, 0) == breakers and _more_than_half(counts, best):
        return Decision(label=best, counts=counts, how="tie-break")
    return Decision(counts=counts, undecided="not_unanimous")


def _modelled(counts: dict[str, int], chances: Mapping[str, float], sure: float) -> Decision:
    if not chances:
        return Decision(counts=counts, undecided="no_answers")
    best = max(chances, key=lambda answer: chances[answer])
    chance = min(max(chances[best], 0.0), 1.0)
    if chance < sure:
        return Decision(counts=counts, undecided="uncertain", probability=chance)
    return Decision(label=best, counts=counts, how="dawid-skene", probability=chance)


def _more_than_half(counts: Mapping[str, int], answer: str) -> bool:
    return 2 * counts.get(answer, 0) > sum(counts.values())
