"""What can go wrong, as one tree. Every message says what, where and what to do.

FalseRejectError                exit code 1
├── UsageError                  the call is wrong: a flag, a setting (exit 2)
├── InputError                  a file or row cannot be used; carries where
│   └── TaxonomyError           categories that contradict each other
├── RoomError                   an asset (card, graph, prompt) is missing or malformed
├── StoreError                  the run folder cannot be written or belongs to another run
├── EndpointError               a model endpoint answered with what no retry can mend
│   └── ReplyError              a model's reply could not be used; carries the raw text
└── Stopped                     a budget or the user ended the run; resumable (exit 3)
"""

from pathlib import Path

__all__ = [
    "EndpointError",
    "FalseRejectError",
    "InputError",
    "ReplyError",
    "RoomError",
    "Stopped",
    "StoreError",
    "TaxonomyError",
    "UsageError",
]


class FalseRejectError(Exception):
    """Root of all errors that this package raises on purpose."""

    exit_code = 1


class UsageError(FalseRejectError):
    """A flag or setting cannot mean anything."""

    exit_code = 2


class InputError(FalseRejectError):
    """A file or a row of it cannot be used."""

    def __init__(self, what: str, *, path: Path | str | None = None, at: str = "") -> None:
        self.path, self.at = path, at
        where = ", ".join(str(part) for part in (path, at) if part)
        super().__init__(f"{where}: {what}" if where else what)


class TaxonomyError(InputError):
    """A taxonomy contradicts itself or names what it does not define."""


class RoomError(FalseRejectError):
    """An asset of agents/, graphs/ or prompts/ is missing or malformed."""


class StoreError(FalseRejectError):
    """The run folder cannot be used."""


class EndpointError(FalseRejectError):
    """An endpoint answered with something that no retry can mend."""


class ReplyError(EndpointError):
    """A model's reply could not be used, after asking again."""

    def __init__(self, what: str, raw: str = "") -> None:
        self.raw = raw
        super().__init__(what)


class Stopped(FalseRejectError):
    """A budget or the user ended the run; what is finished is in the store."""

    exit_code = 3
