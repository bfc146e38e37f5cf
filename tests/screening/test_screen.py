"""One offer after another in a town small enough to know by heart: what a screening says, asks, and keeps to itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from engine.answers import Raw, read_answers
from engine.condition import Compare
from engine.desk import Desk
from engine.errors import RunError, ScreenError
from engine.flag import write_json
from engine.matches import find_matches, find_shortlist
from engine.pack import Pack
from engine.reasoning import compile_pack
from engine.screen import DOES_NOT, check_pair, screen
from engine.screening import LEVELS, RESULTS, Answer, Screening

from .conftest import Borough
from .town import AS_OF, Row, Rows, ago, applicant, desk_of, home, point, reports, snapshot_of, who

PLAIN, DEALING, SENSITIVE, FLAT, FAR_OFF, LET = ("100000000001", "100000000002", "100000000003", "100000000004",
                                                 "100000000005", "100000000006")
NOWHERE, OUTSIDE, STEPS, SOON, BIG = "100000000007", "100000000008", "100000000009", "100000000010", "100000000011"


def build_town() -> Rows:
    rows: Rows = {}
    home(rows, PLAIN, 1)
    home(rows, DEALING, 2, void_since=ago(60))
    home(rows, SENSITIVE, 3, sensitive_let=True, lettings_plan_published=True, ready_from=ago(5))
    home(rows, FLAT, 4, kind="flat", beds=1)
    home(rows, FAR_OFF, 5, ready_from=ago(3))
    home(rows, LET, 6, void_since=None)
    home(rows, NOWHERE, 7, easting=None, northing=None)
    home(rows, STEPS, 8, access="none", ready_from=ago(2))
    home(rows, SOON, 9, void_since=None, ready_from=ago(-20))
    home(rows, BIG, 10, beds=4)
    rows["properties"].append({"uprn": OUTSIDE, "kind": "house", "floor": 0, "access": "level", "beds": 3,
                               "void_since": ago(9)})
    rows["housing_tenancies"] = [{"tenancy_ref": "T1", "household_ref": "HH-Tenant", "started": ago(900),
                                  "tenure": "council", "uprn": LET, **who("Tenant")}]
    for n, name in enumerate(["Ada", "Rec", "Kim", "Wheel", "Home", "Nob"]):
        applicant(rows, name, registered=ago(500 - n), wheelchair=name == "Wheel", band="A" if name == "Home" else "B",
                  members=0 if name == "Nob" else 1, **(dict.fromkeys(who("Nob")) if name == "Nob" else {}))
    applicant(rows, "Old", expires=ago(1), current=False)
    applicant(rows, "Shut", status="closed")
    applicant(rows, "Unk", **dict.fromkeys(who("Unk")))
    reports(rows, 2, "D01", 5)
    rows["engagements"] = [{"engagement_ref": "E1", "service": "drug", "started": ago(100), "provider": "Clinic",
                            "relapsed": False, **who("Rec")}]
    rows["homelessness_cases"] = [{"case_ref": "H1", "approached": ago(50), "stage": "main", "php_done": ago(40),
                                   **who("Home")}]
    rows["keep_apart"] = [
        {"keep_ref": "KEEP-SECRET", "kind": "da", "place_kind": "work", "started": ago(100), "easting": 400_437.0,
         "northing": point(1)["northing"], **who("Kim"), **who("Villain", "other")},
        {"keep_ref": "KEEP-FEUD", "kind": "hba", "started": ago(90), **who("Kim"), **who("Tenant", "other")},
        {"keep_ref": "KEEP-NEW", "kind": "witness", "place_kind": "daily", "started": ago(9), **point(3, 100.0),
         **who("Kim"), **who("Villain", "other")}]
    return rows


@pytest.fixture(scope="module")
def town(borough: Borough, shipped: Pack) -> Desk:
    return desk_of(snapshot_of(borough.lake, shipped, build_town()), shipped)


def answer(**told: Any) -> tuple[Answer, ...]:
    return tuple(Answer(fact, value, AS_OF) for fact, value in sorted(told.items()))


def screened(desk: Desk, name: str, uprn: str, **told: Any) -> Screening:
    return screen(desk, desk.pair(f"APP-{name}", uprn), answer(**told))


def texts(value: Any) -> Iterator[str]:
    """Every text anywhere in a screening's JSON."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def text_of(screening: Screening) -> str:
    return "\n".join(texts(json.loads(write_json(screening))))


