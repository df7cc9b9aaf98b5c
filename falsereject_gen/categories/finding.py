"""What a check of a category found, as records; nothing is measured here."""

from pydantic import Field

from falsereject_gen.records import Record

__all__ = ["Finding", "Near", "Overlap"]


class Near(Record):
    """Another category, and how close it is; cosines, -1..1."""

    id: str
    name: str
    definition: float = Field(description="Of name and definition.")
    seeds: float = Field(description="Mean over our seeds of the nearest one of theirs.")
    seed: str = Field(description="Ours of the nearest two; empty if it has no seeds.")
    their_seed: str
    seed_score: float


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
    triggers: int
    readings: dict[str, int] = Field(description="Readings of its own, by strategy.")
    pairs: int
    reasons: tuple[str, ...] = Field(default=(), description="Why it is not ready.")
    notes: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.reasons
