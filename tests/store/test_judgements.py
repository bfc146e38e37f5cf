"""What decisions say of the rules and of reviewers: shares with intervals, when to look again, who no longer looks."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from engine.store import judgements, reviews
from engine.store.chain import Note
from engine.store.database import Database, Writing
from engine.store.judgements import Group, Habit, Limits, Tally, find_gap, find_interval
from engine.store.tables import flags, labels, publications, users
from engine.store.tables import reviews as stored

from .made import MONDAY, Store, counted, later

TODAY = MONDAY.date()
LOW, FEW = Tally(1, 4), Tally(0, 1)


# --- the interval ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("hits", "of", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)])
def test_the_interval_is_the_one_published(hits: int, of: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    assert find_interval(hits, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_each_end_of_the_interval_is_a_share_just_not_refuted(counts: tuple[int, int]) -> None:
    """What Wilson's interval means, without its formula: at its ends the share seen is 1.96 deviations away."""
    hits, of = counts
    for end in find_interval(hits, of):
        if 0 < end < 1:
            assert abs(hits / of - end) == pytest.approx(1.959964 * sqrt(end * (1 - end) / of), rel=1e-5)
        else:
            assert hits / of == end


def test_nothing_decided_could_be_anything() -> None:
    assert (Tally().share, Tally().interval) == (None, (0.0, 1.0))


# --- rules and groups -----------------------------------------------------------------------------


def group(*cycles: Tally, name: str = "person/one") -> Group:
    return Group("rule", name, cycles)


@pytest.mark.parametrize(("cycles", "expected"), [
    ([LOW, LOW, LOW], "look_again"),
    ([Tally(9, 1), LOW, LOW, LOW], "look_again"),              # well confirmed once, and no longer
    ([LOW, Tally(), LOW, Tally(), LOW], "look_again"),         # a meeting without a decision says nothing
    ([LOW, LOW, Tally(2, 4)], ""),                             # one of three was not that low
    ([LOW, LOW], ""),                                          # two cycles only
    ([Tally(3, 7), Tally(3, 7), Tally(3, 7)], ""),             # 30 % is not below 30 %
    ([FEW, FEW, FEW], "too_few"),
    ([], "too_few"),
    ([Tally(0, 10)], "stop"),
    ([Tally(1, 9)], ""),                                       # 10 % is not below 10 %
    ([Tally(3, 27)], ""),
    ([Tally(2, 27, 1)], "stop"),
    ([Tally(4, 1), Tally(4, 1), FEW, FEW, FEW], ""),           # too few of late to say it fell
])
def test_when_a_rule_is_looked_at_again_or_stopped(cycles: Sequence[Tally], expected: str) -> None:
    assert group(*cycles).stand(Limits()) == expected


def test_the_partnerships_own_numbers_hold() -> None:
    assert group(Tally(3, 7)).stand(Limits(stop_below=0.4)) == "stop"


@pytest.mark.parametrize(("high", "low", "expected"), [
    (Tally(30, 10), Tally(10, 30), ("North", "South", True)),
    (Tally(80, 20), Tally(8, 2), ("North", "South", False)),   # the same share of fewer: less is certain of them
    (Tally(30, 10), Tally(29, 11), None),
    (Tally(30, 10), Tally(0, 9), None),                        # too few decided to compare
])
def test_groups_whose_lower_bounds_are_far_apart(
    high: Tally, low: Tally, expected: tuple[str, str, bool] | None
) -> None:
    gap = find_gap([group(high, name="North"), group(low, name="South")])
    assert (gap and (gap.higher.name, gap.lower.name, gap.surely)) == expected


# --- against a naive count ------------------------------------------------------------------------

RULES, WARDS = ("person/one", "person/two"), ("North", None)
FLAGS = st.lists(st.tuples(
    st.integers(1, 8), st.sampled_from(["confirmed", "declined", "redirected", "proposed", "superseded"]),
    st.sets(st.sampled_from(RULES)), st.sampled_from(WARDS), st.sampled_from(["shown", "restricted", "routed"])),
    max_size=25)


