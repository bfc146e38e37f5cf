"""How often people confirm what was put forward (requirement R11), and whether they still look (R17): with alarms.

An alarm says what to do and does nothing: no rule is stopped and nobody is told off by a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.web.identity import check_form
from api.web.keeping import Office, find_database, name_user
from api.web.layout import find_pages
from api.web.reach import Reach, need
from api.web.rights import Register
from api.web.site_words import CHANGE_SHORT, LIST_TITLES, REASON_NAMES, STATE_NAMES, say_code, say_theme
from api.words import AXES
from engine.rule import Policy, Rule
from engine.store import judgements
from engine.store.database import Reading
from engine.store.flags import Publication
from engine.store.judgements import APART, LAST, LEAST_SECONDS, MOST_AGREEING, TOO_FEW, Gap, Group, Habit, Limits, Tally

router = APIRouter(dependencies=[Depends(check_form)])
Me = Annotated[Reach, Depends(need("view_reviews", "reviews"))]

_GROUPS: Mapping[judgements.Kind, str] = {
    "list": "List", "axis": "Leading axis", "theme": "Theme", "ward": "Ward", "change": "Changed since last time"}
STANDINGS = {"too_few": "Too few to tell", "look_again": "Look at this rule again", "stop": "Stop or review this rule"}


@dataclass(frozen=True)
class Line:
    """One line of a table of shares, in words. `cycles`: confirmed of decided in each."""

    name: str
    href: str
    whole: Tally
    share: str
    interval: str
    standing: str
    cycles: tuple[str, ...]


@dataclass(frozen=True)
class Alarm:
    """What is wrong, and what to do."""

    title: str
    text: str


@router.get("/reviewing")
def show_reviewing(request: Request, me: Me) -> Response:
    """The confirmed share of each rule and group, and how reviewers review."""
    office: Office | None = request.app.state.office
    policy = office.setting.pack.policy if office else None
    rules = dict(office.setting.pack.rules) if office else {}
    limits = read_limits(policy)
    named = me.may_do("audit_read", Register("audit"))
    with find_database(request).reading() as reading:
        cycles = judgements.find_cycles(reading, me.today)
        by_rule = judgements.measure_shares(reading, "rule", cycles)
        groups = {kind: judgements.measure_shares(reading, kind, cycles) for kind in _GROUPS}
        habits = judgements.find_habits(reading, me.today)
        reviewers = [_tell_habit(habit, _name(reading, me, habit, number, named))
                     for number, habit in enumerate(habits, 1)]
        reasons = judgements.count_reasons(reading, cycles)
    values = {
        "cycles": cycles, "limits": limits, "named": named, "reviewers": reviewers,
        "alarms": [*_alarm_rules(by_rule, rules, limits, cycles), *_alarm_groups(groups),
                   *(alarm for one in reviewers for alarm in one["alarms"])],
        "rules": [_tell_rule(one, rules, limits) for one in
                  sorted(by_rule, key=lambda one: (-one.whole.decided, one.name))],
        "groups": [(title, [_tell_group(one) for one in groups[kind]]) for kind, title in _GROUPS.items()],
        "reasons": say_reasons(reasons), "too_few": TOO_FEW, "last": LAST, "least_seconds": LEAST_SECONDS,
        "most_agreeing": MOST_AGREEING, "apart": round(APART * 100), "first": _tell_first(habits),
        "all": sum((one.whole for one in groups["list"]), Tally()),
    }
    return find_pages(request).show(request, "reviewing.html", values)


# --- for the pages about rules too ---------------------------------------------------------------------


def read_limits(policy: Policy | None) -> Limits:
    """The partnership's own early warning, or what requirement R11 says where it has none."""
    own = policy.other.get("early_warning") if policy else None
    if not isinstance(own, Mapping):
        return Limits()
    return Limits(**{name: own[name] for name in ("confirmed_below", "cycles", "stop_below") if name in own})


def say_share(tally: Tally) -> str:
    """Never a bare percentage: `9 of 40 (23%)`."""
    return f"{tally.confirmed} of {tally.decided} ({tally.share:.0%})" if tally.share is not None else "none decided"


def say_interval(tally: Tally) -> str:
    """`13% to 38%`, or nothing where nothing was decided."""
    low, high = tally.interval
    return f"{low:.0%} to {high:.0%}" if tally.decided else ""


def say_reasons(reasons: Mapping[tuple[str, str], int]) -> list[tuple[str, str, int]]:
    """Decision, reason and how many, by decision and then the most frequent first."""
    ordered = sorted(reasons.items(), key=lambda one: (list(STATE_NAMES).index(one[0][0]), -one[1], one[0][1]))
    return [(STATE_NAMES[decision], REASON_NAMES.get(code) or say_code(code), n)
            for (decision, code), n in ordered]


# --- inside --------------------------------------------------------------------------------------------


def _name(reading: Reading, me: Reach, habit: Habit, number: int, named: bool) -> str:
    """Who it is for those who may read who did what, else a number; one's own is marked."""
    you = " (you)" if habit.reviewer == me.id else ""
    return (name_user(reading, habit.reviewer) if named else f"Reviewer {number}") + you


