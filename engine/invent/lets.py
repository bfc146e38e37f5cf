"""Council homes that changed hands -> proposals that were let, the tenancies that followed, and those that failed.

Everybody who was let a council home in the period was proposed for one before. Most have lived in it ever since. Whose
tenancy failed was let the home of another household that had left it early, lost it, and lives today, by a direct let
without a proposal, where they always were to live. So one chance decides between two pasts of the same people, and
nothing else that is written of them says which.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.invent.arrays import NONE, Column, Generator, Real, Truth, Whole, choose, draw_hash
from engine.invent.extracts import Columns, Extracts
from engine.invent.roster import HABITS
from engine.invent.setting import Setting

# Of the lets that began, how many were abandoned or ended for anti-social behaviour within a year. The reference gives
# the outcome (CORE `rsnvac` 6, 11 and 21 within 12 months of `startdate`: domain 1.6) and no rate. Social landlords in
# Scotland report that about nine new tenancies in ten last a year [from memory, not looked up], so one in ten is lost
# for any reason at all and this is a bound rather than a rate: high enough for a card to have something to learn from.
FAILED_IN_A_YEAR = 0.06
# What a let turns on, in log odds [design]. Frailty and offending are latent: records show them in part.
FRAILTY, PACKAGE_TAKES = 0.9, 0.6   # a support package takes away this share of what frailty adds
FAILED_BEFORE, NO_PLAN, FAR_AWAY, OFFENDING = 1.1, 0.7, 0.4, 0.6
FAR = 40                            # minutes to school or carer
REASONS = {"abandoned": 0.76, "evicted_asb": 0.18, "evicted_both": 0.06}    # in the order of size of END_REASONS
OPEN_DAYS = (28, 64)                # a proposal stands long enough to be open on the first of some month
LASTED_DAYS = (60, 251)             # what failed did so within a year of the proposal, as the outcome counts
REHOUSED_DAYS, EMPTY_DAYS, SHORTEST = (14, 61), (18, 75), 60


@dataclass(frozen=True)
class Lets:
    """Tenancies that began in the period after somebody else's ended: one row per let."""

    dwelling: Whole
    started: Whole
    earlier_started: Whole
    earlier_ended: Whole


@dataclass(frozen=True)
class Offers:
    """One row per let that followed a proposal: to whom, which home, and what became of it."""

    person: Whole
    dwelling: Whole
    proposed: Whole
    started: Whole
    ended: Whole                # NONE where it lasted
    chance: Real                # that it would fail within a year
    package: Truth              # a support package was running
    before: Whole               # a home they had lost earlier, NONE where none is on record
    before_started: Whole
    before_ended: Whole
    particulars: Columns        # what the proposal said

    def __len__(self) -> int:
        return len(self.person)

    @property
    def failed(self) -> Truth:
        """Abandoned, or ended for anti-social behaviour."""
        return np.asarray(self.ended != NONE, dtype=np.bool_)

    def take(self, rows: Whole | Truth) -> Offers:
        """These offers only."""
        parts = {name: values[rows] for name, values in vars(self).items() if name != "particulars"}
        return Offers(**parts, particulars={name: values[rows] for name, values in self.particulars.items()})


def draw_particulars(rng: Generator, wrote: Generator, count: int, check: Truth) -> Columns:
    """What a proposal says besides whose it is and when; `check`: another agency was to be asked."""
    return {
        "stay_type": choose(rng, {"general_needs": 0.83, "temporary": 0.12, "supported": 0.05}, count),
        "travel_minutes": np.clip(rng.gamma(3.0, 6.5, count), 2, 110).astype(np.int64),
        "settle_plan": (rng.random(count) < 0.55).astype(np.int64),
        "ppu_check": choose(rng, {"not_asked": 0.8, "clear": 0.16, "awaiting": 0.04}, count),
        "ppu_marked": (rng.random(count) < 0.02).astype(np.int64),
        "place_restriction_breach": np.where(rng.random(count) < 0.9, 0, NONE),
        "partner_check_needed": check.astype(np.int64),
        "gateway_logged": np.where(check, rng.random(count) < 0.85, NONE).astype(np.int64),
        "prior_conduct_rule_published": np.ones(count, np.int64),
        "conduct_cited": (rng.random(count) < 0.02).astype(np.int64),
        "applicant_view": choose(rng, {"accepts": 0.6, "declines": 0.1, "": 0.3}, count),
        **{f"{factor}_considered": np.where(wrote.random(count) < 0.6, 1, NONE)
           for factor in ("disruption", "support", "amenities")}}     # every home here is in the district


