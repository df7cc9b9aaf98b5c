"""Any file of prompts or replies in, the same rows with the embedded judges' columns out.

The judges are roles/; here is only which cells they read and where their answers go.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from falsereject_gen.errors import InputError
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.read import read_table
from falsereject_gen.seeds.recognise import choose
from falsereject_gen.seeds.table import FileRow, Table
from falsereject_gen.table_out import check_out, write_rows

__all__ = ["PROMPT_COLUMNS", "REPLY_COLUMNS", "score_prompts", "score_replies"]

PROMPT_COLUMNS = ("harm", "looks_toxic")
REPLY_COLUMNS = ("outcome", "decided_by", "confidence")
_BATCH = 1024
"""Texts judged at once: their vectors take 5 MB, whatever the size of the file."""

Judge = Callable[[Sequence[str]], Sequence[tuple[Any, ...]]]
Done = Callable[[int, int], None]


def score_prompts(
    file: Path,
    out: Path,
    rooms: Rooms,
    prompt_column: str | None = None,
    *,
    done: Done | None = None,
) -> dict[str, int]:
    """Add `harm` and `looks_toxic` (both 0..1) to every row; columns and order are kept.

    Args:
        file: csv, tsv, json, jsonl, parquet or txt.
        out: where to write; the suffix decides the format.
        rooms: assets.
        prompt_column: column of the prompt; without it that of the file's known format, else
            `prompt` or `text`.
        done: told how many of how many rows are judged.

    Returns:
        `rows`, and `empty`: rows without a prompt, whose scores are null.

    Raises:
        InputError: the file cannot be used, has no such column, or has one of ours already.
        UsageError: the suffix of `out` is not written.
    """
    check_out(out)
    table = read_table(file)
    if prompt_column is None and (form := choose(table, None, None, None)).prompt:
        columns = tuple(column for column in form.prompt if column in table.columns)
        _need(table, columns[-1] if columns else None, "--prompt-column")
    else:
        _need(table, prompt_column, "--prompt-column")
        columns = (str(prompt_column),)
    _check(table, PROMPT_COLUMNS)
    return _score(table, out, columns, PROMPT_COLUMNS, lambda: _prompt_judge(rooms), done)


def score_replies(
    file: Path, out: Path, rooms: Rooms, column: str, *, done: Done | None = None
) -> dict[str, int]:
    """Add `outcome`, `decided_by` and `confidence` to every row; columns and order are kept.

    Where the rules are not sure the likelier outcome stands with `decided_by` forced.

    Args:
        file: csv, tsv, json, jsonl, parquet or txt.
        out: where to write; the suffix decides the format.
        rooms: assets.
        column: column of the reply.
        done: told how many of how many rows are judged.

    Returns:
        `rows`, and `empty`: rows without a reply, where the three are null.

    Raises:
        InputError: the file cannot be used, has no such column, or has one of ours already.
        UsageError: the suffix of `out` is not written.
    """
    check_out(out)
    table = read_table(file)
    _need(table, column, "--column")
    _check(table, REPLY_COLUMNS)
    return _score(table, out, (column,), REPLY_COLUMNS, lambda: _reply_judge(rooms), done)


def _need(table: Table, column: str | None, flag: str) -> None:
    if column not in table.columns:
        what = f"no column `{column}`" if column else "which column is meant?"
        named = ", ".join(table.columns)
        raise InputError(f"{what}; the columns are: {named}; name one with {flag}", path=table.path)


def _check(table: Table, ours: Sequence[str]) -> None:
    """Nothing is lost: no column is written over, no broken row is passed on."""
    twice = [column for column in ours if column in table.columns]
    if twice:
        what = f"it has a column `{twice[0]}` already, which would be lost; rename it"
        raise InputError(what, path=table.path)
    broken = next((row for row in table.rows if row.fault), None)
    if broken:
        raise InputError(broken.fault, path=table.path, at=broken.place)


def _score(
    table: Table,
    out: Path,
    columns: Sequence[str],
    ours: Sequence[str],
    load: Callable[[], Judge],
    done: Done | None,
) -> dict[str, int]:
    texts = [_text(row, columns, table.path) for row in table.rows]
    full = [place for place, text in enumerate(texts) if text]
    found: list[tuple[Any, ...]] = [(None,) * len(ours)] * len(texts)
    judge = load() if full else lambda _: ()  # nothing to judge needs no model
    for places in _batches(full):
        answers = judge([texts[place] for place in places])
        for place, answer in zip(places, answers, strict=True):
            found[place] = answer
        if done:
            done(places[-1] + 1, len(texts))
    rows = [
        row.values | dict(zip(ours, answer, strict=True))
        for row, answer in zip(table.rows, found, strict=True)
    ]
    write_rows(out, (*table.columns, *ours), rows)
    return {"rows": len(rows), "empty": len(rows) - len(full)}


def _text(row: FileRow, columns: Sequence[str], path: Path) -> str:
    """The text that is judged; empty when the cell of the last column is null or blank.

    Raises:
        InputError: a cell holds something else than text or a list of turns.
    """
    parts = []
    for column in columns:
        value = row.values.get(column)
        if isinstance(value, list) and value and all(isinstance(turn, str) for turn in value):
            value = "\n".join(value)
        if value is None or value != value:  # NaN is null
            value = ""
        if not isinstance(value, str):
            what = f"`{column}` holds no text but {type(value).__name__}"
            raise InputError(what, path=path, at=row.place)
        parts.append(value.strip())
    text = "\n\n".join(part for part in parts if part) if parts[-1] else ""
    return text.encode("utf-8", "replace").decode()  # a lone surrogate would stop the tokenizer


def _batches(places: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(places), _BATCH):
        yield places[start : start + _BATCH]


def _prompt_judge(rooms: Rooms) -> Judge:
    from falsereject_gen.dedup.encoder import MiniLM  # noqa: PLC0415 - heavy: torch
    from falsereject_gen.entities.lexicon import load_lexicon  # noqa: PLC0415 - heavy: spaCy
    from falsereject_gen.roles.embedded.discriminator import LinearDiscriminator  # noqa: PLC0415
    from falsereject_gen.roles.embedded.triggers import Triggers  # noqa: PLC0415
    from falsereject_gen.settings import load_settings  # noqa: PLC0415
    from falsereject_gen.taxonomy import load_taxonomy  # noqa: PLC0415

    triggers = Triggers(load_taxonomy(rooms)[0], load_lexicon(rooms), rooms)
    limits = load_settings(rooms=rooms).loop
    judge = LinearDiscriminator.load(rooms, MiniLM(), triggers, limits)
    return lambda texts: [(v.harm, v.looks_toxic) for v in judge.judge_many(texts)]


def _reply_judge(rooms: Rooms) -> Judge:
    from falsereject_gen.roles.refusal import RefusalRules  # noqa: PLC0415

    rules = RefusalRules(rooms)

    def judge(texts: Sequence[str]) -> list[tuple[Any, ...]]:
        found = [rules.force(text) for text in texts]
        return [(one.outcome, one.decided_by, one.confidence) for one in found]

    return judge
