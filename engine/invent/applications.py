"""People without a settled home -> approaches, register, needs and support, proposed lets."""

from __future__ import annotations

import numpy as np

from engine.invent.arrays import NONE, Column, Generator, Whole, choose, draw_delay, pick
from engine.invent.extracts import Extracts
from engine.invent.housing import draw_tenants
from engine.invent.lets import draw_particulars
from engine.invent.setting import Setting

APPROACHES_A_MONTH = 60         # in a borough of 103,600
LIVE_APPLICATIONS = 1_650
OPEN_PROPOSALS = 120
CORE_REASONS = {"9": 0.24, "50": 0.17, "8": 0.1, "48": 0.08, "12": 0.07, "13": 0.06, "54": 0.06,
                "11": 0.04, "52": 0.04, "51": 0.015, "45": 0.025, "46": 0.015, "55": 0.015,
                "56": 0.01, "57": 0.005, "31": 0.005, "20": 0.1}
# Needs of households owed a duty; the national table's order of size.
NEEDS = {"MH": 0.26, "PH": 0.17, "DA": 0.11, "DRUG": 0.07, "ALC": 0.06, "REPEAT": 0.07,
         "OFF": 0.08, "ROUGH": 0.06, "ETE": 0.04, "LD": 0.05, "BUDGET": 0.07, "ABUSE": 0.03,
         "YPARENT": 0.02, "SEXAB": 0.02, "AUT": 0.03, "HMF": 0.012, "ASYL": 0.015, "MSLAV": 0.004}
SERVICES = {"support_package": 0.24, "drug": 0.16, "alcohol": 0.11, "mental_health": 0.2,
            "employment": 0.09, "education": 0.05, "mentor": 0.04, "youth_activity": 0.05,
            "dom_abuse_support": 0.06}


def write_applications(setting: Setting, extracts: Extracts, empty: Whole,
                       rng: Generator) -> None:
    """Homelessness, register, needs, engagements and the proposals open on the last day."""
    homeless = _write_approaches(setting, extracts, rng)
    applicants, numbers = _write_register(setting, extracts, homeless, rng)
    _write_needs(setting, extracts, homeless, applicants, rng)
    _write_engagements(setting, extracts, homeless, rng)
    _write_proposals(setting, extracts, numbers, empty, rng)


def _write_approaches(setting: Setting, extracts: Extracts, rng: Generator) -> Whole:
    count = rng.poisson(APPROACHES_A_MONTH * setting.scale * setting.months)
    person = draw_tenants(setting, count, rng)
    # One in eight has been before.
    earlier = rng.integers(0, max(count, 1), count)
    person = np.where(rng.random(count) < 0.12, person[earlier], person) if count else person
    approached = setting.draw_days(count, rng)
    ended = approached + 20 + draw_delay(rng, 75, count, 0.7).astype(np.int64)
    still = ended >= setting.until
    stage = np.where(still, choose(rng, {"prevention": 0.4, "relief": 0.36, "main": 0.24}, count),
                     "closed")
    planned = rng.random(count) < 0.86
    extracts.add("homelessness_cases", {
        "case_ref": extracts.number("approach", count), "approached": approached,
        "closed": np.where(still, NONE, ended), "stage": stage,
        "php_done": np.where(planned & (approached + 14 < setting.until),
                             approached + rng.integers(1, 14, count), NONE),
        "reason": choose(rng, CORE_REASONS, count),
        "recorded": np.minimum(approached + rng.integers(0, 3, count), setting.until - 1)},
        {"person": person})
    return person


def _write_register(setting: Setting, extracts: Extracts, homeless: Whole,
                    rng: Generator) -> tuple[Whole, Whole]:
    live = round(LIVE_APPLICATIONS * setting.scale)
    old = round(live * setting.months / 24)
    count = live + old
    fresh = draw_tenants(setting, count, rng)
    # A fifth of applicants came through the homelessness door.
    recent = homeless[rng.integers(0, len(homeless), count)] if len(homeless) else fresh
    person = np.where(rng.random(count) < 0.2, recent, fresh)
    is_live = np.arange(count) < live
    registered = np.where(is_live, setting.until - rng.integers(5, 720, count),
                          setting.draw_days(count, rng))
    expires = np.where(is_live, NONE, np.minimum(registered + rng.integers(60, 700, count),
                                                 setting.until - 3))
    expires = np.where((expires != NONE) & (expires < registered), registered, expires)
    assessed = rng.random(count) < 0.6
    package = assessed & (rng.random(count) < 0.12)
    number = extracts.number("application", count)
    reasons = choose(rng, CORE_REASONS, count).astype(np.int64)
    extracts.add("housing_register", {
        "application_ref": number, "household_ref": setting.people.household[person],
        "registered": registered, "expires": expires,
        "band": choose(rng, {"A": 0.05, "B_plus": 0.12, "B": 0.26, "C": 0.3, "D": 0.27}, count),
        "status": np.where(is_live, choose(rng, {"live": 0.93, "suspended": 0.07}, count),
                           "closed"),
        "reason": reasons, "wheelchair": (rng.random(count) < 0.03).astype(np.int64),
        "needs_assessed": np.where(assessed, np.minimum(
            registered + rng.integers(0, 300, count), setting.until - 2), NONE),
        "support_package_start": np.where(package, np.minimum(registered + 40, setting.until - 2),
                                          NONE),
        "support_package_end": np.full(count, NONE),
        "noise_trigger": np.where(assessed, rng.random(count) < 0.06, NONE),
        "recorded": np.minimum(registered + 1, setting.until - 1)}, {"person": person})
    ready = np.flatnonzero(is_live)
    return person[ready], number[ready]


