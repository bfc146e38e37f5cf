"""An invented borough is the same every time, and looks like a borough."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from engine.errors import UsageError
from engine.invent import Borough, invent

RESIDENTS, MONTHS, SEED = 5_000, 24, 7      # as in conftest.py
TODAY = date(2026, 11, 23)


def read(extracts: Path, name: str) -> pd.DataFrame:
    """An extract as text."""
    return pd.read_csv(extracts / f"{name}.csv", dtype=str, keep_default_na=False)


def list_files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def borough(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A borough of 40,000 over three years: large enough for counts to mean something."""
    return invent(tmp_path_factory.mktemp("large"), 40_000, 36, 3).folder / "extracts"


def test_the_same_seed_gives_the_same_bytes_in_every_file(small: Borough, tmp_path: Path) -> None:
    again = invent(tmp_path, RESIDENTS, MONTHS, SEED)
    assert list_files(again.folder) == list_files(small.folder)
    assert again.rows == small.rows


def test_another_seed_gives_another_borough(small: Borough, tmp_path: Path) -> None:
    other = list_files(invent(tmp_path, RESIDENTS, MONTHS, SEED + 1).folder / "extracts")
    mine = list_files(small.folder / "extracts")
    same = {name for name in mine if other.get(name) == mine[name]}
    assert same <= {"extracts/manifest.csv", "manifest.csv"}


def test_a_borough_too_small_to_hold_the_stories_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="4,000 to 1,400,000 residents"):
        invent(tmp_path, 300, 36, 1)


def test_the_manifest_names_every_file_in_the_order_to_take_them_in(extracts: Path) -> None:
    with (extracts / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows} == {
        path.name for path in extracts.iterdir()} - {"manifest.csv"}
    received = [row["received"] for row in rows]
    assert received == sorted(received)
    assert rows[-1]["received"] > str(TODAY)


def test_only_the_fire_service_has_gone_quiet(extracts: Path) -> None:
    manifest = read(extracts, "manifest").drop_duplicates("feed").set_index("feed")["complete_to"]
    assert manifest.pop("fire_incidents") == "2026-09-13"
    assert set(manifest) == {"2026-11-22"}
    assert read(extracts, "fire_incidents")["recorded"].max() < "2026-09-14"


def test_nothing_is_known_after_the_day_except_in_the_late_file(extracts: Path) -> None:
    recorded = pd.to_datetime(read(extracts, "council_asb")["Logged"], format="%d/%m/%Y",
                              errors="coerce")
    assert recorded.max() < pd.Timestamp(TODAY)
    assert read(extracts, "council_asb_update")["Logged"].tolist() == ["26/11/2026"]


def test_police_crime_is_about_954_a_month_for_a_borough_of_103600(borough: Path) -> None:
    published = read(borough, "police_uk")
    scale = 40_000 / 103_600
    winter = published[published["Month"].str[5:].isin(["10", "12", "01", "02"])]
    a_month = len(winter) / winter["Month"].nunique() / scale
    assert 860 < a_month < 1_050
    asb = (published["Crime type"] == "Anti-social behaviour").mean()
    assert 0.37 < asb < 0.43


def test_summer_has_a_quarter_more_anti_social_behaviour(borough: Path) -> None:
    asb = read(borough, "police_uk").query("`Crime type` == 'Anti-social behaviour'")["Month"]
    by_month = asb.groupby(asb).size()
    summer = by_month[by_month.index.str[5:].isin(["06", "07", "08"])].mean()
    winter = by_month[by_month.index.str[5:].isin(["12", "01", "02"])].mean()
    assert 1.12 < summer / winter < 1.45


def test_a_few_streets_hold_much_of_the_trouble(borough: Path) -> None:
    asb = read(borough, "police_uk").query("`Crime type` == 'Anti-social behaviour'")
    counts = asb.groupby(["Longitude", "Latitude"]).size().sort_values(ascending=False)
    streets = read(borough, "addresses")["usrn"].nunique()
    assert 0.3 < counts.head(streets // 20).sum() / len(asb) < 0.6


def test_the_town_has_its_homes_areas_and_both_sets_of_wards(borough: Path) -> None:
    addresses = read(borough, "addresses")
    homes = addresses[addresses["dwelling"] == "Yes"]["uprn"]
    homes = homes[homes.str.match(r"^9999\d{8}$")]
    assert 18_500 < homes.nunique() < 20_500
    assert addresses["lsoa"].nunique() == 28
    assert addresses["ward"].str.match(r"^E05999\d{3}$").all()
    assert (addresses.groupby("uprn")["ward"].nunique() == 2).mean() > 0.99


def test_housing_is_let_and_people_come_to_the_desk_as_often_as_they_should(borough: Path) -> None:
    scale = 40_000 / 103_600
    assert 50 < len(read(borough, "homelessness_cases")) / 36 / scale < 70
    tenancies = read(borough, "housing_tenancies")
    assert 620 < (tenancies["Termination Date"] != "").sum() / 3 / scale < 780
    open_now = (read(borough, "proposed_allocations")["decided"] == "").sum()
    planted = (borough.parent / "truth" / "stories.yaml").read_text("utf-8").count("proposal_ref")
    assert 110 < (open_now - planted) / scale < 130


def test_records_have_the_gaps_agencies_leave(borough: Path) -> None:
    reports = read(borough, "council_asb")
    assert 0.11 < (reports["usrn"] == "").mean() < 0.18
    people = read(borough, "police_involvements")
    assert 0.08 < (people["person_uprn"] == "").mean() < 0.20


def test_a_few_rows_of_the_long_feeds_cannot_be_read(borough: Path) -> None:
    rent = read(borough, "housing_rent")
    bad = rent["Current Arrears"].str.startswith("-") | (rent["Week Ending"] == "31/02/2025")
    assert 0 < bad.mean() < 0.005


def test_the_same_person_is_not_always_written_the_same_way(borough: Path) -> None:
    truth = pq.read_table(borough.parent / "truth" / "links.parquet").to_pandas()
    rent = read(borough, "housing_tenancies").rename(columns={"Tenancy Number": "record"})
    police = read(borough, "police_involvements").rename(columns={"involvement_ref": "record"})
    named = [frame.merge(truth, on="record")[["person", "person_forename", "person_surname"]]
             .drop_duplicates("person") for frame in (rent, police)]
    both = named[0].merge(named[1], on="person", suffixes=("", "_police"))
    same = ((both["person_forename"] == both["person_forename_police"])
            & (both["person_surname"] == both["person_surname_police"])).to_numpy()
    assert len(both) > 200
    assert 0.85 < np.mean(same) < 0.99


@pytest.mark.parametrize("factor", ["disruption", "support", "amenities"])
def test_an_officer_wrote_down_a_location_factor_for_most_offers_and_never_wrote_that_they_had_not(
    borough: Path, factor: str
) -> None:
    written = read(borough, "proposed_allocations")[f"{factor}_considered"]
    assert set(written) == {"Yes", ""}
    assert 0.5 < (written == "Yes").mean() < 0.75


def test_no_offer_is_so_far_away_that_its_distance_had_to_be_considered(borough: Path) -> None:
    offers, addresses = read(borough, "proposed_allocations"), read(borough, "addresses")
    assert set(offers["uprn"]) <= set(addresses["uprn"])
    assert set(offers["distance_considered"]) == {""}