# --- the five words, and nothing found --------------------------------------------------------------


@pytest.mark.parametrize(("name", "uprn", "told", "result"), [
    ("Kim", PLAIN, {}, "avoid_this_property"),
    ("Wheel", STEPS, {}, "avoid_this_property"),
    ("Ada", SENSITIVE, {}, "check_with_agency"),
    ("Ada", PLAIN, {"stay_type": "general_needs", "applicant_needs_assessed_days": 91}, "complete_needs"),
    ("Ada", PLAIN, {"partner_check_needed": True, "gateway_logged": False}, "lint"),
    ("Ada", PLAIN, {"travel_minutes": 46}, "mitigate"),
    ("Rec", DEALING, {}, "mitigate"),
    ("Ada", PLAIN, {"travel_minutes": 45}, "nothing_found"),
    ("Ada", PLAIN, {}, "nothing_found"),
    ("Unk", PLAIN, {}, "nothing_found")])
def test_an_offer_gets_one_of_five_words_or_nothing_found(
    town: Desk, name: str, uprn: str, told: Row, result: str
) -> None:
    screening = screened(town, name, uprn, **told)
    assert screening.result == result
    assert screening.does_not == DOES_NOT


def test_nothing_found_says_how_many_checks_could_not_be_made(town: Desk) -> None:
    screening = screened(town, "Ada", PLAIN)
    assert screening.conflicts == ()
    assert screening.headline == (
        f"Nothing was found that speaks against this home. {len(screening.unchecked)} checks could not be made; "
        "not known is not the same as no.")
    assert len(screening.unchecked) > 3
    assert all(unchecked.facts and unchecked.agencies for unchecked in screening.unchecked)


def test_of_an_applicant_nobody_could_link_nothing_is_said_to_be_so_and_nothing_not_to_be(town: Desk) -> None:
    known, unknown = screened(town, "Ada", PLAIN), screened(town, "Unk", PLAIN)
    assert unknown.applicant is None
    assert {u.rule for u in known.unchecked} < {u.rule for u in unknown.unchecked}


def test_conflicts_come_hard_first_then_in_the_order_of_the_words(town: Desk) -> None:
    screening = screened(town, "Kim", SENSITIVE, travel_minutes=90, partner_check_needed=True, gateway_logged=False,
                         stay_type="general_needs", applicant_needs_assessed_days=200)
    said = [(conflict.level, conflict.result) for conflict in screening.conflicts]
    assert said == sorted(said, key=lambda pair: (LEVELS.index(pair[0]), RESULTS.index(pair[1])))
    assert [level for level, _ in said] == ["hard", "hard", "hard", "soft", "info"]
    assert screening.result == "avoid_this_property"


def test_a_screening_is_the_same_bytes_whoever_was_screened_before(town: Desk) -> None:
    once = write_json(screened(town, "Rec", DEALING))
    screened(town, "Kim", PLAIN, travel_minutes=90)
    assert write_json(screened(town, "Rec", DEALING)) == once


# --- what housing may not see -----------------------------------------------------------------------


def test_what_only_health_may_say_decides_and_is_written_nowhere(town: Desk) -> None:
    screening = screened(town, "Rec", DEALING)
    assert [conflict.rule for conflict in screening.conflicts] == ["allocation/distance-from-drug-activity"]
    text = text_of(screening).lower()
    for secret in ("recover", "treatment", "clinic", "applicant_recovery_drug"):
        assert secret not in text
    assert "something that only Health may say" in text_of(screening)


@pytest.mark.parametrize("said", [True, False])
def test_an_applicant_who_tells_it_does_not_make_the_desk_tell_what_health_has_recorded(
    town: Desk, said: bool
) -> None:
    [told] = screened(town, "Rec", DEALING, applicant_recovery_drug=said).told
    assert told.value == ("yes" if said else "no")
    assert told.note == "kept beside whatever is recorded"


def test_whoever_is_to_be_kept_away_is_nowhere_in_the_whole_screening(town: Desk) -> None:
    screening = screened(town, "Kim", PLAIN)
    text = write_json(screening)
    assert "allocation/domestic-abuse-survivor-near-abuser" in [conflict.rule for conflict in screening.conflicts]
    for secret in ("400437", "437", "308000", "KEEP-SECRET", "KEEP-FEUD", "keep_apart:", "Villain", "C-Villain",
                   "Tenant", "2026-11-13"):
        assert secret not in text, secret
    assert set(re.findall(r"P\d{6}", text)) == {screening.applicant}


