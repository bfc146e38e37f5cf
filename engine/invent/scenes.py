"""Where a planted story happens and who is in it: fresh homes in quiet hamlets, fresh people.

A scene writes through the same row writers as everything else, in whole and correct rows, so that
what the engine should make of it is certain. Days are counted back from the last day: `ago=20`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.invent.arrays import DAY, NONE, Column, Generator, Value, pick, scramble
from engine.invent.columns import FEEDS, PEOPLE
from engine.invent.extracts import Extracts
from engine.invent.geography import FLAT_HAMLETS, HOUSE_HAMLETS
from engine.invent.names import FORENAMES, SURNAMES, name_weights
from engine.invent.residents import LEAD, People, people_from
from engine.invent.roster import name_person
from engine.invent.setting import Setting
from engine.invent.spelling import find_reference

PEOPLE_LIST, PLACES, ALLOCATIONS = "people", "places", "allocations"


@dataclass
class Story:
    """A case as a caseworker would tell it, whom it is about, and what the lists should show.

    `expect` is flagged, not_flagged (the rule does not come out true), held (true, but shown as
    held or routed by the exclusion named) or cannot_tell.
    """

    name: str
    sentence: str
    subjects: dict[str, dict[str, str]] = field(default_factory=dict)
    expectation: list[dict[str, str]] = field(default_factory=list)

    def describe(self) -> dict[str, object]:
        """The story as plain values for the truth."""
        return {"name": self.name, "sentence": self.sentence, "subjects": self.subjects,
                "expectation": self.expectation}


@dataclass
class Stage:
    """All scenes of one borough: the people cast so far and the hamlets not yet used."""

    setting: Setting
    extracts: Extracts
    rng: Generator
    cast: list[dict[str, int]] = field(default_factory=list)
    stories: list[Story] = field(default_factory=list)
    hamlets: int = 0
    flats: int = 0

    def open_scene(self, name: str, sentence: str) -> Scene:
        """A new story in a hamlet of its own."""
        story = Story(name, sentence)
        self.stories.append(story)
        return Scene(self, story)

    def take_street(self, flats: bool = False) -> int:
        """The next unused hamlet street: houses, or flats in one block."""
        first = int(np.flatnonzero(self.setting.town.hamlet)[0])
        if flats:
            self.flats += 1
            assert self.flats <= FLAT_HAMLETS, "more stories in flats than hamlets"
            return first + HOUSE_HAMLETS + self.flats - 1
        self.hamlets += 1
        assert self.hamlets <= HOUSE_HAMLETS, "more stories than hamlets"
        return first + self.hamlets - 1

    def gather(self) -> People:
        """Everybody: the borough's people and then the cast."""
        people = self.setting.people
        return people.joined(people_from(self.cast)) if self.cast else people

    def draw_name(self, born: int) -> tuple[int, int]:
        """A name that nobody born that day could be mistaken for."""
        people = self.setting.people
        same = np.flatnonzero(people.born == born)
        forenames = set(people.forename[same].tolist())
        mine = [row for row in self.cast if row["born"] == born]
        for attempt in range(4_000):
            # In a very large town every initial may be taken; then two letters must differ.
            taken = {SURNAMES[n][:1 + attempt // 2_000] for n in people.surname[same].tolist()}
            forename = int(pick(self.rng, name_weights(len(FORENAMES)), 1)[0])
            surname = int(pick(self.rng, name_weights(len(SURNAMES)), 1)[0])
            if (forename not in forenames and not SURNAMES[surname].startswith(tuple(taken))
                    and all(row["surname"] != surname for row in mine)):
                return forename, surname
        raise AssertionError("nobody left to name")

    def draw_birth(self, age: int) -> int:
        """A birthday well inside the year of age, on a day when few were born."""
        days = self.setting.until - ((age + self.rng.uniform(0.15, 0.85, 12)) * 365.25).astype(int)
        busy = [int((self.setting.people.born == day).sum()) for day in days]
        return int(days[int(np.argmin(busy))])


@dataclass
class Scene:
    """One story being told."""

    stage: Stage
    story: Story
    street: int = -1
    used: int = 0

    def ago(self, days: int) -> int:
        """The day so many days before the last."""
        return self.stage.setting.until - days

    def move(self, *, flats: bool = False) -> int:
        """Go on in another hamlet."""
        self.street, self.used = self.stage.take_street(flats), 0
        return self.street

    def home(self) -> int:
        """The next dwelling of this scene's street."""
        if self.street < 0:
            self.move()
        first = self.stage.setting.town.first_home
        assert self.used < first[self.street + 1] - first[self.street], "street is full"
        self.used += 1
        return int(first[self.street]) + self.used - 1

    def person(self, age: int = 40, *, home: int | None = None, household: int | None = None,
               place: int = LEAD, **given: int) -> int:
        """Somebody new, with a home of their own unless one is given."""
        born = given.get("born", self.stage.draw_birth(age))
        forename, surname = self.stage.draw_name(born)
        people = self.stage.setting.people
        number = len(people) + len(self.stage.cast)
        self.stage.cast.append({
            "forename": given.get("forename", forename), "surname": given.get("surname", surname),
            "born": born, "home": self.home() if home is None else home,
            "household": int(people.household[-1]) + 1 + number if household is None
            else household, "place": place, "earlier_home": NONE, "moved": NONE})
        return number

    def known(self, person: int, what: str) -> int:
        """Something about one of the cast: home, household, born."""
        return self.stage.cast[person - len(self.stage.setting.people)][what]

    def put(self, feed: str, who: int | None = None, other: int | None = None,
            late: bool = False, /, **columns: Value) -> int:
        """One row in a feed; gives back the counter of its own reference."""
        key = next(iter(FEEDS[feed]))
        form = find_reference(feed, key)
        number = NONE
        if form and key not in columns:
            number = int(self.stage.extracts.number(form.kind, 1)[0])
            columns[key] = number
        row = {name: _as_column(value) for name, value in columns.items() if value is not None}
        people = {prefix: np.array([person]) for prefix, person in
                  zip(PEOPLE[feed], (who, other), strict=False) if person is not None}
        self.stage.extracts.add(feed, row, people, story=True, late=late)
        return number

    def where(self, home: int) -> dict[str, Value]:
        """The location columns of a dwelling, complete."""
        town = self.stage.setting.town
        street = int(town.street[home])
        return {"uprn": int(town.uprn[home]), "usrn": int(town.usrn[street]),
                "lsoa": town.area_code[town.street_area[street]],
                "easting": int(town.easting[home]), "northing": int(town.northing[home])}

    def uprn(self, person: int) -> int:
        """The UPRN of somebody's home."""
        return int(self.stage.setting.town.uprn[self.known(person, "home")])

    def report(self, victim: int | None, subject: int | None = None, *, ago: int,
               code: str = "N01", evidence: int = 2, at: int | None = None,
               reporter: int | None = None, late: bool = False, recorded: int | None = None,
               **more: Value) -> int:
        """A report to the council, made the next day and recorded the day it was made."""
        caller = reporter if reporter is not None else victim
        spot = at if at is not None else self.known(subject if subject is not None else caller
                                                    if caller is not None else -1, "home")
        minute = self.ago(ago) * DAY + (9 + ago % 11) * 60
        return self.put("council_asb", victim, subject, late, **{
            "occurred": minute, "reported": minute + DAY,
            "recorded": self.ago(ago) + 1 if recorded is None else recorded,
            "category": code, "severity": 3, "evidence": evidence, "channel": "call",
            "origin": "reported", "anonymous": caller is None, "disputed": False,
            "reporter_ref": None if caller is None else self.known(caller, "household"),
            **self.where(spot), **more})

    def police(self, ago: int, code: str, at: int, roles: list[tuple[str, int]] | None = None, *,
               evidence: int = 2, outcome: str = "none", reporter: int | None = None,
               hour: int = 15, **more: Value) -> None:
        """A police incident and the people in it."""
        minute = self.ago(ago) * DAY + hour * 60 + ago % 50
        incident = self.put("police_incidents", **{
            "occurred": minute, "reported": minute + 40, "recorded": self.ago(ago),
            "category": code, "severity": 3, "domestic_abuse": code == "P04", "channel": "call",
            "origin": "reported", "anonymous": False, "live_investigation": False,
            "disputed": False,
            "reporter_ref": None if reporter is None else self.known(reporter, "household"),
            **self.where(at), **more})
        for role, person in roles or []:
            self.put("police_involvements", person, incident_ref=incident,
                     recorded=self.ago(ago), role=role, evidence=evidence, outcome=outcome,
                     disputed=False)

    def need(self, person: int, *codes: str) -> None:
        """Support needs noted last autumn and still current."""
        for place, code in enumerate(codes):
            self.put("support_needs", person, code=code, status="current",
                     noted=self.ago(140 + place), recorded=self.ago(139 + place),
                     source="Housing Options assessment")

    def tenant(self, person: int, *, since: int = 900, until: int | None = None,
               reason: str | None = None, at: int | None = None) -> int:
        """A council tenancy with this person as its lead; gives back the tenancy's counter."""
        home = self.known(person, "home") if at is None else at
        ended = None if until is None else self.ago(until)
        self.member(person, "lead", since=since)
        return self.put("housing_tenancies", person, started=self.ago(since), ended=ended,
                        household_ref=self.known(person, "household"), tenure="council",
                        uprn=self.where(home)["uprn"], recorded=self.ago(since),
                        end_reason=reason)

    def member(self, person: int, relation: str, *, since: int = 900) -> None:
        """A member of the person's household, since so many days ago."""
        self.put("household_members", person, household_ref=self.known(person, "household"),
                 relation=relation, joined=self.ago(since), recorded=self.ago(since))

    def expect(self, subject: str, person: int, expect: str, rule: str = "any", axis: str = "any",
               *, namespace: str = "council", exclusion: str = "") -> None:
        """What the people list should show for one of the cast."""
        self._mark(subject, {"namespace": namespace, "ref": name_person(namespace, person)},
                   PEOPLE_LIST, rule, axis, expect, exclusion)

    def expect_place(self, level: str, key: object, expect: str, rule: str = "any",
                     axis: str = "any", *, exclusion: str = "") -> None:
        """What the places list should show for a street, block or address."""
        self._mark(level, {"place": f"{level}:{key}"}, PLACES, rule, axis, expect, exclusion)

    def expect_street(self, expect: str, rule: str = "any", axis: str = "place", *,
                      exclusion: str = "") -> None:
        """What the places list should show for this scene's street."""
        usrn = int(self.stage.setting.town.usrn[self.street])
        self.expect_place("street", usrn, expect, rule, axis, exclusion=exclusion)

    def expect_block(self, expect: str, rule: str = "any", axis: str = "place") -> None:
        """What the places list should show for this scene's block of flats."""
        first = self.stage.setting.town.first_home[self.street]
        self.expect_place("block", self.stage.setting.town.block(np.array([first]))[0], expect,
                          rule, axis)

    def expect_offer(self, proposal: int, expect: str, rule: str) -> None:
        """What the allocations list should show for a proposal."""
        form = find_reference("proposed_allocations", "proposal_ref")
        assert form is not None
        number = int(scramble(np.array([proposal]), form.salt)[0])
        self._mark("proposal", {"proposal_ref": f"{form.letters}{number:08d}"}, ALLOCATIONS,
                   rule, "any", expect, "")

    def _mark(self, subject: str, find: dict[str, str], which: str, rule: str, axis: str,
              expect: str, exclusion: str) -> None:
        self.story.subjects[subject] = find
        mark = {"subject": subject, "list": which, "rule": rule, "axis": axis, "expect": expect}
        self.story.expectation.append(mark | ({"exclusion": exclusion} if exclusion else {}))


def _as_column(value: Value) -> Column:
    if isinstance(value, str):
        return np.array([value], dtype=object)
    if isinstance(value, float):
        return np.array([value], dtype=np.float64)
    return np.array([int(value or 0)], dtype=np.int64)
