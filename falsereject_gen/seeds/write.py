"""Seeds as JSON Lines, one record a line: format `falsereject-gen`, which reads back the same."""

from collections.abc import Sequence
from pathlib import Path

from falsereject_gen.files import replace_file
from falsereject_gen.records import Seed

__all__ = ["write_seeds"]


def write_seeds(seeds: Sequence[Seed], path: Path) -> None:
    """Write seeds; the file is there whole or not at all.

    Raises:
        StoreError: the file cannot be written.
    """
    replace_file(path, ((seed.model_dump_json() + "\n").encode() for seed in seeds))
