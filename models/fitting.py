"""An outcome and a lake -> a fitted card as YAML and a report that says whether it deserves to be used.

    past dates -> training table -> leaks refused -> earlier rows to learn, later rows to test -> card -> assessment

Tested the way it would be used: learned before, used after, with the days between left out. What is written is a
trial; only people make it live.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from engine.errors import Problem, RunError
from engine.feature import Feature
from engine.known import Say
from engine.lake import Lake
from engine.pack import Pack
from engine.schema import Subject
from models.assessment import About, Assessment, assess
from models.backtest import Oracle, gather_evidence, inputs_of, labels_of
from models.card import PointsCard
from models.checks import check_leaks
from models.history import Training, build_history, monthly, split_forward
from models.outcomes import FOLDER, Outcome, read_outcomes
from models.report import write_report
from models.snapshots import Past

LOOK_BACK = 365
"""Days of records before the first date learned from: most counts look back a year."""

TESTED = 1 / 3
"""The share of dates kept for the test, the latest ones."""

USUAL = 20
"""Places of a list where the policy sets no limit: allocations are all looked at, and a card must be judged on some."""

_RISING = {"incidents", "involvements"}

HANDLED = {"censor": "Censored: whoever was helped before the outcome was seen is not learned from.",
           "compete": "Competing: help that came before the outcome counts as the outcome not having happened.",
           "weight": "Weighted: whoever was helped is not learned from, and those like them count for them."}


@dataclass(frozen=True)
class Fitted:
    """A card, what it was fitted and tested on, and both pages as text."""

    card: PointsCard
    learn: Training
    test: Training
    assessment: Assessment
    sheet: str
    report: str

    def keep(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Writes both pages into a folder, as name.yaml and name.md, and gives their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        sheet, report = folder / f"{name}.yaml", folder / f"{name}.md"
        sheet.write_text(self.sheet, encoding="utf-8")
        report.write_text(self.report, encoding="utf-8")
        return sheet, report


def fit_card(
    past: Past, outcome: Outcome, dates: Sequence[date], capacity: int, name: str, seed: int, note: str = "",
    oracle: Oracle | None = None,
) -> Fitted:
    """Fits and tests a card for an outcome on some dates, with a list of `capacity` places at each date tested.

    oracle   where the world was invented, the true chance by subject, or by (subject, date)

    Raises LeakError for a table that tells its outcome, with everything found, and RunError for unusable dates.
    """
    return fit_training(past.pack, build_history(past, outcome, dates), capacity, name, seed, note, oracle, past.say)


def fit_training(
    pack: Pack, training: Training, capacity: int, name: str, seed: int, note: str = "",
    oracle: Oracle | None = None, say: Say = lambda _: None,
) -> Fitted:
    """`fit_card` from a training table that is there already."""
    dates = sorted(set(training.rows["as_of"].dt.date))
    tests = dates[-max(1, round(len(dates) * TESTED)):]
    learn, test = (side.known for side in split_forward(training, tests))
    learned = sorted(set(learn.rows["as_of"].dt.date))
    say("looking for leaks")
    checked = check_leaks(pack, training, learned, tests, seed)
    say("fitting the card")
    card = make_card(pack, training, seed)
    card.fit(inputs_of(learn), labels_of(learn), learn.weights.to_numpy(float))
    evidence = replace(gather_evidence(pack, card, learn, test, capacity, seed, oracle, say), review=checked.review)
    say("writing the report")
    outcome = training.outcome
    assessment = assess(evidence, _describe(outcome, training, name, note, checked.absent))
    sheet = card.to_yaml(
        card=name, title=outcome.title, subject=outcome.subject, axis=outcome.axis, outcome=outcome.name,
        status="trial", licence=assessment.licence.level, applies=_cohort_of(outcome),
        fitted={"from": learned[0], "to": learned[-1], "tested_to": tests[-1], "note": note})
    return Fitted(card, learn, test, assessment, sheet, write_report(assessment))


def make_card(pack: Pack, training: Training, seed: int) -> PointsCard:
    """The card before it has learned: what must never fall, and which features say the same and are asked once.

    More reports never lower the points, and time without one never raises them. A fact in several windows is one.
    """
    features = {name: pack.features[f"{training.outcome.subject}.{name}"] for name in training.features}
    monotone = {name: sign for name, feature in features.items() if (sign := _direction(feature))}
    return PointsCard(monotone=monotone, groups={name: feature.declared for name, feature in features.items()},
                      missing_never_rewarded=sorted(monotone), random_state=seed)


def choose_dates(past: Past, outcome: Outcome, every: int = 1) -> list[date]:
    """The first of every month (or every few) that has a year of records behind it and its outcome already told.

    Raises RunError where there are fewer than four.
    """
    last = past.until - timedelta(days=outcome.horizon + outcome.settle)
    firsts = [r.first_known for r in past.lake.ledger.read() if r.first_known is not None]
    begun = sorted(firsts)[len(firsts) // 2] if firsts else last
    dates = monthly(begun + timedelta(days=LOOK_BACK), last, every)
    if len(dates) < 4:
        raise RunError(Problem(str(past.lake.home), f"{len(dates)} dates to learn from and to test on", "4 or more",
                               "wait until there is more history, or name the dates"))
    return dates


def fit_and_keep(      # noqa: PLR0913  all that the command asks
    lake: Lake, pack: Pack, subject: Subject, outcome: str, folder: Path, *, capacity: int | None, every: int,
    seed: int, note: str, say: Say,
) -> tuple[Path, Path, str]:
    """What `wardwise fit` does: fits, writes card and report into a folder, and gives both paths and the report.

    Raises RunError where the outcome is not one of that kind of subject, or there is too little history.
    """
    outcomes = read_outcomes(pack)
    past = Past(lake, pack, outcomes, say=say)
    wanted = outcomes.find(outcome)
    if wanted.subject != subject:
        mine = ", ".join(each.name for each in outcomes.named.values() if each.subject == subject)
        raise RunError(Problem(f"--outcome {outcome}", f"is about a {wanted.subject}, not a {subject}", mine,
                               f"`wardwise fit {wanted.subject} --outcome {outcome}` learns it"))
    called = f"{wanted.subject}_v1" if wanted.axis == wanted.subject else f"{wanted.subject}_{wanted.axis}_v1"
    places = pack.policy.capacity.get({"person": "people", "place": "places"}.get(wanted.subject, "allocations"))
    fitted = fit_card(past, wanted, choose_dates(past, wanted, every), capacity or places or USUAL, called, seed, note)
    return *fitted.keep(folder, called), fitted.report


# --- inside -------------------------------------------------------------------------------------


def _direction(feature: Feature) -> int:
    if feature.table not in _RISING:
        return 0
    return {"count": 1, "distinct": 1, "sum": 1, "days_since": -1}.get(feature.measure.verb, 0)


def _describe(outcome: Outcome, training: Training, name: str, note: str, checked: Sequence[str]) -> About:
    helped = outcome.interventions
    return About(
        card=name, title=outcome.title, subject=outcome.subject, axis=outcome.axis, outcome=outcome.why,
        purpose="To put those in front of officers early who are likeliest to need agencies to act together.",
        not_for=("deciding anything about anybody", "refusing a home, a service or help",
                 "any use after the date by which it has to be reviewed"),
        data=" ".join([*training.describe(), note]).strip(),
        interventions=f"{HANDLED[helped.how]} {helped.why}" if helped else "None are logged for this outcome.",
        answers=outcome.decided_by, checked=tuple(checked))


def _cohort_of(outcome: Outcome) -> Any:
    """Who a card may be used on, as the outcome declares who it was learned from."""
    declared = yaml.safe_load((FOLDER / "outcomes.yaml").read_text(encoding="utf-8"))
    return declared["outcomes"][outcome.name].get("cohort")
