"""Incidents that happened -> what the police recorded: incidents, the people in them, open data."""

from __future__ import annotations

import hashlib

import numpy as np
from pyproj import Transformer

from engine.invent.arrays import (
    DAY,
    NONE,
    Column,
    Generator,
    Truth,
    Whole,
    Words,
    choose,
    draw_delay,
    keep,
    pick,
    pick_within,
    words,
)
from engine.invent.extracts import Extracts
from engine.invent.incidents import CODES, KINDS, Events
from engine.invent.setting import Setting

STRANDS = {"race": 0.66, "sexual_orientation": 0.14, "disability": 0.1, "religion": 0.06,
           "transgender": 0.04}
SEVERITY = {"N01": 2, "R01": 2, "P01": 4, "P02": 2, "P03": 5, "P04": 5, "P05": 5, "C01": 3,
            "SEXO": 5, "BURG": 4, "ROBB": 5, "WEAP": 5, "D02": 4, "DRUG": 3, "D01": 3, "MISS": 4,
            "SCAM": 4, "X04": 3}
_NO_CRIME = {"N01", "V01", "R01", "Y01", "A01", "B01", "X02", "X03", "P02"}
_CAUGHT = 0.3                   # share of incidents with a named subject
FORCE = "Ravensmoor Constabulary"


def write_police(setting: Setting, events: Events, told: Truth, extracts: Extracts, rng: Generator) -> None:
    """Incidents, involvements and open data of what anybody was told of."""
    count = len(events)
    slow = np.isin(events.category, [CODES.index(c) for c in ("SEXO", "P04", "SCAM", "C01")])
    reported = events.minute + (draw_delay(rng, 0.06, count, 1.6) * np.where(slow, 12, 1)
                                * DAY).astype(np.int64)
    recorded = reported // DAY + draw_delay(rng, 0.5, count).astype(np.int64)
    kept = np.flatnonzero(recorded < setting.until)
    shown, told = events.take(kept), told[kept]
    incident = extracts.number("incident", len(kept))
    reported, recorded = reported[kept], recorded[kept]
    code = words(CODES)[shown.category]
    discovered = (rng.random(len(kept)) < 0.1) & (shown.victim == NONE)
    anonymous = (rng.random(len(kept)) < 0.08) & (shown.victim == NONE) & ~discovered
    caller = _draw_callers(setting, shown, rng)
    domestic = code == "P04"
    hate = (code == "P03") | (np.isin(code, ["PUBO", "P05", "P01", "CRIM"])
                              & (rng.random(len(kept)) < 0.05))
    silent = discovered | anonymous | (caller == NONE)
    extracts.add("police_incidents", {
        "incident_ref": incident, "occurred": shown.minute, "reported": reported,
        "recorded": recorded, "category": code,
        "severity": np.array([SEVERITY.get(c, 2) for c in CODES])[shown.category],
        "hate_strand": keep(hate, choose(rng, STRANDS, len(kept))),
        "domestic_abuse": domestic.astype(np.int64),
        "dash_score": np.where(domestic, rng.binomial(24, 0.3, len(kept)), NONE),
        "channel": np.where(discovered, "patrol",
                            choose(rng, {"call": 0.8, "online": 0.17, "referral": 0.03},
                                   len(kept))),
        "origin": np.where(discovered, "discovered", "reported"),
        "reporter_ref": np.where(silent, NONE, setting.people.household[np.maximum(caller, 0)]),
        "anonymous": anonymous.astype(np.int64),
        "live_investigation": ((setting.until - recorded < 40)
                               & (rng.random(len(kept)) < 0.05)).astype(np.int64),
        "disputed": (rng.random(len(kept)) < 0.004).astype(np.int64),
        **setting.locate(shown.dwelling, rng, no_uprn=0.5)}, told=told)
    _write_involvements(setting, shown, told, code, incident, recorded,
                        np.where(silent, NONE, caller), extracts, rng)
    _write_open_data(setting, shown, told, extracts, rng)


def _draw_callers(setting: Setting, events: Events, rng: Generator) -> Whole:
    """The victim, or an adult living in the street; nobody where nobody lives."""
    town = setting.town
    street = town.street[events.dwelling]
    neighbour = pick_within(rng, np.arange(1.0, len(town.street) + 1), town.first_home[street],
                            town.first_home[street + 1])
    # One household in a street makes most of its calls.
    usual = np.minimum(town.first_home[street] + 1, town.first_home[street + 1] - 1)
    asked = np.where(rng.random(len(events)) < 0.3, usual, neighbour)
    return np.where(events.victim != NONE, events.victim, setting.homes.draw_adults(asked, rng))


def draw_subjects(setting: Setting, dwelling: Whole, local: float, rng: Generator) -> Whole:
    """People who cause harm: some who live in the same area, others from anywhere."""
    town, weights = setting.town, setting.homes.weight_offender
    area = town.street_area[town.street[dwelling]]
    homes = np.flatnonzero(~town.hamlet[town.street])
    bounds = np.searchsorted(town.street_area[town.street[homes]],
                             np.arange(len(town.area_code) + 1))
    people_home = setting.people.home[:setting.residents]
    first = np.searchsorted(people_home, bounds)
    near = pick_within(rng, weights, first[area], first[area + 1])
    anyone = pick(rng, weights, len(dwelling))
    return np.where(rng.random(len(dwelling)) < local, near, anyone)


