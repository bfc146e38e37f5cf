"""Finding an applicant and a home at the desk by what somebody types."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.desk import Desk
from engine.pack import Pack

from .conftest import Borough
from .town import Rows, ago, applicant, desk_of, home, snapshot_of

EMPTY, LET, OTHER = "100000000001", "100000000002", "100000000031"


@pytest.fixture(scope="module")
def town(borough: Borough, shipped: Pack) -> Desk:
    rows: Rows = {}
    home(rows, EMPTY, 1, void_since=ago(9))
    home(rows, LET, 2, void_since=None)
    home(rows, OTHER, 3, void_since=ago(9))
    for name in ("Ada", "Adam", "Kim"):
        applicant(rows, name, registered=ago(500))
    return desk_of(snapshot_of(borough.lake, shipped, rows), shipped)


@pytest.mark.parametrize(("words", "found"), [
    ("APP-Ada", ["APP-Ada"]),                   # written in full, it finds no other that begins so
    (" app - kim ", ["APP-Kim"]),
    ("app-ad", ["APP-Ada", "APP-Adam"]),
    ("APP-Zoe", []),
])
def test_applications_are_found_by_reference_or_a_part_of_it(town: Desk, words: str, found: list[str]) -> None:
    assert [row["application"] for row in town.find_applications(words)] == found


def test_a_person_is_found_by_their_id_and_by_an_id_they_had_before(town: Desk) -> None:
    kim = town.applications["APP-Kim"]
    assert [row["application"] for row in town.find_applications(kim["applicant"])] == ["APP-Kim"]
    merged = desk_of(replace(town.snapshot, merged={"P999999": kim["applicant"]}), town.pack)
    assert [row["application"] for row in merged.find_applications("p999999")] == ["APP-Kim"]


def test_homes_are_found_by_uprn_or_address_and_those_that_may_be_offered_come_first(town: Desk) -> None:
    assert [row["uprn"] for row in town.find_homes(f" {LET} ")] == [LET]
    found = [row["uprn"] for row in town.find_homes("10000000")]
    assert set(found) == {EMPTY, LET, OTHER}
    available = [row["available"] for row in town.find_homes("10000000")]
    assert available == sorted(available, reverse=True)
    address = str(town.homes[OTHER]["address"])
    assert OTHER in [row["uprn"] for row in town.find_homes(f"  {address.upper()} ")]
    assert town.find_homes("no such lane") == ()
