"""Real open data, as published: police.uk for Derbyshire, and Merseyside's counts by small area."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from engine.history import connect
from engine.known import find_partial_months, gaps_of
from engine.lake import Lake
from engine.pack import Pack
from engine.registry import empty_registry
from engine.weekly import Before, Run, make_run

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("WARDWISE_DATA", ROOT.parent / "shared" / "data"))
MARCH = date(2019, 3, 1)


def published(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not here: set WARDWISE_DATA to the folder of open data")
    return path


@pytest.fixture(scope="module")
def derbyshire(tmp_path_factory: pytest.TempPathFactory, shipped: Pack) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("derbyshire"), shipped.contracts)
    lake.ingest("police_uk", published("police_uk_derbyshire_as_published.zip"), MARCH)
    return lake


@pytest.fixture(scope="module")
def chesterfield(derbyshire: Lake, shipped: Pack) -> Run:
    return make_run(derbyshire, shipped, MARCH, Before(empty_registry()), area="Chesterfield")


def test_every_row_of_the_published_files_is_used_or_in_quarantine(derbyshire: Lake) -> None:
    counts = derbyshire.counts_by_feed().set_index("feed").loc["police_uk"]
    assert counts["rows_in"] == 39_616 == counts["used"] + counts["quarantined"]


def test_chesterfield_is_judged_by_small_area_and_by_map_point_and_by_nothing_smaller(chesterfield: Run) -> None:
    places = chesterfield.tables["place"].execute()
    assert set(places["level"]) == {"lsoa", "point"}
    assert (places["level"] == "lsoa").sum() == 69          # as many as the ONS draws there
    assert places["area_name"].str.startswith("Chesterfield").all()
    assert places["dwellings"].isna().all()                 # nobody told us of any, so none are claimed


def test_the_list_of_chesterfield_is_of_places_alone(chesterfield: Run) -> None:
    assert chesterfield.entries
    assert {entry.list for entry in chesterfield.entries} == {"places"}
    assert {entry.subject.split(":")[0] for entry in chesterfield.entries} <= {"lsoa", "point"}
    assert chesterfield.cohorts["people"] == chesterfield.cohorts["allocations"] == 0
    shown = [flag for flag in chesterfield.flags if flag.status == "shown"]
    assert shown
    assert all(reason.rule.startswith("place/open-data-") for flag in shown for reason in flag.reasons)


def test_a_rule_that_needs_partners_never_fires_on_open_data_alone(chesterfield: Run) -> None:
    counts = chesterfield.counts[chesterfield.counts["rule"].str.startswith("place/")]
    others = counts[~counts["rule"].str.startswith("place/open-data-")]
    assert len(others) >= 10
    assert others["fires"].sum() == 0
    assert others["cannot_tell"].sum() > 0       # silence of who never spoke is not "no"


def test_the_records_of_a_flag_are_those_of_the_place(chesterfield: Run, derbyshire: Lake) -> None:
    flag = next(flag for flag in chesterfield.flags if flag.subject.startswith("lsoa:") and flag.records)
    rows = derbyshire.tables(MARCH, connect())["police_uk"]
    named = rows.filter(rows.record.isin([record.record for record in flag.records])).execute()
    assert len(named) == len(flag.records)
    assert set(named["lsoa_code"]) == {flag.subject.removeprefix("lsoa:")}


def test_the_months_merseyside_is_missing_part_of_are_found_and_no_others(
    tmp_path: Path, shipped: Pack
) -> None:
    lake = Lake(tmp_path, shipped.contracts)
    day = date(2026, 4, 30)
    lake.ingest("area_counts", published("lsoa_month_merseyside_2023-05_2026-03.csv.gz"), day)
    partial = find_partial_months(lake.tables(day, connect()), day)
    assert gaps_of(partial) == {"area_counts": frozenset(
        date(year, month, 1) for year, month in ((2023, 5), (2024, 9), (2024, 10), (2025, 11)))}
    parts = partial[partial["area"].notna()]
    assert set(parts["feed"]) == {"area_counts"}
    assert (pd.to_datetime(parts["period"]) < pd.Timestamp(day)).all()
