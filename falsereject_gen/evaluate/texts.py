"""From a run folder, a dataset folder or any readable file to prompts and their categories.

What is left out (empty, broken, labelled toxic) is counted; nothing is drawn or measured here.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from falsereject_gen.errors import InputError
from falsereject_gen.seeds.layout import Format
from falsereject_gen.seeds.read import read_table
from falsereject_gen.seeds.recognise import choose
from falsereject_gen.seeds.table import FileRow, Table

__all__ = ["Texts", "read_texts"]

_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Texts:
    """The prompts of one set.

    Attributes:
        name: the file's or folder's own name.
        texts: prompts, in their order.
        categories: a label for each of them, or None when the set has no such column.
        columns: where the prompts stood.
        left_out: rows without a prompt that is measured, by reason.
    """

    name: str
    texts: tuple[str, ...]
    categories: tuple[str, ...] | None
    columns: tuple[str, ...]
    left_out: dict[str, int]


def read_texts(
    path: Path, prompt_column: str | None = None, category_column: str | None = None
) -> Texts:
    """Read a set: a run folder, a dataset folder (its `data/*.parquet`), or a file.

    In a file whose format says row by row what is toxic (XSTest), only the benign rows are
    measured, as the papers do; the others are counted in `left_out`.

    Args:
        path: the file or folder.
        prompt_column: column of the prompt, else that of the file's format.
        category_column: column of the category, likewise.

    Raises:
        InputError: it cannot be used, has no such column, or no prompt in it.
    """
    left = Counter[str]()
    rows: list[tuple[str, str | None]] = []
    columns: dict[str, None] = {}
    for file in _files(path):
        table = read_table(file)
        form = choose(table, None, prompt_column, category_column)
        if form.refuse and prompt_column is None:
            raise InputError(f"{form.refuse}; name the column with --prompt-column", path=file)
        columns.update(dict.fromkeys(form.prompt))
        rows += _rows(table, form, left)
    if not rows:
        why = ", ".join(f"{count} {reason}" for reason, count in left.items())
        raise InputError(f"no prompt in it to measure ({why})", path=path)
    labels = tuple(label for _, label in rows if label is not None)
    return Texts(
        name=path.resolve().name,
        texts=tuple(text for text, _ in rows),
        categories=labels if len(labels) == len(rows) else None,
        columns=tuple(columns),
        left_out=dict(left),
    )


def _files(path: Path) -> list[Path]:
    """The files of a set, `train` first."""
    if not path.is_dir():
        return [path]
    folder = path / "dataset" if (path / "run.sqlite").is_file() else path
    files = [file for split in _SPLITS for file in sorted((folder / "data").glob(f"{split}-*"))]
    found = [file for file in files if file.suffix == ".parquet"]
    if not found:
        what = f"no run or dataset in this folder: {folder.name}/data/train-*.parquet is missing"
        raise InputError(f"{what}; name a file", path=path)
    return found


def _rows(table: Table, form: Format, left: Counter[str]) -> list[tuple[str, str | None]]:
    out = []
    for row in table.rows:
        text = _text(row, form.prompt)
        if row.fault or text is None:
            left["unreadable"] += 1
        elif not text:
            left["empty"] += 1
        elif not isinstance(form.toxic, bool) and form.is_toxic(row) is not False:
            left["not labelled benign"] += 1
        else:
            out.append((text, _category(row, form, table)))
    return out


def _text(row: FileRow, columns: tuple[str, ...]) -> str | None:
    """The prompt; empty when the cell of the request is, None when a cell holds no text."""
    parts = []
    for column in columns:
        value = row.values.get(column)
        if isinstance(value, list) and value and all(isinstance(turn, str) for turn in value):
            value = "\n".join(value)
        if value is None or value != value:  # NaN is null
            value = ""
        if not isinstance(value, str):
            return None
        parts.append(value.strip())
    text = "\n\n".join(part for part in parts if part) if parts[-1] else ""
    return text.encode("utf-8", "replace").decode()  # a lone surrogate would stop the tokenizer


def _category(row: FileRow, form: Format, table: Table) -> str | None:
    """The row's label as it stands there; None when the file has no column for it."""
    if form.category == ("<file>",):
        return table.path.stem
    found = [column for column in form.category if column in table.columns]
    if not found:
        return None
    labels = [row.values.get(column) for column in found]
    return "/".join(str(label).strip() for label in labels if label is not None) or "(none)"
