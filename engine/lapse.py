"""When a flag would drop off by itself: the day on which, nothing more being heard, it is no longer put forward.

The useful counterfactual for a person is a date: it says that the list forgets. Counts fall as records pass
out of their windows and points fade; what is a standing state (an open case, arrears) stays until it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from engine.condition import exists_in, names_in, rules_in
from engine.evaluate import Case, evaluate
from engine.evidence import Evidence
from engine.feature import Feature
from engine.lists import Entry, score_row
from engine.pack import Pack
from engine.recount import recount_met, select_met
from engine.rule import Rule
from engine.schema import Subject
from engine.scores import rank
from engine.tally import Answer, band_of

Row = Mapping[str, Any]
Moving = tuple[Feature, Sequence[Row]]      # a fact that changes by itself, and the rows it counts
HORIZON_DAYS = 730
"""Two years: past this, "drops off" would be a promise nobody can check."""


def find_lapse(
    entry: Entry, row: Row, fired: Sequence[Rule], evidence: Evidence, pack: Pack, subject: Subject,
    answers: Sequence[Answer] = (),
) -> str:
    """The sentence saying when the flag would drop off. `answers`: what the score cards say of it."""
    lifting = [each for each in answers if each.band is not None]
    read = [*_names(fired, pack), *(name for each in lifting for name in each.card.reads)]
    moving = _find_moving(dict.fromkeys(read), entry.subject, evidence, pack.features_of(subject))

    def stands(day: int) -> bool:
        values = {**row, **_move(moving, evidence, day)}
        return _stands(day, values, entry, fired, evidence, pack, subject, [each.again(values) for each in lifting])

    first = _first_day(stands, _days(moving, evidence))
    if first is None:
        return "It does not drop off by itself: it stands until what it describes has changed."
    return f"It drops off after {_say_days(first)} without a further report."


def find_decline(given: Answer, row: Row, subject: str, evidence: Evidence, features: Mapping[str, Feature]) -> str:
    """The sentence saying when a card's answer would be in a lower band; "" where it is in none."""
    band = band_of(given.card, given.counted)
    if band is None:
        return ""
    moving = _find_moving(given.card.reads, subject, evidence, features)

    def stands(day: int) -> bool:
        again = given.again({**row, **_move(moving, evidence, day)})
        return rank(band_of(again.card, again.counted)) <= rank(band)

    first = _first_day(stands, _days(moving, evidence))
    if first is None:
        return f"It stays in “{band}” on this card until something other than time has changed."
    return f"It leaves “{band}” on this card after {_say_days(first)} without a further report."


def _first_day(stands: Callable[[int], bool], days: Sequence[int]) -> int | None:
    """The first day on which something no longer stands; only days between two that are asked about can be it."""
    last = 0
    for day in days:
        if not stands(day):
            return next(each for each in range(last + 1, day + 1) if not stands(each))
        last = day
    return None


def _say_days(count: int) -> str:
    return f"{count} day{'s' if count > 1 else ''}"


def _find_moving(
    read: Iterable[str], subject: str, evidence: Evidence, features: Mapping[str, Feature]
) -> dict[str, Moving]:
    """The facts, of those read, that change by themselves, with the rows each counts."""
    return {name: (source, select_met(source, rows))
            for name in read if name in features and features[name].statistic is None
            for source, rows in [evidence.rows_of(features[name], subject)]
            if source.table is not None and evidence.believes(features[name], subject)}


def _move(moving: Mapping[str, Moving], evidence: Evidence, day: int) -> dict[str, Any]:
    """The moving facts so many days later, nothing more having been heard."""
    later = evidence.world.as_of + timedelta(days=day)
    return {name: recount_met(feature, rows, later).value for name, (feature, rows) in moving.items()}


def _names(fired: Sequence[Rule], pack: Pack) -> list[str]:
    names: list[str] = []
    for rule in fired:
        names += [*names_in(rule.when), *([rule.fades_with] if rule.fades_with else [])]
        names += _names([pack.rules[other] for other in rules_in(rule.when)], pack)
    return list(dict.fromkeys(names))


def _days(moving: Mapping[str, Moving], evidence: Evidence) -> list[int]:
    """The days worth asking about: when a record leaves a window, and every week for what fades slowly."""
    as_of = evidence.world.as_of
    days = set(range(7, HORIZON_DAYS + 1, 7))
    for feature, rows in moving.values():
        if feature.window is not None:
            days |= {(row["known"] + timedelta(days=feature.window + 1) - as_of).days for row in rows}
    return sorted(day for day in days if 0 < day <= HORIZON_DAYS)


def _stands(
    day: int, values: Row, entry: Entry, fired: Sequence[Rule], evidence: Evidence, pack: Pack, subject: Subject,
    answers: Sequence[Answer],
) -> bool:
    later = evidence.world.as_of + timedelta(days=day)
    outcomes = {rule: values.get(f"rule:{rule}") for rule in pack.rules}
    still = []
    for rule in fired:
        related = {b: evidence.related(b, subject, entry.subject, later) for b in exists_in(rule.when)}
        outcomes[rule.id] = evaluate(rule.when, Case(values, outcomes, related)).state
        if outcomes[rule.id] is True:
            still.append(rule)
    if subject == "allocation" and still:
        return True
    holding = [x for x in pack.exclusions if x.id in entry.exclusions and x.effect != "second_source"]
    return any(axis.band for axis in score_row(values, still, holding, pack, subject, answers))
