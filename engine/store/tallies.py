"""How many flags and actions there are of each kind, counted and never listed. What is small is hidden by whoever shows
it (see `engine.small`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import case, func, select

from engine.store.database import Reading
from engine.store.tables import actions, flags, labels

_HELD = ("restricted", "routed")        # counted nowhere: the lists do not show them, and a difference would tell
_COLUMNS = ("band", "state", "change", "ward")

Counts = dict[str, int]


@dataclass
class Tally:
    """The flags of one list of one run: how many, and of each band, state, change, ward (empty: not known), theme."""

    total: int = 0
    band: Counts = field(default_factory=dict)
    state: Counts = field(default_factory=dict)
    change: Counts = field(default_factory=dict)
    ward: Counts = field(default_factory=dict)
    theme: Counts = field(default_factory=dict)


def tally_flags(reading: Reading, runs: Sequence[str]) -> dict[tuple[str, str], Tally]:
    """A tally for each run and list that has flags. A flag of several themes is counted under each."""
    found: dict[tuple[str, str], Tally] = {}
    number, ours = func.count().label("n"), (flags.c.run.in_(runs), flags.c.status.not_in(_HELD))
    for name in _COLUMNS:
        query = select(flags.c.run, flags.c.list, flags.c[name].label("value"), number)
        for row in reading.all(query.where(*ours).group_by(flags.c.run, flags.c.list, flags.c[name])):
            tally = found.setdefault((row["run"], row["list"]), Tally())
            getattr(tally, name)[row["value"] or ""] = row["n"]
            tally.total += row["n"] if name == "band" else 0
    query = select(flags.c.run, flags.c.list, labels.c.value, number).join(labels, labels.c.flag == flags.c.id)
    for row in reading.all(query.where(*ours, labels.c.kind == "theme")
                           .group_by(flags.c.run, flags.c.list, labels.c.value)):
        found[row["run"], row["list"]].theme[row["value"]] = row["n"]
    return found


def tally_actions(reading: Reading, today: date) -> Counts:
    """How many actions are overdue, open, done and cancelled."""
    state = case((actions.c.state != "open", actions.c.state), (actions.c.due < today, "overdue"), else_="open")
    query = (select(state.label("value"), func.count().label("n")).join(flags, flags.c.id == actions.c.flag)
             .where(flags.c.status.not_in(_HELD)).group_by(state))
    counted = {row["value"]: row["n"] for row in reading.all(query)}
    return {name: counted.get(name, 0) for name in ("overdue", "open", "done", "cancelled")}
