"""What each measure makes of a few records: a table in, a value out. Every value is also counted by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.carried import carry
from engine.feature import FAR
from engine.keyed import World
from engine.measures import measure
from engine.schema import Subject
from engine.world import Workbench

from .made import AS_OF, Row, a_feature, ago, make_world, measure_both_ways, measure_one, report

# --- which days count -----------------------------------------------------------------------------


@pytest.mark.parametrize(("days_ago", "counts"), [(1, 1), (0, 0), (-3, 0), (89, 1), (90, 1), (91, 0)])
def test_a_window_holds_its_first_day_and_not_the_day_the_list_is_made(
    bench: Workbench, days_ago: int, counts: int
) -> None:
    assert measure_one(bench, [report(days_ago)], a_feature("count", window=90)) == counts


def test_a_window_is_on_the_day_a_report_was_known_not_the_day_it_happened(bench: Workbench) -> None:
    late = report(3, occurred=ago(400))
    assert measure_one(bench, [late], a_feature("count", window=90)) == 1


def test_without_a_window_everything_counts(bench: Workbench) -> None:
    assert measure_one(bench, [report(1), report(2000)], a_feature("count")) == 2


# --- each measure ---------------------------------------------------------------------------------

REPORTS = [
    report(5, incident="I1", category="N01", amount=4, share=0.5, started=ago(20), reporter="H1", noisy=True),
    report(10, incident="I1", category="N01", amount=1, share=0.25, started=ago(50), reporter="H2", noisy=False),
    report(20, incident="I2", category="D01", amount=None, started=ago(-9), reporter="H2", noisy=None),
    report(30, incident=None, category="D01", amount=7, share=1.0, started=None, reporter=None, noisy=True),
]


@pytest.mark.parametrize(("how", "value"), [
    ("count", 4),
    ("distinct incident", 2),              # the blank one is nobody's incident
    ("distinct category", 2),
    ("sum amount", 12),
    ("sum share", 1.75),
    ("max amount", 7),
    ("min amount", 1),
    ("latest amount", 4),
    ("latest category", "N01"),
    ("any", True),
    ("days_since known", 5),
    ("days_since started", -9),            # the last of them lies ahead
    ("days_until started", -50),           # the first of them is past
    ("top_share reporter", 2 / 3),         # of the reports whose reporter is known
])
def test_a_measure_of_four_reports(bench: Workbench, how: str, value: Any) -> None:
    assert measure_one(bench, REPORTS, a_feature(how, window=90)) == value


def test_a_share_is_of_the_reports_that_meet_the_condition(bench: Workbench) -> None:
    noise = a_feature("share", window=90, where="category == N01", of_which="noisy is true")
    assert measure_one(bench, REPORTS, noise) == 0.5


def test_a_report_that_does_not_say_is_not_in_the_share_and_stays_below_the_line(bench: Workbench) -> None:
    assert measure_one(bench, REPORTS, a_feature("share", window=90, of_which="noisy is true")) == 0.5


def test_only_reports_that_surely_meet_the_condition_count(bench: Workbench) -> None:
    assert measure_one(bench, REPORTS, a_feature("count", where="amount >= 4")) == 2
    assert measure_one(bench, REPORTS, a_feature("count", where={"not": "amount >= 4"})) == 1


def test_latest_is_of_the_last_known_record_that_says_something(bench: Workbench) -> None:
    rows = [report(9, amount=1), report(2, amount=None), report(5, amount=3)]
    assert measure_one(bench, rows, a_feature("latest amount")) == 3


def test_of_two_records_known_the_same_day_the_last_by_reference_is_the_latest(bench: Workbench) -> None:
    rows = [report(5, record="feed:B", amount=2), report(5, record="feed:A", amount=1)]
    assert measure_one(bench, rows, a_feature("latest amount")) == 2


def test_a_word_can_be_the_latest_and_a_truth_too(bench: Workbench) -> None:
    rows = [report(5, category="high", noisy=False), report(9, category="low", noisy=True)]
    assert measure_one(bench, rows, a_feature("latest category", type="code", absence="unknown")) == "high"
    assert measure_one(bench, rows, a_feature("latest noisy", type="boolean", absence="unknown")) is False


def test_days_until_counts_to_the_first_day_ahead(bench: Workbench) -> None:
    rows = [report(5, started=ago(-30)), report(6, started=ago(-14))]
    assert measure_one(bench, rows, a_feature("days_until started")) == 14


@pytest.mark.parametrize(("days", "change"), [
    ((5, 10, 100), 1),           # two now, one in the ninety days before
    ((5, 95, 100), -1),
    ((100,), -1),                # none now
    ((90, 91), 0),               # ninety days ago is now, ninety-one is before
    ((180, 181), -1),            # a hundred and eighty is before, one more is neither
])
def test_change_is_this_window_less_the_one_before(bench: Workbench, days: tuple[int, ...], change: int) -> None:
    rows = [report(day, incident=f"I{day}") for day in days]
    assert measure_one(bench, rows, a_feature("change incident", window=90)) == change


def test_ratio_is_this_window_over_the_one_before(bench: Workbench) -> None:
    rows = [report(5, amount=6), report(95, amount=3), report(100, amount=1)]
    assert measure_one(bench, rows, a_feature("ratio amount", window=90)) == 1.5


def test_a_ratio_to_nothing_is_not_known(bench: Workbench) -> None:
    assert measure_one(bench, [report(5, amount=6)], a_feature("ratio amount", window=90)) is None


def test_a_ratio_of_records_that_are_all_blank_is_not_known(bench: Workbench) -> None:
    rows = [report(5, amount=None), report(95, amount=3)]
    assert measure_one(bench, rows, a_feature("ratio amount", window=90)) is None


# --- nothing there --------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "absence", "value"), [
    ("count", "zero", 0), ("count", "unknown", None), ("any", "zero", False), ("any", "unknown", None),
    ("distinct incident", "zero", 0), ("sum amount", "zero", 0), ("max amount", "unknown", None),
    ("latest category", "none", "none"), ("days_since known", "unknown", None), ("change incident", "zero", 0),
    ("ratio amount", "unknown", None), ("share", "unknown", None), ("top_share reporter", "zero", 0),
])
def test_no_record_means_what_the_feature_says_it_means(
    bench: Workbench, how: str, absence: str, value: Any
) -> None:
    other = {"of_which": "noisy is true"} if how == "share" else {}
    kind = {"type": "code"} if absence == "none" else {}
    assert measure_one(bench, [], a_feature(how, window=90, absence=absence, **other, **kind)) == value


@pytest.mark.parametrize("how", ["distinct incident", "sum amount", "max amount", "latest amount",
                                 "days_since started", "top_share reporter"])
def test_a_record_that_is_there_but_blank_is_not_silence(bench: Workbench, how: str) -> None:
    assert measure_one(bench, [report(5)], a_feature(how, window=90, absence="zero")) is None


@pytest.mark.parametrize("absence", ["zero", "unknown", "none", "not_applicable"])
def test_nothing_is_read_into_the_silence_of_a_late_feed(bench: Workbench, absence: str) -> None:
    assert measure_one(bench, [report(5)], a_feature("count", absence=absence), fresh=()) is None


def test_every_feed_a_feature_names_must_be_up_to_date(bench: Workbench) -> None:
    two = a_feature("count", feeds=("feed", "other"))
    assert measure_one(bench, [report(5)], two) is None
    assert measure_one(bench, [report(5)], two, fresh=("feed", "other")) == 1


# --- disputes and gaps ----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["count", "any", "distinct incident", "sum amount", "latest amount",
                                 "days_since known", "top_share reporter", "ratio amount", "change incident"])
def test_what_rests_on_a_disputed_record_is_not_known(bench: Workbench, how: str) -> None:
    rows = [*REPORTS, report(95, amount=2, incident="I9"), report(7, amount=1, incident="I8", disputed=True)]
    assert measure_one(bench, rows, a_feature(how, window=90)) is None


def test_a_disputed_record_outside_the_window_or_the_condition_does_not_matter(bench: Workbench) -> None:
    rows = [report(5, category="N01"), report(95, category="N01", disputed=True),
            report(6, category="D01", disputed=True)]
    assert measure_one(bench, rows, a_feature("count", window=90, where="category == N01")) == 1


@pytest.mark.parametrize("how", ["change incident", "ratio amount"])
def test_a_comparison_rests_on_the_disputed_record_of_the_window_before_too(bench: Workbench, how: str) -> None:
    rows = [report(5, incident="I1", amount=1), report(95, incident="I2", amount=2, disputed=True)]
    assert measure_one(bench, rows, a_feature(how, window=90)) is None


@pytest.mark.parametrize("how", ["change incident", "ratio amount"])
@pytest.mark.parametrize(("month", "readable"), [
    (date(2026, 10, 1), False), (date(2026, 6, 1), False), (date(2026, 3, 1), True), (date(2026, 12, 1), True)])
def test_a_month_that_is_only_partly_there_in_either_window_makes_a_comparison_unknown(
    bench: Workbench, how: str, month: date, readable: bool
) -> None:
    rows = [report(5, incident="I1", amount=2), report(95, incident="I2", amount=2)]
    value = measure_one(bench, rows, a_feature(how, window=90), gaps=[month])
    assert (value is not None) == readable


def test_a_month_that_is_only_partly_there_does_not_hide_what_is_there(bench: Workbench) -> None:
    assert measure_one(bench, [report(5)], a_feature("count", window=90), gaps=[date(2026, 11, 1)]) == 1


@pytest.mark.parametrize(("month", "start"), [
    (date(2026, 4, 1), date(2026, 5, 1)), (date(2026, 2, 1), date(2026, 3, 1))])
def test_a_partial_month_that_was_over_before_the_windows_began_is_no_gap_in_them(
    bench: Workbench, month: date, start: date
) -> None:
    window = 60
    as_of = date.fromordinal(start.toordinal() + 2 * window)
    world = make_world(bench, {"reports": []}, gaps=[month], as_of=as_of)
    assert world.believes(a_feature("change incident", window=window))


# --- one loud caller ------------------------------------------------------------------------------


def test_one_reporter_counts_at_most_so_often_and_nameless_reports_all_count(bench: Workbench) -> None:
    rows = [report(day, incident=f"I{day}", reporter="H1") for day in range(1, 8)]
    rows += [report(day, incident=f"I{day}", reporter="H2") for day in range(8, 10)]
    rows += [report(day, incident=f"I{day}", reporter=None) for day in range(10, 15)]
    capped = a_feature("distinct incident", window=90, cap_reporter=3)
    assert measure_one(bench, rows, capped) == 3 + 2 + 5


def test_one_incident_told_by_two_households_counts_for_each_of_them(bench: Workbench) -> None:
    rows = [report(1, incident="I1", reporter="H1"), report(1, incident="I1", reporter="H2")]
    assert measure_one(bench, rows, a_feature("distinct incident", cap_reporter=3)) == 2


def test_a_capped_count_of_nothing_is_zero_and_with_a_dispute_unknown(bench: Workbench) -> None:
    capped = a_feature("distinct incident", window=90, cap_reporter=3)
    assert measure_one(bench, [report(95, incident="I1", reporter="H1")], capped) == 0
    assert measure_one(bench, [report(5, incident="I1", reporter="H1", disputed=True)], capped) is None


# --- whose record it is ---------------------------------------------------------------------------

HERE: Row = {"uprn": "U1", "block": "B1", "street": "S1", "lsoa": "L1", "ward": "W1"}
HOME = {"easting": 400_000.0, "northing": 400_000.0}


def place(subject: str, **other: Any) -> Row:
    level, _, key = subject.partition(":")
    return {"subject": subject, "level": level, "key": key, **other}


def test_a_record_counts_once_at_every_level_it_lies_in_and_nowhere_else(bench: Workbench) -> None:
    places = [place(name) for name in ("uprn:U1", "block:B1", "street:S1", "street:S2", "lsoa:L1", "ward:W1")]
    world = make_world(bench, {"reports": [report(5, **HERE), report(6, street="S1", lsoa="L1")]}, places=places)
    counted = measure_both_ways(world, bench, a_feature("count", subject="place"))
    assert {name: values["count"] for name, values in counted.items()} == {
        "uprn:U1": 1, "block:B1": 1, "street:S1": 2, "street:S2": 0, "lsoa:L1": 2, "ward:W1": 1}


def test_a_record_without_a_person_is_nobodys(bench: Workbench) -> None:
    assert measure_one(bench, [report(5, person=None), report(5)], a_feature("count")) == 1


def test_a_person_without_records_is_still_counted(bench: Workbench) -> None:
    world = make_world(bench, {"reports": [report(5)]}, people=[{"subject": "P1"}, {"subject": "P2"}])
    assert measure_both_ways(world, bench, a_feature("count")) == {"P1": {"count": 1}, "P2": {"count": 0}}


@pytest.mark.parametrize(("metres", "near"), [(0, True), (399.9, True), (400, True), (400.1, False), (900, False)])
@pytest.mark.parametrize(("east", "north"), [(1, 0), (-1, 0), (0, 1), (0.6, -0.8)])
def test_near_is_within_so_many_metres_in_any_direction(
    bench: Workbench, metres: float, near: bool, east: float, north: float
) -> None:
    there = {"easting": HOME["easting"] + metres * east, "northing": HOME["northing"] + metres * north}
    world = make_world(bench, {"reports": [report(5, **there), report(5)]}, places=[place("street:S1", **HOME)])
    counted = measure_both_ways(world, bench, a_feature("count", subject="place", near=400))
    assert counted["street:S1"]["count"] == int(near)


@pytest.mark.parametrize("known", [{}, {"easting": 400_000.0}, {"northing": 400_000.0}])
def test_what_is_near_a_place_without_a_point_is_not_known(bench: Workbench, known: Row) -> None:
    world = make_world(bench, {"reports": [report(5, **HOME)]}, places=[place("street:S1", **known)])
    assert measure_both_ways(world, bench, a_feature("count", subject="place", near=400)) == {
        "street:S1": {"count": None}}


@pytest.mark.parametrize("how", ["count", "any", "distinct incident"])
def test_what_is_near_a_home_without_a_point_is_not_known_and_not_none(bench: Workbench, how: str) -> None:
    world = make_world(bench, {"reports": []}, proposals=[PROPOSAL, {**PROPOSAL, "subject": "A2", "easting": None}])
    feature = a_feature(how, subject="allocation", near=250, name="near")
    assert measure_both_ways(world, bench, feature) == {
        "A1": {"near": False if how == "any" else 0}, "A2": {"near": None}}


def test_of_a_home_without_a_point_only_what_is_near_is_not_known(bench: Workbench) -> None:
    world = make_world(bench, {"reports": [report(5)]}, proposals=[{**PROPOSAL, "northing": None}])
    assert measure_both_ways(world, bench, a_feature("count", subject="allocation")) == {"A1": {"count": 1}}


def test_nothing_is_counted_of_an_applicant_whom_nobody_has_identified(bench: Workbench) -> None:
    world = make_world(bench, {"reports": [report(5)]}, proposals=[{**PROPOSAL, "applicant": None}])
    assert measure_both_ways(world, bench, a_feature("count", subject="allocation")) == {"A1": {"count": None}}


PROPOSAL: Row = {"subject": "A1", "applicant": "P1", **{k: v for k, v in HERE.items() if k != "ward"}, **HOME}


def nearest_of(bench: Workbench, rows: list[Row], **other: Any) -> Any:
    feature = a_feature("nearest", subject="allocation", table="kept_apart", absence="not_applicable", **other)
    world = make_world(bench, {"kept_apart": rows}, proposals=[PROPOSAL])
    return measure_both_ways(world, bench, feature)["A1"]["nearest"]


def test_nearest_is_the_distance_from_the_home_to_the_nearest_of_the_applicants_own_places(bench: Workbench) -> None:
    rows = [report(5, easting=400_300.0, northing=400_400.0), report(5, easting=409_000.0, northing=400_000.0),
            report(5, person="P2", **HOME)]
    assert nearest_of(bench, rows) == 500


@pytest.mark.parametrize(("metres", "whole"), [(0.4, 0), (0.5, 1), (1.5, 2), (2.5, 3)])
def test_metres_are_rounded_to_the_nearest_and_halves_upwards(bench: Workbench, metres: float, whole: int) -> None:
    assert nearest_of(bench, [report(5, easting=400_000.0 + metres, northing=400_000.0)]) == whole


def test_inside_a_zone_the_distance_to_its_edge_is_below_zero(bench: Workbench) -> None:
    assert nearest_of(bench, [report(5, easting=400_100.0, northing=400_000.0, radius_m=250.0)]) == -150


def test_where_nobody_is_to_be_kept_apart_a_distance_does_not_apply(bench: Workbench) -> None:
    assert nearest_of(bench, [report(5, person="P2", **HOME)]) == FAR


def test_a_place_to_keep_apart_from_that_nobody_has_located_is_not_known(bench: Workbench) -> None:
    assert nearest_of(bench, [report(5)]) is None


def test_a_pair_without_a_proposal_has_the_records_of_no_proposal(bench: Workbench) -> None:
    tables = {"proposed_allocations": [report(5, proposal_ref="A1", amount=7), report(5, proposal_ref=None, amount=9)]}
    pair = {**PROPOSAL, "subject": "HR1:U1", "proposal": None}
    world = make_world(bench, tables, proposals=[PROPOSAL, pair])
    feature = a_feature("latest amount", subject="allocation", table="proposed_allocations", absence="unknown")
    assert measure_both_ways(world, bench, feature) == {"A1": {"latest": 7}, "HR1:U1": {"latest": None}}


def test_a_pair_named_otherwise_has_the_records_of_its_proposal(bench: Workbench) -> None:
    tables = {"proposed_allocations": [report(5, proposal_ref="A1", amount=7)]}
    world = make_world(bench, tables, proposals=[{**PROPOSAL, "subject": "HR1:U1", "proposal": "A1"}])
    feature = a_feature("latest amount", subject="allocation", table="proposed_allocations", absence="unknown")
    assert measure_both_ways(world, bench, feature) == {"HR1:U1": {"latest": 7}}


def test_a_proposal_has_the_records_of_its_applicant_of_its_home_and_its_own(bench: Workbench) -> None:
    tables = {"theirs": [report(5), report(6, person="P2")],
              "proposed_allocations": [report(5, proposal_ref="A1"), report(5, proposal_ref="A2")]}
    world = make_world(bench, tables, proposals=[PROPOSAL])
    features = [a_feature("count", subject="allocation", table=table, name=table) for table in tables]
    assert measure_both_ways(world, bench, *features)["A1"] == {"theirs": 1, "proposed_allocations": 1}


# --- carried from another subject -----------------------------------------------------------------


def carried(bench: Workbench, world: World, feature: Any, source: Any) -> dict[str, Any]:
    measured: dict[Subject, Any] = {source.subject: measure(world, source.subject, [source], [], bench.hold, {})}
    wide = measure(world, feature.subject, [feature], [], bench.hold, {})
    table = carry(world, wide, [feature], measured)
    return {row["subject"]: row[feature.name] for row in table.to_pyarrow().to_pylist()}


@pytest.mark.parametrize(("via", "value"), [("property", 1), ("block", 2), ("street", 3), ("lsoa", 4)])
def test_a_proposal_carries_what_is_so_of_its_home_block_street_and_area(
    bench: Workbench, via: str, value: int
) -> None:
    rows = [report(1, **HERE), report(2, **HERE | {"uprn": "U2"}), report(3, street="S1", lsoa="L1"),
            report(4, lsoa="L1")]
    places = [place(name) for name in ("uprn:U1", "block:B1", "street:S1", "lsoa:L1")]
    world = make_world(bench, {"reports": rows}, places=places, proposals=[PROPOSAL, {"subject": "A2"}])
    feature = a_feature("carry", subject="allocation", carried_from="place.count", via=via)
    assert carried(bench, world, feature, a_feature("count", subject="place")) == {"A1": value, "A2": None}


def test_a_proposal_carries_what_is_so_of_its_applicant(bench: Workbench) -> None:
    world = make_world(bench, {"reports": [report(1), report(2)]}, proposals=[PROPOSAL])
    feature = a_feature("carry", subject="allocation", carried_from="person.count", via="applicant")
    assert carried(bench, world, feature, a_feature("count")) == {"A1": 2}


@pytest.mark.parametrize(("how", "value"), [("count", 2), ("any", True)])
def test_an_address_carries_the_most_that_is_so_of_any_of_its_tenants(
    bench: Workbench, how: str, value: Any
) -> None:
    tables = {"reports": [report(1), report(2), report(1, person="P2")],
              "residents": [report(9, person=who, uprn=home) for who, home in
                            (("P1", "U1"), ("P2", "U1"), ("P3", "U2"))]}
    world = make_world(bench, tables, people=[{"subject": f"P{n}"} for n in (1, 2, 3)],
                       places=[place("uprn:U1"), place("uprn:U2"), place("street:U1"), place("uprn:U3")])
    source = a_feature(how)
    feature = a_feature("carry", subject="place", carried_from=f"person.{how}", via="tenants", type=source.type)
    assert carried(bench, world, feature, source) == {
        "uprn:U1": value, "uprn:U2": type(value)(0), "street:U1": None, "uprn:U3": None}


# --- what is there already ------------------------------------------------------------------------


def test_age_is_told_by_the_cohort_and_the_month_by_the_day_of_the_list(bench: Workbench) -> None:
    features = [a_feature("built_in", name="age", declared="age"), a_feature("calendar month", name="month")]
    world = make_world(bench, {}, people=[{"subject": "P1", "age": 17}])
    assert measure_both_ways(world, bench, *features) == {"P1": {"age": 17, "month": AS_OF.month}}
