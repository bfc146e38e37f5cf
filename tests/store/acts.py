"""Every way the store can be written to, each done once by somebody whose every free word is a planted name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from engine.store import (
    accounts,
    actions,
    agreements,
    audit,
    challenges,
    database,
    flags,
    jobs,
    meetings,
    openings,
    opinions,
    publishing,
    questions,
    requests,
    reviews,
    versioned,
)
from engine.store.database import Database, Writing
from engine.store.flags import FlagRow

from .made import MONDAY, Store

PLANTED = "Zebedee Quillfeather of 9 Larkspur Gardens"
MODULES = (accounts, actions, agreements, audit, challenges, database, flags, jobs, meetings, openings, opinions,
           publishing, questions, requests, reviews, versioned)
FOR_OTHERS = {"versioned.change_row"}       # what the others change rows with: not called by the doors
SILENT = {"accounts.see_session"}           # on every request, of no record: said where it is declared
TERMS = agreements.Terms(PLANTED, "ISA 7 " + PLANTED, "DPIA 7 " + PLANTED, ("police", "housing"),
                         ("prevent_crime_and_disorder",), ("people",), date(2026, 1, 1), date(2027, 12, 31))
DUE = date(2026, 12, 24)
HASH = "0123abcd" * 8


def ways_to_write() -> set[str]:
    """Every public function of the store that takes a `Writing`."""
    return {f"{module.__name__.rpartition('.')[2]}.{name}" for module in MODULES
            for name, function in inspect.getmembers(module, inspect.isfunction)
            if function.__module__ == module.__name__ and not name.startswith("_")
            and any(parameter.annotation == "Writing" for parameter in inspect.signature(function).parameters.values())
            } - FOR_OTHERS


def acts(store: Store) -> Iterator[tuple[str, Callable[[Writing], Any]]]:
    """The name of each way to write, and the act itself; each is to be done before the next is asked for."""
    made: dict[str, Any] = {}

    def keep(name: str, act: Callable[[Writing], Any]) -> tuple[str, Callable[[Writing], Any]]:
        def done(writing: Writing) -> Any:
            made[name] = act(writing)
            return made[name]
        return name, done

    yield keep("publishing.publish_run",
               lambda w: publishing.publish_run(w, store.weeks.runs, store.weeks.first))
    yield from _accounts(keep, made)
    yield from _decisions(keep, made, store)
    yield from _sharing(keep, made, store)
    yield from _screenings(keep, made)
    yield from _long_work(keep, made)
    yield keep("publishing.publish", lambda w: publishing.publish(
        w, store.weeks.second, [store.weeks.runs.flag_text(e["subject"], store.weeks.second) for e in shown(store)],
        shown(store)))
    yield keep("audit.append", lambda w: audit.append(w, "evidence.opened", store.flag().id, {"place": 3}))


def shown(store: Store) -> list[dict[str, Any]]:
    """The entries of the second list, all of which are shown."""
    return list(store.weeks.runs.lists(store.weeks.second)["entries"])


Keep = Callable[[str, Callable[[Writing], Any]], tuple[str, Callable[[Writing], Any]]]


def _accounts(keep: Keep, made: dict[str, Any]) -> Iterator[tuple[str, Callable[[Writing], Any]]]:
    yield keep("accounts.add_user", lambda w: accounts.add_user(
        w, "zebedee@quillfeather.test", PLANTED, "police", ["agency_officer"], oidc=("https://idp.test", PLANTED)))
    user = made["accounts.add_user"]
    yield keep("accounts.change_user", lambda w: accounts.change_user(w, user.id, 1, name=PLANTED, wards=(PLANTED,)))
    yield keep("accounts.set_password", lambda w: accounts.set_password(w, user.id, PLANTED))
    yield keep("accounts.set_totp", lambda w: accounts.set_totp(w, user.id, PLANTED))
    yield keep("accounts.use_totp", lambda w: accounts.use_totp(w, user.id, 7))
    yield keep("accounts.count_failure", lambda w: accounts.count_failure(w, user.id, MONDAY))
    yield keep("accounts.clear_failures", lambda w: accounts.clear_failures(w, user.id))
    for id in ("a" * 64, "b" * 64):
        yield keep("accounts.begin_session",
                   lambda w, id=id: accounts.begin_session(w, id, HASH, "local", user=user.id, data=PLANTED))
    yield keep("accounts.see_session", lambda w: accounts.see_session(w, "a" * 64))
    yield keep("accounts.end_session", lambda w: accounts.end_session(w, "a" * 64))
    yield keep("accounts.end_sessions_of", lambda w: accounts.end_sessions_of(w, user.id, "disabled"))
    yield keep("accounts.forget_sessions", lambda w: accounts.forget_sessions(w, datetime(2030, 1, 1, tzinfo=UTC)))


def _decisions(keep: Keep, made: dict[str, Any], store: Store) -> Iterator[tuple[str, Callable[[Writing], Any]]]:
    flag = store.flag()
    for item in ("flag", "record:3"):
        yield keep("openings.open_item", lambda w, item=item: openings.open_item(w, flag.id, item))
    yield keep("reviews.judge_first", lambda w: reviews.judge_first(w, flag.id, "watch"))
    yield keep("reviews.take_up", lambda w: reviews.take_up(w, flag.id, 1))
    yield keep("reviews.decide", lambda w: reviews.decide(
        w, flag.id, 2, "confirmed", "other", PLANTED, seconds=80, opened=[PLANTED]))
    for _ in range(2):
        yield keep("actions.agree", lambda w: actions.agree(
            w, flag.id, PLANTED, "police", PLANTED, DUE, made["reviews.decide"].id))
    yield from _meetings(keep, made, store, flag)
    action = made["actions.agree"].id
    yield keep("actions.put_off", lambda w: actions.put_off(w, action, 1, date(2027, 1, 8)))
    yield keep("actions.close", lambda w: actions.close(w, action, 2, "cancelled", PLANTED))
    for act, name in ((lambda w, id: questions.answer(w, id, 1, PLANTED), "questions.answer"),
                      (lambda w, id: questions.withhold(w, id, 1, PLANTED), "questions.withhold"),
                      (lambda w, id: questions.withdraw(w, id, 1), "questions.withdraw")):
        yield keep("questions.ask", lambda w: questions.ask(w, flag.id, "health", PLANTED, "need_mh", DUE))
        yield keep(name, lambda w, act=act: act(w, made["questions.ask"].id))


def _meetings(keep: Keep, made: dict[str, Any], store: Store, flag: FlagRow,
              ) -> Iterator[tuple[str, Callable[[Writing], Any]]]:
    yield keep("meetings.open_meeting", lambda w: meetings.open_meeting(
        w, store.weeks.first, MONDAY.date(), [PLANTED]))
    meeting = made["meetings.open_meeting"].id
    yield keep("meetings.change_present", lambda w: meetings.change_present(w, meeting, 1, [PLANTED, PLANTED]))
    for review in (None, made["reviews.decide"].id):
        yield keep("meetings.note_item", lambda w, review=review: meetings.note_item(w, meeting, flag.id, review))
    yield keep("meetings.close_meeting", lambda w: meetings.close_meeting(w, meeting, 2))


def _sharing(keep: Keep, made: dict[str, Any], store: Store) -> Iterator[tuple[str, Callable[[Writing], Any]]]:
    flag = store.flag()
    yield keep("agreements.make", lambda w: agreements.make(w, TERMS))
    agreement = made["agreements.make"].id
    yield keep("agreements.disclose", lambda w: agreements.disclose(
        w, "police", "agenda_pdf", "prevent_crime_and_disorder", [flag.id], file_digest=HASH, agreement=agreement))
    yield keep("agreements.withdraw", lambda w: agreements.withdraw(w, agreement, 1))
    yield keep("challenges.raise_challenge", lambda w: challenges.raise_challenge(
        w, flag.id, "advocate", PLANTED, [PLANTED], [PLANTED]))
    challenge, disclosure = made["challenges.raise_challenge"].id, made["agreements.disclose"].id
    yield keep("challenges.recall", lambda w: challenges.recall(w, challenge, disclosure))
    yield keep("challenges.acknowledge", lambda w: challenges.acknowledge(w, challenge, disclosure))
    yield keep("challenges.close", lambda w: challenges.close(w, challenge, 1, "upheld", PLANTED))
    yield keep("challenges.believe", lambda w: challenges.believe(w, challenge, 2))


def _screenings(keep: Keep, made: dict[str, Any]) -> Iterator[tuple[str, Callable[[Writing], Any]]]:
    yield keep("opinions.say", lambda w: opinions.say(w, HASH[:32], "not_sure", PLANTED))
    for act, name in ((lambda w, id: requests.grant(w, id, 1, PLANTED), "requests.grant"),
                      (lambda w, id: requests.refuse(w, id, 1, PLANTED), "requests.refuse"),
                      (lambda w, id: requests.withdraw(w, id, 1), "requests.withdraw")):
        yield keep("requests.ask", lambda w: requests.ask(w, HASH[:32], "allocation/of-a-kind", PLANTED, PLANTED))
        yield keep(name, lambda w, act=act: act(w, made["requests.ask"].id))


def _long_work(keep: Keep, made: dict[str, Any]) -> Iterator[tuple[str, Callable[[Writing], Any]]]:
    for act, name in ((lambda w, id: jobs.finish(w, id, PLANTED, f"{PLANTED}.pdf", HASH), "jobs.finish"),
                      (lambda w, id: jobs.fail(w, id, PLANTED), "jobs.fail"),
                      (lambda w, _id: jobs.stop_all(w), "jobs.stop_all")):
        yield keep("jobs.ask", lambda w: jobs.ask(w, "agenda_pdf", {"meeting": PLANTED}))
        yield keep("jobs.begin", lambda w: jobs.begin(w, made["jobs.ask"].id))
        yield keep(name, lambda w, act=act: act(w, made["jobs.ask"].id))
    yield keep("jobs.forget", lambda w: jobs.forget(w, datetime(2030, 1, 1, tzinfo=UTC)))


def open_again(url: str) -> Database:
    """The same store, opened by somebody else."""
    return Database(url)
