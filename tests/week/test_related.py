"""Rules that ask for a record beside the subject: how far away it is, and what cannot be told.

Everything is judged in columns and again by hand from the records fetched for one subject; both must agree.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from engine.check import check_rule
from engine.condition import Exists, read_condition
from engine.evaluate import Case, State, evaluate
from engine.evidence import gather
from engine.flag import write_json
from engine.measures import measure
from engine.pack import Pack
from engine.schema import Kind, Subject
from engine.world import Workbench, order_zones, places_to_avoid

from .made import Row, a_pack, a_rule, ago, make_week, make_world, put_rows, report

HOME = {"easting": 400_000.0, "northing": 400_000.0}
OFFER: Row = {"subject": "A1", "applicant": "P1", "uprn": "U1", "street": "S1", **HOME}
NEAR = {"in": "kept_apart", "where": {"all": ["category == da", "metres < 1000"]}}
MODEL = "person/case-review-threshold"


def place_at(metres: float, **other: Any) -> Row:
    """A place of somebody to be kept apart from, so many metres east of the home on offer."""
    return report(5, category="da", easting=400_000.0 + metres, northing=400_000.0, **other)


def ask_both_ways(
    bench: Workbench, block: Any, rows: list[Row], subject: Subject = "allocation", **world: Any
) -> dict[str, State]:
    """What an `exists` comes to for each subject, in columns; by hand it must come to the same."""
    asked = read_condition({"exists": block})
    assert isinstance(asked, Exists)
    made = make_world(bench, {asked.table: rows}, **({"proposals": [OFFER]} | world))
    table = measure(made, subject, [], [asked], bench.hold, {}).to_pyarrow().to_pylist()
    evidence = gather(made, subject, table, [], [asked], {}, {})
    for row in table:
        related = {asked: evidence.related(asked, subject, row["subject"])}
        again = evaluate(asked, Case({}, {}, related)).state
        assert row["exists_0"] is again, f"{row['subject']}: {row['exists_0']} in columns, {again} by hand"
    return {row["subject"]: row["exists_0"] for row in table}


@pytest.mark.parametrize(("metres", "state"), [(0, True), (999, True), (999.9, True), (1000, False), (40_000, False)])
def test_a_home_is_too_near_up_to_the_distance_the_rule_names(bench: Workbench, metres: float, state: State) -> None:
    assert ask_both_ways(bench, NEAR, [place_at(metres)]) == {"A1": state}


@pytest.mark.parametrize(("rows", "state"), [
    ([], False),
    ([place_at(50, person="P2")], False),                                       # somebody else's
    ([place_at(50) | {"category": "asb"}], False),                              # for another reason
    ([report(5, category="da")], None),                                         # a place nobody knows
    ([report(5, category="da", easting=400_000.0)], None),
    ([report(5, category=None, **HOME)], None),
    ([report(5, category="asb")], False),
    ([report(5, category="da"), place_at(30)], True),                           # one is enough
    ([report(5, category="da"), place_at(3000)], None),
])
def test_one_surely_near_is_enough_and_a_place_nobody_knows_is_never_far(
    bench: Workbench, rows: list[Row], state: State
) -> None:
    assert ask_both_ways(bench, NEAR, rows) == {"A1": state}


@pytest.mark.parametrize("blank", ["easting", "northing"])
def test_from_a_home_nobody_has_located_no_distance_is_known(bench: Workbench, blank: str) -> None:
    offers = [{**OFFER, blank: None}, {**OFFER, "subject": "A2", "applicant": "P2", blank: None}]
    assert ask_both_ways(bench, NEAR, [place_at(30)], proposals=offers) == {"A1": None, "A2": False}
    bounded = {**NEAR, "where": "category == da", "near": "400m"}
    assert ask_both_ways(bench, bounded, [place_at(30)], proposals=offers) == {"A1": None, "A2": None}


def test_nobody_can_say_whom_to_keep_apart_an_applicant_who_has_not_been_identified(bench: Workbench) -> None:
    assert ask_both_ways(bench, NEAR, [place_at(30)], proposals=[{**OFFER, "applicant": None}]) == {"A1": None}


def test_while_the_records_are_late_nothing_is_known_not_even_what_was_found(bench: Workbench) -> None:
    assert ask_both_ways(bench, NEAR, [place_at(30)], fresh=()) == {"A1": None}


def test_every_pair_of_one_applicant_has_their_own_distance(bench: Workbench) -> None:
    far = {**OFFER, "subject": "HR1:U2", "proposal": None, "easting": 405_000.0}
    assert ask_both_ways(bench, NEAR, [place_at(30)], proposals=[OFFER, far]) == {"A1": True, "HR1:U2": False}


@pytest.mark.parametrize(("metres", "state"), [(100, True), (250, True), (250.5, False)])
def test_on_the_edge_of_a_zone_is_inside_it(bench: Workbench, metres: float, state: State) -> None:
    zone = {"in": "zones", "where": "metres <= 0"}
    assert ask_both_ways(bench, zone, [place_at(metres, radius_m=250.0)]) == {"A1": state}


def test_a_place_has_distances_too(bench: Workbench) -> None:
    places = [{"subject": "street:S1", "level": "street", "key": "S1", **HOME}]
    rows = [report(5, street="S1", category="da", easting=400_000.0, northing=400_300.0)]
    for far, state in (("metres > 200", True), ("metres > 300", False)):
        block = {"in": "reports", "where": far}
        assert ask_both_ways(bench, block, rows, "place", places=places) == {"street:S1": state}


def test_columns_and_records_by_hand_agree_on_two_thousand_pairs(bench: Workbench) -> None:
    random = Random(4)

    def perhaps(value: Any) -> Any:
        return value if random.random() > 0.15 else None

    def somewhere() -> Row:
        return {"easting": perhaps(400_000.0 + 250 * random.randrange(12)), "northing": perhaps(400_000.0)}

    asked = [NEAR, {**NEAR, "within": "90d"}, {"in": "kept_apart", "where": "category in [da, hba]", "near": "500m"},
             {"in": "kept_apart", "near": "900m", "where": {"any": [{"not": "metres >= 1500"}, "category is missing"]}},
             {"in": "kept_apart", "where": {"not": {"all": ["category == da", "metres < 1000"]}}}]
    states: list[State] = []
    for block in asked:
        rows = [report(random.randrange(200), person=f"P{random.randrange(60)}", **somewhere(),
                       category=perhaps(random.choice(["da", "asb", "hba"]))) for _ in range(90)]
        offers = [{**OFFER, "subject": f"A{n}", "applicant": perhaps(f"P{random.randrange(60)}"), **somewhere()}
                  for n in range(400)]
        states += ask_both_ways(bench, block, rows, proposals=offers).values()
    assert len(states) == 2000
    assert min(states.count(state) for state in (True, False, None)) > 100


# --- which records are places to be kept apart from -----------------------------------------------

_PAIRS: dict[str, str] = {
    "record": "string", "person": "string", "other": "string", "kind": "string", "place_kind": "string",
    "known": "date", "current": "boolean", "easting": "float64", "northing": "float64"}
_HOMES: dict[str, str] = {"person": "string", "easting": "float64", "northing": "float64"}
_ORDERS = {name: kind for name, kind in _PAIRS.items() if name not in ("other", "place_kind")} | {"radius_m": "float64"}


def find_places(bench: Workbench, pair: Row, homes: list[Row]) -> list[tuple[Any, ...]]:
    row = {"record": "keep_apart:K1", "person": "P1", "other": "P9", "kind": "da", "known": ago(5), **pair}
    found = places_to_avoid(put_rows(bench, "pairs", [row], _PAIRS), put_rows(bench, "homes", homes, _HOMES))
    return sorted(((r["place_kind"], r["easting"]) for r in found.to_pyarrow().to_pylist()), key=str)


@pytest.mark.parametrize(("pair", "homes", "places"), [
    ({"place_kind": "work", "easting": 1.0, "northing": 2.0}, [], [("work", 1.0)]),
    ({}, [{"person": "P9", "easting": 7.0, "northing": 8.0}], [("home", 7.0)]),
    ({"place_kind": "work", "easting": 1.0, "northing": 2.0}, [{"person": "P9", "easting": 7.0, "northing": 8.0}],
     [("home", 7.0), ("work", 1.0)]),
    ({"place_kind": "daily"}, [{"person": "P8", "easting": 7.0, "northing": 8.0}], [("daily", None)]),
    ({"place_kind": "daily", "easting": 1.0}, [{"person": "P9", "easting": None, "northing": 8.0}], [("daily", None)]),
    ({"other": None}, [{"person": "P9", "easting": 7.0, "northing": 8.0}], [(None, None)]),
    ({"current": False}, [{"person": "P9", "easting": 7.0, "northing": 8.0}], []),
])
def test_a_party_whose_whereabouts_nobody_knows_is_kept_as_somewhere(
    bench: Workbench, pair: Row, homes: list[Row], places: list[Any]
) -> None:
    assert find_places(bench, pair, homes) == places


@pytest.mark.parametrize(("order", "zones"), [
    ({"easting": 1.0, "northing": 2.0, "radius_m": 300.0}, [(1.0, 300.0)]),
    ({"radius_m": 300.0}, [(None, 300.0)]),             # an area somewhere
    ({"easting": 1.0, "northing": 2.0}, [(1.0, None)]),
    ({}, []),                                           # not about a place
    ({"easting": 1.0, "northing": 2.0, "radius_m": 300.0, "current": False}, []),
])
def test_an_order_with_a_radius_and_no_point_is_kept_as_an_area_somewhere(
    bench: Workbench, order: Row, zones: list[Any]
) -> None:
    row = {"record": "orders:O1", "person": "P1", "kind": "cbo", "known": ago(5), **order}
    found = order_zones(put_rows(bench, "orders", [row], _ORDERS)).to_pyarrow().to_pylist()
    assert [(r["easting"], r["radius_m"]) for r in found] == zones


# --- what a flag says of it -----------------------------------------------------------------------


def test_a_flag_names_no_distance_no_record_and_no_date_of_who_is_to_be_kept_apart(
    bench: Workbench, shipped: Pack
) -> None:
    clash = a_rule(shipped.rules[MODEL], "too-near", {"exists": NEAR}, subject="allocation", result="mitigate",
                   level="hard", factor="location")
    world = make_world(bench, {"kept_apart": [place_at(437, record="keep_apart:K7")]}, proposals=[OFFER])
    flag = make_week(world, a_pack(shipped, [clash]), bench, "allocation").flags["A1"]
    text = write_json(flag)
    assert [reason.rule for reason in flag.reasons] == ["allocation/too-near"]
    assert "is under 1,000 metres away" in flag.reasons[0].tree.text
    assert (flag.reasons[0].tree.value, flag.reasons[0].tree.metres, flag.records, flag.facts) == (None, None, (), ())
    assert not any(secret in text for secret in ("437", "K7", ago(5).isoformat(), f"{ago(5).day} November"))


def test_what_an_unclear_record_waits_for_names_the_agencies_that_could_settle_it(
    bench: Workbench, shipped: Pack
) -> None:
    model = shipped.rules[MODEL]
    unclear = a_rule(model, "unclear", {"exists": {**NEAR, "in": "keep_apart"}}, subject="allocation",
                     result="mitigate", level="hard", factor="location")
    sure = a_rule(model, "sure", {"exists": {"in": "keep_apart", "where": "category == da"}}, subject="allocation",
                  result="mitigate", level="soft", factor="location")
    world = make_world(bench, {"keep_apart": [report(5, category="da")]}, proposals=[OFFER])
    world = type(world)(**{**vars(world), "table_feeds": {"keep_apart": ("keep_apart", "housing_tenancies")},
                           "fresh": frozenset({"keep_apart", "housing_tenancies"})})
    question, = make_week(world, a_pack(shipped, [unclear, sure]), bench, "allocation").flags["A1"].questions
    assert (question.rule, question.agencies) == ("allocation/unclear", ("Community Safety", "Housing"))


# --- what the pack refuses ------------------------------------------------------------------------

_TABLES: dict[str, dict[str, Kind]] = {
    "kept_apart": {"category": "text", "easting": "number", "northing": "number"}, "visits": {"category": "text"}}


@pytest.mark.parametrize(("subject", "block", "found"), [
    ("allocation", NEAR, None),
    ("place", NEAR, None),
    ("person", NEAR, "`metres` of kept_apart, asked of a person"),
    ("allocation", {"in": "visits", "where": "metres < 5"}, "`metres` of visits, whose records have no point"),
    ("allocation", {"in": "kept_apart", "where": "metres == near"}, "`metres` is a number, compared with `near`"),
    ("allocation", {"in": "kept_apart", "where": "yards < 5"}, "unknown name `yards` in kept_apart"),
])
def test_a_distance_is_asked_only_where_there_are_two_points(
    shipped: Pack, subject: Subject, block: Any, found: str | None
) -> None:
    rule = a_rule(shipped.rules[MODEL], "distance", {"exists": block}, subject=subject)
    assert [problem.found for problem in check_rule(rule, {}, {}, _TABLES)] == ([found] if found else [])
