"""Latent propensities -> the incidents that happened: when, where, to whom, by whom, after which.

Half of ASB lands on a twentieth of streets (lognormal 1.6), some incidents set off others nearby
within weeks (near repeats), and a small class of people is victimised again and again. The numbers
are those of published studies of places and of repeat victims.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.invent.arrays import DAY, NONE, Generator, Real, Truth, Whole, Words, pick, pick_within
from engine.invent.geography import Town
from engine.invent.setting import MONTH, Setting

STREET_SPREAD = 1.6             # puts half of all incidents on 5 % of streets
DWELLING_SHAPE = 0.2            # within a street a few addresses hold most
NEAR, SAME = 0.22, 0.06         # offspring per incident nearby and at the same address
NEAR_DAYS, SAME_DAYS = 18.5, 36.0
SUMMER = 0.25                   # more ASB in June to August than in winter
TOWN, ESTATE, HOME, VICTIM = range(4)


@dataclass(frozen=True)
class Kind:
    """A category: how many a month in a borough of 103,600, where it starts, at what hour."""

    monthly: float
    begins: int                 # at a town, estate or home place, or with its victim
    hour: float
    published: str              # its police.uk type
    summer: float = 0.3         # share of the summer rise it shows
    repeats: bool = True


_ASB, _VIOLENT = "Anti-social behaviour", "Violence and sexual offences"
_OTHER, _DRUGS, _PUBLIC = "Other crime", "Drugs", "Public order"
KINDS = {
    "R01": Kind(128, ESTATE, 20, _ASB, 1.0), "V01": Kind(50, ESTATE, 18, _ASB, 1.2),
    "Y01": Kind(56, ESTATE, 18.5, _ASB, 1.4), "A01": Kind(22, TOWN, 19, _ASB, 1.0),
    "B01": Kind(8, TOWN, 13, _ASB), "N01": Kind(30, ESTATE, 23, _ASB, 1.0),
    "P01": Kind(28, VICTIM, 18, _ASB, 0.8), "P02": Kind(24, VICTIM, 18, _ASB, 1.0),
    "P03": Kind(6, VICTIM, 17, _ASB), "C01": Kind(12, VICTIM, 15, _ASB, 0.0),
    "X02": Kind(4, ESTATE, 20, _ASB, 0.0), "X03": Kind(4, ESTATE, 15, _ASB),
    "X04": Kind(2, TOWN, 23, _ASB), "D01": Kind(6, ESTATE, 20, _ASB),
    "P04": Kind(74, VICTIM, 21, _VIOLENT), "P05": Kind(96, VICTIM, 22, _VIOLENT),
    "SEXO": Kind(14, VICTIM, 22, _VIOLENT, repeats=False),
    "CRIM": Kind(82, ESTATE, 20, "Criminal damage and arson", 0.4),
    "THEFT": Kind(74, TOWN, 14, "Other theft", 0.2), "BURG": Kind(55, HOME, 2, "Burglary", -0.2),
    "SHOP": Kind(51, TOWN, 14, "Shoplifting", 0.0),
    "VEHC": Kind(47, HOME, 3, "Vehicle crime", 0.0), "DRUG": Kind(26, ESTATE, 17, _DRUGS),
    "D02": Kind(8, ESTATE, 19, _DRUGS), "PUBO": Kind(26, TOWN, 21, _PUBLIC, 0.5),
    "SCAM": Kind(10, VICTIM, 12, _OTHER, 0.0, repeats=False),
    "WEAP": Kind(6, TOWN, 20, "Possession of weapons"), "ROBB": Kind(5, TOWN, 22, "Robbery"),
    "MISS": Kind(22, VICTIM, 21, "", 0.3, repeats=False),
}
CODES = list(KINDS)


@dataclass(frozen=True)
class Events:
    """One row per thing that happened."""

    minute: Whole
    category: Whole             # position in CODES
    dwelling: Whole
    victim: Whole
    parent: Whole               # row of the incident that set it off, NONE for background

    def __len__(self) -> int:
        return len(self.minute)

    def take(self, rows: Whole | Truth) -> Events:
        """These events only; parents keep pointing into the whole."""
        return Events(self.minute[rows], self.category[rows], self.dwelling[rows],
                      self.victim[rows], self.parent[rows])


@dataclass(frozen=True)
class Suffered:
    """What only the council could be told of: a quarrel's troubles and single nuisances, one row each."""

    minute: Whole
    code: Words
    dwelling: Whole
    victim: Whole               # NONE where nobody in particular
    told: Truth

    def joined(self, other: Suffered) -> Suffered:
        """These, then those."""
        return Suffered(*(np.concatenate([mine, theirs]) for mine, theirs in zip(
            vars(self).values(), vars(other).values(), strict=True)))


