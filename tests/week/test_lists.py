"""A list: who is on it, in which order, what changed since the last one, and why somebody is no longer there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from engine.condition import Known
from engine.errors import RunError
from engine.lists import Entry, Left, Note, check_lists, choose, explain_leaving
from engine.pack import Pack
from engine.rule import Exclusion
from engine.schema import Subject

from .made import AS_OF, Row, a_pack, a_rule, ago

MODEL = "person/case-review-threshold"


@pytest.fixture(scope="module")
def pack(shipped: Pack) -> Pack:
    """Rules of every weight and floor; ten people and five places fit; four weeks of quiet after a review."""
    model = shipped.rules[MODEL]
    rules = [
        a_rule(model, "light", "age is known", points=3, axis="vulnerability", theme="victims"),
        a_rule(model, "middling", "age is known", points=6, axis="vulnerability", theme="hate"),
        a_rule(model, "statutory", "age is known", points=3, floor="statutory", axis="vulnerability"),
        a_rule(model, "partner", "age is known", points=1, floor="partner", axis="vulnerability"),
        a_rule(model, "harm", "age is known", points=6, axis="harm", theme="tenancy"),
        a_rule(model, "faint", "age is known", points=1, axis="vulnerability", theme="families"),
        a_rule(model, "trial", "age is known", points=8, axis="vulnerability", status="trial"),
        a_rule(model, "expired", "age is known", points=8, axis="vulnerability", review_by=ago(1)),
        a_rule(model, "spot", "age is known", points=4, axis="place", subject="place"),
        a_rule(model, "offer", "age is known", points=0, axis="process", subject="allocation", result="mitigate",
               level="soft", factor="location"),
    ]
    effects = {"restricted": "restricted", "route": "route", "held": "held", "muted": "muted",
               "X-06": "second_source", "X-03": "harm_muted", "noted": "noted"}
    exclusions = tuple(Exclusion(key, key, None, Known("age"), effect, "somewhere", "why")
                       for key, effect in effects.items())
    policy = replace(shipped.policy, capacity={"people": 10, "places": 5, "allocations": None},
                     bands={"watch": 3, "discuss": 6, "convene": 10}, theme_cap=8, cool_down_days=28)
    return a_pack(shipped, rules, [shipped.features["person.age"]], exclusions=exclusions, policy=policy)


def person(name: str, *fired: str, held: tuple[str, ...] = (), subject: Subject = "person", **other: Any) -> Row:
    """A judged row: the rules that fired, the exclusions that hold."""
    return {"subject": name, **{f"rule:{subject}/{rule}": True for rule in fired},
            **{f"exclusion:{key}": True for key in held}, **other}


def listed(pack: Pack, *rows: Row, subject: Subject = "person", previous: dict[str, Entry] | None = None,
           notes: tuple[Note, ...] = (), latest: dict[str, date] | None = None, as_of: date = AS_OF) -> list[Entry]:
    return choose(rows, subject, pack, as_of, previous or {}, notes, latest or {})


def entry_of(pack: Pack, row: Row, **other: Any) -> Entry:
    [entry] = listed(pack, row, **other)
    return entry


# --- order and capacity ---------------------------------------------------------------------------


def test_the_most_urgent_band_comes_first_then_the_most_points_then_the_name(pack: Pack) -> None:
    rows = [person("e", "light"), person("d", "light"), person("c", "statutory"), person("b", "middling", "faint"),
            person("a", "middling")]
    assert [entry.subject for entry in listed(pack, *rows)] == ["c", "b", "a", "d", "e"]
    assert [entry.band for entry in listed(pack, *rows)] == ["convene", "discuss", "discuss", "watch", "watch"]


def test_among_equals_who_was_never_or_longest_ago_shown_comes_first(pack: Pack) -> None:
    rows = [person(name, "light") for name in "abc"]
    before = {entry.subject: replace(entry, last_shown=day) for entry, day in
              zip(listed(pack, *rows), (ago(7), ago(21), None), strict=True)}
    assert [entry.subject for entry in listed(pack, *rows, previous=before)] == ["c", "b", "a"]


def test_among_equal_places_the_one_with_most_reports_of_late_comes_first(pack: Pack) -> None:
    rows = [person(f"street:{n}", "spot", subject="place", weight=float(n), area_name=f"Street {n}") for n in range(3)]
    entries = listed(pack, *rows, subject="place")
    assert [entry.name for entry in entries] == ["Street 2", "Street 1", "Street 0"]


def test_the_order_the_rows_lie_in_does_not_matter(pack: Pack) -> None:
    rows = [person(f"p{n:02}", *rules) for n, rules in enumerate(
        [("light",), ("middling",), ("statutory",), ("light", "harm"), ("partner",)] * 5)]
    once = listed(pack, *rows)
    for seed in range(5):
        assert listed(pack, *Random(seed).sample(rows, len(rows))) == once


def test_who_does_not_fit_the_week_is_named_and_not_dropped(pack: Pack) -> None:
    entries = listed(pack, *[person(f"p{n:02}", "light") for n in range(12)])
    assert [entry.status for entry in entries] == ["shown"] * 10 + ["not shown: capacity"] * 2


def test_who_is_held_elsewhere_takes_no_place_on_the_list(pack: Pack) -> None:
    rows = [person(f"held{n}", "statutory", held=("held",)) for n in range(3)]
    entries = listed(pack, *rows, *[person(f"p{n:02}", "light") for n in range(10)])
    assert sum(entry.status == "shown" for entry in entries) == 10
    assert "not shown: capacity" not in {entry.status for entry in entries}


def test_every_offer_is_listed_however_many_there_are(pack: Pack) -> None:
    entries = listed(pack, *[person(f"A{n:03}", "offer", subject="allocation") for n in range(60)],
                     subject="allocation")
    assert [(entry.band, entry.status) for entry in entries] == [("watch", "shown")] * 60


def test_who_no_rule_speaks_of_is_not_listed(pack: Pack) -> None:
    assert listed(pack, person("a"), person("b", "trial"), person("c", "expired")) == []


def test_a_rule_that_cannot_tell_puts_nobody_forward(pack: Pack) -> None:
    assert listed(pack, {"subject": "a", "rule:person/light": None, "rule:person/harm": False}) == []


def test_a_faint_rule_still_puts_somebody_on_the_watch_list(pack: Pack) -> None:
    assert entry_of(pack, person("a", "faint")).band == "watch"


def test_a_policy_that_forgets_a_list_gives_helpful_error(pack: Pack) -> None:
    with pytest.raises(RunError, match="no capacity for places"):
        check_lists(replace(pack, policy=replace(pack.policy, capacity={"people": 1, "allocations": None})))


# --- what changed ---------------------------------------------------------------------------------


def test_somebody_who_was_not_on_the_last_list_is_new(pack: Pack) -> None:
    assert entry_of(pack, person("a", "light")).change == "new"


@pytest.mark.parametrize(("then", "now", "change"), [
    (("light",), ("middling",), "worse"),                      # watch, then discuss
    (("statutory",), ("middling",), "better"),                 # convene, then discuss
    (("middling",), ("middling", "faint"), "worse"),           # a point more in the same band
    (("middling", "faint"), ("middling",), "better"),
])
def test_a_band_or_a_whole_point_is_a_change(
    pack: Pack, then: tuple[str, ...], now: tuple[str, ...], change: str
) -> None:
    before = entry_of(pack, person("a", *then))
    assert entry_of(pack, person("a", *now), previous={"a": before}).change == change


def test_less_than_a_point_is_no_change(pack: Pack) -> None:
    before = replace(entry_of(pack, person("a", "light"), latest={"a": ago(9)}), points=3.9)
    assert entry_of(pack, person("a", "light"), previous={"a": before}, latest={"a": ago(2)}).change == "same"


def test_somebody_of_whom_nothing_new_was_heard_is_stale(pack: Pack) -> None:
    before = entry_of(pack, person("a", "light"), latest={"a": ago(9)})
    assert entry_of(pack, person("a", "light"), previous={"a": before}, latest={"a": ago(9)}).change == "stale"


# --- reviews and snoozes --------------------------------------------------------------------------


def note(kind: Any, day: date, subject: str = "a") -> Note:
    return Note(subject, kind, day, "we spoke", "C. Worker")


@pytest.mark.parametrize(("days_ago", "status"), [(0, "shown"), (1, "cooling down"), (28, "cooling down"),
                                                  (29, "shown")])
def test_after_a_review_somebody_rests_for_four_weeks(pack: Pack, days_ago: int, status: str) -> None:
    assert entry_of(pack, person("a", "middling"), notes=(note("reviewed", ago(days_ago)),)).status == status


@pytest.mark.parametrize(("days_ahead", "status"), [(-1, "shown"), (0, "snoozed"), (30, "snoozed")])
def test_somebody_snoozed_is_quiet_up_to_the_day(pack: Pack, days_ahead: int, status: str) -> None:
    until = AS_OF + timedelta(days=days_ahead)
    assert entry_of(pack, person("a", "middling"), notes=(note("snoozed", until),)).status == status


def test_a_note_about_somebody_else_quietens_nobody(pack: Pack) -> None:
    assert entry_of(pack, person("a", "light"), notes=(note("reviewed", ago(3), "b"),)).status == "shown"


@pytest.mark.parametrize("kind", ["reviewed", "snoozed"])
def test_a_statutory_floor_is_never_put_off(pack: Pack, kind: str) -> None:
    day = ago(3) if kind == "reviewed" else AS_OF + timedelta(days=30)
    assert entry_of(pack, person("a", "statutory"), notes=(note(kind, day),)).status == "shown"
    assert entry_of(pack, person("a", "partner"), notes=(note(kind, day),)).status != "shown"


@pytest.mark.parametrize("kind", ["reviewed", "snoozed"])
def test_who_gets_worse_comes_back_at_once(pack: Pack, kind: str) -> None:
    before = entry_of(pack, person("a", "light"))
    day = ago(3) if kind == "reviewed" else AS_OF + timedelta(days=30)
    now = entry_of(pack, person("a", "middling"), previous={"a": before}, notes=(note(kind, day),))
    assert (now.change, now.status) == ("worse", "shown")


def test_who_rests_leaves_room_for_somebody_else(pack: Pack) -> None:
    rows = [person(f"p{n:02}", "light") for n in range(11)]
    entries = listed(pack, *rows, notes=(note("reviewed", ago(3), "p00"),))
    assert [entry.status for entry in entries] == ["cooling down"] + ["shown"] * 10


# --- who is kept off the open list ----------------------------------------------------------------


@pytest.mark.parametrize(("held", "status"), [
    (("held",), "already held"), (("route",), "routed"), (("muted",), "muted"), (("restricted",), "restricted"),
    (("noted",), "shown"), (("held", "restricted"), "restricted"), (("muted", "held", "route"), "routed")])
def test_an_exclusion_says_where_somebody_goes_and_the_most_private_wins(
    pack: Pack, held: tuple[str, ...], status: str
) -> None:
    entry = entry_of(pack, person("a", "statutory", held=held))
    assert (entry.status, entry.band) == (status, "convene")
    assert set(entry.exclusions) == set(held)


def test_an_exclusion_that_cannot_tell_keeps_nobody_off(pack: Pack) -> None:
    assert entry_of(pack, {**person("a", "light"), "exclusion:held": None}).status == "shown"


@pytest.mark.parametrize("key", ["X-06", "X-03"])
def test_harm_is_silent_for_a_child_under_ten_and_where_one_household_made_most_reports(pack: Pack, key: str) -> None:
    entry = entry_of(pack, person("a", "harm", "light", held=(key,)))
    assert [axis.axis for axis in entry.axes] == ["vulnerability"]
    assert (entry.band, entry.points, entry.status) == ("watch", 3, "shown")


def test_who_stands_on_one_households_word_alone_waits_by_name_for_a_second_source(pack: Pack) -> None:
    entry = entry_of(pack, person("a", "harm", held=("X-06",)))
    assert (entry.status, [axis.axis for axis in entry.axes]) == ("second source needed", ["harm"])


def test_a_child_under_ten_who_only_did_harm_is_on_no_list(pack: Pack) -> None:
    assert listed(pack, person("a", "harm", held=("X-03",))) == []


def test_a_child_under_ten_is_on_no_list_for_harm_though_one_household_made_the_reports(pack: Pack) -> None:
    assert listed(pack, person("a", "harm", held=("X-03", "X-06"))) == []


@pytest.mark.parametrize(("key", "status"), [("restricted", "restricted"), ("route", "routed")])
def test_who_waits_for_a_second_source_stays_in_the_private_queue(pack: Pack, key: str, status: str) -> None:
    assert entry_of(pack, person("a", "harm", held=("X-06", key))).status == status


def test_being_harmed_and_causing_harm_are_never_added_up(pack: Pack) -> None:
    entry = entry_of(pack, person("a", "harm", "middling"))
    assert {axis.axis: axis.points for axis in entry.axes} == {"harm": 6, "vulnerability": 6}
    assert (entry.points, entry.band) == (6, "discuss")


# --- who left, and why ----------------------------------------------------------------------------


def left(pack: Pack, row: Row | None, *, fired: tuple[str, ...] = ("light",), late: dict[str, str] | None = None,
         merged: dict[str, str] | None = None) -> str:
    previous = {"a": entry_of(pack, person("a", *fired))}
    rows = {"a": row} if row else {}
    [gone] = explain_leaving(previous, [], rows, pack, "people", late or {}, merged or {})
    assert (gone.subject, gone.list) == ("a", "people")
    return gone.because


def test_who_is_still_there_has_not_left(pack: Pack) -> None:
    before = {"a": entry_of(pack, person("a", "light"))}
    assert explain_leaving(before, listed(pack, person("a", "light")), {}, pack, "people", {}, {}) == []


def test_who_left_because_it_is_no_longer_so(pack: Pack) -> None:
    assert left(pack, {"subject": "a", "rule:person/light": False}) == "no longer so: Light"


def test_who_left_because_a_feed_is_late_is_not_said_to_be_better(pack: Pack) -> None:
    row = {"subject": "a", "rule:person/light": None}
    age = replace(pack.features["person.age"], feeds=("fire",))
    told = replace(pack, features={"person.age": age})
    late = {"fire": "Fire reports", "police": "Police reports, which the rule does not read"}
    assert left(told, row, late=late) == "cannot tell now (Fire reports late): Light"
    assert left(pack, row) == "cannot tell now: Light"


def test_who_left_because_two_records_turned_out_to_be_one_person(pack: Pack) -> None:
    assert left(pack, None, merged={"a": "b"}) == "now the same person as b"


def test_who_left_because_nobody_recorded_anything_for_years(pack: Pack) -> None:
    assert left(pack, None) == "no longer among the subjects judged"


@pytest.mark.parametrize("change", ["retired", "trial", "gone"])
def test_who_left_because_a_rule_is_no_longer_in_force(pack: Pack, change: str) -> None:
    previous = {"a": entry_of(pack, person("a", "light"))}
    rule = pack.rules["person/light"]
    rules = {k: v for k, v in pack.rules.items() if k != rule.id}
    if change != "gone":
        rules[rule.id] = replace(rule, status=change)
    row = {"subject": "a", **({"rule:person/light": True} if change == "trial" else {})}
    [gone] = explain_leaving(previous, [], {"a": row}, replace(pack, rules=rules), "people", {}, {})
    assert gone == Left("a", "people", "rule no longer in force: " + ("person/light" if change == "gone" else "Light"))


def test_every_reason_somebody_was_listed_is_answered(pack: Pack) -> None:
    row = {"subject": "a", "rule:person/light": False, "rule:person/harm": None}
    assert left(pack, row, fired=("light", "harm")) == (
        "cannot tell now: Harm; no longer so: Light" if pack.order[0] != "person/light" else
        "no longer so: Light; cannot tell now: Harm")
