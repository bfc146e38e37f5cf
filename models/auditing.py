"""A card or the rules, a past date and a separate equality table -> how the list of that date treats groups.

    latest date whose outcome is told -> list as it would have been -> what became of everybody -> audit -> page

The equality table is read for this one question. It is never beside anything a rule or a card reads, and nothing of it
is kept: what history is kept on the way is the same without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from engine.admission import check_cards
from engine.card import Card
from engine.errors import Problem
from engine.known import Say
from engine.lake import Lake
from engine.pack import Pack
from engine.registry import empty_registry
from engine.runs import Runs
from engine.schema import Subject
from models.equality import FairnessError, check_apart
from models.equality_files import HAPPENED, SUBJECT, name_people, read_equality, read_truth, rename
from models.fairness import Audit, Cases, audit
from models.findings import write_audit
from models.history import Training, build_history
from models.listed import Listed, list_by_card, list_by_rules
from models.outcomes import Outcome, Outcomes, read_outcomes
from models.snapshots import Facts, Past
from models.suppression import LEAST

PLACES = 20     # where the policy names no capacity: one long meeting


@dataclass(frozen=True)
class Judged:
    """The list of a date and what became of everybody on it; `names`: what an audit's files may call each subject."""

    outcome: Outcome
    as_of: date
    cases: Cases
    untold: int
    places: int
    inputs: frozenset[str]
    names: dict[str, str]
    learned_until: date | None


def audit_list(
    lake: Lake, pack: Pack, card: Card | None, equality: Path, *, outcome: str | None = None,
    capacity: int | None = None, truth: Path | None = None, say: Say = lambda _: None,
) -> str:
    """What `wardwise fair` does: the page on one list.

    card        a card, or None for the list of the rules
    equality    CSV: `subject`, then a column for each characteristic
    truth       CSV: `subject`, `happened`: an outcome that nobody's reporting decides

    Raises FairnessError; RuleError for an unknown outcome or a card unfit for the pack; RunError without history.
    """
    if card is not None:
        check_cards([card], pack)
    table = read_equality(equality)
    told = read_truth(truth) if truth is not None else None
    outcomes = read_outcomes(pack)
    wanted = choose_outcome(card, outcome, outcomes)
    check_apart(table, name_inputs(pack, card))         # before anything is read that takes minutes
    judged = judge_list(Past(lake, pack, outcomes, say=say), card, wanted, capacity)
    say("comparing groups")
    made = compare_groups(judged, table, told)
    return write_audit(made, describe(judged, "rules" if card is None else card.name))


def judge_list(past: Past, card: Card | None, outcome: Outcome, capacity: int | None = None) -> Judged:
    """The list of the latest date whose outcome is told, by a card or (None) by the rules."""
    if past.until == date.min:
        raise FairnessError(Problem(str(past.lake.home), "no extracts", "a home with history",
                                    "`wardwise ingest` takes extracts in"))
    as_of = past.until - timedelta(days=outcome.horizon + outcome.settle)
    training = build_history(past, outcome, [as_of])
    facts = past.read_facts(as_of, empty_registry())        # those the history was just made from
    listed = list_by_card(card, past.pack, facts) if card is not None else list_by_rules(
        past.pack, facts, outcome.subject, outcome.axis)
    places = capacity or past.pack.policy.capacity.get(_LISTS[outcome.subject]) or PLACES
    cases, untold = _take_cases(training, listed, places)
    return Judged(outcome, as_of, cases, untold, places, name_inputs(past.pack, card),
                  name_subjects(past, facts, outcome.subject), _learned_until(card))


def compare_groups(judged: Judged, equality: pd.DataFrame, truth: pd.DataFrame | None = None) -> Audit:
    """The audit of a list. With a truth, of those it was asked of."""
    cases = judged.cases
    table = rename(equality, judged.names)
    if truth is not None:
        cases = _add_truth(cases, rename(truth, judged.names))
    if not set(table[SUBJECT]) & set(cases.subjects):
        raise FairnessError(Problem("equality", "nobody who could have been on this list",
                                    "ids as `wardwise list` shows them, or an agency's own such as `housing:A1234`",
                                    "`wardwise person ID` shows both"))
    return audit(cases, table, inputs=judged.inputs)


