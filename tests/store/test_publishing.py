"""A run put before people: once, byte for byte, and with what is still under way handed on to the next."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from engine.errors import RunError
from engine.store import audit, flags, publishing, reviews
from engine.store.flags import Filters
from engine.store.problems import Missing, Stale, StoreError

from .made import MONDAY, Store, later


def one(store: Store, run: str, subject: str) -> flags.FlagRow:
    return next(flag for flag in store.flags(runs=(run,)) if flag.subject == subject)


def both_weeks(store: Store) -> tuple[set[str], set[str]]:
    """The people of the first list, and of the second, read from the runs themselves."""
    return tuple({entry["subject"] for entry in store.weeks.runs.lists(run)["entries"] if entry["list"] == "people"}
                 for run in (store.weeks.first, store.weeks.second))      # type: ignore[return-value]


# --- stored ---------------------------------------------------------------------------------------


def test_the_small_office_has_somebody_who_stays_somebody_who_leaves_and_somebody_new(store: Store) -> None:
    """What the tests below rest on."""
    first, second = both_weeks(store)
    assert first & second
    assert first - second
    assert second - first


def test_every_flag_shown_is_stored_byte_for_byte_in_the_order_of_its_list(store: Store) -> None:
    told = store.publish()
    runs, first = store.weeks.runs, store.weeks.first
    listed = [entry["subject"] for entry in runs.lists(first)["entries"] if entry["status"] == "shown"]

    stored = store.flags(runs=(first,))
    assert told.new == told.publication.flags == len(stored) == len(listed)
    for name in ("people", "places"):
        some = [flag for flag in stored if flag.list == name]
        assert [flag.subject for flag in some] == [s for s in listed if s in {flag.subject for flag in some}]
        assert [flag.position for flag in some] == list(range(1, len(some) + 1))
    with store.database.reading() as reading:
        assert all(flags.read(reading, flag.id).text == runs.flag_text(flag.subject, first) for flag in stored)


def test_a_flag_is_found_by_what_its_text_says_of_it(store: Store) -> None:
    store.publish()
    flag = store.flag()
    with store.database.reading() as reading:
        said = json.loads(flags.read(reading, flag.id).text)
    assert (flag.band, flag.status, flag.change, flag.as_of) == ("watch", "shown", "new", date(2026, 11, 23))
    assert flag.themes == tuple(sorted({reason["theme"] for reason in said["reasons"]}))
    assert flag.rules == tuple(sorted(reason["rule"] for reason in said["reasons"]))
    assert flag.agencies == tuple(sorted(said["convene"])) == ("police",)
    assert flag.axes == (flag.axis,) == (said["axes"][0]["axis"],)


def test_a_flag_id_says_nothing_and_is_no_subject(store: Store) -> None:
    store.publish()
    assert not {flag.id for flag in store.flags()} & {flag.subject for flag in store.flags()}


def test_publishing_again_changes_nothing_and_says_so(store: Store) -> None:
    store.publish()
    before = store.flags()
    again = store.publish()
    assert again.again
    assert (again.new, again.handed_on, again.left) == (0, 0, 0)
    assert store.flags() == before
    with store.database.reading() as reading:
        assert len(flags.find_publications(reading)) == 1


def test_what_a_run_does_not_show_is_not_put_before_people(store: Store) -> None:
    flag_text = json.loads(store.weeks.runs.flag_text(both_weeks(store)[0].pop(), store.weeks.first))
    restricted = json.dumps(flag_text | {"status": "restricted"})
    with pytest.raises(StoreError, match="has a flag among these that it does not show"), \
            store.database.writing(MONDAY, "system") as writing:
        publishing.publish(writing, store.weeks.first, [restricted], [])
    assert store.flags() == []


def test_a_run_nobody_made_gives_helpful_error(store: Store) -> None:
    with pytest.raises(RunError, match="there is no such run"):
        store.publish("2020-01-01-nothing")


def test_a_run_of_an_earlier_day_is_not_put_before_people_who_work_with_a_later_one(store: Store) -> None:
    store.publish(store.weeks.second)
    with pytest.raises(StoreError, match="is of an earlier day than the lists people work with") as caught:
        store.publish(store.weeks.first)
    assert caught.value.fault == "conflict"
    assert store.flags(runs=(store.weeks.first,)) == []


def test_a_text_changed_behind_our_back_is_named(store: Store, url: str) -> None:
    store.publish()
    flag = store.flag()
    with store.database.reading() as reading:
        assert flags.find_altered(reading, store.weeks.first) == []
    with store.database.writing(MONDAY, "system") as writing:
        writing.value(text(f"UPDATE texts SET text = replace(text, '3', '4') WHERE flag = '{flag.id}' RETURNING flag"))
    with store.database.reading() as reading:
        assert flags.find_altered(reading, store.weeks.first) == [flag.id]
        with pytest.raises(Missing):
            flags.find_altered(reading, store.weeks.second)


# --- handed on ------------------------------------------------------------------------------------


def test_a_flag_under_review_hands_its_state_and_lead_on(store: Store) -> None:
    stays = min(set.intersection(*both_weeks(store)))
    officer = store.add_person()
    store.publish()
    store.take_up(one(store, store.weeks.first, stays), officer)
    store.publish(store.weeks.second)

    old, new = one(store, store.weeks.first, stays), one(store, store.weeks.second, stays)
    assert (old.state, old.successor) == ("superseded", new.id)
    assert (new.state, new.lead, new.successor) == ("under_review", officer.id, None)


@pytest.mark.parametrize("decision", ["confirmed", "declined", "redirected"])
def test_a_decided_flag_stays_what_it_is_and_the_new_one_is_proposed(store: Store, decision: str) -> None:
    stays = min(set.intersection(*both_weeks(store)))
    officer = store.add_person()
    store.publish()
    taken = store.take_up(one(store, store.weeks.first, stays), officer)
    store.decide(taken, officer, decision)
    store.publish(store.weeks.second)

    assert one(store, store.weeks.first, stays).state == decision
    new = one(store, store.weeks.second, stays)
    assert (new.state, new.lead) == ("proposed", None)


def test_who_waits_for_information_still_waits_in_the_next_list(store: Store) -> None:
    stays = min(set.intersection(*both_weeks(store)))
    officer = store.add_person()
    store.publish()
    taken = store.take_up(one(store, store.weeks.first, stays), officer)
    store.decide(taken, officer, "needs_information", "feed_late")
    store.publish(store.weeks.second)
    assert one(store, store.weeks.second, stays).state == "needs_information"


def test_a_subject_no_longer_put_forward_leaves_with_the_reason_the_run_gave(store: Store) -> None:
    first, second = both_weeks(store)
    store.publish()
    told = store.publish(store.weeks.second)
    reasons = {gone["subject"]: gone["because"] for gone in store.weeks.runs.lists(store.weeks.second)["left"]}

    gone = [flag for flag in store.flags(states=("left",)) if flag.list == "people"]
    assert {flag.subject for flag in gone} == first - second
    assert all(flag.because == reasons[flag.subject] for flag in gone)
    assert told.left == len(store.flags(states=("left",)))
    assert {flag.subject for flag in store.flags(runs=(store.weeks.second,), lists=("people",))} == second


def test_that_somebody_is_on_a_private_list_is_not_why_they_left(store: Store) -> None:
    store.publish()
    subject = store.flag().subject
    with store.database.writing(MONDAY, "system") as writing:
        publishing.publish(writing, "2026-12-07-private", [],
                           [{"list": "people", "subject": subject, "status": "restricted"}])
    assert one(store, store.weeks.first, subject).because == "no longer put forward"


def test_deciding_the_old_flag_after_a_new_list_came_says_which_one_to_go_on_with(store: Store) -> None:
    stays = min(set.intersection(*both_weeks(store)))
    officer = store.add_person()
    store.publish()
    taken = store.take_up(one(store, store.weeks.first, stays), officer)
    store.publish(store.weeks.second)
    with pytest.raises(Stale) as caught:
        store.decide(taken, officer)
    assert (caught.value.state, caught.value.by) == ("superseded", "system")
    assert caught.value.flag == one(store, store.weeks.second, stays).id


def test_each_flag_whose_state_a_run_changed_is_told_in_the_log(store: Store) -> None:
    store.publish()
    told = store.publish(store.weeks.second)
    with store.database.reading() as reading:
        assert audit.find(reading, audit.Wanted(action="flag.superseded"))[1] == told.handed_on
        assert audit.find(reading, audit.Wanted(action="flag.left"))[1] == told.left
        line = audit.find(reading, audit.Wanted(action="run.published"))[0][0]
        publication = flags.find_latest(reading)
    assert publication is not None
    assert json.loads(line.body) == {"digest": publication.digest, "flags": publication.flags}
    assert publication.number == 2


# --- found ----------------------------------------------------------------------------------------


@pytest.fixture
def shelf(store: Store) -> Store:
    """Both lists, and a ward for one person; one flag of the second is with an officer."""
    officer = store.add_person()
    runs, second = store.weeks.runs, store.weeks.second
    store.publish()
    with store.database.writing(MONDAY, "system") as writing:
        wards = dict.fromkeys(sorted(both_weeks(store)[1])[:1], "Elm Ward")
        publishing.publish_run(writing, runs, second, wards)
    store.take_up(store.flags(runs=(second,), lists=("people",))[0], officer)
    return store


FOUND: list[tuple[dict[str, Any], Callable[[flags.FlagRow], bool]]] = [
    ({"lists": ("places",)}, lambda flag: flag.list == "places"),
    ({"lists": ("places", "people")}, lambda flag: True),
    ({"lists": ()}, lambda flag: False),
    ({"axes": ("harm",)}, lambda flag: "harm" in flag.axes),
    ({"themes": ("victims",), "lists": ("people",)}, lambda flag: "victims" in flag.themes and flag.list == "people"),
    ({"agencies": ("police",)}, lambda flag: "police" in flag.agencies),
    ({"agencies": ("health",)}, lambda flag: False),
    ({"agencies": ()}, lambda flag: False),
    ({"wards": ("Elm Ward",)}, lambda flag: flag.ward == "Elm Ward"),
    ({"states": ("under_review",)}, lambda flag: flag.state == "under_review"),
    ({"changes": ("new",), "bands": ("watch",)}, lambda flag: flag.change == "new" and flag.band == "watch"),
    ({"search": " P00000"}, lambda flag: "P00000" in flag.subject),
    ({"search": "EXAMPLE str"}, lambda flag: "example str" in flag.name.casefold()),
    ({"search": "%"}, lambda flag: False),
    ({"search": "_"}, lambda flag: "_" in flag.subject + flag.name),
]


def test_flags_are_found_by_list_axis_theme_agency_ward_state_change_and_name(shelf: Store) -> None:
    everything = shelf.flags()
    for filters, fits in FOUND:
        expected = {flag.id for flag in everything if fits(flag)}
        assert {flag.id for flag in shelf.flags(**filters)} == expected, filters
        with shelf.database.reading() as reading:
            page = flags.find(reading, Filters(**filters), size=2)
            counted = flags.count(reading, Filters(**filters), "list")
        assert page.total == len(expected) == sum(counted.values()), filters


def test_each_filter_above_lets_some_through_and_holds_some_back_unless_it_lets_nobody(shelf: Store) -> None:
    """The test above could pass on an empty shelf."""
    everything = shelf.flags()
    kept = [sum(map(fits, everything)) for _filters, fits in FOUND]
    assert sum(0 < number < len(everything) for number in kept) >= 8
    assert len(everything) > 8


def test_mine_are_those_i_lead(shelf: Store) -> None:
    officer = shelf.add_person()
    mine = shelf.flags(leads=(officer.id,))
    assert [flag.state for flag in mine] == ["under_review"]


def test_pages_hold_every_flag_once(shelf: Store) -> None:
    for order in ("list", "newest", "band"):
        with shelf.database.reading() as reading:
            pages = [flags.find(reading, Filters(), order, number, 3) for number in (1, 2, 3, 4, 5)]
        ids = [flag.id for page in pages for flag in page.rows]
        assert len(ids) == len(set(ids)) == pages[0].total


def test_the_history_of_a_subject_is_every_flag_it_had_oldest_first(shelf: Store) -> None:
    stays = min(set.intersection(*both_weeks(shelf)))
    with shelf.database.reading() as reading:
        past = flags.history(reading, "people", stays)
        assert [flag.run for flag in past] == [shelf.weeks.first, shelf.weeks.second]
        assert flags.history(reading, "places", stays) == ()
        with pytest.raises(Missing, match="nothing is kept under this id"):
            flags.read(reading, "Zebedee")


def test_what_is_found_inside_one_reading_is_of_one_moment(shelf: Store) -> None:
    """Somebody decides while another's page is being put together."""
    officer = shelf.add_person()
    flag = next(flag for flag in shelf.flags(states=("proposed",)))
    with shelf.database.reading() as reading:
        before = flags.read_row(reading, flag.id)
        shelf.take_up(flag, officer, later(1))
        assert flags.read_row(reading, flag.id) == before
        assert reviews.of_flag(reading, flag.id) == ()
    assert shelf.flags(leads=(officer.id,)) != []
    assert replace(before, version=2) != before
