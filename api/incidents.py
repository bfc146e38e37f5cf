"""What must never happen and did -> a line for whoever runs Wardwise: when, where, which rules; nobody's name.

Kept in `screenings/incidents.jsonl` of the home and said on stderr.
"""

from __future__ import annotations

import re
import secrets
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from api.guard import tell
from engine.errors import WardwiseError
from engine.journal import Journal


@dataclass(frozen=True)
class Incident:
    """One line: `kind` is the kind of error, `rules` those it names, `desk` the digest of the desk it came from."""

    id: str
    at: datetime
    kind: str
    where: str
    rules: tuple[str, ...]
    desk: str


class Incidents:
    """The incidents of one home."""

    def __init__(self, home: Path) -> None:
        self._journal: Journal[dict[str, Any]] = Journal(
            home / "screenings" / "incidents.jsonl", "an incident", lambda _number, fields: fields)

    def record(self, error: BaseException, at: datetime, known_rules: Iterable[str], desk: str) -> Incident:
        """Keeps an incident and says it. The error's own words are left out: they may name somebody."""
        said = set(re.findall(r"[a-z0-9/_-]+", str(error))) if isinstance(error, WardwiseError) else set()
        incident = Incident(secrets.token_hex(4), at, type(error).__name__, _place(error),
                            tuple(sorted(said.intersection(known_rules))), desk)
        rules = f", about {', '.join(incident.rules)}" if incident.rules else ""
        tell(f"incident {incident.id}: {incident.kind} at {incident.where}{rules}")
        try:
            with self._journal.hold():
                self._journal.append({"id": incident.id, "at": at.isoformat(), "kind": incident.kind,
                                      "where": incident.where, "rules": incident.rules, "desk": desk})
        except OSError as failed:       # a full disk may be the very incident
            tell(f"incident {incident.id} could not be written down: {failed.strerror}")
        return incident

    def read(self) -> list[dict[str, Any]]:
        """Every incident, oldest first."""
        return self._journal.read()[0]


def _place(error: BaseException) -> str:
    """The file and line, without the folder it is installed in."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
