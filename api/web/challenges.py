"""Challenges as those see them who look into them: what is said, what was found, who has to hear of it, what changed.

A challenge that is upheld is followed by a recall: whoever was told of this subject is told that it was wrong. A notice
names what they were sent, and nothing of what stood in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from api.web.contesting import find_due
from api.web.form import list_errors, offer, read_words, say_words
from api.web.identity import check_form
from api.web.keeping import Office, find_database, name_user, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, need, reader
from api.web.refusals import say_slower
from api.web.rights import Register
from api.web.site_words import CHALLENGE_NAMES, RAISER_NAMES, SETTLE_NAMES, say_code
from engine.contract import AGENCIES
from engine.disputes import Disputes
from engine.errors import RunError
from engine.prose import name_agency
from engine.store import challenges
from engine.store.agreements import Disclosure
from engine.store.challenges import Challenge, Recall
from engine.store.database import Reading, Writing
from engine.store.flags import FlagRow, find_publications, history, read_row, read_texts
from engine.store.problems import Missing, Stale, StoreError
from engine.store.tables import CHALLENGE_STATES

router = APIRouter(dependencies=[Depends(check_form)])
Governance = Annotated[Reach, Depends(need("view_challenges", "challenges"))]
Told = Annotated[Reach, Depends(reader)]

RUNS_LOOKED_AT = 30
"""The last runs asked whether they were made with a dispute: more than a year of them."""

_DONE = {"settled": "What you found is saved.", "sent": "The recall notices are marked as sent.",
         "believed": "The records are believed again from now on."}


@dataclass(frozen=True)
class Sent:
    """What was found, as it was sent."""

    state: str = ""
    outcome: str = ""


class SettleForm(BaseModel):
    """The fields of the form."""

    version: int
    state: str = Field("", max_length=40)
    outcome: str = ""
    sure: str = Field("", max_length=10)


# --- the list -------------------------------------------------------------------------------------------


@router.get("/challenges")
def show_challenges(
    request: Request, me: Governance, which: Literal["open", "upheld", "not_upheld", "withdrawn"] = "open",
    raised_by: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Those in one state, oldest first; of flags this person may not see, none."""
    with find_database(request).reading() as reading:
        seen = _keep_visible(reading, me, challenges.find(reading, CHALLENGE_STATES))
        fit = [one for one in seen if one[0].state == which and raised_by in ("", one[0].raised_by)]
        values = {
            "which": which, "raised_by": raised_by,
            "states": [{"code": code, "text": CHALLENGE_NAMES[code], "count": sum(c.state == code for c, _ in seen)}
                       for code in CHALLENGE_STATES],
            "raisers": offer({"": "Anybody", **RAISER_NAMES}),
            "challenges": [{"it": one, "row": row, "by": RAISER_NAMES[one.raised_by], "due": find_due(one),
                            "waiting": (me.today - one.made_at.date()).days,
                            "late": one.state == "open" and find_due(one) < me.today} for one, row in fit]}
    return find_pages(request).show(request, "challenges.html", values)


def _keep_visible(reading: Reading, me: Reach, found: Sequence[Challenge]) -> list[tuple[Challenge, FlagRow]]:
    rows = [read_row(reading, one.flag) for one in found]
    allowed = me.may(reading, "view_flag", rows)
    return [(one, row) for one, row, may in zip(found, rows, allowed, strict=True) if may]


# --- one challenge --------------------------------------------------------------------------------------


@router.get("/challenges/{id}")
def show_challenge(request: Request, id: str, me: Governance, done: str = "") -> Response:
    """What is said, on what, who was told, and what became of it."""
    return _show(request, me, id, Sent(), done=_DONE.get(done, ""))


@router.post("/challenges/{id}/settle")
def settle(request: Request, id: str, me: Governance, form: Annotated[SettleForm, Form()]) -> Response:
    """Keeps what was found; where nothing was wrong, the records are believed again at once."""
    sent = Sent(form.state, read_words(form.outcome))
    with find_database(request).reading() as reading:
        _read(reading, me, id, "settle_challenge")
    if errors := find_errors(sent, form.sure):
        return _show(request, me, id, sent, errors=errors)

    def close(writing: Writing) -> Challenge:
        return challenges.close(writing, id, form.version, sent.state, sent.outcome)

    return _change(request, me, id, sent, close, "settled", lifts=sent.state != "upheld")


