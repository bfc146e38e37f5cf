"""A card's parts <-> YAML that people read: every factor's bins with their points, every score's probability.

The layout is the one `engine` reads. Writing is done here line by line, because the layout is for officers: one bin a
line, numbers without exponents, words in quotation marks where YAML might take them for something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import yaml

from engine.condition import Condition, read_condition
from engine.errors import Problem
from models.bins import write_number
from models.calibration import Line
from models.inputs import FitError, Kind

HEADER = ("card", "title", "subject", "axis", "outcome", "status", "licence")
ADDED = ("applies", "needs", "bands", "answer")     # by people; this module only keeps them
WIDTH = 116
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*( [A-Za-z0-9_]+)*$")
_TAKEN = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


@dataclass(frozen=True)
class Bin:
    """One line of a factor: when it counts, its points, and the share of the rows fitted on."""

    source: Any
    points: int
    share: float

    @cached_property
    def when(self) -> Condition:
        """The condition as the engine reads it."""
        return read_condition(self.source)


@dataclass(frozen=True)
class Factor:
    """One thing a card asks: the fact's name in conditions, the column it comes from, and its bins."""

    fact: str
    column: str
    kind: Kind
    bins: tuple[Bin, ...]
    range: tuple[float, float] | None = None

    @property
    def typical(self) -> float:
        """The average points of the rows fitted on."""
        return sum(each.points * each.share for each in self.bins) / sum(each.share for each in self.bins)


def write_sheet(header: Mapping[str, Any], fitted: Mapping[str, Any], factors: Sequence[Factor],
                scores: Sequence[Line], workshop: Mapping[str, Any]) -> str:
    """The YAML text of a card. `workshop`: what only the estimator needs, last, where no officer has to read it."""
    lines = [f"{key}: {_write(header.get(key))}" for key in HEADER]
    lines.append("fitted:")
    lines += [f"  {_write(key)}: {_write(value)}" for key, value in fitted.items()]
    lines += [f"{key}: {_write(header[key])}" for key in ADDED if header.get(key) is not None]
    lines.append("factors:" if factors else "factors: []")
    for factor in factors:
        lines.append(f"  - fact: {_write(factor.fact)}")
        if factor.range is not None:
            lines.append(f"    range: [{', '.join(write_number(each) for each in factor.range)}]")
        lines.append("    bins:")
        lines += [f"      - {{when: {_write_condition(each.source)}, points: {each.points}, "
                  f"share: {_write(each.share)}}}" for each in factor.bins]
    lines.append("scores:")
    lines += [f"  - {{from: {each.first}, to: {each.last}, probability: {_write(each.probability)}, "
              f"low: {_write(each.low)}, high: {_write(each.high)}, rows: {each.rows}}}" for each in scores]
    lines += ["# What follows is for learning the card again. Nothing in it bears on anybody's points.", "workshop:"]
    for key, value in workshop.items():
        lines += _fold(key, value)
    return "\n".join(lines) + "\n"


def _fold(key: str, value: Any) -> list[str]:
    """A value of any length, one entry a line where it does not fit on one."""
    text = f"  {_write(key)}: {_write(value)}"
    if len(text) <= WIDTH or not isinstance(value, Mapping | list | tuple):
        return [text]
    if isinstance(value, Mapping):
        return [f"  {_write(key)}:", *(f"  {line}" for name, each in value.items() for line in _fold(name, each))]
    return [f"  {_write(key)}:", *(f"    - {_write(each)}" for each in value)]


def read_sheet(text: str) -> tuple[dict[str, Any], dict[str, Any], tuple[Factor, ...], tuple[Line, ...]]:
    """The header, what it was fitted on and with, the factors and the scores of a YAML text."""
    try:
        sheet = yaml.safe_load(text)
        fitted = {**sheet["fitted"], **sheet["workshop"]}
        columns = fitted["columns"]
        factors = tuple(
            Factor(each["fact"], columns[each["fact"]]["column"], columns[each["fact"]]["kind"],
                   tuple(Bin(b["when"], b["points"], float(b["share"])) for b in each["bins"]),
                   (float(each["range"][0]), float(each["range"][1])) if "range" in each else None)
            for each in sheet["factors"])
        scores = tuple(Line(each["from"], each["to"], float(each["probability"]), float(each["low"]),
                            float(each["high"]), each["rows"]) for each in sheet["scores"])
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise FitError(Problem("card", f"not a card that was fitted here ({error})",
                               "the YAML that to_yaml writes")) from error
    return {key: sheet.get(key) for key in (*HEADER, *ADDED)}, fitted, factors, scores


# --- words --------------------------------------------------------------------------------------


def _write_condition(source: Any) -> str:
    """A condition with every clause in quotation marks."""
    if isinstance(source, str):
        return json.dumps(source, ensure_ascii=False)
    (word, inside), = source.items()
    if isinstance(inside, list):
        return f"{{{word}: [{', '.join(_write_condition(each) for each in inside)}]}}"
    return f"{{{word}: {_write_condition(inside)}}}"


def _write(value: Any) -> str:
    """A value as YAML 1.1 and 1.2 both read it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            text = format(Decimal(repr(value)), "f")
            return text if "." in text else f"{text}.0"
        case date():
            return value.isoformat()
        case Mapping():
            return "{" + ", ".join(f"{_write(key)}: {_write(each)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(_write(each) for each in value) + "]"
    text = str(value)
    return text if _PLAIN.match(text) and text.lower() not in _TAKEN else json.dumps(text, ensure_ascii=False)
