"""One kept screening -> its page, in layers: the result, what to ask, what was found, what cannot be told, and views.

Everything shown stands in the stored text, in the journal of screenings, or in what people said of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.web.counter import Counter, CounterRoute, Token, name_asker, stand
from api.web.form import list_errors, offer, read_words, say_words
from api.web.identity import check_form
from api.web.keeping import name_user
from api.web.layout import find_pages
from api.web.refusals import say_invalid
from api.web.site_words import LEVEL_TITLES, REQUEST_NAMES, VIEW_NAMES, say_code
from engine.feature import Feature
from engine.screening import Value
from engine.screenings import Kept
from engine.store import opinions, requests
from engine.store.database import Reading
from engine.store.problems import StoreError
from engine.store.words import LETTERS

router = APIRouter(dependencies=[Depends(check_form)], route_class=CounterRoute)

NOT_KNOWN, NOT_SAID = "Not known", "Not known, or would rather not say"
_PREFIX = "answer_"
_DONE = {
    "screened": "Screened and kept. It decides nothing.", "again": "Screened again. The earlier screening is kept too.",
    "viewed": "Your view is kept with this screening.", "asked": "A housing manager will see your request.",
    "withdrawn-request": "The request is withdrawn.", "overridden": "The conflict is set aside, and it is reported.",
    "refused": "The conflict stands, and the officer who asked can read why.", "offered": "The offer is recorded.",
    "already": "An offer was recorded already.", "taken-back": "The offer no longer stands. The home is free again.",
}

Reader = Annotated[Counter, Depends(stand("read_screenings"))]
Officer = Annotated[Counter, Depends(stand("screen"))]


@dataclass(frozen=True)
class Trouble:
    """What was wrong with a form: by field, or of the whole; and what was typed."""

    fields: Mapping[str, str] = field(default_factory=dict)
    whole: Sequence[str] = ()
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> list[dict[str, str]]:
        """The lines of an error summary."""
        return [*list_errors(self.fields),
                *({"text": text, "href": "#main-content"} for text in self.whole)]

    def say(self, name: str) -> dict[str, str] | None:
        """What stands at a field."""
        return {"text": self.fields[name]} if name in self.fields else None


CLEAR = Trouble()


@router.get("/screenings/{token}")
def show_screening(request: Request, token: Token, at: Reader, done: str = "") -> Response:
    """The page of a screening."""
    return show(request, at, at.find(token), done=_DONE.get(done, ""))


@router.get("/screenings/{token}/homes")
def compare_homes(request: Request, token: Token, at: Reader) -> Response:
    """Other homes for the applicant, beside this one."""
    kept = at.find(token)
    shown = at.front.show(kept.id)
    screening = json.loads(shown.text)
    here = {"name": at.front.address(kept.pair.uprn) or kept.pair.uprn, "result": kept.result, "hard": len(kept.hard),
            "soft": len(kept.soft), "cannot_tell": len(screening["unchecked"])}
    values = {"token": token, "here": here, "matches": json.loads(shown.matches) if shown.matches else [],
              "as_of": kept.as_of, "once": at.database.draw(), "may_screen": at.may("screen")}
    return find_pages(request).show(request, "screening_homes.html", values)


@router.get("/screenings/{token}/view")
def ask_view(request: Request, token: Token, at: Officer) -> Response:
    """The form for what the officer makes of it."""
    return _show_view(request, at, at.find(token))


@router.post("/screenings/{token}/view")
def say_view(
    request: Request, token: Token, at: Officer, view: Annotated[str, Form(max_length=40)] = "",
    says: Annotated[str, Form()] = "",
) -> Response:
    """Keeps what the officer makes of it."""
    kept, says = at.find(token), read_words(says)
    typed = {"view": view, "says": says}
    if view not in opinions.AFTER:
        return _show_view(request, at, kept, Trouble({"view": "Choose what you think"}, typed=typed))
    if wrong := say_words(says, "Say why, so that another person can follow it", 0 if view in opinions.UNEXPLAINED
                          else LETTERS):
        return _show_view(request, at, kept, Trouble({"says": wrong}, typed=typed))
    try:
        with at.database.writing(at.now, at.me.id) as writing:
            opinions.say(writing, token, view, says)
    except StoreError as error:
        return _show_view(request, at, kept, Trouble({"says": say_invalid(error)}, typed=typed))
    return RedirectResponse(f"/screenings/{token}?done=viewed", 303)


def show(
    request: Request, at: Counter, kept: Kept, trouble: Trouble = CLEAR, status: int = 200, done: str = "",
) -> Response:
    """The page of a screening, with what was wrong with the form that was sent from it."""
    front, token = at.front, at.front.token(kept)
    shown = front.show(kept.id)
    screening, pairs = json.loads(shown.text), front.same_pair(kept)
    place = next(number for number, one in enumerate(pairs) if one.id == kept.id)
    offer = next((one for one in front.kept.offers() if one.uprn == kept.pair.uprn and one.standing), None)
    with at.database.reading() as reading:
        said = _tell_people(reading, at, kept, token)
    values = {
        "s": screening, "token": token, "id": kept.id, "made_at": datetime.fromisoformat(kept.made_at), "done": done,
        "address": front.address(kept.pair.uprn), "trouble": trouble, "once": at.database.draw(),
        "newest": front.token(pairs[-1]) if pairs[-1].id != kept.id else "",
        "old": kept.as_of < at.today, "offer": offer, "offered_here": offer is not None and offer.screening == kept.id,
        "changed": _tell_change(at, pairs[place - 1], screening) if place else None,
        "conflicts": _sort(screening, said["overrides"], said["requests"]),
        "asked": make_fields(front.askable(), screening, kept, trouble),
        "blocked": any(rule not in {one["rule"] for one in said["overrides"]} for rule in kept.hard),
        "matches": len(json.loads(shown.matches)) if shown.matches else 0,
        "can_act": pairs[-1].id == kept.id and at.may("screen"), **said,
        **{f"may_{right}": at.may(right) for right in ("screen", "override", "record_offer")},
    }
    return find_pages(request).show(request, "screening.html", values, status)


# --- the questions --------------------------------------------------------------------------------


def make_fields(
    askable: Sequence[Feature], screening: Mapping[str, Any], kept: Kept, trouble: Trouble = CLEAR,
) -> dict[str, list[dict[str, Any]]]:
    """The fields of the form, by when to ask: now, later, and what was told already and may be changed."""
    features = {feature.name: feature for feature in askable}
    told = {answer.fact: write_value(answer.value) for answer in kept.answers}
    asked = [question for question in screening["questions"] if question["fact"] in features]
    found: dict[str, list[dict[str, Any]]] = {"now": [], "later": [], "told": []}
    for question in asked:
        if question["fact"] not in told:
            found["now" if question["now"] else "later"].append(
                _make_field(features[question["fact"]], None, trouble) | {"changes": question["could_change"]})
    found["told"] = [_make_field(features[fact], value, trouble) for fact, value in told.items() if fact in features]
    return found


def read_told(askable: Sequence[Feature], kept: Kept, fields: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    """What a form tells that was not told before, by fact, and the facts it takes back."""
    before = {answer.fact: write_value(answer.value) for answer in kept.answers}
    said = {one.name: fields[_PREFIX + one.name] for one in askable if _PREFIX + one.name in fields}
    told = {fact: value for fact, value in said.items() if value and value != before.get(fact)}
    return told, {fact for fact, value in said.items() if not value and fact in before}


def name_field(fact: str) -> str:
    """The field of a fact."""
    return _PREFIX + fact


def write_value(value: Value) -> str:
    """An answer as its field holds it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else f"{value:g}" if isinstance(value, float) else str(value)


