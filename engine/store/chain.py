"""One line of the audit log and how it is tied to the line before: no database, only text and SHA-256.

A body holds codes, numbers and digests, and refuses anything else. Free text and names would make the log personal
data: erasing them would break the chain, and keeping them would break the law.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from engine.errors import Problem
from engine.store.problems import StoreError

START = "0" * 64      # what the first line is tied to
LONGEST = 80          # of a code: the width of the columns
_CODE = re.compile(rf"[a-z0-9][a-z0-9_.:/-]{{0,{LONGEST - 1}}}")
# No capitals and no spaces: no name, sentence, login or subject's id (P000123) can pass.


@dataclass(frozen=True)
class Line:
    """One thing that happened. `body` is canonical JSON; `prev` the hash of the line before; `object` what it was
    done to, or empty."""

    id: int
    at: datetime
    actor: str
    action: str
    object: str
    body: str
    prev: str
    hash: str


@dataclass(frozen=True)
class Note:
    """What is to be said in the log of one change."""

    action: str
    object: str
    body: Mapping[str, Any]


def tie(id: int, at: datetime, actor: str, note: Note, prev: str) -> Line:
    """The line of a note after the line whose hash is `prev`. Raises StoreError where it could tell of a person."""
    check(actor, note)
    body = json.dumps(dict(note.body), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return Line(id, at, actor, note.action, note.object, body, prev,
                digest(prev, at, actor, note.action, note.object, body))


def digest(prev: str, at: datetime, actor: str, action: str, object: str, body: str) -> str:
    """The hash of a line. Its parts go in as a JSON list, so that no two lines read the same."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return sha256(json.dumps([prev, moment, actor, action, object, body]).encode()).hexdigest()


def holds(line: Line) -> bool:
    """Whether a line is still what was written."""
    return line.hash == digest(line.prev, line.at, line.actor, line.action, line.object, line.body)


def check(actor: str, note: Note) -> None:
    """Refuses a note that could hold something about a person."""
    wrong = [where for where, value in (("actor", actor), ("action", note.action)) if not _is_code(value)]
    wrong += ["object"] if note.object and not _is_code(note.object) else []
    wrong += [f"body.{key}" for key, value in note.body.items() if not (_is_code(key) and _is_plain(value))]
    if wrong:
        raise StoreError(Problem(f"audit {', '.join(wrong)}", "is not a code, a number or a digest",
                                 f"at most {LONGEST} of a-z 0-9 _ . : / -",
                                 "keep words and names in their own table; say here only its id"))


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int) or _is_code(value)
