"""What follows a decision: actions and their chase, questions to agencies, agreements, disclosures and challenges."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from engine.store import actions, agreements, challenges, questions
from engine.store.accounts import User
from engine.store.agreements import Terms
from engine.store.problems import Missing, Stale, StoreError

from .made import MONDAY, Store, later

DUE, TODAY = date(2026, 12, 4), date(2026, 12, 7)
TERMS = Terms("Sharing for tasking", "ISA 12", "DPIA 4", ("police", "housing"), ("prevent_crime_and_disorder",),
              ("people", "places"), date(2026, 4, 1), date(2027, 3, 31))


@pytest.fixture
def una(store: Store) -> User:
    store.publish()
    return store.add_person()


# --- actions --------------------------------------------------------------------------------------


def test_an_action_is_agreed_chased_when_overdue_and_done(store: Store, una: User) -> None:
    flag = store.flag()
    with store.database.writing(MONDAY, una.id) as writing:
        visit = actions.agree(writing, flag.id, "Visit together with the police.", "police", "A. Worker", DUE)
        actions.agree(writing, flag.id, "Mend the lock of the front door.", "housing", "B. Worker", date(2027, 1, 8))
        assert actions.find_overdue(writing, DUE) == ()
        assert actions.find_overdue(writing, TODAY) == (visit,)
        assert actions.find_overdue(writing, TODAY, "housing") == ()
    with store.database.writing(later(5), una.id) as writing:
        done = actions.close(writing, visit.id, visit.version, "done")
        assert (done.state, done.changed_by, done.changed_at) == ("done", una.id, later(5))
        assert actions.find_overdue(writing, TODAY) == ()
        assert [action.agency for action in actions.find(writing)] == ["housing"]
        assert len(actions.of_flag(writing, flag.id)) == len(actions.of_subject(writing, "people", flag.subject)) == 2


def test_an_action_is_put_off_or_cancelled_with_a_reason(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        visit = actions.agree(writing, store.flag().id, "Visit together with the police.", "police", "A. Worker", DUE)
        visit = actions.put_off(writing, visit.id, visit.version, date(2027, 1, 8))
        with pytest.raises(StoreError, match="there is no reason"):
            actions.close(writing, visit.id, visit.version, "cancelled")
        gone = actions.close(writing, visit.id, visit.version, "cancelled", "They moved to another borough.")
        with pytest.raises(StoreError, match="is cancelled already"):
            actions.close(writing, visit.id, gone.version, "done")


def test_of_two_people_closing_one_action_the_second_is_told(store: Store, una: User) -> None:
    ola = store.add_person("Ola Other")
    with store.database.writing(MONDAY, una.id) as writing:
        visit = actions.agree(writing, store.flag().id, "Visit together with the police.", "police", "A. Worker", DUE)
        actions.close(writing, visit.id, visit.version, "done")
    with pytest.raises(Stale, match=f"by user {una.id}") as caught, store.database.writing(later(3), ola.id) as writing:
        actions.close(writing, visit.id, visit.version, "cancelled", "It was not needed.")
    assert caught.value.state == "done"


def test_everything_wrong_with_an_action_is_said_at_once(store: Store, una: User) -> None:
    with pytest.raises(StoreError) as caught, store.database.writing(MONDAY, una.id) as writing:
        actions.agree(writing, store.flag().id, "", "the council", "", date(2026, 11, 22))
    assert [problem.found for problem in caught.value.problems] == [
        "there is no action", "there is no owner", "the agency is not one of the words for it",
        "is due before it is agreed"]


# --- questions ------------------------------------------------------------------------------------


def test_an_agency_is_asked_and_answers_or_may_not_say(store: Store, una: User) -> None:
    flag = store.flag()
    with store.database.writing(MONDAY, una.id) as writing:
        first = questions.ask(writing, flag.id, "health", "Is somebody seeing them already?", "need_mh", DUE)
        second = questions.ask(writing, flag.id, "health", "Would a visit at home do harm?")
        assert questions.find(writing, "health") == tuple(sorted((first, second), key=lambda q: (q.asked_at, q.id)))
        assert questions.find(writing, "police") == ()
        answered = questions.answer(writing, first.id, 1, "Yes")
        withheld = questions.withhold(writing, second.id, 1)
        assert (answered.state, answered.reply, answered.replied_by) == ("answered", "Yes", una.id)
        assert (withheld.state, withheld.reply, withheld.replied_at) == ("withheld", "", MONDAY)
        assert questions.find(writing) == ()
        assert len(questions.of_flag(writing, flag.id)) == 2
        assert len(questions.of_subject(writing, "people", flag.subject)) == 2


def test_a_question_is_answered_once_and_withdrawn_only_unanswered(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        asked = questions.ask(writing, store.flag().id, "health", "Is somebody seeing them already?")
        answered = questions.answer(writing, asked.id, 1, "Yes")
        with pytest.raises(StoreError, match="is answered already"):
            questions.withdraw(writing, asked.id, answered.version)
        with pytest.raises(Stale):
            questions.withhold(writing, asked.id, 1)
        other = questions.ask(writing, store.flag().id, "health", "Would a visit at home do harm?")
        assert questions.withdraw(writing, other.id, 1).state == "withdrawn"


def test_a_value_that_an_agency_gives_stands_apart_from_its_words(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        first, second = (questions.ask(writing, store.flag().id, "health", "How many needs are there?", "needs")
                         for _ in range(2))
        both = questions.answer(writing, first.id, 1, "Both of long standing.", "2")
        alone = questions.answer(writing, second.id, 1, "", "2")
        assert (both.value, both.reply) == ("2", "Both of long standing.")
        assert (alone.value, alone.reply) == ("2", "")


def test_what_is_over_is_found_since_a_day(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        asked = questions.ask(writing, store.flag().id, "health", "Is somebody seeing them already?")
        visit = actions.agree(writing, store.flag().id, "Visit together with the police.", "police", "A. Worker", DUE)
        questions.answer(writing, asked.id, 1, "Yes")
        actions.close(writing, visit.id, 1, "done")
        assert [one.id for one in questions.find(writing, None, ("answered",), MONDAY)] == [asked.id]
        assert [one.id for one in actions.find(writing, ("done",), None, MONDAY)] == [visit.id]
        assert questions.find(writing, None, ("answered",), later(1)) == ()
        assert actions.find(writing, ("done",), None, later(1)) == ()


def test_an_action_is_not_put_off_to_a_day_that_is_over(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        visit = actions.agree(writing, store.flag().id, "Visit together with the police.", "police", "A. Worker", DUE)
        with pytest.raises(StoreError, match="is put off to a day that is over"):
            actions.put_off(writing, visit.id, 1, date(2026, 11, 1))


# --- agreements -----------------------------------------------------------------------------------


HOLDS = [
    (date(2026, 4, 1), "police", "prevent_crime_and_disorder", "people", True),
    (date(2027, 3, 31), "housing", "prevent_crime_and_disorder", "places", True),
    (date(2027, 4, 1), "police", "prevent_crime_and_disorder", "people", False),
    (date(2026, 3, 31), "police", "prevent_crime_and_disorder", "people", False),
    (date(2026, 11, 23), "health", "prevent_crime_and_disorder", "people", False),
    (date(2026, 11, 23), "police", "safeguarding", "people", False),
    (date(2026, 11, 23), "police", "prevent_crime_and_disorder", "allocations", False),
]


def test_an_agreement_holds_for_its_days_agencies_purposes_and_lists(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        made = agreements.make(writing, TERMS)
        for day, agency, purpose, list_name, holds in HOLDS:
            found = agreements.find_holding(writing, day, agency, purpose, list_name)
            assert found == ((made,) if holds else ()), (day, agency, purpose, list_name)


def test_a_withdrawn_agreement_holds_no_longer(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        made = agreements.make(writing, TERMS)
        agreements.withdraw(writing, made.id, made.version)
        assert agreements.find_holding(writing, MONDAY.date()) == ()
        assert [one.reference for one in agreements.find(writing)] == ["ISA 12"]


def test_everything_wrong_with_an_agreement_is_said_at_once(store: Store, una: User) -> None:
    wrong = replace(TERMS, title="", dpia_reference="", agencies=(), purposes=("curiosity",),
                    valid_until=date(2026, 1, 1))
    with pytest.raises(StoreError) as caught, store.database.writing(MONDAY, una.id) as writing:
        agreements.make(writing, wrong)
    assert [problem.found for problem in caught.value.problems] == [
        "there is no title", "there is no DPIA reference", "names no agency",
        "the purpose is not one of the words for it", "ends before it begins"]


# --- told, and told that it was wrong -------------------------------------------------------------


def test_a_challenge_that_is_upheld_is_heard_by_everybody_who_was_told(store: Store, una: User) -> None:
    first, second = store.flags(lists=("people",))[:2]
    with store.database.writing(MONDAY, una.id) as writing:
        made = agreements.make(writing, TERMS)
        pack = agreements.disclose(writing, "police", "agenda_pdf", "prevent_crime_and_disorder",
                                   [first.id, second.id], file_digest="ab" * 32, agreement=made.id)
        sheet = agreements.disclose(writing, "housing", "list_xlsx", "prevent_crime_and_disorder", [second.id], rows=9)
        challenge = challenges.raise_challenge(writing, first.id, "advocate", "The report was about a neighbour.",
                                               ["suffered_90d"], ["council_asb:A1"])
        assert agreements.find_disclosures(writing, first.id) == ((pack,), 1)
        assert set(agreements.find_disclosures(writing)[0]) == {pack, sheet}
        assert agreements.find_disclosed_flags(writing, pack.id) == tuple(sorted((first.id, second.id)))
        assert (pack.rows, sheet.rows) == (2, 9)
        assert [(r.disclosure.id, r.sent) for r in challenges.find_recalls(writing, challenge.id)] == [(pack.id, None)]
    with store.database.writing(later(1), una.id) as writing:
        challenges.close(writing, challenge.id, 1, "upheld", "It was a neighbour: the record is corrected.")
        challenges.recall(writing, challenge.id, pack.id)
        challenges.recall(writing, challenge.id, pack.id)
        with pytest.raises(Missing):
            challenges.recall(writing, challenge.id, sheet.id)
    with store.database.writing(later(2), una.id) as writing:
        challenges.acknowledge(writing, challenge.id, pack.id)
        told = challenges.find_recalls(writing, challenge.id)[0]
        assert (told.disclosure, told.sent, told.acknowledged) == (pack, later(1), later(2))
        assert challenges.find(writing) == ()
        assert challenges.of_flag(writing, first.id)[0].records == ("council_asb:A1",)


def test_whoever_was_told_of_an_earlier_flag_of_the_subject_hears_of_it_too(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        told = agreements.disclose(writing, "police", "agenda_pdf", "prevent_crime_and_disorder",
                                   [flag.id for flag in store.flags(lists=("people",))])
    store.publish(store.weeks.second)
    now = store.flags(states=("superseded",), lists=("people",))[0].successor
    assert now is not None
    with store.database.writing(later(1), una.id) as writing:
        challenge = challenges.raise_challenge(writing, now, "subject", "This never happened to me.")
        assert [one.disclosure.id for one in challenges.find_recalls(writing, challenge.id)] == [told.id]


def test_an_agency_finds_what_was_recalled_from_it_and_the_first_who_reads_it_is_kept(store: Store, una: User) -> None:
    flag = store.flags(lists=("people",))[0]
    with store.database.writing(MONDAY, una.id) as writing:
        told = agreements.disclose(writing, "police", "agenda_pdf", "prevent_crime_and_disorder", [flag.id])
        challenge = challenges.raise_challenge(writing, flag.id, "subject", "This never happened to me.")
        challenges.close(writing, challenge.id, 1, "upheld", "It did not happen to this person.")
        with pytest.raises(Missing):
            challenges.acknowledge(writing, challenge.id, told.id)      # before it was sent
        challenges.recall(writing, challenge.id, told.id)
    for days in (1, 2):
        with store.database.writing(later(days), una.id) as writing:
            challenges.acknowledge(writing, challenge.id, told.id)
    with store.database.reading() as reading:
        (notice,) = challenges.find_notices(reading, "police")
        assert (notice.challenge, notice.recall.disclosure, notice.recall.acknowledged) == (
            challenge.id, told, later(1))
        assert challenges.find_notices(reading, "housing") == ()


def test_only_an_upheld_challenge_has_records_to_be_believed_again(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        challenge = challenges.raise_challenge(writing, store.flag().id, "subject", "This never happened to me.")
        with pytest.raises(StoreError, match="is open"):
            challenges.believe(writing, challenge.id, 1)
        challenges.close(writing, challenge.id, 1, "upheld", "It did not happen to this person.")
        assert challenges.believe(writing, challenge.id, 2).version == 3
        with pytest.raises(Stale):
            challenges.believe(writing, challenge.id, 2)


def test_a_challenge_is_found_from_every_flag_of_its_subject(store: Store, una: User) -> None:
    first, second = store.flags(lists=("people",))[:2]
    with store.database.writing(MONDAY, una.id) as writing:
        challenge = challenges.raise_challenge(writing, first.id, "subject", "This never happened to me.")
    store.publish(store.weeks.second)
    with store.database.reading() as reading:
        assert challenges.of_subject(reading, "people", first.subject) == (challenge,)
        assert challenges.of_subject(reading, "people", second.subject) == ()
        assert challenges.of_subject(reading, "places", first.subject) == ()


def test_a_challenge_is_closed_once_in_words(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        challenge = challenges.raise_challenge(writing, store.flag().id, "subject", "This never happened to me.")
        for outcome, words, said in (("gone", "It was looked at.", "the outcome is not one of the words for it"),
                                     ("upheld", "", "there is no outcome")):
            with pytest.raises(StoreError, match=said):
                challenges.close(writing, challenge.id, 1, outcome, words)
        closed = challenges.close(writing, challenge.id, 1, "not_upheld", "The officer who was there confirms it.")
        with pytest.raises(StoreError, match="is not upheld already"):
            challenges.close(writing, challenge.id, closed.version, "upheld", "On second thoughts it was.")
