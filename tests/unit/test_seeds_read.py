"""Files into rows: every trap of the public formats, every bad input as one line with its place."""

import csv
import json

import pytest

from falsereject_gen.errors import InputError
from falsereject_gen.seeds.read import read_table


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


def cells(table, column="prompt"):
    return [row.values[column] for row in table.rows]


def test_csv_keeps_all_columns_bom_crlf_and_no_final_newline(tmp_path):
    path = write(tmp_path / "a b.csv", "\ufeffid,prompt,note\r\n1,one,x\r\n2,two,y")
    table = read_table(path)
    assert table.columns == ("id", "prompt", "note")
    assert cells(table) == ["one", "two"]
    assert cells(table, "note") == ["x", "y"]
    assert [row.place for row in table.rows] == ["row 1", "row 2"]


def test_csv_cells_may_hold_lines_and_odd_separators(tmp_path):
    text = 'first\r\nsecond\u2028third\x0bfourth ""quoted""'
    table = read_table(write(tmp_path / "a.csv", f'prompt,n\r\n"{text}",1\r\nlast,2\r\n'))
    assert cells(table) == [text.replace('""', '"'), "last"]


def test_csv_huge_cell_and_limit_restored(tmp_path):
    before = csv.field_size_limit()
    table = read_table(write(tmp_path / "a.csv", "prompt\n" + "x" * 10_000_000 + "\nnext\n"))
    assert [len(cell) for cell in cells(table)] == [10_000_000, 4]
    assert csv.field_size_limit() == before


def test_csv_unnamed_column_gets_a_name(tmp_path):
    assert read_table(write(tmp_path / "a.csv", ",Goal\n0,x\n")).columns == ("column 1", "Goal")


def test_csv_of_a_spreadsheet_with_semicolons_and_tsv(tmp_path):
    assert cells(read_table(write(tmp_path / "a.csv", "prompt;n\nx, y;1\n"))) == ["x, y"]
    assert cells(read_table(write(tmp_path / "a.tsv", "prompt\tn\nx, y\t1\n"))) == ["x, y"]


def test_csv_ragged_rows(tmp_path):
    table = read_table(write(tmp_path / "a.csv", "prompt,n\na,b,c\nonly\n"))
    assert "3 cells where the header names 2" in table.rows[0].fault
    assert table.rows[1].values == {"prompt": "only", "n": None}


def test_text_lines(tmp_path):
    table = read_table(write(tmp_path / "a.txt", "one\r\n\r\ntwo\u2028still two"))
    assert cells(table) == ["one", "", "two\u2028still two"]
    assert table.rows[2].place == "line 3"


def test_jsonl_blank_lines_and_line_separators_inside(tmp_path):
    rows = '{"prompt": "a\u2028b"}\r\n\r\n"bare"\n'
    table = read_table(write(tmp_path / "a.jsonl", rows))
    assert cells(table) == ["a\u2028b", "bare"]
    assert [row.place for row in table.rows] == ["line 1", "line 3"]


def test_json_arrays_nested_dicts_artifacts_and_lines_under_json(tmp_path):
    bare = read_table(write(tmp_path / "a.json", '["x", null, 3]'))
    assert bare.shape == "list"
    assert cells(bare)[:2] == ["x", None]
    assert "int" in bare.rows[2].fault
    nested = read_table(write(tmp_path / "b.json", '{"Top": {"Sub:": ["x", "y"]}}'))
    assert nested.rows[1].values == {"category": "Top", "subcategory": "Sub:", "prompt": "y"}
    assert nested.keys == {"Top"}
    artifact = '{"parameters": {"n": null}, "jailbreaks": [{"goal": "x", "prompt": null}]}'
    held = read_table(write(tmp_path / "c.json", artifact))
    assert held.rows[0].values == {"goal": "x", "prompt": None}
    assert held.rows[0].place == "jailbreaks[0]"
    lines = read_table(write(tmp_path / "d.json", '{"prompt": "x"}\n{"prompt": "y"}\n'))
    assert cells(lines) == ["x", "y"]


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"prompt": ["x", None], "category": [1, 2]}), path)
    assert [row.values for row in read_table(path).rows] == [
        {"prompt": "x", "category": 1},
        {"prompt": None, "category": 2},
    ]


def lines_with_fault(number):
    return "\n".join(["{}" if n != number else '{"prompt": ' for n in range(1, number + 3)])


BAD = [
    ("empty.csv", b"", ["the file is empty"]),
    ("blank.csv", b"\xef\xbb\xbf \n", ["the file is empty"]),
    ("header.csv", b"prompt,n\n", ["no rows", "prompt, n"]),
    ("twice.csv", b"prompt,prompt\na,b\n", ["`prompt` stands twice"]),
    ("open.csv", b'prompt\na\n"b\nc\n', ["line 3", "never closed"]),
    ("after.csv", b'prompt\n"a"b\n', ["line 2", "after a closing quote"]),
    ("binary.csv", bytes(range(256)), ["binary"]),
    ("gzip.jsonl", b"\x1f\x8b\x08" + bytes(range(1, 30)), ["binary"]),
    ("latin.csv", "prompt\nok\ncafé\n".encode("latin-1"), ["line 3", "0xe9", "UTF-8"]),
    ("wide.txt", "prompt".encode("utf-16"), ["UTF-16"]),
    ("broken.jsonl", lines_with_fault(812).encode(), ["line 812", "not valid JSON"]),
    ("broken.json", b'[\n"a",\n"b"\n"c"]', ["line 4", "not valid JSON"]),
    ("tail.json", b'{\n"a": ["x"]\n}\n}', ["line 4", "not valid JSON"]),
    ("deep.json", b"[" * 200_000, ["JSON"]),
    ("number.json", b"3", ["no rows"]),
    ("none.json", b"[]", ["no rows"]),
    ("not.parquet", b"PAR1 no", ["Parquet"]),
    ("sheet.xlsx", b"PK", [".csv", ".parquet"]),
]


@pytest.mark.parametrize(("name", "data", "wanted"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_files_are_one_line_with_path_and_place(tmp_path, name, data, wanted):
    with pytest.raises(InputError) as found:
        read_table(write(tmp_path / name, data))
    said = str(found.value)
    assert name in said
    assert "\n" not in said
    for part in wanted:
        assert part in said


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="directory"):
        read_table(tmp_path)


def test_every_row_of_jsonl_has_its_own_values(tmp_path):
    rows = [{"prompt": f"p{n}", "extra": [n]} for n in range(5)]
    text = "\n".join(json.dumps(row) for row in rows)
    assert [row.values for row in read_table(write(tmp_path / "a.jsonl", text)).rows] == rows