def plan_offers(setting: Setting, lets: Lets, lead: Whole, rng: Generator) -> tuple[Offers, Lets]:
    """Who was proposed for what, and what became of it. Gives back the lets with earlier tenants gone in time.

    `lead`: who lives in each let home today.
    """
    people, count = setting.people, len(lead)
    frail = np.clip(people.frailty[lead], -2, 3)
    package = (rng.random(count) < np.clip(0.1 + 0.06 * frail, 0.02, 0.3)) & _is_same_to(lead, "health")
    again = rng.random(count) < np.clip(0.05 * np.exp(0.5 * frail), 0, 0.3)
    particulars = draw_particulars(rng, rng, count, rng.random(count) < 0.12)
    particulars |= {"stay_type": np.full(count, "general_needs", object),
                    "applicant_view": np.where(particulars["applicant_view"] == "declines", "accepts",
                                               particulars["applicant_view"])}
    chance = weigh_chance(frail, people.offender[lead], again, package, particulars["settle_plan"] == 1,
                          particulars["travel_minutes"])
    fails = rng.random(count) < chance
    started, ended, dwelling, host, left = _place_failures(setting, lets, lead, fails, rng)
    proposed = started - rng.integers(*OPEN_DAYS, count)
    # Of either fate: old enough to hold a tenancy, proposed within the records, known to the council by one number.
    kept = (people.born[lead] + 18 * 366 < lets.started - 400) & (proposed >= setting.start) & (dwelling != NONE)
    kept &= draw_hash(lead, HABITS["council"].salt) <= 1 - HABITS["council"].twice
    moved = np.flatnonzero(kept & (host != NONE))
    earlier_ended = lets.earlier_ended.copy()
    earlier_ended[host[moved]] = left[moved]
    before, before_started, before_ended = _place_before(lets, np.flatnonzero(kept & again), proposed, host, rng)
    offers = Offers(lead, dwelling, proposed, started, ended, chance, package, before, before_started, before_ended,
                    particulars)
    return offers.take(kept), replace(lets, earlier_ended=earlier_ended)


def _is_same_to(person: Whole, namespace: str) -> Truth:
    """Whom an agency writes as the council does, so that its record of them makes nobody a second person."""
    alike = np.ones(len(person), dtype=np.bool_)
    for habit in (HABITS[namespace], HABITS["council"]):
        alike &= (draw_hash(person, habit.salt) >= habit.misspelt) & (draw_hash(person, habit.salt) <= 1 - habit.twice)
        alike &= draw_hash(person, habit.salt + 50) >= habit.no_birth
    return alike


def weigh_chance(frail: Real, offender: Real, again: Truth, package: Truth, plan: Truth, travel: Whole) -> Real:
    """The chance of each let to fail within a year; over all of them it is FAILED_IN_A_YEAR."""
    odds = (FRAILTY * frail * np.where(package, 1 - PACKAGE_TAKES, 1) + OFFENDING * np.log1p(offender)
            + FAILED_BEFORE * again + NO_PLAN * ~plan + FAR_AWAY * (travel >= FAR))
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if np.mean(_share(odds + middle)) < FAILED_IN_A_YEAR:
            low = middle
        else:
            high = middle
    return _share(odds + high)


def _share(odds: Real) -> Real:
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)


def _place_failures(setting: Setting, lets: Lets, lead: Whole, fails: Truth,
                    rng: Generator) -> tuple[Whole, Whole, Whole, Whole, Whole]:
    """When each tenancy started and ended, in which dwelling, whose earlier home that was, and when they left it.

    A tenancy that failed ends where the earlier tenancy of another let did; that one is made to end before it began.
    """
    count = len(lead)
    lasted, wait = rng.integers(*LASTED_DAYS, count), rng.integers(*REHOUSED_DAYS, count)
    empty = rng.integers(*EMPTY_DAYS, count)
    started, ended, dwelling = lets.started.copy(), np.full(count, NONE), lets.dwelling.copy()
    host, left = np.full(count, NONE), np.full(count, NONE)
    order = np.argsort(lets.earlier_ended, kind="stable")
    taken: set[int] = set()
    for row in np.flatnonzero(fails).tolist():
        stop = int(np.searchsorted(lets.earlier_ended[order], lets.started[row] - wait[row], side="right"))
        room = lasted[row] + empty[row] + SHORTEST
        found = next((j for j in order[:stop][::-1].tolist() if j != row and j not in taken
                      and lets.earlier_ended[j] - lets.earlier_started[j] >= room), None)
        if found is None:
            dwelling[row] = NONE        # no home in which it could have happened: no proposal either
            continue
        taken.add(found)
        ended[row], dwelling[row], host[row] = lets.earlier_ended[found], lets.dwelling[found], found
        started[row] = ended[row] - lasted[row]
        left[row] = started[row] - empty[row]
    return started, ended, dwelling, host, left


