"""Council homes and their tenants -> tenancies, members, rent, notices, visits, properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.invent.arrays import NONE, Generator, Truth, Whole, choose, draw_delay, pick, words
from engine.invent.extracts import Extracts
from engine.invent.geography import ASSOCIATION, COUNCIL
from engine.invent.lets import Lets, Offers, plan_offers
from engine.invent.residents import CHILD, LEAD
from engine.invent.setting import Setting

LETS_A_YEAR = 700
VISITS_A_HOME = 0.35            # a year
END_REASONS = {"moved": 0.42, "transfer": 0.25, "died": 0.18, "abandoned": 0.05,
               "evicted_arrears": 0.035, "evicted_asb": 0.012, "evicted_both": 0.003, "other": 0.05}
RELATIONS = words(["lead", "partner", "child", "other"])


def count_lets(residents: int, months: int) -> int:
    """How many council homes changed hands in the period."""
    return round(LETS_A_YEAR * residents / 103_600 * months / 12)


def write_housing(setting: Setting, extracts: Extracts, rng: Generator) -> tuple[Whole, Offers]:
    """The landlord's records; gives back the empty council homes ready to be let, and the lets that followed offers."""
    town, people = setting.town, setting.people
    lived_in = setting.homes.stop > setting.homes.start
    social = np.isin(town.tenure, [COUNCIL, ASSOCIATION])
    homes = np.flatnonzero(social & lived_in)
    lets = _draw_lets(setting, homes, rng)
    started = setting.until - (rng.exponential(11, len(homes)) * 365).astype(np.int64) - 30
    spot = np.searchsorted(homes, lets.dwelling)
    started[spot] = lets.started
    lead = setting.homes.start[homes]
    started = np.maximum(started, people.born[lead] + 18 * 366)
    started = np.minimum(started, setting.until - 2)
    offers, lets = plan_offers(setting, replace(lets, started=started[spot]), lead[spot], setting.stream("past lets"))
    tenancy = extracts.number("tenancy", len(homes))
    kind = np.where(town.tenure[homes] == COUNCIL, "council", "housing_association").astype(object)
    extracts.add("housing_tenancies", {
        "tenancy_ref": tenancy, "household_ref": people.household[lead], "started": started,
        "ended": np.full(len(homes), NONE), "tenure": kind, "uprn": town.uprn[homes],
        "recorded": started + rng.integers(0, 4, len(homes))}, {"person": lead})
    _write_members(setting, extracts, lead, setting.homes.stop[homes], started,
                   np.full(len(homes), NONE))
    _write_former(setting, extracts, lets, rng)
    council = kind == "council"
    _write_rent(setting, extracts, tenancy[council], lead[council], started[council], rng)
    _write_visits(setting, extracts, homes[council], lead[council], rng)
    return _write_properties(setting, extracts, lived_in, rng), offers


def _draw_lets(setting: Setting, homes: Whole, rng: Generator) -> Lets:
    """The latest let of some council homes; earlier tenants have left the borough."""
    council = homes[setting.town.tenure[homes] == COUNCIL]
    wanted = int(setting.people.household[-1] - setting.people.household[setting.residents - 1])
    count = min(wanted, len(council))
    turnover = rng.gamma(1.0, 1.0, len(setting.town.street_name))[setting.town.street[council]]
    keys = rng.random(len(council)) ** (1 / (turnover + 1e-9))
    dwelling = np.sort(council[np.argsort(-keys, kind="stable")[:count]])
    started = setting.draw_days(count, rng)
    ended = started - rng.integers(18, 75, count)
    earlier = ended - (rng.exponential(3.0, count) * 365).astype(np.int64) - 60
    return Lets(dwelling, started, earlier, ended)


