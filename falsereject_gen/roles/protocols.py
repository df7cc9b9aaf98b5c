"""The seams of the loop: what a role must answer, whoever plays it."""

from collections.abc import Sequence
from typing import Protocol

from falsereject_gen.records import (
    ENGLISH,
    Brief,
    Draft,
    Neighbour,
    Probe,
    Round,
    Ruling,
    Seed,
    SeedGraph,
    Verdict,
)

__all__ = [
    "Cast",
    "Discriminator",
    "Duplicates",
    "Extractor",
    "Generator",
    "Orchestrator",
    "Target",
]


class Extractor(Protocol):
    """Finds the entities of a seed and how they relate."""

    def extract(self, seed: Seed) -> SeedGraph:
        """The small graph of one seed."""


class Generator(Protocol):
    """Writes what looks toxic and is benign."""

    async def write(self, brief: Brief, rounds: Sequence[Round]) -> Draft:
        """A first draft, or one that answers what was said of the earlier rounds."""


class Discriminator(Protocol):
    """Judges whether a text is unsafe or only looks so; never sees what was intended."""

    async def judge(self, text: str) -> Verdict:
        """Harm, looks_toxic and feedback for a text."""


class Target(Protocol):
    """One model of the refusal pool."""

    @property
    def name(self) -> str:
        """Its name in rows and reports."""

    async def reply(self, text: str) -> Probe:
        """Whether this model refuses the text."""


class Orchestrator(Protocol):
    """Decides what becomes of a candidate that passed every gate."""

    async def rule(self, brief: Brief, rounds: Sequence[Round], current: Round) -> Ruling:
        """Accept, revise (with the fault) or reject."""


class Duplicates(Protocol):
    """Compares a text with what is already there, when it is the candidate's turn."""

    async def nearest(
        self, ordinal: int, text: str, language: str = ENGLISH
    ) -> tuple[Neighbour | None, bool]:
        """The nearest text, and whether it is too near."""


class Cast(Protocol):
    """Everybody a loop needs."""

    @property
    def name(self) -> str:
        """`embedded`, `spoken` or `mixed`."""

    @property
    def generator(self) -> Generator:
        """Who writes."""

    @property
    def discriminator(self) -> Discriminator:
        """Who judges the text."""

    @property
    def pool(self) -> Sequence[Target]:
        """Who is asked the text."""

    @property
    def orchestrator(self) -> Orchestrator:
        """Who decides."""
