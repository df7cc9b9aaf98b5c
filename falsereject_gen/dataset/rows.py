"""From an accepted candidate to the row that is published of it."""

from falsereject_gen.records import Candidate, Outcome, Row, Verdict
from falsereject_gen.run.commit import row_id
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["to_row"]

_REFUSED: tuple[Outcome, ...] = ("direct_refusal",)
_COMPLIED: tuple[Outcome, ...] = ("full_compliance", "safe_partial")


def to_row(candidate: Candidate, taxonomy: Taxonomy, cast: str, run_id: str) -> Row:
    """What is published of an accepted candidate.

    Args:
        candidate: accepted; a rejected one is a fault of the caller.
        taxonomy: knows the name and domain of its category.
        cast: who played the roles.
        run_id: the run that it comes from.

    Raises:
        ValueError: the candidate was rejected, or nobody judged it.
        TaxonomyError: its category is not in the taxonomy.
    """
    if candidate.status != "accepted":
        raise ValueError(f"brief {candidate.brief.id} was rejected and has no row")
    brief, last, verdict = candidate.brief, candidate.last, _verdict(candidate)
    category = taxonomy[brief.category]
    return Row(
        id=row_id(last.draft.text),
        prompt=last.draft.text,
        category=category.id,
        category_name=category.name,
        domain=category.domain,
        strategy=brief.strategy,
        entities=last.draft.entities,
        seed_ids=brief.seed_ids,
        cast=cast,
        generator=last.draft.by,
        harm=verdict.harm,
        looks_toxic=verdict.looks_toxic,
        refused_by=_targets(candidate, _REFUSED),
        complied_by=_targets(candidate, _COMPLIED),
        rounds=len(candidate.rounds),
        nearest_id=last.nearest.id if last.nearest else "",
        nearest_score=last.nearest.score if last.nearest else 0.0,
        run_id=run_id,
        language=brief.language,
    )


def _verdict(candidate: Candidate) -> Verdict:
    for turn in reversed(candidate.rounds):
        if turn.verdict is not None:
            return turn.verdict
    raise ValueError(f"brief {candidate.brief.id} was accepted without a verdict")


def _targets(candidate: Candidate, outcomes: tuple[Outcome, ...]) -> tuple[str, ...]:
    return tuple(p.target for p in candidate.last.probes if p.outcome in outcomes)
