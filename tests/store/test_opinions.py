"""What people say of a screening: an officer's own view, and a request to a manager to set a hard conflict aside."""

from __future__ import annotations

import pytest

from engine.store import opinions, requests
from engine.store.accounts import User
from engine.store.problems import Missing, Stale, StoreError

from .made import MONDAY, Store, later

SCREENING, OTHER = "5" * 32, "6" * 32
RULE = "allocation/witness-beside-party"
REASON = "The other party moved to another town last week."
INSTEAD = "The police confirm it before the keys are given."


@pytest.fixture
def una(store: Store) -> User:
    return store.add_person("Una Officer", "housing_officer")


@pytest.fixture
def jo(store: Store) -> User:
    return store.add_person("Jo Manager", "housing_manager")


def test_a_view_is_kept_with_its_screening_before_and_after_it_is_read(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        before = opinions.say(writing, SCREENING, "would_offer")
        opinions.say(writing, OTHER, "agree")
    with store.database.writing(later(9), una.id) as writing:
        after = opinions.say(writing, SCREENING, "would_not_offer_anyway", " They know somebody in the next street. ")
        assert opinions.of_screening(writing, SCREENING) == (before, after)
    assert (before.before, before.says, before.user, before.at) == (True, "", una.id, MONDAY)
    assert (after.before, after.says) == (False, "They know somebody in the next street.")


@pytest.mark.parametrize(("view", "says", "found"), [
    ("not_sure", "", "there is no reason"),
    ("would_offer_anyway", "...", "the reason is not said in words"),
    ("agree", "yes\0", "the reason has a character that cannot be kept"),
    ("refuse_them", "They should get nothing.", "the view is not one of the words for it"),
])
def test_what_is_no_view_is_not_kept(store: Store, una: User, view: str, says: str, found: str) -> None:
    with pytest.raises(StoreError) as caught, store.database.writing(MONDAY, una.id) as writing:
        opinions.say(writing, SCREENING, view, says)
    assert [problem.found for problem in caught.value.problems] == [found]


def test_a_request_waits_for_a_manager_who_grants_or_refuses_it_once(store: Store, una: User, jo: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        asked = requests.ask(writing, SCREENING, RULE, REASON, INSTEAD)
        other = requests.ask(writing, OTHER, RULE, REASON, INSTEAD)
        assert requests.find(writing) == tuple(sorted((asked, other), key=lambda one: one.id))
        assert requests.find(writing, asked_by=jo.id) == ()
    with store.database.writing(later(5), jo.id) as writing:
        granted = requests.grant(writing, asked.id, asked.version, "I spoke to the police.")
        refused = requests.refuse(writing, other.id, other.version, "Nobody has confirmed it.")
        assert (granted.state, granted.answered_by, granted.answered_at) == ("granted", jo.id, later(5))
        assert (refused.state, refused.answer) == ("refused", "Nobody has confirmed it.")
        assert requests.find(writing) == ()
        assert requests.of_screening(writing, SCREENING) == (granted,)
        with pytest.raises(StoreError, match="is granted already"):
            requests.withdraw(writing, asked.id, granted.version)


def test_of_two_managers_answering_one_request_the_second_is_told(store: Store, una: User, jo: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        asked = requests.ask(writing, SCREENING, RULE, REASON, INSTEAD)
    with store.database.writing(later(1), jo.id) as writing:
        requests.refuse(writing, asked.id, 1, "Nobody has confirmed it.")
    with pytest.raises(Stale, match=f"by user {jo.id}"), store.database.writing(later(2), una.id) as writing:
        requests.grant(writing, asked.id, 1, "I spoke to the police.")


def test_a_rule_is_asked_about_once_at_a_time_and_again_after_withdrawing(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        asked = requests.ask(writing, SCREENING, RULE, REASON, INSTEAD)
        with pytest.raises(StoreError, match="waits for a manager") as caught:
            requests.ask(writing, SCREENING, RULE, REASON, INSTEAD)
        assert caught.value.fault == "conflict"
        assert requests.withdraw(writing, asked.id, 1).state == "withdrawn"
        assert requests.ask(writing, SCREENING, RULE, REASON, INSTEAD).state == "asked"


def test_everything_missing_from_a_request_is_said_at_once(store: Store, una: User) -> None:
    with pytest.raises(StoreError) as caught, store.database.writing(MONDAY, una.id) as writing:
        requests.ask(writing, SCREENING, RULE, "ok", "x" * (requests.LONGEST + 1))
    assert [problem.found for problem in caught.value.problems] == [
        "the reason is not said in words", "the mitigation is too long"]
    with pytest.raises(Missing), store.database.reading() as reading:
        requests.read(reading, "0" * 32)
