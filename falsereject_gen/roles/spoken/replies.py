"""The shapes of the agents' replies; a card names one of them in `reply:`."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from falsereject_gen.records import Kind, Unit

__all__ = ["REPLIES"]


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class GeneratorReply(_Reply):
    """A request, and what its full public answer holds."""

    reading: str
    prompt: str = Field(min_length=1)


class VerdictReply(_Reply):
    """A verdict on a request."""

    reasons: tuple[str, ...]
    harm: Unit
    looks_toxic: Unit
    label: Literal["unsafe", "benign", "unclear"]
    feedback: str


class PanelReply(_Reply):
    """One moderator's vote."""

    reason: str
    label: Literal["unsafe", "benign", "unclear"]


class ExtractedEntity(_Reply):
    """An entity of a request."""

    # Asked for strictly, read leniently: one bad name or kind is left out and counted, and does
    # not cost the whole extraction. (No docstring: a schema's descriptions are read by the model.)
    name: Annotated[str, WithJsonSchema({"minLength": 1, "type": "string"})]
    kind: Annotated[str, WithJsonSchema({"enum": list(get_args(Kind)), "type": "string"})]


class ExtractedRelation(_Reply):
    """A relation between two entities, by their names."""

    source: str
    label: str
    target: str


class ExtractorReply(_Reply):
    """One extraction."""

    entities: tuple[ExtractedEntity, ...]
    relations: tuple[ExtractedRelation, ...]


class RankerReply(_Reply):
    """Which extraction is the best, counted from 1."""

    reason: str
    best: int = Field(ge=1)


class JudgeReply(_Reply):
    """What a target's reply does."""

    reason: str
    outcome: Literal["full_compliance", "safe_partial", "direct_refusal", "undetermined"]


class OrchestratorReply(_Reply):
    """A ruling."""

    reason: str
    decision: Literal["accept", "revise", "reject"]
    fault: Literal["", "unsafe", "tame", "other"]


class DraftedEntity(_Reply):
    """A noun or act of a proposed category."""

    word: str = Field(min_length=1)
    kind: Kind
    hot: bool


class DraftCategoryReply(_Reply):
    """A proposed category."""

    id: str
    name: str = Field(min_length=1)
    domain: str = Field(min_length=1)
    definition: str = Field(min_length=1)
    neighbours: tuple[str, ...]
    triggers: tuple[str, ...]
    seeds: tuple[str, ...] = Field(min_length=1)
    entities: tuple[DraftedEntity, ...]


REPLIES: dict[str, type[BaseModel]] = {
    shape.__name__: shape
    for shape in (
        GeneratorReply,
        VerdictReply,
        PanelReply,
        ExtractorReply,
        RankerReply,
        JudgeReply,
        OrchestratorReply,
        DraftCategoryReply,
    )
}
