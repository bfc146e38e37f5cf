"""Police, council, environmental health and fire reports -> one table of incidents, one of who was involved.

`incidents` has one row per report; reports of one happening by one household share an `incident` id, so that
telling two agencies does not count twice. `involvements` has one row per person and report, with the side
they were on: a victim's or witness's report can never be read as harm caused, because rules ask by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from engine.schema import REPORTED

Hold = Callable[[str, ir.Table], ir.Table]


@dataclass(frozen=True)
class Category:
    """What a category of report means: rules/categories.yaml."""

    code: str
    label: str
    family: str
    harm_weight: int
    cchi_days: float


_SIDES = {
    "victim": "victim", "complainant": "victim", "witness": "witness", "child_present": "present",
    "alleged_subject": "subject", "subject_substantiated": "subject", "convicted": "subject",
    "missing_person": "missing", "subject": "subject", "occupant": "present",
}
_FIRE = {"deliberate": "FIRE_DELIBERATE", "accidental": "FIRE_ACCIDENTAL", "false_alarm": "FIRE_FALSE_ALARM"}
_SHARED = ("occurred", "reported", "known", "uprn", "block", "street", "lsoa", "ward", "easting", "northing")
_OPTIONAL: dict[str, str] = {
    "category": "string", "severity": "int64", "hate_strand": "string", "domestic_abuse": "boolean",
    "dash_score": "int64", "reporter_ref": "string", "anonymous": "boolean", "evidence": "int64",
    "origin": "string", "live_investigation": "boolean", "disputed": "boolean",
}

CIVIL_DUSK_HOUR = (16.7, 17.6, 18.5, 20.5, 21.4, 22.2, 22.0, 21.0, 19.8, 18.6, 16.9, 16.4)
"""Local clock time of civil dusk mid-month at 53 N (January first), for "within two hours of dusk"."""

RELATED_DAYS = 183
TIMELY_DAYS = 31
"""ASB Case Review: complaints in the last six months, each made within one month of what happened
(ASBCPA 2014 s104; domain reference 0.8)."""


def build_incidents(
    feeds: Mapping[str, ir.Table], categories: Mapping[str, Category],
    put: Callable[[str, pd.DataFrame], ir.Table], hold: Hold,
) -> ir.Table:
    """One row per report, columns `schema.INCIDENTS`."""
    parts = [_reports(feeds[feed], feed, agency) for feed, agency in (
        ("police_incidents", "police"), ("council_asb", "community_safety"),
        ("env_health", "environmental_health"), ("fire_incidents", "fire"))]
    meanings = put("categories", pd.DataFrame([
        {"code": c.code, "family": c.family, "harm_weight": c.harm_weight, "cchi_days": c.cchi_days}
        for c in categories.values()]))
    rows = ibis.union(*parts, distinct=False)
    rows = rows.left_join(meanings, rows.category == meanings.code).drop("code")
    same = ibis.window(group_by=[rows.reporter, rows.category, rows.uprn, rows.occurred])
    told_twice = rows.reporter.notnull() & rows.uprn.notnull()
    rows = rows.mutate(incident=told_twice.ifelse(rows.record.min().over(same), rows.record))
    return hold("incidents", _timed(rows))


def _reports(rows: ir.Table, feed: str, agency: str) -> ir.Table:
    if feed == "fire_incidents":
        rows = rows.mutate(category=rows.kind.cases(*_FIRE.items(), else_=None))
    optional = {name: (rows[name].cast(kind) if name in rows.columns else ibis.null(kind))
                for name, kind in _OPTIONAL.items()}
    strand, reporter = optional.pop("hate_strand"), optional.pop("reporter_ref")
    disputed = optional.pop("disputed").fill_null(False)
    timed = rows.occurred.cast("timestamp")
    return rows.select(
        "record", feed=ibis.literal(feed), agency=ibis.literal(agency),
        at=timed, **{name: rows[name].cast("date") for name in ("occurred", "reported", "known")},
        **{name: rows[name].cast("float64" if "ing" in name[-4:] else "string")
           for name in _SHARED if name not in ("occurred", "reported", "known")},
        hate=strand.notnull() | (optional["category"] == "P03").fill_null(False),
        reporter=reporter, disputed=disputed, **(optional | {
            "domestic_abuse": optional["domestic_abuse"].fill_null(False)
            | (optional["category"] == "P04").fill_null(False)}))


def _timed(rows: ir.Table) -> ir.Table:
    hour = rows["at"].hour() + rows["at"].minute() / 60.0
    hour = (hour == 0).ifelse(ibis.null("float64"), hour)     # midnight is a date without a time
    dusk_at = rows.occurred.month().cases(*enumerate(CIVIL_DUSK_HOUR, start=1), else_=18.0)
    weekday = rows.occurred.day_of_week.index()
    term = (weekday < 5) & ~_holiday(rows.occurred)
    return rows.mutate(
        hour=hour, weekday=weekday, month=rows.occurred.month(), dusk=(hour - dusk_at).abs() <= 2,
        term_day=term, school_hours=term & (hour >= 15) & (hour < 18)).drop("at")


def _holiday(day: Any) -> Any:
    """Usual English school holidays; local term dates differ by a week or so and move no rule alone."""
    number = day.month() * 100 + day.day()
    return ((number >= 724) & (number <= 831)) | (number >= 1220) | (number <= 103) | (
        (number >= 401) & (number <= 414)) | ((number >= 1024) & (number <= 1031))


def build_involvements(feeds: Mapping[str, ir.Table], incidents: ir.Table, hold: Hold) -> ir.Table:
    """One row per person and report, columns `schema.INVOLVEMENTS`."""
    asb, police, fire = feeds["council_asb"], feeds["police_involvements"], feeds["fire_incidents"]
    subject = asb.subject
    parts = [
        _involved(asb, asb.record, asb.complainant, ibis.literal("victim"), subject_key=subject),
        _involved(asb, asb.record, subject, ibis.literal("alleged_subject")),
        _involved(police, ibis.literal("police_incidents:") + police.incident_ref, police.person,
                  police.role, own_evidence=True),
        _involved(fire, fire.record, fire.person, fire.role),
    ]
    rows = ibis.union(*parts, distinct=False)
    rows = rows.filter(rows.person.notnull())
    taken = ("incident", "category", "family", "cchi_days", "hate", "domestic_abuse", "dash_score",
             "reporter", "occurred", "reported", "known", "uprn", "anonymous", "evidence", "disputed",
             "live_investigation")
    event = incidents.select(of="record", of_origin=_told_by_somebody(incidents),
                             **{f"of_{name}": name for name in taken})
    joined = rows.inner_join(event, rows.report == event.of)
    joined = joined.mutate(
        evidence=ibis.coalesce(joined.own_evidence, joined.of_evidence),
        disputed=joined.own_disputed | joined.of_disputed,
        side=joined.role.cases(*_SIDES.items(), else_=None),
        **{name: joined[f"of_{name}"] for name in ("origin", *taken)
           if name not in ("evidence", "disputed", "known")},
        known=ibis.greatest(joined.own_known, joined.of_known))
    joined = joined.drop(*[c for c in joined.columns if c.startswith(("of_", "own_"))], "of")
    # about a person, an unsupported report is no evidence, nor an anonymous one until somebody who can be
    # asked has borne it out (evidence 2). The place still counts both.
    needed = joined.anonymous.fill_null(False).ifelse(2, 1)
    shown = (joined.side != "subject") | (joined.evidence >= needed)
    told = hold("involved", joined.filter(shown.fill_null(False)))
    return hold("involvements", _with_victims(_with_related(told)))


def _involved(
    rows: ir.Table, report: Any, person: Any, role: Any, subject_key: Any = None, own_evidence: bool = False
) -> ir.Table:
    return rows.select(
        "record", report=report, person=person, role=role,
        outcome=rows.outcome if "outcome" in rows.columns else ibis.null("string"),
        own_evidence=rows.evidence.cast("int64") if own_evidence else ibis.null("int64"),
        own_disputed=rows.disputed.fill_null(False) if "disputed" in rows.columns else ibis.literal(False),
        own_known=rows.known.cast("date"),
        subject_key=subject_key if subject_key is not None else ibis.null("string"))


def _told_by_somebody(incidents: ir.Table) -> Any:
    """The origin of each report; reported, where any report of the same happening was."""
    same = ibis.window(group_by="incident")
    told = incidents.origin.isin(REPORTED).ifelse(incidents.origin, ibis.null("string"))
    return ibis.coalesce(told.min().over(same), incidents.origin.min().over(same))


def _with_victims(rows: ir.Table) -> ir.Table:
    """Names the victim of the report a subject stands in, so that different victims can be counted."""
    victims = rows.filter(rows.side == "victim")
    of = victims.group_by(victim_of="incident").agg(victim=ibis.coalesce(
        victims.person.min(where=victims.role == "victim"), victims.person.min()))
    joined = rows.left_join(of, rows.incident == of.victim_of)
    named = (joined.side == "subject").ifelse(joined.victim, ibis.null("string"))
    return joined.mutate(victim_key=named).drop("victim_of", "victim")


def _with_related(rows: ir.Table) -> ir.Table:
    """Marks a victim's report as related to another of theirs (same subject, address or kind, six months)."""
    timely = (rows.reported.delta(rows.occurred, unit="day") <= TIMELY_DAYS).fill_null(False)
    rows = rows.mutate(timely=timely & (rows.side == "victim"))
    mine = rows.filter(rows.timely).select("record", "person", "incident", "category", "uprn",
                                           "subject_key", "known")
    other = mine.select(**{f"o_{name}": name for name in mine.columns})
    pairs = mine.inner_join(other, [mine.person == other.o_person, mine.incident != other.o_incident])
    apart = pairs.known.delta(pairs.o_known, unit="day").abs()
    alike = (pairs.category == pairs.o_category) | (pairs.uprn == pairs.o_uprn) | (
        pairs.subject_key == pairs.o_subject_key)
    related = pairs.filter((apart <= RELATED_DAYS) & alike.fill_null(False))
    related = related.select(r_record="record", r_person="person").distinct()
    joined = rows.left_join(related, [rows.record == related.r_record, rows.person == related.r_person])
    return joined.mutate(related=joined.r_record.notnull()).drop("r_record", "r_person", "timely")
