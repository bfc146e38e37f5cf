"""Flags as they were put forward: found, read, and followed from run to run. `publishing` writes them, `reviews`
changes their state. A flag's text is the run's own, byte for byte, and is never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, case, func, select

from engine.rule import BANDS
from engine.store.database import Reading
from engine.store.problems import Missing
from engine.store.tables import flags, labels, publications, texts

PAGE = 50       # flags on a page: more than any capacity, so that this week's list is one page
_WHAT = "the flag"


@dataclass(frozen=True)
class FlagRow:
    """A flag without its text. `axis` is the leading one; `axes`, `themes`, `agencies` and `rules` are all of them.

    `because` says why it left the list; `successor` is the flag that took its place in a later run.
    """

    id: str
    run: str
    as_of: date
    list: str
    subject: str
    name: str
    band: str
    status: str
    change: str
    axis: str
    ward: str | None
    position: int
    digest: str
    state: str
    because: str
    lead: str | None
    successor: str | None
    changed_at: datetime
    changed_by: str
    version: int
    axes: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredFlag:
    """A flag with its explanation as JSON text."""

    row: FlagRow
    text: str


@dataclass(frozen=True)
class Filters:
    """Which flags are wanted. None does not limit; an empty tuple lets nothing through, so that no right means nothing.

    `search`: part of a name or subject id, in any case; `within`: a condition on `flags`, as rights write it. Several
    limits must all hold.
    """

    runs: tuple[str, ...] | None = None
    lists: tuple[str, ...] | None = None
    bands: tuple[str, ...] | None = None
    axes: tuple[str, ...] | None = None
    themes: tuple[str, ...] | None = None
    wards: tuple[str, ...] | None = None
    agencies: tuple[str, ...] | None = None
    leads: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    changes: tuple[str, ...] | None = None
    search: str = ""
    within: ColumnElement[bool] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Page:
    """Some of the flags that fit, and how many do in all."""

    rows: tuple[FlagRow, ...]
    total: int
    number: int
    size: int


@dataclass(frozen=True)
class Publication:
    """A run as it was put before people."""

    run: str
    number: int
    as_of: date
    at: datetime
    actor: str
    flags: int
    digest: str


Order = Literal["list", "newest", "band"]
_PLAIN = {"runs": "run", "lists": "list", "bands": "band", "wards": "ward", "leads": "lead", "states": "state",
          "changes": "change"}
_LABELLED = {"axes": "axis", "themes": "theme", "agencies": "agency"}
_KINDS = {"axis": "axes", "theme": "themes", "agency": "agencies", "rule": "rules"}
_COLUMNS = [flags.c[each.name] for each in fields(FlagRow) if each.name in flags.c]
_RANK = case({band: rank for rank, band in enumerate(BANDS)}, value=flags.c.band, else_=len(BANDS))
_ORDERS: Mapping[str, Sequence[Any]] = {
    "list": (flags.c.list, flags.c.as_of.desc(), flags.c.position, flags.c.id),
    "newest": (flags.c.as_of.desc(), flags.c.list, flags.c.position, flags.c.id),
    "band": (_RANK, flags.c.list, flags.c.position, flags.c.id),
}


def find(reading: Reading, filters: Filters, order: Order = "list", page: int = 1, size: int = PAGE) -> Page:
    """One page of the flags that fit. `list`: as the run ordered them; `newest`: by date; `band`: across lists."""
    terms, ordered = _terms(filters), _ORDERS[order]
    if order == "list" and filters.runs is not None and len(filters.runs) == 1:
        ordered = (flags.c.list, flags.c.position)      # the order of an index: nothing has to be sorted
    total = int(reading.value(select(func.count()).select_from(flags).where(*terms)))
    query = select(*_COLUMNS).where(*terms).order_by(*ordered).limit(size).offset((page - 1) * size)
    return Page(_with_labels(reading, reading.all(query)), total, page, size)


def count(reading: Reading, filters: Filters, by: Literal["list", "band", "state", "change", "ward"]) -> dict[str, int]:
    """How many of the flags that fit have each value of one column."""
    column = flags.c[by]
    rows = reading.all(select(column.label("value"), func.count().label("n")).where(*_terms(filters)).group_by(column))
    return {str(row["value"] or ""): int(row["n"]) for row in rows}


def find_labels(reading: Reading, filters: Filters, kind: str) -> tuple[str, ...]:
    """What the flags that fit are labelled with, of one kind: axis, theme, agency or rule."""
    query = (select(labels.c.value).distinct().join(flags, flags.c.id == labels.c.flag)
             .where(labels.c.kind == kind, *_terms(filters)).order_by(labels.c.value))
    return tuple(str(row["value"]) for row in reading.all(query))


def read(reading: Reading, id: str) -> StoredFlag:
    """A flag and its text. Raises Missing."""
    row = reading.first(select(texts.c.text, *_COLUMNS).join(texts, texts.c.flag == flags.c.id).where(flags.c.id == id))
    if row is None:
        raise Missing(_WHAT)
    return StoredFlag(_with_labels(reading, [row])[0], row["text"])


def read_texts(reading: Reading, ids: Sequence[str]) -> dict[str, str]:
    """The texts of some flags, by id."""
    rows = reading.all(select(texts).where(texts.c.flag.in_(list(ids)))) if ids else ()
    return {row["flag"]: row["text"] for row in rows}


def read_row(reading: Reading, id: str) -> FlagRow:
    """A flag without its text. Raises Missing."""
    row = reading.first(select(*_COLUMNS).where(flags.c.id == id))
    if row is None:
        raise Missing(_WHAT)
    return _with_labels(reading, [row])[0]


def read_rows(reading: Reading, ids: Iterable[str]) -> dict[str, FlagRow]:
    """Several flags without their texts, by id; one there is not is not in it."""
    wanted = sorted(set(ids))
    rows = reading.all(select(*_COLUMNS).where(flags.c.id.in_(wanted))) if wanted else ()
    return {row.id: row for row in _with_labels(reading, rows)}


def history(reading: Reading, list_name: str, subject: str) -> tuple[FlagRow, ...]:
    """Every flag of one subject, oldest first."""
    query = (select(*_COLUMNS).join(publications, publications.c.run == flags.c.run)
             .where(flags.c.list == list_name, flags.c.subject == subject).order_by(publications.c.number))
    return _with_labels(reading, reading.all(query))


def find_publications(reading: Reading) -> tuple[Publication, ...]:
    """Every run that was put before people, newest first."""
    rows = reading.all(select(publications).order_by(publications.c.number.desc()))
    return tuple(Publication(**row) for row in rows)


def find_latest(reading: Reading) -> Publication | None:
    """The run put before people last: this week's lists."""
    row = reading.first(select(publications).order_by(publications.c.number.desc()).limit(1))
    return Publication(**row) if row else None


