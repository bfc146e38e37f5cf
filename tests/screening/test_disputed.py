"""An offer of a home where records are disputed: what rests on them cannot be told, and nothing else moves."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from engine.desk import Desk
from engine.desks import Desks
from engine.disputes import Disputes
from engine.pack import Pack
from engine.screen import evaluate_case

from .conftest import Borough, Week
from .test_screen import PLAIN, build_town
from .town import AS_OF, applicant, desk_of, home, snapshot_of, who

DISPUTED = ("keep_apart:0000", "housing_tenancies:0000", "engagements:0000", "housing_register:0003",
            "support_needs:0000", "properties:0001", "council_asb:0002", "orders:0000")
ZONED = "100000000012"


def build_disputed_town() -> Any:
    rows = build_town()
    home(rows, ZONED, 11)
    applicant(rows, "Zed")
    at = rows["addresses"][-1]
    rows["orders"] = [{"order_ref": "O1", "kind": "injunction", "started": rows["engagements"][0]["started"],
                       "easting": at["easting"], "northing": at["northing"], "radius_m": 50.0, **who("Zed")}]
    rows["support_needs"] = [{"need_ref": "N1", "code": "AUT", "status": "current", **who("Ada")}]
    return rows


@pytest.fixture(scope="module")
def before(borough: Borough, shipped: Pack) -> Desk:
    return desk_of(snapshot_of(borough.lake, shipped, build_disputed_town()), shipped)


@pytest.fixture(scope="module")
def now(borough: Borough, shipped: Pack) -> Desk:
    return desk_of(snapshot_of(borough.lake, shipped, build_disputed_town(), disputes=DISPUTED), shipped)


def states(desk: Desk, application: str, uprn: str) -> dict[str, Any]:
    measured = desk.measure(desk.pair(application, uprn))
    steps = evaluate_case(desk, measured.values, measured)
    return dict(measured.values) | {rule: step.state for rule, step in steps.items()}


@pytest.mark.parametrize(("application", "uprn", "rule"), [
    ("APP-Kim", PLAIN, "allocation/domestic-abuse-survivor-near-abuser"),
    ("APP-Zed", ZONED, "allocation/inside-exclusion-zone")])
def test_a_disputed_record_turns_a_conflict_into_something_to_find_out(
    before: Desk, now: Desk, application: str, uprn: str, rule: str
) -> None:
    assert [states(desk, application, uprn)[rule] for desk in (before, now)] == [True, None]


def test_for_no_pair_does_anything_become_other_than_unknown(before: Desk, now: Desk) -> None:
    changed = set()
    for application, uprn in product(before.applications, before.homes):
        then, again = states(before, application, uprn), states(now, application, uprn)
        changed |= {(name, again[name]) for name in then if then[name] != again[name]}
    assert {value for _, value in changed} == {None}
    assert len(changed) > 20


def test_a_dispute_makes_another_desk_and_leaves_the_one_before(borough: Borough, shipped: Pack, week: Week) -> None:
    disputes, desks = Disputes(borough.home), Desks(borough.home)
    first = desks.name(borough.lake, shipped, borough.as_of)
    try:
        disputes.mark(["orders:1"], "c" * 22, "u" * 22, AS_OF)
        assert desks.name(borough.lake, shipped, borough.as_of) != first
        disputes.lift("c" * 22, "u" * 22, AS_OF)
        assert desks.name(borough.lake, shipped, borough.as_of) == first == week.desk.name
    finally:
        disputes.path.unlink()
