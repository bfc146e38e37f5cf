"""Scored subjects -> this week's lists: who is shown, who waits for capacity, who is held elsewhere, and why.

Three lists: people, places, allocations. Order: band, then points on the leading axis, then longest since last
shown, then subject id; never row order. Among places of equal points the busiest of late comes first. What does
not fit the week's capacity is named "not shown: capacity".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Literal

from engine.condition import names_in, rules_in
from engine.errors import Problem, RunError
from engine.judge import outcomes_of
from engine.pack import Pack
from engine.rule import AXES, BANDS, Exclusion, Rule
from engine.schema import Subject
from engine.scores import AxisScore, highest, lift, score
from engine.tally import Answer

LISTS: dict[Subject, str] = {"person": "people", "place": "places", "allocation": "allocations"}
Status = Literal[
    "shown", "not shown: capacity", "already held", "routed", "muted", "second source needed",
    "restricted", "cooling down", "snoozed",
]
Change = Literal["new", "worse", "better", "same", "stale"]

_STATUS: dict[str, Status] = {
    "restricted": "restricted", "route": "routed", "held": "already held", "muted": "muted",
}   # the exclusion effects that take a whole subject off the open list, most private first


NO_ANSWERS: Mapping[str, Sequence[Answer]] = MappingProxyType({})


@dataclass(frozen=True)
class Note:
    """What a person decided about a subject between runs: reviewed on a day, or snoozed until one."""

    subject: str
    kind: Literal["reviewed", "snoozed"]
    day: date
    reason: str
    by: str


@dataclass(frozen=True)
class Entry:
    """One subject on a list: where it stands, what changed, and what put it there."""

    subject: str
    list: str
    band: str
    points: float
    axes: tuple[AxisScore, ...]
    status: Status
    change: Change
    fired: tuple[str, ...]
    exclusions: tuple[str, ...]
    latest_evidence: date | None
    last_shown: date | None
    name: str = ""
    weight: float = 0.0      # places: reports here, the recent ones counting more (half-life 150 days)
    cards: tuple[str, ...] = ()     # the live score cards that lift its band
    chance: float = 0.0      # the highest probability one of them gives

    @property
    def order(self) -> tuple[Any, ...]:
        """Band, points, chance on a live card, for places the recency-weighted count, longest since last shown
        (never = longest), id."""
        return (BANDS.index(self.band), -self.points, -self.chance, -self.weight,  # type: ignore[arg-type]
                self.last_shown or date.min, self.subject)


@dataclass(frozen=True)
class Left:
    """A subject of the last run that is no longer put forward, and why."""

    subject: str
    list: str
    because: str


def choose(
    rows: Iterable[Mapping[str, Any]], subject: Subject, pack: Pack, as_of: date,
    previous: Mapping[str, Entry], notes: Sequence[Note], latest: Mapping[str, date],
    answers: Mapping[str, Sequence[Answer]] = NO_ANSWERS,
) -> list[Entry]:
    """The entries of one list, in order, with status and change against the previous run.

    `rows` are candidates (see `judge`); `latest` the day the newest evidence of each was known; `answers` what the
    score cards say of each.
    """
    entries = [entry for row in rows if (entry := _entry(
        row, subject, pack, as_of, previous, notes, latest, answers.get(str(row["subject"]), ()))) is not None]
    return _cap(sorted(entries, key=lambda e: e.order), pack.policy.capacity[LISTS[subject]])


def explain_leaving(
    previous: Mapping[str, Entry], entries: Sequence[Entry], rows: Mapping[str, Mapping[str, Any]],
    pack: Pack, list_name: str, late: Mapping[str, str], merged: Mapping[str, str],
) -> list[Left]:
    """Why each subject of the previous run is not in this one. `late`: the titles of the feeds that are late."""
    here = {entry.subject for entry in entries}
    return [Left(subject, list_name, _reason(entry, rows.get(subject), pack, late, merged.get(subject)))
            for subject, entry in sorted(previous.items()) if subject not in here]


# --- one subject ---------------------------------------------------------------------------------


def _entry(
    row: Mapping[str, Any], subject: Subject, pack: Pack, as_of: date,
    previous: Mapping[str, Entry], notes: Sequence[Note], latest: Mapping[str, date], answers: Sequence[Answer],
) -> Entry | None:
    name = str(row["subject"])
    holding = _holding(row, pack)
    fired = [r for r in live_rules(pack, subject, as_of) if row.get(f"rule:{r.id}") is True]
    axes = score_row(row, fired, holding, pack, subject, answers)
    band = highest([a.band for a in axes])
    alone = band is None and any(x.effect == "second_source" for x in holding)
    if alone:       # one reporter made most of the reports, so it waits, by name, for a second source
        axes = score_row(row, fired, [x for x in holding if x.effect != "second_source"], pack, subject, answers)
        band = highest([a.band for a in axes])
    if subject == "allocation" and fired and band is None:
        band = "watch"      # a proposal with a result is always listed; it is never ranked by points
    if band is None:
        return None
    lead = max((a.points for a in axes if a.band == band), default=0.0)
    before = previous.get(name)
    newest = latest.get(name)
    status = _status(holding)
    entry = Entry(name, LISTS[subject], band, lead, axes,
                  "second source needed" if alone and status == "shown" else status, "new",
                  tuple(r.id for r in fired), tuple(x.id for x in holding), newest,
                  before.last_shown if before else None, str(row.get("area_name") or ""),
                  float(row.get("weight") or 0.0), *_lifted(axes, answers))
    entry = replace(entry, change=_change(entry, before))
    return _quieten(entry, before, notes, pack, as_of)


def live_rules(pack: Pack, subject: Subject, as_of: date) -> list[Rule]:
    """The rules that may put a subject forward: live, and not past their review date."""
    return [r for r in pack.rules_of(subject, as_of) if r.status == "live"]


def score_row(
    values: Mapping[str, Any], fired: Sequence[Rule], holding: Sequence[Exclusion], pack: Pack, subject: Subject,
    answers: Sequence[Answer] = (),
) -> tuple[AxisScore, ...]:
    """The axis scores of one subject: its rules', lifted by live score cards, never lowered by one.

    Exclusions may silence the harm axis, never another, and a card on it with it.
    """
    effects = {x.effect for x in holding}
    silent = bool(effects & {"harm_muted", "second_source"})
    counted = [r for r in fired if not (silent and r.axis == "harm")]
    protections = [p for p in pack.protections
                   if p.subject == subject and values.get(f"protection:{p.id}") is True]
    heard = [each for each in answers if each.band and not (silent and each.card.axis == "harm")]
    bands = {axis: highest([each.band for each in heard if each.card.axis == axis]) for axis in AXES}
    return lift(score(counted, values, protections, pack.policy),
                {axis: band for axis, band in bands.items() if band is not None})


def _lifted(axes: Sequence[AxisScore], answers: Sequence[Answer]) -> tuple[tuple[str, ...], float]:
    """The live cards that gave an axis its band, and the highest probability they give."""
    mine = [each for each in answers for axis in axes
            if each.band is not None and (each.card.axis, each.band) == (axis.axis, axis.card)]
    return tuple(each.card.name for each in mine), max((each.counted.row.probability for each in mine
                                                        if each.counted.row is not None), default=0.0)


def _holding(row: Mapping[str, Any], pack: Pack) -> list[Exclusion]:
    states = outcomes_of(row, "exclusion")
    return [x for x in pack.exclusions if states.get(x.id) is True]


def _status(holding: Sequence[Exclusion]) -> Status:
    effects = {x.effect for x in holding}
    return next((status for effect, status in _STATUS.items() if effect in effects), "shown")


def _change(entry: Entry, before: Entry | None) -> Change:
    if before is None:
        return "new"
    now, then = entry.order[0], before.order[0]
    if now != then:
        return "worse" if now < then else "better"
    if abs(entry.points - before.points) >= 1:
        return "worse" if entry.points > before.points else "better"
    heard = entry.latest_evidence is not None and entry.latest_evidence != before.latest_evidence
    return "same" if heard else "stale"


def _quieten(
    entry: Entry, before: Entry | None, notes: Sequence[Note], pack: Pack, as_of: date
) -> Entry:
    """Cool-down after a review, and snoozes: never for a statutory floor, and never when it gets worse."""
    statutory = any(axis.floor == "convene" for axis in entry.axes)
    if entry.status != "shown" or statutory or entry.change == "worse":
        return entry
    mine = [n for n in notes if n.subject == entry.subject]
    if any(n.kind == "snoozed" and n.day >= as_of for n in mine):
        return replace(entry, status="snoozed")
    cooling = timedelta(days=pack.policy.cool_down_days)
    if any(n.kind == "reviewed" and n.day < as_of <= n.day + cooling for n in mine):
        return replace(entry, status="cooling down")
    return entry


# --- the whole list ------------------------------------------------------------------------------


def _cap(entries: Sequence[Entry], capacity: int | None) -> list[Entry]:
    shown, out = 0, []
    for entry in entries:
        if entry.status == "shown":
            shown += 1
            if capacity is not None and shown > capacity:
                entry = replace(entry, status="not shown: capacity")
        out.append(entry)
    return out


def _reason(
    before: Entry, row: Mapping[str, Any] | None, pack: Pack, late: Mapping[str, str], merged: str | None
) -> str:
    if merged:
        return f"now the same person as {merged}"
    if row is None:
        return "no longer among the subjects judged"
    reasons = []
    for rule_id in before.fired:
        rule = pack.rules.get(rule_id)
        state = row.get(f"rule:{rule_id}")
        if rule is None or rule.status != "live" or f"rule:{rule_id}" not in row:
            reasons.append(f"rule no longer in force: {rule.title if rule else rule_id}")
        elif state is None:
            missed = [late[feed] for feed in _feeds_of(rule, pack) if feed in late]
            silent = f" ({', '.join(missed)} late)" if missed else ""
            reasons.append(f"cannot tell now{silent}: {rule.title}")
        elif state is False:
            reasons.append(f"no longer so: {rule.title}")
        else:
            reasons.append(f"still so, but an exclusion keeps it off the list: {rule.title}")
    reasons += [f"no longer in a band on the score card {card}" for card in before.cards]
    return "; ".join(reasons) or "nothing puts it forward now"


def _feeds_of(rule: Rule, pack: Pack) -> list[str]:
    """The feeds a rule's facts rest on, its own and those of the rules it follows from."""
    features = pack.features_of(rule.subject)
    feeds = [feed for name in names_in(rule.when) if name in features for feed in features[name].feeds]
    for other in rules_in(rule.when):
        feeds += _feeds_of(pack.rules[other], pack) if other in pack.rules else []
    return list(dict.fromkeys(feeds))


def check_lists(pack: Pack) -> None:
    """The policy must say a capacity (or null) for every list."""
    missing = [name for name in LISTS.values() if name not in pack.policy.capacity]
    if missing:
        raise RunError(Problem("policy.yaml", f"no capacity for {', '.join(missing)}",
                               "a whole number, or null for every one"))


