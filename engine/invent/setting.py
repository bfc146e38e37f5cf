"""What every chapter of the borough shares: the town, its people, the period, the scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.invent.arrays import NONE, Column, Generator, Real, Whole, blank, keep, make_generator
from engine.invent.geography import Town
from engine.invent.residents import Homes, People

BOROUGH_PEOPLE = 103_600        # the population the calibration counts belong to
MONTH = 30.4375
NO_LOCATION = 0.15              # share of incidents nobody wrote a place for


@dataclass(frozen=True)
class Setting:
    """The stage. `people[:residents]` live here; those after have left."""

    town: Town
    people: People
    homes: Homes
    residents: int
    start: int
    until: int
    months: int
    seed: int
    recorded: float = 1.0        # share of what the smaller group suffers that anybody is told of

    @property
    def scale(self) -> float:
        """How many boroughs of 103,600 people this is."""
        return self.residents / BOROUGH_PEOPLE

    def stream(self, chapter: str) -> Generator:
        """The chapter's own random numbers."""
        return make_generator(self.seed, chapter)

    def draw_days(self, count: int, rng: Generator, first: int | None = None) -> Whole:
        """Days spread evenly over the period."""
        return rng.integers(self.start if first is None else first, self.until, count)

    def ages(self, person: Whole, when: Whole) -> Real:
        """Ages in years on given days."""
        return np.asarray((when - self.people.born[person]) / 365.25, dtype=np.float64)

    def locate(self, dwelling: Whole, rng: Generator, *, no_uprn: float,
               nowhere: float = NO_LOCATION) -> dict[str, Column]:
        """The five location columns of these dwellings, as incompletely as agencies keep them."""
        town, street = self.town, self.town.street[np.maximum(dwelling, 0)]
        gone = (rng.random(len(dwelling)) < nowhere) | (dwelling < 0)
        home = np.maximum(dwelling, 0)
        return {
            "uprn": np.where(gone, NONE, blank(town.uprn[home], no_uprn, rng)),
            "usrn": np.where(gone, NONE, town.usrn[street]),
            "lsoa": keep(~gone, town.area_code[town.street_area[street]]),
            "easting": np.where(gone, NONE, town.easting[home]),
            "northing": np.where(gone, NONE, town.northing[home])}
