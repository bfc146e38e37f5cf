"""When a flag would drop off by itself: the day on which, nothing more being heard, it is no longer put forward.

The useful counterfactual for a person is a date: it says that the list forgets. Counts fall as records pass
out of their windows and points fade; what is a standing state (an open case, arrears) stays until it changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

Row = Mapping[str, Any]
Moving = tuple[Feature, Sequence[Row]]      # a fact that changes by itself, and the rows it counts
HORIZON_DAYS = 730
"""Two years: past this, "drops off" would be a promise nobody can check."""


def find_lapse(
    entry: Entry, row: Row, fired: Sequence[Rule], evidence: Evidence, pack: Pack, subject: Subject
) -> str:
    """The sentence saying when the flag would drop off."""
    features = pack.features_of(subject)
    read = _names(fired, pack)
    moving = {name: (source, select_met(source, rows))
              for name in read if name in features and features[name].statistic is None
              for source, rows in [evidence.rows_of(features[name], entry.subject)]
              if source.table is not None and evidence.believes(features[name], entry.subject)}
    last = 0
    for day in _days(moving, evidence):
        if not _stands(day, entry, row, fired, moving, evidence, pack, subject):
            first = next(d for d in range(last + 1, day + 1)
                         if not _stands(d, entry, row, fired, moving, evidence, pack, subject))
            return f"It drops off after {first} day{'s' if first > 1 else ''} without a further report."
        last = day
    return "It does not drop off by itself: it stands until what it describes has changed."


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
    day: int, entry: Entry, row: Row, fired: Sequence[Rule], moving: Mapping[str, Moving],
    evidence: Evidence, pack: Pack, subject: Subject,
) -> bool:
    later = evidence.world.as_of + timedelta(days=day)
    values = dict(row)
    for name, (feature, rows) in moving.items():
        values[name] = recount_met(feature, rows, later).value
    outcomes = {rule: values.get(f"rule:{rule}") for rule in pack.rules}
    still = []
    for rule in fired:
        related = {b: evidence.related(b, subject, entry.subject, later) for b in exists_in(rule.when)}
        outcomes[rule.id] = evaluate(rule.when, Case(values, outcomes, related)).state
        if outcomes[rule.id] is True:
            still.append(rule)
    if subject == "allocation":
        return bool(still)
    holding = [x for x in pack.exclusions if x.id in entry.exclusions and x.effect != "second_source"]
    return any(axis.band for axis in score_row(values, still, holding, pack, subject))
