"""A pair -> its screening: every allocation rule, the conflicts, what was not checked, and what to ask.

The plain evaluator decides; durable-rules reasons about the same facts another way, on every call, and a disagreement
fails the screening. Nobody is ever refused here: the result is about the home, the paperwork and the support.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from engine.answers import take_answers
from engine.condition import Compare, Exists, Known
from engine.desk import Desk, Measured
from engine.errors import Problem, ScreenError
from engine.evaluate import Case, Step, evaluate
from engine.explain import CONTEST
from engine.feature import Feature
from engine.flag import write_json
from engine.lists import live_rules
from engine.prose import join_words, name_agency, show
from engine.questions import choose_questions
from engine.reasoning import cross_check
from engine.reasons import find_minimal, find_unknown
from engine.recount import Counted
from engine.rule import OrderFactor, Rule
from engine.screening import Answer, Conflict, Factor, Pair, Result, Screening, Unchecked, rank_of, sum_up
from engine.trace import HELD_BACK, end_sentence, say_leaf, say_withheld, show_fact, write_node

HOUSING = "housing"
"""The agency that screens. What only others may know of somebody is used here and not shown."""

DOES_NOT = ("It is not a refusal and not a decision. Nobody is refused a home, and nobody moves up or down the "
            "scheme's order, because of anything written here.")

_HEADLINES: Mapping[Result, str] = {
    "avoid_this_property": "Show other homes first: something speaks against this one for this household.",
    "check_with_agency": "Ask before the offer is made: an agency has to be heard first.",
    "complete_needs": "Complete what is needed with the applicant first; then look again.",
    "lint": "Put the paperwork right before the offer is decided.",
    "mitigate": "This home can be offered, with the right support in place, if the applicant wants it.",
    "nothing_found": "Nothing was found that speaks against this home.",
}


def screen(desk: Desk, pair: Pair, answers: Sequence[Answer] = ()) -> Screening:
    """Everything there is to say about a pair on the desk's day.

    Raises RunError, naming the rules, when durable-rules and the evaluator disagree.
    """
    measured = desk.measure(pair)
    withheld = find_withheld(desk.features, answers)
    # Being told of it shows what was told, and never what else is recorded.
    values, told = take_answers(answers, measured.counted, desk.features, find_withheld(desk.features, ()))
    steps = judge_case(desk, values, measured)
    rules = live_rules(desk.pack, "allocation", desk.as_of)
    total = sum_up({rule.id: steps[rule.id].state for rule in rules}, rules)
    shown = _Shown(desk, values, measured.counted, withheld)
    unchecked = tuple(_unchecked(rule, steps[rule.id], desk) for rule in rules if steps[rule.id].state is None)
    return Screening(
        as_of=desk.as_of, application=pair.application, applicant=pair.applicant, uprn=pair.uprn,
        proposal=pair.proposal, result=total.result, headline=_headline(total.result, len(unchecked)),
        conflicts=tuple(shown.conflict(rule, steps[rule.id]) for rule in sorted(rules, key=rank_of)
                        if steps[rule.id].state is True),
        unchecked=unchecked, factors=tuple(shown.factor(factor) for factor in desk.pack.factors),
        questions=choose_questions(rules, steps, desk.features), told=told,
        late_feeds=tuple(f"{feed}: {how}" for feed, how in sorted(desk.snapshot.late.items())),
        does_not=DOES_NOT, contest=CONTEST, digests=desk.digests)


def judge_case(desk: Desk, values: Mapping[str, Any], measured: Measured) -> dict[str, Step]:
    """Every allocation rule's steps, with durable-rules' agreement."""
    steps = evaluate_case(desk, values, measured)
    cross_check(desk.reasoner.reason(Case(values, {}, measured.related)), steps)
    return steps


def evaluate_case(desk: Desk, values: Mapping[str, Any], measured: Measured) -> dict[str, Step]:
    """Every allocation rule's steps, by the evaluator alone."""
    steps: dict[str, Step] = {}
    outcomes: dict[str, bool | None] = {}
    for rule in desk.rules:
        steps[rule.id] = evaluate(rule.when, Case(values, outcomes, measured.related))
        outcomes[rule.id] = steps[rule.id].state
    return steps


