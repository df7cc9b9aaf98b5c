"""What a card counts: rows by category, domain, strategy, pool target and round."""

from collections import Counter
from collections.abc import Sequence

from falsereject_gen.dataset.splits import Split
from falsereject_gen.dataset.table import Rows
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["categories", "counts", "pool", "rounds"]


def counts(splits: Sequence[Split], column: str) -> list[tuple[str, list[int]]]:
    """Rows by what stands in a column, in each split, the largest first."""
    each: list[Counter[str]] = [Counter(split.rows.column(column)) for split in splits]
    whole = sum(each, Counter())
    return [(k, [c[k] for c in each]) for k in sorted(whole, key=lambda k: (-whole[k], k))]


def categories(splits: Sequence[Split], taxonomy: Taxonomy) -> list[tuple[str, str, list[int]]]:
    """Name, domain and rows in each split of every category, those without a row too."""
    each = [Counter(split.rows.column("category")) for split in splits]
    return [(c.name, c.domain, [n[c.id] for n in each]) for c in taxonomy]


def pool(rows: Rows, target: str) -> tuple[int, int]:
    """Rows that a pool target refused, and rows that it answered."""
    refused, complied = (
        sum(target in names for names in rows.column(column))
        for column in ("refused_by", "complied_by")
    )
    return refused, complied


def rounds(rows: Rows, fell: Sequence[tuple[str, int, int]]) -> list[tuple[int, int, int, float]]:
    """Round, candidates that came to it, accepted in it, and share of all accepted by then.

    Args:
        rows: accepted.
        fell: stage, rounds and number of those that were not.
    """
    accepted = Counter(rows.column("rounds"))
    used = accepted.copy()
    for _, number, count in fell:
        used[number] += count
    table, so_far = [], 0
    for k in range(1, max(used, default=0) + 1):
        so_far += accepted[k]
        came = sum(count for n, count in used.items() if n >= k)
        table.append((k, came, accepted[k], so_far / used.total()))
    return table
