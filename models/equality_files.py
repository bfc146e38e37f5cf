"""Files brought for one audit -> the same rows under the names that subjects had at the audited date.

An equality table or a truth names people by the ids of the latest run or by an agency's own reference
(`housing:A1234`). Nothing of such a file is kept, and no error quotes it: a header may be missing, and then its first
line is a person.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from engine.errors import Problem
from models.equality import NOT_KNOWN, FairnessError

SUBJECT, HAPPENED = "subject", "happened"
HEADING = re.compile(r"[a-z][a-z0-9_ ]*")
ANSWERS = {"1": 1, "yes": 1, "true": 1, "0": 0, "no": 0, "false": 0}
MOST_LINES = 5          # line numbers named in a problem; the others are like them


def read_equality(path: Path) -> pd.DataFrame:
    """Column `subject`, then one for each characteristic, NA where it is empty or not known.

    Raises FairnessError with every problem, OSError where the file cannot be read.
    """
    table = _read(path, "equality")
    if table.shape[1] < 2:
        raise FairnessError(Problem("equality", "no characteristic", f"`{SUBJECT}`, then a column for each"))
    told = table.iloc[:, 1:].map(lambda value: None if value in ("", NOT_KNOWN) else value)
    return pd.concat([table[SUBJECT], told.astype("string")], axis=1)


def read_truth(path: Path) -> pd.DataFrame:
    """Columns `subject` and `happened` (1 or 0): an outcome that nobody's reporting decides. Raises FairnessError."""
    table = _read(path, "truth")
    if list(table.columns) != [SUBJECT, HAPPENED]:
        raise FairnessError(Problem("truth", "other columns", f"`{SUBJECT}`, `{HAPPENED}`"))
    happened = table[HAPPENED].str.lower().map(ANSWERS)
    if happened.isna().any():
        raise FairnessError(Problem(f"truth.{HAPPENED}", f"no answer in {_say_lines(happened.isna())}",
                                    "1 (yes) or 0 (no)", "leave out whoever was not asked about"))
    return pd.DataFrame({SUBJECT: table[SUBJECT], HAPPENED: happened.astype(int)})


def rename(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The rows of whoever has a name, under it. Rows of one subject that contradict each other leave it not known."""
    known = table.assign(**{SUBJECT: table[SUBJECT].map(dict(names))}).dropna(subset=[SUBJECT])
    told = known.groupby(SUBJECT, sort=True)
    return told.first().where(told.nunique() == 1).reset_index()


def name_people(before: pd.DataFrame, kept: pd.DataFrame | None) -> dict[str, str]:
    """Agency references, and ids of the latest run where there is one -> ids of a registry.

    Somebody whom the run knows as one and the date as two is whoever has most of the references.
    """
    then = before.loc[before["until"].isna(), ["node", "person"]].astype(str)
    names = dict(zip(then["node"], then["person"], strict=True))
    if kept is None:
        return names
    now = kept.loc[kept["until"].isna(), ["node", "person"]].astype(str)
    pairs = now.merge(then, on="node", suffixes=("_now", "_then"))
    held = pairs.groupby(["person_now", "person_then"], as_index=False).size()
    held = held.sort_values(["person_now", "size", "person_then"], ascending=[True, False, True])
    held = held.drop_duplicates("person_now")
    return {**names, **dict(zip(held["person_now"], held["person_then"], strict=True))}


# --- inside -------------------------------------------------------------------------------------


def _read(path: Path, what: str) -> pd.DataFrame:
    """The file as text, its header checked. Problems name lines and columns by number, never by what stands there."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *lines = list(csv.reader(file)) or [[]]
    except (UnicodeDecodeError, csv.Error):
        raise FairnessError(Problem(what, "not a CSV file in UTF-8", "a CSV file",
                                    "save it as “CSV UTF-8”")) from None
    problems = list(_check_header([name.strip().lower() for name in header], what))
    if problems:
        raise FairnessError(problems)
    numbered = [(number, [value.strip() for value in line]) for number, line in enumerate(lines, 2) if any(line)]
    problems = list(_check_lines(numbered, len(header), what))
    if problems:
        raise FairnessError(problems)
    columns = [name.strip().lower() for name in header]
    return pd.DataFrame([line for _, line in numbered], columns=columns, dtype="str",
                        index=pd.Index([number for number, _ in numbered], dtype="int64"))


def _check_header(columns: Sequence[str], what: str) -> Iterator[Problem]:
    if not columns or columns[0] != SUBJECT:
        yield Problem(what, f"its first column is not called `{SUBJECT}`", f"a first line that begins `{SUBJECT},`",
                      "give every column a name in the first line")
        return
    for number, name in enumerate(columns, 1):
        if not HEADING.fullmatch(name):
            yield Problem(f"{what}, column {number}", "a name that cannot be used", "small letters, digits and `_`")
        elif name in columns[:number - 1]:
            yield Problem(f"{what}, column {number}", "a name twice", "each column once")


def _check_lines(lines: Sequence[tuple[int, list[str]]], width: int, what: str) -> Iterator[Problem]:
    if not lines:
        yield Problem(what, "no rows", "a row for each person")
    numbers = pd.Index([number for number, _ in lines])
    uneven = pd.Series([len(line) != width for _, line in lines], numbers, dtype=bool)
    if uneven.any():
        yield Problem(what, f"more or fewer fields than columns in {_say_lines(uneven)}", f"{width} in every line")
    names = pd.Series([line[0] for _, line in lines], numbers, dtype="str")
    if (names == "").any():
        yield Problem(what, f"no subject in {_say_lines(names == '')}", "a subject in every line")
    twice = (names != "") & names.duplicated()
    if twice.any():
        yield Problem(what, f"a subject that stands further up, in {_say_lines(twice)}", "one line for each subject")


def _say_lines(which: pd.Series[bool]) -> str:
    numbers = [str(number) for number in which.index[which]]
    more = len(numbers) - MOST_LINES
    return f"line{'' if len(numbers) == 1 else 's'} {', '.join(numbers[:MOST_LINES])}" + (
        f" and {more} more" if more > 0 else "")
