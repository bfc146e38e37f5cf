"""What people decide: by the states, with a reason in words, and nobody's word lost under another's."""

from __future__ import annotations

import json

import pytest

from engine.store import audit, reviews
from engine.store.problems import Missing, Stale, StoreError

from .made import BECAUSE, MONDAY, Store, later


@pytest.fixture
def open_week(store: Store) -> Store:
    store.publish()
    return store


# --- the states -----------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", ["confirmed", "declined", "redirected", "needs_information"])
def test_a_flag_is_taken_up_and_decided(open_week: Store, decision: str) -> None:
    officer = open_week.add_person()
    taken = open_week.take_up(open_week.flag(), officer)
    review = open_week.decide(taken, officer, decision, at=later(5))

    flag = open_week.flag()
    assert (taken.state, taken.lead) == ("under_review", officer.id)
    assert (flag.state, flag.changed_by, flag.changed_at) == (decision, officer.id, later(5))
    assert (review.number, review.decision, review.shown_band, review.corrects) == (1, decision, flag.band, None)


def test_a_flag_nobody_took_up_is_not_decided(open_week: Store) -> None:
    with pytest.raises(StoreError, match="cannot be decided while it is proposed") as caught:
        open_week.decide(open_week.flag(), open_week.add_person())
    assert caught.value.problems[0].fix == "take it up first"


def test_a_flag_that_waited_for_information_is_taken_up_again_and_decided(open_week: Store) -> None:
    officer = open_week.add_person()
    open_week.decide(open_week.take_up(open_week.flag(), officer), officer, "needs_information", "feed_late")
    open_week.decide(open_week.take_up(open_week.flag(), officer, later(9)), officer, "declined", "out_of_date")
    with open_week.database.reading() as reading:
        assert [(r.number, r.decision, r.corrects) for r in reviews.of_flag(reading, open_week.flag().id)] == [
            (1, "needs_information", None), (2, "declined", None)]


def test_a_decision_is_corrected_by_a_further_review_and_the_first_one_stays(open_week: Store) -> None:
    officer, other = open_week.add_person(), open_week.add_person("Ola Other")
    first = open_week.decide(open_week.take_up(open_week.flag(), officer), officer)
    second = open_week.decide(open_week.flag(), other, "declined", "facts_wrong", "The report was of another street.")

    assert second.corrects == first.id
    assert open_week.flag().state == "declined"
    with open_week.database.reading() as reading:
        assert reviews.of_flag(reading, open_week.flag().id) == (first, second)
        assert reviews.read(reading, first.id) == first


def test_a_decided_flag_is_not_taken_up(open_week: Store) -> None:
    officer = open_week.add_person()
    open_week.decide(open_week.take_up(open_week.flag(), officer), officer)
    with pytest.raises(StoreError, match="is already decided: confirmed"):
        open_week.take_up(open_week.flag(), officer)


def test_a_flag_that_left_is_neither_taken_up_nor_decided(open_week: Store) -> None:
    open_week.publish(open_week.weeks.second)
    officer, gone = open_week.add_person(), open_week.flags(states=("left",))[0]
    for act in (open_week.take_up, open_week.decide):
        with pytest.raises(StoreError, match="left"):
            act(gone, officer)      # type: ignore[operator]


def test_somebody_else_may_take_a_flag_over(open_week: Store) -> None:
    officer, other = open_week.add_person(), open_week.add_person("Ola Other")
    open_week.take_up(open_week.flag(), officer)
    assert open_week.take_up(open_week.flag(), other).lead == other.id


def test_nobody_but_a_person_decides(open_week: Store) -> None:
    """The actor must have an account: `system`, which publishes, has none."""
    with pytest.raises(StoreError, match="does not allow this change"), \
            open_week.database.writing(MONDAY, "system") as writing:
        reviews.take_up(writing, open_week.flag().id, 1)
    assert open_week.flag().state == "proposed"


# --- two people on one flag -----------------------------------------------------------------------


def test_of_two_people_on_one_flag_the_second_is_told_who_when_and_what_and_loses_nothing(open_week: Store) -> None:
    una, ola = open_week.add_person(), open_week.add_person("Ola Other")
    seen = open_week.take_up(open_week.flag(), una)
    open_week.decide(seen, una, "confirmed", at=later(3))
    with pytest.raises(Stale) as caught:
        open_week.decide(seen, ola, "declined", "facts_wrong", at=later(4))

    told = caught.value
    assert (told.by, told.at, told.state, told.version, told.flag) == (una.id, later(3), "confirmed", 3, seen.id)
    assert str(told) == (
        f"the flag: was changed by user {una.id} at 2026-11-23T09:33:00+00:00, to confirmed\n"
        "    allowed: version 3, which is what is kept now\n"
        "    to mend: nothing of yours was written; read what is there now, and decide again")
    assert told.fault == "conflict"
    with open_week.database.reading() as reading:
        assert [review.reviewer for review in reviews.of_flag(reading, seen.id)] == [una.id]
        assert audit.find(reading, audit.Wanted(actor=ola.id))[1] == 0


