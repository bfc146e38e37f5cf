"""What really is so -> folder/truth: who is who, what drives them, the stories and their answers.

    people.parquet   person, household, uprn (now), born, and what drives them: victim, offender, frailty
    streets.parquet  usrn, propensity, hamlet
    events.parquet   minute, category, uprn, set_off_by (row), person (who suffered it), told_to (who could be told: the
                     police, or the council alone), recorded (whether anybody was told; an incident told very late may
                     still stand in no extract)
    lets.parquet     a row per let that followed a proposal: proposal (its reference), person, uprn, proposed, started,
                     chance (that it fails within a year), failed. Whoever failed stands here only once housed again,
                     so lets of the last year hold too few; those proposed a year before the last day hold them all
    links.parquet    feed, record, prefix, person: whom each person block is about
    equality.csv     person, group, sex, age_band: invented, for audits alone (see equality.py)
    stories.yaml     what was planted and what the lists should show

Written apart from the extracts and never read by the engine, which is marked against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from engine.invent.arrays import DAY, NONE, Truth, Whole, scramble
from engine.invent.equality import write_equality
from engine.invent.extracts import Table
from engine.invent.incidents import CODES, Events, Places, Suffered
from engine.invent.lets import Offers
from engine.invent.residents import People
from engine.invent.scenes import Story
from engine.invent.setting import Setting
from engine.invent.spelling import find_reference


@dataclass(frozen=True)
class Past:
    """What happened, and who was told of it: incidents, what only the council could hear of, and lets."""

    events: Events
    told: Truth
    suffered: Suffered
    offers: Offers


def write_truth(folder: Path, setting: Setting, people: People, places: Places, past: Past, proposals: Whole,
                links: list[pa.Table], stories: list[Story]) -> None:
    """Everything an honest evaluation needs and the extracts must not show."""
    folder.mkdir(parents=True, exist_ok=True)
    town = setting.town
    pq.write_table(pa.table({
        "person": _name_people(np.arange(len(people))), "household": people.household,
        "uprn": pa.array(town.uprn[np.maximum(people.home, 0)], mask=people.home < 0),
        "born": pa.array(people.born.astype("datetime64[D]")), "victim": people.victim,
        "offender": people.offender, "frailty": people.frailty}), folder / "people.parquet")
    pq.write_table(pa.table({"usrn": town.usrn, "propensity": places.street,
                             "hamlet": town.hamlet}), folder / "streets.parquet")
    pq.write_table(_tell_events(setting, past), folder / "events.parquet")
    pq.write_table(_tell_lets(setting, past.offers, proposals), folder / "lets.parquet")
    write_equality(folder / "equality.csv", setting, people, _name_people(np.arange(len(people))))
    pq.write_table(pa.concat_tables(links), folder / "links.parquet")
    text = yaml.safe_dump([story.describe() for story in stories], sort_keys=False, width=100,
                          allow_unicode=True)
    (folder / "stories.yaml").write_text(text, encoding="utf-8")


def _tell_events(setting: Setting, past: Past) -> pa.Table:
    events, other = past.events, past.suffered
    inside = np.flatnonzero((other.minute >= setting.start * DAY) & (other.minute < setting.until * DAY))
    dwelling = np.r_[events.dwelling, other.dwelling[inside]]
    victim = np.r_[events.victim, other.victim[inside]]
    parent = np.r_[events.parent, np.full(len(inside), NONE)]
    words = np.r_[np.array(CODES, object)[events.category], other.code[inside]]
    return pa.table({
        "minute": np.r_[events.minute, other.minute[inside]], "category": pa.array(words, pa.string()),
        "uprn": setting.town.uprn[np.maximum(dwelling, 0)], "set_off_by": pa.array(parent, mask=parent == NONE),
        "person": pc.if_else(pa.array(victim != NONE), _name_people(np.maximum(victim, 0)), None),
        "told_to": pa.array(["police"] * len(events) + ["council"] * len(inside), pa.string()),
        "recorded": np.r_[past.told, other.told[inside]]})


def _tell_lets(setting: Setting, offers: Offers, proposals: Whole) -> pa.Table:
    form = find_reference("proposed_allocations", "proposal_ref")
    assert form is not None
    return pa.table({
        "proposal": _name_records(form.letters, scramble(proposals, form.salt)), "person": _name_people(offers.person),
        "uprn": setting.town.uprn[offers.dwelling],
        "proposed": pa.array(offers.proposed.astype("datetime64[D]")),
        "started": pa.array(offers.started.astype("datetime64[D]")),
        "chance": offers.chance, "failed": offers.failed})


def link_people(feed: str, key: str, table: Table) -> pa.Table:
    """Which true person each record of a feed is about, by person block."""
    form = find_reference(feed, key)
    letters, salt = (form.letters, form.salt) if form else ("", 0)
    numbers = scramble(np.maximum(table.columns[key], 0), salt)
    parts = []
    for prefix, who in table.people.items():
        rows = np.flatnonzero(who >= 0)
        parts.append(pa.table({
            "feed": pa.array([feed] * len(rows), pa.string()),
            "record": _name_records(letters, numbers[rows]),
            "prefix": pa.array([prefix] * len(rows), pa.string()),
            "person": _name_people(who[rows])}))
    return pa.concat_tables(parts)


def _name_records(letters: str, numbers: Whole) -> pa.Array:
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), 8, "0")
    return pc.binary_join_element_wise(letters, digits, "")


def _name_people(person: Whole) -> pa.Array:
    digits = pc.utf8_lpad(pc.cast(pa.array(person), pa.string()), 7, "0")
    return pc.binary_join_element_wise("T", digits, "")