def _place_before(lets: Lets, rows: Whole, proposed: Whole, host: Whole,
                  rng: Generator) -> tuple[Whole, Whole, Whole]:
    """Homes some had lost before, and when: such as stood empty before the earlier tenants of another let came.

    Where there is none, they lost it in another borough, and nobody here has a record of it.
    """
    count = len(proposed)
    dwelling, started, ended = (np.full(count, NONE) for _ in range(3))
    free = lets.earlier_started - rng.integers(*EMPTY_DAYS, len(lets.dwelling))
    ago, lasted = rng.integers(60, 700, len(rows)), rng.integers(*LASTED_DAYS, len(rows))
    order, taken = np.argsort(free, kind="stable"), set[int]()
    for place, row in enumerate(rows.tolist()):
        stop = int(np.searchsorted(free[order], proposed[row] - ago[place], side="right"))
        found = next((k for k in order[:stop][::-1].tolist() if k not in (row, host[row]) and k not in taken), None)
        if found is not None:
            taken.add(found)
            dwelling[row], ended[row] = lets.dwelling[found], free[found]
            started[row] = ended[row] - lasted[place]
    return dwelling, started, ended


def write_offers(setting: Setting, extracts: Extracts, offers: Offers, rng: Generator) -> Whole:
    """Applications, proposals, support, and the tenancies that did not last; gives back each proposal's number.

    Those that lasted are the landlord's already. No row here says where people lived: it was not yet where they do.
    """
    count = len(offers)
    application, proposal = extracts.number("application", count), extracts.number("proposal", count)
    _write_applications(setting, extracts, offers, application, rng)
    extracts.add("proposed_allocations", {
        "proposal_ref": proposal, "application_ref": application, "uprn": setting.town.uprn[offers.dwelling],
        "proposed": offers.proposed, "recorded": offers.proposed,
        "decided": offers.started - rng.integers(0, 6, count), **offers.particulars})
    supported = offers.take(offers.package)
    _write_support(setting, extracts, supported, rng)
    _write_lost(setting, extracts, offers.take(offers.failed), rng)
    earlier = offers.take(offers.before != NONE)
    _write_lost(setting, extracts, replace(earlier, dwelling=earlier.before, started=earlier.before_started,
                                           ended=earlier.before_ended), rng)
    return proposal


def _write_applications(setting: Setting, extracts: Extracts, offers: Offers, application: Whole,
                        rng: Generator) -> None:
    count = len(offers)
    registered = offers.proposed - rng.integers(30, 500, count)
    assessed = rng.random(count) < 0.75
    starts = offers.proposed - rng.integers(10, 60, count)
    extracts.add("housing_register", {
        "application_ref": application, "household_ref": setting.people.household[offers.person],
        "registered": registered, "expires": offers.started,
        "band": choose(rng, {"A": 0.12, "B_plus": 0.24, "B": 0.36, "C": 0.2, "D": 0.08}, count),
        "status": np.full(count, "closed", object),
        "reason": choose(rng, {"9": 0.28, "50": 0.2, "8": 0.12, "12": 0.1, "13": 0.08, "54": 0.08, "20": 0.14},
                         count).astype(np.int64),
        "wheelchair": (rng.random(count) < 0.03).astype(np.int64),
        "needs_assessed": np.where(assessed, offers.proposed - rng.integers(3, 120, count), NONE),
        "support_package_start": np.where(offers.package, starts, NONE),
        "noise_trigger": np.where(assessed, rng.random(count) < 0.06, NONE),
        "recorded": registered + 1}, {"person": offers.person}, settled=False)


def _write_support(setting: Setting, extracts: Extracts, offers: Offers, rng: Generator) -> None:
    """Support packages that were running at the proposal and went on for some months after the let."""
    count = len(offers)
    started = offers.proposed - rng.integers(10, 90, count)
    ended = offers.started + rng.integers(60, 200, count)
    still = ended >= setting.until
    extracts.add("engagements", {
        "engagement_ref": extracts.number("engagement", count),
        "service": np.full(count, "support_package", object), "started": started,
        "last_contact": np.where(still, setting.until - rng.integers(2, 30, count), ended - 3),
        "ended": np.where(still, NONE, ended), "provider": np.full(count, "Harbour Floating Support", object),
        "relapsed": np.zeros(count, np.int64), "recorded": started + 1}, {"person": offers.person}, settled=False)


def _write_lost(setting: Setting, extracts: Extracts, offers: Offers, rng: Generator) -> None:
    """Tenancies that were abandoned or ended for anti-social behaviour, and who lived there."""
    count, people = len(offers), setting.people
    household: Column = people.household[offers.person]
    extracts.add("housing_tenancies", {
        "tenancy_ref": extracts.number("tenancy", count), "household_ref": household, "started": offers.started,
        "ended": offers.ended, "end_reason": choose(rng, REASONS, count),
        "tenure": np.full(count, "council", object), "uprn": setting.town.uprn[offers.dwelling],
        "recorded": offers.started + rng.integers(0, 4, count)}, {"person": offers.person}, settled=False)
    extracts.add("household_members", {
        "member_ref": extracts.number("member", count), "household_ref": household,
        "relation": np.full(count, "lead", object), "joined": offers.started, "left": offers.ended,
        "recorded": offers.started + 2}, {"person": offers.person}, settled=False)
