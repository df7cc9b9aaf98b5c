"""Writing that is all or nothing: into a temporary file or folder beside, then one rename.

Nothing here knows what is written. A process killed at any moment leaves the old content or the
new one, and what other people put into a folder of ours is carried over, never deleted.
"""

import contextlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from falsereject_gen.errors import StoreError

__all__ = ["replace_file", "replace_folder"]


def replace_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file from its chunks and put it in place of what was there.

    Raises:
        StoreError: it cannot be written; what was there is untouched.
    """
    path = path.resolve()
    fresh = path.with_name(f".{path.name}.new")
    with _one_line(path, fresh):
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(fresh, chunks)
        fresh.replace(path)


def replace_folder(folder: Path, files: Mapping[str, bytes], owned: Collection[str]) -> None:
    """Put a folder with these files in place of what was there.

    Args:
        folder: the folder; made when it is missing.
        files: content by name, `/` between the steps.
        owned: every name that we ever write there. Other files of the old folder (somebody's notes,
            an annotator's export) are copied into the new one.

    Raises:
        StoreError: it cannot be written; what was there is untouched.
    """
    folder = folder.resolve()
    fresh = folder.with_name(f".{folder.name}.new")
    spent = folder.with_name(f".{folder.name}.old")
    with _one_line(folder, fresh):
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(0, "a file of that name stands in the way")
        _tidy(folder, fresh, spent)
        for name, data in files.items():
            _write(fresh / name, [data])
        _carry(folder, fresh, {*files, *owned})
        _swap(fresh, folder, spent)
    shutil.rmtree(spent, ignore_errors=True)


@contextlib.contextmanager
def _one_line(target: Path, fresh: Path) -> Iterator[None]:
    """An OSError becomes one line, and the temporary one beside is removed on any failure."""
    try:
        yield
    except BaseException as fault:
        with contextlib.suppress(OSError):
            shutil.rmtree(fresh) if fresh.is_dir() else fresh.unlink(missing_ok=True)
        if not isinstance(fault, OSError):
            raise
        raise StoreError(
            f"{target}: not written: {fault.strerror or fault}. What was there before is kept; "
            "mend that (make room, allow writing) and write it again"
        ) from None


def _tidy(folder: Path, fresh: Path, spent: Path) -> None:
    """Clear what a killed process left; one killed between two renames left only `spent`."""
    if spent.exists() and not folder.exists():
        spent.rename(folder)
    for left in (fresh, spent):
        if left.exists():
            shutil.rmtree(left)
    fresh.mkdir(parents=True)


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())  # a full disk may only show here


def _carry(folder: Path, fresh: Path, ours: Collection[str]) -> None:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        name = path.relative_to(folder).as_posix()
        if name in ours or (path.is_dir() and not path.is_symlink()):
            continue
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, fresh / name, follow_symlinks=False)


def _swap(fresh: Path, folder: Path, spent: Path) -> None:
    if folder.exists():
        folder.rename(spent)
    try:
        fresh.rename(folder)
    except OSError:
        if spent.exists():
            spent.rename(folder)
        raise
