"""An invented borough -> each kind of card beside what truly drives its outcome, counting, each rule and freer models;
and an audit of a list for a gap that was planted, and for gaps that were not.

    python -m tests.bench cards                     all of docs/cards.md
    python -m tests.bench cards borough --keep DIR  one section; what is made on the way stays in DIR for the next
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from api.intake import read_manifest, take_in
from api.setting import RULES, Setting
from engine.card import read_card
from engine.errors import WardwiseError
from engine.invent import invent
from engine.registry import empty_registry
from models.auditing import compare_groups, judge_list
from models.comparison import LEVEL
from models.equality_files import name_people
from models.fitting import choose_dates, fit_card
from models.intervals import Estimate, bound_share
from models.outcomes import Outcome, read_outcomes
from models.snapshots import Past
from tests.bench import card_page, public
from tests.cards.marked import (
    deal_equality,
    name_true_people,
    read_propensity,
    read_suffered,
    read_true_equality,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cards.md"
UNTIL = date(2026, 11, 23)
SECTIONS = ("public", "borough", "groups")
OUTCOMES = {"further_harm_90d": "offender", "further_victim_90d": "victim", "further_incidents_90d": "propensity",
            "tenancy_failed_365d": "chance"}
"""What each card foresees, and what truly drives it, as the invention writes it down."""
LETS, LETS_EVERY = (50_000, 120), 3
"""Residents and months of the borough for offers, and months between dates: an outcome that takes a year needs a year
between learning and testing, and 20,000 people let too few homes for a card to say anything."""
AUDITED = "further_victim_90d"
LONG_LIST = 0.02        # of the residents: the meeting's own list is too short to tell groups apart


@dataclass(frozen=True)
class Asked:
    """What was asked for on the command line."""

    keep: Path
    residents: int
    gap_residents: int
    months: int
    every: int
    nulls: int
    quick: bool


def main(words: list[str]) -> None:
    """Measures the sections asked for and writes them into the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench cards", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--keep", type=Path, help="where boroughs, their history and figures stay for the next time")
    parser.add_argument("--residents", type=int, default=20_000, help="of the borough cards are fitted on")
    parser.add_argument("--gap-residents", type=int, default=100_000, help="of the borough with a recording gap")
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--every", type=int, default=1, help="months between the dates learned from")
    parser.add_argument("--nulls", type=int, default=40, help="tables dealt by lot in each borough without a gap")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--quick", action="store_true", help="whether it works, not how well: name another --page")
    asked = parser.parse_args(words)
    unknown = set(asked.sections) - set(SECTIONS)
    if unknown or (asked.quick and asked.page == PAGE):
        parser.error(f"{', '.join(SECTIONS)}; and --quick measures nothing worth reading: name another --page")
    with tempfile.TemporaryDirectory() as scratch:
        keep = asked.keep or Path(scratch)
        keep.mkdir(parents=True, exist_ok=True)
        for section in asked.sections or SECTIONS:
            load = os.getloadavg()[0]
            found = MAKERS[section](Asked(keep, asked.residents, asked.gap_residents, asked.months, asked.every,
                                          asked.nulls, asked.quick))
            (keep / f"{section}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
            card_page.put(asked.page, section, found, load)
    print(asked.page.read_text(encoding="utf-8"))


# --- sections -------------------------------------------------------------------------------------


def measure_public(asked: Asked) -> dict[str, Any]:
    """Public tables, where everybody can check."""
    public.warm_up()
    return {"splits": 1 if asked.quick else public.SPLITS, "versions": list(public.name_versions()),
            "sets": public.compare_models(asked.quick)}


def measure_borough(asked: Asked) -> dict[str, Any]:
    """A card for every outcome, fitted as `wardwise fit` does."""
    made = make_borough(asked.keep, asked.residents, asked.months, seed=1, recorded=1.0)
    cards = {}
    for name in OUTCOMES:
        print(name, flush=True)
        outcome, like = made.past.outcomes.named[name], asked
        if outcome.subject == "allocation":
            made, like = make_borough(asked.keep, *LETS, seed=1, recorded=1.0), replace(asked, every=LETS_EVERY)
        kept = asked.keep / f"{name}.json"      # a fit takes many minutes: delete this file for another
        if not kept.exists():
            kept.write_text(json.dumps(_fit(made, outcome, like) | {"residents": made.residents}), encoding="utf-8")
        cards[name] = json.loads(kept.read_text(encoding="utf-8"))
    return {"residents": asked.residents, "months": asked.months, "every": asked.every, "seed": 1, "cards": cards}


def measure_groups(asked: Asked) -> dict[str, Any]:
    """A planted gap in recording, and tables dealt by lot where there is none."""
    sheet = asked.keep / f"{AUDITED}.yaml"
    card = read_card(sheet) if sheet.exists() else None
    gap = _audit(make_borough(asked.keep, asked.gap_residents, asked.months, seed=1, recorded=0.5), card, [])
    without = [_audit(make_borough(asked.keep, asked.residents, asked.months, seed, 1.0), card, range(asked.nulls))
               for seed in ((1,) if asked.quick else (1, 2, 3))]
    alarms, tables = sum(each["alarms"] for each in without), sum(each["tables"] for each in without)
    return {"list": "rules" if card is None else card.name, "share": LONG_LIST, "recorded": 0.5, "gap": gap,
            "without": without, "alarms": alarms, "tables": tables, "nominal": LEVEL,
            "rate": _write(bound_share(alarms, tables))}


MAKERS: dict[str, Callable[[Asked], dict[str, Any]]] = {
    "public": measure_public, "borough": measure_borough, "groups": measure_groups}


# --- boroughs -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """An invented borough and its history."""

    folder: Path
    residents: int
    past: Past


def make_borough(keep: Path, residents: int, months: int, seed: int, recorded: float) -> Made:
    """Invented and taken in, unless an earlier run left it."""
    folder = keep / f"{residents}-{months}-{seed}-{recorded:g}"
    setting = Setting(folder / "home", RULES)
    if not (folder / "taken-in").exists():
        print(f"inventing {folder.name}", flush=True)
        invent(folder, residents, months, seed, UNTIL, recorded=recorded)
        assert take_in(setting.lake, read_manifest(folder / "extracts"), lambda *_: None, []).problems == ()
        (folder / "taken-in").touch()
    return Made(folder, residents, Past(setting.lake, setting.pack, read_outcomes(setting.pack),
                                        say=lambda step: print(f"  {step}", flush=True)))


def read_oracle(made: Made, outcome: Outcome, dates: list[date]) -> dict[Any, float]:
    """What truly drives an outcome, by subject, for people by (subject, date), from 0 to 1.

    Only of offers is it a chance. A propensity p is given as p / (1 + p), which keeps its order and is no chance.
    """
    truth = made.folder / "truth"
    if outcome.subject == "allocation":
        lets = pd.read_parquet(truth / "lets.parquet")
        return dict(zip(lets["proposal"], lets["chance"], strict=True))
    if outcome.subject == "place":
        streets = pd.read_parquet(truth / "streets.parquet")
        driven = dict(zip(streets["usrn"].astype(str), streets["propensity"], strict=True))
        return {place: value / (1 + value) for place, value in _name_places(made, driven)}
    found: dict[Any, float] = {}
    people, registry = name_true_people(made.folder, made.past.lake, UNTIL), empty_registry()
    for day in dates:
        registry = made.past.read_facts(day, registry).registry
        driven = read_propensity(made.folder, name_people(registry, None), people, OUTCOMES[outcome.name])
        found |= {(name, day): value / (1 + value) for name, value in driven.items()}
    return found


def _name_places(made: Made, driven: dict[str, float]) -> Iterator[tuple[str, float]]:
    """Streets, and blocks by the street they stand in."""
    yield from ((f"street:{usrn}", value) for usrn, value in driven.items())
    homes = pd.read_csv(made.folder / "extracts" / "addresses.csv", dtype=str).dropna(subset=["block_ref"])
    for block, usrn in homes.drop_duplicates("block_ref")[["block_ref", "usrn"]].itertuples(index=False):
        if usrn in driven:
            yield f"block:{block}", driven[usrn]


# --- one card, one audit --------------------------------------------------------------------------


def _fit(made: Made, outcome: Outcome, asked: Asked) -> dict[str, Any]:
    """Figures of one card on the dates it was not learned from, or why there is no card."""
    places = made.past.pack.policy.capacity.get(
        {"person": "people", "place": "places", "allocation": "allocations"}[outcome.subject]) or 20
    began = time.perf_counter()
    try:
        dates = choose_dates(made.past, outcome, asked.every)
        fitted = fit_card(made.past, outcome, dates, places, outcome.name, 1, "invented borough, seed 1",
                          oracle=read_oracle(made, outcome, dates))
    except WardwiseError as error:
        return {"title": outcome.title, "why_not": "; ".join(problem.found for problem in error.problems)}
    (asked.keep / f"{outcome.name}.yaml").write_text(fitted.sheet, encoding="utf-8")
    (asked.keep / f"{outcome.name}.md").write_text(fitted.report, encoding="utf-8")
    found = fitted.assessment
    return {
        "title": outcome.title, "dates": len(dates), "places": places, "lists": found.lists,
        "trained_rows": found.trained_rows, "trained_events": found.trained_events, "rows": found.rows,
        "events": found.events, "licence": found.licence.level, "factors": len(fitted.card.factors_),
        "seconds": time.perf_counter() - began,
        "rivals": [{"name": each.name, "role": each.role, "why_not": each.why_not,
                    "auc": _write(each.quality.auc) if each.quality else None,
                    "brier": _write(each.quality.brier) if each.quality and not _is_order(each.role, outcome) else None,
                    "ece": each.quality.ece if each.quality and not _is_order(each.role, outcome) else None,
                    "precision": each.capacity.precision.expected if each.capacity else None}
                   for each in found.rivals],
        "rules": [{"rule": each.rule, "flagged": each.flagged, "precision": _write(each.precision),
                   "card": _write(each.card)} for each in found.rules]}


def _is_order(role: str, outcome: Outcome) -> bool:
    """Whether a ranking gives no chances: an oracle of propensities."""
    return role == "oracle" and OUTCOMES[outcome.name] != "chance"


def _audit(made: Made, card: Any, nulls: Any) -> dict[str, Any]:
    """The audit of a long list with the borough's own groups, and how many tables dealt by lot raise an alarm."""
    outcome = made.past.outcomes.named[AUDITED]
    judged = judge_list(made.past, card, outcome, round(LONG_LIST * made.residents))
    people = name_true_people(made.folder, made.past.lake, judged.as_of)
    suffered = read_suffered(made.folder, people, judged.as_of, judged.as_of + timedelta(days=outcome.horizon))
    found = compare_groups(judged, read_true_equality(made.folder, people, ("group",)), suffered)
    alarms = sum(any(compare_groups(judged, deal_equality(people, seed), suffered).select("shown to differ"))
                 for seed in nulls)
    return {"residents": made.residents, "as_of": str(judged.as_of), "cases": found.cases, "places": judged.places,
            "tests": found.tests, "alarms": alarms, "tables": len(nulls),
            "differ": [f"{group.name}: {each.measure}" for group, each in found.select("shown to differ")],
            "groups": {group.name: {each.measure: {"value": _write(each.value), "difference": _write(each.difference),
                                                   "verdict": each.verdict} for each in group.findings}
                       for group in found.groups}}


def _write(found: Estimate | None) -> list[float] | None:
    return None if found is None else [found.value, found.low, found.high]
