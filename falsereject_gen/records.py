"""The nouns that flow through a run, as frozen records with content-derived ids.

Nothing here reads a file, draws a number or knows a library but pydantic.
"""

import hashlib
import json
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["act", "object", "substance", "person", "group", "place", "event", "concept"]
Strategy = Literal[
    "homonym",
    "figure-of-speech",
    "safe-target",
    "safe-context",
    "definition",
    "history",
    "prevention",
    "profession",
    "law-and-policy",
    "fiction",
    "help-seeking",
    "research",
]
Outcome = Literal["full_compliance", "safe_partial", "direct_refusal", "undetermined", "error"]
Stage = Literal["generate", "discriminate", "probe", "orchestrate", "dedup"]
Unit = Annotated[float, Field(ge=0.0, le=1.0)]
ENGLISH = "en"
"""The language that the embedded players, the sentence encoder and the refusal rules know."""
NOBODY = "nobody"
"""`by` of a draft or ruling that stands for a reply that never came or could not be used."""


class Record(BaseModel):
    """Base of all records: immutable, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def canonical(value: Any) -> str:
    """JSON that is the same for the same value: sorted keys, no spaces, NFC text."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return unicodedata.normalize("NFC", text)


def content_id(prefix: str, value: Any) -> str:
    """An id derived from content: the same value has the same id on every machine."""
    return f"{prefix}-{hashlib.sha256(canonical(value).encode()).hexdigest()[:14]}"


class Seed(Record):
    """One toxic request, one sentence, from a public set or our own."""

    id: str
    text: str = Field(min_length=1)
    category: str = Field(description="Category id, or `uncategorised`.")
    source: str = Field(description="Name of the set that it comes from.")
    licence: str = Field(description="SPDX id or name of the licence of that set.")
    language: str = Field(default=ENGLISH, description="ISO 639-1 code.")
    confidence: Unit = Field(default=1.0, description="Trust in the category: 1 when given.")

    @classmethod
    def make(cls, text: str, category: str, **rest: Any) -> "Seed":
        """A seed whose id is derived from its text."""
        return cls(id=content_id("s", text), text=text, category=category, **rest)


class Entity(Record):
    """A noun or an act that a seed talks about."""

    id: str = Field(description="Canonical name: the lower-case lemma.")
    surface: str
    kind: Kind
    like: str = Field(default="", description="Nearest entity that we have readings for.")


class Relation(Record):
    """A labelled edge between two entities of one seed."""

    source: str
    label: str
    target: str
    seed_id: str


class SeedGraph(Record):
    """The small graph of one seed (FalseReject: one graph a seed, not a global one)."""

    seed_id: str
    category: str
    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...] = ()
    votes: int = Field(default=1, description="Extractions that the kept one was chosen from.")
    agreement: Unit | None = Field(
        default=None, description="Mean overlap of the entities of every two of them; none: one."
    )
    chosen_by: Literal["alone", "ranker", "overlap"] = Field(
        default="alone", description="Who chose: nobody had to, a ranker, or the largest overlap."
    )
    left_out: dict[str, int] = Field(
        default_factory=dict, description="What of the extractions could not be used, counted."
    )


class Brief(Record):
    """What the generator is asked for."""

    id: str
    ordinal: int = Field(ge=0, description="Place in the run; rows are committed in this order.")
    category: str
    strategy: Strategy
    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...] = ()
    seed_ids: tuple[str, ...]
    rng: int = Field(description="The brief's own random seed.")
    language: str = Field(default=ENGLISH, description="ISO 639-1 code of what is to be written.")


class Draft(Record):
    """What a generator wrote in one round."""

    text: str = ""
    by: str = Field(description="Who wrote it: `embedded`, or the model.")
    notes: dict[str, str] = Field(default_factory=dict, description="How it was made.")
    entities: tuple[str, ...] = Field(default=(), description="Entities that stand in the text.")
    refused: bool = Field(default=False, description="The generator itself declined.")
    exhausted: bool = Field(default=False, description="Nothing else can be said to this brief.")
    language: str = Field(
        default="", description="What a model's text was found to be in; empty: nobody looked."
    )


class Verdict(Record):
    """What the discriminator says of a text, not knowing what was intended."""

    harm: Unit
    looks_toxic: Unit
    label: Literal["unsafe", "benign", "unclear"]
    reasons: tuple[str, ...] = ()
    feedback: str = ""
    by: str = "embedded"


class Probe(Record):
    """One reply of one model of the refusal pool."""

    target: str
    outcome: Outcome
    decided_by: str = Field(description="Rule, judge or score that decided.")
    text: str = ""


class Neighbour(Record):
    """The nearest text that a candidate was compared with."""

    id: str
    score: float = Field(description="Cosine of the embeddings, -1..1; 1 for equal texts.")
    among: Literal["rows", "seeds", "reference"]
    text: str = ""


class Ruling(Record):
    """What becomes of a candidate after a round."""

    decision: Literal["accept", "revise", "reject"]
    stage: Stage
    fault: Literal[
        "", "unsafe", "tame", "not_refused", "not_answered", "duplicate", "language", "other"
    ] = ""
    reason: str = ""
    by: str = "gate"


class Round(Record):
    """One turn of the loop: the text, what everybody said of it, and what followed."""

    draft: Draft
    verdict: Verdict | None = None
    probes: tuple[Probe, ...] = ()
    nearest: Neighbour | None = None
    ruling: Ruling


class Candidate(Record):
    """A brief and everything that happened to it."""

    brief: Brief
    rounds: tuple[Round, ...]
    status: Literal["accepted", "rejected"]
    stage: Stage
    reason: str = ""

    @property
    def last(self) -> Round:
        """The round that decided."""
        return self.rounds[-1]


class Row(Record):
    """What is published of an accepted candidate."""

    id: str
    prompt: str
    category: str
    category_name: str
    domain: str
    strategy: Strategy
    entities: tuple[str, ...]
    seed_ids: tuple[str, ...]
    cast: str
    generator: str = "embedded"
    harm: Unit
    looks_toxic: Unit
    refused_by: tuple[str, ...]
    complied_by: tuple[str, ...]
    rounds: int
    nearest_id: str
    nearest_score: float
    run_id: str
    language: str = Field(default=ENGLISH, description="ISO 639-1 code.")
