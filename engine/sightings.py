"""A table of sightings, as agencies wrote them -> arrays of codes in which like is written alike.

What is no name, birthday or address at all (a placeholder) becomes missing here, so that it can
join nobody. It knows nothing of who is who.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.errors import Problem, RunError
from engine.registry import Days, Ints, Words, read_days

Flags = npt.NDArray[np.bool_]
Text: TypeAlias = "pd.Series[Any]"      # of str, NaN where missing

_STEM = 3      # letters: short forms keep them (Rob, Robert), and few twins share them
COLUMNS = ["sighting", "namespace", "ref", "forename", "surname", "dob", "uprn", "postcode",
           "first_known"]
_DEFAULT_BIRTHDAY = np.datetime64("1900-01-01")  # what systems write when nobody knew
_NOT_A_NAME = {"unknown", "notknown", "notgiven", "anonymous", "unborn", "baby"}  # joins strangers
_NOT_AN_ADDRESS = "ZZ99"        # the NHS's pseudo-postcodes: no fixed abode, abroad
_UNSPLIT = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe",
                          "þ": "th"})             # letters Unicode does not part from their accent
_DROPPED = r"[\u0300-\u036f\s\-\u2010-\u2015'\u2018\u2019\u02bc`\u00b4.,?]"


@dataclass(frozen=True)
class Known:
    """Sightings in order of number, as arrays; a code is -1 where the value is missing."""

    sighting: Ints
    namespace: Words
    owner: Words                # "police:4711", or "police" without a reference
    reference: Ints             # code of (namespace, ref)
    forename: Ints
    stem: Ints                  # its first letters: Rob and Robert agree, and A. says nothing
    surname: Ints
    dob: Ints
    identity: Ints              # code of (forename, surname, dob): tier 2 needs all three
    uprn: Ints
    postcode: Ints
    birthday: Days
    first_known: Days
    written: pd.DataFrame       # what tells those without a reference apart

    @property
    def new_year(self) -> Flags:
        """Born on a 1 January: often what is written when only the year is known."""
        new_year: Flags = self.birthday == self.birthday.astype("M8[Y]")
        return new_year

    @property
    def addressed(self) -> Flags:
        return (self.uprn >= 0) | (self.postcode >= 0)


def read_sightings(sightings: pd.DataFrame) -> Known:
    """The table (COLUMNS; one row per identity as an agency wrote it) as codes, or RunError."""
    _check(sightings)
    rows = sightings.sort_values("sighting", ignore_index=True)
    namespace = rows["namespace"].astype("str")
    owner = namespace + ":" + _clean(rows["ref"], _trim)
    forename, surname = (_clean(rows[name], _plain_names) for name in ("forename", "surname"))
    uprn, postcode = _clean(rows["uprn"], _plain_uprns), _clean(rows["postcode"], _plain_postcodes)
    birthday = read_days(rows["dob"])
    written = pd.DataFrame({"forename": forename, "surname": surname, "uprn": uprn,
                            "postcode": postcode, "dob": _clean(pd.Series(birthday), _trim)})
    birthday[birthday == _DEFAULT_BIRTHDAY] = np.datetime64("NaT")
    # Without a birthday nothing may be linked by name, so there even the spelling tells apart.
    undated = pd.Series(np.isnat(birthday))
    for name in ("forename", "surname", "uprn", "postcode"):
        written[name] = written[name].mask(undated, _clean(rows[name], _trim))
    stem = forename.str.slice(0, _STEM).where(forename.str.len() >= _STEM)
    first, last, born = _code(forename), _code(surname), _code(pd.Series(birthday))
    return Known(
        rows["sighting"].to_numpy(np.int64), namespace.to_numpy(object),
        owner.fillna(namespace).to_numpy(object), _code(owner), first, _code(stem), last, born,
        combine_codes(first, last, born), _code(uprn), _code(postcode), birthday,
        read_days(rows["first_known"]), written,
    )


def count_codes(codes: Ints) -> int:
    """How many different codes there can be: they are 0, 1, 2, ..., and -1 for none."""
    return int(codes.max(initial=-1)) + 1


def combine_codes(first: Ints, *others: Ints) -> Ints:
    """One code for several; -1 if any is missing."""
    whole = first
    for other in others:
        joint = np.where((whole >= 0) & (other >= 0), whole * count_codes(other) + other, -1)
        whole = pd.factorize(np.append(-1, joint))[0][1:].astype(np.int64) - 1
    return whole


def _check(sightings: pd.DataFrame) -> None:
    if missing := [name for name in COLUMNS if name not in sightings]:
        raise RunError(Problem("sightings", f"no column {', '.join(missing)}", ", ".join(COLUMNS)))
    problems = [Problem(f"sightings.{name}", "rows without a value", "a value in every row")
                for name in ("sighting", "namespace", "first_known")
                if sightings[name].isna().any()]
    if sightings["sighting"].duplicated().any():
        problems.append(Problem("sightings.sighting", "a number on several rows", "each once"))
    if problems:
        raise RunError(problems)


def _clean(column: pd.Series[Any], clean: Callable[[Text], Text]) -> Text:
    """Each distinct value cleaned once; what becomes empty becomes missing."""
    codes, values = pd.factorize(column)
    cleaned = clean(pd.Series(np.asarray(values).astype(str), dtype="str"))
    cleaned = pd.concat([cleaned.where(cleaned != ""), pd.Series([None], dtype="str")])
    return cleaned.take(codes).reset_index(drop=True)


def _trim(texts: Text) -> Text:
    return texts.str.strip()


def _plain_names(names: Text) -> Text:
    """No capitals, accents, hyphens, apostrophes or spaces; particles and word order stay."""
    plain = names.str.normalize("NFKD").str.casefold().str.translate(_UNSPLIT)
    plain = plain.str.replace(_DROPPED, "", regex=True)
    return plain.where(~plain.isin(_NOT_A_NAME), "")


def _plain_uprns(uprns: Text) -> Text:
    return uprns.str.strip().str.lstrip("0")


def _plain_postcodes(postcodes: Text) -> Text:
    plain = postcodes.str.upper().str.replace(r"\s", "", regex=True)
    return plain.where(~plain.str.startswith(_NOT_AN_ADDRESS), "")


def _code(column: pd.Series[Any]) -> Ints:
    return pd.factorize(column)[0].astype(np.int64)
