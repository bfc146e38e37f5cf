"""models/outcomes.yaml -> what cards learn to foresee, checked against the pack, every mistake with its file and line.

An outcome is a condition on facts measured at the end of its horizon. Facts the pack lacks are declared in
models/outcome_features/, in the layout of rules/features and measured by the same code. They are not in the pack, so no
rule can read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from engine.check import check_feature, check_named
from engine.condition import All, Any_, Compare, Condition, Exists, Known, Not, names_in, walk
from engine.condition import Outcome as RuleOutcome
from engine.declare import read_features
from engine.documents import Located
from engine.errors import Problem, RuleError
from engine.feature import Feature
from engine.forms import STRICT, Words, fill_form, read_when, read_whole
from engine.pack import Pack
from engine.rule import Axis
from engine.schema import REPORTED, Kind, Subject
from models.permitted import find_unlawful

How = Literal["censor", "compete", "weight"]
FOLDER = Path(__file__).parent
AXES_OF: dict[Subject, tuple[Axis, ...]] = {
    "person": ("harm", "vulnerability"), "place": ("place",), "allocation": ("process",)}


@dataclass(frozen=True)
class Intervention:
    """Help that began within the horizon: how it is recognised, since when, and what then becomes of the outcome."""

    when: Condition
    seen_on: tuple[str, ...]
    how: How
    why: str


@dataclass(frozen=True)
class Outcome:
    """One thing to foresee, as models/outcomes.yaml declares it."""

    name: str
    title: str
    subject: Subject
    axis: Axis
    horizon: int
    settle: int
    when: Condition
    seen_on: str | None
    cohort: Condition | None
    given: Condition | None
    once: bool
    discovered: bool
    interventions: Intervention | None
    why: str
    decided_by: str
    where_declared: str

    def ends(self, as_of: date) -> date:
        """The first day that no longer counts."""
        return as_of + timedelta(days=self.horizon)

    def read_on(self, as_of: date) -> date:
        """The day it is judged on: the end of the horizon, and the days waited for corrections."""
        return as_of + timedelta(days=self.horizon + self.settle)

    @property
    def asked(self) -> tuple[str, ...]:
        """Every fact measured at the end of the horizon, each once."""
        names = [*names_in(self.when), *([self.seen_on] if self.seen_on else [])]
        names += names_in(self.given) if self.given is not None else ()
        if self.interventions is not None:
            names += [*names_in(self.interventions.when), *self.interventions.seen_on]
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True)
class Hindsight:
    """What rows of an archive say too early: columns with the day that dates them, and columns nothing dates."""

    dated: Mapping[str, str]
    undated: tuple[str, ...]


@dataclass(frozen=True)
class Outcomes:
    """Everything declared about outcomes. `features` by "subject.name": those of the pack and those of our own."""

    named: Mapping[str, Outcome]
    features: Mapping[str, Feature]
    hindsight: Mapping[str, Hindsight]
    digest: str

    def find(self, name: str) -> Outcome:
        """The outcome of that name. Raises RuleError with those there are."""
        if name not in self.named:
            raise RuleError(Problem(name, "there is no such outcome", ", ".join(sorted(self.named))))
        return self.named[name]

    def measured(self, subject: Subject, like: Outcome) -> list[Feature]:
        """The facts of a kind of subject asked by every outcome that is judged on the same day as this one."""
        names = {name for other in self.named.values() for name in other.asked
                 if (other.subject, other.horizon, other.settle) == (subject, like.horizon, like.settle)}
        return [self.features[f"{subject}.{name}"] for name in sorted(names)]


class _InterventionForm(BaseModel):
    model_config = STRICT
    when: Any
    seen_on: Words = Field(default_factory=list)
    how: How
    why: str


class _OutcomeForm(BaseModel):
    model_config = STRICT
    title: str
    subject: Subject
    axis: Axis
    horizon: int = Field(ge=1, le=1095)
    settle: int = Field(default=0, ge=0, le=180)
    when: Any
    seen_on: str | None = None
    cohort: Any = None
    given: Any = None
    once: bool = False
    discovered: bool = False
    interventions: Any = None
    why: str
    decided_by: str


class _HindsightForm(BaseModel):
    model_config = STRICT
    dated: dict[str, str] = Field(default_factory=dict)
    undated: Words = Field(default_factory=list)


def read_outcomes(pack: Pack, folder: Path = FOLDER) -> Outcomes:
    """The outcomes in a folder: outcomes.yaml and outcome_features/. Raises RuleError with every problem found."""
    problems: list[Problem] = []
    path, paths = folder / "outcomes.yaml", sorted((folder / "outcome_features").glob("*.yaml"))
    own = read_features(paths, problems)
    document = read_whole(path, problems)
    features = {**own, **pack.features}
    problems += [Problem(own[key].where_declared, f"`{own[key].name}` is a feature of the pack already",
                         "a name of its own", f"see {pack.features[key].where_declared}")
                 for key in own.keys() & pack.features.keys()]
    tables = pack.tables
    for feature in own.values():
        problems += check_feature(feature, features, pack.contracts, tables)
    named = dict(_read_all(document, problems)) if document is not None else {}
    hindsight = dict(_read_hindsight(document, tables, problems)) if document is not None else {}
    for outcome in named.values():
        problems += _check(outcome, pack, features, tables)
    if problems:
        raise RuleError(sorted(set(problems)))
    digest = sha256(b"".join(p.name.encode() + b"\0" + p.read_bytes() + b"\0" for p in [path, *paths])).hexdigest()
    return Outcomes(named, features, hindsight, digest)


# --- reading --------------------------------------------------------------------------------------


def _read_all(document: Located, problems: list[Problem]) -> Iterator[tuple[str, Outcome]]:
    entries = document.get("outcomes")
    if not isinstance(entries, Located) or set(document) - {"outcomes", "hindsight"}:
        problems.append(Problem(document.where(), f"`{', '.join(document)}`", "outcomes:, and hindsight:",
                                "name each outcome under `outcomes`"))
        return
    for name, raw in entries.items():
        if not isinstance(raw, Located):
            problems.append(Problem(entries.where(name), f"`{name}` is not a mapping", "title, subject, when, ..."))
            continue
        outcome = _read_one(name, raw, entries.where(name), problems)
        if outcome is not None:
            yield name, outcome


def _read_one(name: str, raw: Located, at: str, problems: list[Problem]) -> Outcome | None:
    form = fill_form(_OutcomeForm, raw, problems)
    when = read_when(raw, "when", problems)
    cohort, given = (read_when(raw, key, problems) if raw.get(key) is not None else None for key in ("cohort", "given"))
    helped = raw.get("interventions")
    intervention = _read_intervention(raw, helped, problems) if helped is not None else None
    if form is None or when is None or (helped is not None and intervention is None):
        return None
    fields = form.model_dump(exclude={"when", "cohort", "given", "interventions"})
    return Outcome(name=name, when=when, cohort=cohort, given=given, interventions=intervention, where_declared=at,
                   **fields)


def _read_intervention(raw: Located, helped: object, problems: list[Problem]) -> Intervention | None:
    if not isinstance(helped, Located):
        problems.append(Problem(raw.where("interventions"), "`interventions` is not a mapping", "when, how, why"))
        return None
    form, when = fill_form(_InterventionForm, helped, problems), read_when(helped, "when", problems)
    return Intervention(when, tuple(form.seen_on), form.how, form.why) if form and when is not None else None


def _read_hindsight(
    document: Located, tables: Mapping[str, Mapping[str, Kind]], problems: list[Problem]
) -> Iterator[tuple[str, Hindsight]]:
    entries = document.get("hindsight", Located())
    for table, raw in entries.items():
        at = entries.where(table)
        form = fill_form(_HindsightForm, raw, problems) if isinstance(raw, Located) else None
        if form is None or table not in tables:
            problems.append(Problem(at, f"hindsight of `{table}`", "a table, with dated: {column: date column} and "
                                    "undated: [columns]"))
            continue
        named = {*form.dated, *form.dated.values(), *form.undated}
        problems += [Problem(at, f"{table} has no column `{column}`", ", ".join(sorted(tables[table])))
                     for column in sorted(named - tables[table].keys())]
        problems += [Problem(at, f"`{day}` of {table} is no date", "a column that holds days")
                     for day in form.dated.values() if tables[table].get(day, "date") != "date"]
        yield table, Hindsight(form.dated, tuple(form.undated))


# --- checking -------------------------------------------------------------------------------------


def _check(
    outcome: Outcome, pack: Pack, features: Mapping[str, Feature], tables: Mapping[str, Mapping[str, Kind]]
) -> Iterator[Problem]:
    at, whose = outcome.where_declared, f"the outcome `{outcome.name}`"
    known = {f.name: f for f in features.values() if f.subject == outcome.subject}
    if outcome.axis not in AXES_OF[outcome.subject]:
        yield Problem(at, f"axis {outcome.axis} of a {outcome.subject}", " or ".join(AXES_OF[outcome.subject]))
    later = [outcome.when, *([outcome.given] if outcome.given is not None else [])]
    later += [outcome.interventions.when] if outcome.interventions is not None else []
    for condition in (*later, *([outcome.cohort] if outcome.cohort is not None else [])):
        yield from check_named(condition, known, at, whose, tables, outcome.subject)
        yield from (Problem(at, f"`{'rule' if isinstance(node, RuleOutcome) else 'exists'}` in {whose}",
                            "clauses on facts of the subject") for node in walk(condition)
                    if isinstance(node, RuleOutcome | Exists))
    if outcome.cohort is not None:
        yield from (Problem(at, f"the cohort of {whose} asks `{name}`", "a fact of the pack, as known at the date")
                    for name in names_in(outcome.cohort) if name in known and f"{outcome.subject}.{name}" not in
                    pack.features)
    for name in outcome.asked:
        if name in known:
            yield from _check_asked(outcome, known[name], at)
        elif name not in {n for condition in later for n in names_in(condition)}:
            yield Problem(at, f"`seen_on` names `{name}`", "a fact that is declared")
    yield from find_unlawful(pack, outcome.axis, outcome.subject, outcome.when, features, at)


def _check_asked(outcome: Outcome, feature: Feature, at: str) -> Iterator[Problem]:
    """A fact measured at the end looks back no further than the date the outcome starts from."""
    name = f"`{feature.name}`"
    if feature.table is None or feature.statistic is not None:
        yield Problem(at, f"{name} is not counted from records", "a fact measured on a table")
    elif feature.window is None or feature.window > outcome.horizon:
        yield Problem(at, f"{name} looks back {feature.window or 'over everything'}",
                      f"a window of at most {outcome.horizon} days",
                      "or something from before the date would count as having happened after it")
    elif feature.measure.verb in ("change", "ratio") and 2 * feature.window > outcome.horizon:
        yield Problem(at, f"{name} compares with the window before", f"two windows within {outcome.horizon} days")
    sought = {outcome.seen_on, *(outcome.interventions.seen_on if outcome.interventions else ())}
    if feature.name in sought and feature.kind != "date":
        yield Problem(at, f"`seen_on` names {name}, a {feature.kind}", "a date: measure `min known`")
    said = feature.name in {*names_in(outcome.when), outcome.seen_on}
    if said and not outcome.discovered and feature.table in ("incidents", "involvements") \
            and not (feature.where is not None and _only_reported(feature.where)):
        yield Problem(at, f"{name} counts what officers discovered", f"origin in [{', '.join(REPORTED)}]",
                      "who is watched is seen more often; say `discovered: true` if it is meant")


def _only_reported(condition: Condition) -> bool:
    """Whether no row that meets the condition says it was discovered; a feed that tells no origin takes reports."""
    match condition:
        case Compare("origin", "in", values):
            return isinstance(values, tuple) and set(values) <= set(REPORTED)
        case Compare("origin", "==", value):
            return value in REPORTED
        case Not(Known("origin")):
            return True
        case All(parts):
            return any(map(_only_reported, parts))
        case Any_(parts):
            return all(map(_only_reported, parts))
    return False
