"""What a card counts: rows by category, domain, strategy, pool target and round."""

from collections import Counter
from collections.abc import Callable, Sequence

from falsereject_gen.dataset.splits import Split
from falsereject_gen.records import Candidate, Row
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["categories", "counts", "pool", "rounds"]


def counts(splits: Sequence[Split], key: Callable[[Row], str]) -> list[tuple[str, list[int]]]:
    """Rows by key, in each split, the largest first."""
    each = [Counter(key(row) for row in split.rows) for split in splits]
    whole = sum(each, Counter())
    return [(k, [c[k] for c in each]) for k in sorted(whole, key=lambda k: (-whole[k], k))]


def categories(splits: Sequence[Split], taxonomy: Taxonomy) -> list[tuple[str, str, list[int]]]:
    """Name, domain and rows in each split of every category, those without a row too."""
    each = [Counter(row.category for row in split.rows) for split in splits]
    return [(c.name, c.domain, [n[c.id] for n in each]) for c in taxonomy]


def pool(rows: Sequence[Row], target: str) -> tuple[int, int]:
    """Rows that a pool target refused, and rows that it answered."""
    refused = sum(target in row.refused_by for row in rows)
    return refused, sum(target in row.complied_by for row in rows)


def rounds(rows: Sequence[Row], rejected: Sequence[Candidate]) -> list[tuple[int, int, int, float]]:
    """Round, candidates that came to it, accepted in it, and share of all accepted by then."""
    used = [row.rounds for row in rows] + [len(candidate.rounds) for candidate in rejected]
    accepted = Counter(row.rounds for row in rows)
    table, so_far = [], 0
    for k in range(1, max(used, default=0) + 1):
        so_far += accepted[k]
        table.append((k, sum(n >= k for n in used), accepted[k], so_far / len(used)))
    return table