def _make_field(feature: Feature, value: str | None, trouble: Trouble) -> dict[str, Any]:
    name = name_field(feature.name)
    typed = trouble.typed.get(name, value)
    choices = {"yes": "Yes", "no": "No"} if feature.type == "boolean" else {
        code: say_code(code) for code in feature.values} if feature.type == "code" else {}
    items = [{"value": code, "text": text, "checked": code == typed} for code, text in {
        **choices, "": NOT_SAID if feature.ask_of == "applicant" else NOT_KNOWN}.items()]
    hint = "Leave it empty if it is not known."
    return {"name": name, "ask": feature.ask, "of": feature.ask_of, "type": feature.type, "unit": feature.unit,
            "value": typed or "", "items": items if choices else [], "error": trouble.say(name),
            "hint": f"A day, such as 2026-11-23. {hint}" if feature.type == "date" else hint}


# --- what changed ---------------------------------------------------------------------------------


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What an earlier screening said and this one does not, and the other way round; titles in their order.

    Each rule is told once: found, no longer found, settled (as not so), or one that cannot be told any more.
    """
    found_before, found_now = _titles(before, "conflicts"), _titles(after, "conflicts")
    open_before, open_now = _titles(before, "unchecked"), _titles(after, "unchecked")
    told = {entry["fact"]: entry["value"] for entry in before["told"]}
    return {
        "result": before["result"] if before["result"] != after["result"] else "",
        "gone": [title for rule, title in found_before.items() if rule not in found_now and rule not in open_now],
        "new": [title for rule, title in found_now.items() if rule not in found_before],
        "settled": [title for rule, title in open_before.items() if rule not in open_now and rule not in found_now],
        "opened": [title for rule, title in open_now.items() if rule not in open_before],
        "told": [f"{entry['title']}: {entry['value']}" for entry in after["told"]
                 if told.get(entry["fact"]) != entry["value"]],
    }


def _titles(screening: Mapping[str, Any], part: str) -> dict[str, str]:
    return {entry["rule"]: entry["title"] for entry in screening[part]}


def _tell_change(at: Counter, earlier: Kept, screening: Mapping[str, Any]) -> dict[str, Any]:
    found = compare(json.loads(at.front.show(earlier.id).text), screening)
    return {**found, "token": at.front.token(earlier), "made_at": datetime.fromisoformat(earlier.made_at),
            "nothing": not any(found[part] for part in ("result", "gone", "new", "settled", "opened"))}


# --- what people say of it ------------------------------------------------------------------------


def _tell_people(reading: Reading, at: Counter, kept: Kept, token: str) -> dict[str, Any]:
    """Views, requests and overrides, each with the name of whose it is."""
    overrides = [{"rule": one.rule, "by": name_asker(reading, one.by), "at": datetime.fromisoformat(one.at),
                  "reason": one.reason, "mitigation": one.mitigation}
                 for one in at.front.overrides() if one.screening == kept.id]
    asked = [{"id": one.id, "rule": one.rule, "state": one.state, "said": REQUEST_NAMES[one.state],
              "by": name_user(reading, one.asked_by), "at": one.asked_at, "reason": one.reason, "answer": one.answer,
              "answered_by": name_user(reading, one.answered_by) if one.answered_by else "", "version": one.version,
              "mine": one.asked_by == at.me.id} for one in requests.of_screening(reading, token)]
    views = [{"by": name_user(reading, one.user), "at": one.at, "view": VIEW_NAMES[one.view], "says": one.says,
              "before": one.before} for one in opinions.of_screening(reading, token)]
    return {"made_by": name_asker(reading, kept.by), "overrides": overrides, "requests": asked, "views": views}


def _sort(
    screening: Mapping[str, Any], overrides: Sequence[Mapping[str, Any]], asked: Sequence[Mapping[str, Any]],
) -> list[tuple[str, list[dict[str, Any]]]]:
    """The conflicts by level, each with its number, what a manager said of it, and what was asked."""
    every = [{**one, "number": number, "overrides": [o for o in overrides if o["rule"] == one["rule"]],
              "requests": [r for r in asked if r["rule"] == one["rule"]]}
             for number, one in enumerate(screening["conflicts"], 1)]
    return [(level, here) for level in LEVEL_TITLES if (here := [one for one in every if one["level"] == level])]


def _show_view(request: Request, at: Counter, kept: Kept, trouble: Trouble = CLEAR) -> Response:
    views = offer({view: VIEW_NAMES[view] for view in opinions.AFTER})
    values = {"token": at.front.token(kept), "result": kept.result, "views": views, "trouble": trouble}
    return find_pages(request).show(request, "screening_view.html", values, 400 if trouble.summary else 200)
