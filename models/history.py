"""The lake and some past dates -> one training table per outcome: what was known then, and what was told afterwards.

    lake -> facts of each date -> cohort -> what became of them -> help that came between -> rows with a label

Everything known strictly before a date stands in its row, and nothing else. A label is judged at the end of the
horizon on what was known by then. Each date's log says who is in, who was left out and why. A subject stands in a row
for every date it was in the cohort; `groups` holds one name for the same subject under all its ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.condition import Condition, names_in
from engine.errors import Problem, RunError
from engine.evaluate import Case, State, evaluate
from engine.feature import Feature
from engine.registry import empty_registry
from models.helped import weigh
from models.hindsight import is_archive
from models.outcomes import Outcome
from models.permitted import choose_inputs, reads_columns
from models.snapshots import Facts, Past, follow_people

DTYPES = {"integer": pd.Int64Dtype(), "decimal": pd.Float64Dtype(), "boolean": pd.BooleanDtype(),
          "code": pd.StringDtype("python")}

A_YEAR = 365
"""The window most counts look back over. Where records do not reach so far, the same person looks quieter."""


@dataclass(frozen=True)
class Training:
    """Rows to learn from: `subject`, `as_of`, the features, `label` (1, 0 or not known), `treated`.

    Beside each row: `groups` (the same subject under one name), `weights` where interventions are weighed, and
    `rules`, what every rule said of it then. `left_out`: features not learned from, each with why. `log`: a row a date;
    its `newest` has the day the newest record of each table was known.
    """

    outcome: Outcome
    features: tuple[str, ...]
    rows: pd.DataFrame
    groups: pd.Series
    weights: pd.Series
    rules: pd.DataFrame
    left_out: Mapping[str, str]
    log: pd.DataFrame

    def choose(self, which: npt.NDArray[np.bool_]) -> Training:
        """The rows for which `which` is true."""
        return replace(self, **{name: getattr(self, name)[which].reset_index(drop=True)
                                for name in ("rows", "groups", "weights", "rules")})

    @property
    def known(self) -> Training:
        """The rows whose label is known."""
        return self.choose(self.rows["label"].notna().to_numpy())

    def describe(self) -> list[str]:
        """What was learned from and what was done about help, in sentences for the report."""
        total = self.log.select_dtypes("number").sum()
        seen, unknown = int((self.rows["label"] == 1).sum()), int(self.rows["label"].isna().sum())
        parts = [f"{len(self.rows):,} rows at {self.log['as_of'].nunique()} dates; the outcome was seen in {seen:,} "
                 f"and is not known in {unknown:,}."]
        if self.outcome.interventions is not None:
            parts.append(f"Help began first in {int(total['treated']):,} rows: {_SAY[self.outcome.interventions.how]}.")
        short = int((self.log["history_days"] < A_YEAR).sum())
        if short:
            parts.append(f"At {short} of the dates the records reached back less than a year, so counts over a year "
                         "are lower there than they will be in use.")
        return parts


_SAY = {"censor": "their outcome is missing", "compete": "they count as not having had the outcome",
        "weight": "their outcome is missing, and those like them count for them"}


def build_history(past: Past, outcome: Outcome, dates: Sequence[date]) -> Training:
    """The training table of an outcome at some dates. Raises RunError for dates that cannot be judged yet."""
    dates = sorted(set(dates))
    check_dates(past, outcome, dates)
    features, left_out = choose_features(past, outcome, dates)
    registry, parts, every = empty_registry(), [], []
    for number, as_of in enumerate(dates, start=1):
        past.say(f"{outcome.name}: {as_of}, {number} of {len(dates)}")
        facts = past.read_facts(as_of, registry)
        registry = facts.registry
        every.append(facts)
        parts.append(_build_date(past, outcome, facts, features))
    rows = pd.concat([part.rows for part in parts], ignore_index=True)
    rules = pd.concat([part.rules for part in parts], ignore_index=True).astype("boolean")
    names = [_name_groups(part.rows, outcome, facts, registry) for part, facts in zip(parts, every, strict=True)]
    groups = pd.concat(names, ignore_index=True)
    log = pd.DataFrame([part.log for part in parts])
    training = Training(outcome, features, rows, groups, pd.Series(1.0, rows.index), rules, left_out, log)
    training = _keep_first(training) if outcome.once else training
    return _weigh(training)


def check_dates(past: Past, outcome: Outcome, dates: Sequence[date]) -> None:
    """Refuses dates whose outcome cannot be told yet. Raises RunError with every one."""
    until = past.until
    last = until - timedelta(days=outcome.horizon + outcome.settle)
    problems = [Problem(f"as of {as_of}", f"{outcome.name} is judged on {outcome.read_on(as_of)}, and the last file "
                        f"came on {until}", f"a date up to {last}", "choose an earlier date, or wait")
                for as_of in dates if outcome.read_on(as_of) > until]
    if not dates:
        problems.append(Problem(outcome.name, "no dates to learn from", "at least one past date"))
    if problems:
        raise RunError(problems)


def choose_features(past: Past, outcome: Outcome, dates: Sequence[date]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The features to learn from, and why not the others; of archives, none that may tell what came later."""
    permitted = choose_inputs(past.pack, outcome.subject, outcome.axis)
    undated = {table: frozenset(h.undated) for table, h in past.outcomes.hindsight.items()}
    names, left_out = [], dict(permitted.left_out)
    for name in permitted.names:
        feature = past.pack.features[f"{outcome.subject}.{name}"]
        read = reads_columns(past.pack, feature, undated)
        late = [feed for feed in feature.feeds if is_archive(past.lake, feed, min(dates))]
        if read and late:
            left_out[name] = f"{read} changes without a date, and the feed came as an archive"
        else:
            names.append(name)
    return tuple(names), left_out


