"""What is kept of a screening, who may override a conflict, and what stands in the way of recording an offer."""

from __future__ import annotations

import json
import random
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Problem, RunError, ScreenError
from engine.flag import write_json
from engine.screening import Answer, Level, Pair
from engine.screenings import Kept, Offer, Screenings

from .made import AS_OF, a_screening

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 23, 10, 30)
LATER = datetime(2026, 11, 23, 11)
HARD: tuple[str, Level] = ("allocation/near-abuser", "hard")
OTHER_HARD: tuple[str, Level] = ("allocation/inside-zone", "hard")
SOFT: tuple[str, Level] = ("allocation/noisy-block", "soft")
INFO: tuple[str, Level] = ("allocation/sensitive-let", "info")
REASON, MITIGATION = "No other home is ready in time.", "The abuser is in custody until May; police will call first."


@pytest.fixture
def screenings(tmp_path: Path) -> Screenings:
    return Screenings(tmp_path / "home")


def keep(screenings: Screenings, *conflicts: tuple[str, Level], **given: Any) -> Kept:
    return screenings.keep(a_screening(conflicts, **given), (), "desk", "officer", AT)


def override(screenings: Screenings, id: str, rule: str = HARD[0], **given: Any) -> Any:
    said = {"by": "anna", "role": "housing_manager", "reason": REASON, "mitigation": MITIGATION, "at": LATER}
    return screenings.override(id, rule, **{**said, **given})


def offer(screenings: Screenings, id: str, **given: Any) -> Offer:
    return screenings.offer(id, **{"by": "officer", "role": "housing_officer", "at": LATER, **given})


def refused(act: Callable[[], object]) -> tuple[str, list[Problem]]:
    """Which way an act was refused, and with what problems."""
    with pytest.raises(ScreenError) as caught:
        act()
    return caught.value.fault, list(caught.value.problems)


def lines(screenings: Screenings) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (screenings.folder / "log.jsonl").read_text().splitlines()]


# --- kept -----------------------------------------------------------------------------------------


def test_a_screening_is_kept_with_all_that_replaying_it_needs(screenings: Screenings) -> None:
    screening = a_screening([HARD, SOFT, INFO], applicant="P-7", proposal="PR-3")
    answers = [Answer("works_nights", True, AS_OF), Answer("children", 2, AS_OF), Answer("rent", 2.0, AS_OF),
               Answer("tenure", "2026-01-01", AS_OF), Answer("moved_in", date(2026, 1, 1), date(2026, 11, 20))]

    screenings.keep(screening, answers, "desk-digest", "officer", AT)
    kept = Screenings(screenings.folder.parent).find("S000001")

    assert kept == Kept(
        "S000001", "2026-11-23T10:30:00", "officer", Pair("HR-1", "P-7", "100", "PR-3"), AS_OF, "avoid_this_property",
        (HARD[0],), (SOFT[0],), {HARD[0]: "Near abuser", SOFT[0]: "Noisy block"}, tuple(answers), "desk-digest",
        sha256(write_json(screening, indent=None).encode()).hexdigest(), None, "")
    assert [type(answer.value) for answer in kept.answers] == [bool, int, float, str, date]


def test_the_text_kept_is_the_screening_byte_for_byte(screenings: Screenings) -> None:
    screening = a_screening([HARD], headline="“Ask first” – Zoë’s \u2028 flat")

    screenings.keep(screening, (), "desk", "officer", AT)

    assert screenings.text("S000001") == write_json(screening, indent=None)


def test_screenings_are_numbered_as_they_were_kept(screenings: Screenings) -> None:
    for uprn in ("100", "200", "300"):
        keep(screenings, uprn=uprn)

    assert [(kept.id, kept.pair.uprn) for kept in screenings.names()] == [
        ("S000001", "100"), ("S000002", "200"), ("S000003", "300")]


def test_keeping_a_screening_records_no_offer(screenings: Screenings) -> None:
    keep(screenings)

    assert (screenings.offers(), screenings.let_homes(), screenings.overrides()) == ([], frozenset(), [])


def test_only_its_owner_can_look_into_the_folder(screenings: Screenings) -> None:
    keep(screenings)

    assert stat.S_IMODE(screenings.folder.stat().st_mode) == 0o700


