"""A number of residents and a seed -> an invented borough: every partner's extracts, and the truth.

    geography -> residents -> incidents -> police, reports, housing, applications, services
              -> stories -> dirt -> writing

Nobody in it exists. The same arguments give the same bytes. What is calibrated, and to what, is
written beside each number; what is planted, and what the engine should make of it, is in
truth/stories.yaml.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from engine.errors import Problem, UsageError
from engine.invent.applications import write_applications
from engine.invent.arrays import Whole, make_generator, to_day
from engine.invent.columns import FEEDS, PEOPLE
from engine.invent.dirt import CORRECTED, draw_corrections, spoil
from engine.invent.equality import draw_told
from engine.invent.extracts import Correction, Extracts, Table, correct, fill_people
from engine.invent.gazetteer import write_addresses
from engine.invent.geography import build_town
from engine.invent.housing import count_lets, write_housing
from engine.invent.incidents import Places, build_places, draw_events
from engine.invent.lets import write_offers
from engine.invent.police import write_police
from engine.invent.reports import FIRE_SILENT_DAYS, write_fires, write_reports, write_street_care
from engine.invent.residents import build_former, build_people
from engine.invent.roster import Roster
from engine.invent.services import (
    write_care,
    write_outreach,
    write_places,
    write_restrictions,
    write_schools,
)
from engine.invent.setting import Setting
from engine.invent.spelling import FORMS
from engine.invent.stories import tell_stories
from engine.invent.truth import Past, link_people, write_truth
from engine.invent.writing import render, write_csv, write_file

SMALLEST, LARGEST = 4_000, 1_400_000    # LSOA and street numbers run out above
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Borough:
    """What was written: where, how many rows in each feed, and which stories are in it."""

    folder: Path
    until: date
    rows: dict[str, int]
    stories: tuple[str, ...]


def invent(folder: Path, residents: int, months: int, seed: int,
           until: date = date(2026, 11, 23), progress: Progress | None = None, recorded: float = 1.0) -> Borough:
    """Write folder/extracts (with manifest.csv) and folder/truth for an invented borough.

    `until` is the first day not covered: the day the list is made. `recorded` is the share that anybody is told of what
    the smaller group in truth/equality.csv suffers; with 1 the groups are recorded alike. Raises UsageError.
    """
    if not SMALLEST <= residents <= LARGEST or not 12 <= months <= 120 or seed < 0 or not 0 <= recorded <= 1:
        raise UsageError(Problem("invent", "a borough that cannot be made",
                                 f"{SMALLEST:,} to {LARGEST:,} residents, 12 to 120 months, "
                                 "a seed of 0 or more, a share recorded of 0 to 1",
                                 "choose other numbers"))
    say = progress or (lambda _: None)
    say("people and places")
    setting = _set_stage(residents, months, seed, to_day(until), recorded)
    extracts = Extracts()
    places, past = _write_background(setting, extracts, say)
    say("stories")
    people, stories = tell_stories(setting, extracts)
    # After the stories, so that their numbers stay what they were.
    proposals = write_offers(setting, extracts, past.offers, setting.stream("past offers"))
    say("files")
    rows, links = _write_feeds(folder / "extracts", setting, Roster(people, setting.town),
                               extracts, until)
    write_truth(folder / "truth", setting, people, places, past, proposals, links, stories)
    return Borough(folder, until, rows, tuple(story.name for story in stories))


def _set_stage(residents: int, months: int, seed: int, until: int, recorded: float) -> Setting:
    start = until - round(months * 30.4375)
    town = build_town(residents, make_generator(seed, "town"))
    people, homes = build_people(town, residents, until, start, make_generator(seed, "people"))
    former = build_former(count_lets(residents, months), int(people.household[-1]) + 1, town,
                          until, make_generator(seed, "former"))
    return Setting(town, people.joined(former), homes, residents, start, until, months, seed,
                   recorded)


def _write_background(setting: Setting, extracts: Extracts, say: Progress
                      ) -> tuple[Places, Past]:
    places = build_places(setting.town, setting.stream("places"))
    say("incidents")
    events = draw_events(setting, places, setting.stream("events"))
    told = draw_told(setting, events.victim, "incidents")
    write_police(setting, events, told, extracts, setting.stream("police"))
    suffered = write_reports(setting, places, events, told, extracts, setting.stream("reports"))
    write_street_care(setting, places, extracts, setting.stream("street care"))
    write_fires(setting, places, extracts, setting.stream("fires"))
    say("homes and services")
    empty, offers = write_housing(setting, extracts, setting.stream("housing"))
    write_applications(setting, extracts, empty, setting.stream("applications"))
    write_care(setting, extracts, setting.stream("care"))
    write_schools(setting, extracts, setting.stream("schools"))
    write_restrictions(setting, extracts, setting.stream("restrictions"))
    write_outreach(setting, extracts, setting.stream("outreach"))
    premises = write_places(setting, extracts, setting.stream("service places"))
    write_addresses(setting, extracts, premises)
    return places, Past(events, told, suffered, offers)


def _write_feeds(folder: Path, setting: Setting, roster: Roster, extracts: Extracts,
                 until: date) -> tuple[dict[str, int], list[pa.Table]]:
    folder.mkdir(parents=True, exist_ok=True)
    manifest: list[tuple[str, str, date, date]] = []
    again: list[tuple[str, str, date, date]] = []
    rows: dict[str, int] = {}
    links: list[pa.Table] = []
    day = timedelta(days=1)
    for feed in FEEDS:
        table = extracts.join(feed)
        key = next(iter(FEEDS[feed]))
        if PEOPLE[feed]:
            links.append(link_people(feed, key, table))
        text = render(feed, fill_people(feed, table, roster))
        text = spoil(feed, text, key, 50_000_017, setting.stream(f"dirt {feed}"))
        name = f"{feed}.{FORMS.get(feed, 'csv')}"
        write_file(folder / name, feed, text)
        rows[feed] = len(next(iter(text.values())))
        silent = FIRE_SILENT_DAYS if feed == "fire_incidents" else 0
        manifest.append((name, feed, until - day, until - day - silent * day))
        changed = _list_corrections(feed, table, setting, extracts)
        if changed:
            _write_again(folder, feed, f"{feed}_corrections.csv",
                         correct(table, key, changed), roster)
            again.append((f"{feed}_corrections.csv", feed, until, until - day))
        late = extracts.join(feed, late=True)
        if len(late):
            _write_again(folder, feed, f"{feed}_update.csv", late, roster)
            again.append((f"{feed}_update.csv", feed, until + 7 * day, until + 6 * day))
    again.sort(key=lambda entry: entry[2])
    lines = [pa.array([str(entry[place]) for entry in manifest + again]) for place in range(4)]
    write_csv(folder / "manifest.csv", ["file", "feed", "received", "complete_to"], lines)
    return rows, links


def _list_corrections(feed: str, table: Table, setting: Setting,
                      extracts: Extracts) -> list[Correction]:
    planned = extracts.corrections.get(feed, [])
    if feed in CORRECTED:
        planned = planned + draw_corrections(feed, table, setting.until,
                                             setting.stream(f"corrections {feed}"))
    order: Whole = np.argsort([c.amended for c in planned], kind="stable")
    return [planned[place] for place in order.tolist()]


def _write_again(folder: Path, feed: str, name: str, table: Table, roster: Roster) -> None:
    write_file(folder / name, feed, render(feed, fill_people(feed, table, roster)))
