"""Is a card fit to use? The answer in words, its reasons in tables, and no more licence than its history allows."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models import challengers
from models.assessment import Evidence
from models.capacity import Lift, draw_curve, measure_churn
from models.challengers import Challenger, fit_challengers
from models.licence import decide_licence
from models.metrics import AssessError, measure_calibration, measure_quality
from models.report import About, assess, write_report
from models.routes import cross_routes

ABOUT = About("person_harm_v1", "Further harm within 90 days", "person", "harm", "one or more reports in 90 days",
              "To order cases for the fortnightly meeting.", ("Refusing anyone a home.",),
              "An invented borough, seed 1.",
              "Censored where help began within the horizon.", "The partnership's analyst.")


def invent(rows: int = 3000, seed: int = 0) -> Evidence:
    """A card of whole points that is calibrated by construction, with everything an assessment can use."""
    random = np.random.default_rng(seed)
    score = random.poisson(2, rows)
    chance = 1 / (1 + np.exp(3.2 - 0.6 * score))
    count = random.poisson(0.5 + 0.5 * score)
    return Evidence(
        labels=(random.random(rows) < chance).astype(int), score=score, probability=chance, capacity=100,
        trained_rows=5000, trained_events=600, low=np.clip(chance - 0.03, 0, 1), high=np.clip(chance + 0.03, 0, 1),
        cut=0.3, oracle=chance, baselines={"count of 12 months": count},
        challengers=(Challenger("logistic regression", chance), Challenger("EBM", None, "interpret-core is not here")),
        rules=pd.DataFrame({"four_reports": pd.array(count >= 4, dtype="boolean")}))


def judge(rows: int, events: int, **changes: Any) -> Any:
    made = invent()
    parts = {"card": measure_quality(made.labels, made.score, made.probability),
             "calibration": measure_calibration(made.labels, made.probability, 0), **changes}
    return decide_licence(rows, events, **parts)


# --- the licence ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "events", "level"), [
    (499, 400, "silent"), (500, 400, "rank"), (2499, 400, "rank"), (2500, 249, "rank"), (2500, 250, "probability"),
    (499, 10, "silent")])
def test_history_decides_how_much_may_be_shown(rows: int, events: int, level: str) -> None:
    licence = judge(rows, events)
    assert licence.level == level
    assert licence.why


def test_a_card_that_is_not_shown_to_rank_better_than_chance_stays_silent() -> None:
    made = invent()
    coin = np.random.default_rng(1).random(len(made.labels))
    licence = judge(5000, 600, card=measure_quality(made.labels, coin, made.probability))
    assert licence.level == "silent"
    assert "not shown to rank better than chance" in licence.why[0]


def test_probabilities_that_do_not_come_true_are_not_shown() -> None:
    made = invent()
    wrong = measure_calibration(made.labels, np.clip(made.probability + 0.1, 0, 1), 0)
    licence = judge(5000, 600, calibration=wrong)
    assert licence.level == "rank"
    assert "0.02 is allowed" in licence.why[0]


def test_an_error_that_chance_explains_costs_no_licence() -> None:
    few = invent(rows=200, seed=3)
    calibration = measure_calibration(few.labels, few.probability, 0)
    assert 0.02 < calibration.ece < calibration.ece_floor
    assert judge(5000, 600, calibration=calibration).level == "probability"


def test_a_card_far_behind_a_challenger_calls_for_a_review() -> None:
    made = invent()
    random = np.random.default_rng(2)
    better = np.clip(0.8 * made.probability + 0.2 * made.labels + random.normal(size=3000) * 0.01, 0, 1)
    found = assess(replace(made, challengers=(Challenger("EBM", better), Challenger("same", made.probability))), ABOUT)

    assert [each.too_far for each in found.behind] == [True, False]
    (review,) = found.licence.review
    assert review.startswith("EBM is better by") and review.endswith("open a model review")
    assert found.licence.level == "probability"     # a review is asked for; what may be shown is another question


def test_a_list_no_better_than_counting_calls_for_a_review() -> None:
    lift = Lift("count of 12 months", 100, 0.3, 0.3, None, 0.5)
    assert "which needs no card: open a model review" in judge(5000, 600, lifts=(lift,)).review[0]


# --- the assessment -------------------------------------------------------------------------------


def test_the_card_stands_beside_oracle_count_and_challengers() -> None:
    found = assess(invent(), ABOUT)

    assert [(each.name, each.role) for each in found.rivals] == [
        ("this card", "card"), ("oracle", "oracle"), ("count of 12 months", "baseline"),
        ("logistic regression", "challenger"), ("EBM", "challenger")]
    card, count = found.card.auc, found.rivals[2].quality
    assert card is not None and count is not None and count.auc is not None
    assert card.value > count.auc.value
    assert count.brier is None                      # a count is no probability
    assert found.lifts[0].card > found.lifts[0].other
    assert found.rules[0].precision is not None and found.rules[0].card is not None
    assert found.borderline is not None and 0 < found.borderline.share.value < 1


def test_everything_that_does_not_fit_is_told_at_once_with_helpful_errors() -> None:
    wrong = replace(invent(), probability=np.full(3000, 1.5), score=[1, 2], rules=pd.DataFrame({"r": [True]}),
                    challengers=(Challenger("EBM", np.full(7, 0.5)),))
    with pytest.raises(AssessError) as refused:
        assess(wrong, ABOUT)
    assert {each.where for each in refused.value.problems} == {"probability", "score", "rules", "EBM"}


# --- the page -------------------------------------------------------------------------------------


def test_the_page_answers_first_and_holds_every_part() -> None:
    made = invent()

    def refit(seed: int) -> Any:
        return made.score + np.random.default_rng(seed).normal(size=3000) * 0.1

    def fit(rows: int, seed: int) -> Any:
        return np.clip(made.probability + np.random.default_rng(seed).normal(size=3000) * 9 / rows, 0, 1)

    page = write_report(assess(replace(
        made, subjects=np.arange(3000) // 2,
        churn=measure_churn(refit, 100, range(5), before=made.score, now=made.score),
        curve=draw_curve(fit, made.labels, [100, 400], range(2))), ABOUT))

    assert page.startswith("# Further harm within 90 days: is it fit to use?\n\n**Yes, as one voice beside the rules")
    headings = [line[3:] for line in page.splitlines() if line.startswith("## ")]
    assert headings == ["Quality", "Do its probabilities come true?", "A list of 100", "How steady is the list?",
                        "Would more history help?", "The licence", "Model card"]
    assert "3,000 later rows about 1,500 people" in page
    assert "EBM: interpret-core is not here." in page
    assert "| EBM | — | — | — | — | — |" in page
    assert "share" in page and "expected is by lot" in page
    assert "no more than refitting on the same history would move it" in page
    assert "Refusing anyone a home." in page and "Censored where help began" in page
    assert not any(word in page for word in ("nan", "None", "Estimate("))


def test_every_table_on_the_page_has_as_many_cells_as_its_head() -> None:
    lines = write_report(assess(invent(), ABOUT)).splitlines()
    tables = [(above, line) for above, line in pairwise(lines)
              if above.startswith("| ") and line.startswith("| ")]
    assert len(tables) > 20
    assert all(above.count("|") == line.count("|") for above, line in tables)


# --- routes ---------------------------------------------------------------------------------------


def cross(*cells: tuple[int, int, bool | None, int]) -> tuple[Any, Any, pd.Series]:
    """Labels, scores and what rules put forward, from cells of (cases, events, by rules, score)."""
    labels = np.concatenate([np.arange(cases) < events for cases, events, _, _ in cells]).astype(int)
    scores = np.concatenate([np.full(cases, score) for cases, _, _, score in cells])
    return labels, scores, pd.Series([ruled for cases, _, ruled, _ in cells for _ in range(cases)], dtype="boolean")


def test_cases_are_told_apart_by_the_route_that_put_them_forward() -> None:
    labels, scores, ruled = cross((20, 12, True, 9), (30, 12, False, 9), (40, 10, True, 1), (300, 6, False, 1),
                                  (10, 0, None, 1))
    routes = cross_routes(labels, scores, ruled, places=50)

    assert [round(cell.rows) for cell in routes.cells] == [20, 40, 30, 310]
    assert [cell.share and round(cell.share.value, 3) for cell in routes.cells] == [0.6, 0.25, 0.4, 0.019]
    assert routes.unknown == 10


def test_a_tie_at_the_cut_is_shared_between_the_routes() -> None:
    labels, scores, ruled = cross((40, 20, True, 5), (40, 20, False, 5), (100, 1, False, 1))
    # 40 places for 80 who are tied: half of either kind.
    assert [cell.rows for cell in cross_routes(labels, scores, ruled, places=40).cells] == [20, 20, 20, 120]


def test_a_small_cell_is_hidden_and_so_is_what_it_could_be_worked_out_from() -> None:
    labels, scores, ruled = cross((4, 3, True, 9), (46, 20, False, 9), (40, 10, True, 1), (300, 6, False, 1))
    routes = cross_routes(labels, scores, ruled, places=50)
    # The list is known to have 50 places, so that 46 beside it would tell the 4.
    assert [cell.shown for cell in routes.cells] == [False, True, False, True]

    page = write_report(assess(replace(invent(len(labels)), labels=labels, score=scores, put_forward=ruled,
                                       capacity=50, rules=None), ABOUT))
    assert "| Rules and card | under 10 or hidden | — |" in page
    assert "| Rules alone | 40 | 25.0 % (" in page
    assert "Card alone: hidden, or too few to say anything. Have an officer read a sample of them" in page
    assert "the card would miss them" in page


def test_a_rule_is_said_to_be_retirable_only_where_the_card_finds_its_events_and_no_law_asks_for_it() -> None:
    score = np.repeat([5, 1], [200, 2800])
    labels = np.concatenate([np.arange(200) < 160, np.arange(2800) < 50]).astype(int)
    quiet = np.arange(3000) >= 2700
    rules = pd.DataFrame({"noisy": quiet, "statutory": quiet, "rare": np.arange(3000) < 4, "asleep": False})
    made = replace(invent(), labels=labels, score=score, rules=rules.astype("boolean"), grounded={"statutory"}, lists=4)

    found = assess(made, ABOUT)
    page = write_report(found)

    assert found.retirable == ("noisy",)
    assert "On these figures alone could be retired: noisy. The card is right more often" in page
    assert "Fired for under 10 cases, so that nothing is told of them: rare." in page
    assert "Fired for nobody in the test: asleep." in page
    assert "| rare |" not in page
    assert "The test has 4 dates: 25 places at each" in page


def test_what_was_looked_for_and_how_challengers_learned_stands_on_the_page() -> None:
    half = Challenger("EBM", invent().probability, how="learned from 1,000 of the 5,000 rows, drawn by lot")
    page = write_report(assess(replace(invent(), challengers=(half,)),
                               replace(ABOUT, checked=("A record known on the date or later: none.",))))
    assert "## Looked for and not found\n\n- A record known on the date or later: none." in page
    assert "EBM: learned from 1,000 of the 5,000 rows, drawn by lot." in page


# --- little and nothing ---------------------------------------------------------------------------


def test_a_page_on_little_history_says_no() -> None:
    page = write_report(assess(replace(invent(), trained_rows=120, trained_events=14), ABOUT))
    assert "**No. It may run unseen; nobody is shown its order or its probabilities. Rules only.**" in page
    assert "- Fitted on 120 rows; 500 are needed for an order." in page


def test_what_nobody_wrote_is_called_not_written_rather_than_left_out() -> None:
    page = write_report(assess(replace(invent(), oracle=None, rules=None, cut=None), About("x_v1", "X")))
    assert "**Who answers for it.** Not written yet." in page
    assert "Not measured." in page
    assert "oracle" not in page.lower()


def test_the_order_of_the_rows_changes_no_figure_on_the_page() -> None:
    made = invent(rows=400)
    order = np.random.default_rng(0).permutation(400)
    turned = replace(
        made, **{name: np.asarray(getattr(made, name))[order] for name in
                 ("labels", "score", "probability", "low", "high", "oracle")},
        baselines={"count of 12 months": made.baselines["count of 12 months"][order]},
        challengers=(Challenger("logistic regression", np.asarray(made.probability)[order]), made.challengers[1]),
        rules=made.rules.iloc[order] if made.rules is not None else None)
    assert write_report(assess(turned, ABOUT)) == write_report(assess(made, ABOUT))


def test_a_column_that_nobody_filled_in_stops_no_challenger() -> None:
    draw = np.random.default_rng(4)
    reports = draw.integers(0, 5, 400)
    frame = pd.DataFrame({"reports": reports, "never_asked": pd.Series([pd.NA] * 400, dtype="Float64")})
    happened = (draw.random(400) < 0.1 + 0.15 * reports).astype(int)
    found = fit_challengers(frame.iloc[:300], happened[:300], frame.iloc[300:], seed=1)
    assert all(len(each.probabilities) == 100 for each in found if not each.why_not)
    assert sum(not each.why_not for each in found) >= 2


def test_columns_that_are_alike_in_every_row_are_left_out_and_nothing_is_warned_of() -> None:
    draw = np.random.default_rng(5)
    reports = draw.integers(0, 5, 400)
    frame = pd.DataFrame({"reports": reports, "never_asked": pd.Series([pd.NA] * 400, dtype="Float64"),
                          "always": 1, "tenure": "council", "once": np.arange(400) == 7})
    happened = (draw.random(400) < 0.1 + 0.15 * reports).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit_challengers(frame.iloc[:300], happened[:300], frame.iloc[300:], seed=1)
        none = fit_challengers(frame[["always"]].iloc[:300], happened[:300], frame[["always"]].iloc[300:], seed=1)
    assert all(len(each.probabilities) == 100 for each in found if not each.why_not)
    assert {each.why_not for each in none} == {"no column differs from row to row"}


def test_more_rows_than_challengers_take_are_drawn_by_lot_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challengers, "MOST_ROWS", 200)
    reports = np.arange(400) % 5
    found = fit_challengers(pd.DataFrame({"reports": reports}), (reports > 2).astype(int),
                            pd.DataFrame({"reports": reports[:10]}), seed=1)
    assert {each.how for each in found if not each.why_not} == {"learned from 200 of the 400 rows, drawn by lot"}