def _line(group: Group, name: str, href: str, standing: str) -> Line:
    return Line(name, href, group.whole, say_share(group.whole), say_interval(group.whole), standing, tuple(
        f"{one.confirmed} of {one.decided}" if one.decided else "none" for one in group.cycles))


def _tell_rule(group: Group, rules: Mapping[str, Rule], limits: Limits) -> Line:
    rule = rules.get(group.name)
    name = f"{rule.reference} {rule.title}" if rule else f"{group.name} (no longer among the rules)"
    return _line(group, name, f"/rules/{group.name}" if rule else "", STANDINGS.get(group.stand(limits), ""))


def _tell_group(group: Group) -> Line:
    return _line(group, _name_group(group), "", "Too few to tell" if group.whole.decided < TOO_FEW else "")


def _name_group(group: Group) -> str:
    match group.kind:
        case "list":
            return LIST_TITLES.get(group.name, group.name)
        case "axis":
            return AXES.get(group.name, group.name)
        case "theme":
            return say_theme(group.name)
        case "change":
            return CHANGE_SHORT.get(group.name, group.name)
    return group.name or "Not known"


def _alarm_rules(
    groups: Sequence[Group], rules: Mapping[str, Rule], limits: Limits, cycles: Sequence[Publication]
) -> list[Alarm]:
    alarms = []
    for group in groups:
        name, share = _tell_rule(group, rules, limits).name, say_share(group.whole)
        owner = f" ({rules[group.name].owner})" if group.name in rules else ""
        if group.stand(limits) == "stop":
            alarms.append(Alarm(f"Stop or review this rule: {name}", (
                f"Confirmed {share} over {len(cycles)} cycles, which is below {limits.stop_below:.0%}. Its "
                f"owner{owner} sets it to trial or retired, or tells the tasking group why it stays. "
                "Read the reasons given first.")))
        elif group.stand(limits) == "look_again":
            alarms.append(Alarm(f"Look at this rule again: {name}", (
                f"Confirmed less often than {limits.confirmed_below:.0%} in each of the last {limits.cycles} cycles in "
                f"which anything was decided; {share} in all. Its owner{owner} looks at the reasons given, tries "
                "another threshold on last year, and brings the result to the tasking group.")))
    return alarms


def _alarm_groups(groups: Mapping[judgements.Kind, Sequence[Group]]) -> list[Alarm]:
    found = [(kind, gap) for kind, those in groups.items() if (gap := judgements.find_gap(those)) is not None]
    return [Alarm(f"{_GROUPS[kind]}: {_name_group(gap.lower)} is confirmed less surely than {_name_group(gap.higher)}",
                  _say_gap(gap)) for kind, gap in found]


def _say_gap(gap: Gap) -> str:
    low, high = gap.lower.whole, gap.higher.whole
    why = ("Their intervals do not touch, so chance alone hardly explains it. Look at the reasons given and at which "
           "rules put this group forward, before the next meeting." if gap.surely else
           "Their intervals overlap: it may be that fewer were decided. Look again after the next cycle, and at the "
           "reasons given now.")
    return (f"{say_share(low)}, surely at least {low.interval[0]:.0%}, against {say_share(high)}, surely at least "
            f"{high.interval[0]:.0%}: {gap.apart * 100:.0f} points apart. {why}")


def _tell_habit(habit: Habit, name: str) -> dict[str, Any]:
    alarms = []
    if habit.always_agrees:
        alarms.append(Alarm(f"{name} agrees with almost everything", (
            f"{habit.agreed} of the last {habit.compared} decisions were what we had said. Have a second person decide "
            "ten of these again without seeing ours, and talk over where the two differ.")))
    if habit.hurries:
        alarms.append(Alarm(f"{name} decides faster than a flag can be read", (
            f"Half of the last {habit.timed} reviews took {habit.seconds:.0f} seconds or less. Ask whether the list is "
            "too long for the meeting, and shorten it rather than the reading.")))
    return {"name": name, "habit": habit, "alarms": alarms, "agreed": _of(habit.agreed, habit.compared),
            "opened": _of(habit.opened, habit.reviews), "first": _of(habit.first_alike, habit.first),
            "seconds": f"{habit.seconds:.0f} seconds" if habit.seconds is not None else "not kept",
            "overrides": [f"{reason}: {n}" for _, reason, n in say_reasons(habit.overrides)]}


def _of(hits: int, of: int) -> str:
    return f"{hits} of {of} ({hits / of:.0%})" if of else "none"


def _tell_first(habits: Sequence[Habit]) -> str:
    """How often the band officers gave before seeing ours was ours; empty where nobody gave one."""
    of, alike = sum(one.first for one in habits), sum(one.first_alike for one in habits)
    low, high = judgements.find_interval(alike, of)
    few = " Too few to tell more." if of < TOO_FEW else f" With 95% confidence between {low:.0%} and {high:.0%}."
    return f"{_of(alike, of)} were the same.{few}" if of else ""
