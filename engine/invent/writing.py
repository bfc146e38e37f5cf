"""Columns of numbers -> the text an agency's file carries, the same byte for byte each time."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.invent.arrays import DAY, NONE, Column, scramble
from engine.invent.columns import FEEDS, NAMESPACES
from engine.invent.extracts import Columns
from engine.invent.roster import HABITS
from engine.invent.spelling import CODE_WORDS, ISO, find_reference, list_owned, name_header

_ROWS_AT_ONCE = 400_000         # keeps a joined text column under Arrow's 2 GB
_FROM, _TO = -36_600, 36_600    # days: 1869 to 2070
_DATES = np.arange(np.datetime64("1970-01-01") + _FROM, np.datetime64("1970-01-01") + _TO)
_ISO_TEXT = [str(day) for day in _DATES]
_DATE_TEXT = {"iso": pa.array(_ISO_TEXT),
              "uk": pa.array([f"{d[8:]}/{d[5:7]}/{d[:4]}" for d in _ISO_TEXT]),
              "month": pa.array([d[:7] for d in _ISO_TEXT])}
_MINUTES = pa.array([f"{m // 60:02d}:{m % 60:02d}" for m in range(DAY)])


def render(feed: str, columns: Columns) -> dict[str, pa.Array]:
    """Every column as text in the agency's own style; null where it was not recorded."""
    style = "iso" if feed in ISO else "uk"
    owned = list_owned(feed)
    return {name: _render_column(feed, name, values, style, owned)
            for name, values in columns.items()}


def _render_column(feed: str, name: str, values: Column, style: str, owned: set[str]) -> pa.Array:
    kind = FEEDS[feed].get(name, "date")
    if name in owned:
        habit = HABITS[NAMESPACES[feed]]
        return _number_text(habit.letters, values)
    if values.dtype == object:
        text = pa.array(values, type=pa.string(), from_pandas=True)
        return _respell(text, CODE_WORDS.get((feed, name), {}))
    form = find_reference(feed, name)
    if form:
        absent = values < 0
        numbers = scramble(np.maximum(values, 0), form.salt)
        return _number_text(form.letters, np.where(absent, NONE, numbers))
    if kind == "boolean":
        yes, no = ("true", "false") if style == "iso" else ("Yes", "No")
        words = pa.array([no, yes])
        return words.take(_index(values))
    if kind in ("date", "month"):
        return _DATE_TEXT["month" if kind == "month" else style].take(_index(values, _FROM))
    if kind == "datetime":
        days = _DATE_TEXT[style].take(_index(np.where(values == NONE, NONE, values // DAY), _FROM))
        times = _MINUTES.take(_index(np.where(values == NONE, NONE, values % DAY)))
        return pc.binary_join_element_wise(days, times, "T" if style == "iso" else " ")
    if values.dtype.kind == "f":
        places = 6 if kind in ("longitude", "latitude") else 2
        gone = ~(values > NONE)
        return pc.cast(pa.array(np.round(values, places), mask=gone), pa.string())
    return pc.cast(pa.array(values.astype(np.int64), mask=values == NONE), pa.string())


def _index(values: Column, start: int = 0) -> pa.Array:
    whole = values.astype(np.int64)
    return pa.array(whole - start, mask=whole == NONE)


def _number_text(letters: str, values: Column) -> pa.Array:
    digits = pc.utf8_lpad(pc.cast(pa.array(values, mask=values < 0), pa.string()), 8, "0")
    return pc.binary_join_element_wise(pa.scalar(letters), digits, "")


def _respell(text: pa.Array, words: dict[str, str]) -> pa.Array:
    for code, word in words.items():
        text = pc.if_else(pc.fill_null(pc.equal(text, code), False), word, text)
    return text


def write_file(path: Path, feed: str, table: dict[str, pa.Array]) -> None:
    """One extract, in the form its suffix names, under the agency's own headers."""
    headers = [name_header(feed, name) for name in table]
    columns = list(table.values())
    if path.suffix == ".parquet":
        pq.write_table(pa.table(columns, names=headers), path)
    elif path.suffix == ".xlsx":
        rows = [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]
        write_workbook(path, [headers, *rows])
    else:
        write_csv(path, headers, columns)


def write_csv(path: Path, headers: list[str], columns: list[pa.Array]) -> None:
    """Comma-separated UTF-8. Nothing written here holds a comma, a quote or a line break."""
    count = len(columns[0])
    with path.open("wb") as file:
        file.write((",".join(headers) + "\n").encode())
        for start in range(0, count, _ROWS_AT_ONCE):
            parts = [pc.fill_null(column.slice(start, _ROWS_AT_ONCE), "") for column in columns]
            lines = pc.binary_join_element_wise(*parts, ",")
            whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
            file.write(pc.binary_join(whole, "\n")[0].as_buffer().to_pybytes())
            file.write(b"\n")


def write_workbook(path: Path, rows: list[list[Any]]) -> None:
    """A one-sheet workbook of text cells. Written by hand because libraries stamp the time in."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = "".join(f'<c r="{_name_column(place)}{number}" t="inlineStr"><is><t>'
                        f"{escape(str(value))}</t></is></c>"
                        for place, value in enumerate(row) if value is not None)
        lines.append(f'<row r="{number}">{cells}</row>')
    sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
    parts = {**_WORKBOOK, "xl/worksheets/sheet1.xml": sheet}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(info, f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def _name_column(place: int) -> str:
    return chr(65 + place) if place < 26 else chr(64 + place // 26) + chr(65 + place % 26)


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_WORKBOOK = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
    f'PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/><Override '
    f'PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Extract" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}