def _write_former(setting: Setting, extracts: Extracts, lets: Lets, rng: Generator) -> None:
    count = len(lets.dwelling)
    leads = setting.residents + np.flatnonzero(
        setting.people.place[setting.residents:] == LEAD)[:count]
    stops = np.r_[leads[1:], leads[-1:] + 1] if count else leads
    extracts.add("housing_tenancies", {
        "tenancy_ref": extracts.number("tenancy", count),
        "household_ref": setting.people.household[leads], "started": lets.earlier_started,
        "ended": lets.earlier_ended, "end_reason": choose(rng, END_REASONS, count),
        "tenure": np.full(count, "council", object), "uprn": setting.town.uprn[lets.dwelling],
        "recorded": lets.earlier_started + 2}, {"person": leads})
    _write_members(setting, extracts, leads, stops, lets.earlier_started, lets.earlier_ended)


def _write_members(setting: Setting, extracts: Extracts, lead: Whole, stop: Whole,
                   joined: Whole, left: Whole) -> None:
    sizes = stop - lead
    person = np.repeat(lead, sizes) + np.arange(int(sizes.sum())) - np.repeat(
        np.cumsum(sizes) - sizes, sizes)
    born = setting.people.born[person]
    came = np.maximum(np.repeat(joined, sizes), born)
    gone = np.repeat(left, sizes)
    came = np.where((gone != NONE) & (came > gone), gone, came)
    extracts.add("household_members", {
        "member_ref": extracts.number("member", len(person)),
        "household_ref": setting.people.household[person],
        "relation": RELATIONS[setting.people.place[person]], "joined": came, "left": gone,
        "recorded": np.minimum(came + 2, setting.until - 1)}, {"person": person})


def _write_rent(setting: Setting, extracts: Extracts, tenancy: Whole, lead: Whole,
                started: Whole, rng: Generator) -> None:
    """A balance at each quarter day for every account, and monthly for those in arrears."""
    count = len(tenancy)
    weekly = np.round(rng.normal(98, 12, count), 2)
    strain = 1 / (1 + np.exp(-(setting.people.frailty[lead] - 1.3)))
    debtor = rng.random(count) < 0.15 + 0.35 * strain
    level = np.where(debtor, rng.gamma(1.1, 3.2, count), 0.0)
    slope = np.where(debtor, rng.normal(0.02, 0.14, count), 0.0)
    cash = rng.random(count) < 0.05
    last = setting.until - 2
    for back in range(setting.months):
        as_at = last - 30 * back
        who = np.flatnonzero((debtor | (back % 3 == 0)) & (started < as_at))
        weeks = np.maximum(level[who] - slope[who] * back + rng.normal(0, 0.25, len(who)), 0)
        owed = np.where(debtor[who], weeks * weekly[who], 0.0)
        extracts.add("housing_rent", {
            "rent_ref": extracts.number("rent", len(who)), "tenancy_ref": tenancy[who],
            "as_at": np.full(len(who), as_at), "arrears": np.round(owed, 2),
            "weekly_rent": weekly[who], "cash_payment": cash[who].astype(np.int64),
            "recorded": np.full(len(who), as_at + 1)}, {"person": lead[who]})
    deep = np.flatnonzero((level > 7) & (rng.random(count) < 0.35))
    served = setting.draw_days(len(deep), rng, setting.until - 400)
    withdrawn = np.where(rng.random(len(deep)) < 0.4, served + 60, NONE)
    extracts.add("housing_notices", {
        "notice_ref": extracts.number("notice", len(deep)), "tenancy_ref": tenancy[deep],
        "served": served,
        "kind": choose(rng, {"nosp": 0.85, "possession_order": 0.12, "warrant": 0.03}, len(deep)),
        "withdrawn": np.where(withdrawn < setting.until, withdrawn, NONE), "recorded": served},
        {"person": lead[deep]})


