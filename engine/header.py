"""The first rows of a file -> which position holds which column of the contract.

Councils put titles above the header, rename columns and add their own: the header is the row, among
the first ten, that names most of the feed's columns. What the contract does not know is reported.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.contract import Contract, fold
from engine.errors import ExtractError, Problem

SEARCHED_ROWS = 10
_Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Header:
    """Where each column of the contract stands, and the headers that belong to none."""

    row: int
    width: int
    places: dict[str, int]
    unknown: tuple[str, ...]


def score(cells: Sequence[str], contract: Contract) -> int:
    """How many different columns of the contract these cells name."""
    headers = contract.headers
    return len({headers.get(fold(cell)) for cell in cells} - {None})


def find_header(
    name: str, rows: Iterator[_Row], contract: Contract
) -> tuple[Header, Iterator[_Row]]:
    """The header and the rows after it. Raises ExtractError saying what was found and expected."""
    top = list(itertools.islice(rows, SEARCHED_ROWS))
    best = max(top, key=lambda row: score(row[1], contract), default=None)
    if best is None or score(best[1], contract) == 0:
        raise ExtractError(Problem(
            name, f"no header of this feed in the first {SEARCHED_ROWS} rows"
            if top else "the file has no rows", _list_expected(contract),
            "send the header row; separate cells by comma, semicolon, tab or |"))
    row, cells = best
    while len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    header = _build(row, cells, contract)
    problems = [*_find_twice(name, row, cells, contract),
                *_find_missing(name, header, cells, contract)]
    if problems:
        raise ExtractError(problems)
    after = [later for later in top if later[0] > row]
    return header, itertools.chain(after, rows)


def _build(row: int, cells: list[str], contract: Contract) -> Header:
    """A column's own name wins over its synonyms, so `category` beside `type` is no quarrel."""
    headers = contract.headers
    own = {fold(name): name for name in contract.columns}
    places: dict[str, int] = {}
    for meanings in (own, headers):
        taken = set(places)
        for place, cell in enumerate(cells):
            column = meanings.get(fold(cell))
            if column and column not in taken:
                places.setdefault(column, place)
    used = set(places.values())
    unknown = tuple(cell.strip() for place, cell in enumerate(cells)
                    if place not in used and cell.strip())
    return Header(row, len(cells), places, unknown)


def _find_twice(name: str, row: int, cells: list[str], contract: Contract) -> Iterator[Problem]:
    headers = contract.headers
    named: dict[str, list[str]] = {}
    for cell in cells:
        if column := headers.get(fold(cell)):
            named.setdefault(column, []).append(cell.strip())
    for column, words in named.items():
        exact = [word for word in words if fold(word) == fold(column)]
        if len(exact) > 1 or (not exact and len(words) > 1):
            both = " and ".join(f"`{word}`" for word in (exact if len(exact) > 1 else words))
            yield Problem(f"{name}:{row}", f"{both} are both read as {column}",
                          "each column once", "delete or rename one of them")


def _find_missing(
    name: str, header: Header, cells: list[str], contract: Contract
) -> Iterator[Problem]:
    missing = [column.name for column in contract.columns.values()
               if column.required and column.name not in header.places]
    if not missing:
        return
    # With a single column recognised the row may be data, and data does not belong in an error.
    found = (", ".join(cell.strip() for cell in cells) if len(header.places) > 1
             else f"{len(cells)} cells")
    for column in missing:
        words = ", ".join((column, *contract.columns[column].synonyms))
        yield Problem(f"{name}:{header.row}", f"no column {column} among: {found}",
                      f"one of the headers {words}",
                      "add the column, or have its header added to the feed's synonyms")


def _list_expected(contract: Contract) -> str:
    return "a header naming " + ", ".join(
        column.name for column in contract.columns.values() if column.required)
