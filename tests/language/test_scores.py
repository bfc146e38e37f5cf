"""Points on one axis, and the band they lead to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.condition import Known
from engine.pack import Pack
from engine.rule import AXES, Policy, Protection, Rule
from engine.scores import AxisScore, band_for, highest, rank, score

THEMES = ("victims", "tenancy", "hate")


@pytest.fixture(scope="module")
def policy(shipped: Pack) -> Policy:
    return replace(shipped.policy, bands={"watch": 3, "discuss": 6, "convene": 10}, theme_cap=8,
                   half_life_days={"vulnerability": 90, "harm": 60, "place": 120, "process": 90}, protective_cap=0.3)


@pytest.fixture(scope="module")
def a_rule(shipped: Pack) -> Rule:
    return shipped.rules["person/case-review-threshold"]


def rule(model: Rule, name: str, points: int = 6, **other: Any) -> Rule:
    return replace(model, id=f"person/{name}", points=points,
                   **{"floor": "none", "fades_with": None, "axis": "vulnerability", "theme": "victims", **other})


def protection(name: str, reduce: float, *themes: str, axes: tuple[Any, ...] = AXES) -> Protection:
    return Protection(name, name, "person", axes, Known("age"), reduce, themes, "why")


def score_of(fired: list[Rule], policy: Policy, protections: tuple[Protection, ...] = (), **values: Any) -> AxisScore:
    scores = score(fired, values, protections, policy)
    assert len(scores) == 1
    return scores[0]


def test_nothing_fired_has_no_score(policy: Policy) -> None:
    assert score([], {}, [], policy) == ()


def test_rules_of_two_themes_are_added(a_rule: Rule, policy: Policy) -> None:
    came = score_of([rule(a_rule, "a", 6), rule(a_rule, "b", 5, theme="hate")], policy)
    assert (came.before, came.points, came.band) == (11, 11, "convene")


def test_one_theme_counts_at_most_its_cap(a_rule: Rule, policy: Policy) -> None:
    came = score_of([rule(a_rule, "a", 6), rule(a_rule, "b", 5), rule(a_rule, "c", 4)], policy)
    assert (came.before, came.band) == (8, "discuss")
    assert [part.points for part in came.parts] == [6, 5, 4]


def test_a_rule_of_another_theme_counts_beside_a_full_one(a_rule: Rule, policy: Policy) -> None:
    came = score_of([rule(a_rule, "a", 8), rule(a_rule, "b", 8), rule(a_rule, "c", 2, theme="hate")], policy)
    assert (came.before, came.band) == (10, "convene")


#  days since   points left of 8, with a half-life of 90 days
@pytest.mark.parametrize(("days", "left"), [
    (0, 8.0), (90, 4.0), (180, 2.0), (45, 5.66), (900, 0.01), (None, 8.0), (-5, 8.0)])
def test_points_halve_with_every_half_life(a_rule: Rule, policy: Policy, days: int | None, left: float) -> None:
    came = score_of([rule(a_rule, "a", 8, fades_with="asb_victim_days")], policy, asb_victim_days=days)
    assert came.points == left
    assert came.parts[0].points == 8


def test_each_axis_fades_at_its_own_pace(a_rule: Rule, policy: Policy) -> None:
    fired = [rule(a_rule, axis, 8, axis=axis, fades_with="days") for axis in AXES]
    left = {s.axis: s.points for s in score(fired, {"days": 60}, [], policy)}
    assert left == {"harm": 4.0, "vulnerability": 5.04, "place": 5.66, "process": 5.04}


def test_a_rule_that_fades_with_nothing_stays(a_rule: Rule, policy: Policy) -> None:
    assert score_of([rule(a_rule, "a", 8)], policy, asb_victim_days=900).points == 8


def test_protective_facts_take_a_share_off(a_rule: Rule, policy: Policy) -> None:
    came = score_of([rule(a_rule, "a", 6)], policy, (protection("PF-01", 0.15),))
    assert (came.before, came.reduced, came.points, came.band) == (6, 0.15, 5.1, "watch")


def test_protective_facts_together_take_no_more_than_the_cap(a_rule: Rule, policy: Policy) -> None:
    many = tuple(protection(f"PF-{n}", 0.2) for n in range(4))
    came = score_of([rule(a_rule, "a", 8)], policy, many)
    assert (came.reduced, came.points) == (0.3, 5.6)


def test_a_protective_fact_of_another_axis_or_theme_takes_nothing(a_rule: Rule, policy: Policy) -> None:
    others = (protection("PF-02", 0.15, axes=("harm",)), protection("PF-07", 0.15, "tenancy"))
    assert score_of([rule(a_rule, "a", 6)], policy, others).points == 6


def test_a_protective_fact_of_one_theme_leaves_the_points_of_others(a_rule: Rule, policy: Policy) -> None:
    fired = [rule(a_rule, "a", 6, theme="hate"), rule(a_rule, "b", 2, theme="tenancy")]
    assert score_of(fired, policy, (protection("PF-07", 0.3, "tenancy"),)).points >= 6


def test_an_old_report_of_another_theme_does_not_lower_the_band(a_rule: Rule, policy: Policy) -> None:
    hate, noise = rule(a_rule, "a", 6, theme="hate"), rule(a_rule, "b", 2, theme="tenancy", fades_with="days")
    mediated = (protection("PF-07", 0.15, "tenancy"),)
    assert score_of([hate], policy, mediated).band == "discuss"
    assert score_of([hate, noise], policy, mediated, days=700).band == "discuss"


def test_whatever_fires_is_at_least_watched(a_rule: Rule, policy: Policy) -> None:
    came = score_of([rule(a_rule, "a", 4, fades_with="days")], policy, (protection("PF-01", 0.3),), days=900)
    assert (came.points, came.band) == (0, "watch")


#  floor       points   band
@pytest.mark.parametrize(("floor", "points", "band"), [
    ("statutory", 1, "convene"), ("statutory", 6, "convene"), ("partner", 1, "discuss"), ("partner", 8, "discuss"),
    ("none", 1, "watch"), ("none", 3, "watch"), ("none", 6, "discuss")])
def test_a_floor_lifts_the_band(a_rule: Rule, policy: Policy, floor: str, points: int, band: str | None) -> None:
    assert score_of([rule(a_rule, "a", points, floor=floor)], policy).band == band


def test_neither_age_nor_protection_takes_a_subject_below_a_floor(a_rule: Rule, policy: Policy) -> None:
    came = score_of([rule(a_rule, "a", 6, floor="statutory", fades_with="days")], policy,
                    (protection("PF-01", 0.3),), days=2_000)
    assert (came.points, came.floor, came.band) == (0, "convene", "convene")


def test_points_above_a_floor_still_count(a_rule: Rule, policy: Policy) -> None:
    fired = [rule(a_rule, "a", 8, floor="partner"), rule(a_rule, "b", 8, theme="hate")]
    assert score_of(fired, policy).band == "convene"


def test_axes_are_never_added(a_rule: Rule, policy: Policy) -> None:
    scores = score([rule(a_rule, "a", 8, axis="harm"), rule(a_rule, "b", 8, axis="vulnerability")], {}, [], policy)
    assert [(s.axis, s.points, s.band) for s in scores] == [
        ("vulnerability", 8, "discuss"), ("harm", 8, "discuss")]


def test_a_floor_on_one_axis_does_not_lift_another(a_rule: Rule, policy: Policy) -> None:
    scores = score([rule(a_rule, "a", 3, axis="harm"), rule(a_rule, "b", 3, floor="statutory")], {}, [], policy)
    assert {s.axis: s.band for s in scores} == {"vulnerability": "convene", "harm": "watch"}


@pytest.mark.parametrize(("points", "band"), [
    (0, None), (2.99, None), (3, "watch"), (5.99, "watch"), (6, "discuss"), (9.99, "discuss"), (10, "convene"),
    (99, "convene")])
def test_the_band_of_some_points(policy: Policy, points: float, band: str | None) -> None:
    assert band_for(points, policy) == band


def test_the_most_urgent_band_comes_first() -> None:
    assert highest(["watch", None, "discuss"]) == "discuss"
    assert highest([None]) is None
    assert sorted([None, "watch", "convene", "discuss"], key=rank) == ["convene", "discuss", "watch", None]


def test_the_order_in_which_rules_fired_changes_nothing(a_rule: Rule, policy: Policy) -> None:
    fired = [rule(a_rule, name, n + 1, theme=THEMES[n % 3], fades_with="days") for n, name in enumerate("abcdefg")]
    assert score(fired, {"days": 37}, [], policy) == score(fired[::-1], {"days": 37}, [], policy)


some_rules = st.lists(
    st.tuples(st.sampled_from([0, 2, 4, 6, 8]), st.sampled_from(["none", "none", "none", "partner", "statutory"]),
              st.sampled_from(["harm", "vulnerability"]), st.sampled_from(THEMES),
              st.sampled_from([None, "new", "old", "very_old"])),
    min_size=1, max_size=5)
some_protections = st.lists(
    st.tuples(st.sampled_from([0.1, 0.15, 0.3]), st.sets(st.sampled_from(THEMES), max_size=1),
              st.sampled_from([("harm",), ("vulnerability", "harm")])), max_size=2)


@settings(derandomize=True, max_examples=500, deadline=None)
@given(some_rules, some_protections)
def test_one_more_rule_that_fires_never_lowers_a_band(
    a_rule: Rule, policy: Policy, facts: list[Any], helping: list[Any]
) -> None:
    fired = [rule(a_rule, f"r{n}", points, floor=floor, axis=axis, theme=theme, fades_with=fades)
             for n, (points, floor, axis, theme, fades) in enumerate(facts)]
    protections = [protection(f"PF-{n}", share, *themes, axes=axes)
                   for n, (share, themes, axes) in enumerate(helping)]
    values = {"new": 3, "old": 100, "very_old": 800}

    after = {s.axis: s.band for s in score(fired, values, protections, policy)}
    for left_out in fired:
        others = [r for r in fired if r is not left_out]
        for before in score(others, values, protections, policy):
            assert rank(after[before.axis]) <= rank(before.band)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(some_rules)
def test_an_axis_is_scored_as_if_no_other_were_there(a_rule: Rule, policy: Policy, facts: list[Any]) -> None:
    fired = [rule(a_rule, f"r{n}", points, floor=floor, axis=axis, theme=theme)
             for n, (points, floor, axis, theme, _) in enumerate(facts)]
    together = {s.axis: s for s in score(fired, {}, [], policy)}
    for axis, alone in together.items():
        assert score([r for r in fired if r.axis == axis], {}, [], policy) == (alone,)
        assert alone.points <= policy.theme_cap * len(THEMES)