def _write_visits(setting: Setting, extracts: Extracts, homes: Whole, lead: Whole,
                  rng: Generator) -> None:
    count = rng.poisson(VISITS_A_HOME * len(homes) * setting.months / 12)
    row = rng.integers(0, len(homes), count)
    frail = setting.people.frailty[lead[row]]
    day = setting.draw_days(count, rng)
    outcome = choose(rng, {"done": 0.84, "refused": 0.03, "no_access": 0.13}, count)
    seen = outcome == "done"

    def sign(share: float) -> Whole:
        """A sign noticed more often in the homes of frailer people."""
        lift = np.exp(np.clip(frail, -1, 3))
        return np.where(seen, rng.random(count) < share * lift, NONE).astype(np.int64)

    clutter = 1 + rng.binomial(8, 0.1, count) + (rng.random(count) < 0.004 * np.exp(frail)) * 5
    extracts.add("housing_visits", {
        "visit_ref": extracts.number("visit", count), "uprn": setting.town.uprn[homes[row]],
        "visited": day, "recorded": np.minimum(day + rng.integers(0, 4, count), setting.until - 1),
        "kind": choose(rng, {"repair": 0.66, "inspection": 0.16, "gas": 0.14, "welfare": 0.04},
                       count),
        "outcome": outcome, "night_visitors": sign(0.004), "unseen_14d": sign(0.003),
        "new_occupant": sign(0.004), "door_damage": sign(0.006), "service_dropout": sign(0.004),
        "isolated": sign(0.02), "self_neglect": sign(0.006),
        "clutter": np.where(seen, np.minimum(clutter, 9), NONE)}, {"person": lead[row]})


def _write_properties(setting: Setting, extracts: Extracts, lived_in: Truth,
                      rng: Generator) -> Whole:
    """The rented stock; gives back the empty council homes."""
    town = setting.town
    homes = np.flatnonzero(np.isin(town.tenure, [COUNCIL, ASSOCIATION]) & ~town.hamlet[town.street])
    empty = ~lived_in[homes] & (town.tenure[homes] == COUNCIL)
    void = setting.until - 10 - draw_delay(rng, 35, len(homes), 0.7).astype(np.int64)
    flat = town.street_block[town.street[homes]]
    sheltered = rng.random(len(homes)) < 0.03
    extracts.add("properties", {
        "uprn": town.uprn[homes],
        "kind": np.where(flat, "flat", choose(rng, {"house": 0.8, "bungalow": 0.17,
                                                    "maisonette": 0.03}, len(homes))),
        "tenure": np.where(town.tenure[homes] == COUNCIL, "council", "housing_association"),
        "landlord": np.where(town.tenure[homes] == COUNCIL, "Ravensmoor Borough Council",
                             "Cinder Hill Homes"),
        "block_ref": town.block(homes), "floor": np.where(flat, town.number[homes] // 6, 0),
        "beds": town.beds[homes],
        "access": choose(rng, {"none": 0.72, "level": 0.22, "wheelchair": 0.06}, len(homes)),
        "shared_exit_or_high_rise": flat.astype(np.int64), "sheltered": sheltered.astype(np.int64),
        "min_age": np.where(sheltered, 60, NONE),
        "sensitive_let": (empty & (rng.random(len(homes)) < 0.04)).astype(np.int64),
        "lettings_plan_published": np.zeros(len(homes), np.int64),
        "void_since": np.where(empty, void, NONE),
        "ready_from": np.where(empty, np.maximum(void + 30, setting.until - 20), NONE),
        "recorded": np.full(len(homes), setting.start - 200)})
    return np.asarray(homes[empty], dtype=np.int64)


def draw_tenants(setting: Setting, count: int, rng: Generator) -> Whole:
    """Adults of council homes, frailer ones more often."""
    people, town = setting.people, setting.town
    here = np.arange(setting.residents)
    council = town.tenure[people.home[here]] == COUNCIL
    weight = np.exp(0.8 * people.frailty[here]) * np.where(council, 1.0, 0.15)
    return pick(rng, np.cumsum(weight * (people.place[here] != CHILD) + 1e-12), count)
