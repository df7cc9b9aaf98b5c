"""Formats of other tools, written and read back: ids and text come back byte for byte."""

import csv
import io
import json
import zipfile

import pytest

from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.controls import Pools
from falsereject_gen.annotate.formats import FORMATS, READERS, reader, recognise, writer
from falsereject_gen.annotate.formats.csv_sheet import inert, plain
from falsereject_gen.annotate.formats.jsonish import label
from falsereject_gen.annotate.plan import Wanted, make_plan
from falsereject_gen.annotate.questions import ANSWERS, QUESTIONS
from falsereject_gen.errors import InputError, UsageError

ODD = (
    "How do I kill \U0001f9df\u200d\u2642\ufe0f zombies?\nAll of them, \"now\", 'please'",
    "כיצד הורגים תהליך יתום? كيف أقتل عملية يتيمة؟ \u202ex\u202c",
    '=HYPERLINK("x";"y"), +1, -1, @a',
    "'=already with an apostrophe",
    "''twice, and 'Tis = fine",
    "  =blanks before",
    "\tTab, \r\nboth line ends,\rone of them, and\x0bvertical",
    "literal _x000D_ and _x005F_ stay; a;b,c\td",
    "</script><script>alert(1)</script> {{ x }} $prompt &amp;",
    "e\u0301 is not \u00e9; trailing blanks   ",
    "#N/A",
    "007",
    "line\u2028separator\u0085next",
)
TEXT = {"label-studio": "tasks.json", "argilla": "argilla/records.json"}
TEXT |= {"prodigy": "prodigy.jsonl", "doccano": "doccano.jsonl"}
TEXT |= {"csv": "batch.csv", "xlsx": "batch.xlsx"}
ALL = {question.name: question.answers[-1] for question in QUESTIONS}
NOTE = 'hm, "\U0001f914"\nשלום'


@pytest.fixture
def batch(made, tmp_path):
    rows = [made(k, prompt=text) for k, text in enumerate(ODD)]
    plan = make_plan(rows, Pools(), Wanted(annotators=("anna", "bob"), overlap=2))
    return export(plan, tmp_path / "odd", list(TEXT))


def file_of(batch, name, who="anna"):
    return (batch.folder / f"for-{who}" / TEXT[name]).read_bytes()


def in_label_studio(data):
    tasks = json.loads(data)
    for number, task in enumerate(tasks):
        result = [
            {"from_name": n, "type": "choices", "value": {"choices": [a]}} for n, a in ALL.items()
        ]
        result.append({"from_name": "note", "type": "textarea", "value": {"text": [NOTE]}})
        who = {"id": 3, "email": "anna@example.org"}
        task |= {"id": number, "annotations": [{"completed_by": who, "result": result}]}
    return json.dumps(tasks).encode()


def in_argilla(data):
    records = json.loads(data)
    for record in records:
        said = {**ALL, "note": NOTE}
        record["responses"] = {n: [{"value": a, "user_id": "u-1"}] for n, a in said.items()}
    return json.dumps(records).encode()


def in_lines(data, more):
    found = [json.loads(line) | more for line in data.decode().split("\n")[:-1]]
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in found).encode()


def in_csv(data):
    table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    for row in table[1:]:
        row[4:] = [*ALL.values(), NOTE]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";").writerows(table)
    return out.getvalue().encode("utf-16")


def in_xlsx(data):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO(data))
    for row in book["answers"].iter_rows(min_row=2):
        for cell, value in zip(row[4:], [*ALL.values(), NOTE], strict=True):
            cell.value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


LABELS = [label(n, a) for n, a in ALL.items()]
TOOLS = {
    "label-studio": in_label_studio,
    "argilla": in_argilla,
    "prodigy": lambda data: in_lines(
        data, {"accept": LABELS, "answer": "accept", "note": NOTE, "_annotator_id": "anna"}
    ),
    "doccano": lambda data: in_lines(data, {"label": LABELS, "Comments": [NOTE], "id": 5}),
    "csv": in_csv,
    "xlsx": in_xlsx,
}


def answered(name, data):
    """What the tool would give back: everything answered, with a note."""
    return TOOLS[name](data)


@pytest.mark.parametrize("name", TEXT)
def test_ids_and_texts_come_back_byte_for_byte(batch, name):
    found = list(reader(name).read(file_of(batch, name)))
    assert [entry.item for entry in found] == batch.assignment["anna"]
    assert [entry.prompt for entry in found] == [batch.items[e.item].prompt for e in found]
    assert not any(any(entry.labels.values()) or entry.note or entry.fault for entry in found)


@pytest.mark.parametrize("name", TEXT)
def test_answers_come_back(batch, name):
    data = answered(name, file_of(batch, name))
    found = list(reader(name).read(data))
    assert [entry.item for entry in found] == batch.assignment["anna"]
    assert all(dict(entry.labels) == ALL for entry in found)
    assert {entry.note for entry in found} == {NOTE}
    if name != "xlsx":  # a workbook that openpyxl saves again escapes less than we do
        assert [e.prompt for e in found] == [batch.items[e.item].prompt for e in found]


