"""What social care, schools, courts, outreach and licensing hold about people and places."""

from __future__ import annotations

import numpy as np

from engine.invent.arrays import NONE, Generator, Whole, choose, draw_delay, pick, words
from engine.invent.extracts import Extracts
from engine.invent.geography import property_number
from engine.invent.housing import draw_tenants
from engine.invent.setting import Setting

# Open at any time in a borough of 103,600; ages say whom each can be about.
FLAGS = {"s42": (70, 18, 100), "s47": (28, 0, 17), "child_protection": (95, 0, 17),
         "child_in_need": (330, 0, 17), "early_help": (280, 0, 17), "looked_after": (150, 0, 17),
         "care_leaver": (110, 18, 25), "varm": (14, 18, 100), "marac": (22, 18, 80),
         "mappa_2": (6, 20, 75), "mappa_3": (1, 20, 70), "youth_justice": (26, 10, 17),
         "exploitation": (22, 11, 17), "nrm": (8, 13, 40), "safe_contact": (20, 18, 80),
         "staff_connected": (40, 18, 80)}
TERMS = ((12, 19), (4, 2), (7, 22))     # month and day a school term ends
ABSENCE_CONCERN = 0.22          # share of pupils a term with any absence concern
SCHOOL_AGE = (5, 16)


def write_care(setting: Setting, extracts: Extracts, rng: Generator) -> None:
    """Minimal social-care flags: that something is open, never what it says."""
    people, here = setting.people, np.arange(setting.residents)
    age = setting.ages(here, np.full(setting.residents, setting.until))
    for flag, (standing, youngest, oldest) in FLAGS.items():
        expected = standing * setting.scale * (1 + setting.months / 10)
        count = rng.poisson(expected)
        fits = (age >= youngest) & (age <= oldest + 0.99)
        base = people.offender if flag.startswith(("mappa", "youth")) else np.exp(people.frailty)
        person = pick(rng, np.cumsum(base[:setting.residents] * fits + 1e-12), count)
        opened = setting.draw_days(count, rng)
        closed = opened + draw_delay(rng, 200, count, 0.7).astype(np.int64)
        still = (closed >= setting.until) | (rng.random(count) < 0.03)
        extracts.add("social_care_flags", {
            "flag_ref": extracts.number("flag", count), "flag": np.full(count, flag, object),
            "level": (rng.integers(1, 4, count) if flag == "exploitation"
                      else np.full(count, NONE)),
            "opened": opened, "closed": np.where(still, NONE, closed),
            "lead_professional": (rng.random(count) < 0.8).astype(np.int64),
            "recorded": np.minimum(opened + rng.integers(0, 4, count), setting.until - 1)},
            {"person": person})


def write_schools(setting: Setting, extracts: Extracts, rng: Generator) -> None:
    """A line a term for every pupil with an absence concern, and for no other child."""
    here = np.arange(setting.residents)
    for end in _list_terms(setting):
        age = setting.ages(here, np.full(setting.residents, end))
        pupils = here[(age >= SCHOOL_AGE[0]) & (age < SCHOOL_AGE[1])]
        strain = setting.people.frailty[pupils] + 0.6 * rng.standard_normal(len(pupils))
        cut = np.quantile(strain, 1 - ABSENCE_CONCERN) if len(pupils) else 0.0
        person = pupils[strain > cut]
        count = len(person)
        absence = np.clip(rng.gamma(2.2, 6.5, count) + 3, 3, 100)
        extracts.add("school_summaries", {
            "summary_ref": extracts.number("summary", count), "term_end": np.full(count, end),
            "absence_pct": np.round(absence, 1),
            "suspensions": rng.poisson(np.clip(absence / 150, 0, 0.6)),
            "excluded": (rng.random(count) < 0.003).astype(np.int64),
            "sen_support": (rng.random(count) < 0.24).astype(np.int64),
            "young_carer": (rng.random(count) < 0.03).astype(np.int64),
            "off_site": (rng.random(count) < 0.02).astype(np.int64),
            "recorded": np.full(count, end + 12)}, {"person": person})


