"""Points of the British National Grid, in metres -> what may be drawn of them: squares and outlines, never a dwelling.

Every corner given here lies on the lines of a grid, so that no corner is anybody's door.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from math import atan2, degrees, hypot

Point = tuple[float, float]
Corner = tuple[int, int]

FINE, COARSE = 50, 100
"""Metres: the sides of the squares that records are counted in. About four house fronts, and twice that where homes
are few; this partnership's own choice."""

_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True)
class Square:
    """Records in one square; `west` and `south` are its sides, `last` the day of the latest."""

    west: int
    south: int
    side: int
    records: int
    last: date

    @property
    def middle(self) -> Point:
        """Its middle."""
        return self.west + self.side / 2, self.south + self.side / 2


def find_corner(point: Point, side: int) -> Corner:
    """The south-west corner of the square a point lies in."""
    return int(point[0] // side) * side, int(point[1] // side) * side


def find_squares(points: Iterable[Point], side: int) -> tuple[Corner, ...]:
    """The squares that hold any of some points, by their south-west corners."""
    return tuple(sorted({find_corner(point, side) for point in points}))


def enclose(points: Iterable[Point], side: int) -> tuple[Corner, ...]:
    """The corners of the smallest outline without dents around the squares that hold some points, anticlockwise."""
    corners = {(west + x, south + y) for west, south in find_squares(points, side) for x in (0, side)
               for y in (0, side)}
    ordered = sorted(corners)
    return (*_turn_left(ordered), *_turn_left(ordered[::-1]))


def _turn_left(corners: Iterable[Corner]) -> list[Corner]:
    """One half of the outline (Andrew's monotone chain), without its last corner, which begins the other half."""
    kept: list[Corner] = []
    for corner in corners:
        while len(kept) > 1 and _cross(kept[-2], kept[-1], corner) <= 0:
            kept.pop()
        kept.append(corner)
    return kept[:-1]


def _cross(a: Corner, b: Corner, c: Corner) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def measure_extent(outline: Collection[Corner]) -> tuple[int, int]:
    """Metres from west to east and from south to north."""
    easts, norths = [x for x, _ in outline], [y for _, y in outline]
    return max(easts) - min(easts), max(norths) - min(norths)


def count_records(records: Iterable[tuple[Point, date]], homes: Iterable[Point], least: int) -> tuple[Square, ...]:
    """Records counted by square, most first. A square that holds homes holds at least `least` of them.

    Where a fine square with a record holds fewer, the coarse square around it is counted as one, so that nothing can
    be worked out from its other quarters. Where that holds too few as well, nothing of it is given.
    """
    placed = list(records)
    homes = list(homes)
    fine, coarse = (Counter(find_corner(home, side) for home in homes) for side in (FINE, COARSE))
    merged = {find_corner(point, COARSE) for point, _ in placed
              if 0 < fine[find_corner(point, FINE)] < least}
    days: dict[tuple[Corner, int], list[date]] = defaultdict(list)
    for point, day in placed:
        around = find_corner(point, COARSE)
        if around not in merged:
            days[find_corner(point, FINE), FINE].append(day)
        elif coarse[around] >= least:
            days[around, COARSE].append(day)
    squares = [Square(west, south, side, len(some), max(some)) for ((west, south), side), some in days.items()]
    return tuple(sorted(squares, key=lambda one: (-one.records, -one.last.toordinal(), one.west, one.south)))


def say_direction(middle: Point, to: Point, side: int) -> str:
    """Where one point lies from another, in words, to so many metres."""
    east, north = to[0] - middle[0], to[1] - middle[1]
    metres = int(hypot(east, north) / side + 0.5) * side
    if not metres:
        return "at the middle"
    wind = _WINDS[round(degrees(atan2(east, north)) / 45) % 8]
    return f"about {metres:,} m {wind} of the middle"


def letter(number: int) -> str:
    """A, B, ... Z, AA, AB, ...: what a square is called on the map and in its table."""
    name = ""
    while number >= 0:
        name, number = chr(ord("A") + number % 26) + name, number // 26 - 1
    return name
