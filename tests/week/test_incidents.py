"""Reports of four agencies made one table of incidents, and one of who stood on which side."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis.expr.types as ir
import pytest

from engine.incidents import build_incidents, build_involvements
from engine.measures import measure
from engine.pack import Pack
from engine.world import Workbench

from .made import AS_OF, Row, a_feature, ago, make_world, put_rows

_LOCATED = {"record": "string", "occurred": "timestamp", "reported": "date", "known": "date", "uprn": "string",
            "block": "string", "street": "string", "lsoa": "string", "ward": "string",
            "easting": "float64", "northing": "float64"}
_TOLD = {"category": "string", "severity": "int64", "hate_strand": "string", "reporter_ref": "string",
         "anonymous": "boolean", "origin": "string", "disputed": "boolean"}
_FEEDS = {
    "police_incidents": _LOCATED | _TOLD | {"domestic_abuse": "boolean", "dash_score": "int64",
                                            "live_investigation": "boolean"},
    "council_asb": _LOCATED | _TOLD | {"evidence": "int64", "complainant": "string", "subject": "string"},
    "env_health": _LOCATED | {"category": "string", "reporter_ref": "string", "disputed": "boolean"},
    "fire_incidents": _LOCATED | {"kind": "string", "role": "string", "evidence": "int64", "person": "string"},
    "police_involvements": {"record": "string", "incident_ref": "string", "known": "date", "person": "string",
                            "role": "string", "evidence": "int64", "outcome": "string", "disputed": "boolean"},
}
NOISE: Row = {"record": "council_asb:A1", "category": "N01", "occurred": datetime(2026, 10, 1, 21, 30),
              "reported": ago(50), "known": ago(50), "uprn": "U1", "evidence": 2, "reporter_ref": "H1",
              "complainant": "VICTIM", "subject": "PARTY"}
CRIME: Row = {**{k: v for k, v in NOISE.items() if k not in ("evidence", "complainant", "subject")},
              "record": "police_incidents:R1"}


def council(**other: Any) -> Row:
    return {**NOISE, **other}


def police(**other: Any) -> Row:
    return {**CRIME, **other}


def involved(**other: Any) -> Row:
    return {"record": "police_involvements:V1", "incident_ref": "R1", "known": ago(50), "person": "PARTY",
            "role": "alleged_subject", "evidence": 2, **other}


class Reports:
    """What the agencies sent, as incidents and involvements."""

    def __init__(self, bench: Workbench, pack: Pack, feeds: dict[str, list[Row]]) -> None:
        tables = {feed: put_rows(bench, feed, feeds.get(feed, []), kinds) for feed, kinds in _FEEDS.items()}
        self.incidents = build_incidents(tables, pack.categories, bench.put, bench.hold)
        self.involvements = build_involvements(tables, self.incidents, bench.hold)

    def involvements_by_person(self) -> list[tuple[str, str]]:
        rows = self.involvements.order_by(["record", "person", "side"]).to_pyarrow().to_pylist()
        return [(row["person"], row["side"]) for row in rows]

    def all(self, table: ir.Table) -> dict[str, Row]:
        return {row["record"]: row for row in table.to_pyarrow().to_pylist()}


@pytest.fixture
def told(bench: Workbench, shipped: Pack) -> Any:
    return lambda **feeds: Reports(bench, shipped, feeds)


# --- sides ----------------------------------------------------------------------------------------


def test_only_who_is_said_to_have_done_it_is_on_the_side_of_the_subject(told: Any) -> None:
    sides = {"alleged_subject": "subject", "child_present": "present", "complainant": "victim", "convicted": "subject",
             "missing_person": "missing", "subject_substantiated": "subject", "victim": "victim", "witness": "witness"}
    rows = [involved(record=f"police_involvements:{role}", person=role, role=role) for role in sides]
    reports = told(police_incidents=[police()], police_involvements=rows)
    assert dict(reports.involvements_by_person()) == sides


def test_who_complains_to_the_council_is_the_victim_and_who_is_complained_about_the_subject(told: Any) -> None:
    assert told(council_asb=[council()]).involvements_by_person() == [("PARTY", "subject"), ("VICTIM", "victim")]


def test_who_lives_where_it_burned_did_not_light_it(told: Any) -> None:
    fire = {k: v for k, v in NOISE.items() if k in _FEEDS["fire_incidents"]} | {"kind": "deliberate"}
    rows = [{**fire, "record": f"fire_incidents:{role}", "role": role, "person": role}
            for role in ("occupant", "subject")]
    assert told(fire_incidents=rows).involvements_by_person() == [("occupant", "present"), ("subject", "subject")]


def test_an_involvement_has_the_origin_of_its_report_and_counts_as_reported_where_anybody_reported_it(
    told: Any
) -> None:
    rows = [council(record="council_asb:A1", origin="discovered"), council(record="council_asb:A2", origin="reported"),
            council(record="council_asb:A3", origin="discovered", occurred=datetime(2026, 9, 1, 9, 0)),
            council(record="council_asb:A4", origin=None, occurred=datetime(2026, 8, 1, 9, 0))]
    involvements = told(council_asb=rows).involvements.to_pyarrow().to_pylist()
    assert {row["record"][-2:]: row["origin"] for row in involvements} == {
        "A1": "reported", "A2": "reported", "A3": "discovered", "A4": None}      # A1 and A2 tell of one happening


def test_what_a_victim_suffered_is_never_counted_as_done_by_them(told: Any, bench: Workbench) -> None:
    reports = told(council_asb=[council(record=f"council_asb:A{n}", uprn=f"U{n}") for n in range(5)],
                   police_incidents=[police()],
                   police_involvements=[involved(person="VICTIM", role=role, record=f"police_involvements:{role}")
                                        for role in ("victim", "witness", "complainant", "child_present")])
    world = make_world(bench, {}, people=[{"subject": "VICTIM"}], fresh=("feed",))
    world = type(world)(AS_OF, {"involvements": reports.involvements}, world.cohorts, world.fresh, {})
    done = a_feature("count", table="involvements", where="side == subject")
    [row] = measure(world, "person", [done], [], bench.hold, {}).to_pyarrow().to_pylist()
    assert row["count"] == 0


def test_a_report_about_a_person_that_nothing_supports_counts_at_the_place_and_not_against_them(told: Any) -> None:
    rows = [council(record=f"council_asb:A{n}", evidence=evidence, anonymous=True, complainant=None)
            for n, evidence in enumerate((None, 0))]
    reports = told(council_asb=rows)
    assert reports.involvements_by_person() == []
    assert [row["uprn"] for row in reports.all(reports.incidents).values()] == ["U1", "U1"]


def test_the_victim_of_a_report_that_nothing_supports_is_still_a_victim(told: Any) -> None:
    assert told(council_asb=[council(evidence=0)]).involvements_by_person() == [("VICTIM", "victim")]


def test_an_anonymous_report_is_no_evidence_about_a_person_whatever_it_is_graded(told: Any) -> None:
    reports = told(council_asb=[council(anonymous=True, evidence=1, complainant=None)])
    assert reports.involvements_by_person() == []


def test_an_involvement_without_its_report_or_without_a_person_is_nobodys(told: Any) -> None:
    reports = told(police_incidents=[police()], police_involvements=[
        involved(incident_ref="R9"), involved(record="police_involvements:V2", person=None)])
    assert reports.involvements_by_person() == []


def test_a_dispute_of_the_report_or_of_the_involvement_is_a_dispute_of_both(told: Any) -> None:
    reports = told(
        police_incidents=[police(), police(record="police_incidents:R2", disputed=True, uprn="U2")],
        police_involvements=[involved(disputed=True), involved(record="police_involvements:V2", incident_ref="R2")])
    assert [row["disputed"] for row in reports.all(reports.involvements).values()] == [True, True]


def test_an_involvement_is_known_when_both_it_and_the_report_are(told: Any) -> None:
    reports = told(police_incidents=[police(known=ago(50))], police_involvements=[involved(known=ago(9))])
    assert reports.all(reports.involvements)["police_involvements:V1"]["known"] == ago(9)


# --- one happening --------------------------------------------------------------------------------


def incidents_of(reports: Reports) -> int:
    return len({row["incident"] for row in reports.all(reports.incidents).values()})


def test_one_household_that_tells_two_agencies_of_one_thing_counts_once(told: Any) -> None:
    assert incidents_of(told(council_asb=[council()], police_incidents=[police()])) == 1


def test_another_household_kind_address_or_day_is_another_incident(told: Any) -> None:
    others: list[Row] = [
        {"reporter_ref": "H2"}, {"reporter_ref": None}, {"category": "P02"}, {"uprn": "U2"}, {"uprn": None},
        {"occurred": datetime(2026, 10, 2, 21, 30)}]
    rows = [police(record=f"police_incidents:R{n}", **other) for n, other in enumerate(others)]
    assert incidents_of(told(council_asb=[council()], police_incidents=rows)) == 1 + len(others)


def test_two_reports_without_a_reporter_are_two_incidents(told: Any) -> None:
    rows = [council(record=f"council_asb:A{n}", reporter_ref=None) for n in range(2)]
    assert incidents_of(told(council_asb=rows)) == 2


# --- related reports ------------------------------------------------------------------------------


def related(told: Any, **other: Any) -> list[bool]:
    """Two complaints of one victim, forty days apart, the second as told."""
    first = council(occurred=datetime(2026, 9, 1), reported=ago(80), known=ago(80))
    second = {"record": "council_asb:A2", "occurred": datetime(2026, 10, 10), "reported": ago(40), "known": ago(40),
              "category": "V01", "uprn": "U2", "subject": "ANOTHER", **other}
    reports = told(council_asb=[first, council(**second)])
    rows = reports.all(reports.involvements.filter(reports.involvements.side == "victim"))
    return [row["related"] for row in rows.values()]


@pytest.mark.parametrize("same", [{"category": "N01"}, {"uprn": "U1"}, {"subject": "PARTY"}])
def test_reports_are_related_by_the_same_kind_address_or_person(told: Any, same: Row) -> None:
    assert related(told, **same) == [True, True]


def test_reports_that_share_nothing_are_not_related(told: Any) -> None:
    assert related(told) == [False, False]


def test_two_unknown_people_or_addresses_are_not_the_same(told: Any) -> None:
    first = council(uprn=None, subject=None, occurred=datetime(2026, 10, 1))
    second = council(record="council_asb:A2", uprn=None, subject=None, category="V01",
                     occurred=datetime(2026, 10, 2))
    reports = told(council_asb=[first, second])
    assert [row["related"] for row in reports.all(reports.involvements).values()] == [False, False]


def test_a_report_made_more_than_a_month_after_it_happened_is_related_to_nothing(told: Any) -> None:
    assert related(told, category="N01", occurred=datetime(2026, 9, 12)) == [False, False]     # reported 14 October
    assert related(told, category="N01", occurred=datetime(2026, 9, 13)) == [True, True]       # thirty-one days


def test_reports_more_than_six_months_apart_are_not_related(told: Any) -> None:
    near, far = ago(80 + 183), ago(80 + 184)
    for day, expected in ((near, True), (far, False)):
        when = datetime(day.year, day.month, day.day)
        assert related(told, category="N01", occurred=when, reported=day, known=day) == [expected, expected]


def test_one_incident_told_twice_is_not_related_to_itself(told: Any) -> None:
    reports = told(council_asb=[council(), council(record="council_asb:A2")])
    assert not any(row["related"] for row in reports.all(reports.involvements).values())


# --- whose victim ---------------------------------------------------------------------------------


def test_the_subject_of_a_report_is_shown_with_its_victim_and_nobody_else_is(told: Any) -> None:
    reports = told(council_asb=[council()])
    rows = reports.involvements.to_pyarrow().to_pylist()
    assert {row["side"]: row["victim_key"] for row in rows} == {"subject": "VICTIM", "victim": None}


def test_the_victim_is_named_before_who_only_complained(told: Any) -> None:
    reports = told(police_incidents=[police()], police_involvements=[
        involved(), involved(record="police_involvements:V2", person="AUNT", role="complainant"),
        involved(record="police_involvements:V3", person="VICTIM", role="victim")])
    assert reports.all(reports.involvements)["police_involvements:V1"]["victim_key"] == "VICTIM"


# --- times of day and year ------------------------------------------------------------------------


def find_at(told: Any, fact: str, times: list[datetime]) -> list[datetime]:
    """The times at which a fact holds."""
    reports = told(council_asb=[council(record=f"council_asb:A{n}", occurred=when) for n, when in enumerate(times)])
    rows = reports.all(reports.incidents)
    return [when for n, when in enumerate(times) if rows[f"council_asb:A{n}"][fact]]


def test_dusk_is_within_two_hours_of_it_in_that_month(told: Any) -> None:
    at_dusk = [datetime(2026, 1, 15, 16, 30), datetime(2026, 1, 15, 18, 42), datetime(2026, 6, 15, 20, 15),
               datetime(2026, 6, 15, 23, 59)]
    not_then = [datetime(2026, 1, 15, 18, 43), datetime(2026, 6, 15, 16, 30)]
    assert find_at(told, "dusk", at_dusk + not_then) == at_dusk


def test_after_school_is_three_to_six_on_a_school_day(told: Any) -> None:
    after_school = [datetime(2026, 10, 1, 15, 0), datetime(2026, 10, 1, 17, 59)]
    before_or_after = [datetime(2026, 10, 1, 14, 59), datetime(2026, 10, 1, 18, 0)]
    no_school = [datetime(2026, 10, 3, 16, 0),      # a Saturday
                 *(datetime(2026, month, day, 16, 0) for month, day in ((8, 12), (12, 28), (4, 7), (10, 27)))]
    assert find_at(told, "school_hours", after_school + before_or_after + no_school) == after_school


def test_a_date_without_a_time_is_at_no_hour(told: Any) -> None:
    reports = told(council_asb=[council(occurred=datetime(2026, 10, 1))])
    row = reports.all(reports.incidents)["council_asb:A1"]
    assert (row["hour"], row["dusk"], row["school_hours"], row["term_day"]) == (None, None, None, True)


def test_a_report_is_of_hate_or_domestic_abuse_by_its_strand_or_its_kind(told: Any) -> None:
    kinds = [("N01", None, False, False), ("N01", "race", True, False), ("P03", None, True, False),
             ("P04", None, False, True)]
    reports = told(council_asb=[council(record=f"council_asb:A{n}", category=category, hate_strand=strand)
                                for n, (category, strand, _, _) in enumerate(kinds)])
    rows = reports.all(reports.incidents)
    assert [(rows[f"council_asb:A{n}"]["hate"], rows[f"council_asb:A{n}"]["domestic_abuse"])
            for n in range(len(kinds))] == [(hate, abuse) for _, _, hate, abuse in kinds]


def test_a_kind_of_report_means_what_the_categories_say(told: Any, shipped: Pack) -> None:
    reports = told(council_asb=[council(category="P05")])
    row = reports.all(reports.incidents)["council_asb:A1"]
    means = shipped.categories["P05"]
    assert (row["family"], row["harm_weight"], row["cchi_days"]) == (means.family, means.harm_weight, means.cchi_days)
