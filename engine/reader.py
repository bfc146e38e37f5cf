"""A partner's file -> chunks of raw text under the contract's column names, with row numbers.

    container   plain, .gz, or a .zip of files        told by the first bytes, never by the name
    format      delimited text, .xlsx, Parquet        -> rows of text
    header      found within the first ten rows        -> which position holds which column

Nothing is judged here but shape: a file without its columns is refused whole (ExtractError); a row
with too many or too few cells travels on as ragged, for the quarantine. Error text names headers
and line numbers, never what a row holds.
"""

from __future__ import annotations

import codecs
import csv
import fnmatch
import functools
import gzip
import io
import itertools
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.contract import Contract
from engine.errors import ExtractError, Problem
from engine.header import SEARCHED_ROWS, Header, find_header, score

CHUNK_ROWS = 20_000         # larger chunks were no faster, and held more in memory
LONGEST_CELL = 1_000_000    # letters; one longer is a quotation mark that was never closed


@dataclass(frozen=True)
class Ragged:
    """A row whose cells do not match the header: where it starts and how many it has."""

    row: int
    cells: int
    expected: int


@dataclass(frozen=True)
class Chunk:
    """Some rows of one file. `columns` hold raw text, one per row; `rows` where each row starts."""

    file: str
    header: Header
    excel: bool
    note: str
    rows: list[int]
    columns: dict[str, tuple[str, ...]]
    ragged: list[Ragged]