@dataclass(frozen=True)
class Places:
    """Running totals of dwelling weights for each way an incident begins."""

    weights: tuple[Real, Real, Real]
    street: Real                # latent propensity per street, for the truth


def build_places(town: Town, rng: Generator) -> Places:
    """Where things happen: heavy-tailed by street, then by dwelling. Nothing begins in a hamlet."""
    streets, homes = len(town.street_name), len(town.street)
    hardship = town.deprivation[town.street_area]
    common = rng.standard_normal(streets)
    shape = rng.gamma(DWELLING_SHAPE, 1 / DWELLING_SHAPE, homes) + 0.02
    totals = []
    for way, lift in ((TOWN, 10.0), (ESTATE, 1.5), (HOME, 1.0)):
        spread = STREET_SPREAD if way != HOME else 0.8
        own = rng.standard_normal(streets)
        street = np.exp(spread * (0.85 * common + 0.53 * own) + 1.2 * hardship)
        street *= np.where(town.centre, lift, 1.0) * ~town.hamlet
        each = shape if way != HOME else np.ones(homes)
        held = np.bincount(town.street, weights=each, minlength=streets)
        size = np.sqrt(np.diff(town.first_home))    # longer streets see more, not pro rata
        totals.append(np.cumsum((street * size)[town.street] * each / held[town.street]))
    return Places((totals[0], totals[1], totals[2]), np.exp(STREET_SPREAD * common))


