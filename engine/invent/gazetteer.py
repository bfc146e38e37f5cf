"""The town -> the address gazetteer: one row per address and ward it has been in."""

from __future__ import annotations

from datetime import date

import numpy as np

from engine.invent.arrays import NONE, Whole, Words, to_day, words
from engine.invent.extracts import Extracts
from engine.invent.geography import OLD_WARDS, WARDS, property_number
from engine.invent.setting import Setting

# The boundary review: nineteen wards became sixteen.
REVIEW = to_day(date(2023, 5, 4))
FIRST = to_day(date(2003, 5, 1))


def write_addresses(setting: Setting, extracts: Extracts, premises_street: Whole) -> None:
    """Dwellings and premises, each under its old ward until the review and its new ward since."""
    town, homes = setting.town, len(setting.town.street)
    count = homes + len(premises_street)
    street = np.r_[town.street, premises_street]
    area = town.street_area[street]
    middle_e = np.round(town.street_e[premises_street]).astype(np.int64)
    middle_n = np.round(town.street_n[premises_street]).astype(np.int64)
    shop = words([f"Unit {n + 1} {town.street_name[s]}"
                  for n, s in enumerate(premises_street.tolist())])
    block = np.r_[town.block(np.arange(homes)), np.full(len(premises_street), None)]
    first = town.first_home[np.minimum(premises_street, len(town.first_home) - 2)]
    common = {
        "uprn": property_number(np.arange(count)), "address": np.r_[town.address(), shop],
        "postcode": np.r_[town.postcode, town.postcode[first]], "usrn": town.usrn[street],
        "street_name": town.street_name[street], "block_ref": block,
        "lsoa": town.area_code[area], "lsoa_name": town.area_name[area],
        "easting": np.r_[town.easting, middle_e], "northing": np.r_[town.northing, middle_n],
        "dwelling": (np.arange(count) < homes).astype(np.int64)}
    old, new = town.old_ward[area], town.ward[area]
    for numbers, code, names, since, until in (
            (old, "E05999{:03d}", OLD_WARDS, FIRST, REVIEW),
            (new, "E05999{:03d}", WARDS, REVIEW, NONE)):
        shift = 101 if names is OLD_WARDS else 1
        extracts.add("addresses", {
            **common, "ward": _name_wards(code, len(names), shift)[numbers],
            "ward_name": words(names)[numbers], "ward_from": np.full(count, since),
            "ward_to": np.full(count, until),
            "recorded": np.full(count, since if since < setting.start - 30
                                else setting.start - 30)})


def _name_wards(code: str, count: int, shift: int) -> Words:
    return words([code.format(number + shift) for number in range(count)])
