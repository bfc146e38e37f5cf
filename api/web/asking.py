"""Asking an agency about a flag, and what comes of it: an answer, a value for a fact, or "we may not say".

An agency that is not named on a flag cannot open it: its officers read the words of the question and no more. Whoever
asks it is told so, and has to say that the words are enough. A value that an agency gives is its word, and no record:
it is shown beside what was not known, and no rule counts it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from api.web.acting import Short, Text, say_about
from api.web.form import Answer, offer, offer_agencies, read_day, read_words, say_due, say_words, write_day
from api.web.identity import check_form
from api.web.keeping import Office, find_database, name_user, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, find_reach
from api.web.refusals import say_invalid, say_slower
from api.web.rights import Question
from api.web.site_words import WORK_NAMES
from engine.contract import AGENCIES
from engine.feature import Feature
from engine.lists import LISTS
from engine.prose import name_agency
from engine.store import agreements, questions
from engine.store.database import Reading
from engine.store.flags import FlagRow, read_row
from engine.store.problems import Stale, StoreError

router = APIRouter(dependencies=[Depends(check_form)])
Me = Annotated[Reach, Depends(find_reach)]

USUAL_DAYS = 7
"""Days an agency is given unless somebody says otherwise: its answer is there a week before the next meeting."""

_DONE = {"answered": "The answer is kept. The tasking group sees it on the flag.",
         "withheld": "It is kept that you may not say. That is an answer.", "withdrawn": "The question is taken back."}


@dataclass(frozen=True)
class Fact:
    """A fact that a question may name, and how its value is given: number, boolean, code or date; else in words."""

    name: str
    title: str
    type: str = ""
    choices: tuple[str, ...] = ()


def list_facts(request: Request, list_name: str) -> dict[str, Fact]:
    """The facts of one kind of subject by name, as the rules in force declare them; none where there are no rules."""
    office: Office | None = request.app.state.office
    if office is None:
        return {}
    subject = next(kind for kind, name in LISTS.items() if name == list_name)
    return {name: _make_fact(feature) for name, feature in office.setting.pack.features_of(subject).items()}


def _make_fact(feature: Feature) -> Fact:
    return Fact(feature.name, feature.title, feature.type, feature.values)


def find_asked(flag: Mapping[str, Any], facts: Mapping[str, Fact]) -> list[Fact]:
    """The facts a flag's own questions ask for. They stand there by title, and one title may be of several windows."""
    titles = {title for one in flag["questions"] for title in one["facts"]}
    found: dict[str, Fact] = {}
    for fact in facts.values():
        if fact.title in titles:
            found.setdefault(fact.title, fact)
    return list(found.values())


# --- ask -----------------------------------------------------------------------------------------------


@router.get("/flags/{id}/ask")
def show_ask(request: Request, id: str, me: Me, about: Annotated[int, Query(ge=0, le=500)] = 0) -> Response:
    """The form. `about`: which of the flag's own questions it starts from, the first being 1."""
    with find_database(request).reading() as reading:
        flag = json.loads(me.read(reading, id, "ask_question").text)
    sent = {"due": write_day(me.today + timedelta(days=USUAL_DAYS))}
    if 0 < about <= len(flag["questions"]):
        wanted = flag["questions"][about - 1]
        codes = {name_agency(code): code for code in AGENCIES}
        asked = [codes[name] for name in wanted["agencies"] if name in codes]
        known = find_asked({"questions": [wanted]}, list_facts(request, flag["list"]))
        sent |= {"agency": asked[0] if len(asked) == 1 else "", "fact": known[0].name if len(known) == 1 else "",
                 "asks": f"Can you tell us: {'; '.join(wanted['facts'])}?" if wanted["facts"] else ""}
    return _show_ask(request, id, me, Answer(sent=sent))


class AskForm(BaseModel):
    """The fields of the form."""

    agency: str = Field("", max_length=400)
    asks: str = Field("", max_length=20_000)
    fact: str = Field("", max_length=400)
    knowing: str = Field("", max_length=40)
    due: str = Field("", max_length=40)


