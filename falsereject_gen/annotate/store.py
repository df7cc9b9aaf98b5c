"""Where answers are kept: one SQLite file a batch, to which nothing is lost and nothing doubled.

Every answer that was ever given stays in the log; the last one of an annotator to an item counts.
An answer is on disk before `put` returns (WAL, synchronous=FULL), so a killed server loses none.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from falsereject_gen.annotate.records import Answer
from falsereject_gen.errors import StoreError

__all__ = ["AnswerStore"]

FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY, annotator TEXT NOT NULL, item TEXT NOT NULL, body TEXT NOT NULL,
    counts INTEGER NOT NULL DEFAULT 1);
CREATE UNIQUE INDEX IF NOT EXISTS one_counts ON answers (annotator, item) WHERE counts;
"""
_HOW = {"at", "seconds", "source"}


class AnswerStore:
    """Open (or make) the answers of a batch; safe to share between threads.

    Raises:
        StoreError: the file cannot be opened or written, or is not an answer store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(
                path, isolation_level=None, timeout=10, check_same_thread=False
            )
            self._check()
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (str(FORMAT),))
        except sqlite3.Error as fault:
            raise StoreError(f"{path}: cannot be used as an answer store: {fault}") from None

    def _check(self) -> None:
        tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master")}
        if tables and not {"meta", "answers"} <= tables:
            raise StoreError(f"{self.path}: another program's database, left as it is")

    def put(self, answer: Answer) -> Literal["new", "same", "changed"]:
        """Keep an answer; the same answer a second time changes nothing.

        Raises:
            StoreError: it could not be written; the earlier answer still counts.
        """
        return self.put_all([answer])[0]

    def put_all(self, answers: Iterable[Answer]) -> list[Literal["new", "same", "changed"]]:
        """Keep answers in one transaction: all of them or none."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                done = [self._put(answer) for answer in answers]
                self._db.execute("COMMIT")
            except sqlite3.Error as fault:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise StoreError(f"{self.path}: not written: {fault}") from None
        return done

    def _put(self, answer: Answer) -> Literal["new", "same", "changed"]:
        now = self._db.execute(
            "SELECT id, body FROM answers WHERE annotator = ? AND item = ? AND counts",
            (answer.annotator, answer.item),
        ).fetchone()
        if now and _said(Answer.model_validate_json(now[1])) == _said(answer):
            return "same"
        if now:
            self._db.execute("UPDATE answers SET counts = 0 WHERE id = ?", (now[0],))
        self._db.execute(
            "INSERT INTO answers (annotator, item, body) VALUES (?, ?, ?)",
            (answer.annotator, answer.item, answer.model_dump_json()),
        )
        return "changed" if now else "new"

    def withdraw(self, annotator: str, item: str) -> bool:
        """Take an answer back (undo): it stays in the log and no longer counts.

        Raises:
            StoreError: it could not be written; the answer still counts.
        """
        with self._lock:
            try:
                done = self._db.execute(
                    "UPDATE answers SET counts = 0 WHERE annotator = ? AND item = ? AND counts",
                    (annotator, item),
                )
            except sqlite3.Error as fault:
                raise StoreError(f"{self.path}: not written: {fault}") from None
        return done.rowcount > 0

    def foreign(self) -> int:
        """A number that changes when another process (an import, say) has written answers."""
        with self._lock:
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def answers(self, annotator: str | None = None) -> list[Answer]:
        """Answers that count, in the order in which they were given; of one annotator or all."""
        where, bound = ("", ()) if annotator is None else ("AND annotator = ?", (annotator,))
        with self._lock:
            found = self._db.execute(
                f"SELECT body FROM answers WHERE counts {where} ORDER BY id", bound
            ).fetchall()
        return [Answer.model_validate_json(body) for (body,) in found]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def _said(answer: Answer) -> str:
    """What an answer says, apart from when and where it was given."""
    return json.dumps(answer.model_dump(exclude=_HOW), sort_keys=True)
