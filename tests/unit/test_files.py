"""Writing is all or nothing, whatever goes wrong and whenever the process is killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from falsereject_gen.errors import StoreError
from falsereject_gen.files import replace_file, replace_folder

OLD = {"a.txt": b"old", "data/b.txt": b"old"}
NEW = {"a.txt": b"new"}
OWNED = ("a.txt", "data/b.txt")


def tree(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def test_a_failed_swap_puts_the_old_folder_back(tmp_path, monkeypatch):
    folder = tmp_path / "ds"
    replace_folder(folder, OLD, OWNED)
    rename = Path.rename

    def fail(self, target):
        if self.name.endswith(".new"):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(StoreError, match="No space left on device") as caught:
        replace_folder(folder, NEW, OWNED)
    assert "\n" not in str(caught.value)
    assert tree(folder) == OLD
    assert [p.name for p in tmp_path.iterdir()] == ["ds"]


def test_what_a_killed_process_left_is_put_right(tmp_path):
    folder = tmp_path / "ds"
    replace_folder(folder, OLD, OWNED)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    folder.rename(tmp_path / ".ds.old")  # killed between the two renames
    (tmp_path / ".ds.new").mkdir()
    (tmp_path / ".ds.new" / "half").write_text("x", encoding="utf-8")
    replace_folder(folder, NEW, OWNED)
    assert tree(folder) == {**NEW, "notes.txt": b"mine"}
    assert [p.name for p in tmp_path.iterdir()] == ["ds"]


@pytest.mark.skipif(os.name != "posix", reason="limits the file size as POSIX does")
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    code = """
import resource, signal, sys
from pathlib import Path
from falsereject_gen.errors import StoreError
from falsereject_gen.files import replace_file, replace_folder
out = Path(sys.argv[1])
replace_folder(out / "ds", {"a": b"old"}, ["a"])
replace_file(out / "r.jsonl", [b"old"])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for write in (
    lambda: replace_folder(out / "ds", {"a": b"x" * 9000}, ["a"]),
    lambda: replace_file(out / "r.jsonl", [b"x" * 900] * 9),
):
    try:
        write()
    except StoreError as fault:
        print(fault)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    said = done.stdout.splitlines()
    assert len(said) == 2
    assert all("not written: File too large" in line for line in said)
    assert tree(tmp_path) == {"ds/a": b"old", "r.jsonl": b"old"}


def test_a_file_in_the_way_is_kept(tmp_path):
    (tmp_path / "ds").write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError, match="stands in the way"):
        replace_folder(tmp_path / "ds", {"a": b"1"}, ())
    assert (tmp_path / "ds").read_text(encoding="utf-8") == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["ds"]


def test_a_fault_of_the_caller_leaves_nothing_either(tmp_path):
    def lines():
        yield b"one"
        raise RuntimeError("fault")

    with pytest.raises(RuntimeError):
        replace_file(tmp_path / "r.jsonl", lines())
    assert not list(tmp_path.iterdir())