def monthly(first: date, last: date, months: int = 1) -> list[date]:
    """The first of every month (or every few) from one date to another."""
    days = pd.date_range(first, last, freq=f"{months}MS")
    return [day.date() for day in days]


# --- one date ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    rows: pd.DataFrame
    rules: pd.DataFrame
    log: dict[str, object]


def _build_date(past: Past, outcome: Outcome, facts: Facts, features: Sequence[str]) -> _Part:
    table = facts.read(outcome.subject)
    stand = _judge(outcome.cohort, table) if outcome.cohort is not None else np.full(len(table), 1, np.int8)
    log: dict[str, object] = {
        "as_of": facts.as_of, "known_of": len(table), "not_of_cohort": int((stand == 0).sum()),
        "cannot_tell_cohort": int((stand < 0).sum()), "in": int((stand == 1).sum())}
    kept = table[stand == 1].reset_index(drop=True)
    later = past.read_later(facts, outcome).set_index("subject").reindex(kept["subject"]).reset_index()
    label, treated = judge_outcome(outcome, later)
    declared = {name: past.pack.features[f"{outcome.subject}.{name}"] for name in features}
    columns = {name: _cast(kept[name], feature) for name, feature in declared.items()}
    rows = pd.DataFrame({
        "subject": kept["subject"].astype(pd.StringDtype("python")),
        "as_of": pd.Series(pd.Timestamp(facts.as_of), kept.index, dtype="datetime64[s]"),
        **columns, "label": label, "treated": treated})
    rules = pd.DataFrame({c.removeprefix("rule:"): kept[c].astype("boolean") for c in kept if c.startswith("rule:")})
    log |= {"treated": int(treated.sum()), "seen": int((label == 1).sum()), "not_seen": int((label == 0).sum()),
            "not_known": int(label.isna().sum()), "late": ", ".join(facts.log["late"])}
    log["newest"] = facts.log["newest"]
    first = facts.log["first_report"]
    log["history_days"] = 0 if first is None else (facts.as_of - date.fromisoformat(str(first))).days
    return _Part(rows, rules, log)


