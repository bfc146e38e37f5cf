"""Fired rules -> points per axis and a band, the same for one subject whoever asks.

Axes are never added to each other. On one axis: each fired rule's points, halved for every half-life its
evidence is old; at most `theme_cap` from one theme; less what protective factors take, at most
`protective_cap`. A rule's floor lifts the band and nothing lowers it. Fading and protective factors move a
subject down its list and never off it: what a rule forgets is decided by its windows, in the open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.rule import AXES, BANDS, Axis, Band, Policy, Protection, Rule

_FLOORS: dict[str, Band] = {"statutory": "convene", "partner": "discuss"}


@dataclass(frozen=True)
class Part:
    """What one rule gives an axis: its points, and what is left of them after fading."""

    rule: str
    theme: str
    points: int
    faded: float
    floor: Band | None


@dataclass(frozen=True)
class AxisScore:
    """One axis of one subject: parts add up to `before`, less `reduced` (a share), is `points`.

    `band` is the higher of what the rules say and `card`, the band a live score card lifts it to.
    """

    axis: Axis
    parts: tuple[Part, ...]
    before: float
    reduced: float
    points: float
    floor: Band | None
    band: Band | None
    card: Band | None = None


def score(
    fired: Sequence[Rule], values: Mapping[str, Any], protections: Sequence[Protection], policy: Policy
) -> tuple[AxisScore, ...]:
    """The score of each axis on which a rule fired, in the order of `AXES`.

    `fired` are live rules that fired; `values` give the days each fades with; `protections` those that hold.
    """
    by_axis: dict[Axis, list[Rule]] = defaultdict(list)
    for rule in fired:
        by_axis[rule.axis].append(rule)
    return tuple(_axis(axis, by_axis[axis], values, protections, policy) for axis in AXES if by_axis[axis])


def lift(axes: Sequence[AxisScore], cards: Mapping[Axis, Band]) -> tuple[AxisScore, ...]:
    """The axes with each band lifted to what a live card says of it, in the order of `AXES`. None is ever lowered."""
    by_axis = {each.axis: each for each in axes}
    untouched = AxisScore("process", (), 0.0, 0.0, 0.0, None, None)
    return tuple(
        replace(by_axis.get(axis, untouched), axis=axis, card=cards.get(axis),
                band=highest([by_axis[axis].band if axis in by_axis else None, cards.get(axis)]))
        for axis in AXES if axis in by_axis or axis in cards)


def _axis(
    axis: Axis, rules: Sequence[Rule], values: Mapping[str, Any],
    protections: Sequence[Protection], policy: Policy,
) -> AxisScore:
    parts = tuple(_part(rule, values, policy) for rule in sorted(rules, key=lambda r: (-r.points, r.id)))
    by_theme: dict[str, float] = defaultdict(float)
    for part in parts:
        by_theme[part.theme] += part.faded
    before = {theme: min(points, policy.theme_cap) for theme, points in by_theme.items()}
    points = round(sum(each * (1 - _taken_off(axis, theme, protections, policy))
                       for theme, each in sorted(before.items())), 2)
    total = round(sum(before.values()), 2)
    reduced = round(1 - points / total, 2) if total else 0.0
    floor = highest([part.floor for part in parts])
    return AxisScore(axis, parts, total, reduced, points, floor,
                     highest([floor, band_for(points, policy), "watch"]))


def _taken_off(axis: Axis, theme: str, protections: Sequence[Protection], policy: Policy) -> float:
    """The share protective factors take off one theme's points; one that names themes speaks of no other."""
    helping = [p.reduce for p in protections if axis in p.axes and (not p.themes or theme in p.themes)]
    return min(policy.protective_cap, sum(helping))


def _part(rule: Rule, values: Mapping[str, Any], policy: Policy) -> Part:
    age = values.get(rule.fades_with) if rule.fades_with else None
    weight = 1.0 if age is None else 0.5 ** (max(0, age) / policy.half_life_days[rule.axis])
    return Part(rule.id, rule.theme, rule.points, round(rule.points * weight, 2), _FLOORS.get(rule.floor))


def band_for(points: float, policy: Policy) -> Band | None:
    """The highest band whose edge the points reach."""
    return next((band for band in BANDS if points >= policy.bands[band]), None)


def highest(bands: Sequence[Band | None]) -> Band | None:
    """The most urgent of several bands."""
    return next((band for band in BANDS if band in bands), None)


def rank(band: Band | None) -> int:
    """0 for convene, then up; after the last for none."""
    return BANDS.index(band) if band else len(BANDS)
