"""The features of a pack -> those a card may learn from, and why each of the others may not.

A card is held to what a rule of its axis may read: the same rules/forbidden.yaml, by the same code. Beyond that it
leaves out what would tell where somebody is, names and keys, and what nobody has worked out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from engine.condition import All, Compare, Condition, Known, names_in
from engine.errors import Problem
from engine.feature import Feature
from engine.forbid import find_forbidden, find_forbidden_points, read_forbidden
from engine.pack import Pack
from engine.rule import Axis, Response, Rule
from engine.schema import Subject
from engine.weekly import read_of

KEYS = frozenset({"area_name"})
"""Names of places. They would be learned by heart."""

KINDS = ("number", "boolean", "text")


@dataclass(frozen=True)
class Permitted:
    """`names` a card may learn from, in order; `left_out` with the reason for each of the others."""

    names: tuple[str, ...]
    left_out: Mapping[str, str]


def choose_inputs(pack: Pack, subject: Subject, axis: Axis) -> Permitted:
    """The features of one kind of subject that a card of that axis may learn from."""
    worked_out = read_of(pack, ())
    names, left_out = [], {}
    for name, feature in sorted(pack.features_of(subject).items()):
        why = _refuse(pack, feature, axis, worked_out)
        if why:
            left_out[name] = why
        else:
            names.append(name)
    return Permitted(tuple(names), left_out)


def reads_columns(pack: Pack, feature: Feature, undated: Mapping[str, frozenset[str]]) -> str | None:
    """The first of some columns, by table, that a feature or the one it carries reads; none where it reads none."""
    from_ = pack.features.get(feature.carried_from) if feature.carried_from else None
    if from_ is not None:
        return reads_columns(pack, from_, undated)
    read = {feature.measure.column, *_names(feature.where), *_names(feature.of_which)}
    found = sorted(str(c) for c in read & undated.get(str(feature.table), frozenset()))
    return f"{feature.table}.{found[0]}" if found else None


def find_unlawful(
    pack: Pack, axis: Axis, subject: Subject, condition: Condition, features: Mapping[str, Feature], at: str
) -> list[Problem]:
    """What rules/forbidden.yaml forbids about a condition, as it would a rule of that axis."""
    rule = Rule(
        id=f"{subject}/card", title="card", reference="", subject=subject, axis=axis, theme="card", why="card",
        # F-16 asks that age comes first in a rule about harm. A card has no first clause; its cohort says the age.
        when=All((Compare("age", ">=", 10), condition)) if subject == "person" else condition,
        points=0, floor="none", fades_with=None, convene=("card",), respond=(Response("support", "card"),),
        because="", authority="card", evidence="design", owner="card", review_by=date.max, status="trial",
        result=None, level=None, factor=None, where_declared=at)
    problems: list[Problem] = []
    forbidden = read_forbidden(pack.folder / "forbidden.yaml", problems)
    return problems + find_forbidden({rule.id: rule}, features, forbidden)


def _refuse(pack: Pack, feature: Feature, axis: Axis, worked_out: set[str]) -> str | None:
    carried: Feature | None = feature
    while carried is not None:
        if carried.confidential:
            return "it would tell where somebody is"
        carried = pack.features.get(carried.carried_from) if carried.carried_from else None
    if feature.name in KEYS or feature.declared in KEYS:
        return "a name, not a fact"
    if feature.kind not in KINDS:
        return f"a {feature.kind}"
    if feature.statistic is not None and feature.name not in worked_out:
        return "compared with nothing, because no rule reads it"
    found = find_unlawful(pack, axis, feature.subject, Known(feature.name), pack.features, feature.where_declared)
    found += find_forbidden_points(feature.name, axis, feature.subject, feature.where_declared, pack.features,
                                   read_forbidden(pack.folder / "forbidden.yaml", []))
    return found[0].found if found else None


def _names(condition: Condition | None) -> tuple[str, ...]:
    return names_in(condition) if condition is not None else ()
