"""One rule -> its page, in plain English: what it asks, of which records, what speaks against it, its own cases, who
answers for it, and what came of it. The words come from the tree that is judged, so they cannot say anything else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response

from api.annex_words import LEVELS, RESULTS
from api.web.identity import check_form
from api.web.keeping import find_database, find_office
from api.web.layout import find_pages
from api.web.reach import Reach
from api.web.reviewing import STANDINGS, read_limits, say_interval, say_reasons, say_share
from api.web.rules import RULE_ABOUT, RULE_STATES, Me, count_seen, find_review, find_state, may_judge
from api.web.site_words import LIST_TITLES
from engine.cases import OUTCOMES, RuleCase, read_cases
from engine.clauses import break_down, say_first
from engine.condition import Compare, Condition, exists_in, names_in, rules_in, walk
from engine.errors import RuleError
from engine.feature import Feature
from engine.lists import LISTS
from engine.pack import Pack
from engine.prose import name_agency, name_table, say, show
from engine.rule import RESPONSES, Rule
from engine.store import judgements
from engine.store.database import Reading
from engine.store.flags import Publication
from engine.world import TABLE_FEEDS

router = APIRouter(dependencies=[Depends(check_form)])

CASE_TITLES = {"fires": "It fires", "does_not_fire": "It does not fire", "cannot_tell": "It cannot tell"}
ABSENCES = {"zero": "none on record means none", "unknown": "none on record means not known",
            "none": "none on record means there is none", "not_applicable": "none on record means it does not apply"}
_FULL = 200     # units of the picture's width that the tallest bar takes
_FACT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Asked:
    """One fact or kind of record that the rule reads, and where it comes from."""

    title: str
    feeds: str
    agencies: str
    days: int | None
    silence: str


@dataclass(frozen=True)
class Bar:
    """One publication: on how many flags the rule had fired, None where hidden, and how long its bar is."""

    published: Publication
    volume: int | None
    width: int


@router.get("/rules/{subject}/{name}")
def show_rule(
    request: Request, subject: Literal["person", "place", "allocation"], name: str, me: Me
) -> Response:
    """The page of one rule. 404 where there is none of that name."""
    pack = find_office(request).setting.pack
    rule = pack.rules.get(f"{subject}/{name}")
    if rule is None:
        raise HTTPException(404)
    facts = pack.features_of(rule.subject)
    with find_database(request).reading() as reading:
        came = _tell_what_came(reading, me, pack, rule)
    values = {
        "rule": rule, "list": LIST_TITLES[LISTS[rule.subject]], "state": find_state(rule, me.today),
        "states": RULE_STATES, "about": RULE_ABOUT, "review": find_review(rule, me.today),
        "look": break_down(rule.when, facts, pack.rules), "thresholds": list_thresholds(rule.when, facts),
        "follows": [pack.rules[one] for one in rules_in(rule.when) if one in pack.rules],
        "asked": list_asked(rule.when, pack, facts), "against": _list_against(rule, pack, facts),
        "respond": [(step, [one.text for one in rule.respond if one.step == step]) for step in RESPONSES],
        "says": _FACT.sub(lambda found: f"[{_title(found[1], facts)}]", rule.because),
        "cases": _list_cases(rule, pack, facts), "case_titles": CASE_TITLES,
        "result": RESULTS.get(rule.result or ""), "level": LEVELS.get(rule.level or ""),
        "fades": _title(rule.fades_with, facts) if rule.fades_with else "", **came,
    }
    return find_pages(request).show(request, "rule.html", values)


def list_thresholds(when: Condition, facts: Mapping[str, Feature]) -> list[tuple[str, str]]:
    """Each number or word a fact is held against: the clause in words, and the value."""
    clauses = dict.fromkeys(one for one in walk(when) if isinstance(one, Compare) and one.name in facts
                            and not isinstance(one.value, bool))
    return [(say_first(say(one, facts)), _say_value(one, facts[one.name])) for one in clauses]


def list_asked(when: Condition, pack: Pack, facts: Mapping[str, Feature]) -> list[Asked]:
    """What a rule reads itself, each with its feeds: what becomes not known when they are late."""
    asked = [_ask(say_first(facts[name].title), facts[name].feeds, facts[name].window,
                  ABSENCES[facts[name].absence], pack) for name in dict.fromkeys(names_in(when)) if name in facts]
    blocks = dict.fromkeys((one.table, one.within) for one in exists_in(when))
    return asked + [_ask(say_first(name_table(table)), TABLE_FEEDS.get(table, (table,)), within,
                         "none on record means there is none, unless a feed is late", pack) for table, within in blocks]


# --- inside --------------------------------------------------------------------------------------------


def _ask(title: str, feeds: Sequence[str], days: int | None, silence: str, pack: Pack) -> Asked:
    contracts = [pack.contracts[feed] for feed in feeds if feed in pack.contracts]
    return Asked(title, "; ".join(one.title for one in contracts) or "worked out from the offer itself",
                 ", ".join(dict.fromkeys(name_agency(one.agency) for one in contracts)), days, silence)


def _title(name: str, facts: Mapping[str, Feature]) -> str:
    title = facts[name].title if name in facts else name.replace("_", " ")
    return title[0].lower() + title[1:] if title[1:2].islower() else title      # MARAC stays MARAC


def _say_value(clause: Compare, fact: Feature) -> str:
    values = clause.value if isinstance(clause.value, tuple) else (clause.value,)
    return ", ".join(show(value, fact.unit) for value in values)


def _list_against(rule: Rule, pack: Pack, facts: Mapping[str, Feature]) -> list[dict[str, str]]:
    """The exclusions that may keep it off the list, and the facts that take points off it."""
    found = [{"id": one.id, "title": one.title, "why": one.why, "does": f"Goes to {one.route}" if one.route else
              "Kept where records are read", "when": say_first(say(one.when, facts)) if one.when else "Every record"}
             for one in pack.exclusions if one.subject in (None, rule.subject)
             and (rule.axis == "harm" or one.effect not in ("harm_muted", "second_source"))]
    return found + [
        {"id": one.id, "title": one.title, "why": one.why, "does": f"Takes {one.reduce:.0%} off its points",
         "when": say_first(say(one.when, facts))} for one in pack.protections
        if one.subject == rule.subject and rule.axis in one.axes and (not one.themes or rule.theme in one.themes)]


def _list_cases(rule: Rule, pack: Pack, facts: Mapping[str, Feature]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The rule's own cases by outcome; none where the rules folder came without them."""
    path = pack.folder / f"{rule.id}.test.yaml"
    try:
        cases = read_cases(path) if path.exists() else []
    except RuleError:       # `wardwise check` says what is wrong with them; the page is about the rule
        cases = []
    return [(outcome, [{"name": one.name, "given": _say_given(one, facts)} for one in cases if one.expect == outcome])
            for outcome in OUTCOMES] if cases else []


