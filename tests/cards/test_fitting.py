"""What a fit leaves behind: a card that a run could read, a page that says what it is worth; and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from api.intake import read_manifest, take_in
from engine.admission import check_card
from engine.card import licence_for, read_card
from engine.errors import RunError
from engine.invent import invent
from engine.lake import Lake
from engine.pack import Pack
from engine.schema import Subject
from models.fitting import Fitted, choose_dates, fit_and_keep, fit_training
from models.history import DTYPES, Training
from models.leaks import LeakError
from models.outcomes import read_outcomes
from models.snapshots import Past

from .past import Town, person

HARM = "further_harm_90d"
DATES = [date(2024, 12, 1) + timedelta(days=61 * number) for number in range(9)]
RULES = ("person/corroborated-repeat-asb", "person/serial-domestic-abuse-suspect", "person/hate-victim")


def make_training(pack: Pack, people: int = 450, seed: int = 1) -> Training:
    """What was known of the same people at nine dates, and whether they were reported again within 90 days."""
    random = np.random.default_rng(seed)
    rows = people * len(DATES)
    reports, suspected = random.poisson(0.6, rows), random.poisson(0.2, rows)
    managed = random.random(rows) < 0.3
    odds = -3 + 0.9 * reports + 0.8 * suspected + 0.5 * managed
    kinds = {name: DTYPES[pack.features[f"person.{name}"].type] for name in (
        "asb_subject_days", "asb_subject_365d", "da_suspect_365d", "mappa", "fire_subject_days")}
    columns = (random.integers(12, 80, rows), reports, suspected, managed, [None] * rows)
    ids = np.tile([f"P{number:06d}" for number in range(people)], len(DATES))
    as_of = np.repeat(pd.to_datetime(DATES), people)
    table = pd.DataFrame({
        "subject": ids, "as_of": as_of.astype("datetime64[s]"),
        **{name: pd.Series(values).astype(kind) for (name, kind), values in zip(kinds.items(), columns, strict=True)},
        "label": pd.array(random.random(rows) < 1 / (1 + np.exp(-odds)), dtype="boolean").astype("Int64"),
        "treated": pd.array([False] * rows, dtype="boolean")})
    fires = [pd.array(reports >= 4, dtype="boolean"), pd.array(suspected >= 2, dtype="boolean"), [False] * rows]
    rules = pd.DataFrame(dict(zip(RULES, fires, strict=True))).astype("boolean")
    newest = {pack.features[f"person.{name}"].table: "2024-01-01" for name in kinds}
    log = pd.DataFrame([{"as_of": day, "newest": newest, "treated": 0, "history_days": 400} for day in DATES])
    return Training(read_outcomes(pack).find(HARM), tuple(kinds), table, pd.Series(ids), pd.Series(1.0, range(rows)),
                    rules, {}, log)


@pytest.fixture(scope="session")
def training(shipped: Pack) -> Training:
    return make_training(shipped)


@pytest.fixture(scope="session")
def fit(shipped: Pack) -> Callable[..., Fitted]:
    return lambda table, **given: fit_training(shipped, table, capacity=15, name="person_harm_v1", seed=1, **given)


@pytest.fixture(scope="session")
def fitted(fit: Callable[..., Fitted], training: Training) -> Fitted:
    return fit(training, note="made by hand")


# --- what is left behind --------------------------------------------------------------------------


def test_the_card_reads_back_and_could_be_used_in_a_run(fitted: Fitted, shipped: Pack, tmp_path: Path) -> None:
    sheet, report = fitted.keep(tmp_path / "cards", "person_harm_v1")
    card = read_card(sheet)

    assert (card.name, card.subject, card.axis, card.status) == ("person_harm_v1", "person", "harm", "trial")
    assert check_card(card, shipped) == []
    assert card.applies == fitted.learn.outcome.cohort      # it is asked about those it was learned from: age >= 10
    assert {factor.fact for factor in card.factors} >= {"asb_subject_365d", "da_suspect_365d"}
    assert report.read_text(encoding="utf-8") == fitted.report


def test_the_licence_is_what_the_history_allows(fitted: Fitted, tmp_path: Path) -> None:
    card = read_card(fitted.keep(tmp_path, "card")[0])
    rows, events = len(fitted.learn.rows), int(fitted.learn.rows["label"].sum())
    assert card.licence == fitted.assessment.licence.level == licence_for(rows, events)
    assert (rows, events) == (450 * 5, events)      # five of nine dates: three are tested, one is waited for


def test_the_page_says_what_was_done_and_looked_for(fitted: Fitted) -> None:
    page = fitted.report
    assert "The test has 3 dates: 15 places at each" in page
    assert "### Which route puts names there" in page
    assert "serial-domestic-abuse-suspect" in page and "hate-victim" not in page      # a rule on harm suffered
    assert "Censored: whoever was helped before the outcome was seen is not learned from." in page
    assert "Learned without its newest date, its list and this one are alike by" in page
    assert "An input that says who recorded the event: none" in page
    assert "made by hand" in page


def test_the_same_seed_gives_the_same_bytes(fit: Callable[..., Fitted], fitted: Fitted, training: Training) -> None:
    again = fit(training, note="made by hand")
    assert (again.sheet, again.report) == (fitted.sheet, fitted.report)


def test_an_oracle_stands_beside_the_card(shipped: Pack) -> None:
    training = make_training(shipped, people=120)
    chances = {(who, day.date()): 0.1 + 0.8 * label for who, day, label in
               training.rows[["subject", "as_of", "label"]].itertuples(index=False)}
    found = fit_training(shipped, training, 15, "person_harm_v1", seed=1, oracle=chances)
    assert "| oracle | 1.000 (" in found.report

    with pytest.raises(RunError, match="oracle: none of the 360 rows tested"):
        fit_training(shipped, training, 15, "person_harm_v1", seed=1, oracle={"nobody": 0.5})


# --- what is refused ------------------------------------------------------------------------------


def test_every_leak_is_refused_at_once_and_said_in_words(fit: Callable[..., Fitted], training: Training) -> None:
    rows = training.rows.assign(
        fire_subject_days=training.rows["label"] * 3,
        mappa=pd.array(np.resize(["police", "housing", "health"], len(training.rows)), dtype="string"))
    late = training.log.assign(newest=[{**told, "involvements": str(day)} for told, day in
                                       zip(training.log["newest"], training.log["as_of"], strict=True)])
    with pytest.raises(LeakError) as refused:
        fit(replace(training, rows=rows, log=late))

    said = {problem.where: problem.found for problem in refused.value.problems}
    assert said["mappa"] == "3 of its 3 levels are declared recorders"
    assert said["asb_subject_365d"] == "known on the as-of date or later in 4,050 of 4,050 rows"
    assert "fire_subject_days" in {problem.where for problem in refused.value.problems if "AUC 1.000" in problem.found}


def test_too_little_history_is_told(shipped: Pack, tmp_path: Path) -> None:
    town = Town()
    town.police(person("Once"), "alleged_subject", -30)
    lake = Lake(tmp_path / "home", shipped.contracts)
    town.take_in(lake, tmp_path / "files")
    outcomes = read_outcomes(shipped)
    with pytest.raises(RunError) as refused:
        choose_dates(Past(lake, shipped, outcomes), outcomes.find(HARM), every=6)
    (problem,) = refused.value.problems
    assert (problem.found, problem.allowed) == ("1 dates to learn from and to test on", "4 or more")


def test_an_outcome_of_another_subject_is_told_so(shipped: Pack, tmp_path: Path) -> None:
    with pytest.raises(RunError) as refused:
        fit_and_keep(Lake(tmp_path / "home", shipped.contracts), shipped, "place", HARM, tmp_path, capacity=None,
                     every=1, seed=1, note="", say=lambda _: None)
    (problem,) = refused.value.problems
    assert (problem.where, problem.allowed) == (f"--outcome {HARM}", "further_incidents_90d")


# --- all of it ------------------------------------------------------------------------------------


@pytest.mark.more
@pytest.mark.parametrize(("subject", "outcome", "called"), [
    ("person", HARM, "person_harm_v1"), ("person", "further_victim_90d", "person_vulnerability_v1"),
    ("place", "further_incidents_90d", "place_v1")])
def test_a_borough_of_20_000_gives_a_card_that_ranks(
    large: Path, shipped: Pack, tmp_path: Path, subject: Subject, outcome: str, called: str
) -> None:
    said: list[str] = []
    sheet, report, page = fit_and_keep(
        Lake(large, shipped.contracts), shipped, subject, outcome, tmp_path, capacity=None, every=3, seed=1,
        note="An invented borough.", say=said.append)

    card = read_card(sheet)
    assert (sheet.name, report.read_text(encoding="utf-8")) == (f"{called}.yaml", page)
    assert check_card(card, shipped) == []
    assert card.licence != "silent"                         # shown to rank better than chance
    assert said[-1] == "writing the report"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, shipped: Pack) -> Path:
    """The home of an invented borough of 20,000, taken in."""
    root = tmp_path_factory.mktemp("large")
    invent(root / "borough", 20_000, 36, 1, date(2026, 11, 23))
    lake = Lake(root / "home", shipped.contracts)
    assert take_in(lake, read_manifest(root / "borough" / "extracts"), lambda *_: None, []).problems == ()
    return root / "home"
