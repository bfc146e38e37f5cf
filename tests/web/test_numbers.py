"""Numbers: what is small cannot be seen or worked out, who sees which ward, and that nobody is named."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from itertools import product

import pytest

from engine.flag import write_json
from engine.small import hide_overlapping, hide_small
from engine.store.accounts import change_user, find_user
from engine.store.database import Database
from engine.store.flags import Filters, find, find_latest
from engine.store.publishing import publish
from engine.store.tallies import tally_flags
from tests.web.conftest import NOW, Borough, Visitor
from tests.web.made import FIRST, SECOND, make_flag

Visit = Callable[..., Visitor]
THIRD = date(2026, 11, 24)


# --- what may be shown ----------------------------------------------------------------------------


@pytest.mark.parametrize(("counts", "shown"), [
    ((7, 8, 0), (7, 8, 0)),             # nothing is small
    ((30, 20, 3), (None, 20, None)),    # 20 alone would tell the 3, so the first large one goes too
    ((5, 20, 3), (None, 20, None)),     # 8 are hidden: 1 to 3 of them may be the small one's
    ((5, 20, 1), (None, None, None)),   # 6 hidden beside 20 could only be 5 and 1
    ((2, 1, 0), (None, None, None)),    # all of them are few
    ((0, 0, 0), (0, 0, 0)),
])
def test_a_small_count_hides_a_large_one_beside_it(counts: tuple[int, ...], shown: tuple[int | None, ...]) -> None:
    assert tuple(hide_small(dict(zip("abc", counts, strict=True)), 5).parts.values()) == shown


@pytest.mark.parametrize(("least", "parts", "most"), [(3, 2, 16), (3, 3, 14), (5, 3, 15), (3, 4, 10)])
def test_nobody_can_work_a_hidden_count_out_who_knows_how_it_was_hidden(least: int, parts: int, most: int) -> None:
    """Every table there is, by what is shown of it: of each hidden count there are two at the least it could be."""
    alike = defaultdict(list)
    for counts in product(range(most + 1), repeat=parts):
        if sum(counts) <= most:
            shown = hide_small(dict(enumerate(counts)), least)
            assert not any(count is not None and 0 < count < least for count in (shown.total, *shown.parts.values()))
            alike[shown.total, tuple(shown.parts.values())].append(counts)
    for (_total, seen), tables in alike.items():
        for place, count in enumerate(seen):
            assert count is not None or len({table[place] for table in tables}) > 1, (seen, tables)


def test_few_without_a_theme_are_hidden_as_few_with_it_are() -> None:
    assert hide_overlapping({"victims": 28, "youth": 12}, 30, 5) == {"victims": None, "youth": 12}
    assert hide_overlapping({"victims": 30, "youth": 2, "hate": 9}, 30, 5) == {
        "victims": None, "youth": None, "hate": 9}
    assert hide_overlapping({"victims": 3}, 3, 5) == {"victims": None}


# --- the page -------------------------------------------------------------------------------------


def read_csv(visitor: Visitor) -> dict[tuple[str, str], list[str]]:
    rows = csv.DictReader(io.StringIO(visitor.get("/numbers.csv").text.removeprefix("\ufeff")))
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        found[row["table"], row["line"]].append(row["number"])
    return found


def set_wards(store: Database, *wards: str) -> None:
    with store.writing(NOW, "system") as writing:
        user = find_user(writing, "demo-councillor")
        assert user is not None
        change_user(writing, user.id, user.version, wards=wards)


def place(store: Database, wards: dict[str, int]) -> None:
    """Puts a third week before people: thirty offers, some in each of these wards, and the rest not known where."""
    offers = [make_flag("allocations", f"PR{n:06d}", THIRD, band="watch", axes=()) for n in range(30)]
    named = [ward for ward, count in wards.items() for _ in range(count)]
    with store.writing(NOW, "system") as writing:
        publish(writing, f"{THIRD}-{'0' * 8}", [write_json(one) for one in offers],
                [{"list": one.list, "subject": one.subject, "status": one.status} for one in offers],
                wards=dict(zip((one.subject for one in offers), named, strict=False)))


def test_the_lists_are_counted_and_nobody_is_named(visit: Visit) -> None:
    chair = visit("tasking_chair")
    text = chair.get("/numbers").text
    assert "Offers of a home: band" in text
    assert "16 November 2026" in text
    assert not re.search(r"P0000|PR0000|street:|/flags/", text)
    found = read_csv(chair)
    assert found["Offers of a home: band", "Watch"] == ["30", "0"]      # the last run first
    assert found["Offers of a home: band", "All"] == ["30", "0"]
    assert found["People: band", "All"] == ["under 5 or hidden"] * 2
    assert found["People: band", "Convene"] == ["under 5 or hidden"] * 2


def test_a_councillor_sees_the_borough_and_their_own_ward_alone(visit: Visit, store: Database) -> None:
    place(store, {"Elm": 12, "Oak": 11})
    councillor, chair = visit("councillor"), visit("tasking_chair")
    set_wards(store)
    assert "No ward stands on your account yet" in councillor.get("/numbers").text
    set_wards(store, "Elm", "Nowhere")
    text = councillor.get("/numbers").text
    assert "Elm" in text
    assert "Oak" not in text
    assert "Ward not known" not in text
    theirs, whole = read_csv(councillor), read_csv(chair)
    assert theirs["Offers of a home: ward", "Elm"] == whole["Offers of a home: ward", "Elm"] == ["12", "0", "0"]
    assert theirs["Offers of a home: ward", "Nowhere"] == ["0", "0", "0"]
    assert whole["Offers of a home: ward", "Oak"] == ["11", "0", "0"]
    assert whole["Offers of a home: ward", "Ward not known"] == ["7", "30", "0"]
    shared = theirs.keys() & whole.keys()
    assert len(shared) > 30
    assert {line: theirs[line] for line in shared} == {line: whole[line] for line in shared}


def test_what_is_small_in_one_ward_is_hidden_from_everybody_with_another(visit: Visit, store: Database) -> None:
    place(store, {"Ash": 10, "Elm": 3, "Oak": 17})
    found = read_csv(visit("analyst"))
    hidden = "under 5 or hidden"
    assert [found["Offers of a home: ward", ward][0] for ward in ("Ash", "Elm", "Oak", "All")] == [
        hidden, hidden, "17", "30"]


def test_what_is_held_for_other_eyes_is_counted_nowhere(store: Database) -> None:
    with store.reading() as reading:
        tallies = tally_flags(reading, [f"{FIRST}-{'0' * 8}", f"{SECOND}-{'0' * 8}"])
    assert tallies[f"{FIRST}-{'0' * 8}", "people"].total == 3       # four were put forward; one is restricted now
    assert tallies[f"{SECOND}-{'0' * 8}", "people"].theme == {"victims": 3, "youth": 1}


@pytest.mark.parametrize(("role", "status"), [
    ("tasking_chair", 200), ("tasking_member", 200), ("housing_manager", 200), ("analyst", 200), ("governance", 200),
    ("councillor", 200), ("housing_officer", 403), ("agency_officer", 403), ("administrator", 403),
    ("monitoring_officer", 403)])
def test_numbers_are_for_whoever_works_with_them_and_councillors(visit: Visit, role: str, status: int) -> None:
    assert visit(role).get("/numbers").status_code == status
    assert visit(role).get("/numbers.csv").status_code == status


def test_a_councillor_opens_nobodys_page(visit: Visit, store: Database) -> None:
    with store.reading() as reading:
        flag = find(reading, Filters()).rows[0].id
    councillor = visit("councillor")
    assert councillor.get(f"/flags/{flag}").status_code == 404
    assert councillor.get("/people").status_code == 403


# --- where the wards come from --------------------------------------------------------------------


def test_wards_of_a_run_are_those_of_the_gazetteer_and_can_be_filtered_by(borough: Borough) -> None:
    folder = borough.home / "invented" / "extracts"
    gazetteer = list(csv.DictReader((folder / "addresses.csv").open()))
    now = {row["uprn"]: row for row in gazetteer if not row["ward_to"]}
    homes = {row["proposal_ref"]: row["uprn"] for row in csv.DictReader((folder / "proposed_allocations.csv").open())}
    streets = defaultdict(set)
    for row in now.values():
        streets[row["usrn"]].add(row["ward_name"])
    with borough.database.reading() as reading:
        latest = find_latest(reading)
        assert latest is not None
        rows = find(reading, Filters(runs=(latest.run,)), size=500).rows
    offers = [row for row in rows if row.list == "allocations"]
    assert offers
    assert [row.ward for row in offers] == [now[homes[row.subject]]["ward_name"] for row in offers]
    for row in (one for one in rows if one.subject.startswith("street:")):
        inside = streets[row.subject.removeprefix("street:")]
        assert row.ward == (inside.pop() if len(inside) == 1 else None)
    people = [row for row in rows if row.list == "people"]
    assert sum(1 for row in people if row.ward) > len(people) / 2
    chair, ward = borough.visit("tasking_chair"), str(offers[0].ward)
    text = chair.get(f"/allocations?ward={ward.replace(' ', '+')}").text
    assert f"{sum(1 for row in offers if row.ward == ward)} flag" in text
