"""The entries of rules/*.yaml -> frozen values, each mistake with its file and line.

pydantic says what is wrong with a field; the line comes from the document. Conditions are read by
`condition`. Whether names exist and agree with each other is checked afterwards by `check`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.condition import Condition, read_condition
from engine.documents import Located, read_document
from engine.errors import Problem, RuleError
from engine.feature import (
    COMPARED,
    MEASURES,
    WITH_COLUMN,
    WITHOUT_TABLE,
    Absence,
    Feature,
    Measure,
    Type,
)
from engine.incidents import Category
from engine.rule import AXES, RESPONSES, Axis, Exclusion, Policy, Protection, Response, Rule
from engine.schema import SUBJECTS, Subject

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)
_Words = list[str]
_M = TypeVar("_M", bound=BaseModel)


class _RuleFile(BaseModel):
    model_config = _STRICT
    title: str
    reference: str
    axis: Axis
    theme: str
    why: str
    when: Any
    points: int = Field(ge=0, le=8)
    floor: Literal["statutory", "partner", "none"] = "none"
    fades_with: str | None = None
    convene: _Words = Field(min_length=1)
    respond: dict[Literal["support", "agree", "enforce"], _Words] = Field(min_length=1)
    because: str
    authority: str
    evidence: Literal["published", "design"]
    owner: str
    review_by: date
    status: Literal["trial", "live", "retired"]
    result: Literal["complete_needs", "avoid_this_property", "mitigate", "check_with_agency",
                    "lint"] | None = None
    level: Literal["hard", "soft", "info"] | None = None
    factor: str | None = None


class _FeatureEntry(BaseModel):
    model_config = _STRICT
    title: str
    type: Type
    unit: str = ""
    measure: str
    of: str | None = None
    where: Any = None
    of_which: Any = None
    windows: list[Annotated[int, Field(ge=1, le=36500)]] | None = Field(default=None, min_length=1)
    near: str | None = Field(default=None, pattern=r"^\d+m$")
    feeds: _Words = Field(default_factory=list)
    absence: Absence = "unknown"
    agency: _Words = Field(min_length=1)
    sensitivity: Literal["open", "personal", "special", "criminal"]
    purpose: str
    changeable: bool = False
    changes_to: str | None = None
    from_: str | None = Field(default=None, alias="from")
    via: Literal["applicant", "property", "block", "street", "lsoa", "tenants"] | None = None
    compare: bool = False
    cap_reporter: int | None = Field(default=None, ge=1)
    values: _Words = Field(default_factory=list)


class _ExclusionEntry(BaseModel):
    model_config = _STRICT
    title: str
    why: str
    effect: str
    route: str = ""
    subject: Subject | None = None
    when: Any = None
    enforced: Literal["records", "load"] | None = None


class _ProtectionEntry(BaseModel):
    model_config = _STRICT
    title: str
    why: str
    subject: Subject = "person"
    axes: list[Axis] = Field(min_length=1)
    when: Any
    reduce: float = Field(gt=0, le=0.3)
    themes: _Words = Field(default_factory=list)


class _CategoryEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    label: str
    family: str
    harm_weight: int = Field(ge=1, le=5)
    cchi_days: float = Field(ge=0)


class _PolicyValues(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    bands: dict[Literal["watch", "discuss", "convene"], float] = Field(min_length=3)
    theme_cap: float = Field(gt=0)
    half_life_days: dict[Axis, Annotated[float, Field(gt=0)]] = Field(min_length=len(AXES))
    protective_cap: float = Field(ge=0, le=1)
    capacity: dict[str, Annotated[int, Field(ge=1)] | None]
    cool_down_days: int = Field(ge=0)


_POLICY_SHAPES = {
    "bands": "points for each of watch, discuss, convene",
    "half_life_days": f"one for each of {', '.join(AXES)}",
    "capacity": "a whole number for each list, or null for every one",
}


class _Decided(BaseModel):
    model_config = _STRICT
    value: Any
    why: str
    decided_by: str
    from_: date = Field(alias="from")


def read_rule(path: Path, subject: Subject, problems: list[Problem]) -> Rule | None:
    """The rule in one file, or None with its problems noted."""
    document = _read(path, problems)
    entry = _validate(_RuleFile, document, problems) if document is not None else None
    when = _condition(document, "when", problems) if document is not None else None
    if document is None or entry is None or when is None:
        return None
    if subject == "allocation" and not (entry.result and entry.level and entry.factor):
        problems.append(Problem(document.where(), "an allocation rule without result, level or factor",
                                "all three", "say what the officer should do, how firm, and the factor"))
    fields = entry.model_dump(exclude={"when", "respond", "convene"})
    responses = tuple(Response(step, text)  # type: ignore[arg-type]
                      for step in RESPONSES for text in entry.respond.get(step, ()))  # type: ignore[call-overload]
    return Rule(id=f"{subject}/{path.stem}", subject=subject, when=when, respond=responses,
                convene=tuple(entry.convene), where_declared=document.where("when"), **fields)


def read_features(paths: list[Path], problems: list[Problem]) -> dict[str, Feature]:
    """Every feature declared in the files, one for each window, by "subject.name"."""
    features: dict[str, Feature] = {}
    for path in paths:
        document = _read(path, problems)
        if document is None:
            continue
        subject = document.get("subject")
        if subject not in SUBJECTS or not isinstance(document.get("features"), Located):
            problems.append(Problem(document.where(), "no `subject:` and `features:`",
                                    f"subject: one of {', '.join(SUBJECTS)}, and a mapping of features"))
            continue
        entries = document["features"]
        for name in entries:
            for feature in _feature(str(name), subject, entries, problems):
                key = f"{feature.subject}.{feature.name}"
                if key in features:
                    problems.append(Problem(feature.where_declared, f"`{feature.name}` is declared twice",
                                            "each feature once", f"see {features[key].where_declared}"))
                features[key] = feature
    return features


def read_exclusions(path: Path, problems: list[Problem]) -> tuple[Exclusion, ...]:
    """Exclusions and routings X-01..: those with a condition here, the others kept by the record layer."""
    found = []
    for key, raw, entry in _entries(path, _ExclusionEntry, problems):
        when = _condition(raw, "when", problems) if entry.when is not None else None
        found.append(Exclusion(key, entry.title, entry.subject, when, entry.effect, entry.route, entry.why))
    return tuple(found)


def read_protections(path: Path, problems: list[Problem]) -> tuple[Protection, ...]:
    """Protective factors PF-01.., each a condition that takes a share off the points."""
    found = []
    for key, raw, entry in _entries(path, _ProtectionEntry, problems):
        when = _condition(raw, "when", problems)
        if when is not None:
            found.append(Protection(key, entry.title, entry.subject, tuple(entry.axes), when,
                                    entry.reduce, tuple(entry.themes), entry.why))
    return tuple(found)


def read_policy(path: Path, problems: list[Problem]) -> Policy | None:
    """The partnership's numbers, each with who decided it and from when."""
    values = {key: entry.value for key, _, entry in _entries(path, _Decided, problems)}
    named = ("bands", "theme_cap", "half_life_days", "protective_cap", "capacity", "cool_down_days")
    missing = [name for name in named if name not in values]
    if missing:
        problems.append(Problem(f"{path}:1", f"no {', '.join(missing)}", ", ".join(named)))
        return None
    others = {key: value for key, value in values.items() if key not in named}
    try:
        kept = _PolicyValues.model_validate(values)
    except ValidationError as error:
        problems += [Problem(f"{path}:1", f"`{'.'.join(map(str, e['loc']))}`: {e['msg'].lower()}",
                             _POLICY_SHAPES.get(str(e["loc"][0]), "a number, 0 or more")) for e in error.errors()]
        return None
    return Policy(**{name: getattr(kept, name) for name in named}, other=others)


