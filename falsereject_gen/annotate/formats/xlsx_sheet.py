"""XLSX with drop-downs: text cells only, nothing is a formula, the same batch gives the same bytes.

The only place that imports openpyxl.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats import Entry, sheet
from falsereject_gen.annotate.questions import QUESTIONS
from falsereject_gen.errors import InputError, UsageError

__all__ = ["knows", "read", "write"]

_LONGEST = 32_767
"""Characters that a cell of Excel may have."""
_WIDTHS = {"item": 18, "prompt": 70, "category_name": 24, "domain": 24, "note": 40}
_ODD = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_CODE = re.compile("_x([0-9A-Fa-f]{4})_")
_MADE = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")


def write(batch: Batch, annotator: str) -> dict[str, bytes]:
    """The file of one annotator: `batch.xlsx`."""
    _need()
    from openpyxl import Workbook  # noqa: PLC0415 - only for this format
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415

    table = [[*map(_escaped, values)] for values in sheet.rows(batch, annotator)]
    book = Workbook(write_only=True)
    page: Any = book.create_sheet("answers")
    bold, wrapped = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    _dress(page, len(batch.assignment[annotator]))

    def cell(text: str, **style: Any) -> Any:
        made = WriteOnlyCell(page, text)
        made.data_type = "s"  # text, even when it begins with = or looks like a number
        for name, value in style.items():
            setattr(made, name, value)
        return made

    page.append([cell(name, font=bold) for name in sheet.COLUMNS])
    for values in table:
        page.append([cell(text, alignment=wrapped, quotePrefix=True) for text in values])
    help_page = book.create_sheet("questions")
    if batch.warning:
        help_page.append([cell(batch.warning, font=bold)])
    for question in QUESTIONS:
        help_page.append([cell(t) for t in (question.name, question.asks, *question.answers)])
    out = io.BytesIO()
    book.save(out)
    return {"batch.xlsx": _timeless(out.getvalue())}


def _dress(page: Any, count: int) -> None:
    """Widths, a head that stays, a drop-down for each question."""
    from openpyxl.utils import get_column_letter  # noqa: PLC0415
    from openpyxl.worksheet.datavalidation import DataValidation  # noqa: PLC0415

    page.freeze_panes = "C2"
    answers = {question.name: question.answers for question in QUESTIONS}
    for number, name in enumerate(sheet.COLUMNS, 1):
        letter = get_column_letter(number)
        page.column_dimensions[letter].width = _WIDTHS.get(name, 16)
        if name in answers:
            choice = DataValidation("list", formula1=f'"{",".join(answers[name])}"')
            choice.showErrorMessage = True
            choice.error = f"{name}: {', '.join(answers[name])}"
            choice.add(f"{letter}2:{letter}{count + 1}")
            page.data_validations.append(choice)


def _escaped(text: str) -> str:
    """Text as OOXML writes it (ST_Xstring): a carriage return would be lost, others are illegal."""
    made = _ODD.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    if len(made) > _LONGEST:
        raise InputError(f"a text of {len(text):,} characters does not fit a cell of XLSX; use csv")
    return made


def _timeless(data: bytes) -> bytes:
    """The same workbook without the time at which it was saved."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in sorted(old.namelist(), key=lambda one: (one != "[Content_Types].xml", one)):
            part = _MADE.sub(rb"\g<1>2000-01-01T00:00:00Z", old.read(name))
            new.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED, 6)
    return out.getvalue()


def knows(name: str, data: bytes) -> bool:
    """By its suffix."""
    return name.lower().endswith((".xlsx", ".xlsm"))


def read(data: bytes) -> Iterator[Entry]:
    """The rows of the first sheet that has a column `item`."""
    _need()
    from openpyxl import load_workbook  # noqa: PLC0415

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        tables = [list(_cells(page)) for page in book.worksheets]
    except Exception as fault:  # openpyxl raises whatever its parsers do
        raise InputError(f"not a workbook that can be read: {fault}") from None
    named = [table for table in tables if table and "item" in map(str.lower, table[0][1])]
    if not named:
        raise InputError("no sheet with a column `item` in it")
    yield from sheet.entries(named[0])


def _cells(page: Any) -> Iterator[tuple[str, list[str]]]:
    for number, row in enumerate(page.iter_rows(values_only=True), 1):
        cells = ["" if value is None else str(value) for value in row]
        yield f"row {number}", [_CODE.sub(lambda m: chr(int(m[1], 16)), cell) for cell in cells]


def _need() -> None:
    try:
        import openpyxl  # noqa: F401, PLC0415
    except ImportError:
        what = "needs openpyxl: pip install 'falsereject-gen[annotate]'"
        raise UsageError(f"xlsx {what}; csv does without") from None