def replay(text: str, pair: Pair, answers: Sequence[Answer], desk: Desk) -> tuple[str, str]:
    """A screening as it was kept, and as it comes out again at the desk it was made at."""
    return text, write_json(screen(desk, pair, answers), indent=None)


def find_withheld(features: Mapping[str, Feature], answers: Sequence[Answer]) -> frozenset[str]:
    """The facts housing may act on and not see: sensitive, held by others, and not told to the officer just now."""
    told = {answer.fact for answer in answers}
    return frozenset(name for name, f in features.items() if f.sensitivity in ("special", "criminal")
                     and HOUSING not in f.agency and name not in told)


def check_pair(desk: Desk, applicant: str, uprn: str, offered: Mapping[str, str] = {}) -> Pair:
    """The pair somebody asked for, if it may be offered at all.

    `applicant`: an application, or a person's id. `offered`: homes with an offer standing, and where that is kept.
    Raises ScreenError with what is in the way and what to do about it.
    """
    pair = desk.pair(_find_application(desk, applicant), uprn)
    entry, home = desk.applications[pair.application], desk.homes[pair.uprn]
    conflicts, invalid = [], []
    if not entry["live"]:
        conflicts.append(Problem("application", _say_entry(entry, desk.as_of), "a live entry on the housing register",
                                 "renew or reopen it with the applicant in the housing system first"))
    if home["let"]:
        conflicts.append(Problem("uprn", "somebody lives there: the home is already let", "a home that is free",
                                 "end the old tenancy in the housing system, or screen another home"))
    if uprn in offered:
        conflicts.append(Problem("uprn", f"the home has been offered already ({offered[uprn]})", "a home that is free",
                                 "withdraw that offer first if it no longer stands, or screen another home"))
    if not entry["members"] and entry["applicant"] is None:     # who applies alone is a household of one
        invalid.append(Problem("application", "nobody is recorded in this household", "a household with its members",
                               "write down in the housing system who would move in; then screen again"))
    if home["easting"] is None or home["northing"] is None:
        invalid.append(Problem("uprn", "nobody has said where this home is", "an address with coordinates",
                               "add the address to the gazetteer: nothing can be looked up around it until then"))
    if conflicts or invalid:
        raise ScreenError(conflicts + invalid, "conflict" if conflicts else "invalid")
    return pair


# --- inside -------------------------------------------------------------------------------------


class _Shown:
    """Rules and facts of one case, as housing may see them."""

    def __init__(
        self, desk: Desk, values: Mapping[str, Any], counted: Mapping[str, Counted], withheld: frozenset[str]
    ) -> None:
        self.desk, self.values, self.counted, self.withheld = desk, values, counted, withheld

    def conflict(self, rule: Rule, step: Step) -> Conflict:
        desk, read = self.desk, _facts_behind(self.desk, step)
        said = {name: self.show(name, bare=True) for name in desk.features}
        enough = find_minimal(step)
        return Conflict(
            rule=rule.id, reference=rule.reference, title=rule.title, result=rule.result,  # type: ignore[arg-type]
            level=rule.level, factor=str(rule.factor),  # type: ignore[arg-type]
            because=end_sentence(rule.because.format_map(said)), why=rule.why, authority=rule.authority,
            confirm=tuple(name_agency(a) for a in rule.convene), respond=rule.respond,
            tree=write_node(step, desk.features, self.counted, desk.pack, self.withheld),
            enough=tuple(self._say(leaf) for leaf in enough),
            would_change=tuple(dict.fromkeys(
                desk.features[name].changes_to for name in read if desk.features[name].changes_to)))

    def factor(self, factor: OrderFactor) -> Factor:
        """One factor of the Order: whether it binds here, and whether all it takes to look at it is known."""
        binds = True if factor.applies is None else evaluate(factor.applies, Case(self.values)).state
        features = self.desk.features
        unknown = [features[name].title for name in factor.facts if self.values[name] is None]
        facts = tuple(f"{features[name].title}: {self.show(name)}" for name in factor.facts)
        if binds is False:
            return Factor(factor.key, factor.title, factor.source, "not_applicable",
                          "It binds where a homelessness duty is owed"
                          + (", for a home outside the district." if factor.key == "distance" else "."), facts)
        if binds is None:
            return Factor(factor.key, factor.title, factor.source, "not_checked",
                          "Whether it binds is not known: find out whether a homelessness duty is owed.", facts)
        if unknown:
            return Factor(factor.key, factor.title, factor.source, "not_checked",
                          f"Not known: {join_words(unknown)}.", facts)
        return Factor(factor.key, factor.title, factor.source, "checked", factor.why, facts)

    def show(self, name: str, bare: bool = False) -> str:
        """A fact's value for housing."""
        if name in self.withheld:
            return HELD_BACK if self.values[name] is not None else show(None)
        return show_fact(self.values[name], self.desk.features[name], bare)

    def _say(self, leaf: Step) -> str:
        name = leaf.condition.name if isinstance(leaf.condition, Compare | Known) else ""
        if name in self.withheld:
            return say_withheld(self.desk.features[name])
        return say_leaf(leaf, self.desk.features, self.desk.pack)


