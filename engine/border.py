"""Chunks of raw text -> typed rows that may enter, and refusals that say why the others may not.

Each *distinct* text of a column is read once by a plain function (`values`) and the answer mapped
back, so a column of codes costs a dozen calls. Then rows are checked across columns: dates in the
order things can happen, points on British land. A row with any refusal stays out, with all of them.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.contract import Contract
from engine.reader import Chunk
from engine.values import Reason, build_parser

Mask = NDArray[np.bool_]
Column = Any    # an Arrow array; pyarrow is not typed

ARROW = {"date": pa.date32(), "datetime": pa.timestamp("us"), "month": pa.date32(),
         "integer": pa.int64(), "boolean": pa.bool_()} | dict.fromkeys(
    ("decimal", "easting", "northing", "longitude", "latitude"), pa.float64())   # all else is text

# Rectangles holding the land of Great Britain on its National Grid, and of the United Kingdom.
PAIRS = (("easting", (80_000, 656_000), "northing", (5_000, 1_220_000)),
         ("longitude", (-8.7, 1.8), "latitude", (49.8, 60.9)))


@dataclass(frozen=True)
class Refusal:
    """One thing wrong with one row. `identity` is blank where the record cannot be told."""

    file: str
    row: int
    column: str
    found: str
    allowed: str
    fix: str
    identity: str = ""


@dataclass(frozen=True)
class Checked:
    """A chunk judged: rows that may enter, the refusals of the rest, and how many rows that is."""

    rows: pa.Table
    refusals: list[Refusal]
    refused: int


def typed_schema(contract: Contract) -> pa.Schema:
    """The columns of a checked row: where it came from, who it is, when known, and its values."""
    return pa.schema([
        ("file", pa.string()), ("row", pa.int64()), ("identity", pa.string()),
        ("known", pa.date32()),
        *((name, ARROW.get(column.type, pa.string()))
          for name, column in contract.columns.items())])


def check_chunk(chunk: Chunk, contract: Contract, received: date) -> Checked:
    """Every row either typed or refused; a row with several faults is refused with all of them."""
    border = _Border(chunk, contract, received)
    columns = {name: border.read(name) for name in contract.columns}
    known = _find_known(contract, columns, len(chunk.rows))
    border.refuse(~_valid(known) & ~border.bad, [*contract.dated_by, "known"][0],
                  "a date on which the record was known", "fill in one of the dates of the record")
    border.check_order(columns)
    border.check_points(columns)
    identity = _join_identity(contract, columns, len(chunk.rows))
    table = pa.Table.from_arrays(
        [pa.array([chunk.file] * len(chunk.rows), pa.string()), pa.array(chunk.rows, pa.int64()),
         identity, known, *columns.values()], schema=typed_schema(contract))
    return Checked(table.filter(pa.array(~border.bad)), border.finish(identity.to_pylist()),
                   int(border.bad.sum()) + len(chunk.ragged))


class _Border:
    """The refusals of one chunk while it is being judged."""

    def __init__(self, chunk: Chunk, contract: Contract, received: date) -> None:
        self.chunk, self.contract, self.received = chunk, contract, received
        self.bad: Mask = np.zeros(len(chunk.rows), dtype=bool)
        self.found: list[tuple[int, Refusal]] = []

    def read(self, name: str) -> Column:
        """The column's values, null where nothing is known; what cannot be read is refused."""
        column = self.contract.columns[name]
        kind = ARROW.get(column.type, pa.string())
        if name not in self.chunk.columns:
            return pa.nulls(len(self.chunk.rows), kind)
        parse = build_parser(column, self.received, needed=column.required, excel=self.chunk.excel)
        texts = pa.array(self.chunk.columns[name], pa.string()).dictionary_encode()
        answers = [parse(text) for text in texts.dictionary.to_pylist()]
        places = texts.indices.to_numpy(zero_copy_only=False)
        reasons = [a if isinstance(a, Reason) else None for a in answers]
        wrong = np.array([reason is not None for reason in reasons], dtype=bool)
        if wrong.any():
            for place in np.flatnonzero(wrong[places]):
                reason = reasons[places[place]]
                assert reason is not None
                self._add(int(place), name, reason.allowed, reason.fix)
        values = pa.array([None if isinstance(a, Reason) else a for a in answers], kind)
        return values.take(texts.indices)

    def refuse(self, rows: Mask, column: str, allowed: str, fix: str) -> None:
        """Refuses the marked rows, unless something is wrong with that very cell already."""
        if rows.any():
            said = {place for place, refusal in self.found if refusal.column == column}
            for place in np.flatnonzero(rows):
                if int(place) not in said:
                    self._add(int(place), column, allowed, fix)

    def check_order(self, columns: dict[str, Column]) -> None:
        """Things happen, are reported, become known; what is over ended after it began."""
        contract = self.contract
        if occurred := contract.occurred:
            day = _days(columns[occurred])
            for name in {contract.known, contract.reported} - {None, occurred}:
                self.refuse(_true(pc.less(_days(columns[str(name)]), day)), str(name),
                            f"a day not before {occurred}",
                            f"correct {name} or {occurred}: one of them is wrong")
        if span := contract.span:
            self.refuse(_true(pc.less(_days(columns[span.end]), _days(columns[span.start]))),
                        span.end, f"a day not before {span.start}",
                        f"correct {span.end} or {span.start}: one of them is wrong")

    def check_points(self, columns: dict[str, Column]) -> None:
        """Both halves of a point or neither, on land, and not the wrong way round."""
        for x_name, x_range, y_name, y_range in PAIRS:
            if x_name not in columns or y_name not in columns:
                continue
            x, y = columns[x_name], columns[y_name]
            has_x, has_y = _valid(x), _valid(y)
            both = f"both {x_name} and {y_name}, or neither"
            fix = "fill in the other half of the point, or clear both"
            self.refuse(has_x & ~has_y & ~self.bad, y_name, both, fix)
            self.refuse(has_y & ~has_x & ~self.bad, x_name, both, fix)
            outside = has_x & has_y & ~(_within(x, x_range) & _within(y, y_range))
            swapped = outside & _within(x, y_range) & _within(y, x_range)
            land = (f"{x_name} {x_range[0]} to {x_range[1]} and "
                    f"{y_name} {y_range[0]} to {y_range[1]}")
            self.refuse(swapped, x_name, land, f"{x_name} and {y_name} are swapped: exchange them")
            self.refuse(outside & ~swapped, x_name, land,
                        "the point is in the sea or abroad: correct it, or clear both")

    def finish(self, identities: list[str]) -> list[Refusal]:
        """All refusals by row, each with the identity of its row, ragged rows included."""
        where = {refusal.row: identities[place] for place, refusal in self.found}
        known = [Refusal(**{**vars(r), "identity": where[r.row]}) for _, r in self.found]
        return sorted([*known, *_refuse_ragged(self.chunk)], key=lambda r: (r.row, r.column))

    def _add(self, place: int, column: str, allowed: str, fix: str) -> None:
        self.bad[place] = True
        texts = self.chunk.columns.get(column)
        self.found.append((place, Refusal(
            self.chunk.file, self.chunk.rows[place], column,
            texts[place] if texts else "", allowed, fix)))


