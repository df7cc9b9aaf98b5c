"""What one server knows of a batch: whose rows, in which order, what they said, what comes next.

Everything is on disk before a method returns. What others write into the same store (an import
while the server runs) is seen at the next look.
"""

import random
import threading
from collections import Counter
from collections.abc import Sequence
from itertools import chain

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.records import Answer, Item
from falsereject_gen.annotate.store import AnswerStore
from falsereject_gen.errors import UsageError

__all__ = ["Desk"]

_LONGEST = 64


class Desk:
    """The rows of each person and their answers; safe to share between threads.

    Args:
        batch: what is annotated.
        people: who annotates it, when it is open to whoever comes.

    Raises:
        UsageError: nobody is named, or people are named for a batch that has its own.
        StoreError: the batch's answers cannot be opened.
    """

    def __init__(self, batch: Batch, people: Sequence[str] = ()) -> None:
        self.batch = batch
        self._orders = orders(batch, people)
        self.people = tuple(self._orders)
        self._places = {
            name: {item: number for number, item in enumerate(order, 1)}
            for name, order in self._orders.items()
        }
        self._store: AnswerStore = batch.store()
        self._lock = threading.Lock()
        self._locks = {name: threading.RLock() for name in self.people}
        self._said: dict[str, dict[str, Answer]] = {}
        self._taken_back: dict[tuple[str, str], Answer] = {}
        self._seen = self._store.foreign()

    def total(self, name: str) -> int:
        """How many items a person has."""
        return len(self._places[name])

    def item(self, name: str, number: int) -> Item | None:
        """A person's item by its place, from 1; None when there is none."""
        order = self._orders[name]
        return self.batch.items[order[number - 1]] if 0 < number <= len(order) else None

    def said(self, name: str) -> dict[str, Answer]:
        """A person's answers to their own items by item id, in the order they were given."""
        foreign = self._store.foreign()
        with self._lock:
            if foreign != self._seen:
                self._said, self._seen = {}, foreign
            found = self._said.get(name)
        if found is not None:
            return found
        with self._locks[name]:
            mine = self._places[name]
            fresh = {one.item: one for one in self._store.answers(name) if one.item in mine}
            return self._said.setdefault(name, fresh)

    def given(self, name: str, item: str) -> Answer | None:
        """What stands in the form of an item: the answer, or the one that was taken back."""
        return self.said(name).get(item) or self._taken_back.get((name, item))

    def keep(self, answer: Answer) -> None:
        """Keep an answer: it is on disk when this returns.

        Raises:
            StoreError: it could not be written; what was there before still counts.
        """
        with self._locks[answer.annotator]:
            said = self.said(answer.annotator)
            if self._store.put(answer) != "same":
                self._change(answer.annotator, said, answer.item, answer)
            self._taken_back.pop((answer.annotator, answer.item), None)

    def undo(self, name: str) -> int | None:
        """Take a person's last answer back; the place of its item, None when there is none.

        Raises:
            StoreError: it could not be written; the answer still counts.
        """
        with self._locks[name]:
            said = self.said(name)
            last = next(reversed(said), None)
            if last is None:
                return None
            self._store.withdraw(name, last)
            self._taken_back[name, last] = said[last]
            self._change(name, said, last, None)
            return self._places[name][last]

    def _change(self, name: str, said: dict[str, Answer], item: str, answer: Answer | None) -> None:
        """A changed copy takes the place of the answers: who reads the old one is not disturbed."""
        left = {key: one for key, one in said.items() if key != item}
        with self._lock:
            if self._said.get(name) is said:
                self._said[name] = left if answer is None else {**left, item: answer}
            else:  # forgotten since, because somebody else wrote: the next look reads the store
                self._said.pop(name, None)

    def place(self, name: str, item: str) -> int:
        """The place of a person's own item, from 1."""
        return self._places[name][item]

    def next_open(self, name: str, after: int = 0) -> int | None:
        """The next place without an answer, round the end to the beginning; None when all have."""
        said, order = self.said(name), self._orders[name]
        for at in chain(range(after, len(order)), range(min(after, len(order)))):
            if order[at] not in said:
                return at + 1
        return None

    def close(self) -> None:
        """Close the store."""
        self._store.close()


def orders(batch: Batch, people: Sequence[str]) -> dict[str, list[str]]:
    """Each person's item ids in the order in which they see them.

    Raises:
        UsageError: nobody is named, or people are named for a batch that has its own.
    """
    if not batch.open:
        if people:
            own = ", ".join(batch.assignment)
            raise UsageError(f"--annotators: {batch.folder} is dealt out already, to {own}")
        return {name: ids for name, ids in batch.assignment.items() if ids}
    if not people:
        what = "is open to whoever comes; name them: --annotators anna,ben,cleo"
        raise UsageError(f"{batch.folder}: {what}")
    out = {}
    for name in checked(people):
        line = sorted(batch.items)
        random.Random(f"order:{batch.name}:{name}").shuffle(line)
        out[name] = line
    return out


def checked(people: Sequence[str]) -> Sequence[str]:
    """Names that can be told apart and shown.

    Raises:
        UsageError: one that is empty, too long, unprintable, or there twice.
    """
    for name in people:
        if not (name.strip() and len(name) <= _LONGEST and name.isprintable()):
            raise UsageError(f"--annotators {name!r}: a name has 1 to {_LONGEST} printable letters")
    double = [name for name, count in Counter(map(str.casefold, people)).items() if count > 1]
    if double:
        raise UsageError(f"--annotators: {double[0]} stands twice")
    return people