def _write_needs(setting: Setting, extracts: Extracts, homeless: Whole, applicants: Whole,
                 rng: Generator) -> None:
    """Needs noted by Housing Options, by the landlord and by partners; some people have several."""
    tenants = draw_tenants(setting, round(2_600 * setting.scale), rng)
    known = np.unique(np.concatenate([homeless, tenants,
                                      applicants[rng.random(len(applicants)) < 0.4]]))
    lift = np.clip(0.7 + 0.5 * setting.people.frailty[known], 0.1, 3.5)
    each = 1 + rng.poisson(lift * 0.8)
    person = np.repeat(known, each)
    code: Column = choose(rng, NEEDS, len(person))
    age = setting.ages(person, np.full(len(person), setting.until))
    code = np.where((age > 72) & (rng.random(len(person)) < 0.4), "OLD", code)
    young = (age >= 18) & (age < 25) & (rng.random(len(person)) < 0.35)
    code = np.where(young, choose(rng, {"YP1825": 0.7, "CL1820": 0.2, "CL21": 0.1}, len(person)),
                    code)
    code = np.where((age >= 16) & (age < 18), "YP1617", code)
    keys = np.unique(np.stack([person, np.unique(code.astype(str), return_inverse=True)[1]]),
                     axis=1, return_index=True)[1]
    keep = np.sort(keys[age[keys] >= 16])
    noted = setting.draw_days(len(keep), rng)
    extracts.add("support_needs", {
        "need_ref": extracts.number("need", len(keep)), "code": code[keep],
        "status": choose(rng, {"current": 0.72, "historic": 0.18, "met": 0.1}, len(keep)),
        "noted": noted, "recorded": np.minimum(noted + rng.integers(0, 6, len(keep)),
                                               setting.until - 1),
        "source": choose(rng, {"Housing Options assessment": 0.5, "Tenancy visit": 0.25,
                               "Partner referral": 0.15, "Self-report": 0.1}, len(keep))},
        {"person": person[keep]})


def _write_engagements(setting: Setting, extracts: Extracts, homeless: Whole,
                       rng: Generator) -> None:
    count = rng.poisson(700 * setting.scale * setting.months / 12)
    person = draw_tenants(setting, count, rng)
    if len(homeless):
        person = np.where(rng.random(count) < 0.3, homeless[rng.integers(0, len(homeless), count)],
                          person)
    started = setting.draw_days(count, rng)
    ended = started + 30 + draw_delay(rng, 130, count, 0.8).astype(np.int64)
    still = ended >= setting.until
    contact = np.where(still, setting.until - 1 - draw_delay(rng, 16, count, 0.9).astype(np.int64),
                       ended - 3)
    extracts.add("engagements", {
        "engagement_ref": extracts.number("engagement", count),
        "service": choose(rng, SERVICES, count), "started": started,
        "last_contact": np.maximum(contact, started), "ended": np.where(still, NONE, ended),
        "provider": choose(rng, {"Moorside Recovery": 0.4, "Harbour Floating Support": 0.35,
                                 "Beck Street Trust": 0.25}, count),
        "relapsed": (rng.random(count) < 0.12).astype(np.int64),
        "recorded": np.minimum(started + rng.integers(0, 10, count), setting.until - 1)},
        {"person": person})


def _write_proposals(setting: Setting, extracts: Extracts, application: Whole, empty: Whole,
                     rng: Generator) -> None:
    """About three applicants are matched to each home that is ready; past ones were decided for somebody else."""
    count = max(round(OPEN_PROPOSALS * setting.scale), 3)
    past = count * 2
    total = count + past
    homes = empty if len(empty) else np.array([0])
    ready = rng.permutation(homes)[:max(count // 3, 1)]
    home = ready[pick(rng, np.arange(1.0, len(ready) + 1), total)]
    chosen = application[rng.integers(0, len(application), total)]
    is_open = np.arange(total) < count
    proposed = np.where(is_open, setting.until - rng.integers(2, 25, total),
                        setting.until - rng.integers(40, 260, total))
    check = rng.random(total) < 0.12
    wrote = setting.stream("factors considered")    # of their own, so that nothing else in the borough moves
    extracts.add("proposed_allocations", {
        "proposal_ref": extracts.number("proposal", total), "application_ref": chosen,
        "uprn": setting.town.uprn[home], "proposed": proposed,
        "decided": np.where(is_open, NONE, proposed + rng.integers(3, 30, total)),
        "recorded": proposed, **draw_particulars(rng, wrote, total, check)})
