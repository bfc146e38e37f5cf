"""Real files, exactly as published."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.lake import Lake

from .conftest import ROOT, TODAY, Shows

DATA = Path(os.environ.get("WARDWISE_DATA", ROOT.parent / "shared" / "data"))


def _published(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not here: set WARDWISE_DATA to the folder of open data")
    return path


def test_a_zip_from_police_uk_is_used_to_the_last_row(lake: Lake, shows: Shows) -> None:
    receipt = lake.ingest("police_uk", _published("police_uk_derbyshire_as_published.zip"), TODAY)

    assert receipt.rows_in == receipt.used + receipt.refused == 39_616
    assert receipt.refused == 0
    rows = shows("police_uk")
    assert rows["record"].is_unique
    assert (rows["crime_type"] == "anti_social_behaviour").sum() == 13_931


def test_counts_by_small_area_are_read_from_a_compressed_file(lake: Lake, shows: Shows) -> None:
    receipt = lake.ingest(
        "area_counts", _published("lsoa_month_merseyside_2023-05_2026-03.csv.gz"), TODAY)

    assert receipt.rows_in == receipt.new == 148_996
    assert len(shows("area_counts")) == 148_996