def test_looking_leaves_no_folder_behind(screenings: Screenings) -> None:
    assert screenings.names() == []
    assert not screenings.folder.exists()


@pytest.mark.parametrize("id", ["S000002", "s000001", "", "../log", "Jane Doe"])
def test_an_unknown_screening_gives_helpful_error_without_repeating_what_was_typed(
    screenings: Screenings, id: str
) -> None:
    keep(screenings)

    for act in (screenings.find, screenings.text, lambda id: offer(screenings, id),
                lambda id: override(screenings, id)):
        assert refused(lambda act=act: act(id)) == ("not_found", [  # type: ignore[misc]
            Problem("the screening", "no screening was kept under this id", "S and its number: S000001",
                    "correct the id, or screen the offer first")])


# --- the same request twice -----------------------------------------------------------------------


def test_the_same_key_with_the_same_request_keeps_one_screening(screenings: Screenings) -> None:
    first = screenings.keep(a_screening(), (), "desk", "officer", AT, "key-1", "request-a")
    again = screenings.keep(a_screening(), (), "desk", "officer", LATER, "key-1", "request-a")

    assert again == first
    assert len(lines(screenings)) == 1
    assert screenings.find_key("officer", "key-1", "request-a") == first


def test_the_same_key_with_another_request_is_refused(screenings: Screenings) -> None:
    screenings.keep(a_screening(), (), "desk", "officer", AT, "key-1", "request-a")
    refusal = ("conflict", [Problem("S000001", "was kept for another request with the same idempotency key",
                                    "one key for one request", "send this request with a new key")])

    assert refused(lambda: screenings.find_key("officer", "key-1", "request-b")) == refusal
    assert refused(lambda: screenings.keep(a_screening(uprn="200"), (), "desk", "officer", AT, "key-1", "request-b")
                   ) == refusal
    assert len(lines(screenings)) == 1


def test_another_askers_same_key_is_another_key(screenings: Screenings) -> None:
    screenings.keep(a_screening(), (), "desk", "officer", AT, "key-1", "request-a")

    assert screenings.find_key("colleague", "key-1", "request-b") is None
    assert screenings.keep(a_screening(), (), "desk", "colleague", AT, "key-1", "request-b").id == "S000002"


def test_without_a_key_the_same_request_is_kept_each_time(screenings: Screenings) -> None:
    assert [keep(screenings).id, keep(screenings).id] == ["S000001", "S000002"]


def test_the_same_key_sent_by_many_at_once_keeps_one_screening(screenings: Screenings) -> None:
    def send(_: int) -> str:
        return screenings.keep(a_screening(), (), "desk", "officer", AT, "key-1", "request-a").id

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(send, range(40))) == {"S000001"}
    assert len(lines(screenings)) == 1


# --- overriding -----------------------------------------------------------------------------------


def test_a_housing_manager_overrides_a_hard_conflict_and_it_is_reported(screenings: Screenings) -> None:
    keep(screenings, HARD)

    override(screenings, "S000001")
    [made] = Screenings(screenings.folder.parent).overrides()

    assert (made.screening, made.rule, made.title, made.by, made.role, made.reason, made.mitigation, made.at,
            made.counts) == ("S000001", HARD[0], "Near abuser", "anna", "housing_manager", REASON, MITIGATION,
                             "2026-11-23T11:00:00", True)


@pytest.mark.parametrize("role", ["housing_officer", "manager", "Housing_Manager", ""])
def test_nobody_else_may_override(screenings: Screenings, role: str) -> None:
    keep(screenings, HARD)

    assert refused(lambda: override(screenings, "S000001", role=role)) == ("forbidden", [
        Problem("the override", "overriding a hard conflict needs the role housing_manager", "housing_manager",
                "ask a housing manager to override it, or offer another home")])
    assert screenings.overrides() == []