def _say_given(case: RuleCase, facts: Mapping[str, Feature]) -> list[str]:
    said = [f"{say_first(_title(name, facts))}: {show(value, facts[name].unit if name in facts else '')}"
            for name, value in case.given.items()]
    return said + [f"{say_first(name_table(table))}: {'not known' if rows is None else len(rows)}"
                   for table, rows in case.related.items()]


def _tell_what_came(reading: Reading, me: Reach, pack: Pack, rule: Rule) -> dict[str, Any]:
    """Volumes for everybody; shares and reasons for those who may see how reviewing goes."""
    cycles = judgements.find_cycles(reading, me.today)
    seen = count_seen(reading, me, pack, cycles)
    volumes = [(one, seen[one.run].get(rule.id)) for one in cycles]
    tallest = max((volume or 0 for _, volume in volumes), default=0)
    bars = [Bar(one, volume, round(_FULL * (volume or 0) / tallest) if tallest else 0) for one, volume in volumes]
    if not may_judge(me):
        return {"bars": bars, "judged": False}
    group = next((one for one in judgements.measure_shares(reading, "rule", cycles) if one.name == rule.id), None)
    return {
        "bars": bars, "judged": True, "reasons": say_reasons(judgements.count_reasons(reading, cycles, rule.id)),
        "share": say_share(group.whole) if group else "", "interval": say_interval(group.whole) if group else "",
        "standing": STANDINGS.get(group.stand(read_limits(pack.policy)), "") if group else "",
        "shares": [(one, say_share(tally), say_interval(tally)) for one, tally in
                   zip(cycles, group.cycles, strict=True)] if group else []}
