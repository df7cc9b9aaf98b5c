"""How a value reads on a terminal and on the page: the same words in both."""

from falsereject_gen.annotate.agreement.records import REASONS, Agreement, Estimate, Gold, Group

__all__ = ["NAMES", "figure", "gold", "lowest", "rank", "two", "why"]

NAMES = {
    "raw": "raw agreement",
    "ac1": "Gwet's AC1",
    "alpha": "Krippendorff's alpha",
    "fleiss": "Fleiss' kappa",
}
"""Coefficients by their name in the JSON."""
_ENOUGH = 5
"""Rows with two answers from which a category is worth naming."""


def figure(one: Estimate) -> str:
    """`0.74 [0.41, 1.00]`; a dash where there is no value, the value alone without an interval."""
    if one.value is None:
        return "–"
    if one.low is None or one.high is None:
        return two(one.value)
    return f"{two(one.value)} [{two(one.low)}, {two(one.high)}]"


def two(value: float) -> str:
    """Two decimals, and no minus before a zero."""
    return f"{round(value, 2) + 0.0:.2f}"


def why(one: Estimate) -> str:
    """Why there is no value or no interval, in words; empty when there are both."""
    return REASONS.get(one.undefined or one.no_interval, "")


def gold(one: Gold) -> str:
    """`9 of 10`, or a dash."""
    return f"{one.right} of {one.asked}" if one.asked else "–"


def rank(group: Group) -> float:
    """Its AC1, by which categories are sorted; those without one come last."""
    value = group.estimates["ac1"].value
    return 2.0 if value is None else value


def lowest(agreement: Agreement, limit: int) -> tuple[list[Group], int]:
    """Categories with the lowest AC1 on any question, and how many were too small to compare."""
    groups = [one for one in agreement.groups if one.category]
    big = [one for one in groups if one.paired >= _ENOUGH]
    big.sort(key=lambda one: (rank(one), one.question, one.category))
    return big[:limit], len(groups) - len(big)