def find_altered(reading: Reading, run: str) -> list[str]:
    """The flags of a published run whose text is not what was published, and `run` itself where any came or went.

    What was published is told by a digest that the audit log holds.
    """
    publication = reading.first(select(publications).where(publications.c.run == run))
    if publication is None:
        raise Missing("the run")
    query = (select(flags.c.id, flags.c.digest, texts.c.text).join(texts, texts.c.flag == flags.c.id)
             .where(flags.c.run == run).order_by(flags.c.id))
    altered, digests = [], []
    for row in reading.stream(query):
        altered += [row["id"]] if digest_text(row["text"]) != row["digest"] else []
        digests.append((row["id"], row["digest"]))
    return altered if digest_flags(digests) == publication["digest"] else [*altered, run]


def digest_text(text: str) -> str:
    """The SHA-256 of a flag's text."""
    return sha256(text.encode()).hexdigest()


def digest_flags(digests: Sequence[tuple[str, str]]) -> str:
    """One digest over the ids and digests of all flags of a run."""
    return sha256("".join(f"{id} {digest}\n" for id, digest in sorted(digests)).encode()).hexdigest()


def _terms(filters: Filters) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    for name, column in _PLAIN.items():
        if (allowed := getattr(filters, name)) is not None:
            terms.append(flags.c[column].in_(allowed))
    for name, kind in _LABELLED.items():
        if (allowed := getattr(filters, name)) is not None:
            labelled = select(labels.c.flag).where(labels.c.kind == kind, labels.c.value.in_(allowed))
            terms.append(flags.c.id.in_(labelled))
    if filters.within is not None:
        terms.append(filters.within)
    if searched := filters.search.strip().casefold():
        terms.append(flags.c.folded.contains(searched, autoescape=True))
    return terms


def _with_labels(reading: Reading, rows: Sequence[RowMapping]) -> tuple[FlagRow, ...]:
    found: dict[str, dict[str, list[str]]] = {row["id"]: {name: [] for name in _KINDS.values()} for row in rows}
    query = select(labels).where(labels.c.flag.in_(list(found))).order_by(labels.c.kind, labels.c.value)
    for label in reading.all(query) if found else ():
        found[label["flag"]][_KINDS[label["kind"]]].append(label["value"])
    return tuple(_row(row, found[row["id"]]) for row in rows)


def _row(row: RowMapping, labelled: Mapping[str, Sequence[str]]) -> FlagRow:
    values: dict[str, Any] = {column.name: row[column.name] for column in _COLUMNS}
    return FlagRow(**values, **{name: tuple(some) for name, some in labelled.items()})      # type: ignore[arg-type]
