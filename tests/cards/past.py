"""A few people's records written as partners' files and taken in: a past small enough to know by heart.

Everything happens around one day, T. A day is given as so many days after it (before it, where negative).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from engine.lake import Lake

T = date(2025, 6, 1)
RECEIVED = date(2026, 11, 22)
Row = dict[str, Any]


def day(after: int) -> str:
    """So many days after T, as files write it."""
    return (T + timedelta(days=after)).isoformat()


class Town:
    """Rows by feed, and the lake they are taken into."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {}
        self.corrections: dict[str, list[Row]] = {}

    def add(self, feed: str, **row: Any) -> None:
        self.rows.setdefault(feed, []).append(row)

    def police(self, person: Row, role: str, after: int, *, origin: str = "reported", **other: Any) -> str:
        """An incident known that day, and the part somebody played in it."""
        ref = f"I{len(self.rows.get('police_incidents', ())):04d}"
        self.add("police_incidents", incident_ref=ref, occurred=day(after), recorded=day(after), category="P01",
                 origin=origin)
        self.add("police_involvements", involvement_ref=f"V{ref}", incident_ref=ref, recorded=day(after), role=role,
                 evidence=2, **person, **other)
        return ref

    def help(self, person: Row, after: int) -> None:
        """A support package that began and was known that day."""
        self.add("engagements", engagement_ref=f"E{len(self.rows.get('engagements', ())):04d}",
                 service="support_package", started=day(after), recorded=day(after), provider="Help at Home", **person)

    def take_in(self, lake: Lake, folder: Path, also: Iterable[str] = (), received: date = RECEIVED) -> None:
        """Every feed as one file; those of `also` without rows say that nothing happened."""
        folder.mkdir(parents=True, exist_ok=True)
        for feed in dict.fromkeys([*self.rows, *also]):
            path = folder / f"{feed}.csv"
            columns = list(lake.contracts[feed].columns)
            pd.DataFrame(self.rows.get(feed, []), columns=columns).to_csv(path, index=False)
            receipt = lake.ingest(feed, path, received, received)
            assert receipt.refused == 0, (feed, lake.quarantined().to_dict("records"))
        for feed, rows in self.corrections.items():
            path = folder / f"{feed}-corrected.csv"
            pd.DataFrame(rows, columns=list(lake.contracts[feed].columns)).to_csv(path, index=False)
            assert lake.ingest(feed, path, received + timedelta(days=1)).refused == 0


def person(name: str, **other: Any) -> Row:
    """Somebody as the police write them, born in 1985."""
    return {"person_ref": f"N-{name}", "person_forename": name, "person_surname": f"Test{name.lower()}",
            "person_dob": "1985-03-04", **other}