def test_an_override_without_words_is_refused_with_everything_that_is_missing(screenings: Screenings) -> None:
    keep(screenings, HARD)

    assert refused(lambda: override(screenings, "S000001", by=" ", reason="ok 1234567890", mitigation="x" * 2001)) == (
        "invalid", [
            Problem("S000001", "does not say who did it", "the name or number of a person",
                    "sign in, or say who it was"),
            Problem("S000001", "the reason is not said in words", "10 letters at least and 2000 characters at most",
                    "write the reason in a sentence that another person can follow"),
            Problem("S000001", "the mitigation is too long", "10 letters at least and 2000 characters at most",
                    "write the mitigation in a sentence that another person can follow")])
    assert screenings.overrides() == []


@pytest.mark.parametrize(("rule", "found", "allowed", "fix"), [
    (SOFT[0], "has this as a soft conflict: Noisy block", "a hard conflict",
     "nothing is to be overridden: ask the applicant, whose informed view may accept it"),
    (INFO[0], "has no hard conflict from this rule", HARD[0], "override one of its hard conflicts"),
    ("Jane Doe", "has no hard conflict from this rule", HARD[0], "override one of its hard conflicts"),
])
def test_only_a_hard_conflict_can_be_overridden(
    screenings: Screenings, rule: str, found: str, allowed: str, fix: str
) -> None:
    keep(screenings, HARD, SOFT, INFO)

    assert refused(lambda: override(screenings, "S000001", rule)) == (
        "invalid", [Problem("S000001", found, allowed, fix)])


def test_where_there_is_no_hard_conflict_nothing_is_to_be_overridden(screenings: Screenings) -> None:
    keep(screenings)

    assert refused(lambda: override(screenings, "S000001")) == ("invalid", [
        Problem("S000001", "has no hard conflict from this rule", "it has no hard conflict",
                "nothing is to be overridden")])


def test_two_managers_words_on_one_conflict_are_both_kept_and_the_first_counts(screenings: Screenings) -> None:
    keep(screenings, HARD)

    override(screenings, "S000001", by="anna")
    override(screenings, "S000001", by="bilal", reason="The applicant asks for this home.")

    assert [(made.by, made.counts) for made in screenings.overrides()] == [("anna", True), ("bilal", False)]


def test_the_same_word_of_the_same_manager_is_kept_once(screenings: Screenings) -> None:
    keep(screenings, HARD)

    first = override(screenings, "S000001", at=AT)
    again = override(screenings, "S000001", at=LATER)

    assert again == first
    assert len(screenings.overrides()) == 1


# --- offering -------------------------------------------------------------------------------------


def test_an_offer_is_recorded_with_who_made_it_and_what_it_was_made_in_spite_of(screenings: Screenings) -> None:
    keep(screenings, HARD, SOFT, INFO, applicant="P-7")
    override(screenings, "S000001")

    made = offer(screenings, "S000001", applicant_view="accepts")

    assert made == Offer("OF000001", "S000001", "HR-1", "P-7", "100", "officer", "housing_officer", "accepts",
                         (HARD[0],), (SOFT[0],), "2026-11-23T11:00:00")
    assert Screenings(screenings.folder.parent).offers() == [made]
    assert screenings.let_homes() == {"100"}


def test_a_hard_conflict_nobody_has_overridden_stands_in_the_way(screenings: Screenings) -> None:
    keep(screenings, HARD, OTHER_HARD)
    override(screenings, "S000001", OTHER_HARD[0])

    assert refused(lambda: offer(screenings, "S000001", applicant_view="accepts")) == ("conflict", [
        Problem("S000001", "has a hard conflict that nobody has overridden: Near abuser", "",
                "a housing manager overrides it with a reason and a mitigation, or another home is offered")])
    assert screenings.offers() == []


def test_an_override_of_another_screening_does_not_help(screenings: Screenings) -> None:
    keep(screenings, HARD, uprn="100")
    keep(screenings, HARD, uprn="200")
    override(screenings, "S000001")

    assert refused(lambda: offer(screenings, "S000002"))[0] == "conflict"


@pytest.mark.parametrize(("view", "found", "fix"), [
    (None, "has a soft conflict that the applicant was not asked about: Noisy block",
     "explain it to the applicant and ask; record the offer with the view, or offer another home"),
    ("declines", "has a soft conflict that the applicant does not accept: Noisy block", "offer another home"),
])
def test_a_soft_conflict_needs_that_the_applicant_accepts_it(
    screenings: Screenings, view: str | None, found: str, fix: str
) -> None:
    keep(screenings, SOFT)

    assert refused(lambda: offer(screenings, "S000001", applicant_view=view)) == (
        "conflict", [Problem("S000001", found, "", fix)])