def read_categories(
    path: Path, problems: list[Problem]
) -> tuple[dict[str, Category], dict[str, str]]:
    """What each category of report means, and the theme of each support need code."""
    document: Mapping[str, Any] = _read(path, problems) or {}
    categories = {}
    for code, raw in document.get("categories", {}).items():
        if not isinstance(raw, Located):
            problems.append(Problem(document["categories"].where(code), f"`{code}` is not a mapping",
                                    "N01: {label: noise, family: asb, harm_weight: 2, cchi_days: 0}"))
            continue
        entry = _validate(_CategoryEntry, raw, problems)
        if entry is not None:
            categories[code] = Category(code, **entry.model_dump())
    return categories, {str(code): str(theme) for code, theme in document.get("needs", {}).items()}


# --- inside -------------------------------------------------------------------------------------


def _read(path: Path, problems: list[Problem]) -> Located | None:
    try:
        return read_document(path)
    except RuleError as error:
        problems.extend(error.problems)
        return None


def _entries(path: Path, model: type[_M], problems: list[Problem]) -> list[tuple[str, Located, _M]]:
    document = _read(path, problems)
    found = []
    for key, raw in (document or {}).items():
        if not isinstance(raw, Located):
            assert document is not None
            problems.append(Problem(document.where(key), f"`{key}` is not a mapping", "key: {...}"))
            continue
        entry = _validate(model, raw, problems)
        if entry is not None:
            found.append((key, raw, entry))
    return found