def fill(writing: Writing, cases: Iterable[tuple[int, str, set[str], str | None, str]]) -> None:
    for number in range(1, 9):
        writing.change(Note("test", "", {}), insert(publications), [{
            "run": f"run{number}", "number": number, "as_of": TODAY - timedelta(days=7 * (8 - number)), "at": MONDAY,
            "actor": "system", "flags": 0, "digest": ""}])
    for place, (cycle, state, rules, ward, status) in enumerate(cases):
        writing.change(Note("test", "", {}), insert(flags), [{
            "id": f"f{place}", "run": f"run{cycle}", "as_of": TODAY, "list": "people", "subject": f"P{place}",
            "name": "", "band": "convene", "status": status, "change": "new", "axis": "harm", "ward": ward,
            "folded": "", "position": place, "digest": "", "state": state, "because": "", "lead": None,
            "successor": None, "changed_at": MONDAY, "changed_by": "system", "version": 1}])
        if rules:
            writing.change(Note("test", "", {}), insert(labels), [
                {"flag": f"f{place}", "kind": "rule", "value": rule} for rule in rules])


@settings(max_examples=25, deadline=None)
@given(cases=FLAGS)
def test_shares_and_volumes_are_what_a_count_by_hand_gives(
    empty_sqlite: Path, cases: list[tuple[int, str, set[str], str | None, str]]
) -> None:
    seen = [case for case in cases if case[4] == "shown" and case[0] > 2]       # the last six of eight cycles
    decided = [case for case in seen if case[1] in ("confirmed", "declined", "redirected")]
    with TemporaryDirectory() as folder:
        shutil.copy(empty_sqlite, f"{folder}/store.db")
        database = Database(f"sqlite:///{folder}/store.db", counted())
        with database.writing(MONDAY, "system") as writing:
            fill(writing, cases)
        with database.reading() as reading:
            cycles = judgements.find_cycles(reading, TODAY)
            by_rule = {one.name: one for one in judgements.measure_shares(reading, "rule", cycles)}
            by_ward = {one.name: one for one in judgements.measure_shares(reading, "ward", cycles)}
            volumes = judgements.count_volumes(reading, cycles)
            totals = judgements.count_flags(reading, cycles)
        database.close()
    assert [one.run for one in cycles] == [f"run{number}" for number in range(3, 9)]
    assert set(by_rule) == {rule for case in decided for rule in case[2]}
    for rule, found in by_rule.items():
        for place, tally in enumerate(found.cycles):
            states = [case[1] for case in decided if rule in case[2] and case[0] == place + 3]
            assert tally == Tally(states.count("confirmed"), states.count("declined"), states.count("redirected"))
    assert {name: one.whole.decided for name, one in by_ward.items()} == {
        name: n for name in ("North", "") if (n := sum((case[3] or "") == name for case in decided))}
    for one in cycles:
        here = [case for case in seen if f"run{case[0]}" == one.run]
        assert volumes.get((one.run, "people"), {}) == {
            rule: n for rule in RULES if (n := sum(rule in case[2] for case in here))}
        assert totals.get((one.run, "people"), 0) == len(here)


def test_what_was_not_yet_published_on_a_day_does_not_count(empty_sqlite: Path, tmp_path: Path) -> None:
    shutil.copy(empty_sqlite, tmp_path / "store.db")
    database = Database(f"sqlite:///{tmp_path / 'store.db'}", counted())
    with database.writing(MONDAY, "system") as writing:
        fill(writing, [])
    with database.reading() as reading:
        cycles = judgements.find_cycles(reading, TODAY - timedelta(days=1), most=2)
    database.close()
    assert [one.run for one in cycles] == ["run6", "run7"]


# --- how people decide ----------------------------------------------------------------------------


@pytest.fixture
def open_week(store: Store) -> Store:
    store.publish()
    return store


def find_habits(store: Store, as_of: date = TODAY) -> dict[str, Habit]:
    with store.database.reading() as reading:
        return {one.reviewer: one for one in judgements.find_habits(reading, as_of)}


