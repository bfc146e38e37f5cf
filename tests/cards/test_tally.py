"""Points add up the same by hand and in columns; where a card cannot speak it gives a reason and no number."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import ibis
import pytest

from engine.card import Answerable, Card
from engine.rule import Band
from engine.scores import AxisScore, lift
from engine.tally import add_scores, answer, band_of, express_points, express_score, tally

from .made import a_card, as_table, deal_card, deal_rows

TODAY = date(2026, 11, 23)
SIGNED = Answerable("Crime and Disorder Act 1998 s.115", "ASB lead", date(2027, 11, 1), ("police",))
UNTOUCHED = AxisScore("harm", (), 0.0, 0.0, 0.0, None, None)
WORRYING = {"age": 30, "asb_subject_ev2_183d": 4, "tenure": "council", "isolated": False, "asb_subject_ev2_365d": 5}

A_LITTLE = WORRYING | {"asb_subject_ev2_183d": 1}


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return a_card(tmp_path)


def test_points_add_up_and_every_step_is_kept(card: Card) -> None:
    counted = tally(card, WORRYING)
    assert [(each.factor.fact, each.value, each.points) for each in counted.points] == [
        ("asb_subject_ev2_183d", 4, 6), ("tenure", "council", 1), ("isolated", False, 0)]
    assert (counted.total, counted.score, counted.abstains) == (7, 7, None)
    assert counted.row is not None and counted.row.probability == 0.55
    assert [step.state for step in counted.points[0].steps] == [True, False, False, False]


@pytest.mark.parametrize("seed", range(25))
def test_one_by_one_and_in_columns_every_total_and_every_factor_is_the_same(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    card = deal_card(random, tmp_path)
    rows = deal_rows(random, card, 200)
    table = ibis.memtable(as_table(rows))
    points = {f"points_{fact}": each for fact, each in express_points(card, table.__getitem__).items()}
    asked = table.select("row", total=express_score(card, table.__getitem__), **points)
    seen = asked.order_by("row").to_pyarrow().to_pylist()
    for row, columns in zip(rows, seen, strict=True):
        counted = tally(card, row)
        assert columns["total"] == counted.total
        assert {f"points_{each.factor.fact}": each.points for each in counted.points} == {
            key: value for key, value in columns.items() if key.startswith("points_")}
    assert len({row["total"] for row in seen}) > 1, "the draw is not all alike"


# --- silence --------------------------------------------------------------------------------------

#   why it is silent          what is known                         what of the card      the feeds that are late
SILENT: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "not_for": (WORRYING | {"age": 9}, {}, ()),
    "silent": (WORRYING, {"licence": "silent"}, ()),
    "feed_missing": (WORRYING, {}, ("asb_subject_ev2_183d",)),
    "thin_history": (WORRYING | {"asb_subject_ev2_365d": 1}, {}, ()),
    "outside_range": (WORRYING | {"asb_subject_ev2_183d": 41}, {}, ()),
}


@pytest.mark.parametrize("why", SILENT)
def test_a_card_that_cannot_speak_gives_no_number_and_no_band(why: str, card: Card) -> None:
    values, changes, lost = SILENT[why]
    asked = replace(card, **changes)
    counted = tally(asked, values, lost)
    assert (counted.abstains, counted.score, counted.row, band_of(asked, counted)) == (why, None, None, None)


def test_an_age_nobody_knows_is_not_taken_for_ten(card: Card) -> None:
    assert tally(card, WORRYING | {"age": None}).abstains == "not_for"


def test_a_history_nobody_knows_is_thin(card: Card) -> None:
    assert tally(card, WORRYING | {"asb_subject_ev2_365d": None}).abstains == "thin_history"


def test_a_rank_is_no_chance(card: Card) -> None:
    counted = tally(replace(card, licence="rank"), WORRYING)
    assert (counted.abstains, counted.score, counted.row) == ("rank_only", 7, None)


def test_a_lost_feed_is_no_low_score(card: Card) -> None:
    """Three points fewer because nobody sent anything: the reason most often overlooked."""
    known, lost = tally(card, WORRYING), tally(card, WORRYING, ["asb_subject_ev2_183d"])
    assert known.total - lost.total == 5
    assert (lost.abstains, lost.about, lost.score) == ("feed_missing", ("asb_subject_ev2_183d",), None)


def test_a_factor_of_one_point_may_be_lost_and_two_of_them_may_not(card: Card, tmp_path: Path) -> None:
    small = tally(card, WORRYING, ["tenure"])
    assert (small.abstains, small.total) == (None, 6)
    weaker = a_card(tmp_path, ("points: -2", "points: -1"), ("from: -2", "from: -1"))
    assert tally(weaker, WORRYING, ["isolated"]).abstains is None
    assert tally(weaker, WORRYING, ["tenure", "isolated"]).about == ("tenure", "isolated")


def test_what_a_late_feed_says_is_not_believed_even_where_it_said_something(card: Card) -> None:
    assert tally(card, WORRYING, ["tenure"]).points[1].value is None


def test_a_lost_history_is_a_lost_feed_and_not_a_thin_one(card: Card) -> None:
    assert tally(card, WORRYING, ["asb_subject_ev2_365d"]).abstains == "feed_missing"


# --- bands ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reports", "tenure", "isolated", "abstains", "band"), [
    (4, "council", False, None, "convene"),         # 7 points: 50 to 60 of 100, all from 50 up
    (4, "council", True, "borderline", "watch"),    # 5 points: 27 to 35 of 100, on both sides of 30
    (1, "other", False, None, "watch"),             # 3 points: 16 to 24 of 100
    (0, "other", False, None, None)])
def test_a_band_is_reached_when_even_the_low_end_reaches_it(
    reports: int, tenure: str, isolated: bool, abstains: str | None, band: Band | None, card: Card
) -> None:
    counted = tally(card, WORRYING | {"asb_subject_ev2_183d": reports, "tenure": tenure, "isolated": isolated})
    assert (counted.abstains, band_of(card, counted)) == (abstains, band)


def test_a_live_card_lifts_a_band_and_none_lowers_one(card: Card) -> None:
    live = replace(card, status="live", answer=SIGNED)
    high, low = (answer(live, values, (), TODAY).band for values in (WORRYING, A_LITTLE))
    assert (high, low) == ("convene", "watch")
    assert high is not None
    assert low is not None
    for rule_band in (None, "watch", "discuss", "convene"):
        by_rules = [replace(UNTOUCHED, band=rule_band)] if rule_band else []
        assert [axis.band for axis in lift(by_rules, {"harm": high})] == ["convene"]
        assert [axis.band for axis in lift(by_rules, {"harm": low})] == [rule_band or "watch"]


def test_a_card_speaks_of_its_own_axis_only() -> None:
    lifted = lift([UNTOUCHED], {"vulnerability": "convene"})
    assert [(axis.axis, axis.band, axis.card) for axis in lifted] == [
        ("vulnerability", "convene", "convene"), ("harm", None, None)]


@pytest.mark.parametrize("status", ["trial", "retired"])
def test_a_card_on_trial_changes_no_band(status: Any, card: Card) -> None:
    tried = replace(card, status=status, answer=SIGNED)
    assert band_of(tried, tally(tried, WORRYING)) == "convene"
    assert answer(tried, WORRYING, (), TODAY).band is None


def test_a_live_card_that_nobody_has_looked_at_again_in_time_changes_no_band(card: Card) -> None:
    for review_by, band in ((TODAY, "convene"), (TODAY - timedelta(days=1), None)):
        live = replace(card, status="live", answer=replace(SIGNED, review_by=review_by))
        assert answer(live, WORRYING, (), TODAY).band == band


def test_the_lowest_total_that_lifts_anybody_is_known_beforehand(card: Card, tmp_path: Path) -> None:
    assert card.reach == 2
    assert replace(card, licence="rank").reach is None
    assert replace(card, bands={}).reach is None


# --- everybody at once ----------------------------------------------------------------------------

PEOPLE = ibis.memtable({
    "subject": ["P1", "P2", "P3"], "age": [30, 9, None], "asb_subject_ev2_183d": [4, 4, 4],
    "tenure": ["council", "council", None], "isolated": [False, True, None], "asb_subject_ev2_365d": [5, 5, 5]},
    schema={"subject": "string", "age": "int64", "asb_subject_ev2_183d": "int64", "tenure": "string",
            "isolated": "boolean", "asb_subject_ev2_365d": "int64"})


def scores_of(*cards: Card, lost: tuple[str, ...] = ()) -> dict[str, Any]:
    frame = add_scores(PEOPLE, cards, lost).order_by("subject").to_pyarrow()
    return {name: frame[name].to_pylist() for name in frame.column_names if name.startswith("card:")}


def test_each_card_has_a_column_and_whom_it_is_not_for_has_no_total(card: Card) -> None:
    assert scores_of(card, replace(card, name="other", applies=None)) == {
        "card:person_harm_v1": [7, None, None], "card:other": [7, 5, 6]}


def test_in_columns_too_a_card_that_lost_its_feed_or_has_no_licence_has_no_total(card: Card) -> None:
    assert scores_of(card, lost=("asb_subject_ev2_183d",)) == {"card:person_harm_v1": [None] * 3}
    assert scores_of(replace(card, licence="silent")) == {"card:person_harm_v1": [None] * 3}
    assert scores_of(replace(card, applies=None), lost=("tenure",)) == {"card:person_harm_v1": [6, 4, 6]}
