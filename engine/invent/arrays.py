"""Small vocabulary of arrays and draws: a seed and a place's name -> the same numbers every time.

Dates are whole days since 1970, times whole minutes; NONE stands for a value that was not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Whole: TypeAlias = NDArray[np.int64]
Real: TypeAlias = NDArray[np.float64]
Truth: TypeAlias = NDArray[np.bool_]
Words: TypeAlias = NDArray[np.object_]
Column: TypeAlias = NDArray[Any]
Value: TypeAlias = str | int | float | None
Generator = np.random.Generator

NONE = -2_147_483_648
DAY = 1440                      # minutes
_EPOCH = date(1970, 1, 1)


def make_generator(seed: int, chapter: str) -> Generator:
    """An independent stream per chapter, so that changing one chapter leaves the others alone."""
    return np.random.Generator(np.random.PCG64([seed, *chapter.encode()]))


def to_day(day: date) -> int:
    """Days since 1970."""
    return (day - _EPOCH).days


def words(values: Sequence[str]) -> Words:
    """Text as an object array, None where the text is empty."""
    array = np.empty(len(values), dtype=object)
    array[:] = [value or None for value in values]
    return array


def pick(rng: Generator, cumulative: Real, count: int) -> Whole:
    """So many positions drawn in proportion to weights given as their running total."""
    draws = rng.random(count) * cumulative[-1]
    found = np.searchsorted(cumulative, draws, side="right")
    return np.asarray(np.minimum(found, len(cumulative) - 1), dtype=np.int64)


def pick_within(rng: Generator, cumulative: Real, start: Whole, stop: Whole) -> Whole:
    """One position per row drawn by weight from the slice [start, stop) of the running total."""
    below = np.where(start > 0, cumulative[np.maximum(start - 1, 0)], 0.0)
    above = np.where(stop > 0, cumulative[np.maximum(stop - 1, 0)], 0.0)
    draws = below + rng.random(len(start)) * (above - below)
    found = np.searchsorted(cumulative, draws, side="right")
    return np.asarray(np.clip(found, start, np.maximum(stop - 1, start)), dtype=np.int64)


def choose(rng: Generator, options: Mapping[str, float], count: int) -> Words:
    """So many words drawn by their weights; the empty word is not recorded."""
    weights = np.cumsum(np.array(list(options.values()), dtype=np.float64))
    return words(list(options))[pick(rng, weights, count)]


def draw_delay(rng: Generator, median: float, count: int, spread: float = 1.0) -> Real:
    """Lognormal delays in days about a median."""
    return np.asarray(median * np.exp(spread * rng.standard_normal(count)), dtype=np.float64)


def blank(values: Column, share: float, rng: Generator) -> Column:
    """The same values with a share of them not recorded."""
    gone = rng.random(len(values)) < share
    empty: Any = None if values.dtype == object else NONE
    return np.where(gone, empty, values)


def keep(where: Truth, values: Column) -> Column:
    """The same values where the condition holds, not recorded elsewhere."""
    empty: Any = None if values.dtype == object else NONE
    return np.where(where, values, empty)


def scramble(values: Whole, salt: int) -> Whole:
    """Counting numbers -> eight-digit numbers in no order, one to one, so that no order leaks."""
    prime = 99_999_989
    return np.asarray((values * 48_271_013 + salt * 7_654_321 + 1_234_567) % prime,
                      dtype=np.int64)


def draw_hash(values: Whole, salt: int) -> Real:
    """A number in [0, 1) fixed by the value: the same person is misspelt the same way each time."""
    mixed = (values.astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) / 2.0**53, dtype=np.float64)