def judge_outcome(outcome: Outcome, later: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The label (1, 0, not known) of each row, and whether help began within the horizon before it was seen.

    Help on the day the outcome was seen, or after, followed from it and changes nothing.
    """
    seen = _judge(outcome.when, later)
    if outcome.given is not None:
        seen = np.where(_judge(outcome.given, later) == 1, seen, -1)
    label = pd.Series(seen, later.index).astype("Int64").mask(seen < 0)
    treated = np.zeros(len(later), bool)
    helped = outcome.interventions
    if helped is not None:
        treated = _judge(helped.when, later) == 1
        if outcome.seen_on and helped.seen_on:
            began = later[list(helped.seen_on)].apply(pd.to_datetime).min(axis=1)
            happened = pd.to_datetime(later[outcome.seen_on])
            treated &= ~((seen == 1) & (happened <= began)).to_numpy()
        label = label.mask(treated, 0 if helped.how == "compete" else pd.NA)
    return label, pd.Series(treated, later.index, dtype="boolean")


def _judge(condition: Condition, table: pd.DataFrame) -> npt.NDArray[np.int8]:
    """1 where a condition is true of a row, 0 where it is false, -1 where it cannot tell; by its plain meaning."""
    names = [name for name in names_in(condition) if name in table]
    keys = table[names].astype(object)
    keys = keys.where(keys.notna(), None)
    known: dict[tuple[object, ...], State] = {}
    states = np.empty(len(table), np.int8)
    for number, values in enumerate(keys.itertuples(index=False, name=None)):
        if values not in known:
            known[values] = evaluate(condition, Case(dict(zip(names, values, strict=True)))).state
        state = known[values]
        states[number] = -1 if state is None else int(state)
    return states


def _cast(column: pd.Series, feature: Feature) -> pd.Series:
    cast: pd.Series = column.astype(DTYPES[feature.type])  # type: ignore[call-overload]
    return cast


# --- all dates --------------------------------------------------------------------------------------


def _name_groups(rows: pd.DataFrame, outcome: Outcome, facts: Facts, last: pd.DataFrame) -> pd.Series:
    """What each subject is called by the last date: one name for a person under several ids."""
    ids = follow_people(facts.registry, last).to_dict() if outcome.subject == "person" else {}
    return pd.Series([ids.get(name, name) for name in rows["subject"]], rows.index, dtype=pd.StringDtype("python"))


def _keep_first(training: Training) -> Training:
    """Each subject at the first of its dates."""
    return training.choose(~training.groups.duplicated().to_numpy())


def _weigh(training: Training) -> Training:
    helped = training.outcome.interventions
    if helped is None or helped.how != "weight":
        return training
    return replace(training, weights=weigh(training.rows[list(training.features)], training.rows["treated"]))


# --- splits -----------------------------------------------------------------------------------------


def split_forward(training: Training, test_dates: Sequence[date], gap: int | None = None) -> tuple[Training, Training]:
    """Rows to learn from and rows to be tested on, as a card is used: learned before, used after.

    No outcome learned from may still be open when the first test begins: learning dates end `gap` days (the horizon,
    and the days waited) before it. The same subject may stand on both sides, as it does in use; `group_folds` keeps
    them apart. Raises RunError where one side would be empty, or the gap is shorter than the outcome.
    """
    outcome, days = training.outcome, training.rows["as_of"].dt.date
    needed = outcome.horizon + outcome.settle
    gap = needed if gap is None else gap
    problems = list(_find_unsplittable(set(days), test_dates, gap, needed))
    if problems:
        raise RunError(problems)
    until = min(test_dates) - timedelta(days=gap)
    return (training.choose((days <= until).to_numpy()), training.choose(days.isin(list(test_dates)).to_numpy()))


def _find_unsplittable(days: set[date], tests: Sequence[date], gap: int, needed: int) -> Iterator[Problem]:
    if gap < needed:
        yield Problem("gap", f"{gap} days", f"{needed} or more",
                      "an outcome learned from would reach into the days that are tested")
    if not tests or not set(tests) <= days:
        missing = ", ".join(str(day) for day in sorted(set(tests) - days)) or "none given"
        yield Problem("test dates", missing, ", ".join(map(str, sorted(days))))
    elif not any(day <= min(tests) - timedelta(days=gap) for day in days):
        yield Problem("test dates", f"no date lies {gap} days before {min(tests)}", "a later first test date",
                      "or add earlier dates to learn from")


def group_folds(training: Training, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """A fold for every row, the same for all rows of a subject; by the subject's name and the seed alone."""
    names = training.groups.astype(object).to_numpy()
    distinct = np.array(sorted(set(names)), object)
    order = np.random.default_rng(seed).permutation(len(distinct))
    fold = dict(zip(distinct[order], np.arange(len(distinct)) % folds, strict=True))
    return np.array([fold[name] for name in names], np.int64)
