"""The published rows of a run, read from its dataset."""

from pathlib import Path

from pydantic import ValidationError

from falsereject_gen.errors import InputError
from falsereject_gen.records import Row

__all__ = ["published_rows"]


def published_rows(folder: Path) -> list[Row]:
    """The rows of a run folder, or of a dataset folder on its own, in the order of their files.

    Raises:
        InputError: there is no dataset, or a row of it does not fit.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - a fifth of a second

    found = sorted(folder.glob("dataset/data/*.parquet")) or sorted(folder.glob("data/*.parquet"))
    if not found:
        what = "no dataset/data/*.parquet in it; give the folder of a finished run"
        raise InputError(what, path=folder)
    out = []
    for path in found:
        try:
            table = pq.read_table(path, partitioning=None).to_pylist()
        except Exception as fault:  # pyarrow raises its own and OSError
            what = f"cannot be read: {str(fault).splitlines()[0][:200]}"
            raise InputError(what, path=path) from None
        for number, values in enumerate(table, 1):
            try:
                out.append(Row.model_validate(values))
            except ValidationError as fault:
                first = fault.errors()[0]
                what = f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}"
                raise InputError(what, path=path, at=f"row {number}") from None
    return out
