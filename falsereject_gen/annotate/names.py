"""Whose answers they are: from what the tool says, the folder, the file's name or the user."""

from collections.abc import Sequence
from pathlib import Path

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.errors import UsageError

__all__ = ["Names"]

_FOLDER = "for-"


class Names:
    """Names of a batch's annotators, and what tools call them.

    Args:
        batch: its annotators are who is expected.
        given: `NAME` for files that do not say whose they are, `THEIRS=NAME` for one person.

    Raises:
        UsageError: two names for the same files or person.
    """

    def __init__(self, batch: Batch, given: Sequence[str] = ()) -> None:
        expected = [] if batch.open else [*batch.assignment]
        self._known = {name.casefold(): name for name in expected}
        self._alone = expected[0] if len(expected) == 1 else ""
        self._called: dict[str, str] = {}
        self.owner = ""
        for one in given:
            theirs, sign, ours = one.rpartition("=")
            if sign and theirs.strip() and ours.strip():
                self._called[theirs.strip().casefold()] = self._ours(ours.strip())
            elif sign or self.owner:
                what = "NAME once, or THEIRS=NAME for each person"
                raise UsageError(f"--annotator {one}: {what}")
            else:
                self.owner = self._ours(one.strip())

    def knows(self, theirs: str) -> bool:
        """Whether a name or an address is that of somebody whom the batch knows."""
        return theirs.casefold() in self._called or self._ours(theirs).casefold() in self._known

    def of_file(self, path: Path) -> str:
        """Whose file it is: as the user says, by its folder `for-<name>`, or by its own name."""
        if self.owner:
            return self.owner
        for part in reversed(path.resolve().parts[:-1]):
            if part.startswith(_FOLDER) and part.removeprefix(_FOLDER).casefold() in self._known:
                return self._ours(part.removeprefix(_FOLDER))
        return self._known.get(path.stem.casefold()) or self._alone

    def resolve(self, theirs: str, owner: str, *, alone: bool) -> str:
        """The name of a person whom a file calls `theirs`.

        Args:
            theirs: a name, an e-mail address, `#7` for a number only, or empty.
            owner: whose file it is, when that is known.
            alone: nobody else stands in the file, so that the owner can be meant by a number.
        """
        bare = theirs.removeprefix("#")
        if found := self._called.get(bare.casefold()):
            return found
        if theirs.startswith("#"):
            stranger = f"user-{bare}" if bare.isdigit() else bare
            return owner if owner and alone else stranger
        return self._ours(theirs) if theirs else owner

    def _ours(self, name: str) -> str:
        """A known name however it is written, and `anna` for `anna@example.org`."""
        local = name.partition("@")[0]
        return self._known.get(name.casefold()) or self._known.get(local.casefold()) or name