def choose_outcome(card: Card | None, outcome: str | None, outcomes: Outcomes) -> Outcome:
    """What the list is judged by: the outcome named, or the one the card was learned for."""
    name = outcome or (card.outcome if card is not None else None)
    if name is None:
        raise FairnessError(Problem("--outcome", "not said by what the list is judged", ", ".join(
            sorted(outcomes.named)), "name one"))
    wanted = outcomes.find(name)
    if card is not None and card.subject != wanted.subject:
        raise FairnessError(Problem("--outcome", f"{name} is about a {wanted.subject}",
                                    f"one about a {card.subject}, as `{card.name}` is"))
    return wanted


def name_inputs(pack: Pack, card: Card | None) -> frozenset[str]:
    """The name of every fact that a rule or the card could read, and what each was declared as."""
    names = {name for feature in pack.features.values() for name in (feature.name, feature.declared)}
    return frozenset(names | set(card.reads if card is not None else ()))


def name_subjects(past: Past, facts: Facts, subject: Subject) -> dict[str, str]:
    """What files may call a subject -> what it is called at the date. Places and offers have one name."""
    if subject != "person":
        return {name: name for name in facts.read(subject)["subject"].astype(str)}
    runs = Runs(past.lake.home)
    last = runs.latest()
    kept = pd.read_parquet(runs.folder / last / "registry.parquet") if last is not None else None
    return name_people(facts.registry, kept)


def describe(judged: Judged, name: str) -> list[str]:
    """Which list it is and how it came about, in sentences."""
    said = [f"The list of `{name}` on {judged.as_of}, the latest day of which it is told what followed. "
            f"Judged by: {judged.outcome.title[0].lower()}{judged.outcome.title[1:]}. Places: {judged.places}."]
    if judged.untold:
        count = f"{judged.untold:,}" if judged.untold >= LEAST else f"Fewer than {LEAST}"
        said.append(f"{count} were left out because what followed is not known, mostly because help began first.")
    learned = judged.learned_until
    if learned is not None and learned + timedelta(days=judged.outcome.horizon) > judged.as_of:
        said.append("The card was learned from these very days: it looks better here than it will in use.")
    return said


# --- inside -------------------------------------------------------------------------------------

_LISTS: dict[Subject, str] = {"person": "people", "place": "places", "allocation": "allocations"}


def _take_cases(training: Training, listed: Listed, places: int) -> tuple[Cases, int]:
    """Everybody of the cohort whom the list could hold competes for its places; who has an answer is a case."""
    rows = training.rows.set_index("subject")
    if listed.probabilities is not None:
        rows = rows.loc[rows.index.intersection(listed.points.index, sort=False)]
    selected = listed.choose(rows.index, places)
    known = rows["label"].notna().to_numpy()
    if not known.any():
        raise FairnessError(Problem(training.outcome.name, "nobody of whom it is known what followed", "a longer past"))
    subjects = rows.index[known]
    chance = None if listed.probabilities is None else listed.probabilities.loc[subjects].to_numpy(float)
    return Cases(subjects.astype(str).to_numpy(object), rows["label"][known].to_numpy(int), selected[known], chance,
                 listed.points.loc[subjects].reset_index(drop=True)), int((~known).sum())


def _add_truth(cases: Cases, truth: pd.DataFrame) -> Cases:
    asked = truth.set_index(SUBJECT)[HAPPENED].reindex(cases.subjects)
    known = asked.notna().to_numpy()
    if not known.any():
        raise FairnessError(Problem("truth", "nobody who could have been on this list", "the people it was asked of"))
    return Cases(cases.subjects[known], cases.labels[known], cases.selected[known],
                 None if cases.probabilities is None else cases.probabilities[known],
                 None if cases.points is None else cases.points[known].reset_index(drop=True),
                 asked[known].to_numpy(int))


def _learned_until(card: Card | None) -> date | None:
    until = None if card is None else card.fitted.get("to")
    return until if isinstance(until, date) else None