def _validate(model: type[_M], raw: Located, problems: list[Problem]) -> _M | None:
    try:
        return model.model_validate(_plain(raw))
    except ValidationError as error:
        for detail in error.errors():
            key = str(detail["loc"][0]) if detail["loc"] else None
            fields = [f.alias or name for name, f in model.model_fields.items()]
            missing = detail["type"] == "missing"
            found = f"`{key}` is missing" if missing else f"`{key}`: {detail['msg'].lower()}"
            allowed = ", ".join(fields) if detail["type"] == "extra_forbidden" else ""
            problems.append(Problem(raw.where(None if missing else key), found, allowed))
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _condition(raw: Located, key: str, problems: list[Problem]) -> Condition | None:
    try:
        return read_condition(raw.get(key), raw.where(key))
    except RuleError as error:
        problems.extend(error.problems)
        return None


def _feature(
    name: str, subject: Subject, entries: Located, problems: list[Problem]
) -> list[Feature]:
    raw = entries[name]
    at = entries.where(name)
    if not isinstance(raw, Located):
        problems.append(Problem(at, f"`{name}` is not a mapping", "name: {title: ..., measure: ...}"))
        return []
    entry = _validate(_FeatureEntry, raw, problems)
    where = _condition(raw, "where", problems) if "where" in raw else None
    which = _condition(raw, "of_which", problems) if "of_which" in raw else None
    measure = _measure(entry.measure, at, problems) if entry else None
    if entry is None or measure is None:
        return []
    if (entry.of is None) != (measure.verb in WITHOUT_TABLE):
        problems.append(Problem(at, f"`{name}` with measure `{entry.measure}` and `of: {entry.of}`",
                                "a table after `of` for every measure but carry, calendar and built_in"))
        return []
    windows: list[int | None] = [*entry.windows] if entry.windows else [None]
    made = [
        Feature(
            name=f"{name}_{w}d" if w else name, declared=name, subject=subject, title=entry.title,
            type=entry.type, unit=entry.unit, measure=measure, table=entry.of, where=where,
            of_which=which, window=w, near=int(entry.near[:-1]) if entry.near else None,
            feeds=tuple(entry.feeds), absence=entry.absence, agency=tuple(entry.agency),
            sensitivity=entry.sensitivity, purpose=entry.purpose, changeable=entry.changeable,
            carried_from=entry.from_, via=entry.via, compare=entry.compare,
            cap_reporter=entry.cap_reporter, values=tuple(entry.values), where_declared=at)
        for w in windows
    ]
    return [*made, *(s for feature in made if feature.compare for s in _compared(feature))]


def _compared(count: Feature) -> list[Feature]:
    shared = {key: getattr(count, key) for key in count.__dataclass_fields__}
    return [
        Feature(**{**shared, "name": f"{count.name}_{suffix}", "type": "decimal", "unit": unit,
                   "title": f"{count.title}: {words}", "absence": "unknown", "statistic": suffix,
                   "compare": False})
        for suffix, (words, unit) in COMPARED.items()
    ]


_MEASURE = re.compile(r"([a-z_]+)(?: ([a-z][a-z0-9_]*))?$")


def _measure(text: str, at: str, problems: list[Problem]) -> Measure | None:
    match = _MEASURE.match(text)
    verb, column = (match[1], match[2]) if match else (text, None)
    if verb == "calendar":
        return Measure("calendar", column)
    if verb not in MEASURES or (column is not None) != (verb in WITH_COLUMN):
        allowed = ", ".join(f"{m} COLUMN" if m in WITH_COLUMN else m for m in MEASURES)
        problems.append(Problem(at, f"measure `{text}`", allowed))
        return None
    assert verb in get_args(Measure.__annotations__["verb"]) or verb in MEASURES
    return Measure(verb, column)  # type: ignore[arg-type]