@pytest.mark.parametrize("view", [None, "declines", "accepts"])
def test_without_a_conflict_an_offer_can_be_made_whatever_the_view(screenings: Screenings, view: str | None) -> None:
    keep(screenings, INFO)

    assert offer(screenings, "S000001", applicant_view=view).applicant_view == view


def test_an_offer_in_other_words_or_by_nobody_is_refused(screenings: Screenings) -> None:
    keep(screenings)

    assert refused(lambda: offer(screenings, "S000001", by="", applicant_view="maybe")) == ("invalid", [
        Problem("the offer", "does not say who did it", "the name or number of a person",
                "sign in, or say who it was"),
        Problem("the offer", "the applicant's view is not one of the words for it", "accepts, declines, or left out",
                "ask the applicant, and use one of the words")])


def test_an_offer_is_recorded_only_with_the_latest_screening_of_the_pair(screenings: Screenings) -> None:
    keep(screenings, proposal="PR-1")
    keep(screenings, HARD)
    keep(screenings, uprn="200")

    assert refused(lambda: offer(screenings, "S000001")) == ("conflict", [
        Problem("S000001", "is not the latest screening of this applicant and home", "S000002",
                "read S000002, and record the offer with it")])


def test_a_home_is_offered_once_at_a_time(screenings: Screenings) -> None:
    keep(screenings, application="HR-1")
    keep(screenings, application="HR-2")
    offer(screenings, "S000001")

    assert refused(lambda: offer(screenings, "S000002")) == ("conflict", [
        Problem("S000002", "is of a home already offered: OF000001", "a home with no offer standing",
                "offer another home, or withdraw OF000001 with a reason")])


@pytest.mark.parametrize(("first", "second"), [
    ({"application": "HR-1", "applicant": None}, {"application": "HR-1", "applicant": None}),
    ({"application": "HR-1", "applicant": "P-7"}, {"application": "HR-2", "applicant": "P-7"}),
])
def test_an_applicant_has_one_offer_at_a_time_on_whichever_application(
    screenings: Screenings, first: dict[str, Any], second: dict[str, Any]
) -> None:
    keep(screenings, uprn="100", **first)
    keep(screenings, uprn="200", **second)
    offer(screenings, "S000001")

    assert refused(lambda: offer(screenings, "S000002")) == ("conflict", [
        Problem("S000002", "is of an applicant who already has an offer: OF000001",
                "one offer to an applicant at a time", "wait for the answer, or withdraw OF000001 with a reason")])


def test_applicants_not_linked_to_a_person_are_not_taken_for_one(screenings: Screenings) -> None:
    keep(screenings, application="HR-1", uprn="100", applicant=None)
    keep(screenings, application="HR-2", uprn="200", applicant=None)

    offer(screenings, "S000001")
    offer(screenings, "S000002")

    assert screenings.let_homes() == {"100", "200"}


def test_everything_in_the_way_of_an_offer_is_said_at_once(screenings: Screenings) -> None:
    keep(screenings, application="HR-2", uprn="100")
    keep(screenings, application="HR-1", uprn="200")
    offer(screenings, "S000001")
    offer(screenings, "S000002")
    keep(screenings, HARD, OTHER_HARD, SOFT)
    keep(screenings, HARD)

    _, problems = refused(lambda: offer(screenings, "S000003"))

    assert [problem.found for problem in problems] == [
        "is not the latest screening of this applicant and home",
        "has a hard conflict that nobody has overridden: Near abuser",
        "has a hard conflict that nobody has overridden: Inside zone",
        "has a soft conflict that the applicant was not asked about: Noisy block",
        "is of a home already offered: OF000001", "is of an applicant who already has an offer: OF000002"]


def test_of_many_who_offer_one_home_at_once_one_is_recorded(screenings: Screenings) -> None:
    ids = [keep(screenings, application=f"HR-{n}").id for n in range(12)]

    def race(id: str) -> str:
        try:
            return offer(Screenings(screenings.folder.parent), id).id
        except ScreenError as error:
            return error.fault

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(race, ids)) == ["OF000001"] + ["conflict"] * 11


