"""rules/feeds/*.yaml -> contracts: what a partner promised to send, and what each column may hold.

By its contract the reader finds columns, the border checks values and the lake dates records.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.documents import Located, read_document
from engine.errors import Problem, RuleError

TYPES = ("text", "code", "date", "datetime", "month", "integer", "decimal", "boolean", "uprn",
         "usrn", "postcode", "lsoa", "ward", "easting", "northing", "longitude", "latitude")
AGENCIES = ("housing", "community_safety", "police", "environmental_health", "licensing",
            "social_care", "fire", "health", "probation", "education", "voluntary", "gazetteer")
PURPOSES = ("prevent_crime_and_disorder", "housing_and_homelessness", "safeguarding",
            "public_register")
REGIMES = ("general", "law_enforcement")
NAMESPACES = ("police", "council", "social_care", "education", "fire", "health")
PERSON_PARTS = ("ref", "forename", "surname", "dob", "uprn", "postcode")
# The lake adds these to every record, so no partner's column may take the name.
RESERVED = ("record", "feed", "known", "revised", "current", "identity", "content", "partition",
            "issued", "received", "sequence", "key", "file", "row")


def fold(name: str) -> str:
    """The letters and digits of a header or spelling, in lower case: how two are compared."""
    return "".join(c for c in name.casefold() if c.isalnum() or c == "+")


@dataclass(frozen=True)
class Column:
    """One column of a feed: its type, the headers councils give it and the values it may hold."""

    name: str
    type: str
    required: bool = False
    synonyms: tuple[str, ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    min: float | None = None
    max: float | None = None
    above: float | None = None
    may_be_future: bool = False
    refers_to: tuple[str, str] | None = None
    birth: bool = False

    @property
    def spellings(self) -> dict[str, str]:
        """Folded spelling -> the code it means; the code is always one of its own spellings."""
        return {fold(word): code for code, words in self.values for word in (code, *words)}


@dataclass(frozen=True)
class PersonBlock:
    """Six columns that describe one person, and the part that person plays in the record."""
    prefix: str
    namespace: str
    role: str | None = None
    role_from: str | None = None

    def column(self, part: str) -> str:
        """The name of one of the block's columns: ref, forename, surname, dob, uprn, postcode."""
        return f"{self.prefix}_{part}"


@dataclass(frozen=True)
class Span:
    """The two columns between which a record is in force."""
    start: str
    end: str


@dataclass(frozen=True)
class Contract:
    """What one feed holds, why it may be held, and how its rows are told apart and dated."""

    feed: str
    title: str
    agency: str
    purpose: str
    gateway: str                        # the law that lets it be shared
    regime: str
    retain_days: int
    fresh_within: int | None
    refuse_above: float
    identity: tuple[str, ...]           # empty: a row is its own content
    columns: Mapping[str, Column]
    known: str | None = None
    reported: str | None = None
    occurred: str | None = None
    known_month: str | None = None      # the record was known at the end of this month
    replaces: tuple[str, ...] = ()
    zip_members: str = "*.csv"
    span: Span | None = None
    people: tuple[PersonBlock, ...] = ()
    digest: str = ""

    @property
    def dated_by(self) -> tuple[str, ...]:
        """The columns that tell when the record became known, best first."""
        return tuple(name for name in (self.known, self.reported, self.occurred) if name)

    @property
    def headers(self) -> dict[str, str]:
        """Folded header -> column name, synonyms included."""
        return {fold(word): column.name for column in self.columns.values()
                for word in (*column.synonyms, column.name)}


def read_contracts(folder: Path) -> dict[str, Contract]:
    """Every contract in the folder by feed name. Raises one RuleError with everything wrong."""
    problems: list[Problem] = []
    contracts: dict[str, Contract] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = read_document(path)
        except RuleError as error:
            problems += error.problems
            continue
        found = list(_check(document))
        problems += found
        if not found:
            contracts[document["feed"]] = _build(document)
    if not contracts and not problems:
        problems.append(Problem(str(folder), "no feed contract found", "one YAML file per feed"))
    problems += _check_references(contracts, folder)
    if problems:
        raise RuleError(sorted(problems))
    return contracts


