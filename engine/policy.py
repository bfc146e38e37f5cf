"""What surrounds the rules -> frozen values: exclusions, protective factors, the partnership's numbers, categories."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.documents import Located
from engine.errors import Problem
from engine.forms import STRICT, Words, fill_form, read_entries, read_when, read_whole
from engine.incidents import Category
from engine.rule import AXES, Axis, Exclusion, OrderFactor, Policy, Protection, Scheme
from engine.schema import Subject


class _ExclusionEntry(BaseModel):
    model_config = STRICT
    title: str
    why: str
    effect: str
    route: str = ""
    subject: Subject | None = None
    when: Any = None
    enforced: Literal["records", "load"] | None = None


class _ProtectionEntry(BaseModel):
    model_config = STRICT
    title: str
    why: str
    subject: Subject = "person"
    axes: list[Axis] = Field(min_length=1)
    when: Any
    reduce: float = Field(gt=0, le=0.3)
    themes: Words = Field(default_factory=list)


class _CategoryEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    label: str
    family: str
    harm_weight: int = Field(ge=1, le=5)
    cchi_days: float = Field(ge=0)


class _FactorEntry(BaseModel):
    model_config = STRICT
    title: str
    source: str
    why: str
    applies: Any = None
    facts: Words = Field(min_length=1)


class _Scheme(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    bands: list[str] = Field(min_length=1)
    shortlist: int = Field(ge=1, le=100)
    matches: int = Field(ge=1, le=100)


class _PolicyValues(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    bands: dict[Literal["watch", "discuss", "convene"], float] = Field(min_length=3)
    theme_cap: float = Field(gt=0)
    half_life_days: dict[Axis, Annotated[float, Field(gt=0)]] = Field(min_length=len(AXES))
    protective_cap: float = Field(ge=0, le=1)
    capacity: dict[str, Annotated[int, Field(ge=1)] | None]
    cool_down_days: int = Field(ge=0)
    small_cell: int = Field(default=5, ge=3)        # below 3 a hidden count could only be 1
    scheme: _Scheme


_POLICY_SHAPES = {
    "bands": "points for each of watch, discuss, convene",
    "half_life_days": f"one for each of {', '.join(AXES)}",
    "capacity": "a whole number for each list, or null for every one",
    "small_cell": "a whole number, 3 or more",
    "scheme": "bands: the register's bands, first first; shortlist and matches: whole numbers from 1 to 100",
}


class _Decided(BaseModel):
    model_config = STRICT
    value: Any
    why: str
    decided_by: str
    from_: date = Field(alias="from")


def read_exclusions(path: Path, problems: list[Problem]) -> tuple[Exclusion, ...]:
    """Exclusions and routings X-01..: those with a condition here, the others kept by the record layer."""
    found = []
    for key, raw, entry in read_entries(path, _ExclusionEntry, problems):
        when = read_when(raw, "when", problems) if entry.when is not None else None
        found.append(Exclusion(key, entry.title, entry.subject, when, entry.effect, entry.route, entry.why))
    return tuple(found)


def read_protections(path: Path, problems: list[Problem]) -> tuple[Protection, ...]:
    """Protective factors PF-01.., each a condition that takes a share off the points."""
    found = []
    for key, raw, entry in read_entries(path, _ProtectionEntry, problems):
        when = read_when(raw, "when", problems)
        if when is not None:
            found.append(Protection(key, entry.title, entry.subject, tuple(entry.axes), when,
                                    entry.reduce, tuple(entry.themes), entry.why))
    return tuple(found)


def read_factors(path: Path, problems: list[Problem]) -> tuple[OrderFactor, ...]:
    """The location factors of the suitability order, each with when it binds and the facts that show it was looked at.

    Whether those facts are declared is checked with the rest of the pack.
    """
    found = []
    for key, raw, entry in read_entries(path, _FactorEntry, problems):
        applies = read_when(raw, "applies", problems) if entry.applies is not None else None
        found.append(OrderFactor(key, entry.title, entry.source, entry.why, applies, tuple(entry.facts),
                                 raw.where()))
    return tuple(found)


def read_policy(path: Path, problems: list[Problem]) -> Policy | None:
    """The partnership's numbers, each with who decided it and from when."""
    values = {key: entry.value for key, _, entry in read_entries(path, _Decided, problems)}
    named = ("bands", "theme_cap", "half_life_days", "protective_cap", "capacity", "cool_down_days", "scheme")
    missing = [name for name in named if name not in values]
    if missing:
        problems.append(Problem(f"{path}:1", f"no {', '.join(missing)}", ", ".join(named)))
        return None
    others = {key: value for key, value in values.items() if key not in (*named, "small_cell")}
    try:
        kept = _PolicyValues.model_validate(values)
    except ValidationError as error:
        problems += [Problem(f"{path}:1", f"`{'.'.join(map(str, e['loc']))}`: {e['msg'].lower()}",
                             _POLICY_SHAPES.get(str(e["loc"][0]), "a number, 0 or more")) for e in error.errors()]
        return None
    scheme = Scheme(tuple(kept.scheme.bands), kept.scheme.shortlist, kept.scheme.matches)
    numbers = {name: getattr(kept, name) for name in named if name != "scheme"}
    return Policy(**numbers, scheme=scheme, other=others, small_cell=kept.small_cell)


def read_categories(
    path: Path, problems: list[Problem]
) -> tuple[dict[str, Category], dict[str, str]]:
    """What each category of report means, and the theme of each support need code."""
    document: Mapping[str, Any] = read_whole(path, problems) or {}
    categories = {}
    for code, raw in document.get("categories", {}).items():
        if not isinstance(raw, Located):
            problems.append(Problem(document["categories"].where(code), f"`{code}` is not a mapping",
                                    "N01: {label: noise, family: asb, harm_weight: 2, cchi_days: 0}"))
            continue
        entry = fill_form(_CategoryEntry, raw, problems)
        if entry is not None:
            categories[code] = Category(code, **entry.model_dump())
    return categories, {str(code): str(theme) for code, theme in document.get("needs", {}).items()}
