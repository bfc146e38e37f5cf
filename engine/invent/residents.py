"""A town -> the people who live in it, their households, and what each agency writes of them.

`People` holds the truth, one row per person: residents first, then households that have left, then
the people a story needs. `Roster` turns a person into the six columns an agency's extract carries.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from engine.invent.arrays import NONE, Generator, Real, Truth, Whole, pick, pick_within
from engine.invent.geography import Town
from engine.invent.names import FORENAMES, SURNAMES, WOMEN, name_weights

LEAD, PARTNER, CHILD, OTHER = range(4)
YEAR = 365.25
EMPTY_HOMES = 0.04
HOUSEHOLD_SIZES = [0.36, 0.34, 0.14, 0.11, 0.035, 0.015]
MOVES_A_YEAR = 0.09
CHRONIC_SHARE = 0.015           # victims again and again: a 1-2 % class [design]
PERSISTENT_SHARE = 0.055        # offending careers: 5-6 % [design]


@dataclass
class People:
    """One row per person."""

    forename: Whole
    surname: Whole
    born: Whole                 # day
    home: Whole                 # dwelling, NONE when no longer in the borough
    household: Whole
    place: Whole                # LEAD PARTNER CHILD OTHER
    earlier_home: Whole         # where they lived before `moved`
    moved: Whole                # day
    victim: Real                # propensity to suffer, relative to 1
    offender: Real              # propensity to cause
    frailty: Real               # standardised vulnerability
    plain: Truth                # written without error by every agency

    def __len__(self) -> int:
        return len(self.forename)

    def joined(self, other: People) -> People:
        """These people, then those."""
        return People(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)])
                        for f in fields(self)))


@dataclass(frozen=True)
class Homes:
    """Who lives in each dwelling: residents [start, stop) of the people, sorted by dwelling."""

    start: Whole
    stop: Whole
    weight_adult: Real          # running totals over residents
    weight_offender: Real

    def draw_adults(self, dwelling: Whole, rng: Generator) -> Whole:
        """One adult of each dwelling, or NONE where nobody lives."""
        found = pick_within(rng, self.weight_adult, self.start[dwelling], self.stop[dwelling])
        return np.where(self.stop[dwelling] > self.start[dwelling], found, NONE)


def build_people(town: Town, residents: int, until: int, start: int,
                 rng: Generator) -> tuple[People, Homes]:
    """So many residents living in the town's dwellings (never in a hamlet) on the last day."""
    open_homes = np.flatnonzero(~town.hamlet[town.street])
    sizes = 1 + pick(rng, np.cumsum(HOUSEHOLD_SIZES), residents)
    occupied = min(round(len(open_homes) * (1 - EMPTY_HOMES)), len(open_homes))
    # A town with many hamlet homes for its size lives a little closer together.
    while sizes[:occupied].sum() < residents:
        sizes[:occupied] += rng.random(occupied) < 0.2
    count = int(np.searchsorted(np.cumsum(sizes), residents)) + 1
    sizes = sizes[:count]
    sizes[-1] -= int(sizes.sum()) - residents
    dwelling = np.sort(rng.choice(open_homes, count, replace=False))
    people = _fill_households(sizes, dwelling, town, until, rng)
    people.earlier_home = rng.integers(0, len(open_homes), residents)
    household_moved = until - (rng.exponential(1 / MOVES_A_YEAR, count) * YEAR).astype(np.int64)
    people.moved = np.repeat(np.where(household_moved > start, household_moved, NONE), sizes)
    _draw_propensities(people, town, until, rng)
    ends = np.cumsum(sizes)
    first, last = np.zeros(len(town.street), np.int64), np.zeros(len(town.street), np.int64)
    first[dwelling], last[dwelling] = ends - sizes, ends
    adult = until - people.born >= 16 * YEAR
    # A household of nothing but children (a trimmed last one) still has its first member.
    adult_weight = np.where(adult | (people.place == LEAD), 1.0, 1e-9)
    return people, Homes(first, last, np.cumsum(adult_weight), np.cumsum(people.offender))


