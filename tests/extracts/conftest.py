"""A lake in a temporary folder, the real contracts, and files as partners write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from engine.contract import Contract, read_contracts
from engine.history import connect
from engine.lake import Lake

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)
REPORT = {"Report Ref": "A1", "Incident Date": "01/06/2026 21:30", "Date Reported": "02/06/2026",
          "Recorded": "2026-06-03", "Category": "Noise nuisance"}

Rows = list[dict[str, str]]
WriteCsv = Callable[..., Path]
Shows = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def contracts() -> Mapping[str, Contract]:
    return read_contracts(ROOT / "rules" / "feeds")


@pytest.fixture
def lake(tmp_path: Path, contracts: Mapping[str, Contract]) -> Lake:
    return Lake(tmp_path / "home", contracts)


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    """Writes rows (header to text) as a CSV file; columns a row does not name are blank."""
    def write(name: str, rows: Rows) -> Path:
        path = tmp_path / name
        pd.DataFrame(rows).fillna("").to_csv(path, index=False)
        return path
    return write


@pytest.fixture
def shows(lake: Lake) -> Shows:
    """The feed as it was known before a day, as a frame."""
    def show(feed: str, as_of: date = TODAY) -> pd.DataFrame:
        one = Lake(lake.home, {feed: lake.contracts[feed]})
        rows: pd.DataFrame = one.tables(as_of, connect())[feed].order_by("record").execute()
        return rows
    return show


def report(ref: str, **other: str) -> dict[str, str]:
    """A council report with nothing wrong, but for what is named."""
    named = {key.replace("_", " "): text for key, text in other.items()}
    return {**REPORT, "Report Ref": ref, **named}


def reports(*refs: str) -> Rows:
    return [report(ref) for ref in refs]