@pytest.mark.parametrize("uprn", [PLAIN, LET, SOON])
def test_why_somebody_is_to_be_kept_away_is_not_said_where_the_rule_promises_not_to(town: Desk, uprn: str) -> None:
    """Honour-based abuse, a feud, exploitation and home takeover are one rule, so that none of them is named."""
    found = [c for c in screened(town, "Kim", uprn).conflicts
             if c.rule == "allocation/kept-apart-from-feud-or-exploiters"]
    assert bool(found) == (uprn == LET)
    for conflict in found:
        assert conflict.enough == (conflict.tree.text,)
        assert conflict.tree.steps == ()
        for why in ("honour", "feud", "exploit", "takeover", "2,000"):
            assert why not in conflict.tree.text + conflict.because


def test_no_home_of_anybody_to_be_kept_away_is_given_away_by_a_distance_in_the_tree(town: Desk) -> None:
    for uprn in (PLAIN, LET):
        for conflict in screened(town, "Kim", uprn).conflicts:
            for node in json.dumps(json.loads(write_json(conflict.tree))).split('"metres": ')[1:]:
                assert node.startswith("null")


# --- told -------------------------------------------------------------------------------------------


def test_an_answer_fills_what_nobody_had_recorded(town: Desk) -> None:
    before, after = screened(town, "Ada", PLAIN), screened(town, "Ada", PLAIN, travel_minutes=20)
    rule = "allocation/support-school-or-care-severed"
    assert rule in [u.rule for u in before.unchecked] and rule not in [u.rule for u in after.unchecked]
    assert [(t.title, t.value, t.by, t.told_on) for t in after.told] == [
        (town.features["travel_minutes"].title, "20 minutes", "officer", AS_OF)]


def test_what_can_change_is_taken_from_the_newer_answer(town: Desk) -> None:
    screening = screened(town, "Wheel", STEPS, property_access="wheelchair")
    assert screening.result == "nothing_found"
    assert screening.told[0].note == "takes the place of what was recorded: none"


def test_an_answer_that_contradicts_a_record_settles_nothing(town: Desk) -> None:
    screening = screened(town, "Wheel", STEPS, applicant_wheelchair=False)
    assert screening.result == "nothing_found"
    assert "allocation/access-mismatch" in [u.rule for u in screening.unchecked]
    assert screening.told[0].note == (
        "the record says yes, so this counts as not known until the two are reconciled")


def test_everything_wrong_with_the_answers_is_said_at_once_and_none_is_quoted(town: Desk) -> None:
    with pytest.raises(ScreenError) as error:
        read_answers([Raw("travel_minutes", "a quarter past SECRET", AS_OF), Raw("stay_type", "castle-SECRET", AS_OF),
                      Raw("settle_plan", "perhaps-SECRET", AS_OF), Raw("nonsense-SECRET", True, AS_OF),
                      Raw("applicant_fire_subject_1095d", 2, AS_OF), Raw("gateway_logged", True, ago(-1)),
                      Raw("travel_minutes", 1e9, AS_OF)], town.features, AS_OF)
    wheres = [problem.where for problem in error.value.problems]
    assert sorted(set(wheres)) == ["answers", "answers.gateway_logged", "answers.settle_plan", "answers.stay_type",
                                   "answers.travel_minutes"]
    assert "SECRET" not in str(error.value)
    assert "told on a day that has not come" in str(error.value)


@pytest.mark.parametrize(("fact", "value"), [
    ("travel_minutes", True), ("travel_minutes", 1.5), ("travel_minutes", float("nan")), ("travel_minutes", None),
    ("travel_minutes", "inf"), ("travel_minutes", [1]), ("settle_plan", 1), ("settle_plan", "maybe"),
    ("stay_type", ""), ("stay_type", True), ("stay_type", {"a": 1})])
def test_an_answer_of_another_kind_is_refused(town: Desk, fact: str, value: Any) -> None:
    with pytest.raises(ScreenError, match="not an answer to this question"):
        read_answers([Raw(fact, value, AS_OF)], town.features, AS_OF)


# --- the Order of 2012 ------------------------------------------------------------------------------


def statuses(screening: Screening) -> dict[str, str]:
    return {factor.factor: factor.status for factor in screening.factors}