@router.post("/challenges/{id}/believe")
def believe(
    request: Request, id: str, me: Governance, version: Annotated[int, Form()],
    sure: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """The agency has put right what was wrong: its records are believed again."""
    with find_database(request).reading() as reading:
        _read(reading, me, id, "settle_challenge")
    if sure != "yes":
        return _show(request, me, id, Sent(), errors={"believe": "Say that the agency has put its records right"})
    return _change(request, me, id, Sent(), lambda writing: challenges.believe(writing, id, version), "believed",
                   lifts=True)


def find_errors(sent: Sent, sure: str) -> dict[str, str]:
    """What is missing, by field."""
    errors = {}
    if sent.state not in CHALLENGE_STATES[1:]:
        errors["state"] = "Choose what you found"
    if wrong := say_words(sent.outcome, "Say what you found, for whoever raised it"):
        errors["outcome"] = wrong
    if sure != "yes":
        errors["sure"] = "Say that you are sure: it is settled once"
    return errors


def _change(
    request: Request, me: Reach, id: str, sent: Sent, act: Any, done: str, *, lifts: bool
) -> Response:
    """Makes a change, and lifts the marks once it is kept: a mark too many is unknown, one too few is believed."""
    try:
        with find_database(request).writing(read_now(request), me.id) as writing:
            _read(writing, me, id, "settle_challenge")
            act(writing)
    except Stale:
        return _show(request, me, id, sent, slower=True)
    except StoreError as refused:
        if refused.fault != "conflict":
            raise
        return _show(request, me, id, sent, slower=True)
    if lifts and (disputes := _find_disputes(request)) is not None:
        disputes.lift(id, me.id, me.today)
    return RedirectResponse(f"/challenges/{id}?done={done}", 303)


# --- recalls ----------------------------------------------------------------------------------------------


@router.post("/challenges/{id}/recall")
def send_recalls(request: Request, id: str, me: Governance) -> Response:
    """Marks the notice to everybody who was told as sent. Sent again, it reaches those told since."""
    with find_database(request).writing(read_now(request), me.id) as writing:
        challenge, _ = _read(writing, me, id, "settle_challenge")
        upheld = challenge.state == "upheld"
        for one in challenges.find_recalls(writing, id) if upheld else ():
            challenges.recall(writing, id, one.disclosure.id)
    if not upheld:
        return _show(request, me, id, Sent(), slower=True)
    return RedirectResponse(f"/challenges/{id}?done=sent", 303)


@router.get("/challenges/{id}/notices/{agency}")
def show_notice(request: Request, id: str, agency: str, me: Governance) -> Response:
    """The notice to one agency, to be printed: what it was sent, and what to do. Nothing of what stood in it."""
    with find_database(request).reading() as reading:
        challenge, _ = _read(reading, me, id, "view_flag")
        told = [_tell_recall(reading, one) for one in challenges.find_recalls(reading, id)
                if one.disclosure.agency == agency]
    if agency not in AGENCIES or not told or challenge.state != "upheld":
        raise HTTPException(404)
    values = {"challenge": challenge, "agency": name_agency(agency), "told": told}
    return find_pages(request).show(request, "challenge_notice.html", values)


@router.get("/recalls")
def show_recalls(request: Request, me: Told, done: str = "") -> Response:
    """What was recalled from this person's agency."""
    with find_database(request).reading() as reading:
        values = {"agency": name_agency(me.asker.agency), "done": "Thank you. It is kept that your agency has read it."
                  if done == "read" else "", "notices": [
                      {"challenge": one.challenge, **_tell_recall(reading, one.recall)}
                      for one in challenges.find_notices(reading, me.asker.agency)]}
    return find_pages(request).show(request, "recalls.html", values)


@router.post("/recalls/{challenge}/{disclosure}/acknowledge")
def acknowledge(request: Request, challenge: str, disclosure: str, me: Told) -> Response:
    """Keeps that the agency has read a notice. 404 for a notice to another agency, as for none."""
    with find_database(request).writing(read_now(request), me.id) as writing:
        mine = {(one.challenge, one.recall.disclosure.id)
                for one in challenges.find_notices(writing, me.asker.agency)}
        if (challenge, disclosure) not in mine:
            raise Missing("the recall notice")
        challenges.acknowledge(writing, challenge, disclosure)
    return RedirectResponse("/recalls?done=read", 303)


def _tell_recall(reading: Reading, recall: Recall) -> dict[str, Any]:
    one: Disclosure = recall.disclosure
    return {"id": one.id, "agency": one.agency, "to": name_agency(one.agency), "what": say_code(one.what), "at": one.at,
            "by": name_user(reading, one.actor), "rows": one.rows, "digest": one.file_digest,
            "purpose": say_code(one.purpose), "sent": recall.sent, "read": recall.acknowledged}


# --- what became of it ----------------------------------------------------------------------------------


def tell_rerun(reading: Reading, office: Office | None, challenge: Challenge, flag: Mapping[str, Any],
               row: FlagRow) -> dict[str, Any]:
    """Whether the lists were made without the disputed records since, whether people see them, and what changed then.

    `stage`: nothing (no record was marked), waiting, made, or public.
    """
    if office is None or not challenge.records:
        return {"stage": "nothing" if not challenge.records else "waiting"}
    made = [name for name in reversed(office.setting.runs.names()[-RUNS_LOOKED_AT:])
            if _is_without(office, name, challenge)]
    if not made:
        return {"stage": "waiting"}
    public = next((one for one in find_publications(reading) if one.run in made), None)
    if public is None:
        return {"stage": "made", "as_of": date.fromisoformat(made[0][:10])}
    after = next((one for one in history(reading, row.list, row.subject) if one.run == public.run), None)
    return {"stage": "public", "as_of": public.as_of, "at": public.at, "before": row.band,
            **_compare(reading, flag, after)}


def _is_without(office: Office, run: str, challenge: Challenge) -> bool:
    try:
        return bool(set(office.setting.runs.manifest(run).get("disputes", ())) & set(challenge.records))
    except RunError:        # it was taken away since
        return False


def _compare(reading: Reading, flag: Mapping[str, Any], after: FlagRow | None) -> dict[str, Any]:
    """What became of the reasons of a flag in a later one of the same subject; of none, and of one held back, alike."""
    if after is None or after.status != "shown":
        return {"after": None, "reasons": [{"title": one["title"], "now": ""} for one in flag["reasons"]]}
    now = json.loads(read_texts(reading, [after.id])[after.id])
    so, asked = {one["rule"] for one in now["reasons"]}, {one["rule"] for one in now["questions"]}
    return {"after": after.band, "reasons": [
        {"title": one["title"], "now": "still so" if one["rule"] in so else
         "cannot tell now" if one["rule"] in asked else "no longer so"} for one in flag["reasons"]]}


# --- inside -----------------------------------------------------------------------------------------------


def _read(reading: Reading, me: Reach, id: str, action: str) -> tuple[Challenge, str]:
    """A challenge and its flag's text, for somebody who may do this with the flag; 404 as for none, 403."""
    challenge = challenges.read(reading, id)
    return challenge, me.read(reading, challenge.flag, action).text


def _find_disputes(request: Request) -> Disputes | None:
    office: Office | None = request.app.state.office
    return Disputes(office.setting.home) if office is not None else None


def _show(
    request: Request, me: Reach, id: str, sent: Sent, *, errors: Mapping[str, str] | None = None,
    slower: bool = False, done: str = "",
) -> Response:
    errors, disputes = errors or {}, _find_disputes(request)
    with find_database(request).reading() as reading:
        challenge, text = _read(reading, me, id, "view_flag")
        flag, row = json.loads(text), read_row(reading, challenge.flag)
        told = [_tell_recall(reading, one) for one in challenges.find_recalls(reading, id)]
        values = {
            "challenge": challenge, "flag": flag, "row": row, "sent": sent, "done": done, "errors": errors,
            "by": RAISER_NAMES[challenge.raised_by], "kept_by": name_user(reading, challenge.made_by),
            "closed_by": name_user(reading, challenge.changed_by), "due": find_due(challenge),
            "waiting": (me.today - challenge.made_at.date()).days,
            "facts": [fact for fact in flag["facts"] if fact["name"] in challenge.facts],
            "records": [one for one in flag["records"] if one["record"] in challenge.records],
            "marked": len(disputes.of(id)) if disputes else 0, "told": told,
            "agencies": {one["agency"]: one["to"] for one in told}, "unsent": [one for one in told if not one["sent"]],
            "may_settle": all(me.may(reading, "settle_challenge", [row])),
            "may_run": me.may_do("make_run", Register("runs")),
            "rerun": tell_rerun(reading, request.app.state.office, challenge, flag, row),
            "slower": say_slower(reading, "this challenge", challenge.changed_by, challenge.changed_at,
                                 CHALLENGE_NAMES[challenge.state]) if slower else "",
            "choices": offer({code: SETTLE_NAMES[code] for code in CHALLENGE_STATES[1:]}),
            "wrong": list_errors(errors)}
    return find_pages(request).show(request, "challenge.html", values,
                                    400 if errors else 409 if slower else 200)