# --- withdrawing ----------------------------------------------------------------------------------


def test_a_withdrawn_offer_frees_home_and_applicant_and_stays_on_record(screenings: Screenings) -> None:
    keep(screenings)
    keep(screenings, application="HR-2")
    offer(screenings, "S000001")

    screenings.withdraw("OF000001", "officer", LATER, "The applicant said no.")

    assert screenings.let_homes() == frozenset()
    assert [offer(screenings, "S000002").id, screenings.let_homes()] == ["OF000002", {"100"}]
    [first, second] = Screenings(screenings.folder.parent).offers()
    assert (first.standing, second.standing) == (False, True)
    assert first.withdrawn is not None
    assert (first.withdrawn.by, first.withdrawn.reason) == ("officer", "The applicant said no.")


def test_the_same_home_can_be_offered_to_the_same_applicant_again(screenings: Screenings) -> None:
    keep(screenings, HARD)
    override(screenings, "S000001")
    offer(screenings, "S000001")
    screenings.withdraw("OF000001", "officer", LATER, "Recorded in error.")

    assert offer(screenings, "S000001").id == "OF000002"


def test_an_offer_withdrawn_twice_unknown_or_without_words_is_refused(screenings: Screenings) -> None:
    keep(screenings)
    offer(screenings, "S000001")

    assert refused(lambda: screenings.withdraw("OF000001", "", LATER, "oops")) == ("invalid", [
        Problem("OF000001", "does not say who did it", "the name or number of a person",
                "sign in, or say who it was"),
        Problem("OF000001", "the reason is not said in words", "10 letters at least and 2000 characters at most",
                "write the reason in a sentence that another person can follow")])
    assert refused(lambda: screenings.withdraw("Jane Doe", "officer", LATER, REASON)) == ("not_found", [
        Problem("the offer", "no offer was recorded under this id", "OF and its number: OF000001",
                "correct the id; the offers recorded are listed with theirs")])
    screenings.withdraw("OF000001", "officer", LATER, REASON)
    assert refused(lambda: screenings.withdraw("OF000001", "officer", LATER, REASON)) == ("conflict", [
        Problem("OF000001", "was withdrawn already", "an offer that stands", "nothing: the home is free of it")])


def test_nothing_is_ever_taken_out(screenings: Screenings) -> None:
    written = b""
    acts: list[Callable[[], object]] = [
        lambda: keep(screenings, HARD), lambda: override(screenings, "S000001"),
        lambda: offer(screenings, "S000001"), lambda: screenings.withdraw("OF000001", "officer", LATER, REASON),
        lambda: keep(screenings)]
    for act in acts:
        act()
        now = (screenings.folder / "log.jsonl").read_bytes()
        assert now.startswith(written)
        assert len(now) > len(written)
        written = now

    assert [(line["seq"], line["event"]) for line in lines(screenings)] == [
        (1, "kept"), (2, "overridden"), (3, "offered"), (4, "withdrawn"), (5, "kept")]


# --- interrupted, damaged, full -------------------------------------------------------------------


def test_a_line_torn_by_a_power_cut_was_never_kept(screenings: Screenings) -> None:
    keep(screenings, uprn="100")
    with (screenings.folder / "log.jsonl").open("a") as log:
        log.write('{"seq": 2, "event": "kept", "id": "S0000')

    assert len(Screenings(screenings.folder.parent).names()) == 1
    keep(screenings, uprn="200")

    assert [(line["seq"], line["pair"]["uprn"]) for line in lines(screenings)] == [(1, "100"), (2, "200")]


def test_a_torn_line_longer_than_a_block_is_cut_off_whole(screenings: Screenings) -> None:
    keep(screenings, uprn="100")
    with (screenings.folder / "log.jsonl").open("a") as log:
        log.write("x" * 20_000)

    keep(screenings, uprn="200")

    assert [line["seq"] for line in lines(screenings)] == [1, 2]