# --- from a document to a contract ---------------------------------------------------------------

_KEYS = ("feed", "title", "agency", "purpose", "gateway", "regime", "retain_days", "fresh_within",
         "refuse_above", "identity", "replaces", "zip_members", "dates", "span", "columns",
         "people")
_NEEDED = tuple(key for key in _KEYS if key not in ("replaces", "zip_members", "span", "people"))
_COLUMN_KEYS = ("type", "required", "synonyms", "values", "min", "max", "above", "may_be_future",
                "refers_to")
_NAME = re.compile(r"[a-z][a-z0-9_]*$")


def _build(document: Located) -> Contract:
    dates, span = document["dates"], document.get("span")
    known = dates.get("known")
    people = tuple(PersonBlock(p["prefix"], p["namespace"], p.get("role"), p.get("role_from"))
                   for p in document.get("people") or ())
    births = {block.column("dob") for block in people}
    identity = document["identity"]
    return Contract(
        **{key: str(document[key]) for key in _NEEDED[:6]},
        retain_days=document["retain_days"], fresh_within=document["fresh_within"],
        refuse_above=float(document["refuse_above"]),
        identity=() if identity == "row" else tuple(map(str, identity)),
        columns={n: _build_column(n, c, n in births) for n, c in document["columns"].items()},
        known=None if isinstance(known, dict) else known,
        reported=dates.get("reported"), occurred=dates.get("occurred"),
        known_month=known["end_of_month"] if isinstance(known, dict) else None,
        replaces=tuple(map(str, document.get("replaces") or ())),
        zip_members=str(document.get("zip_members", "*.csv")),
        span=Span(span["from"], span["to"]) if span else None,
        people=people,
        digest=hashlib.sha256(document.path.read_bytes()).hexdigest(),
    )


def _build_column(name: str, given: Mapping[str, Any], birth: bool) -> Column:
    target = given.get("refers_to")
    feed, _, column = str(target).partition(".")
    return Column(
        name=name, type=str(given["type"]), required=bool(given.get("required", False)),
        synonyms=tuple(map(str, given.get("synonyms") or ())),
        values=tuple((str(code), tuple(map(str, words or ())))
                     for code, words in (given.get("values") or {}).items()),
        min=given.get("min"), max=given.get("max"), above=given.get("above"),
        may_be_future=bool(given.get("may_be_future", False)),
        refers_to=(feed, column) if target else None, birth=birth)


# --- what can be wrong with one ------------------------------------------------------------------

def _check(document: Located) -> Iterator[Problem]:
    missing = [key for key in _NEEDED if key not in document]
    if missing:
        yield Problem(document.where(), f"no {', '.join(missing)}", ", ".join(_KEYS), "add it")
        return
    for key in document:
        if key not in _KEYS:
            yield Problem(document.where(key), f"`{key}` is not a key", ", ".join(_KEYS))
    if document["feed"] != document.path.stem or not _NAME.match(str(document["feed"])):
        yield Problem(document.where("feed"), f"feed `{document['feed']}`",
                      "the file's own name", f"write `feed: {document.path.stem}`")
    for key, allowed in (("agency", AGENCIES), ("purpose", PURPOSES), ("regime", REGIMES)):
        if document[key] not in allowed:
            yield Problem(document.where(key), f"{key} `{document[key]}`", ", ".join(allowed))
    share = document["refuse_above"]
    if not isinstance(share, (int, float)) or isinstance(share, bool) or not 0 <= share <= 1:
        yield Problem(document.where("refuse_above"), f"refuse_above `{share}`", "a share, 0 to 1")
    for key in ("retain_days", "fresh_within"):
        if not _whole(document[key]) and not (key == "fresh_within" and document[key] is None):
            yield Problem(document.where(key), f"{key} `{document[key]}`", "a whole number of days")
    columns = document["columns"]
    if not isinstance(columns, Located) or not all(
            isinstance(column, Located) for column in columns.values()):
        yield Problem(document.where("columns"), "no mapping", "`name: {type: text}` lines")
        return
    for name, column in columns.items():
        yield from _check_column(name, column)
    yield from _check_headers(columns)
    yield from _check_names(document, columns)