def build_former(count: int, first_household: int, town: Town, until: int,
                 rng: Generator) -> People:
    """Households that have left the borough: once council tenants, no longer anywhere."""
    sizes = 1 + pick(rng, np.cumsum(HOUSEHOLD_SIZES), count)
    people = _fill_households(sizes, np.zeros(count, np.int64), town, until, rng)
    people.household += first_household
    people.home[:] = NONE
    _draw_propensities(people, town, until, rng)
    return people


def _fill_households(sizes: Whole, dwelling: Whole, town: Town, until: int,
                     rng: Generator) -> People:
    count, total = len(sizes), int(sizes.sum())
    household = np.repeat(np.arange(count), sizes)
    seat = np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    lead_age = np.clip(rng.gamma(7.5, 7.0, count) + np.where(sizes > 2, -6, 6), 18, 97)
    lead_age = np.where(sizes > 2, np.clip(lead_age, 20, 62), lead_age)[household]
    coupled = (rng.random(count) < np.where(sizes == 2, 0.72, 0.76))[household]
    partner = (seat == 1) & coupled
    child = (seat > 0) & ~partner
    age = np.where(partner, np.clip(lead_age + rng.normal(0, 4, total), 18, 97), lead_age)
    age = np.where(child, np.clip(lead_age - rng.uniform(19, 39, total), 0.1, 45), age)
    place = np.where(seat == 0, LEAD, np.where(partner, PARTNER, CHILD)).astype(np.int64)
    woman = rng.random(total) < 0.505
    women, men = name_weights(WOMEN), name_weights(len(FORENAMES) - WOMEN)
    forename = np.where(woman, pick(rng, women, total), WOMEN + pick(rng, men, total))
    family = pick(rng, name_weights(len(SURNAMES)), count)[household]
    own = rng.random(total) < np.where(partner, 0.35, 0.08)
    surname = np.where(own, pick(rng, name_weights(len(SURNAMES)), total), family)
    born = until - (age * YEAR).astype(np.int64) - rng.integers(0, 365, total)
    blanks = np.zeros(total)
    return People(forename, surname, born, dwelling[household], household, place,
                  np.full(total, NONE), np.full(total, NONE), blanks.copy(), blanks.copy(),
                  blanks.copy(), np.zeros(total, bool))


def _draw_propensities(people: People, town: Town, until: int, rng: Generator) -> None:
    """Latent truth: who suffers, who causes, who is frail. Never written to an extract."""
    count, age = len(people), (until - people.born) / YEAR
    area = town.street_area[town.street[np.maximum(people.home, 0)]]
    hardship = town.deprivation[area]
    chronic = rng.random(count) < CHRONIC_SHARE
    people.victim = rng.gamma(0.5, 2.0, count) * (0.5 + hardship) + np.where(
        chronic, 22.0 * rng.lognormal(0, 0.9, count), 0.0)
    persistent = rng.random(count) < PERSISTENT_SHARE
    curve = np.where(age < 10, 0.0, np.exp(-0.5 * ((age - 21) / np.where(age < 21, 5, 16)) ** 2))
    people.offender = curve * (0.08 + persistent * rng.lognormal(0.6, 1.0, count))
    people.offender *= 0.5 + hardship
    people.frailty = rng.normal(0, 1, count) + 1.2 * (hardship - 0.5) + 0.01 * (age - 40)


def people_from(rows: list[dict[str, int]]) -> People:
    """A story's people, given one by one; nothing drives them but the story."""
    whole = [np.array([row[f.name] for row in rows], dtype=np.int64) for f in fields(People)[:8]]
    still = np.zeros(len(rows))
    return People(whole[0], whole[1], whole[2], whole[3], whole[4], whole[5], whole[6], whole[7],
                  still, still.copy(), still.copy(), np.ones(len(rows), bool))
