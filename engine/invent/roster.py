"""People -> the six columns an agency writes about each: reference, names, birth date, address.

Each agency has its own numbers, its own misspellings and its own gaps, fixed per person: the same
agency misspells the same person the same way every time, as a copied-over record would.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.invent.arrays import NONE, Column, Truth, Whole, Words, draw_hash, keep, scramble
from engine.invent.geography import Town
from engine.invent.names import FORENAMES, NICKNAMES, SURNAMES
from engine.invent.residents import People


@dataclass(frozen=True)
class Habit:
    """How an agency keeps its people: share misspelt, without birth date, without address."""

    letters: str
    salt: int
    misspelt: float
    no_birth: float
    no_address: float
    twice: float                # share of people it holds under two numbers


HABITS = {
    "police": Habit("N", 31, 0.05, 0.04, 0.15, 0.02),
    "council": Habit("C", 32, 0.03, 0.03, 0.03, 0.015),
    "social_care": Habit("SC", 33, 0.04, 0.02, 0.08, 0.0),
    "education": Habit("ED", 34, 0.02, 0.01, 0.10, 0.0),
    "fire": Habit("FR", 35, 0.06, 0.25, 0.12, 0.0),
    "health": Habit("H", 36, 0.05, 0.03, 0.15, 0.0),
}
_SECOND_NUMBER = 40_000_000     # added to a person before scrambling: their other reference


def _swap(name: str) -> str:
    middle = len(name) // 2
    return name[:middle - 1] + name[middle] + name[middle - 1] + name[middle + 1:]


_SPOILT_SURNAMES = np.array([[_swap(n), n[:-1], n + n[-1], n.replace("i", "y", 1)]
                             for n in SURNAMES], dtype=object)
_SPOILT_FORENAMES = np.array([[NICKNAMES.get(n, _swap(n)), n[:-1], n[0], NICKNAMES.get(n, n)]
                              for n in FORENAMES], dtype=object)


def name_person(namespace: str, person: int) -> str:
    """The reference an agency uses for a person who is written plainly."""
    habit = HABITS[namespace]
    return f"{habit.letters}{int(scramble(np.array([person]), habit.salt)[0]):08d}"


@dataclass(frozen=True)
class Roster:
    """Everybody, and the town they live in."""

    people: People
    town: Town

    def find_homes(self, person: Whole, when: Whole) -> Whole:
        """The dwelling of each person on a day, NONE when not in the borough."""
        known = np.maximum(person, 0)
        before = when < self.people.moved[known]
        home = np.where(before, self.people.earlier_home[known], self.people.home[known])
        return np.where(person >= 0, home, NONE)

    def write_block(self, prefix: str, namespace: str, person: Whole,
                    when: Whole, settled: Truth) -> dict[str, Column]:
        """The six columns for these people as the agency held them on these days; no address unless `settled`."""
        habit, people = HABITS[namespace], self.people
        known = np.maximum(person, 0)
        spoilt = ~people.plain[known]
        chance = draw_hash(known, habit.salt)
        other = spoilt & (chance > 1 - habit.twice) & (when % 2 == 0)
        reference = scramble(known + np.where(other, _SECOND_NUMBER, 0), habit.salt)
        wrong = spoilt & ((chance < habit.misspelt) | other)
        forename, surname = self._write_names(known, wrong, habit.salt)
        born = people.born[known]
        born = np.where(spoilt & (draw_hash(known, habit.salt + 50) < habit.no_birth), NONE, born)
        home = self.find_homes(person, when)
        lost = spoilt & (draw_hash(known, habit.salt + 90) < habit.no_address)
        home = np.where(lost | ~settled, NONE, home)
        live = np.maximum(home, 0)
        absent = (person < 0) | (home < 0)
        uprn = np.where(absent, NONE, self.town.uprn[live])
        postcode = keep(~absent, self.town.postcode[live])
        somebody = person >= 0
        return {f"{prefix}_ref": keep(somebody, reference),
                f"{prefix}_forename": keep(somebody, forename),
                f"{prefix}_surname": keep(somebody, surname),
                f"{prefix}_dob": keep(somebody, born),
                f"{prefix}_uprn": uprn, f"{prefix}_postcode": postcode}

    def _write_names(self, person: Whole, wrong: Truth, salt: int) -> tuple[Words, Words]:
        first, last = self.people.forename[person], self.people.surname[person]
        forename, surname = FORENAMES[first], SURNAMES[last]
        rows = np.flatnonzero(wrong)
        way = (draw_hash(person[rows], salt + 70) * 4).astype(np.int64)
        spoils_last = draw_hash(person[rows], salt + 80) < 0.55
        forename[rows] = np.where(spoils_last, forename[rows],
                                  _SPOILT_FORENAMES[first[rows], way])
        surname[rows] = np.where(spoils_last, _SPOILT_SURNAMES[last[rows], way], surname[rows])
        return forename, surname
