"""Two weeks' lists made by hand: everything a flag may hold, and words that try to be more. Nobody exists."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from engine.flag import (
    Axis,
    CardAccount,
    CardPart,
    Fact,
    Flag,
    Node,
    Question,
    Reason,
    Record,
    write_json,
)
from engine.rule import Response
from engine.scores import Part
from engine.store.database import Database, create
from engine.store.publishing import publish

FIRST, SECOND = date(2026, 11, 16), date(2026, 11, 23)
SCRIPT = "<script>document.title='taken'</script>"
FORMULA = "=HYPERLINK(1)"
OFFERS = 30     # more than one page holds


def reason(rule: str, title: str, axis: str, theme: str, because: str, **other: Any) -> Reason:
    count = Node("anti-social behaviour suffered in 183 days: at least 3 incidents", True, "4 incidents", "3 incidents",
                 ("Police", "Community Safety"), date(2026, 7, 17), date(2026, 11, 2), None, ())
    assessed = Node("risk assessment: is high", None, None, "high", ("Police",), None, None, None, ())
    tree = Node("any of", True, None, None, (), None, None, None, (count, assessed))
    made = Reason(
        rule, "I-01", title, axis, theme, because, "Help early does more than another log entry.", 6, 5.5, "partner",
        "ASBCPA 2014 s104", "published", "CSP thematic lead", date(2027, 10, 31), None, None, None, tree,
        ("anti-social behaviour suffered in 183 days: at least 3 incidents",))
    return replace(made, **other)


def record(number: int, role: str | None) -> Record:
    return Record(f"council_asb:A{number}", "council_asb", date(2026, 11, 1 + number % 20), date(2026, 11, 21),
                  "harassment", 2, role)


SUFFERED = reason("person/case-review-threshold", "Victim has met the threshold", "vulnerability", "victims",
                  "Reported 4 related incidents in six months; the published threshold is 3.")
CAUSED = reason("person/repeat-subject", "Named in repeated reports, with evidence", "harm", "youth",
                "Named in 3 reports with evidence in six months.")
CARD = CardAccount(
    "person_vulnerability_v1", "Further harm suffered in 90 days", "vulnerability", "live", 9, 0, 21, "discuss",
    (CardPart("asb_victim_183d", "Reports as a victim in 183 days", "4", "3 to 5", 6, 1.2, False, ("council_asb:A1",)),
     CardPart("support_plan", "A support plan is in place", "no", "no", 3, 1.9, True, ())),
    ("Reports as a victim: 4.8 points above the average case.",), (), None,
    "9 points of 21. Of 100 people with this score, about 12 were harmed again within 90 days.",
    "With a support plan it would leave its band.", "It would leave its band after 41 days without a report.")


def make_flag(list_name: str, subject: str, as_of: date, **other: Any) -> Flag:
    part = Part("person/case-review-threshold", "victims", 6, 5.5, "discuss")
    made = Flag(
        f"{subject}@{as_of}", as_of, list_name, subject, "", "convene", "shown", "new",
        "Reported 4 related incidents in six months. It drops off after 120 days without a further report.",
        (Axis("vulnerability", 5.5, 5.5, 0.0, "convene", "discuss", None, (part,)),), (SUFFERED,), (),
        (Fact("asb_victim_183d", "Anti-social behaviour suffered", "4 incidents", 183, ("Police",),
              ("council_asb:A1", "council_asb:A2"), True, False),
         Fact("support_plan", "A support plan", "not known", None, ("Housing",), (), False, True)),
        (record(1, "victim"), record(2, "victim")), ("2 of the 4 records rest on a single report.",),
        (Question("person/needs", "Needs not met", ("Support needs",), ("Social Care",), ()),),
        "It drops off after 120 days without a further report.", ("police", "housing"),
        (Response("support", "Contact within one working day."), Response("enforce", "Only where lawful.")), (),
        ("Fire service incidents: last heard of 79 days ago",), "Tell the team that a fact is wrong.",
        "It decides nothing.", {"pack": "a" * 64, "snapshot": "b" * 64, "features": "c" * 64})
    return replace(made, **other)


def second_week() -> list[Flag]:
    harm = Axis("harm", 7.0, 10.0, 0.3, "discuss", None, None,
                (Part("person/repeat-subject", "youth", 7, 7.0, None),))
    both = make_flag("people", "P000001", SECOND, change="stale")
    both = replace(both, axes=(*both.axes, harm), reasons=(SUFFERED, CAUSED), cards=(CARD,),
                   records=tuple(record(n, "victim" if n % 2 else "alleged_subject") for n in range(1, 41)))
    place = make_flag("places", "street:1", SECOND, name=SCRIPT, convene=("police", "environmental_health"),
                      reasons=(replace(SUFFERED, because=f"{FORMULA} {SCRIPT}", axis="place", theme="hotspots"),),
                      axes=(Axis("place", 6.0, 6.0, 0.0, "discuss", None, None, ()),), band="discuss")
    offers = [make_flag("allocations", f"PR{n:06d}", SECOND, band="watch", axes=(), records=(), facts=(), against=(),
                        questions=(), late_feeds=(), respond=(), convene=("housing",),
                        reasons=(replace(SUFFERED, result="avoid_this_property", level="hard", axis="vulnerability"),))
              for n in range(OFFERS)]
    people = [both, make_flag("people", "P000002", SECOND, change="worse", convene=("police", "social_care")),
              make_flag("people", "P000003", SECOND, change="better", band="discuss")]
    return [*people, place, *offers]


def first_week() -> list[Flag]:
    return [make_flag("people", name, FIRST) for name in ("P000001", "P000003", "P000004", "P000005")]


def fill_store(url: str) -> Database:
    """A store with both weeks: P000004 is no longer put forward, P000005 is now for the monitoring officer alone."""
    create(url)
    database = Database(url)
    for day, flags in ((FIRST, first_week()), (SECOND, second_week())):
        entries = [{"list": one.list, "subject": one.subject, "status": one.status} for one in flags]
        left = []
        if day == SECOND:
            entries.append({"list": "people", "subject": "P000005", "status": "restricted"})
            left.append({"list": "people", "subject": "P000004", "because": "no longer so: Needs not met"})
        with database.writing(datetime(day.year, day.month, day.day, 9, tzinfo=UTC), "system") as writing:
            publish(writing, f"{day}-{'0' * 8}", [write_json(one) for one in flags], entries, left)
    return database
