"""Writes the dataset's folder and the file of rejected candidates; both are all or nothing."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from falsereject_gen.dataset.splits import SPLITS, file_name, pack
from falsereject_gen.errors import UsageError
from falsereject_gen.files import replace_file, replace_folder
from falsereject_gen.records import Candidate, Round, Row

__all__ = ["write_dataset", "write_rejected"]


def write_dataset(rows: Sequence[Row], folder: Path, *, test_share: float, card: str) -> None:
    """Write Parquet files and the card; `datasets.load_dataset(str(folder))` reads them.

    The same rows and card give the same bytes (with the same pyarrow, whose version Parquet files
    carry). Files in the folder that are not ours stay there.

    Args:
        rows: accepted rows, in the order of the run.
        folder: the dataset's folder, put in place as a whole.
        test_share: expected share of the `test` split; see `splits.pack`.
        card: what `dataset_card` gives for the same rows and share.

    Raises:
        UsageError: the card names a split that has no file, or leaves one out.
        StoreError: the folder cannot be written; an earlier one is untouched.
    """
    splits = pack(rows, test_share)
    files = {file_name(split.name): split.data for split in splits}
    for name in map(file_name, SPLITS):
        if card.startswith("---") and (name in card.split("\n---", 1)[0]) != (name in files):
            raise UsageError(f"the card and the rows differ on {name}; make both with one share")
    owned = ("README.md", *map(file_name, SPLITS))
    replace_folder(folder, {**files, "README.md": card.encode()}, owned)


def write_rejected(candidates: Iterable[Candidate], path: Path, redact_unsafe: bool) -> None:
    """Write one JSON object a line for each candidate that was not accepted.

    Args:
        candidates: in the order of the run.
        path: `rejected.jsonl`.
        redact_unsafe: leave out the text of those judged unsafe (and say so: `redacted`).

    Raises:
        StoreError: the file cannot be written; an earlier one is untouched.
    """
    replace_file(path, _lines(candidates, redact_unsafe))


def _lines(candidates: Iterable[Candidate], redact_unsafe: bool) -> Iterator[bytes]:
    for candidate in candidates:
        line = json.dumps(_rejected(candidate, redact_unsafe), ensure_ascii=False)
        yield f"{line}\n".encode()


def _rejected(candidate: Candidate, redact_unsafe: bool) -> dict[str, Any]:
    brief, turn = candidate.brief, _last_written(candidate)
    verdict, unsafe = turn.verdict, _unsafe(turn)
    redacted = unsafe and redact_unsafe
    return {
        "brief_id": brief.id,
        "category": brief.category,
        "language": brief.language,
        "strategy": brief.strategy,
        "entities": [entity.id for entity in brief.entities],
        "seed_ids": list(brief.seed_ids),
        "status": candidate.status,
        "stage": candidate.stage,
        "reason": candidate.reason,
        "rounds": len(candidate.rounds),
        "text": None if redacted else turn.draft.text,
        "harm": verdict.harm if verdict else None,
        "looks_toxic": verdict.looks_toxic if verdict else None,
        "label": verdict.label if verdict else None,
        "unsafe": unsafe,
        "redacted": redacted,
    }


def _last_written(candidate: Candidate) -> Round:
    """The last round that has a text: when ideas run out, the last one is empty."""
    return next((r for r in reversed(candidate.rounds) if r.draft.text), candidate.last)


def _unsafe(turn: Round) -> bool:
    """Judged unsafe: by its label, or by the gate (harm too high, or an unclear label)."""
    labelled = turn.verdict is not None and turn.verdict.label == "unsafe"
    return labelled or turn.ruling.fault == "unsafe"
