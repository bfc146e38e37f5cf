"""Files, or a folder with a manifest -> receipts. What can be taken in is; what cannot is told together at the end."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from engine.errors import ExtractError, Problem, WardwiseError
from engine.lake import Lake
from engine.ledger import Receipt

MANIFEST = "manifest.csv"
COLUMNS = ("file", "feed", "received", "complete_to")

Say = Callable[[int, str], None]


@dataclass(frozen=True)
class Delivery:
    """One file a partner sent: for which feed, when, and the last day it covers completely."""

    path: Path
    feed: str
    received: date
    complete_to: date | None = None


@dataclass(frozen=True)
class Intake:
    """What became of several files: a receipt for each that was read, a problem for each that was not."""

    receipts: tuple[Receipt, ...]
    problems: tuple[Problem, ...]


def take_in(lake: Lake, deliveries: Sequence[Delivery], say: Say, done: list[Receipt]) -> Intake:
    """Takes files in, one after the other; `done` holds the receipts so far, should somebody press Ctrl-C."""
    problems: list[Problem] = []
    for number, one in enumerate(deliveries):
        say(number, one.path.name)
        try:
            done.append(lake.ingest(one.feed, one.path, one.received, one.complete_to,
                                    lambda rows, n=number, name=one.path.name:  # type: ignore[misc]
                                    say(n, f"{name}, {rows:,} rows")))
        except WardwiseError as error:
            problems += error.problems
    say(len(deliveries), "done")
    return Intake(tuple(done), (*problems, *(_say_whole(r) for r in done if r.refused_whole)))


def read_manifest(folder: Path) -> list[Delivery]:
    """The deliveries a folder's manifest.csv lists, in its order. Raises ExtractError with everything wrong."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ExtractError(Problem(str(path), "there is no such file", f"a CSV file with {', '.join(COLUMNS)}",
                                   "write one line per file, or name feed and file: `wardwise ingest FEED FILE`"))
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS[:3] if name not in (reader.fieldnames or ())]
        if missing:
            raise ExtractError(Problem(f"{path}:1", f"no column {', '.join(missing)}", ", ".join(COLUMNS),
                                       "add what is missing to the first line"))
        found = [_read_line(row, folder, f"{path}:{reader.line_num}") for row in reader]
    problems = [one for one in found if isinstance(one, Problem)]
    if problems:
        raise ExtractError(problems)
    return [one for one in found if isinstance(one, Delivery)]


def read_day(text: str) -> date:
    """A day as `2026-11-23` or `23/11/2026`. Raises ValueError."""
    text = text.strip()
    if text.count("/") == 2:
        day, month, year = text.split("/")
        text = f"{year}-{month:0>2}-{day:0>2}"
    if len(text) != len("2026-11-23"):
        raise ValueError(text)
    return date.fromisoformat(text)


# --- inside ---------------------------------------------------------------------------------------


def _read_line(row: dict[str, str | None], folder: Path, where: str) -> Delivery | Problem:
    name, feed = (row["file"] or "").strip(), (row["feed"] or "").strip()
    path = (folder / name).resolve()
    if not name or not feed or not path.is_relative_to(folder.resolve()):
        return Problem(where, "no file in this folder and feed for it", "a file name and a feed on every line")
    try:
        complete_to = row.get("complete_to") or ""
        return Delivery(path, feed, read_day(row["received"] or ""), read_day(complete_to) if complete_to else None)
    except ValueError:
        return Problem(where, "a day that cannot be read", "days as 2026-11-23; complete_to may be blank",
                       "correct the line")


def _say_whole(receipt: Receipt) -> Problem:
    return Problem(receipt.file, f"the file was refused whole: too many of its {receipt.rows_in:,} rows were refused",
                   "the share `refuse_above` in the feed's contract",
                   f"`wardwise quarantine {receipt.feed}` shows each row and how to mend it; then send it again")