def test_every_factor_of_the_order_is_listed_whatever_is_known(town: Desk) -> None:
    for name, uprn in (("Ada", PLAIN), ("Home", PLAIN), ("Home", OUTSIDE), ("Unk", NOWHERE)):
        assert list(statuses(screened(town, name, uprn))) == ["distance", "disruption", "support", "amenities"]


def test_where_no_duty_is_owed_the_order_does_not_bind(town: Desk) -> None:
    assert set(statuses(screened(town, "Ada", PLAIN)).values()) == {"not_applicable"}


def test_where_nobody_knows_whether_a_duty_is_owed_nothing_counts_as_checked(town: Desk) -> None:
    found = statuses(screened(town, "Unk", PLAIN))
    assert found.pop("distance") == "not_applicable"        # the home lies within the district
    assert set(found.values()) == {"not_checked"}


def test_what_was_considered_and_written_down_is_checked_and_the_rest_is_not(town: Desk) -> None:
    found = statuses(screened(town, "Home", PLAIN, amenities_considered=True, travel_minutes=10))
    assert found == {"distance": "not_applicable", "disruption": "not_checked", "support": "not_checked",
                     "amenities": "checked"}


def test_a_home_outside_the_district_has_its_distance_considered(town: Desk) -> None:
    assert statuses(screened(town, "Home", OUTSIDE))["distance"] == "not_checked"
    assert statuses(screened(town, "Home", OUTSIDE, distance_considered=True))["distance"] == "checked"


# --- what is in the way -----------------------------------------------------------------------------


@pytest.mark.parametrize(("who_asks", "uprn", "offered", "fault", "said"), [
    ("APP-Nobody", PLAIN, {}, "not_found", "nobody of this name is on the housing register"),
    ("P999999", PLAIN, {}, "not_found", "nobody of this name is on the housing register"),
    ("APP-Ada", "999", {}, "not_found", "no such home among those landlords have told of"),
    ("APP-Old", PLAIN, {}, "conflict", "the register entry expired on 2026-11-22"),
    ("APP-Shut", PLAIN, {}, "conflict", "the register entry is closed"),
    ("APP-Ada", LET, {}, "conflict", "somebody lives there: the home is already let"),
    ("APP-Ada", PLAIN, {PLAIN: "S000007"}, "conflict", "the home has been offered already (S000007)"),
    ("APP-Nob", PLAIN, {}, "invalid", "nobody is recorded in this household"),
    ("APP-Ada", NOWHERE, {}, "invalid", "nobody has said where this home is"),
    ("APP-Ada", OUTSIDE, {}, "invalid", "nobody has said where this home is")])
def test_what_cannot_be_screened_is_refused_with_what_to_do_about_it(
    town: Desk, who_asks: str, uprn: str, offered: dict[str, str], fault: str, said: str
) -> None:
    with pytest.raises(ScreenError) as error:
        check_pair(town, who_asks, uprn, offered)
    assert error.value.fault == fault
    assert said in str(error.value)
    assert all(problem.fix for problem in error.value.problems)


def test_everything_in_the_way_is_said_at_once(town: Desk) -> None:
    with pytest.raises(ScreenError) as error:
        check_pair(town, "APP-Old", LET, {LET: "S000001"})
    assert len(error.value.problems) == 3


def test_somebody_may_be_named_by_who_they_are_and_a_merged_id_says_which_to_use(town: Desk) -> None:
    person = str(town.applications["APP-Ada"]["applicant"])
    assert check_pair(town, person, PLAIN).application == "APP-Ada"
    merged = Desk(replace(town.snapshot, merged={"P000901": person}), town.pack, town.digests, "merged")
    with pytest.raises(ScreenError) as error:
        check_pair(merged, "P000901", PLAIN)
    assert error.value.fault == "conflict"
    assert error.value.problems[0].allowed == person


def test_a_home_that_becomes_empty_may_be_offered_before_it_is(town: Desk) -> None:
    assert town.homes[SOON]["available"]
    assert check_pair(town, "APP-Ada", SOON).uprn == SOON


# --- other homes, other applicants ------------------------------------------------------------------