def test_a_text_whose_line_was_never_written_is_written_over(screenings: Screenings) -> None:
    keep(screenings)
    (screenings.folder / "S000002.json").write_text("stopped before its line")
    (screenings.folder / ".draft-S000002.json").write_text("stopped in the mid")

    assert len(screenings.names()) == 1
    keep(screenings, uprn="200")

    assert json.loads(screenings.text("S000002"))["uprn"] == "200"
    assert sorted(path.name for path in screenings.folder.iterdir()) == [
        "S000001.json", "S000002.json", "log.jsonl", "log.lock"]


def test_a_text_changed_or_lost_afterwards_gives_helpful_error(screenings: Screenings) -> None:
    keep(screenings)
    path = screenings.folder / "S000001.json"
    path.write_text(path.read_text().replace("nothing_found", "mitigate"))
    with pytest.raises(RunError, match=r"other bytes than were kept(.|\n)*restore it from its backup"):
        screenings.text("S000001")

    path.unlink()
    with pytest.raises(RunError, match=r"cannot be read: No such file(.|\n)*restore it from its backup"):
        screenings.text("S000001")


@pytest.mark.parametrize("damage", [
    lambda log: log[1:],                                            # a line was taken out
    lambda log: [log[0], log[0], log[2]],                           # a line stands twice
    lambda log: [log[0], "not an event\n", log[2]],
    lambda log: [log[0], log[1].replace("overridden", "forgiven"), log[2]],
])
def test_a_damaged_log_gives_helpful_error(
    screenings: Screenings, damage: Callable[[list[str]], list[str]]
) -> None:
    keep(screenings, HARD)
    override(screenings, "S000001")
    keep(screenings)
    log = screenings.folder / "log.jsonl"
    log.write_text("".join(damage(log.read_text().splitlines(keepends=True))))

    for act in (lambda s: s.names(), keep):
        with pytest.raises(RunError, match=r"log\.jsonl:[12]: not an event(.|\n)*restore log\.jsonl from its backup"):
            act(Screenings(screenings.folder.parent))


def test_a_withdrawal_of_an_offer_that_is_not_there_gives_helpful_error_until_it_is_mended(
    screenings: Screenings
) -> None:
    keep(screenings, HARD)
    override(Screenings(screenings.folder.parent), "S000001")
    log = screenings.folder / "log.jsonl"
    whole = log.read_text()
    log.write_text(
        whole + '{"seq": 3, "event": "withdrawn", "offer": "OF000009", "by": "x", "reason": "x", "at": "x"}\n')

    for _ in range(2):
        with pytest.raises(RunError, match=r"an offer that it does not hold(.|\n)*restore log\.jsonl from its backup"):
            screenings.overrides()
    log.write_text(whole)

    assert len(screenings.overrides()) == 1


def test_a_log_restored_from_its_backup_is_read_again_from_its_start(screenings: Screenings) -> None:
    keep(screenings, uprn="100")
    log = screenings.folder / "log.jsonl"
    backup = log.read_bytes()
    keep(screenings, uprn="200")
    assert len(screenings.names()) == 2

    log.write_bytes(backup)

    assert [kept.pair.uprn for kept in screenings.names()] == ["100"]
    assert keep(screenings, uprn="300").id == "S000002"


def test_a_home_that_cannot_be_written_or_read_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    screenings = Screenings(tmp_path / "taken")

    with pytest.raises(RunError, match=r"nothing was recorded: (.|\n)*make room or correct the permissions"):
        keep(screenings)
    with pytest.raises(RunError, match=r"the log cannot be read: (.|\n)*correct the permissions"):
        screenings.names()


def test_a_log_that_cannot_be_written_keeps_nothing_and_can_be_tried_again(screenings: Screenings) -> None:
    screenings.folder.mkdir(parents=True)
    (screenings.folder / "log.jsonl").symlink_to("a disk that is gone/log.jsonl")
    with pytest.raises(RunError, match="nothing was recorded: No such file or directory"):
        keep(screenings)
    assert screenings.names() == []

    (screenings.folder / "log.jsonl").unlink()

    assert keep(screenings).id == "S000001"


