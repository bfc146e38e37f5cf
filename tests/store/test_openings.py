"""Who opened what, and when first; and what an officer says of a flag before seeing ours."""

from __future__ import annotations

import json

import pytest

from engine.store import audit, openings, reviews
from engine.store.problems import Missing, StoreError

from .made import BECAUSE, MONDAY, Store, later


@pytest.fixture
def open_week(store: Store) -> Store:
    """A store with the first week's list published."""
    store.publish()
    return store


def test_what_somebody_opens_is_kept_the_first_time_with_its_moment(open_week: Store) -> None:
    una, sam, flag = open_week.add_person(), open_week.add_person("Sam Member"), open_week.flag()
    for minutes, user, item, new in ((0, una, "flag", True), (2, una, "record:3", True), (5, una, "record:3", False),
                                     (7, sam, "flag", True), (9, una, "flag", False)):
        with open_week.database.writing(later(minutes), user.id) as writing:
            assert openings.open_item(writing, flag.id, item) is new
    with open_week.database.reading() as reading:
        hers = openings.find_opened(reading, flag.id, una.id)
        assert [(one.item, one.record, one.at) for one in hers] == [
            ("flag", None, MONDAY), ("record:3", 3, later(2))]
        assert [(one.user, one.item) for one in openings.who_opened(reading, flag.id)] == [
            (una.id, "flag"), (una.id, "record:3"), (sam.id, "flag")]
        assert openings.who_opened(reading, open_week.flag(1).id) == ()


def test_the_log_tells_once_that_it_was_opened_and_by_what_number(open_week: Store) -> None:
    una, flag = open_week.add_person(), open_week.flag()
    with open_week.database.writing(MONDAY, una.id) as writing:
        for item in ("flag", "record:12", "record:12", "flag"):
            openings.open_item(writing, flag.id, item)
    with open_week.database.reading() as reading:
        lines = [line for action in ("flag.opened", "evidence.opened")
                 for line in audit.find(reading, audit.Wanted(action=action))[0]]
        assert [(line.actor, line.object, json.loads(line.body)) for line in lines] == [
            (una.id, flag.id, {"item": "flag"}), (una.id, flag.id, {"item": "record:12"})]
        assert audit.verify(reading) is None


@pytest.mark.parametrize("item", ["", "Flag", "record:", "record:0", "record:03", "record:1\n", "council_asb:A1",
                                  "record:1234567"])
def test_what_a_flag_does_not_have_cannot_be_opened(open_week: Store, item: str) -> None:
    una = open_week.add_person()
    with pytest.raises(StoreError) as caught, open_week.database.writing(MONDAY, una.id) as writing:
        openings.open_item(writing, open_week.flag().id, item)
    assert [(one.where, one.found) for one in caught.value.problems] == [("the opening", "is of nothing a flag has")]


def test_a_flag_that_is_not_there_cannot_be_opened(store: Store) -> None:
    una = store.add_person()
    with pytest.raises(Missing), store.database.writing(MONDAY, una.id) as writing:
        openings.open_item(writing, "0" * 32, "flag")


def test_an_officer_may_say_first_that_agencies_need_not_act_together(open_week: Store) -> None:
    una, flag, other = open_week.add_person(), open_week.flag(), open_week.flag(1)
    with open_week.database.writing(MONDAY, una.id) as writing:
        reviews.judge_first(writing, flag.id, "none")
        assert reviews.find_judged(writing, una.id, [flag.id, other.id]) == {flag.id}
        assert reviews.find_judged(writing, una.id, []) == frozenset()
        assert reviews.find_judged(writing, "somebody else", [flag.id]) == frozenset()
    said, unsaid = (open_week.take_up(one, una) for one in (flag, other))
    with open_week.database.writing(later(3), una.id) as writing:
        first = reviews.decide(writing, said.id, said.version, "declined", "other", BECAUSE)
        then = reviews.decide(writing, unsaid.id, unsaid.version, "declined", "other", BECAUSE, own_band="none")
    assert (first.own_band, then.own_band) == ("none", "none")
    with pytest.raises(StoreError, match="the band is not one of the words for it"), \
            open_week.database.writing(MONDAY, una.id) as writing:
        reviews.judge_first(writing, flag.id, "critical")
