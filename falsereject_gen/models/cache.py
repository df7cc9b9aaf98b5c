"""The call cache: every finished call is in the run's SQLite file before its reply is used.

A refusal where none was asked for answers nothing, so it is no cached call: who asks again, asks
anew. But it happened: when a later sitting goes through what an earlier one did, it meets the
refusal once again in its place, and no finished request is sent twice.

One writer thread with its own connection commits whatever has gathered (group commit), so thousands
of calls a second share a few hundred transactions; WAL makes a commit survive `kill -9`. Lookups
use a second connection in the caller's thread. The run's own store has a third one on the same
file: all writers use BEGIN IMMEDIATE with a busy timeout.
"""

import asyncio
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from falsereject_gen.errors import StoreError
from falsereject_gen.models.budget import Spent
from falsereject_gen.models.protocol import ChatReply, ChatRequest

__all__ = ["CallCache"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, reply TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, cost REAL NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS failures (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL,
    error TEXT NOT NULL, status INTEGER NOT NULL, says TEXT NOT NULL, seconds REAL NOT NULL,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, cost REAL NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS declined (key TEXT PRIMARY KEY, reply TEXT NOT NULL);
"""
_CALL = "INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_FAILURE = "INSERT INTO failures VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_REFUSAL = "INSERT OR REPLACE INTO declined VALUES (?, ?)"
_TOTALS = """
SELECT role, model, count(*), 0, sum(tokens_in), sum(tokens_out), sum(cost)
  FROM calls GROUP BY role, model
UNION ALL
SELECT role, model, sum(error = 'refusal'), sum(error <> 'refusal'),
  sum(tokens_in), sum(tokens_out), sum(cost) FROM failures GROUP BY role, model
"""
_ASKED_ANEW = frozenset({"extractor", "ranker"})
_GATHER_S = 0.004  # the writer waits this long for company: fewer commits and fewer wake-ups
_BATCH = 2000
_Row = tuple[Any, ...]
_Job = tuple[str, _Row, "asyncio.Future[None] | None"]


class CallCache:
    """Finished calls by request key, and failed ones in order.

    Args:
        path: SQLite file; made when it is missing, its other tables are left alone.

    Raises:
        StoreError: the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        try:
            self._read = self._connect()
            self._read.executescript(_SCHEMA)
            self._declined = dict(self._read.execute("SELECT key, reply FROM declined"))
        except sqlite3.DatabaseError as fault:
            raise StoreError(f"{path}: cannot hold the call cache: {fault}") from None
        self._fault: StoreError | None = None
        self._thread = threading.Thread(target=self._write, name="call-cache", daemon=True)
        self._thread.start()

    def get(self, key: str) -> ChatReply | None:
        """The reply of a finished call, marked `cached`, or None."""
        row = self._read.execute("SELECT reply FROM calls WHERE key = ?", (key,)).fetchone()
        return ChatReply(**json.loads(row[0]), cached=True) if row else None

    def declined(self, key: str) -> ChatReply | None:
        """The refusal that an earlier sitting met here, marked `cached`; given once, then None."""
        found = self._declined.pop(key, None)
        return ChatReply(**json.loads(found), cached=True) if found else None

    async def put(self, request: ChatRequest, reply: ChatReply) -> None:
        """Keep a finished call; returns once it is committed.

        Raises:
            StoreError: it could not be written.
        """
        spent = (reply.tokens_in, reply.tokens_out, reply.cost, time.time())
        row = (request.key, _text(reply), request.role, request.model, *spent)
        await self._written(_CALL, row)

    async def refused(self, request: ChatRequest, reply: ChatReply) -> None:
        """Keep a refusal that answers nothing, as a failed call; returns once it is committed.

        One of a seed's extraction is not met again: a later sitting asks for the seed anew.
        """
        says = reply.refusal or "stopped by the content filter"
        self.failed(request, "refusal", says, seconds=reply.latency_s, paid=reply)
        if request.role not in _ASKED_ANEW:
            await self._written(_REFUSAL, (request.key, _text(reply)))

    def failed(
        self,
        request: ChatRequest,
        error: str,
        says: str,
        *,
        status: int = 0,
        seconds: float = 0.0,
        paid: ChatReply | None = None,
    ) -> None:
        """Note a failed try; written soon, in order, without waiting.

        Args:
            request: what was asked.
            error: kind of failure.
            says: what the endpoint said, scrubbed of keys.
            status: HTTP status, 0 if none came.
            seconds: how long the try took.
            paid: a reply that was of no use but was charged for.
        """
        cost = (paid.tokens_in, paid.tokens_out, paid.cost) if paid else (0, 0, 0.0)
        names = (request.key, request.role, request.model)
        self._send((_FAILURE, (*names, error, status, says, seconds, *cost, time.time()), None))

    async def _written(self, statement: str, row: _Row) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._send((statement, row, done))
        await done

    def totals(self) -> Iterator[tuple[str, str, Spent]]:
        """What all sessions so far have spent, by role and model; a refusal was answered, too."""
        names = ("calls", "failures", "tokens_in", "tokens_out", "cost")
        for role, model, *sums in self._read.execute(_TOTALS):
            yield role, model, Spent(**dict(zip(names, sums, strict=True)))

    def failures(self) -> list[tuple[str, str, int, int]]:
        """Failed tries counted by (role, kind, status)."""
        query = (
            "SELECT role, error, status, count(*) FROM failures GROUP BY 1, 2, 3 ORDER BY 4 DESC"
        )
        return list(self._read.execute(query))

    def close(self) -> None:
        """Write what is queued and close the file.

        Raises:
            StoreError: something could not be written.
        """
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()
        self._read.close()
        if self._fault:
            raise self._fault

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, timeout=30, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        return db

    def _send(self, job: _Job) -> None:
        if self._fault:
            raise self._fault
        self._jobs.put(job)

    def _write(self) -> None:
        """The writer thread: gather, commit, tell those who wait."""
        db = self._connect()
        more = True
        while more:
            batch, more = self._gather()
            fault = self._fault or self._commit(db, batch)
            _tell([done for _, _, done in batch if done is not None], fault)
        db.close()

    def _gather(self) -> tuple[list[_Job], bool]:
        first = self._jobs.get()
        if first is None:
            return [], False
        time.sleep(_GATHER_S)
        batch = [first]
        while len(batch) < _BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, False
            batch.append(job)
        return batch, True

    def _commit(self, db: sqlite3.Connection, batch: list[_Job]) -> StoreError | None:
        try:
            db.execute("BEGIN IMMEDIATE")
            for statement in (_CALL, _FAILURE, _REFUSAL):
                db.executemany(statement, [row for kind, row, _ in batch if kind is statement])
            db.execute("COMMIT")
        except sqlite3.Error as fault:
            if db.in_transaction:
                db.execute("ROLLBACK")
            self._fault = StoreError(
                f"{self.path}: a call could not be kept: {fault}. What was kept before is safe; "
                "make room and go on with --resume"
            )
        return self._fault


def _text(reply: ChatReply) -> str:
    return json.dumps({k: v for k, v in reply.__dict__.items() if k != "cached"})


def _tell(waiting: list["asyncio.Future[None]"], fault: StoreError | None) -> None:
    """Wake the waiting coroutines, with one wake-up a loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for done in waiting:
        by_loop.setdefault(done.get_loop(), []).append(done)
    for loop, futures in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, futures, fault)


def _settle(futures: list["asyncio.Future[None]"], fault: StoreError | None) -> None:
    for done in futures:
        if done.done():
            continue
        if fault is None:
            done.set_result(None)
        else:
            done.set_exception(fault)