def test_other_homes_have_as_many_bedrooms_no_hard_conflict_and_fewest_soft_ones_first(town: Desk) -> None:
    found = find_matches(town, town.pair("APP-Rec", PLAIN))
    assert {match.beds for match in found} == {2} and {match.hard for match in found} == {0}
    assert found[-1].uprn == DEALING and found[-1].soft == 1
    assert [(m.soft, m.cannot_tell, str(m.ready_from or "9999"), m.uprn) for m in found] == sorted(
        (m.soft, m.cannot_tell, str(m.ready_from or "9999"), m.uprn) for m in found)


def test_a_home_that_cannot_be_used_is_no_match_and_neither_is_the_one_on_offer(town: Desk) -> None:
    assert STEPS in {match.uprn for match in find_matches(town, town.pair("APP-Ada", PLAIN))}
    wheel = {match.uprn for match in find_matches(town, town.pair("APP-Wheel", PLAIN))}
    assert not {STEPS, PLAIN, FLAT, LET, BIG} & wheel
    assert {DEALING, FAR_OFF} <= wheel


def test_homes_alike_come_by_when_they_are_ready_then_by_uprn_and_what_is_offered_is_left_out(town: Desk) -> None:
    pair = town.pair("APP-Ada", DEALING)
    every = [match.uprn for match in find_matches(town, pair)]
    assert [uprn for uprn in every if uprn in (FAR_OFF, STEPS)] == [FAR_OFF, STEPS]     # ready 3 and 2 days ago
    left = [match.uprn for match in find_matches(town, pair, (), frozenset({FAR_OFF}))]
    assert left == [uprn for uprn in every if uprn != FAR_OFF][:len(left)]


def test_what_was_told_about_the_applicant_goes_with_them_and_what_was_told_of_a_home_stays(town: Desk) -> None:
    pair = town.pair("APP-Ada", PLAIN)
    told = find_matches(town, pair, answer(applicant_recovery_drug=True))
    assert next(match for match in told if match.uprn == DEALING).soft == 1
    assert find_matches(town, pair, answer(travel_minutes=90)) == find_matches(town, pair)


def test_a_shortlist_stands_in_the_schemes_order_whatever_is_found(town: Desk) -> None:
    names = [match.application for match in find_shortlist(town, PLAIN)]
    assert names == ["APP-Home", "APP-Ada", "APP-Rec", "APP-Kim", "APP-Wheel", "APP-Nob", "APP-Unk"]
    results = {match.application: match.result for match in find_shortlist(town, PLAIN)}
    assert results["APP-Kim"] == "avoid_this_property"
    with pytest.raises(ScreenError, match="no such home"):
        find_shortlist(town, "999")


# --- two ways of reasoning, one answer --------------------------------------------------------------


def test_a_screening_on_which_the_two_ways_disagree_is_not_given_and_names_the_rule(town: Desk) -> None:
    rule = "allocation/support-school-or-care-severed"
    other = Desk(town.snapshot, town.pack, town.digests, "other")
    other.reasoner = compile_pack([replace(r, when=Compare("travel_minutes", ">", 20)) if r.id == rule else r
                                   for r in town.rules])
    assert screened(other, "Ada", PLAIN, travel_minutes=50).result == "mitigate"
    with pytest.raises(RunError) as error:
        screened(other, "Ada", PLAIN, travel_minutes=30)
    assert [problem.where for problem in error.value.problems] == [rule]
    assert "30" not in str(error.value)


# --- the same bytes ---------------------------------------------------------------------------------


def test_neither_the_order_of_rows_nor_the_number_of_threads_changes_a_row_of_the_snapshot(
    borough: Borough, shipped: Pack, town: Desk
) -> None:
    rows = build_town()
    rows["housing_tenancies"] += [
        {"tenancy_ref": f"T{n}", "household_ref": "HH-Tenant", "started": ago(n), "tenure": "council", "uprn": uprn,
         **who("Tenant")} for n, uprn in enumerate((PLAIN, FLAT, BIG, STEPS), 2)]
    rows["addresses"] += [{**row, "ward": "E05000002"} for row in rows["addresses"] if row["uprn"] == PLAIN]
    named = {feed: [{"record": f"{feed}:{n:04d}", **row} for n, row in enumerate(some)] for feed, some in rows.items()}
    once = snapshot_of(borough.lake, shipped, named, threads=1)
    random = Random(4)
    again = snapshot_of(borough.lake, shipped, {feed: random.sample(some, len(some)) for feed, some in named.items()},
                        threads=2)
    assert [name for name, table in once.tables.items() if not table.equals(again.tables[name])] == []
    assert once.merged == again.merged and once.groups == again.groups
