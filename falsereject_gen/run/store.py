"""The run store: one SQLite file, one writer, the single source of truth.

Candidates are committed in the order of their briefs, so what is in the store is always a prefix of
the run: a resumed run loads it and goes on behind it. WAL with one transaction a commit: a process
killed at any moment loses nothing that was committed.
"""

import json
import sqlite3
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from falsereject_gen.dedup.encoder import Vectors
from falsereject_gen.errors import StoreError
from falsereject_gen.records import Candidate

__all__ = ["FORMAT", "Store"]

FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS candidates (
    ordinal INTEGER PRIMARY KEY, brief_id TEXT NOT NULL, status TEXT NOT NULL,
    stage TEXT NOT NULL, reason TEXT NOT NULL, rounds INTEGER NOT NULL, body TEXT NOT NULL,
    vector BLOB);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, what TEXT NOT NULL);
"""


class Store:
    """Open (or make) `run.sqlite` in a run folder.

    Raises:
        StoreError: the file cannot be opened or written, or another program wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5)
            self._check()
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
            made = self.get("format")
        except sqlite3.DatabaseError as fault:
            raise StoreError(f"{path}: cannot be used as a run store: {fault}") from None
        if made is None:
            self.put("format", FORMAT)
        elif made != FORMAT:
            raise StoreError(f"{path}: written in format {made}; this version reads {FORMAT}")

    def _check(self) -> None:
        found = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master")}
        if found and not {"meta", "candidates"} <= found:
            raise StoreError(f"{self.path}: another program's database; it is left as it is")

    def get(self, key: str) -> Any:
        """A value kept beside the candidates, or None."""
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(found[0]) if found else None

    def put(self, key: str, value: Any) -> None:
        """Keep a JSON value under a key."""
        self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, json.dumps(value))])

    def event(self, what: str) -> None:
        """Note something that happened to the run (started, resumed, stopped)."""
        self._write("INSERT INTO events (what) VALUES (?)", [(what,)])

    def commit(self, candidate: Candidate, vector: Vectors | None) -> None:
        """Write a finished candidate, with the vector of its text if it was accepted."""
        row = (
            candidate.brief.ordinal,
            candidate.brief.id,
            candidate.status,
            candidate.stage,
            candidate.reason,
            len(candidate.rounds),
            candidate.model_dump_json(),
            None if vector is None else vector.astype("<f4").tobytes(),
        )
        self._write("INSERT INTO candidates VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [row])

    def candidates(self) -> Iterator[tuple[Candidate, Vectors | None]]:
        """Finished candidates in the order of their briefs, with the accepted ones' vectors."""
        query = "SELECT body, vector FROM candidates ORDER BY ordinal"
        for body, blob in self._db.execute(query):
            vector = None if blob is None else np.frombuffer(blob, dtype="<f4")
            yield Candidate.model_validate_json(body), vector

    def told(self, status: str = "%", last: int = 2**62) -> Iterator[Candidate]:
        """Finished candidates of a status, one at a time, in the order of their briefs."""
        query = "SELECT body FROM candidates WHERE status LIKE ? AND ordinal <= ? ORDER BY ordinal"
        for (body,) in self._db.execute(query, (status, last)):
            yield Candidate.model_validate_json(body)

    def candidate(self, ordinal: int) -> Candidate:
        """The candidate of one brief; `LookupError` without one."""
        query = "SELECT body FROM candidates WHERE ordinal = ?"
        found = self._db.execute(query, (ordinal,)).fetchone()
        if found is None:
            raise LookupError(f"{self.path}: no candidate {ordinal}")
        return Candidate.model_validate_json(found[0])

    def ordinals(self, status: str = "%") -> "array[int]":
        """The briefs whose candidates are of a status, in order."""
        query = "SELECT ordinal FROM candidates WHERE status LIKE ? ORDER BY ordinal"
        return array("q", (ordinal for (ordinal,) in self._db.execute(query, (status,))))

    def ends(self, status: str = "%") -> list[tuple[str, int, int]]:
        """How candidates of a status ended: stage, rounds and how many, in order of appearance."""
        query = (
            "SELECT stage, rounds, count(*) FROM candidates WHERE status LIKE ? "
            "GROUP BY stage, rounds ORDER BY min(ordinal)"
        )
        return list(self._db.execute(query, (status,)))

    def size(self) -> int:
        """Bytes of all candidates together, as they are stored."""
        return int(self._db.execute("SELECT sum(length(body)) FROM candidates").fetchone()[0] or 0)

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        self._db.close()

    def _write(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(statement, rows)
            self._db.execute("COMMIT")
        except sqlite3.DatabaseError as fault:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise StoreError(
                f"{self.path}: not written: {fault}. What was committed before is kept; "
                "make room (or end the other run) and go on with --resume"
            ) from None
