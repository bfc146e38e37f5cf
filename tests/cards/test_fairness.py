"""Does a list treat groups alike? What was planted is found, what was not is not, and nobody can be picked out."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from models.attribution import attribute
from models.capacity import weigh_list
from models.comparison import adjust, compare_shares, judge, set_margin
from models.equality import NOT_KNOWN, FairnessError, form_groups
from models.fairness import Cases, audit
from models.findings import explain, write_audit
from models.suppression import LEAST, choose_shown, find_exposed
from models.tallies import count_groups

INPUTS = ("asb_subject_365d", "arrears_weeks")
SEEDS = range(200)


def invent(seed: int, rows: int = 6000, told: tuple[float, float] = (0.8, 0.8), risk: float = 1.0) -> tuple[Cases, Any]:
    """A list of the top tenth of a town in which two groups report what happens to them as often as `told` says.

    Each person has a true rate; the card sees what was reported last year, and arrears that have nothing to do with
    groups; the label is what is reported next, the truth what happens next. `risk` multiplies the second group's rate.
    """
    random = np.random.default_rng(seed)
    second = random.random(rows) < 0.4
    rate = random.gamma(0.8, 0.6, rows) * np.where(second, risk, 1.0)
    part = np.where(second, told[1], told[0])
    reported = random.binomial(random.poisson(rate), part)
    arrears = random.integers(0, 4, rows)
    happens = random.poisson(rate * 0.5)
    label = random.binomial(happens, part) > 0
    points = pd.DataFrame({"asb_subject_365d": np.minimum(reported, 4) * 3, "arrears_weeks": arrears})
    score = points.sum(axis=1).to_numpy() + random.random(rows) * 1e-6      # by lot among ties
    levels = pd.Series(label).groupby(np.minimum(reported, 4))
    cases = Cases(np.arange(rows), label.astype(int), weigh_list(score, rows // 10).astype(int),
                  levels.transform("mean").to_numpy(), points, (happens > 0).astype(int))
    equality = pd.DataFrame({"subject": np.arange(rows), "sex": np.where(second, "female", "male"),
                             "age_band": random.choice(["under 25", "25 to 64", "65 and over"], rows)})
    return cases, equality.sample(frac=1, random_state=seed)


def without(cases: Cases, **changes: Any) -> Cases:
    return Cases(**{**cases.__dict__, **changes})


# --- what was planted is found --------------------------------------------------------------------


def test_a_planted_recording_gap_is_found_and_not_taken_for_a_gap_in_risk() -> None:
    cases, equality = invent(1, told=(0.8, 0.4))

    women = audit(cases, equality, inputs=INPUTS).find("sex: female")

    assert women.find("selection").verdict == "shown to differ"
    assert women.find("missed_true").verdict == "shown to differ"
    assert women.find("recorded").verdict == "shown to differ"
    assert women.find("risk").verdict == "shown to be alike"
    gap = women.find("recorded").difference
    assert gap is not None and gap.low < -0.2
    assert "This is a gap in recording, not in risk" in " ".join(explain(women, with_truth=True))


@pytest.mark.parametrize("seed", range(5))
def test_the_recording_gap_is_found_in_every_town(seed: int) -> None:
    cases, equality = invent(100 + seed, told=(0.8, 0.4))
    women = audit(cases, equality, inputs=INPUTS).find("sex: female")
    assert women.find("recorded").verdict == "shown to differ"
    assert women.find("risk").verdict != "shown to differ"


def test_a_gap_in_risk_is_not_called_one_in_recording() -> None:
    cases, equality = invent(2, risk=2.0)

    women = audit(cases, equality, inputs=INPUTS).find("sex: female")

    assert women.find("risk").verdict == "shown to differ"
    assert women.find("recorded").verdict != "shown to differ"
    assert "not one of recording alone" in " ".join(explain(women, with_truth=True))


def test_without_the_truth_the_gap_is_found_and_its_cause_left_open() -> None:
    cases, equality = invent(1, told=(0.8, 0.4))

    found = audit(without(cases, truth=None), equality, inputs=INPUTS)
    women = found.find("sex: female")

    assert women.find("selection").verdict == "shown to differ"
    assert "unequal recording looks just like unequal risk" in " ".join(explain(women, with_truth=False))
    assert "recording and risk are not told apart" in write_audit(found)


def test_the_gap_is_attributed_to_the_factor_that_carries_it() -> None:
    cases, equality = invent(1, told=(0.8, 0.4))

    because = audit(cases, equality, inputs=INPUTS).find("sex: female").find("selection").because

    assert [each.factor for each in because] == ["asb_subject_365d", "arrears_weeks"]
    assert abs(because[0].explained) > 0.8 * abs(because[0].gap)
    assert abs(because[1].points) < 0.1


def test_the_parts_of_points_add_up_to_the_whole_gap_in_points() -> None:
    random = np.random.default_rng(0)
    points = pd.DataFrame(random.integers(-3, 8, (60, 4)), columns=list("abcd"))
    members = random.random(60) < 0.5
    score = points.sum(axis=1)

    parts = attribute(points, members, ~members, 10)

    assert sum(each.points for each in parts) == pytest.approx(score[members].mean() - score[~members].mean())


# --- what was not planted is not found ------------------------------------------------------------


@pytest.mark.parametrize("columns", [
    ["subject", "sex"], pytest.param(["subject", "sex", "age_band"], marks=pytest.mark.more)])
def test_equal_groups_raise_an_alarm_in_no_more_than_5_of_100_audits(columns: list[str]) -> None:
    alarms = 0
    for seed in SEEDS:
        cases, equality = invent(1000 + seed, rows=1500)
        alarms += any(audit(without(cases, points=None), equality[columns], inputs=INPUTS).select("shown to differ"))
    assert alarms <= binom.ppf(0.975, len(SEEDS), 0.05)


def test_groups_that_differ_by_the_margin_are_seldom_shown_to_be_alike() -> None:
    random = np.random.default_rng(0)
    wrong = sum(compare_shares(int(random.binomial(400, 0.35)), 400, int(random.binomial(400, 0.30)), 400).alike < 0.05
                for _ in range(1000))
    assert wrong <= binom.ppf(0.995, 1000, 0.05)


def test_two_large_equal_groups_are_shown_to_be_alike_and_two_small_ones_are_not() -> None:
    assert judge(*_tests(compare_shares(1500, 5000, 1510, 5000))) == "shown to be alike"
    assert judge(*_tests(compare_shares(6, 20, 6, 20))) == "cannot tell"
    assert judge(*_tests(compare_shares(1500, 5000, 2000, 5000))) == "shown to differ"


def test_a_group_put_forward_twice_as_often_is_not_alike_because_both_are_rare() -> None:
    assert set_margin(0.03) == pytest.approx(0.0075)
    assert set_margin(0.3) == set_margin(0.7) == 0.05
    assert judge(*_tests(compare_shares(400, 20_000, 800, 20_000))) == "shown to differ"


def test_holm_by_hand() -> None:
    assert adjust([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert adjust([]) == []


def test_the_two_halves_of_a_whole_are_one_test() -> None:
    cases, equality = invent(3, rows=500)
    one_column = audit(without(cases, truth=None), equality[["subject", "sex"]], inputs=INPUTS)
    assert one_column.tests == 4       # selection, precision, missed, calibration: once, not for women and men
    assert [each.verdict for each in one_column.groups[0].findings] == [
        each.verdict for each in one_column.groups[1].findings]


# --- nobody can be picked out ---------------------------------------------------------------------


@given(st.lists(st.integers(0, 30), min_size=4, max_size=4), st.lists(st.integers(0, 30), min_size=2, max_size=2))
@settings(deadline=None)
def test_no_small_count_can_be_worked_out_from_those_shown(first: list[int], second: list[int]) -> None:
    # Two columns crossed: six parts; every margin and the total are wanted.
    parts = [*first, *second]
    margins = [{0, 1, 2}, {3, 4, 5}, {0, 3}, {1, 4}, {2, 5}, *({each} for each in range(6)), set(range(6))]
    sums = np.array([[part in margin for part in range(6)] for margin in margins], dtype=int)
    counts = sums @ np.array(parts)

    shown = choose_shown(sums, counts, np.ones(12, dtype=bool), np.arange(12) == 11)

    assert (counts[shown] >= LEAST).all()
    assert not _gives_away(sums, counts, shown)
    for row in np.flatnonzero(~shown & (counts >= LEAST)):      # and nothing is hidden for nothing
        assert _gives_away(sums, counts, shown | (np.arange(12) == row))


def test_one_hidden_group_takes_another_with_it() -> None:
    # 100 in all, groups of 50, 46 and 4: hiding the 4 alone would leave 100 - 50 - 46.
    sums = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    shown = choose_shown(sums, np.array([100, 50, 46, 4]), np.ones(4, dtype=bool), np.arange(4) == 0)
    assert shown.tolist() == [True, True, False, False]


def test_figures_on_whole_groups_are_hidden_after_those_on_groups_crossed_with_groups() -> None:
    cases, equality = invent(1)
    tallies = count_groups(without(cases, truth=None), equality, form_groups(equality, cases.subjects))
    kinds = {"cases", "selected", "events", "hits", "missed"}
    hidden = {len(tally.group.columns) for tally in tallies if not tally.has(*kinds)}
    assert hidden <= {2}


def test_small_groups_that_are_all_empty_are_not_seen_to_be() -> None:
    # 40 of the largest group were put forward and nobody else: shown, that 40 would say so.
    cases = Cases(np.arange(300), np.tile([0, 1], 150), np.r_[np.ones(40), np.zeros(260)], np.full(300, 0.5))
    equality = pd.DataFrame({"subject": np.arange(300), "sex": np.repeat(["a", "b", "c"], 100)})
    found = audit(cases, equality, inputs=())
    assert found.selected == 40
    assert [group.counts["selected"] for group in found.groups] == [None, None, None]


def test_what_is_left_over_is_protected_too() -> None:
    # 95 of 100 were put forward: showing both counts would show the five who were not.
    cases = Cases(np.arange(300), np.tile([0, 1], 150), np.r_[np.ones(95), np.zeros(5), np.tile([0, 1], 100)],
                  np.full(300, 0.5))
    equality = pd.DataFrame({"subject": np.arange(300), "sex": np.repeat(["a", "b", "b"], 100)})

    group = audit(cases, equality, inputs=()).find("sex: a")

    assert group.counts["selected"] is None or group.counts["cases"] is None
    assert group.find("selection").value is None
    assert group.find("selection").verdict == "shown to differ"        # said, without the figures


@pytest.mark.parametrize("seed", range(3))
def test_an_audit_shows_nothing_from_which_a_small_count_follows(seed: int) -> None:
    cases, equality = invent(seed, rows=240)
    groups = form_groups(equality, cases.subjects)
    tallies = count_groups(without(cases, truth=None), equality, groups)
    small = [(tally, kind) for tally in tallies for kind, count in tally.counts.items() if count < LEAST]

    assert small, "a list of 24 in 240 has small groups"
    assert all(kind not in tally.shown for tally, kind in small)
    for group in audit(without(cases, truth=None), equality, inputs=INPUTS).groups:
        for finding in group.findings:
            if finding.value is not None:
                assert group.counts["cases"] is not None or finding.measure in ("precision", "missed")
        assert all(count is None or count >= LEAST for count in group.counts.values())


def test_hidden_figures_are_not_on_the_page() -> None:
    cases, equality = invent(4, rows=240)
    page = write_audit(audit(cases, equality, inputs=INPUTS))
    assert "| hidden |" in page
    assert "nan" not in page and "None" not in page


# --- the wall between the equality table and everything else --------------------------------------


@pytest.mark.parametrize("name", ["sex", "subject_sex", "sex_recorded", "Age.Band"])
def test_an_input_named_after_an_equality_column_gives_helpful_error(name: str) -> None:
    cases, equality = invent(5, rows=100)
    with pytest.raises(FairnessError, match=r"the input `.*` of a rule or card is named after it"):
        audit(cases, equality, inputs=[*INPUTS, name])


def test_a_name_that_only_contains_the_letters_is_let_through() -> None:
    cases, equality = invent(5, rows=100)
    assert audit(cases, equality, inputs=["sussex_incidents_90d", "age_bands_seen"]).cases == 100


def test_what_an_audit_cannot_use_gives_helpful_errors() -> None:
    cases, equality = invent(6, rows=100)
    with pytest.raises(FairnessError, match="a subject twice"):
        audit(cases, pd.concat([equality, equality]), inputs=())
    with pytest.raises(FairnessError, match="audit the list of one date"):
        audit(without(cases, subjects=np.zeros(100)), equality, inputs=())
    with pytest.raises(FairnessError, match="put them in bands"):
        audit(cases, equality.assign(born=np.arange(100)), inputs=())
    with pytest.raises(FairnessError, match="points: 1 rows"):
        audit(without(cases, points=pd.DataFrame({"a": [1]})), equality, inputs=())


def test_those_not_in_the_table_are_a_group_of_their_own_and_nobodys_yardstick() -> None:
    cases, equality = invent(7, rows=600)
    groups = {each.name: each for each in form_groups(equality[equality["subject"] >= 100], cases.subjects)}

    unknown = groups[f"sex: {NOT_KNOWN}"]
    assert unknown.members.sum() == 100
    assert not (groups["sex: female"].others & unknown.members).any()
    assert (groups["sex: female"].others == groups["sex: male"].members).all()


def test_the_order_of_the_cases_changes_nothing() -> None:
    cases, equality = invent(8, rows=800, told=(0.8, 0.3))
    order = np.random.default_rng(0).permutation(800)
    turned = Cases(*(np.asarray(getattr(cases, name))[order] for name in ("subjects", "labels", "selected",
                                                                          "probabilities")),
                   points=cases.points.iloc[order] if cases.points is not None else None, truth=cases.truth[order])
    assert write_audit(audit(turned, equality, inputs=INPUTS)) == write_audit(audit(cases, equality, inputs=INPUTS))


def _tests(tested: Any) -> tuple[float, float]:
    return tested.differ, tested.alike


def _gives_away(sums: Any, counts: Any, shown: Any) -> bool:
    return any(_can_be_worked_out(sums[shown].tolist(), sums[row].tolist()) for row in np.flatnonzero(counts < LEAST))


def _can_be_worked_out(shown: list[list[int]], asked: list[int]) -> bool:
    """By exact elimination: whether adding the row to those shown raises their rank."""
    return _rank(shown) == _rank([*shown, asked])


def _rank(rows: list[list[int]]) -> int:
    table, rank = [[Fraction(each) for each in row] for row in rows], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((row for row in table[rank:] if row[column]), None)
        if pivot is None:
            continue
        table.remove(pivot)
        table = [*table[:rank], pivot, *([a - row[column] / pivot[column] * b for a, b in zip(row, pivot, strict=True)]
                                         for row in table[rank:])]
        rank += 1
    return rank


def test_exact_elimination_agrees_with_the_module_on_small_tables() -> None:
    for rows in product(product([0, 1], repeat=3), repeat=3):
        found = find_exposed(np.array(rows), np.array([True, True, False]), np.array([False, False, True]))
        assert bool(found[2]) == _can_be_worked_out([list(row) for row in rows[:2]], list(rows[2])) or not any(rows[2])


def test_how_many_were_put_forward_is_hidden_where_it_would_point_at_people() -> None:
    cases, equality = invent(9, rows=300)
    few = np.zeros(300)
    few[:9] = 1
    for selected in (few, 1 - few):
        found = audit(without(cases, selected=selected), equality, inputs=INPUTS)
        assert found.selected is None
        assert "A number too small to be shown of 300 cases" in write_audit(found)


def test_a_column_of_one_value_has_nobody_to_be_compared_with() -> None:
    cases, equality = invent(9, rows=300)
    found = audit(cases, equality.assign(sex="female")[["subject", "sex"]], inputs=INPUTS)
    assert {each.verdict for each in found.groups[0].findings} == {"cannot tell"}
    assert found.tests == 0


def test_what_is_said_of_one_half_is_not_said_again_of_the_other() -> None:
    cases, equality = invent(1, told=(0.8, 0.4))
    page = write_audit(audit(cases, equality[["subject", "sex"]], inputs=INPUTS))
    assert "- **sex: female.** It is put forward less often than the others, by -" in page
    assert "- **sex: male.**" not in page
