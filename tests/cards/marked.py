"""What is true of an invented borough, under the names agencies give the same people. Nothing learns from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from engine.history import connect
from engine.lake import Lake
from models.equality_files import HAPPENED, SUBJECT

DAY_ONE = pd.Timestamp(1970, 1, 1)      # minutes in truth/events.parquet are counted from here


def name_true_people(borough: Path, lake: Lake, as_of: date) -> pd.Series:
    """An agency's reference (`housing:A1234`) -> the true person, as far as records known by a day tell."""
    links = pd.read_parquet(borough / "truth" / "links.parquet")
    connection, parts = connect(), []
    try:
        tables = lake.tables(as_of, connection)
        for (feed, prefix), linked in links.groupby(["feed", "prefix"]):
            contract = lake.contracts[feed]
            [block] = [each for each in contract.people if each.prefix == prefix]
            rows = tables[feed].select(contract.identity[0], f"{prefix}_ref").to_pandas()
            rows.columns = pd.Index(["record", "ref"])
            known = rows.dropna().astype(str).merge(linked, on="record")
            parts.append(known.assign(node=block.namespace + ":" + known["ref"])[["node", "person"]])
    finally:
        connection.disconnect()
    found = pd.concat(parts).drop_duplicates()
    clear = found[~found["node"].duplicated(keep=False)]        # two people under one reference tell nothing
    return clear.set_index("node")["person"].sort_index()


def read_true_equality(borough: Path, people: pd.Series, columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """The equality table an agency would bring: a row for each of its references."""
    table = pd.read_csv(borough / "truth" / "equality.csv", dtype=str).set_index("person")
    asked = table[list(columns)] if columns else table
    return asked.reindex(people).reset_index(drop=True).assign(**{SUBJECT: people.index})[[SUBJECT, *asked.columns]]


def deal_equality(people: pd.Series, seed: int) -> pd.DataFrame:
    """A table that has nothing to do with anybody: true people dealt by lot, in the invented groups' shares."""
    everybody = sorted(set(people))
    dealt = np.random.default_rng([seed, 0]).choice(["A", "B", "C"], len(everybody), p=[0.6, 0.25, 0.15])
    group = people.map(dict(zip(everybody, dealt, strict=True)))
    return pd.DataFrame({SUBJECT: people.index, "group": group.to_numpy()})


def read_suffered(borough: Path, people: pd.Series, first: date, last: date) -> pd.DataFrame:
    """Who truly suffered something from one day to before another, told or not, by reference."""
    events = pd.read_parquet(borough / "truth" / "events.parquet").dropna(subset=["person"])
    when = DAY_ONE + pd.to_timedelta(events["minute"], unit="min")
    within = events[(when >= pd.Timestamp(first)) & (when < pd.Timestamp(last))]
    return pd.DataFrame({SUBJECT: people.index, HAPPENED: people.isin(set(within["person"])).astype(int).to_numpy()})


def read_propensity(borough: Path, names: Mapping[str, str], people: pd.Series, column: str) -> dict[str, float]:
    """What truly drives people (`victim`, `offender`), under the names they had at a date; the mean of two taken for
    one."""
    drives = pd.read_parquet(borough / "truth" / "people.parquet").set_index("person")[column]
    known = pd.DataFrame({"subject": people.index.map(dict(names)), "drive": drives.reindex(people).to_numpy()})
    mean: dict[str, float] = known.dropna().groupby("subject")["drive"].mean().to_dict()
    return mean