@router.post("/flags/{id}/ask")
def ask(request: Request, id: str, me: Me, form: Annotated[AskForm, Form()]) -> Response:
    """Keeps a question, and that the agency was told of the flag; or shows the form again with what is missing."""
    sent = {**form.model_dump(), "asks": read_words(form.asks)}
    agency, fact = form.agency, form.fact
    due = read_day(form.due)
    with find_database(request).reading() as reading:
        stored = me.read(reading, id, "ask_question")
        signed = agreements.find_holding(reading, me.today, agency, me.asker.purpose, stored.row.list)
    known = {one.name for one in find_asked(json.loads(stored.text), list_facts(request, stored.row.list))}
    found = {"agency": _say_agency(agency, bool(signed)), "asks": say_words(sent["asks"], "Say what you ask"),
             "fact": "Choose one of these facts, or none" if fact and fact not in known else "",
             "due": say_due(due, me.today)}
    if not any(found.values()) and agency not in stored.row.agencies and not form.knowing:
        found["knowing"] = (f"{name_agency(agency)} cannot open this flag. Say in the question whom it is about, as "
                            "far as they need to know it, and tick that the words are enough")
    if errors := {name: text for name, text in found.items() if text}:
        return _show_ask(request, id, me, Answer(errors, sent))
    try:
        with find_database(request).writing(read_now(request), me.id) as writing:
            me.read(writing, id, "ask_question")
            questions.ask(writing, id, agency, sent["asks"], fact or None, due)
            agreements.disclose(writing, agency, "question", me.asker.purpose, [id], agreement=signed[0].id)
    except StoreError as error:
        return _show_ask(request, id, me, Answer({"asks": say_invalid(error)}, sent))
    return RedirectResponse(f"/flags/{id}?done=asked#work", 303)


def _say_agency(agency: str, signed: bool) -> str:
    if agency not in AGENCIES:
        return "Choose the agency you ask"
    return "" if signed else (f"No agreement in force lets {name_agency(agency)} see this list, so nobody there could "
                              "read the question here")


def _show_ask(request: Request, id: str, me: Reach, answer: Answer) -> Response:
    with find_database(request).reading() as reading:
        stored = me.read(reading, id, "ask_question")
    flag, row = json.loads(stored.text), stored.row
    facts = {one.name: one.title for one in find_asked(flag, list_facts(request, row.list))}
    chosen = answer.sent.get("agency", "")
    values = {
        "row": row, "about": say_about(row), "agencies": offer_agencies(),
        "facts": offer({"": "None: a question in words", **facts}) if facts else [],
        "named": [name_agency(code) for code in row.agencies],
        "unnamed": name_agency(chosen) if chosen in AGENCIES and chosen not in row.agencies else "", **answer.values()}
    return find_pages(request).show(request, "question_new.html", values, answer.status)


# --- answer --------------------------------------------------------------------------------------------


@router.get("/questions/{id}")
def show_question(request: Request, id: str, me: Me, done: str = "") -> Response:
    """The page of one question. 404 where there is none, or none for this person."""
    return _show(request, id, me, Answer(), _DONE.get(done, ""))


@router.post("/questions/{id}/answer")
def answer(
    request: Request, id: str, me: Me, version: Annotated[int, Form()], reply: Text = "", value: Short = "",
    sure: Short = "",
) -> Response:
    """Keeps an agency's answer."""
    sent = {"reply": read_words(reply), "value": value.strip(), "sure_answer": sure}
    with find_database(request).reading() as reading:
        question, row = read_question(reading, me, id, "answer_question")
    fact = list_facts(request, row.list).get(question.fact or "")
    found = {"value": say_value(fact, sent["value"]),
             "reply": say_words(sent["reply"], "Answer in words, or give the value", 0 if sent["value"] else 1),
             "sure_answer": "" if sure else "Tick that it may be kept: it cannot be changed"}
    if errors := {name: text for name, text in found.items() if text}:
        return _show(request, id, me, Answer(errors, sent))
    given = sent["value"] if fact else ""
    return _settle(request, id, me, Answer(sent=sent), "reply", "answered",
                   lambda writing: questions.answer(writing, id, version, sent["reply"], given))


