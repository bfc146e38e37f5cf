"""Invented characteristics of everybody, for audits alone, and who of the smaller group is never heard of.

Drawn by a stream of their own, person by person, with no eye to what anybody suffers, causes or needs: whatever differs
between the groups in the lists was put there by how things are recorded. Kept with the truth; no extract holds it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from engine.invent.arrays import NONE, Truth, Whole, Words, make_generator, pick, words
from engine.invent.names import WOMEN
from engine.invent.residents import YEAR, People
from engine.invent.setting import Setting
from engine.invent.writing import write_csv

GROUPS = {"A": 0.6, "B": 0.25, "C": 0.15}   # they stand for no real group; the last is the smallest
SMALLER = "C"
BANDS = ((18, "under 18"), (25, "18 to 24"), (40, "25 to 39"), (65, "40 to 64"))
OLDEST = "65 and over"


def draw_groups(seed: int, count: int) -> Words:
    """The group of each of so many people; more people later change nobody's."""
    shares = np.cumsum(np.array(list(GROUPS.values())))
    return words(list(GROUPS))[pick(make_generator(seed, "groups"), shares, count)]


def draw_told(setting: Setting, victim: Whole, chapter: str) -> Truth:
    """Whether anybody was told of each incident, by who suffered it (NONE: nobody in particular)."""
    if setting.recorded >= 1:
        return np.ones(len(victim), dtype=np.bool_)
    smaller = draw_groups(setting.seed, len(setting.people)) == SMALLER
    theirs = (victim != NONE) & smaller[np.maximum(victim, 0)]
    return np.asarray(~theirs | (setting.stream(f"told {chapter}").random(len(victim)) < setting.recorded),
                      dtype=np.bool_)


def write_equality(path: Path, setting: Setting, people: People, name: pa.Array) -> None:
    """person (true id), group, sex, age_band on the last day: everybody, those who have left and the cast included."""
    age = (setting.until - people.born) / YEAR
    band = np.searchsorted([years for years, _ in BANDS], age, side="right")
    write_csv(path, ["person", "group", "sex", "age_band"], [
        name, pa.array(draw_groups(setting.seed, len(people)), pa.string()),
        pa.array(np.where(people.forename < WOMEN, "female", "male"), pa.string()),
        pa.array(words([*(text for _, text in BANDS), OLDEST])[band], pa.string())])
