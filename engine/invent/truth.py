"""What really is so -> folder/truth: who is who, what drives them, the stories and their answers.

Written apart from the extracts and never read by the engine, which is marked against it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from engine.invent.arrays import NONE, Whole, scramble
from engine.invent.extracts import Table
from engine.invent.incidents import CODES, Events, Places
from engine.invent.residents import People
from engine.invent.scenes import Story
from engine.invent.setting import Setting
from engine.invent.spelling import find_reference


def write_truth(folder: Path, setting: Setting, people: People, places: Places, events: Events,
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
    pq.write_table(pa.table({
        "minute": events.minute, "category": np.array(CODES)[events.category],
        "uprn": town.uprn[np.maximum(events.dwelling, 0)],
        "set_off_by": pa.array(events.parent, mask=events.parent == NONE)}),
        folder / "events.parquet")
    pq.write_table(pa.concat_tables(links), folder / "links.parquet")
    text = yaml.safe_dump([story.describe() for story in stories], sort_keys=False, width=100,
                          allow_unicode=True)
    (folder / "stories.yaml").write_text(text, encoding="utf-8")


def link_people(feed: str, key: str, table: Table) -> pa.Table:
    """Which true person each record of a feed is about, by person block."""
    form = find_reference(feed, key)
    letters, salt = (form.letters, form.salt) if form else ("", 0)
    numbers = scramble(np.maximum(table.columns[key], 0), salt)
    parts = []
    for prefix, who in table.people.items():
        rows = np.flatnonzero(who >= 0)
        digits = pc.utf8_lpad(pc.cast(pa.array(numbers[rows]), pa.string()), 8, "0")
        parts.append(pa.table({
            "feed": pa.array([feed] * len(rows), pa.string()),
            "record": pc.binary_join_element_wise(letters, digits, ""),
            "prefix": pa.array([prefix] * len(rows), pa.string()),
            "person": _name_people(who[rows])}))
    return pa.concat_tables(parts)


def _name_people(person: Whole) -> pa.Array:
    digits = pc.utf8_lpad(pc.cast(pa.array(person), pa.string()), 7, "0")
    return pc.binary_join_element_wise("T", digits, "")