@router.post("/questions/{id}/withhold")
def withhold(request: Request, id: str, me: Me, version: Annotated[int, Form()], reason: Text = "", sure: Short = "",
             ) -> Response:
    """Keeps that an agency may not say."""
    sent = {"reason": read_words(reason), "sure_withhold": sure}
    found = {"reason": say_words(sent["reason"], "", 0),
             "sure_withhold": "" if sure else "Tick that you may not say: it cannot be changed"}
    with find_database(request).reading() as reading:
        read_question(reading, me, id, "answer_question")
    if errors := {name: text for name, text in found.items() if text}:
        return _show(request, id, me, Answer(errors, sent))
    return _settle(request, id, me, Answer(sent=sent), "reason", "withheld",
                   lambda writing: questions.withhold(writing, id, version, sent["reason"]))


@router.post("/questions/{id}/withdraw")
def withdraw(request: Request, id: str, me: Me, version: Annotated[int, Form()], sure: Short = "") -> Response:
    """Takes a question back: for whoever may ask about its flag."""
    with find_database(request).reading() as reading:
        question, _row = read_question(reading, me, id)
        me.read(reading, question.flag, "ask_question")
    if not sure:
        return _show(request, id, me, Answer({"sure_withdraw": "Tick that you take it back"}))
    return _settle(request, id, me, Answer(), "sure_withdraw", "withdrawn",
                   lambda writing: questions.withdraw(writing, id, version))


def say_value(fact: Fact | None, value: str) -> str:
    """What is wrong with a value given for a fact. None at all is right: words may be all there is."""
    if not value or fact is None:
        return ""
    if fact.type in ("integer", "decimal"):
        digits = value.replace(".", "", 1) if fact.type == "decimal" else value
        return "" if digits.isascii() and digits.isdigit() else (
            "Give a whole number, such as 3" if fact.type == "integer" else "Give a number, such as 3.5")
    if fact.type == "boolean":
        return "" if value in ("yes", "no") else "Choose yes or no"
    if fact.type == "code" and fact.choices:
        return "" if value in fact.choices else "Choose one of these"
    return "Give it in 200 characters or fewer" if len(value) > 200 else ""


def read_question(
    reading: Reading, me: Reach, id: str, action: str = "view_question"
) -> tuple[questions.Question, FlagRow]:
    """A question this person may see, and its flag. 404 for any other; 403 where they may not do this with it."""
    found = questions.read(reading, id)
    row = read_row(reading, found.flag)
    thing = Question(id, row.list, found.agency, row.status)
    if not me.may_do("view_question", thing):
        raise HTTPException(404)
    if not me.may_do(action, thing):
        raise HTTPException(403)
    return found, row


def _settle(
    request: Request, id: str, me: Reach, answer: Answer, field: str, done: str, change: Any
) -> Response:
    database = find_database(request)
    try:
        with database.writing(read_now(request), me.id) as writing:
            change(writing)
    except Stale as stale:
        with database.reading() as reading:
            said = say_slower(reading, "this", stale.by, stale.at, WORK_NAMES.get(stale.state, stale.state))
        return _show(request, id, me, Answer(sent=answer.sent, slower=said))
    except StoreError as error:
        if error.fault == "conflict":       # it was answered already: its page says so
            return RedirectResponse(f"/questions/{id}", 303)
        return _show(request, id, me, Answer({field: say_invalid(error)}, answer.sent))
    return RedirectResponse(f"/questions/{id}?done={done}", 303)


def _show(request: Request, id: str, me: Reach, answer: Answer, done: str = "") -> Response:
    with find_database(request).reading() as reading:
        question, row = read_question(reading, me, id)
        seen = all(me.may(reading, "view_flag", [row]))
        thing, asked = Question(id, row.list, question.agency, row.status), question.state == "asked"
        fact = list_facts(request, row.list).get(question.fact or "")
        values = {
            "question": question, "list": row.list, "flag": f"/flags/{row.id}" if seen else "", "done": done,
            "about": say_about(row) if seen else "", "asked_by": name_user(reading, question.asked_by),
            "replied_by": name_user(reading, question.replied_by) if question.replied_by else "",
            "fact": fact, "late": asked and question.due is not None and question.due < me.today,
            "may_answer": asked and me.may_do("answer_question", thing),
            "may_withdraw": asked and seen and all(me.may(reading, "ask_question", [row])), **answer.values()}
    return find_pages(request).show(request, "question.html", values, answer.status)
