"""Which format of the registry a file gets: the first that it fits, or the one that a user names.

A user's columns replace those of the format and nothing else: what it calls benign stays so.
"""

from dataclasses import replace

from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.seeds.formats import FORMATS, GENERIC
from falsereject_gen.seeds.layout import Format, Split
from falsereject_gen.seeds.ledger import one_line
from falsereject_gen.seeds.table import Table

__all__ = ["choose", "recognise"]

_LABEL = Split("label", r"(?!(safe|benign|harmless)$).*", r"safe|benign|harmless")
"""A generic file's `label` column, if any, can only say that a row is benign."""


def recognise(table: Table) -> Format:
    """The first entry that a file fits; `generic` fits whatever has a `prompt` or `text` column."""
    found = next((entry for entry in FORMATS.values() if entry.fits(table)), GENERIC)
    return _fit_generic(table) if found is GENERIC else found


def choose(
    table: Table, name: str | None, prompt_column: str | None, category_column: str | None
) -> Format:
    """The format of a file: the named one or the recognised one, with the columns a user names.

    Raises:
        UsageError: no format has this name.
        InputError: a column is not in the file, or the file has no column of prompts.
    """
    if name is not None and name not in FORMATS:
        raise UsageError(f"--format {name}: unknown; known are {', '.join(sorted(FORMATS))}")
    for flag, column in (
        ("--prompt-column", prompt_column),
        ("--category-column", category_column),
    ):
        if column is not None and column not in table.columns:
            raise InputError(f"{flag} {column}: {_columns(table)}", path=table.path)
    if name is None:
        found = recognise(table)
    else:
        found = _fit_generic(table) if name == GENERIC.name else FORMATS[name]
    if prompt_column is not None:
        found = replace(found, prompt=(prompt_column,))
    if category_column is not None:
        found = replace(found, category=(category_column,))
    missing = [column for column in found.prompt if column not in table.columns]
    if missing and not found.refuse:
        what = f"no column `{missing[0]}` with prompts; {_columns(table)}"
        raise InputError(f"{what}; name it with --prompt-column", path=table.path)
    return found


def _fit_generic(table: Table) -> Format:
    lower = {column.lower(): column for column in reversed(table.columns)}
    prompt = lower.get("prompt") or lower.get("text") or "prompt"
    label = lower.get("label")
    toxic = replace(_LABEL, column=label) if label else True
    return replace(
        GENERIC, prompt=(prompt,), category=(lower.get("category", "category"),), toxic=toxic
    )


def _columns(table: Table) -> str:
    """The columns found; cut to 40 characters each, for a file without a header names prompts."""
    return f"the columns are: {', '.join(one_line(name)[:40] for name in table.columns)}"