def _facts_behind(desk: Desk, step: Step) -> list[str]:
    """The facts whose present value helps a step hold."""
    return [leaf.condition.name for leaf in find_minimal(step)
            if isinstance(leaf.condition, Compare | Known) and leaf.condition.name in desk.features]


def _unchecked(rule: Rule, step: Step, desk: Desk) -> Unchecked:
    """A rule that cannot tell, and who could settle it."""
    leaves = find_unknown(step)
    named = [leaf.condition.name for leaf in leaves if isinstance(leaf.condition, Compare | Known)]
    facts = [desk.features[name] for name in dict.fromkeys(named) if name in desk.features]
    tables = dict.fromkeys(leaf.condition.table for leaf in leaves if isinstance(leaf.condition, Exists))
    feeds = [feed for table in tables for feed in desk.snapshot.table_feeds.get(table, (table,))]
    agencies = [a for f in facts for a in f.agency] + [desk.pack.contracts[feed].agency for feed in feeds]
    return Unchecked(
        rule.id, rule.title, rule.level,  # type: ignore[arg-type]
        tuple(f.title for f in facts) + tuple(table.replace("_", " ") for table in tables),
        tuple(dict.fromkeys(name_agency(a) for a in agencies)))


def _headline(result: Result, unchecked: int) -> str:
    if not unchecked:
        return _HEADLINES[result]
    checks = "1 check" if unchecked == 1 else f"{unchecked} checks"
    return f"{_HEADLINES[result]} {checks} could not be made; not known is not the same as no."


def _find_application(desk: Desk, applicant: str) -> str:
    """An application by its own reference, or a person's latest live one."""
    if applicant in desk.applications:
        return applicant
    if applicant in desk.snapshot.merged:
        raise ScreenError(Problem("applicant", "this id was merged: its records belong to another id now",
                                  desk.snapshot.merged[applicant], "use that id; `wardwise person` says why"),
                          "conflict")
    theirs = [a for a in desk.applications.values() if a["applicant"] == applicant]
    if theirs:
        latest = max(theirs, key=lambda a: (a["live"], a["registered"] or date.min, a["application"]))
        return str(latest["application"])
    raise ScreenError(Problem("applicant", "nobody of this name is on the housing register",
                              "an application reference, or the id of a person with an application",
                              "look the reference up; a new one is known here once housing has sent it"), "not_found")


def _say_entry(entry: Mapping[str, Any], as_of: date) -> str:
    if entry["expires"] is not None and entry["expires"] <= as_of:
        return f"the register entry expired on {entry['expires']}"
    return f"the register entry is {entry['status'] or 'of unknown status'}"
