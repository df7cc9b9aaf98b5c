"""The seeds, contrast pairs and tame texts that come with the package (graphs/seeds/)."""

from pydantic import Field, ValidationError

from falsereject_gen.errors import RoomError
from falsereject_gen.records import Record, Seed, Strategy
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.language import language_of

__all__ = ["ContrastPair", "SeedFile", "bundled_seeds", "seed_files"]


class ContrastPair(Record):
    """A toxic text and a benign one that differs as little as possible and still looks toxic."""

    strategy: Strategy
    toxic: str
    benign: str


class SeedFile(Record):
    """What graphs/seeds/<category>.yaml holds."""

    category: str
    seeds: tuple[str, ...] = Field(min_length=1)
    pairs: tuple[ContrastPair, ...] = ()
    tame: tuple[str, ...] = ()


def seed_files(rooms: Rooms) -> list[SeedFile]:
    """All seed files, sorted by name.

    Raises:
        RoomError: a file does not fit.
    """
    out = []
    for name in rooms.names("graphs/seeds"):
        try:
            out.append(SeedFile.model_validate(rooms.yaml(name)))
        except ValidationError as fault:
            first = fault.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            raise RoomError(f"{name}: `{where}`: {first['msg']}") from None
    return out


def bundled_seeds(rooms: Rooms) -> list[Seed]:
    """The seeds of all seed files, in the language that they look to be in.

    Ours are English; a user's overlay may hold others.
    """
    return [
        Seed.make(
            text,
            part.category,
            source="falsereject-gen",
            licence="Apache-2.0",
            language=language_of(text),
        )
        for part in seed_files(rooms)
        for text in part.seeds
    ]