def _check_column(name: str, column: Located) -> Iterator[Problem]:
    if not _NAME.match(name) or name in RESERVED:
        yield Problem(column.where(), f"column name `{name}`",
                      f"small letters, digits and _, and none of {', '.join(RESERVED)}")
    for key in column:
        if key not in _COLUMN_KEYS:
            yield Problem(column.where(key), f"`{key}` is not a key", ", ".join(_COLUMN_KEYS))
    kind = column.get("type")
    if kind not in TYPES:
        yield Problem(column.where("type"), f"type `{kind}`", ", ".join(TYPES))
    values = column.get("values")
    if (kind == "code") != isinstance(values, Located):
        yield Problem(column.where(), f"`{name}` is a {kind} column",
                      "a code column lists its `values`, no other does",
                      "list the codes with the spellings partners send, or make it text")
        return
    seen: dict[str, str] = {}
    for code, words in values.items() if isinstance(values, Located) else ():
        for word in (code, *(words or ())):
            other = seen.setdefault(fold(str(word)), code)
            if other != code:
                yield Problem(column.where("values"), f"`{word}` is a spelling of {code} and of "
                              f"{other}", "each spelling under one code")


def _check_headers(columns: Located) -> Iterator[Problem]:
    seen: dict[str, str] = {fold(name): name for name in columns}
    for name, column in columns.items():
        for word in column.get("synonyms") or ():
            other = seen.setdefault(fold(str(word)), name)
            if other != name:
                yield Problem(column.where("synonyms"), f"`{word}` means {name} and {other}",
                              "each header names one column", "take it from one of the two")


def _check_names(document: Located, columns: Located) -> Iterator[Problem]:
    dates, span = document["dates"], document.get("span") or {}
    known = dates.get("known")
    known = known.get("end_of_month") if isinstance(known, dict) else known
    if known is None:
        yield Problem(document.where("dates"), "no known date", "`known: <column>`")
    used = {"dates": [known, dates.get("reported"), dates.get("occurred")],
            "identity": () if document["identity"] == "row" else document["identity"],
            "replaces": document.get("replaces") or (),
            "span": [span.get("from"), span.get("to")] if span else (),
            "people": [name for p in document.get("people") or () for name in _block_columns(p)]}
    for key, names in used.items():
        for name in names:
            if name is not None and name not in columns:
                yield Problem(document.where(key), f"`{name}` is not a column of this feed",
                              "a column declared under `columns`", "declare it or correct the name")
    for name in used["replaces"]:
        if not columns.get(str(name), {}).get("required"):
            yield Problem(document.where("replaces"), f"`{name}` may be missing", "a required one")
    for block in document.get("people") or ():
        if block.get("namespace") not in NAMESPACES:
            yield Problem(block.where("namespace"), f"namespace `{block.get('namespace')}`",
                          ", ".join(NAMESPACES))
        if ("role" in block) == ("role_from" in block):
            yield Problem(block.where(), "a person block with no role, or with two",
                          "either `role` or `role_from`")


def _block_columns(block: Mapping[str, Any]) -> list[str]:
    own = [block["role_from"]] if "role_from" in block else []
    return [f"{block.get('prefix')}_{part}" for part in PERSON_PARTS] + own


def _check_references(contracts: Mapping[str, Contract], folder: Path) -> Iterator[Problem]:
    for contract in contracts.values():
        for column in contract.columns.values():
            if column.refers_to is None:
                continue
            feed, target = column.refers_to
            if feed not in contracts or target not in contracts[feed].columns:
                yield Problem(str(folder / f"{contract.feed}.yaml"),
                              f"{column.name} refers to `{feed}.{target}`, which is not declared",
                              "<feed>.<column> of another contract")


def _whole(value: object) -> bool:
    return type(value) is int and value > 0
