"""What the council and the fire service were told: nuisance, feuds that go on, street care, fires.

A tenth of what happened is reported twice, to the police and to the council or by two households.
"""

from __future__ import annotations

import numpy as np

from engine.invent.arrays import (
    DAY,
    NONE,
    Column,
    Generator,
    Truth,
    Whole,
    choose,
    draw_delay,
    keep,
    pick,
    words,
)
from engine.invent.equality import draw_told
from engine.invent.extracts import Extracts
from engine.invent.incidents import CODES, ESTATE, KINDS, Events, Places, Suffered
from engine.invent.police import SEVERITY, STRANDS, draw_subjects
from engine.invent.setting import Setting

REPORTED_TWICE = 0.10
# A year in a borough of 103,600: quarrels that run on, and single reports.
QUARRELS, SINGLE_REPORTS = 130, 900
STREET_CARE = {"N01": 630, "E01": 1860, "E02": 260, "E03": 240, "E04": 150, "V02": 190,
               "LIGHT": 160}
FIRES = {"deliberate": 95, "accidental": 70, "false_alarm": 160}
_NUISANCE = {"N01": 30, "P02": 22, "R01": 10, "P01": 9, "D01": 9, "Y01": 6, "X01": 6, "E04": 4,
             "E03": 3, "C01": 2}
_COUNCIL_CODES = [c for c in CODES if KINDS[c].published == "Anti-social behaviour"] + [
    "X01", "E04", "E03"]
FIRE_SILENT_DAYS = 70           # the feed that goes quiet


def write_reports(setting: Setting, places: Places, events: Events, told: Truth, extracts: Extracts,
                  rng: Generator) -> Suffered:
    """Council reports and cases; gives back what happened that the police never hear of."""
    suffered = _write_quarrels(setting, extracts, rng).joined(_write_singles(setting, places, extracts, rng))
    asb = np.isin(events.category, [CODES.index(c) for c in _COUNCIL_CODES if c in CODES])
    # Twice the share, of the half that are ASB, is a tenth of everything the police recorded.
    twice = np.flatnonzero(asb & (rng.random(len(events)) < REPORTED_TWICE * 2))
    again = events.take(twice)
    caller = np.where(again.victim != NONE, again.victim,
                      setting.homes.draw_adults(again.dwelling, rng))
    minute = again.minute + rng.integers(-20, 21, len(twice))
    nobody = np.full(len(twice), NONE)
    what = Suffered(minute, words(CODES)[again.category], again.dwelling, again.victim, told[twice])
    write_nuisance(setting, extracts, rng, what, caller=caller, subject=nobody, case=nobody)
    return suffered


def write_nuisance(setting: Setting, extracts: Extracts, rng: Generator, what: Suffered, *, caller: Whole,
                   subject: Whole, case: Whole) -> None:
    """Council reports of what happened, with the council's delays and gaps."""
    minute, code, count = what.minute, what.code, len(what.minute)
    reported = minute + (draw_delay(rng, 0.8, count, 1.4) * DAY).astype(np.int64)
    recorded = reported // DAY + draw_delay(rng, 1.0, count, 0.8).astype(np.int64)
    kept = np.flatnonzero((recorded < setting.until) & (minute >= setting.start * DAY))
    anonymous = (rng.random(count) < 0.07) | (caller == NONE)
    caller = np.where(anonymous, NONE, caller)
    evidence = np.where(anonymous, 0, 1 + pick(rng, np.cumsum([0.55, 0.3, 0.12, 0.03]), count))
    subject = np.where((subject == caller) | (subject < 0), NONE, subject)
    hate = (code == "P03") | ((code == "P01") & (rng.random(count) < 0.06))
    columns: dict[str, Column] = {
        "case_ref": case, "occurred": minute, "reported": reported, "recorded": recorded,
        "category": code, "evidence": evidence, "anonymous": anonymous.astype(np.int64),
        "severity": np.array([SEVERITY.get(c, 2) for c in code.tolist()], dtype=np.int64),
        "hate_strand": keep(hate, choose(rng, STRANDS, count)),
        "reporter_ref": np.where(caller == NONE, NONE,
                                 setting.people.household[np.maximum(caller, 0)]),
        "channel": choose(rng, {"call": 0.55, "online": 0.36, "patrol": 0.04, "referral": 0.05},
                          count),
        "origin": np.full(count, "reported", object),
        "disputed": (rng.random(count) < 0.005).astype(np.int64),
        **setting.locate(what.dwelling, rng, no_uprn=0.06)}
    extracts.add("council_asb", {
        "report_ref": extracts.number("asb", len(kept)),
        **{name: values[kept] for name, values in columns.items()}},
        {"complainant": caller[kept], "subject": subject[kept]}, told=what.told[kept])


