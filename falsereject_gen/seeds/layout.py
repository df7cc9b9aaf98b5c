"""What an entry of the format registry says, and how a file is held against it.

The entries are formats.py; which of them a file gets is recognise.py.
"""

import re
from dataclasses import dataclass

from falsereject_gen.seeds.table import FileRow, Shape, Table

__all__ = ["Format", "Split"]


@dataclass(frozen=True)
class Split:
    """A column that tells toxic rows from benign ones: full-match patterns, lower case."""

    column: str
    toxic: str
    benign: str


@dataclass(frozen=True)
class Format:
    """How a public set is laid out.

    Attributes:
        name: what `--format` calls it.
        source: name of the set; empty for the file's own name.
        licence: of the set; `unknown` where the file does not say.
        needs: columns that must all be there.
        prompt: columns whose texts make the prompt, in this order; the last one is the request.
        category: columns whose labels, joined by `/`, name the category; `<file>` is the file name.
        table: table of graphs/crosswalks.yaml for these labels.
        toxic: whether its rows are toxic, or the column that says so row by row.
        shape: how the rows must stand in the file.
        file: pattern to be found in the lower-case file name.
        values: pattern that all values of a column must match.
        spread: least number of different values in the columns of `values`.
        named: pattern in the lower-case file name that stands in for `values`.
        keys: outermost keys of a nested file, one of which must be there.
        only: the columns are all that there are.
        twin: a column with the benign counterpart of the prompt.
        key: a column that names the row.
        language: a column with the row's language or locale.
        refuse: why a file of this format is no seed file.
    """

    name: str
    source: str = ""
    licence: str = "unknown"
    needs: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ("prompt",)
    category: tuple[str, ...] = ()
    table: str = ""
    toxic: bool | Split = True
    shape: Shape = "records"
    file: str = ""
    values: tuple[tuple[str, str], ...] = ()
    spread: int = 1
    named: str = ""
    keys: tuple[str, ...] = ()
    only: bool = False
    twin: str = ""
    key: str = ""
    language: str = ""
    refuse: str = ""

    def is_toxic(self, row: FileRow) -> bool | None:
        """Whether a row is toxic; None when its label says neither."""
        if isinstance(self.toxic, bool):
            return self.toxic
        value = str(row.values.get(self.toxic.column)).strip().lower()
        if re.fullmatch(self.toxic.toxic, value):
            return True
        return False if re.fullmatch(self.toxic.benign, value) else None

    def fits(self, table: Table) -> bool:
        """Whether a file looks like this format."""
        columns = set(table.columns)
        return (
            table.shape == self.shape
            and (set(self.needs) == columns if self.only else set(self.needs) <= columns)
            and bool(re.search(self.file, table.path.name.lower()))
            and (not self.keys or bool(table.keys & set(self.keys)))
            and (self._is_named(table) or self._holds(table))
        )

    def _is_named(self, table: Table) -> bool:
        return bool(self.named and re.search(self.named, table.path.name.lower()))

    def _holds(self, table: Table) -> bool:
        return all(_all_match(table, column, how, self.spread) for column, how in self.values)


def _all_match(table: Table, column: str, how: str, spread: int) -> bool:
    found = {str(row.values.get(column)) for row in table.rows}
    return len(found) >= spread and all(re.fullmatch(how, value) for value in found)