# --- columns in the whole ------------------------------------------------------------------------

def _find_known(contract: Contract, columns: dict[str, Column], rows: int) -> Column:
    if contract.known_month:
        months = columns[contract.known_month].dictionary_encode()
        ends = [_end_of(month) for month in months.dictionary.to_pylist()]
        return pa.array(ends, pa.date32()).take(months.indices)
    dates = [columns[name].cast(pa.date32()) for name in contract.dated_by]
    return pc.coalesce(*dates) if dates else pa.nulls(rows, pa.date32())


def _end_of(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def _join_identity(contract: Contract, columns: dict[str, Column], rows: int) -> Column:
    """The identity columns as one text. Rows without one carry the partition they belong to."""
    names: Iterable[str] = contract.identity or contract.replaces
    parts = [columns[name].cast(pa.string()) for name in names]
    if not parts:
        return pa.array([""] * rows, pa.string())
    joined = pc.binary_join_element_wise(*parts, "|", null_handling="replace", null_replacement="")
    return joined if len(parts) > 1 else pc.fill_null(joined, "")


def _refuse_ragged(chunk: Chunk) -> Iterator[Refusal]:
    for ragged in chunk.ragged:
        yield Refusal(chunk.file, ragged.row, "", f"{ragged.cells} cells",
                      f"{ragged.expected} cells, as in the header",
                      "put text that holds the delimiter between quotation marks")


def _days(column: Column) -> Column:
    return column.cast(pa.date32())


def _valid(column: Column) -> Mask:
    return np.asarray(pc.is_valid(column))


def _true(condition: Column) -> Mask:
    return np.asarray(pc.fill_null(condition, False))


def _within(column: Column, limits: tuple[float, float]) -> Mask:
    return _true(pc.and_(pc.greater_equal(column, limits[0]), pc.less_equal(column, limits[1])))