def test_the_second_to_take_a_flag_up_is_told_too(open_week: Store) -> None:
    una, ola = open_week.add_person(), open_week.add_person("Ola Other")
    seen = open_week.flag()
    open_week.take_up(seen, una)
    with pytest.raises(Stale, match="to under review"):
        open_week.take_up(seen, ola)


def test_a_flag_that_never_was_gives_helpful_error_without_repeating_what_was_asked(open_week: Store) -> None:
    officer = open_week.add_person()
    with pytest.raises(Missing) as caught, open_week.database.writing(MONDAY, officer.id) as writing:
        reviews.take_up(writing, "Zebedee", 1)
    assert "Zebedee" not in str(caught.value)
    assert caught.value.fault == "not_found"


# --- the reason -----------------------------------------------------------------------------------


def test_everything_wrong_with_a_decision_is_said_at_once(open_week: Store) -> None:
    officer = open_week.add_person()
    taken = open_week.take_up(open_week.flag(), officer)
    with pytest.raises(StoreError) as caught, open_week.database.writing(MONDAY, officer.id) as writing:
        reviews.decide(writing, taken.id, taken.version, "declined", "getting_worse", " ", "high", -1, ["a\0"])
    assert [problem.found for problem in caught.value.problems] == [
        "the reason is not one of the words for it", "there is no rationale", "the band is not one of the words for it",
        "the time taken is not a number of seconds", "the list of evidence has a character that cannot be kept"]
    assert "already_in_hand" in caught.value.problems[0].allowed


def test_a_decision_that_is_no_decision_gives_helpful_error(open_week: Store) -> None:
    officer = open_week.add_person()
    with pytest.raises(StoreError, match="the decision is not one of the words for it") as caught:
        open_week.decide(open_week.take_up(open_week.flag(), officer), officer, "approved")
    assert caught.value.problems[0].allowed == "confirmed, declined, redirected, needs_information"


def test_saying_no_needs_no_more_than_saying_yes(open_week: Store) -> None:
    """The same words do for each decision, one person alone decides, and there is always the reason `other`."""
    officer = open_week.add_person()
    for flag, decision in zip(open_week.flags(), reviews.REASONS, strict=False):
        assert "other" in reviews.REASONS[decision]
        assert open_week.decide(open_week.take_up(flag, officer), officer, decision).decision == decision


@pytest.mark.parametrize("words", ["Bydd yr asiantaethau’n cwrdd — Tŷ Gwyn", "<script>alert('x')</script> was sent",
                                   "'; DROP TABLE reviews; --", "line one\nline two\tand 😀 more"])
def test_a_rationale_is_kept_as_it_was_written(open_week: Store, words: str) -> None:
    officer = open_week.add_person()
    review = open_week.decide(open_week.take_up(open_week.flag(), officer), officer, rationale=words)
    with open_week.database.reading() as reading:
        assert reviews.read(reading, review.id).rationale == words


@pytest.mark.parametrize(("words", "said"), [
    ("ok", "the rationale is not said in words"), ("1234567890 !!", "the rationale is not said in words"),
    ("word " * 900, "the rationale is too long"), ("there is a \0 in this", "a character that cannot be kept"),
    ("there is half \ud83d of a sign", "a character that cannot be kept")])
def test_a_rationale_that_nobody_could_follow_or_keep_gives_helpful_error(
    open_week: Store, words: str, said: str
) -> None:
    officer = open_week.add_person()
    taken = open_week.take_up(open_week.flag(), officer)
    with pytest.raises(StoreError, match=said):
        open_week.decide(taken, officer, rationale=words)
    assert open_week.flag().state == "under_review"


# --- judgement kept -------------------------------------------------------------------------------


def test_the_band_an_officer_gave_before_seeing_ours_counts_and_is_not_given_twice(open_week: Store) -> None:
    officer, flag = open_week.add_person(), open_week.flag()
    with open_week.database.writing(MONDAY, officer.id) as writing:
        reviews.judge_first(writing, flag.id, "convene")
        reviews.judge_first(writing, flag.id, flag.band)
    taken = open_week.take_up(flag, officer)
    with open_week.database.writing(later(2), officer.id) as writing:
        review = reviews.decide(writing, taken.id, taken.version, "confirmed", "other", BECAUSE, flag.band, 95,
                                ["council_asb:A1", "council_asb:A2"])
    assert (review.own_band, review.shown_band) == ("convene", "watch")
    assert (review.seconds, review.opened) == (95, ("council_asb:A1", "council_asb:A2"))


def test_the_log_tells_the_decision_and_its_code_and_none_of_the_words(open_week: Store) -> None:
    officer = open_week.add_person()
    taken = open_week.take_up(open_week.flag(), officer)
    review = open_week.decide(taken, officer, "declined", "facts_wrong")
    with open_week.database.reading() as reading:
        line = audit.find(reading, audit.Wanted(action="flag.decided"))[0][0]
    assert (line.actor, line.object) == (officer.id, taken.id)
    assert json.loads(line.body) == {
        "review": review.id, "number": 1, "from": "under_review", "decision": "declined", "reason": "facts_wrong",
        "shown_band": "watch", "own_band": None, "seconds": None, "opened": 0, "corrects": None, "version": 3}
