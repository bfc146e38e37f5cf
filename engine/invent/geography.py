"""A number of residents -> an invented town: areas, streets, blocks, dwellings and hamlets.

The town is a grid of areas of about 1,450 people, 650 m apart, around a point where no such town
stands. Hamlets lie in rings around it, more than a kilometre from each other and from the town, so
that what happens in one is never "within 500 metres" of anything else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.invent.arrays import Column, Generator, Real, Truth, Whole, Words, keep, scramble, words
from engine.invent.names import draw_street_names

CENTRE = (438_000, 371_000)
AREA_SIDE = 650                 # metres between the centres of neighbouring areas
PEOPLE_PER_AREA = 1_450
DWELLINGS_PER_STREET = 20
HOMES_PER_RESIDENT = 0.48       # 48,000 dwellings to 100,000 residents
HAMLET_SPACING = 1_150          # beyond every "near" radius but the agreed 2,000 m of a party
HOUSE_HAMLETS, FLAT_HAMLETS, ESTATE_HOMES = 120, 8, 160
HOUSES, FLATS = 6, 10
OWNER, PRIVATE, COUNCIL, ASSOCIATION = range(4)
# 9,000 council homes to 103,600 residents.
COUNCIL_HOMES_PER_RESIDENT = 0.087
WARDS = ["Ashfold", "Beck Green", "Cinder Hill", "Dallow", "Eastmoor", "Fairhurst", "Glasshouse",
         "Harrow Lees", "Inkley", "Kelham Rise", "Loundwood", "Mill Deep", "Netherby", "Oxclose",
         "Pitsford", "Quarnfield"]
OLD_WARDS = ["Abbot's Croft", "Birley", "Castle Yard", "Dallow North", "Dallow South", "Eastmoor",
             "Far Hope", "Glasshouse", "Hagg Side", "Inkley", "Jubilee", "Kelham", "Loundwood",
             "Middle Deep", "Netherby", "Old Works", "Pitsford", "Ridings", "St Osyth's"]


@dataclass(frozen=True)
class Town:
    """Areas, streets and dwellings; a street or dwelling is its position in the arrays below."""

    area_code: Words
    area_name: Words
    area_e: Real
    area_n: Real
    deprivation: Real           # 0 comfortable to 1 hard pressed, one per area
    ward: Whole                 # since the boundary review
    old_ward: Whole
    street_name: Words
    street_area: Whole
    street_e: Real
    street_n: Real
    street_block: Truth         # the street's dwellings are flats in one block
    centre: Truth               # a town-centre street
    first_home: Whole           # the street's dwellings are [first_home, next street's first_home)
    hamlet: Truth
    street: Whole               # one per dwelling from here on
    easting: Whole
    northing: Whole
    number: Whole
    tenure: Whole
    postcode: Words
    beds: Whole

    @property
    def uprn(self) -> Whole:
        """Twelve digits beginning 9999, one per dwelling."""
        return property_number(np.arange(len(self.street)))

    @property
    def usrn(self) -> Whole:
        """Eight digits, one per street."""
        return street_number(np.arange(len(self.street_name)))

    def block(self, dwelling: Whole) -> Column:
        """The block each dwelling is a flat of, or None."""
        street = self.street[dwelling]
        numbers = scramble(street, 5) % 1_000_000
        named = words([f"BLK{number:06d}" for number in numbers.tolist()])
        return keep(self.street_block[street], named)

    def address(self) -> Words:
        """One postal line per dwelling, without commas."""
        names, flats = self.street_name, self.street_block
        return words([f"Flat {number} {names[street].rsplit(' ', 1)[0]} Court" if flats[street]
                      else f"{number} {names[street]}"
                      for number, street in zip(self.number.tolist(), self.street.tolist(),
                                                strict=True)])


def property_number(dwelling: Whole) -> Whole:
    """UPRNs for dwelling positions; premises take the positions after the last dwelling."""
    return 999_900_000_000 + scramble(dwelling, 1)


def street_number(street: Whole) -> Whole:
    """USRNs for street positions."""
    return 99_000_000 + (street * 481_271 + 314_159) % 999_983


def build_town(residents: int, rng: Generator) -> Town:
    """The whole invented geography for so many residents."""
    areas = max(4, round(residents / PEOPLE_PER_AREA))
    side = int(np.ceil(np.sqrt(areas)))
    row, col = np.divmod(np.arange(areas), side)
    area_e = CENTRE[0] + (col - (side - 1) / 2) * AREA_SIDE
    area_n = CENTRE[1] + (row - (side - 1) / 2) * AREA_SIDE
    hamlet_e, hamlet_n = _place_hamlets(side)
    hamlet_homes = np.r_[np.full(HOUSE_HAMLETS, HOUSES), np.full(FLAT_HAMLETS, FLATS), ESTATE_HOMES]
    # Hamlets are the same for every size; in a very small borough they come on top.
    homes = max(round(residents * HOMES_PER_RESIDENT),
                round(residents * 0.46) + int(hamlet_homes.sum()))
    town_homes = homes - int(hamlet_homes.sum())
    streets = _lay_streets(areas, town_homes, rng)
    area_of = np.r_[streets[0], _find_nearest(hamlet_e, hamlet_n, area_e, area_n)]
    street_e = np.r_[area_e[streets[0]] + streets[1], hamlet_e]
    street_n = np.r_[area_n[streets[0]] + streets[2], hamlet_n]
    sizes = np.r_[streets[3], hamlet_homes]
    hamlet = np.r_[np.zeros(len(streets[0]), bool), np.ones(len(hamlet_homes), bool)]
    block = np.r_[rng.random(len(streets[0])) < 0.14, hamlet_homes >= FLATS]
    street = np.repeat(np.arange(len(sizes)), sizes)
    first = np.r_[0, np.cumsum(sizes)]
    number = np.arange(len(street)) - first[street] + 1
    easting, northing = _place_homes(street, number, sizes, street_e, street_n, block, rng)
    from_centre = np.hypot(street_e - CENTRE[0], street_n - CENTRE[1])
    deprivation = np.clip(rng.beta(2.2, 2.2, areas), 0.02, 0.98)
    number_areas = np.arange(areas)
    # The two sets of wards cut the town across each other, so that many streets changed ward.
    return Town(
        words([f"E01999{n + 1:03d}" for n in number_areas]),
        words([f"Ravensmoor {n // 4 + 1:03d}{'ABCD'[n % 4]}" for n in number_areas]),
        area_e, area_n, deprivation,
        np.minimum(number_areas * len(WARDS) // max(areas, len(WARDS)), len(WARDS) - 1),
        np.argsort(np.argsort(col * side + row)) * len(OLD_WARDS) // max(areas, len(OLD_WARDS)),
        draw_street_names(rng, len(sizes)), area_of, street_e, street_n, block,
        (from_centre < 420) & ~hamlet, first, hamlet, street, easting, northing, number,
        _draw_tenures(street, area_of, deprivation, block, residents, hamlet, rng),
        _name_postcodes(street, number), np.clip(rng.integers(1, 5, len(street)), 1,
                                                 np.where(block[street], 2, 4)))


def _place_hamlets(side: int) -> tuple[Real, Real]:
    count = HOUSE_HAMLETS + FLAT_HAMLETS + 1
    placed: list[tuple[float, float]] = []
    radius = side * AREA_SIDE * 0.72 + 1_600
    while len(placed) < count:
        slots = int(2 * np.pi * radius // (HAMLET_SPACING + 60))
        placed += [(radius * np.cos(a), radius * np.sin(a))
                   for a in np.arange(slots) * 2 * np.pi / slots]
        radius += HAMLET_SPACING
    places = np.array(placed[:count])
    return np.round(CENTRE[0] + places[:, 0]), np.round(CENTRE[1] + places[:, 1])


def _lay_streets(areas: int, homes: int, rng: Generator) -> tuple[Whole, Real, Real, Whole]:
    each = max(6, round(homes / DWELLINGS_PER_STREET / areas))
    area = np.repeat(np.arange(areas), each)
    across = int(np.ceil(np.sqrt(each)))
    row, col = np.divmod(np.tile(np.arange(each), areas), across)
    step = AREA_SIDE / across
    jitter = rng.uniform(-0.2, 0.2, (2, len(area)))
    weights = rng.lognormal(0.0, 0.55, len(area))
    sizes = 2 + rng.multinomial(homes - 2 * len(area), weights / weights.sum())
    return (area, (col - (across - 1) / 2 + jitter[0]) * step,
            (row - (across - 1) / 2 + jitter[1]) * step, sizes)


def _find_nearest(e: Real, n: Real, area_e: Real, area_n: Real) -> Whole:
    return np.asarray(np.argmin(np.hypot(e[:, None] - area_e, n[:, None] - area_n), axis=1))


def _place_homes(street: Whole, number: Whole, sizes: Whole, street_e: Real, street_n: Real,
                 block: Truth, rng: Generator) -> tuple[Whole, Whole]:
    turn = rng.integers(0, 2, len(sizes))[street]
    pace = np.where(block[street], 0.2, np.minimum(10.0, 240.0 / sizes[street]))
    along = (number - (sizes[street] + 1) / 2) * pace / 2
    across = np.where(number % 2 == 0, 8.0, -8.0)
    easting = street_e[street] + np.where(turn == 0, along, across)
    northing = street_n[street] + np.where(turn == 0, across, along)
    return np.round(easting).astype(np.int64), np.round(northing).astype(np.int64)


def _draw_tenures(street: Whole, area_of: Whole, deprivation: Real, block: Truth, residents: int,
                  hamlet: Truth, rng: Generator) -> Whole:
    """Council homes stand together: whole streets of the harder-pressed areas, and most blocks."""
    lean = deprivation[area_of] + 0.5 * block + rng.normal(0, 0.25, len(block)) - 9.0 * hamlet
    order = np.argsort(-lean, kind="stable")
    sizes = np.bincount(street, minlength=len(block))
    wanted = residents * COUNCIL_HOMES_PER_RESIDENT / 0.85
    estate = np.zeros(len(block), bool)
    estate[order[np.cumsum(sizes[order]) <= wanted]] = True
    draws = rng.random(len(street))
    outside = np.where(draws < 0.76, OWNER, np.where(draws < 0.96, PRIVATE, ASSOCIATION))
    return np.where(estate[street] & (draws < 0.85), COUNCIL, outside).astype(np.int64)


def _name_postcodes(street: Whole, number: Whole) -> Words:
    """About sixteen homes share a postcode; the ZZ area is used by no real post."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    group = (number - 1) // 16
    fresh = np.r_[True, (street[1:] != street[:-1]) | (group[1:] != group[:-1])]
    unit = np.cumsum(fresh) - 1
    names = words([f"ZZ{10 + n // 4000} {n // 400 % 10}{letters[n // 20 % 20]}{letters[n % 20]}"
                   for n in range(int(unit[-1]) + 1)])
    return np.asarray(names[unit], dtype=object)
