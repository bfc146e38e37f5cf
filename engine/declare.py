"""Rule files and feature files -> frozen values, each mistake with its file and line.

Whether names exist and agree with each other is checked afterwards by `check`.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field

from engine.documents import Located
from engine.errors import Problem
from engine.feature import (
    COMPARED,
    MEASURES,
    WITH_COLUMN,
    WITHOUT_TABLE,
    Absence,
    AskOf,
    Feature,
    Measure,
    Type,
)
from engine.forms import STRICT, Words, fill_form, read_when, read_whole
from engine.rule import RESPONSES, Axis, Response, Rule
from engine.schema import SUBJECTS, Subject


class _RuleFile(BaseModel):
    model_config = STRICT
    title: str
    reference: str
    axis: Axis
    theme: str
    why: str
    when: Any
    points: int = Field(ge=0, le=8)
    floor: Literal["statutory", "partner", "none"] = "none"
    fades_with: str | None = None
    convene: Words = Field(min_length=1)
    respond: dict[Literal["support", "agree", "enforce"], Words] = Field(min_length=1)
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
    model_config = STRICT
    title: str
    type: Type
    unit: str = ""
    measure: str
    of: str | None = None
    where: Any = None
    of_which: Any = None
    windows: list[Annotated[int, Field(ge=1, le=36500)]] | None = Field(default=None, min_length=1)
    near: str | None = Field(default=None, pattern=r"^\d+m$")
    feeds: Words = Field(default_factory=list)
    absence: Absence = "unknown"
    agency: Words = Field(min_length=1)
    sensitivity: Literal["open", "personal", "special", "criminal"]
    purpose: str
    changeable: bool = False
    changes_to: str = ""
    ask: str = ""
    ask_of: AskOf | None = None
    from_: str | None = Field(default=None, alias="from")
    via: Literal["applicant", "property", "block", "street", "lsoa", "tenants"] | None = None
    compare: bool = False
    cap_reporter: int | None = Field(default=None, ge=1)
    values: Words = Field(default_factory=list)


def read_rule(path: Path, subject: Subject, problems: list[Problem]) -> Rule | None:
    """The rule in one file, or None with its problems noted."""
    document = read_whole(path, problems)
    entry = fill_form(_RuleFile, document, problems) if document is not None else None
    when = read_when(document, "when", problems) if document is not None else None
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
        document = read_whole(path, problems)
        if document is None:
            continue
        subject = document.get("subject")
        if subject not in SUBJECTS or not isinstance(document.get("features"), Located):
            problems.append(Problem(document.where(), "no `subject:` and `features:`",
                                    f"subject: one of {', '.join(SUBJECTS)}, and a mapping of features"))
            continue
        entries, about = document["features"], document.get("about", subject)
        if not isinstance(about, str) or not about.strip():
            problems.append(Problem(document.where("about"), f"about `{about}`", "a word or two, such as household",
                                    "say whom or what the facts of this file tell of, or leave it out"))
            continue
        for name in entries:
            for feature in _feature(str(name), subject, str(about), entries, problems):
                key = f"{feature.subject}.{feature.name}"
                if key in features:
                    problems.append(Problem(feature.where_declared, f"`{feature.name}` is declared twice",
                                            "each feature once", f"see {features[key].where_declared}"))
                features[key] = feature
    return features


# --- inside -------------------------------------------------------------------------------------


def _feature(
    name: str, subject: Subject, about: str, entries: Located, problems: list[Problem]
) -> list[Feature]:
    raw = entries[name]
    at = entries.where(name)
    if not isinstance(raw, Located):
        problems.append(Problem(at, f"`{name}` is not a mapping", "name: {title: ..., measure: ...}"))
        return []
    entry = fill_form(_FeatureEntry, raw, problems)
    where = read_when(raw, "where", problems) if "where" in raw else None
    which = read_when(raw, "of_which", problems) if "of_which" in raw else None
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
            cap_reporter=entry.cap_reporter, values=tuple(entry.values), where_declared=at,
            ask=entry.ask, ask_of=entry.ask_of, changes_to=entry.changes_to, about=about)
        for w in windows
    ]
    problems += _find_unaskable(made[0], raw)
    return [*made, *(s for feature in made if feature.compare for s in _compared(feature))]


def _find_unaskable(feature: Feature, raw: Located) -> list[Problem]:
    """What keeps a question from being said aloud, or its answer from being taken in."""
    name, ask = f"`{feature.name}`", feature.ask.strip()
    problems = []
    if bool(ask) != (feature.ask_of is not None):
        given, wanted = ("ask", "ask_of") if ask else ("ask_of", "ask")
        problems.append(Problem(raw.where(given), f"{name} has `{given}` and no `{wanted}`", "both or neither",
                                f"the question, and one of {', '.join(get_args(AskOf))}"))
    if ask and not ask.endswith("?"):
        problems.append(Problem(raw.where("ask"), f"{name}: `ask` is not a question", "words to be said aloud",
                                "end it with a question mark"))
    if ask and feature.subject != "allocation":
        problems.append(Problem(raw.where("ask"), f"{name}: `ask` on a fact of a {feature.subject}",
                                "facts of an allocation", "questions are asked about an offer of a home only"))
    if ask and feature.type == "code" and not feature.values:
        problems.append(Problem(raw.where("ask"), f"{name}: `ask` for a code without `values`",
                                "the values an answer may have", "list them under `values`"))
    if ask and feature.confidential:
        problems.append(Problem(raw.where("ask"), f"{name}: `ask` for a fact that would tell where somebody is",
                                "no question", "take `ask` and `ask_of` out"))
    if feature.changes_to and not feature.changeable:
        problems.append(Problem(raw.where("changes_to"), f"{name}: `changes_to` on a fact that is not changeable",
                                "both or neither", "write `changeable: true`, or take `changes_to` out"))
    return problems


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
