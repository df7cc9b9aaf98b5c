"""Writes an annotation batch: Label Studio tasks and config, a CSV, the guideline, a manifest.

It is blind: people see the prompt and its category; scores, probes, strategy and seeds stay here.
"""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from falsereject_gen.annotate.questions import ANSWERS, QUESTIONS, labeling_config
from falsereject_gen.annotate.sample import METHOD, draw
from falsereject_gen.files import replace_folder
from falsereject_gen.records import Row

__all__ = ["FORMAT", "SHOWN", "write_batch"]

FORMAT = 1
SHOWN = ("id", "prompt", "category_name", "domain")
"""What people see of a row, and its id, by which answers are joined."""

_TEXTS = {"guideline.md": "guideline.md", "README.md": "readme.md"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_batch(rows: Sequence[Row], folder: Path, *, size: int, rng: int) -> None:
    """Write a batch for people to label; the same rows, size and seed give the same bytes.

    Args:
        rows: published rows.
        folder: put in place as a whole; files of others in it (an export, notes) stay.
        size: rows in the batch; 0, or more than there are, takes all. The manifest says both.
        rng: random seed of the sample and of its order.

    Raises:
        StoreError: the folder cannot be written; an earlier one is untouched.
    """
    drawn = draw(rows, size, rng)
    texts = {
        "tasks.json": _json([{"data": _shown(row)} for row in drawn]),
        "labeling_config.xml": labeling_config(),
        "batch.csv": _csv(drawn),
        **{name: _packaged(source) for name, source in _TEXTS.items()},
    }
    sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    texts["batch.json"] = _json(_manifest(rows, drawn, size, rng, sums))
    replace_folder(folder, {name: text.encode() for name, text in texts.items()}, set(texts))


def _shown(row: Row) -> dict[str, str]:
    return {name: getattr(row, name) for name in SHOWN}


def _csv(rows: Sequence[Row]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, (*SHOWN, *ANSWERS), quoting=csv.QUOTE_ALL, restval="")
    table.writeheader()
    for row in rows:
        table.writerow({name: _inert(text) for name, text in _shown(row).items()})
    return out.getvalue()


def _inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula, blanks before the sign or not."""
    danger = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if danger else text


def _manifest(
    rows: Sequence[Row], drawn: Sequence[Row], size: int, rng: int, sums: dict[str, str]
) -> dict[str, Any]:
    there = Counter((row.category, row.strategy) for row in rows)
    taken = Counter((row.category, row.strategy) for row in drawn)
    return {
        "format": FORMAT,
        "sampler": {"method": METHOD, "rng": rng, "asked": size or "all"},
        "rows": {"available": len(rows), "drawn": len(drawn), "left_out": len(rows) - len(drawn)},
        "run_ids": sorted({row.run_id for row in rows}),
        "questions": {question.name: question.answers for question in QUESTIONS},
        "items": [row.id for row in drawn],
        "strata": [
            {"category": c, "strategy": s, "available": there[c, s], "drawn": taken[c, s]}
            for c, s in sorted(there)
        ],
        "sha256": sums,
    }


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _packaged(name: str) -> str:
    return files("falsereject_gen.annotate").joinpath(name).read_text(encoding="utf-8")