def test_how_somebody_reviewed_is_kept_with_what_they_opened_and_how_long_it_took(open_week: Store) -> None:
    una, ola = open_week.add_person(), open_week.add_person("Ola Other")
    with open_week.database.writing(MONDAY, una.id) as writing:
        reviews.judge_first(writing, open_week.flag().id, "convene")
        reviews.judge_first(writing, open_week.flag(1).id, open_week.flag(1).band)
    for number, (decision, code, seconds, opened) in enumerate(
            [("declined", "already_in_hand", 40, []), ("confirmed", "other", 80, ["council_asb:A1"])]):
        taken = open_week.take_up(open_week.flag(number), una)
        with open_week.database.writing(later(number), una.id) as writing:
            reviews.decide(writing, taken.id, taken.version, decision, code, "Housing has it in hand.",
                           seconds=seconds, opened=opened)
    assert open_week.flag().band == "watch"     # nobody agrees with it, or against it, by deciding
    habit = find_habits(open_week)[una.id]
    assert ola.id not in find_habits(open_week)
    assert replace(habit, reviewer="") == Habit("", 2, 0, 0, 2, 60, 1, 2, 1, {("declined", "already_in_hand"): 1})
    assert find_habits(open_week, TODAY - timedelta(days=1)) == {}


def test_the_reason_that_counts_is_that_of_the_last_decision(open_week: Store) -> None:
    una = open_week.add_person()
    open_week.decide(open_week.take_up(open_week.flag(), una), una)
    open_week.decide(open_week.flag(), una, "declined", "facts_wrong")
    rule = open_week.flag().rules[0]
    with open_week.database.reading() as reading:
        cycles = judgements.find_cycles(reading, date(2030, 1, 1))
        assert judgements.count_reasons(reading, cycles) == {("declined", "facts_wrong"): 1}
        assert judgements.count_reasons(reading, cycles, rule) == {("declined", "facts_wrong"): 1}
        assert judgements.count_reasons(reading, cycles, "person/another") == {}
        shares = judgements.measure_shares(reading, "list", cycles)
        assert [(one.name, one.whole) for one in shares] == [("people", Tally(0, 1))]


def decide_often(database: Database, confirmed: int, seconds: int = 90, status: str = "shown") -> None:
    """One person decides fifty flags, and the first one of all otherwise, long ago."""
    with database.writing(MONDAY, "system") as writing:
        fill(writing, [(8, "confirmed", set(), None, status)] * 51)
        writing.change(Note("test", "", {}), insert(users), [{
            "id": "una", "login": "una", "name": "Una", "agency": "police", "roles": (), "wards": (),
            "must_change": False, "failed": 0, "created": MONDAY, "changed_at": MONDAY, "changed_by": "system",
            "version": 1}])
        writing.change(Note("test", "", {}), insert(stored), [{
            "id": f"r{n}", "flag": f"f{n}", "number": 1, "at": later(n - 60), "reviewer": "una",
            "decision": "confirmed" if 0 < n <= confirmed else "declined", "reason_code": "other", "rationale": "",
            "shown_band": "convene", "own_band": None, "seconds": seconds, "opened": (), "corrects": None}
            for n in range(51)])


@pytest.mark.parametrize(("confirmed", "seconds", "agrees", "hurries"), [
    (50, 90, True, False),      # the fifty-first, which was declined, is too long ago to count
    (49, 90, False, False),     # 98 % is not above 98 %
    (30, 59, False, True),
    (30, 60, False, False),
])
def test_who_always_agrees_or_hurries_is_seen(
    database: Database, confirmed: int, seconds: int, agrees: bool, hurries: bool
) -> None:
    decide_often(database, confirmed, seconds)
    with database.reading() as reading:
        habit, = judgements.find_habits(reading, TODAY)
    assert (habit.compared, habit.agreed, habit.always_agrees, habit.hurries) == (50, confirmed, agrees, hurries)


def test_what_is_held_for_other_eyes_counts_nowhere(database: Database) -> None:
    decide_often(database, 50, status="restricted")
    with database.reading() as reading:
        cycles = judgements.find_cycles(reading, TODAY)
        assert judgements.find_habits(reading, TODAY) == ()
        assert judgements.measure_shares(reading, "list", cycles) == ()
        assert judgements.count_reasons(reading, cycles) == {}