def draw_events(setting: Setting, places: Places, rng: Generator) -> Events:
    """Background incidents of every category, and those they set off."""
    days = np.arange(setting.start, setting.until)
    season = _season(days)
    minutes, categories = [], []
    for position, kind in enumerate(KINDS.values()):
        share = 1 - NEAR - SAME if kind.repeats else 1.0
        rate = kind.monthly / MONTH * setting.scale * share * (1 + kind.summer * SUMMER * season)
        # Months vary more than chance would have them (1.4-1.6 times Poisson).
        rate = rate * rng.lognormal(0, 0.09, setting.months + 2)[(days - days[0]) // 31]
        day = np.repeat(days, rng.poisson(rate * _weekday(days)))
        hour = np.mod(rng.normal(kind.hour, 3.4, len(day)), 24)
        minutes.append(day * DAY + (hour * 60).astype(np.int64))
        categories.append(np.full(len(day), position))
    minute, category = np.concatenate(minutes), np.concatenate(categories)
    dwelling, victim = _place_background(setting, places, category, rng)
    first = Events(minute, category, dwelling, victim, np.full(len(minute), NONE))
    return _set_off(setting, first, rng)


def _season(days: Whole) -> Real:
    """-0.1 in winter to 1 in July: the year's ASB averages a little above its winter."""
    turn = np.cos(2 * np.pi * ((days - 200) % 365.25) / 365.25)
    return np.asarray(np.maximum(turn, -0.1), dtype=np.float64)


def _weekday(days: Whole) -> Real:
    return np.array([1.0, 0.9, 0.92, 0.95, 0.95, 1.12, 1.16])[days % 7]


def _place_background(setting: Setting, places: Places, category: Whole,
                      rng: Generator) -> tuple[Whole, Whole]:
    begins = np.array([kind.begins for kind in KINDS.values()])[category]
    dwelling = np.zeros(len(category), np.int64)
    victim = np.full(len(category), NONE)
    for way, weights in enumerate(places.weights):
        rows = np.flatnonzero(begins == way)
        dwelling[rows] = pick(rng, weights, len(rows))
    rows = np.flatnonzero(begins == VICTIM)
    person = _draw_victims(setting, category[rows], rng)
    at_home = rng.random(len(rows)) < np.where(category[rows] == CODES.index("P05"), 0.3, 0.75)
    elsewhere = pick(rng, places.weights[TOWN], len(rows))
    dwelling[rows] = np.where(at_home, setting.people.home[person], elsewhere)
    victim[rows] = person
    return dwelling, victim


def _draw_victims(setting: Setting, category: Whole, rng: Generator) -> Whole:
    """Adults by their latent propensity; a missing person is most often a teenager."""
    count = setting.residents
    age = (setting.until - setting.people.born[:count]) / 365.25
    adults = np.cumsum(setting.people.victim[:count] * (age >= 18) + 1e-12)
    missing = np.cumsum(np.where((age > 11) & (age < 18), 1.0, 0.01)
                        * np.exp(1.3 * setting.people.frailty[:count]))
    elders = np.cumsum(np.where(age > 60, 1.0, 0.05) * (age >= 18)
                       * np.exp(setting.people.frailty[:count]))
    found = pick(rng, adults, len(category))
    for code, weights in (("MISS", missing), ("SCAM", elders)):
        rows = np.flatnonzero(category == CODES.index(code))
        found[rows] = pick(rng, weights, len(rows))
    return found


def _set_off(setting: Setting, first: Events, rng: Generator) -> Events:
    """Add the offspring of each generation until there are none left inside the period."""
    # Rates were thinned by the offspring expected over all generations, so totals hold.
    repeats = np.array([kind.repeats for kind in KINDS.values()])
    found, parents, base = [first], first, 0
    while len(parents):
        near = rng.poisson(np.where(repeats[parents.category], NEAR, 0.0))
        same = rng.poisson(np.where(repeats[parents.category], SAME, 0.0))
        from_near = np.repeat(np.arange(len(parents)), near)
        from_same = np.repeat(np.arange(len(parents)), same)
        source = np.r_[from_near, from_same]
        lag = np.r_[rng.exponential(NEAR_DAYS, len(from_near)),
                    rng.exponential(SAME_DAYS, len(from_same))]
        minute = parents.minute[source] + (lag * DAY).astype(np.int64)
        dwelling = parents.dwelling[source]
        moved = np.arange(len(source)) < len(from_near)
        dwelling = np.where(moved, _step_away(setting.town, dwelling, rng), dwelling)
        # The same person suffers again at the same address; nearby it is whoever lives there.
        victim = np.where(moved & (parents.victim[source] != NONE),
                          setting.homes.draw_adults(dwelling, rng), parents.victim[source])
        children = Events(minute, parents.category[source], dwelling, victim, base + source)
        base += len(parents)
        parents = children.take(minute < setting.until * DAY)
        found.append(parents)
    return Events(*(np.concatenate([getattr(part, name) for part in found])
                    for name in ("minute", "category", "dwelling", "victim", "parent")))


def _step_away(town: Town, dwelling: Whole, rng: Generator) -> Whole:
    """Some other dwelling near by: streets are laid out in order, so neighbours are close."""
    step = np.rint(rng.normal(0, 1.6, len(dwelling))).astype(np.int64)
    street = town.street[dwelling]
    other = np.clip(street + step, 0, len(town.street_name) - 1)
    outside = (town.street_area[other] != town.street_area[street]) | town.hamlet[other]
    other = np.where(outside, street, other)
    return pick_within(rng, np.arange(1.0, len(town.street) + 1), town.first_home[other],
                       town.first_home[other + 1])
