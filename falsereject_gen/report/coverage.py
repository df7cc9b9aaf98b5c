"""Which categories and strategies the accepted rows cover."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from falsereject_gen.records import Candidate, Strategy

__all__ = ["STRATEGIES", "Categories", "Coverage"]

STRATEGIES: tuple[str, ...] = get_args(Strategy)


class Categories:
    """Names and domains of the categories of a run, in the order of its manifest.

    Args:
        given: the manifest's `categories`; what it lacks is shown by its id.
        named: by candidates; those that only they name come last.
    """

    def __init__(self, given: Any, named: Iterable[str]) -> None:
        self._given: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        found = sorted(set(named) - set(self._given))
        self.ids: tuple[str, ...] = (*self._given, *found)

    def name(self, category: str) -> str:
        """The readable name of a category."""
        return self._field(category, "name") or category

    def domain(self, category: str) -> str:
        """The domain of a category."""
        return self._field(category, "domain") or "no domain given"

    def _field(self, category: str, field: str) -> str:
        entry = self._given.get(category)
        return str(entry.get(field) or "") if isinstance(entry, Mapping) else ""


class Coverage:
    """Accepted rows and briefs tried by category, by strategy, and by both."""

    def __init__(self) -> None:
        self._tried: Counter[tuple[str, str]] = Counter()
        self._made: Counter[tuple[str, str]] = Counter()

    def add(self, candidate: Candidate) -> None:
        """Count a candidate."""
        pair = (candidate.brief.category, candidate.brief.strategy)
        self._tried[pair] += 1
        self._made[pair] += candidate.status == "accepted"

    def named(self) -> set[str]:
        """Categories of the briefs."""
        return {category for category, _ in self._tried}

    def table(self, categories: Categories) -> dict[str, Any]:
        """What to show.

        Returns:
            `domains` (each with its categories), `strategies`, `heat` (one line a category, one
            cell a strategy) and `empty`, the categories without an accepted row; what no brief was
            for stands in none of them but in `untried` and `unused` (strategies).
        """
        made, tried = self._made, self._tried
        by_category = [_bar(i, categories.name(i), made, tried, 0) for i in categories.ids]
        strategies = [_bar(s, s.replace("-", " "), made, tried, 1) for s in STRATEGIES]
        untried, unused = (
            [bar["name"] for bar in bars if not bar["tried"]] for bars in (by_category, strategies)
        )
        by_category = [bar for bar in by_category if bar["tried"]]
        strategies = [bar for bar in strategies if bar["tried"]]
        used = [bar["id"] for bar in strategies]
        for bars in (by_category, strategies):
            most = max((bar["tried"] for bar in bars), default=0) or 1
            for bar in bars:
                bar["width"] = round(100 * bar["accepted"] / most, 1)
                bar["reach"] = round(100 * bar["tried"] / most, 1)
        domains: dict[str, list[dict[str, Any]]] = {}
        for bar in by_category:
            domains.setdefault(categories.domain(bar["id"]), []).append(bar)
        return {
            "domains": domains,
            "strategies": strategies,
            "heat": [_line(bar, made, used, max(made.values(), default=0)) for bar in by_category],
            "empty": [bar["name"] for bar in by_category if not bar["accepted"]],
            "untried": untried,
            "unused": unused,
        }


def _bar(
    key: str,
    name: str,
    made: Mapping[tuple[str, str], int],
    tried: Mapping[tuple[str, str], int],
    part: int,
) -> dict[str, Any]:
    accepted = sum(count for pair, count in made.items() if pair[part] == key)
    briefs = sum(count for pair, count in tried.items() if pair[part] == key)
    return {"id": key, "name": name, "accepted": accepted, "tried": briefs}


def _line(
    bar: Mapping[str, Any],
    made: Mapping[tuple[str, str], int],
    used: Sequence[str],
    most: int,
) -> dict[str, Any]:
    cells = [made.get((bar["id"], strategy), 0) for strategy in used]
    shades = [round(100 * count / most) if most else 0 for count in cells]
    return {**bar, "cells": list(zip(cells, shades, strict=True))}