def _write_quarrels(setting: Setting, extracts: Extracts, rng: Generator) -> Suffered:
    """One household troubling another over weeks or months; most become a case."""
    count = rng.poisson(QUARRELS * setting.scale * setting.months / 12)
    adult = setting.ages(np.arange(setting.residents),
                         np.full(setting.residents, setting.until)) >= 18
    victim = pick(rng, np.cumsum(setting.people.victim[:setting.residents] * adult), count)
    home = setting.people.home[victim]
    street = setting.town.street[home]
    first, stop = setting.town.first_home[street], setting.town.first_home[street + 1]
    beside = np.clip(home + rng.choice([-2, -1, 1, 2], count), first, stop - 1)
    subject = setting.homes.draw_adults(beside, rng)
    reports = 1 + rng.negative_binomial(1.2, 0.3, count)
    begin = setting.draw_days(count, rng) * DAY
    row = np.repeat(np.arange(count), reports)
    gap = rng.exponential(rng.uniform(5, 35, count)[row])
    order = np.r_[0, np.cumsum(reports)[:-1]] if count else np.zeros(0, np.int64)
    running = np.cumsum(gap)
    minute = begin[row] + ((running - running[order][row]) * DAY).astype(np.int64)
    minute += rng.normal(0, 180, len(row)).astype(np.int64)
    code = choose(rng, _NUISANCE, count)[row]
    drift = rng.random(len(row)) < 0.25
    code = np.where(drift, choose(rng, _NUISANCE, len(row)), code)
    told = draw_told(setting, victim[row], "quarrels")
    heard = np.bincount(row, weights=told, minlength=count) > 0     # a case is opened once somebody is told
    has_case = rng.random(count) < 0.75
    number = np.full(count, NONE)
    number[has_case] = extracts.number("case", int(has_case.sum()))
    _write_cases(setting, extracts, rng, number[has_case], victim[has_case],
                 begin[has_case] // DAY, reports[has_case], heard[has_case])
    named = rng.random(len(row)) < 0.8
    # Now and then another household in the street reports the same trouble.
    second = setting.homes.draw_adults(
        np.clip(home[row] + rng.integers(-3, 4, len(row)), first[row], stop[row] - 1), rng)
    other = (rng.random(len(row)) < 0.15) & (second != NONE) & (second != subject[row])
    what = Suffered(minute, code, np.where(named, beside[row], home[row]), victim[row], told)
    write_nuisance(setting, extracts, rng, what, caller=np.where(other, second, victim[row]),
                   subject=np.where(named, subject[row], NONE), case=number[row])
    return what


def _write_cases(setting: Setting, extracts: Extracts, rng: Generator, number: Whole,
                 person: Whole, begin: Whole, reports: Whole, told: Truth) -> None:
    opened = begin + rng.integers(1, 20, len(number))
    seen = opened < setting.until - 1
    number, person, opened, reports = number[seen], person[seen], opened[seen], reports[seen]
    count = len(number)
    closed = opened + (draw_delay(rng, 80, count, 0.7)).astype(np.int64) + 8 * reports
    still = closed >= setting.until
    contact = np.where(still, setting.until - rng.integers(1, 26, count), closed - 2)
    signed = (rng.random(count) < 0.1) & (opened + 25 < np.where(still, setting.until, closed))
    extracts.add("council_cases", {
        "case_ref": number, "opened": opened, "recorded": opened,
        "closed": np.where(still, NONE, closed),
        "case_type": choose(rng, {"asb": 0.9, "hate": 0.06, "domestic_abuse": 0.04}, count),
        "ram_band": choose(rng, {"standard": 0.66, "medium": 0.24, "high": 0.05, "": 0.05}, count),
        "last_victim_contact": np.maximum(contact, opened),
        "review_due": np.where(still, setting.until + rng.integers(-6, 40, count), NONE),
        "plan_open": still.astype(np.int64),
        "agreement_signed": np.where(signed, opened + 20, NONE),
        "agreement_kept": np.where(signed, rng.integers(0, 2, count), NONE),
        "mediation_done": (rng.random(count) < 0.12).astype(np.int64)}, {"person": person}, told=told[seen])


def _write_singles(setting: Setting, places: Places, extracts: Extracts, rng: Generator) -> Suffered:
    count = rng.poisson(SINGLE_REPORTS * setting.scale * setting.months / 12)
    dwelling = pick(rng, places.weights[ESTATE], count)
    subject = np.where(rng.random(count) < 0.3, draw_subjects(setting, dwelling, 0.8, rng), NONE)
    minute = setting.draw_days(count, rng) * DAY + rng.integers(0, DAY, count)
    code, caller = choose(rng, _NUISANCE, count), setting.homes.draw_adults(dwelling, rng)
    what = Suffered(minute, code, dwelling, caller, draw_told(setting, caller, "single reports"))
    write_nuisance(setting, extracts, rng, what, caller=caller, subject=subject, case=np.full(count, NONE))
    return what


def write_street_care(setting: Setting, places: Places, extracts: Extracts,
                      rng: Generator) -> None:
    """Noise, fly-tips, needles, graffiti, gardens, abandoned cars and lights out."""
    counts = rng.poisson(np.array(list(STREET_CARE.values())) * setting.scale
                         * setting.months / 12)
    code = np.repeat(words(list(STREET_CARE)), counts)
    count = len(code)
    dwelling = pick(rng, places.weights[ESTATE], count)
    minute = setting.draw_days(count, rng) * DAY + rng.integers(6 * 60, DAY, count)
    reported = minute + (draw_delay(rng, 1.2, count, 1.2) * DAY).astype(np.int64)
    recorded = reported // DAY + draw_delay(rng, 1.5, count, 0.8).astype(np.int64)
    kept = np.flatnonzero(recorded < setting.until)
    caller = setting.homes.draw_adults(dwelling, rng)
    unnamed = (rng.random(count) < 0.35) | (caller == NONE)
    columns = {"occurred": minute, "reported": reported, "recorded": recorded, "category": code,
               "reporter_ref": np.where(unnamed, NONE,
                                        setting.people.household[np.maximum(caller, 0)]),
               "disputed": np.zeros(count, np.int64),
               **setting.locate(dwelling, rng, no_uprn=0.3)}
    extracts.add("env_health", {"report_ref": extracts.number("environment", len(kept)),
                                **{name: values[kept] for name, values in columns.items()}})


def write_fires(setting: Setting, places: Places, extracts: Extracts, rng: Generator) -> None:
    """Fires and safe-and-well visits; the incidents stop arriving some weeks before the end."""
    counts = rng.poisson(np.array(list(FIRES.values())) * setting.scale * setting.months / 12)
    kind = np.repeat(words(list(FIRES)), counts)
    dwelling = pick(rng, places.weights[ESTATE], len(kind))
    minute = setting.draw_days(len(kind), rng) * DAY + rng.integers(0, DAY, len(kind))
    recorded = minute // DAY + draw_delay(rng, 1.5, len(kind)).astype(np.int64)
    kept = np.flatnonzero(recorded < setting.until - FIRE_SILENT_DAYS)
    kind, dwelling, minute, recorded = kind[kept], dwelling[kept], minute[kept], recorded[kept]
    count = len(kept)
    occupant = setting.homes.draw_adults(dwelling, rng)
    started = (kind == "deliberate") & (rng.random(count) < 0.18)
    person = np.where(started, draw_subjects(setting, dwelling, 0.7, rng),
                      np.where(kind == "deliberate", NONE, occupant))
    extracts.add("fire_incidents", {
        "fire_ref": extracts.number("fire", count), "occurred": minute,
        "reported": minute + rng.integers(0, 15, count), "recorded": recorded, "kind": kind,
        "role": keep(person != NONE, np.where(started, "subject", "occupant").astype(object)),
        "evidence": np.where(person == NONE, NONE, rng.integers(1, 5, count)),
        **setting.locate(dwelling, rng, no_uprn=0.1, nowhere=0.04)}, {"person": person})
    visits = rng.poisson(900 * setting.scale * setting.months / 12)
    adults = setting.ages(np.arange(setting.residents),
                          np.full(setting.residents, setting.until)) >= 18
    tenant = pick(rng, np.cumsum(np.exp(setting.people.frailty[:setting.residents]) * adults),
                  visits)
    day = setting.draw_days(visits, rng)
    done = choose(rng, {"done": 0.86, "refused": 0.05, "no_access": 0.09}, visits)
    clutter = 1 + rng.binomial(8, 0.12, visits) + (rng.random(visits) < 0.012) * 4
    extracts.add("fire_visits", {
        "visit_ref": extracts.number("fire_visit", visits), "visited": day,
        "recorded": np.minimum(day + rng.integers(0, 5, visits), setting.until - 1),
        "uprn": setting.town.uprn[setting.people.home[tenant]], "outcome": done,
        "clutter": np.where(done == "done", np.minimum(clutter, 9), NONE),
        "fire_plan": np.where(done == "done", rng.random(visits) < 0.85, NONE)},
        {"person": tenant})
