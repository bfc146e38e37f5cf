"""A paper as a workbook: a sheet for each list, one about the paper, one of actions. No cell of it is ever a formula.

openpyxl takes a text that begins with `=` for a formula. Each text is put down as text, with the mark that keeps a
spreadsheet from thinking again when somebody edits it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from api.export import neutralise
from api.papers.archive import settle
from api.papers.paper import Column, Grid, Paper, Section, Value
from api.papers.wording import LANGUAGE, MAKER, clean, say_value

_DAY = "d mmmm yyyy"
_TOPIC = 48             # characters across a topic: long texts are wrapped
_WIDEST = 60
_FONT, _BOLD = Font(name="Arial", size=10), Font(name="Arial", size=10, bold=True)
_TITLE = Font(name="Arial", size=16, bold=True)
_FILL, _RULE = PatternFill("solid", fgColor="EEF2F4"), Border(bottom=Side("thin", color="0B0C0C"))
_TOP, _RIGHT = Alignment(vertical="top", wrap_text=True), Alignment(vertical="top", horizontal="right")
_A4 = 9                 # the number of the paper in the file format


def write_sheet(paper: Paper) -> bytes:
    """The paper as XLSX: the same bytes for the same paper."""
    book = Workbook()
    _describe(book, paper)
    _add_about(book.active, paper)
    for section in paper.sections:
        _add_section(book.create_sheet(section.name), section)
    _add_actions(book.create_sheet(paper.actions.name), paper.actions)
    for sheet in book.worksheets:
        _set_print(sheet, paper)
    file = BytesIO()
    with ZipFile(file, "w") as archive:     # `Workbook.save` would date it by the clock
        ExcelWriter(book, archive).save()
    return settle(file.getvalue(), paper.printed)


def _describe(book: Any, paper: Paper) -> None:
    moment = paper.printed.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    properties = book.properties
    properties.title, properties.creator, properties.lastModifiedBy = clean(paper.title), clean(paper.council), MAKER
    properties.subject, properties.language = paper.marking, LANGUAGE
    properties.created = properties.modified = moment


def _add_about(sheet: Any, paper: Paper) -> None:
    sheet.title = "About"
    _put(sheet, 1, 1, paper.council)
    _put(sheet, 2, 1, paper.title, _TITLE, Alignment(vertical="top"))
    _put(sheet, 3, 1, paper.marking, _BOLD)
    row = 5
    for label, value in paper.facts:
        _put(sheet, row, 1, label, _BOLD)
        _put(sheet, row, 2, value)
        sheet.merge_cells(start_row=row, end_row=row, start_column=2, end_column=8)
        row += 1
    for note in paper.notes:
        row += 1
        _put(sheet, row, 1, note)
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=8)
        sheet.row_dimensions[row].height = 28
    row += 2
    _put(sheet, row, 1, paper.numbers.title, _BOLD, Alignment(vertical="top"))
    _put_table(sheet, row + 1, paper.numbers.columns, paper.numbers.rows)
    sheet.column_dimensions["A"].width = 24


def _add_section(sheet: Any, section: Section) -> None:
    columns = (*section.columns, *(Column(topic, width=_TOPIC) for topic in section.topics))
    rows = [(*item.cells, *("\n".join(texts) for texts in item.says or [()] * len(section.topics)))
            for item in section.items]
    _put(sheet, 1, 1, section.title, _TITLE, Alignment(vertical="top"))
    _put(sheet, 2, 1, section.lead, _FONT, Alignment(vertical="top"))
    _add_list(sheet, columns, rows)


def _add_actions(sheet: Any, grid: Grid) -> None:
    _put(sheet, 1, 1, grid.title, _TITLE, Alignment(vertical="top"))
    if not grid.rows:
        _put(sheet, 2, 1, grid.empty, _FONT, Alignment(vertical="top"))
    else:
        _add_list(sheet, grid.columns, grid.rows)


_HEADER = 4             # the row of a sheet's column titles, below what it is


def _add_list(sheet: Any, columns: Sequence[Column], rows: Sequence[Sequence[Value]]) -> None:
    """A table that stays readable: its header in sight when scrolled and on each page, and a filter on each column."""
    if not rows:
        return
    _put_table(sheet, _HEADER, columns, rows)
    sheet.freeze_panes = sheet.cell(_HEADER + 1, 3)     # the two columns that name an item stay too
    sheet.auto_filter.ref = f"A{_HEADER}:{get_column_letter(len(columns))}{_HEADER + len(rows)}"
    sheet.print_title_rows = f"{_HEADER}:{_HEADER}"


def _put_table(sheet: Any, top: int, columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> None:
    for number, column in enumerate(columns, 1):
        cell = _put(sheet, top, number, column.title, _BOLD)
        cell.fill, cell.border = _FILL, _RULE
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = min(_WIDEST, max(column.width, len(column.title) // 2 + 4))
    for place, row in enumerate(rows, top + 1):
        for number, value in enumerate(row, 1):
            _put(sheet, place, number, value)


def _put(sheet: Any, row: int, column: int, value: Value, font: Font = _FONT, align: Alignment | None = None) -> Any:
    """Puts a value down as what it is: a number, a day, or a text that nothing will calculate."""
    cell = sheet.cell(row, column)
    cell.font, cell.alignment = font, align or (_TOP if isinstance(value, str | None) else _RIGHT)
    if isinstance(value, str) or value is None:
        text = say_value(value)
        if not text:
            return cell         # a text of nothing is not allowed for in the file format
        cell.value = text
        cell.data_type = "s"
        cell.quotePrefix = neutralise(text) != text
    else:
        cell.value = value
        if isinstance(value, date):
            cell.number_format = _DAY
    return cell


def _set_print(sheet: Any, paper: Paper) -> None:
    """On A4 on its side, as wide as the page, marked above and below."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", _A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddHeader.center.text = paper.marking
    sheet.oddFooter.left.text = paper.title.replace("&", "&&")
    sheet.oddFooter.center.text = paper.marking
    sheet.oddFooter.right.text = "Page &P of &N"
