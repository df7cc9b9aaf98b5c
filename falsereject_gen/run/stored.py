"""A run's candidates as a sequence that stays in the store: read when they are looked at.

A hundred thousand candidates as records would take some gigabytes; nothing here keeps one.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, overload

from pydantic import ValidationError

from falsereject_gen.errors import StoreError
from falsereject_gen.records import Candidate
from falsereject_gen.run.store import Store

__all__ = ["StoredCandidates", "ends"]

_ANY = "%"


class StoredCandidates(Sequence[Candidate]):
    """The candidates of a run's store, or those of a status, in the order of their briefs.

    Going through them reads them one after the other; an index or a slice reads what it asks for.
    Which there are is settled when this is made, whatever the run commits afterwards.

    Args:
        path: `run.sqlite`.
        status: those of it alone; None: all.

    Raises:
        StoreError: the store is not there or cannot be read, now or later.
    """

    def __init__(self, path: Path, status: Literal["accepted", "rejected"] | None = None) -> None:
        self.path, self._status = path, status or _ANY
        with self._open() as store:
            self._ordinals, self._ends = store.ordinals(self._status), store.ends(self._status)

    def __len__(self) -> int:
        return len(self._ordinals)

    def __iter__(self) -> Iterator[Candidate]:
        if self._ordinals:
            with self._open() as store:
                yield from store.told(self._status, self._ordinals[-1])

    @overload
    def __getitem__(self, place: int) -> Candidate: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Candidate, ...]: ...
    def __getitem__(self, place: int | slice) -> Candidate | tuple[Candidate, ...]:
        if isinstance(place, slice):
            return tuple(self.some(self._ordinals[place]))
        (found,) = self.some([self._ordinals[place]])
        return found

    def some(self, ordinals: Sequence[int]) -> Iterator[Candidate]:
        """The candidates of these briefs, in this order."""
        with self._open() as store:
            for ordinal in ordinals:
                yield store.candidate(ordinal)

    @property
    def ordinals(self) -> Sequence[int]:
        """Their briefs' places in the run."""
        return self._ordinals

    @property
    def ends(self) -> list[tuple[str, int, int]]:
        """Stage, rounds, and how many ended so, in order of appearance."""
        return self._ends

    def size(self) -> int:
        """Bytes of all candidates of the store."""
        with self._open() as store:
            return store.size()

    @contextmanager
    def _open(self) -> Iterator[Store]:
        if not self.path.is_file():
            raise StoreError(f"{self.path}: is not there (any more); the candidates are in it")
        store = Store(self.path)
        try:
            yield store
        except ValidationError as fault:
            said = f"{fault.error_count()} fields of a {fault.title}"
            what = f"a candidate cannot be read ({said}); was it edited?"
            raise StoreError(f"{self.path}: {what}") from None
        except sqlite3.DatabaseError as fault:
            raise StoreError(f"{self.path}: cannot be read: {fault}") from None
        finally:
            store.close()


def ends(candidates: Sequence[Candidate]) -> list[tuple[str, int, int]]:
    """Stage, rounds, and how many candidates ended so, in order of appearance.

    Args:
        candidates: in the order of the run; those of a store are counted without being read.
    """
    if isinstance(candidates, StoredCandidates):
        return candidates.ends
    found = Counter((c.stage, len(c.rounds)) for c in candidates)
    return [(stage, rounds, count) for (stage, rounds), count in found.items()]
