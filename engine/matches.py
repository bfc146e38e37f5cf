"""Other homes for an applicant, and everybody on a home's shortlist, each screened the same way.

Homes are offered for comparison with the fewest conflicts first. A shortlist stands in the published scheme's order,
and nothing found here changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.answers import take_answers
from engine.desk import Desk
from engine.errors import Problem, ScreenError
from engine.lists import live_rules
from engine.screen import evaluate_case, judge_case
from engine.screening import Answer, Match, Pair, Sum, sum_up


def find_matches(
    desk: Desk, pair: Pair, answers: Sequence[Answer] = (), offered: frozenset[str] = frozenset()
) -> tuple[Match, ...]:
    """The homes now available, or soon, with as many bedrooms and no hard conflict for this applicant; best first.

    Fewest soft conflicts, then fewest checks that could not be made, then the earliest ready, then UPRN. What the
    applicant told counts for every home; what was told about one home or offer stays with it. At most
    `Scheme.matches`; every one of them is also reasoned about by durable-rules.
    """
    beds = desk.homes[pair.uprn]["beds"]
    theirs = _about_applicant(desk, answers)
    found: list[tuple[Any, ...]] = []
    for uprn, home in desk.homes.items():
        fits = beds is None or home["beds"] == beds
        placed = home["easting"] is not None and home["northing"] is not None     # else it cannot be screened
        if home["available"] and placed and fits and uprn != pair.uprn and uprn not in offered:
            total = _sum(desk, desk.pair(pair.application, uprn), theirs, checked=False)
            if total.hard == 0:
                found.append((total.soft, total.cannot_tell, str(home["ready_from"] or "9999"), uprn))
    best = [uprn for *_, uprn in sorted(found)[:desk.pack.policy.scheme.matches]]
    return tuple(_match(desk, desk.pair(pair.application, uprn), theirs, str(desk.homes[uprn]["address"] or uprn))
                 for uprn in best)


def find_shortlist(desk: Desk, uprn: str) -> tuple[Match, ...]:
    """Everybody with an open proposal for a home, or the first of the register where nobody has; in scheme order.

    Raises ScreenError for a home nobody knows (not_found), or that is let and proposed to nobody (conflict).
    """
    if uprn not in desk.homes:
        raise ScreenError(Problem("uprn", "no such home among those landlords have told of", "the UPRN of a home",
                                  "look the UPRN up"), "not_found")
    proposed = {application for application, home in desk.proposals if home == uprn}
    places = {a["application"]: a["place"] for a in desk.applications.values()}
    if not proposed and desk.homes[uprn]["let"]:
        raise ScreenError(Problem("uprn", "somebody lives there, and nobody is proposed for it", "a home that is free",
                                  "end the old tenancy in the housing system, or name another home"), "conflict")
    chosen = proposed & places.keys() or {
        name for name, place in places.items() if place is not None and place <= desk.pack.policy.scheme.shortlist}
    ordered = sorted(chosen, key=lambda name: (places[name] is None, places[name], name))
    return tuple(_match(desk, desk.pair(name, uprn), (), _say_place(places[name])) for name in ordered)


# --- inside -------------------------------------------------------------------------------------


def _about_applicant(desk: Desk, answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers that hold wherever the applicant goes."""
    return tuple(a for a in answers if desk.features[a.fact].about in ("applicant", "household"))


def _match(desk: Desk, pair: Pair, answers: Sequence[Answer], name: str) -> Match:
    total, home = _sum(desk, pair, answers, checked=True), desk.homes[pair.uprn]
    return Match(pair.application, pair.uprn, name, home["beds"], home["ready_from"], total.result, total.hard,
                 total.soft, total.cannot_tell)


def _sum(desk: Desk, pair: Pair, answers: Sequence[Answer], checked: bool) -> Sum:
    """What the rules come to for a pair; `checked`: durable-rules must agree."""
    measured = desk.measure(pair)
    values, _ = take_answers(answers, measured.counted, desk.features, ())
    steps = (judge_case if checked else evaluate_case)(desk, values, measured)
    rules = live_rules(desk.pack, "allocation", desk.as_of)
    return sum_up({rule.id: steps[rule.id].state for rule in rules}, rules)


def _say_place(place: int | None) -> str:
    return f"place {place} in the scheme's order" if place is not None else "not live on the register"
