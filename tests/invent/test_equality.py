"""Invented characteristics, and a gap in what is recorded of the smaller group: planted, and nothing else moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from engine.errors import UsageError
from engine.invent import Borough, invent
from engine.invent.equality import GROUPS, SMALLER

RESIDENTS, MONTHS, SEED = 4_000, 36, 5


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Borough]:
    """A borough in which so much of what the smaller group suffers is recorded, made once for each share."""
    made: dict[float, Borough] = {}

    def find(recorded: float) -> Borough:
        if recorded not in made:
            made[recorded] = invent(tmp_path_factory.mktemp("gap"), RESIDENTS, MONTHS, SEED, recorded=recorded)
        return made[recorded]
    return find


def read_equality(borough: Borough) -> pd.DataFrame:
    """Everybody's characteristics, by true id."""
    return pd.read_csv(borough.folder / "truth" / "equality.csv", dtype=str).set_index("person")


def read_truth(borough: Borough, name: str) -> pd.DataFrame:
    """One table of the truth."""
    table: pd.DataFrame = pq.read_table(borough.folder / "truth" / f"{name}.parquet").to_pandas()
    return table


def list_suffered(borough: Borough) -> pd.Series:
    """The group of who suffered each incident the police recorded, by its number."""
    involved = pd.read_csv(borough.folder / "extracts" / "police_involvements.csv", dtype=str)
    suffered = involved[involved["Involvement Type"].isin(["VIC", "missing_person"])]
    links = read_truth(borough, "links").query("feed == 'police_involvements'").set_index("record")["person"]
    group = suffered["involvement_ref"].map(links).map(read_equality(borough)["group"])
    return group.set_axis(suffered["Occurrence Number"].to_numpy())


def list_bytes(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- the table --------------------------------------------------------------------------------------


def test_everybody_is_in_the_equality_table_with_every_characteristic(make: Callable[[float], Borough]) -> None:
    table, people = read_equality(make(1.0)), read_truth(make(1.0), "people")
    assert table.index.tolist() == people["person"].tolist()
    assert table.columns.tolist() == ["group", "sex", "age_band"]
    assert table.notna().all(axis=None)
    assert set(table["sex"]) == {"female", "male"}
    assert set(table["age_band"]) == {"under 18", "18 to 24", "25 to 39", "40 to 64", "65 and over"}
    for group, share in GROUPS.items():
        assert (table["group"] == group).mean() == pytest.approx(share, abs=0.03)


def test_the_groups_have_nothing_to_do_with_what_anybody_suffers_causes_or_needs(
    make: Callable[[float], Borough]
) -> None:
    people = read_truth(make(1.0), "people").set_index("person").iloc[:RESIDENTS]
    group = read_equality(make(1.0)).loc[people.index, "group"]
    for drive in ("victim", "offender", "frailty"):
        rank = people[drive].rank(pct=True)
        for name in GROUPS:
            mine = rank[group == name]
            assert abs(mine.mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(mine)), (drive, name)


def test_no_extract_holds_the_equality_table(make: Callable[[float], Borough]) -> None:
    for recorded in (1.0, 0.5):
        for name, held in list_bytes(make(recorded).folder / "extracts").items():
            header = held.split(b"\n", 1)[0].decode("utf-8", "replace").lower().split(",")
            assert not {"group", "sex", "age_band"} & set(header), name
            assert b"T0000" not in held, name
            assert "equality" not in name


# --- the gap ----------------------------------------------------------------------------------------


def test_with_everything_recorded_every_extract_is_what_it_is_without_the_option(
    make: Callable[[float], Borough], tmp_path: Path
) -> None:
    plain = list_bytes(invent(tmp_path, RESIDENTS, MONTHS, SEED).folder / "extracts")
    assert list_bytes(make(1.0).folder / "extracts") == plain


def test_drawing_who_is_not_heard_moves_nothing_else(make: Callable[[float], Borough]) -> None:
    """A share just below one draws for everybody, leaves out nobody, and changes not a byte."""
    assert list_bytes(make(1 - 1e-12).folder / "extracts") == list_bytes(make(1.0).folder / "extracts")


def test_of_the_smaller_groups_incidents_about_half_are_left_out_and_of_nobody_elses_any(
    make: Callable[[float], Borough]
) -> None:
    all_of_them, half = list_suffered(make(1.0)), list_suffered(make(0.5))
    gone = all_of_them[~all_of_them.index.isin(half.index)]
    assert set(gone) == {SMALLER}
    assert 0.35 < len(gone) / (all_of_them == SMALLER).sum() < 0.65
    assert set(half.index) <= set(all_of_them.index)


def test_whoever_else_was_in_an_incident_nobody_was_told_of_is_not_recorded_in_it(
    make: Callable[[float], Borough]
) -> None:
    involved = [pd.read_csv(make(share).folder / "extracts" / "police_involvements.csv", dtype=str)
                for share in (1.0, 0.5)]
    gone = set(list_suffered(make(1.0)).index) - set(list_suffered(make(0.5)).index)
    kept = involved[0][~involved[0]["Occurrence Number"].isin(gone)]
    assert set(involved[1]["involvement_ref"]) == set(kept["involvement_ref"])


def test_the_council_hears_less_of_the_smaller_group_too(make: Callable[[float], Borough]) -> None:
    """Less by fewer than half: they still report what nobody in particular suffers, as everybody else does."""
    counts = []
    for share in (1.0, 0.5):
        links = read_truth(make(share), "links").query("feed == 'council_asb' and prefix == 'complainant'")
        counts.append(links["person"].map(read_equality(make(share))["group"]).value_counts())
    lost = 1 - counts[1] / counts[0]
    assert 0.08 < lost[SMALLER] < 0.5
    # A few of the others reported, as neighbours, what somebody of the smaller group suffered.
    assert all(0 <= lost[group] < 0.03 for group in set(GROUPS) - {SMALLER})


def test_the_truth_keeps_what_happened_and_says_what_nobody_was_told_of(make: Callable[[float], Borough]) -> None:
    happened = [read_truth(make(share), "events") for share in (1.0, 0.5)]
    assert happened[0]["recorded"].all()
    pd.testing.assert_frame_equal(happened[0].drop(columns="recorded"), happened[1].drop(columns="recorded"))
    group = happened[1]["person"].map(read_equality(make(0.5))["group"])
    silent = ~happened[1]["recorded"]
    assert set(group[silent]) == {SMALLER}
    assert 0.4 < silent[group == SMALLER].mean() < 0.6
    assert set(happened[1].loc[silent, "told_to"]) == {"police", "council"}


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share: float, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a share recorded of 0 to 1"):
        invent(tmp_path, RESIDENTS, MONTHS, SEED, recorded=share)