def test_no_room_for_text_or_line_says_what_to_do_and_leaves_what_was_kept(screenings: Screenings) -> None:
    for n in range(8):
        keep(screenings, application=f"HR-{n}")
    before = (screenings.folder / "log.jsonl").read_bytes()
    for most, said in ((100, "File too large"), (len(before) + 100, "No space left on device")):   # text, then line
        script = f"""
import resource
from tests.screening.test_keeping import *
resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))
try:
    keep(Screenings(Path({str(screenings.folder.parent)!r})))
except RunError as error:
    print(error)
"""
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)

        assert f"nothing was recorded: {said}" in done.stdout, done.stderr
        assert "make room or correct the permissions, and do it again; what was kept before stands" in done.stdout
        assert (screenings.folder / "log.jsonl").read_bytes() == before
        assert not list(screenings.folder.glob(".draft*"))
    assert keep(screenings).id == "S000009"


def test_a_value_that_json_cannot_hold_leaves_the_log_as_it_was(screenings: Screenings) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        screenings.keep(a_screening(), [Answer("rent", float("nan"), AS_OF)], "desk", "officer", AT)

    assert screenings.names() == []


# --- many at once, and killed ---------------------------------------------------------------------

WRITER = """
import os, sys
from datetime import datetime
from pathlib import Path
from engine.screenings import Screenings
from tests.screening.made import a_screening
at, screenings = datetime(2026, 11, 23, 10, 30), Screenings(Path(sys.argv[1]))
print("ready", flush=True)
for n in range(int(sys.argv[2])):
    pair = {"application": f"HR-{os.getpid()}-{n}", "uprn": f"{os.getpid()}-{n}"}
    screening = a_screening([("allocation/near-abuser", "hard")], **pair, headline="x" * 50_000)
    id = screenings.keep(screening, (), "desk", "officer", at).id
    print(id, flush=True)
    screenings.override(id, "allocation/near-abuser", "anna", "housing_manager", "No other home.", "Police call.", at)
    screenings.offer(id, "officer", "housing_officer", at)
"""


def start(home: Path, times: int) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(home), str(times)], cwd=ROOT, text=True,
                               stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_threads_that_keep_and_look_at_once_each_find_their_own(screenings: Screenings) -> None:
    def work(n: int) -> tuple[str, bool]:
        kept = keep(screenings, application=f"HR-{n}")
        return kept.id, kept.pair.application == f"HR-{n}" and kept in screenings.names()

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(work, range(80)))

    assert sorted(done) == [(f"S{n:06d}", True) for n in range(1, 81)]


def test_four_processes_that_keep_at_once_leave_no_gap_and_no_double(screenings: Screenings) -> None:
    processes = [start(screenings.folder.parent, 50) for _ in range(4)]
    said = [process.communicate(timeout=120)[0].split() for process in processes]

    ids = [f"S{n:06d}" for n in range(1, 201)]
    assert sorted(id for one in said for id in one) == ids
    assert [kept.id for kept in screenings.names()] == ids
    assert [line["seq"] for line in lines(screenings)] == list(range(1, 601))
    for kept in screenings.names():
        assert json.loads(screenings.text(kept.id))["application"] == kept.pair.application
    assert len(screenings.let_homes()) == len(screenings.overrides()) == 200


def test_killed_at_any_moment_everything_the_log_names_is_whole(screenings: Screenings) -> None:
    moments, told = random.Random(3), []
    for _ in range(30):
        process = start(screenings.folder.parent, 10_000)
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        told += process.communicate()[0].split()

        log = (screenings.folder / "log.jsonl").read_bytes() if (screenings.folder / "log.jsonl").exists() else b""
        whole = [json.loads(line) for line in log.split(b"\n")[:-1]]
        assert [line["seq"] for line in whole] == list(range(1, len(whole) + 1))
        for line in whole:
            if line["event"] == "kept":
                text = (screenings.folder / f"{line['id']}.json").read_bytes()
                assert sha256(text).hexdigest() == line["digest"]

    names = [kept.id for kept in screenings.names()]
    assert names == [f"S{n:06d}" for n in range(1, len(names) + 1)]
    assert len(names) > 30                  # it was killed while it worked, not before
    assert set(told) <= set(names)          # what somebody was told is kept, is kept
    assert keep(screenings).id == f"S{len(names) + 1:06d}"