@pytest.mark.parametrize("name", TEXT)
def test_each_file_is_known_by_its_own_format_only(batch, name):
    for data in (file_of(batch, name), answered(name, file_of(batch, name))):
        base = TEXT[name].rpartition("/")[2]
        assert recognise(base, data) == name
        assert [one for one in READERS if reader(one).knows(base, data)] == [name]


def test_the_same_batch_gives_the_same_bytes(batch):
    for name in TEXT:
        first, second = writer(name).write(batch, "anna"), writer(name).write(batch, "anna")
        assert first == second
        assert set(first) == set(writer(name).write(batch, "bob"))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "  =", "\u00a0@", "'=", ""])
def test_no_cell_of_csv_is_a_formula(sign):
    text = sign + 'HYPERLINK("x";"y"), he said'
    assert plain(inert(text)) == text
    assert not inert(text).lstrip().startswith(("=", "+", "-", "@"))
    assert not inert(text).startswith(("\t", "\r", "\n"))
    assert plain(inert("'" + text)) == "'" + text


def test_csv_opens_in_a_spreadsheet(batch):
    data = file_of(batch, "csv")
    assert data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert list(lines[0]) == ["item", "prompt", "category_name", "domain", *ANSWERS]
    assert {line[name] for line in lines for name in ANSWERS} == {""}


def test_xlsx_has_drop_downs_and_no_formula(batch):
    openpyxl = pytest.importorskip("openpyxl")
    data = file_of(batch, "xlsx")
    page = openpyxl.load_workbook(io.BytesIO(data))["answers"]
    for row in page.iter_rows(min_row=2, max_col=4):
        assert {cell.data_type for cell in row} == {"s"}
        assert all(cell.quotePrefix for cell in row)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
    lists = {one.formula1: str(one.sqref) for one in page.data_validations.dataValidation}
    assert lists['"yes,no,unclear"'] == f"E2:E{len(ODD) + 1}"
    assert sum(len(str(places).split()) for places in lists.values()) >= 2
    assert page.freeze_panes == "C2"


def test_a_text_that_fits_no_cell_is_said(made, tmp_path):
    plan = make_plan([made(1, prompt="x" * 40_000)], Pools(), Wanted())
    with pytest.raises(InputError, match="40,000 characters does not fit"):
        export(plan, tmp_path / "long", ["xlsx"])
    assert not (tmp_path / "long").exists()


def test_label_studio_takes_what_a_person_skipped_and_flat_exports(batch):
    one = batch.assignment["anna"][0]
    data = {"item": one, "batch": "odd", "prompt": batch.items[one].prompt}
    full = [{"data": data, "annotations": [{"was_cancelled": True, "completed_by": 7}]}]
    entry = next(reader("label-studio").read(json.dumps(full).encode()))
    assert (entry.skipped, entry.annotator, entry.batch) == (True, "#7", "odd")
    flat = [
        {
            **data,
            "annotation_id": 1,
            "annotator": 7,
            "lead_time": 2.5,
            "benign": "no",
            "fluent": {"choices": ["yes", "no"]},
            "note": "hm",
        }
    ]
    entry = next(reader("label-studio").read(json.dumps(flat).encode()))
    assert recognise("x.json", json.dumps(flat).encode()) == "label-studio"
    assert entry.labels == {"benign": "no", "fluent": ["yes", "no"]}
    assert (entry.note, entry.seconds, entry.annotator) == ("hm", 2.5, "#7")


def test_prodigy_names_sessions_and_skips():
    line = {"text": "a", "meta": {"item": "i-1"}, "options": [], "accept": ["benign: yes"]}
    said = [
        {**line, "answer": "accept", "_session_id": "batch-anna", "_timestamp": 1790000000},
        {**line, "answer": "ignore", "_annotator_id": "bob"},
    ]
    found = list(reader("prodigy").read("\n".join(map(json.dumps, said)).encode()))
    assert [(e.annotator, e.skipped) for e in found] == [("anna", False), ("bob", True)]
    assert found[0].when.startswith("2026-09-21T")
    assert dict(found[1].labels) == {}


def test_argilla_has_an_entry_a_person():
    responses = {
        "benign": [{"value": "yes", "user_id": "u-1"}, {"value": "no", "user_id": "u-2"}],
        "fluent": [{"value": "yes", "user_id": "u-2", "status": "discarded"}],
    }
    record = {"id": "i-1", "fields": {"prompt": "a"}, "metadata": {}, "responses": responses}
    found = list(reader("argilla").read(json.dumps([record]).encode()))
    assert [(e.annotator, e.item, e.skipped) for e in found] == [
        ("#u-1", "i-1", False),
        ("#u-2", "i-1", True),
    ]


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("data", [b"", b"\xff\xfe\xff", b"{", b"[1, 2]", b'"x"', b"[" * 100_000])
def test_no_file_is_a_traceback(name, data):
    try:
        for entry in reader(name).read(data):
            assert entry.fault
    except InputError as fault:
        assert "\n" not in str(fault)
    assert not any(reader(one).knows("notes.txt", data) for one in READERS)


def test_unknown_formats_are_named():
    with pytest.raises(UsageError, match="known are label-studio"):
        writer("brat")
    with pytest.raises(UsageError, match="read are label-studio"):
        reader("page")
    with pytest.raises(InputError, match="no known format"):
        recognise("x.txt", b"hello")
    assert set(TEXT) | {"page"} == set(FORMATS)