def _write_involvements(setting: Setting, events: Events, told: Truth, code: Words, incident: Whole,
                        recorded: Whole, caller: Whole, extracts: Extracts,
                        rng: Generator) -> None:
    count = len(events)
    crime = np.array([c not in _NO_CRIME for c in CODES])
    named = rng.random(count) < np.where(code == "P04", 0.95, _CAUGHT)
    named &= (code != "MISS") & (code != "BURG")
    subject = draw_subjects(setting, events.dwelling, 0.6, rng)
    home = setting.people.home[np.maximum(events.victim, 0)]
    partner = setting.homes.draw_adults(np.maximum(home, 0), rng)
    with_partner = (code == "P04") & (rng.random(count) < 0.7) & (partner != NONE)
    subject = np.where(with_partner, partner, subject)
    named &= (subject != events.victim) & (subject >= 0)
    outcome = np.where(crime[events.category],
                       choose(rng, {"none": 0.3, "nfa": 0.4, "caution": 0.08, "charged": 0.12,
                                    "convicted": 0.1}, count), "none")
    evidence = np.where(np.isin(outcome, ["caution", "convicted"]), 4,
                        1 + pick(rng, np.cumsum([0.5, 0.34, 0.16]), count))
    role = np.where(outcome == "convicted", "convicted",
                    np.where(evidence >= 3, "subject_substantiated", "alleged_subject"))
    victim_role = np.where(code == "MISS", "missing_person", "victim")
    bystander = (events.victim == NONE) & (caller != NONE)
    as_caller = np.where(rng.random(count) < 0.2, "witness", "complainant")
    shares: list[tuple[Column, Column, Column, Column, Column]] = [
        (events.victim != NONE, events.victim, victim_role, evidence, outcome),
        (bystander & (rng.random(count) < 0.45), caller, as_caller, evidence, outcome),
        (named, subject, role, evidence, outcome)]
    for rows, person, part, weight, end in shares:
        at = np.flatnonzero(rows)
        extracts.add("police_involvements", {
            "involvement_ref": extracts.number("involvement", len(at)),
            "incident_ref": incident[at], "recorded": recorded[at], "role": part[at],
            "evidence": weight[at], "outcome": np.where(part[at] == "victim", "none", end[at]),
            "disputed": np.zeros(len(at), np.int64)}, {"person": person[at]}, told=told[at])


def _write_open_data(setting: Setting, events: Events, told: Truth, extracts: Extracts,
                     rng: Generator) -> None:
    """The police.uk street file, snapped to streets, and its counts by area; whole months only."""
    town = setting.town
    months = events.minute // DAY
    month = months.astype("datetime64[D]").astype("datetime64[M]")
    this_month = np.datetime64(setting.until, "D").astype("datetime64[M]")
    kinds = words([kind.published for kind in KINDS.values()])[events.category]
    kinds = np.where(kinds == "Other theft", choose(rng, {
        "Other theft": 61, "Theft from the person": 8, "Bicycle theft": 5}, len(events)), kinds)
    rows = np.flatnonzero(np.array([k is not None for k in kinds]) & (month < this_month))
    street = town.street[events.dwelling[rows]]
    shown_month = month[rows].astype("datetime64[D]").astype(np.int64)
    turn = Transformer.from_crs(27700, 4326, always_xy=True)
    longitude, latitude = turn.transform(town.street_e, town.street_n)
    crime = kinds[rows] != "Anti-social behaviour"
    area = town.street_area[street]
    extracts.add("police_uk", {
        "crime_id": keep(crime, _hash_crimes(setting.seed, rows)),
        "month": shown_month, "reported_by": np.full(len(rows), FORCE, object),
        "falls_within": np.full(len(rows), FORCE, object),
        "longitude": np.asarray(longitude)[street], "latitude": np.asarray(latitude)[street],
        "location": words([f"On or near {name}" for name in town.street_name])[street],
        "lsoa_code": town.area_code[area], "lsoa_name": town.area_name[area],
        "crime_type": kinds[rows],
        "last_outcome": keep(crime, choose(rng, {
            "Investigation complete; no suspect identified": 0.5,
            "Unable to prosecute suspect": 0.3,
            "Under investigation": 0.15, "Offender given a caution": 0.05}, len(rows)))}, told=told[rows])
    types, type_of = np.unique(kinds[rows].astype(str), return_inverse=True)
    keys, counts = np.unique(np.stack([shown_month, area, type_of])[:, told[rows]], axis=1, return_counts=True)
    extracts.add("area_counts", {
        "month": keys[0], "lsoa": town.area_code[keys[1]], "lsoa_name": town.area_name[keys[1]],
        "borough": np.full(len(counts), "Ravensmoor", object),
        "category": types.astype(object)[keys[2]], "count": counts.astype(np.int64)})


def _hash_crimes(seed: int, rows: Whole) -> Words:
    return words([hashlib.sha256(f"{seed}:{row}".encode()).hexdigest() for row in rows.tolist()])