def _list_terms(setting: Setting) -> list[int]:
    first = int(np.datetime64(setting.start, "D").astype("datetime64[Y]").astype(int)) + 1970
    days = [int(np.datetime64(f"{year}-{month:02d}-{day:02d}").astype(int))
            for year in range(first, first + setting.months // 12 + 2) for month, day in TERMS]
    return [day for day in days if setting.start <= day and day + 12 < setting.until]


def write_restrictions(setting: Setting, extracts: Extracts, rng: Generator) -> None:
    """Court orders with their places, and people who must be kept apart."""
    people, town = setting.people, setting.town
    count = rng.poisson(75 * setting.scale)
    person = pick(rng, np.cumsum(people.offender[:setting.residents]), count)
    around = rng.integers(0, setting.residents, count)
    home = people.home[around]
    started = setting.draw_days(count, rng, setting.until - 500)
    extracts.add("orders", {
        "order_ref": extracts.number("order", count),
        "kind": choose(rng, {"non_molestation": 0.34, "restraining": 0.26, "cbo": 0.1,
                             "injunction": 0.12, "shpo": 0.06, "licence": 0.12}, count),
        "started": started, "ends": started + 730,
        "protected_persons": rng.integers(0, 3, count),
        "easting": town.easting[home], "northing": town.northing[home],
        "radius_m": rng.choice([50, 100, 200, 500], count).astype(np.int64),
        "recorded": np.minimum(started + 2, setting.until - 1)}, {"person": person})
    count = rng.poisson(150 * setting.scale)
    person = draw_tenants(setting, count, rng)
    other = pick(rng, np.cumsum(people.offender[:setting.residents]), count)
    started = setting.draw_days(count, rng, setting.until - 700)
    place = np.where(rng.random(count) < 0.8, people.home[other],
                     people.home[rng.integers(0, setting.residents, count)])
    extracts.add("keep_apart", {
        "keep_ref": extracts.number("keep", count),
        "kind": choose(rng, {"da": 0.5, "asb": 0.2, "witness": 0.1, "feud": 0.08, "hate": 0.05,
                             "exploitation": 0.03, "cuckoo": 0.03, "hba": 0.01}, count),
        "place_kind": choose(rng, {"home": 0.8, "work": 0.1, "daily": 0.1}, count),
        "easting": town.easting[place], "northing": town.northing[place], "started": started,
        "ends": np.full(count, NONE), "recorded": np.minimum(started + 3, setting.until - 1)},
        {"person": person, "other": other})


def write_outreach(setting: Setting, extracts: Extracts, rng: Generator) -> None:
    """People expected out of prison, hospital or care, and nights seen sleeping out."""
    count = rng.poisson(22 * setting.scale * setting.months)
    person = draw_tenants(setting, count, rng)
    recorded = setting.draw_days(count, rng)
    extracts.add("transitions", {
        "transition_ref": extracts.number("transition", count),
        "kind": choose(rng, {"prison": 0.45, "hospital": 0.42, "care": 0.13}, count),
        "expected": recorded + rng.integers(3, 70, count),
        "offer_open": np.where(rng.random(count) < 0.9, rng.random(count) < 0.6, NONE),
        "recorded": recorded}, {"person": person})
    sleepers = draw_tenants(setting, max(round(45 * setting.scale * setting.months / 12), 2), rng)
    nights = rng.geometric(0.14, len(sleepers))
    row = np.repeat(np.arange(len(sleepers)), nights)
    seen = setting.draw_days(len(sleepers), rng)[row] + rng.integers(0, 90, len(row))
    centre = np.flatnonzero(setting.town.centre)
    keep = np.flatnonzero(seen < setting.until - 3)
    street = centre[rng.integers(0, len(centre), len(row))]
    extracts.add("rough_sleeping", {
        "sighting_ref": extracts.number("sighting", len(keep)), "seen": seen[keep],
        "usrn": setting.town.usrn[street[keep]], "recorded": seen[keep] + 1},
        {"person": sleepers[row[keep]]})


def write_places(setting: Setting, extracts: Extracts, rng: Generator) -> Whole:
    """Premises, operations, the PSPO, plans and service points; gives back premises streets."""
    town = setting.town
    centre, all_streets = np.flatnonzero(town.centre), np.flatnonzero(~town.hamlet)
    count = max(round(260 * setting.scale), 6)
    street = np.where(rng.random(count) < 0.35, centre[rng.integers(0, len(centre), count)],
                      all_streets[rng.integers(0, len(all_streets), count)])
    since = setting.until - rng.integers(200, 4_000, count)
    extracts.add("licensing_premises", {
        "premises_ref": extracts.number("premises", count),
        "premises_kind": choose(rng, {"pub": 0.3, "off_licence": 0.3, "restaurant": 0.25,
                                      "club": 0.05, "takeaway": 0.1}, count),
        "licensed_from": since, "licensed_to": np.full(count, NONE),
        "late": (rng.random(count) < 0.2).astype(np.int64), "recorded": since,
        "uprn": property_number(len(town.street) + np.arange(count)), "usrn": town.usrn[street],
        "lsoa": town.area_code[town.street_area[street]],
        "easting": np.round(town.street_e[street]).astype(np.int64),
        "northing": np.round(town.street_n[street]).astype(np.int64)})
    streets = all_streets[rng.integers(0, len(all_streets), 5)]
    started = setting.until - np.array([400, 260, 170, 95, 700])
    extracts.add("operations", {
        "operation_ref": extracts.number("operation", 5),
        "kind": np.array(["operation"] * 4 + ["pspo"], object),
        "usrn": town.usrn[np.r_[streets[:4], centre[:1]]],
        "lsoa": town.area_code[town.street_area[np.r_[streets[:4], centre[:1]]]],
        "started": started, "ended": np.r_[started[:4] + 28, NONE],
        "expires": np.r_[np.full(4, NONE), setting.until + 395],
        "before_rate": np.r_[np.round(rng.uniform(0.5, 3, 4), 2), np.nan], "recorded": started})
    plans = max(round(18 * setting.scale), 2)
    opened = setting.draw_days(plans, rng)
    extracts.add("place_plans", {
        "plan_ref": extracts.number("plan", plans), "level": np.full(plans, "street", object),
        "place": words([str(n) for n in town.usrn[all_streets[
            rng.integers(0, len(all_streets), plans)]].tolist()]),
        "opened": opened, "closed": np.where(opened < setting.until - 200, opened + 150, NONE),
        "recorded": opened})
    points = max(round(95 * setting.scale), 6)
    area = rng.integers(0, len(town.area_code), points)
    kind = choose(rng, {"school": 0.45, "support_service": 0.25, "park": 0.3}, points)
    extracts.add("service_points", {
        "point_ref": extracts.number("point", points), "kind": kind,
        "easting": np.round(town.area_e[area] + rng.normal(0, 150, points)).astype(np.int64),
        "northing": np.round(town.area_n[area] + rng.normal(0, 150, points)).astype(np.int64),
        "recorded": np.full(points, setting.start - 100)})
    return street
