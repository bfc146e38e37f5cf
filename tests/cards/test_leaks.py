"""Leaks that were planted are refused, each in words that say what to do; a clean table is not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from models.inputs import FitError
from models.leaks import (
    LeakError,
    find_forward_gap,
    find_late,
    find_overlap,
    find_recorders,
    find_rewritten,
    find_telling,
    refuse,
)

DATES = [date(2025, 1, 1) + timedelta(days=28 * number) for number in range(12)]
AGENCIES = {"police", "housing", "council"}


def invent(seed: int = 0, rows: int = 1200) -> tuple[pd.DataFrame, Any, Any]:
    """An honest table: a count and a tenure that foretell a little, a special code, and what is not known."""
    random = np.random.default_rng(seed)
    count = random.poisson(1.5, rows)
    table = pd.DataFrame({
        "reports_365d": pd.array(count, dtype="Int64"),
        "tenure": pd.array(random.choice(["council", "private", "owner"], rows, p=[0.3, 0.3, 0.4]), dtype="string"),
        "supported": pd.array(random.random(rows) < 0.2, dtype="boolean"),
        "arrears_weeks": np.where(random.random(rows) < 0.2, np.nan, random.exponential(4, rows)),
    })
    table.loc[random.random(rows) < 0.05, "tenure"] = pd.NA
    labels = (random.random(rows) < 0.05 + 0.07 * count).astype(int)
    return table, labels, np.array(DATES)[random.integers(0, 12, rows)]


@pytest.mark.parametrize("seed", range(8))
def test_a_clean_table_passes_every_check(seed: int) -> None:
    table, labels, as_of = invent(seed)
    known = pd.DataFrame({"reports_365d": pd.to_datetime(as_of) - pd.Timedelta(days=1)})
    outcome = pd.Series(pd.to_datetime(as_of) + pd.Timedelta(days=30)).where(labels == 1)
    recorder = np.random.default_rng(seed).choice(sorted(AGENCIES), len(labels))

    refuse(find_late(known, as_of), find_telling(table, labels),
           find_overlap(DATES[:6], DATES[10:], horizon=90, settle=14), find_rewritten(known, outcome),
           find_recorders(table, labels, recorder=recorder, declared={"police", "housing", "ambulance"}),
           find_forward_gap(score_with(table, labels), labels, as_of, seed))


# --- dates ----------------------------------------------------------------------------------------


def test_a_feature_known_on_the_as_of_date_or_later_is_refused() -> None:
    known = pd.DataFrame({"reports_365d": [date(2025, 1, 31), None, date(2025, 2, 1)],
                          "arrears_weeks": [date(2025, 1, 31)] * 3})
    (problem,) = find_late(known, [date(2025, 2, 1)] * 3)
    assert (problem.where, problem.found) == ("reports_365d", "known on the as-of date or later in 1 of 3 rows")


def test_an_input_changed_after_the_outcome_is_refused() -> None:
    changed = pd.DataFrame({"tenure": [date(2025, 3, 1), date(2025, 3, 1), None], "age": [date(2025, 1, 1)] * 3})
    (problem,) = find_rewritten(changed, [date(2025, 2, 1), None, date(2025, 2, 1)])
    assert problem.where == "tenure"
    assert problem.found == "changed on the day of the outcome or later in 1 of 2 rows with an outcome"


def test_training_labels_must_be_settled_before_the_first_test_date() -> None:
    last = DATES[10] - timedelta(days=104)

    assert find_overlap([last], DATES[10:], horizon=90, settle=14) == []
    (problem,) = find_overlap([*DATES[:3], last + timedelta(days=1)], DATES[10:], horizon=90, settle=14)
    assert problem.found.startswith("1 training dates")
    assert problem.allowed == f"training dates up to {last}"


def test_a_split_without_dates_is_not_called_clean() -> None:
    assert find_overlap([], DATES, 90) and find_overlap(DATES, [], 90)
    assert find_late(pd.DataFrame({"a": [None]}), DATES)
    assert find_rewritten(pd.DataFrame({"a": [None]}), DATES)


# --- columns that tell the outcome ----------------------------------------------------------------


def test_a_column_that_ranks_like_the_outcome_itself_is_refused_whichever_way_it_points() -> None:
    table, labels, _ = invent()
    noise = np.random.default_rng(1).normal(size=len(labels)) * 0.3
    found = find_telling(table.assign(closed_after=labels + noise, still_open=-labels + noise), labels)
    assert [each.where for each in found] == ["closed_after", "still_open"]
    assert "alone it ranks the outcome with AUC" in found[0].found


def test_a_category_that_ranks_like_the_outcome_is_refused() -> None:
    table, labels, _ = invent()
    random = np.random.default_rng(2)
    status = np.where(random.random(len(labels)) < 0.02, 1 - labels, labels)
    words = np.array(["no action", "enforcement"])[status]
    assert "case_status" in {each.where for each in find_telling(table.assign(case_status=words), labels)}


def test_a_level_whose_rows_all_end_alike_is_refused_also_where_it_is_not_known() -> None:
    table, labels, _ = invent()
    hit = np.flatnonzero(labels)[:40]
    violent = np.zeros(len(labels), dtype=bool)
    violent[hit] = True
    blank = np.full(len(labels), 5.0)
    blank[hit] = np.nan

    found = find_telling(table.assign(violent_recid=violent, review_score=blank), labels)

    assert [each.where for each in found] == ["violent_recid", "review_score"]
    assert "where it is not known, 100.0 % of 40 rows have the outcome" in found[1].found


def test_a_pure_level_of_29_rows_is_luck() -> None:
    table, labels, _ = invent()
    rare = np.zeros(len(labels), dtype=bool)
    rare[np.flatnonzero(labels)[:29]] = True
    assert find_telling(table.assign(rare=rare), labels) == []


def test_where_nearly_nobody_has_the_outcome_a_level_without_it_says_nothing() -> None:
    labels = np.r_[np.ones(20), np.zeros(980)]
    assert find_telling(pd.DataFrame({"ward": np.arange(1000) % 4}), labels) == []


def test_a_name_in_every_row_does_not_pass_for_a_ranking() -> None:
    table, labels, _ = invent()
    assert find_telling(table.assign(street=[f"street {each}" for each in range(len(labels))]), labels) == []


# --- who recorded it ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["recorded_by", "officer_collar", "SourceAgency", "last.updated_by", "event_origin"])
def test_a_column_named_after_who_recorded_it_is_refused(name: str) -> None:
    table, labels, _ = invent()
    (problem,) = find_recorders(table.assign(**{name: 1}), labels)
    assert problem.where == name and "its name says who recorded the event" in problem.found


def test_a_name_that_only_contains_the_letters_is_let_through() -> None:
    table, labels, _ = invent()
    assert find_recorders(table.assign(original_rent=1, officers_mess=2), labels) == []


def test_a_column_of_declared_recorders_is_refused() -> None:
    table, labels, _ = invent()
    (problem,) = find_recorders(table.assign(channel=["Police", "Housing"] * 600), labels, declared=AGENCIES)
    assert problem.found == "2 of its 2 levels are declared recorders"


def test_a_column_that_is_another_name_for_the_recorder_is_refused_where_outcomes_depend_on_who_records() -> None:
    table, labels, _ = invent()
    random = np.random.default_rng(3)
    recorder = np.where(random.random(1200) < 0.2 + 0.5 * labels, "police", "housing")
    form = np.where(recorder == "police", "F12", "H3")
    even = random.choice(["police", "housing"], 1200)

    (problem,) = find_recorders(table.assign(form=form), labels, recorder=recorder)
    assert problem.where == "form" and "the outcome depends on who did" in problem.found
    assert find_recorders(table.assign(form=np.where(even == "police", "F12", "H3")), labels, recorder=even) == []


def test_seven_reports_after_six_are_no_leak_and_a_code_that_stands_alone_is() -> None:
    random = np.random.default_rng(2)
    count = np.minimum(random.poisson(2, 12_000), 7)
    chance = np.array([0.02, 0.03, 0.05, 0.1, 0.3, 0.7, 0.9, 1.0])[count]
    labels = (random.random(12_000) < chance).astype(int)
    code = np.where((labels == 1) & (random.random(12_000) < 0.5), 4, random.choice([1, 2, 3, 5], 12_000))
    assert (count == 7).sum() >= 30 and labels[count == 7].all()
    assert find_telling(pd.DataFrame({"reports": count}), labels) == []
    (problem,) = find_telling(pd.DataFrame({"code": code}), labels)
    assert problem.found.startswith("where it is 4.0, 100.0 %")


# --- time -----------------------------------------------------------------------------------------


def score_with(table: pd.DataFrame, labels: Any) -> Any:
    numbers = table[["reports_365d", "arrears_weeks"]].astype("Float64").fillna(-1).to_numpy(dtype=float)

    def score(training: Any, test: Any) -> Any:
        return LogisticRegression().fit(numbers[training], labels[training]).predict_proba(numbers[test])[:, 1]

    return score


def test_a_forward_split_much_worse_than_a_random_one_is_refused() -> None:
    _, labels, as_of = invent(rows=3000)
    random = np.random.default_rng(4)
    # A code that was written with the outcome in mind until the form changed, for the last dates.
    early = as_of < DATES[8]
    code = np.where(early, labels + random.normal(size=3000) * 0.6, random.normal(size=3000) * 0.6)
    table = pd.DataFrame({"reports_365d": code, "arrears_weeks": random.random(3000)})

    (problem,) = find_forward_gap(score_with(table, labels), labels, as_of, seed=0, subjects=np.arange(3000))

    assert "where test rows are drawn at random" in problem.found
    assert problem.allowed == "a gap of 0.05 or less"


def test_a_learner_that_knows_its_people_again_is_not_taken_for_one_that_knows_the_time() -> None:
    people, quarter = np.tile(np.arange(300), 12), np.repeat(np.arange(12) // 3, 300)
    troubled = np.random.default_rng(5).random((300, 4)) < 0.3      # windows overlap: one event, told at three dates
    labels, as_of = troubled[people, quarter].astype(int), np.repeat(DATES, 300)

    def score(training: Any, test: Any) -> Any:     # what was told of the same person at a date nearby
        seen = pd.Series(labels[training]).groupby([people[training], quarter[training]]).mean()
        return seen.reindex(list(zip(people[test], quarter[test], strict=True))).fillna(labels.mean()).to_numpy()

    assert find_forward_gap(score, labels, as_of, seed=0, subjects=people) == []
    (problem,) = find_forward_gap(score, labels, as_of, seed=0)      # rows drawn one by one part those three dates
    assert problem.where == "split"


def test_one_date_cannot_be_split_by_time() -> None:
    table, labels, _ = invent()
    (problem,) = find_forward_gap(score_with(table, labels), labels, [DATES[0]] * 1200, seed=0)
    assert problem.where == "as_of"


# --- refusing -------------------------------------------------------------------------------------


def test_all_leaks_are_refused_together_with_helpful_errors() -> None:
    table, labels, _ = invent()
    with pytest.raises(LeakError) as refused:
        refuse(find_telling(table.assign(outcome_code=labels), labels), find_recorders(table.assign(badge=1), labels),
               find_overlap(DATES, DATES[-1:], 90))
    assert {each.where for each in refused.value.problems} == {"outcome_code", "badge", "split"}
    assert all(each.allowed for each in refused.value.problems)
    assert isinstance(refused.value, FitError)