def read_extract(path: Path, contract: Contract, chunk_rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """The file's rows in chunks, at least one per file inside it even when it has only a header.

    Raises ExtractError when the file, or one inside the zip, cannot be read as this feed.
    """
    if not path.is_file():
        raise ExtractError(Problem(str(path), "there is no such file", "a file that can be read",
                                   "correct the path"))
    try:
        for source in _open_sources(path, contract):
            yield from _cut(source, contract, chunk_rows)
    except OSError as error:
        raise ExtractError(Problem(
            path.name, f"cannot be read ({error.strerror or _name(error)})",
            "a whole file that may be read", "check the file and its permissions, and send it again"
        )) from error
    except (csv.Error, UnicodeError, EOFError, zlib.error, zipfile.BadZipFile,
            NotImplementedError, RuntimeError, KeyError, ValueError, pa.ArrowException) as error:
        raise ExtractError(Problem(
            path.name, f"the file is damaged or protected ({_name(error)})",
            "CSV, XLSX, Parquet, or a zip of CSV files",
            "open it, save it again without a password, and send it")) from error


# --- containers ----------------------------------------------------------------------------------

Row = tuple[int, list[str]]
_Open = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class _Source:
    """One table of text: its name, its header, and its rows after the header."""

    name: str
    header: Header
    rows: Iterator[Row]
    excel: bool = False
    note: str = ""


def _open_sources(path: Path, contract: Contract) -> Iterator[_Source]:
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PK\x03\x04") and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "[Content_Types].xml" not in names:
                yield from _open_members(path, archive, contract)
                return
        yield _open_workbook(path, contract)
    elif start.startswith(b"PAR1"):
        yield _open_parquet(path, contract)
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        raise ExtractError(Problem(path.name, "an old or password-protected Excel workbook",
                                   "CSV, XLSX, Parquet, or a zip of CSV files",
                                   "save it as .xlsx or CSV without a password"))
    elif start.startswith(b"\x1f\x8b"):
        yield _open_text(path.name, lambda: _unzip(path), contract)
    else:
        yield _open_text(path.name, lambda: path.open("rb"), contract)


def _open_members(path: Path, archive: zipfile.ZipFile, contract: Contract) -> Iterator[_Source]:
    names = sorted(name for name in archive.namelist()
                   if fnmatch.fnmatch(name.casefold(), contract.zip_members)
                   and not name.startswith("__MACOSX/"))
    if not names:
        raise ExtractError(Problem(path.name, "no file of this feed inside the zip",
                                   f"files named {contract.zip_members}",
                                   "zip the CSV files again"))
    for name in names:
        yield _open_text(f"{path.name}/{name}", functools.partial(archive.open, name), contract)


def _unzip(path: Path) -> IO[bytes]:
    return io.BufferedReader(gzip.open(path, "rb"))


# --- formats -------------------------------------------------------------------------------------

def _open_text(name: str, opened: _Open, contract: Contract) -> _Source:
    encoding = _find_encoding(name, opened)
    with opened() as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        top = list(itertools.islice(text, SEARCHED_ROWS * 5))
    delimiter = max(",;\t|", key=lambda mark: _score_delimiter(top, mark, contract))
    rows = _read_text(name, opened, encoding, delimiter)
    header, rest = find_header(name, rows, contract)
    note = "read as Windows-1252 text, because it is not UTF-8" if encoding == "cp1252" else ""
    return _Source(name, header, rest, note=note)


def _score_delimiter(top: list[str], mark: str, contract: Contract) -> tuple[int, int]:
    try:
        rows = list(itertools.islice(csv.reader(top, delimiter=mark), SEARCHED_ROWS))
    except csv.Error:
        return (0, 0)
    return max(((score(row, contract), len(row)) for row in rows), default=(0, 0))


def _read_text(name: str, opened: _Open, encoding: str, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)
    with opened() as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        reader, start = csv.reader(text, delimiter=delimiter), 1
        try:
            for row in reader:
                yield start, row
                start = reader.line_num + 1
        except csv.Error as error:
            raise ExtractError(Problem(
                f"{name}:{start}", "a row that does not end", "quotation marks in pairs",
                "close the quotation mark opened on this line")) from error


def _find_encoding(name: str, opened: _Open) -> str:
    with opened() as raw:
        start = raw.read(4096)
    if not start:
        raise ExtractError(Problem(name, "the file is empty", "a header and rows",
                                   "export it again; if there is nothing to send, send the header"))
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        raise ExtractError(Problem(name, "not text, or text in an encoding that is not marked",
                                   "text in UTF-8, UTF-16 with its mark, or Windows-1252",
                                   "save it as CSV UTF-8"))
    for encoding in ("utf-8-sig", "cp1252"):
        if _decodes(opened, encoding):
            return encoding
    raise ExtractError(Problem(name, "text in an unknown encoding",
                               "text in UTF-8, UTF-16 with its mark, or Windows-1252",
                               "save it as CSV UTF-8"))


def _decodes(opened: _Open, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with opened() as raw:
        try:
            while block := raw.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _open_workbook(path: Path, contract: Contract) -> _Source:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    best = max(sheets or book.worksheets, key=lambda sheet: max(
        (score([_spell(cell) for cell in row], contract)
         for row in sheet.iter_rows(max_row=SEARCHED_ROWS, values_only=True)), default=0))
    best.reset_dimensions()     # exports often declare a size that is not theirs
    name = f"{path.name}/{best.title}" if len(sheets) > 1 else path.name
    header, rest = find_header(name, _read_sheet(best), contract)
    width = header.width
    padded = ((row, cells + [""] * (width - len(cells))) for row, cells in rest)
    left = [sheet.title for sheet in sheets if sheet is not best]
    return _Source(name, header, padded, excel=True,
                   note=f"other sheets were not read: {', '.join(left)}" if left else "")


def _read_sheet(sheet: Any) -> Iterator[Row]:
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        yield number, [_spell(cell) for cell in row]


def _open_parquet(path: Path, contract: Contract) -> _Source:
    file = pq.ParquetFile(path)
    rows = _read_parquet(file)
    header, rest = find_header(path.name, rows, contract)
    return _Source(path.name, header, rest)


def _read_parquet(file: pq.ParquetFile) -> Iterator[Row]:
    yield 0, list(file.schema_arrow.names)
    row = 0
    for batch in file.iter_batches(batch_size=50_000):
        for cells in zip(*(_spell_column(column) for column in batch.columns), strict=True):
            row += 1
            yield row, list(cells)


def _spell_column(column: Any) -> list[str]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return list(pc.fill_null(column, "").to_pylist())
    return [_spell(value) for value in column.to_pylist()]


def _spell(value: object) -> str:
    """The text a person would have typed for a cell that came with a type of its own."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


# --- rows into chunks ----------------------------------------------------------------------------

def _cut(source: _Source, contract: Contract, chunk_rows: int) -> Iterator[Chunk]:
    kept: list[Row] = []
    ragged: list[Ragged] = []
    sent = False
    for row, cells in source.rows:
        if not "".join(cells).strip():
            continue            # an empty line holds nothing to refuse
        while len(cells) > source.header.width and not cells[-1].strip():
            cells.pop()         # spreadsheets leave delimiters after the last cell
        if len(cells) == source.header.width:
            kept.append((row, cells))
        else:
            ragged.append(Ragged(row, len(cells), source.header.width))
        if len(kept) + len(ragged) >= chunk_rows:
            yield _build_chunk(source, kept, ragged)
            kept, ragged, sent = [], [], True
    if kept or ragged or not sent:
        yield _build_chunk(source, kept, ragged)


def _build_chunk(source: _Source, kept: list[Row], ragged: list[Ragged]) -> Chunk:
    by_position = list(zip(*(cells for _, cells in kept), strict=True))
    columns = {name: by_position[place] if kept else ()
               for name, place in source.header.places.items()}
    return Chunk(source.name, source.header, source.excel, source.note,
                 [row for row, _ in kept], columns, ragged)


def _name(error: Exception) -> str:
    return error.__class__.__name__
