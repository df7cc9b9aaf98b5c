"""What a check of a category found, as records; nothing is measured here."""

from pydantic import Field

from falsereject_gen.records import Record

__all__ = [
    "CLOSE_DEFINITION",
    "CLOSE_SEEDS",
    "SAME_DEFINITION",
    "SAME_SEEDS",
    "Finding",
    "Near",
    "Overlap",
]

SAME_DEFINITION, SAME_SEEDS = 0.86, 0.48
"""From here on nearer than any two of the 44."""
CLOSE_DEFINITION, CLOSE_SEEDS = 0.61, 0.35
"""From here on nearer than 95 % of the pairs of the 44: worth a look."""


class Near(Record):
    """Another category, and how close it is; cosines, -1..1."""

    id: str
    name: str
    definition: float = Field(description="Of name and definition.")
    seeds: float = Field(description="Mean over our seeds of the nearest one of theirs.")
    seed: str = Field(description="Ours of the nearest two; empty if it has no seeds.")
    their_seed: str
    seed_score: float

    @property
    def close(self) -> bool:
        """Whether it is nearer than 95 % of the pairs of the 44, by either cosine."""
        return self.definition >= CLOSE_DEFINITION or self.seeds >= CLOSE_SEEDS


class Overlap(Record):
    """One or two seeds and the cosine that made them stand out."""

    a: str
    b: str
    score: float


class Finding(Record):
    """Everything that `categories check` says."""

    id: str
    name: str
    seeds: int
    languages: dict[str, int]
    near: tuple[Near, ...] = Field(description="Every other category, the closest first.")
    agreement: float | None = Field(description="Mean cosine of two seeds; None under 3 seeds.")
    lonely: tuple[Overlap, ...] = Field(description="Seeds far from the mean of the others.")
    twins: tuple[Overlap, ...] = Field(description="Seeds that say the same.")
    taken: tuple[Near, ...] = Field(description="Categories with a seed that says the same.")
    known_entities: tuple[str, ...]
    new_entities: tuple[str, ...]
    without_entities: tuple[str, ...]
    unsaid: tuple[str, ...] = Field(
        default=(), description="Seeds whose act generic readings cannot say in another sentence."
    )
    tame: tuple[str, ...] = Field(
        default=(), description="Acts of seeds that alarm nobody, so that no generic row is made."
    )
    triggers: int
    readings: dict[str, int] = Field(description="Readings of its own, by strategy.")
    pairs: int
    reasons: tuple[str, ...] = Field(default=(), description="Why it is not ready.")
    notes: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.reasons
