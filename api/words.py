"""The words a stored flag or list is read in: every code an officer may meet, said once for text and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from engine.prose import name_agency

AXES = {"vulnerability": "Harm suffered (vulnerability)", "harm": "Harm caused", "place": "Place",
        "process": "Process"}
BANDS = {"convene": "Convene", "discuss": "Discuss", "watch": "Watch"}
STATES = {True: "yes", False: "no", None: "not known"}
CHANGES = {
    "new": "new on the list", "worse": "more serious than last time", "better": "less serious than last time",
    "same": "as last time, with something new heard", "stale": "as last time, with nothing new heard",
}
STATUSES = {
    "not shown: capacity": "not shown: the list holds no more than one meeting can work through",
    "already held": "already held by another process, whose lead professional has it",
    "routed": "goes to police and probation only, not to this list",
    "muted": "an operation is running there; its lead has it in a list of their own",
    "second source needed": "most reports come from one household; waits for a second source",
    "restricted": "goes to the restricted queue of the monitoring officer, not to this list",
    "cooling down": "reviewed lately, with nothing worse since",
    "snoozed": "set aside until a date by somebody who said why",
}
PRIVATE = ("restricted", "routed")
"""Who these are is for somebody else's eyes, so an open list counts them and never names them."""

FLOORS = {"statutory": "a legal right or duty: at least convene", "partner": "a partner's duty: at least discuss",
          "none": "none", "convene": "convene", "discuss": "discuss"}
RESULTS = {
    "complete_needs": "Complete the needs first", "avoid_this_property": "Avoid this property",
    "mitigate": "Offer only with this in place", "check_with_agency": "Check with an agency first",
    "lint": "Put the record or the wording right", "nothing_found": "Nothing found",
}
_HEAVIEST_RESULT = ("avoid_this_property", "check_with_agency", "complete_needs", "mitigate", "lint")
SAID_BY = {"applicant": "told by applicant", "officer": "told by officer", "agency": "told by the agency"}
ASK_OF = {"applicant": "Ask the applicant", "officer": "Settle yourself", "agency": "Ask the agency"}
CHECKED = {"checked": "checked", "not_checked": "NOT CHECKED", "not_applicable": "not applicable"}
LEVELS = {"hard": "must be settled before an offer", "soft": "to be weighed", "info": "for information"}
THRESHOLDS = {"published": "the threshold is published", "design": "the threshold is this partnership's own choice"}
STEPS = {"support": "Support first", "agree": "Then agree", "enforce": "Enforce only where lawful"}
ROLES = {"subject_substantiated": "subject, substantiated", "alleged_subject": "alleged subject",
         "child_present": "child present", "missing_person": "missing person"}
_SEEN = 0.005      # points: less is lost in rounding to two places
_NEVER = ": nothing has ever been received"
DIGEST_LENGTH = 12
"""Characters of a digest shown: enough to tell two runs apart by eye; the whole stands in the JSON."""


def say_day(day: date | str | None) -> str:
    """`2026-11-23` as `23 November 2026`; nothing as `not known`."""
    if not day:
        return "not known"
    when = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{when.day} {when:%B %Y}"


def say_points(points: float) -> str:
    """`1 point`, `13.1 points`."""
    return f"{points:g} point{'' if points == 1 else 's'}"


def say_agencies(codes: list[str]) -> str:
    """Agency codes as people call them."""
    return ", ".join(name_agency(code) for code in codes)


def say_seen(node: Mapping[str, Any]) -> str:
    """What a clause saw, against what, from whom and when: nothing for a block."""
    said = [f"seen: {node['value']}"] if node["value"] is not None else []
    if node["threshold"] is not None:
        said.append(f"threshold: {node['threshold']}")
    if node["agencies"]:
        said.append(f"from {', '.join(node['agencies'])}")
    if node["first"]:
        both = node["first"] != node["last"]
        said.append(f"recorded {say_day(node['first'])}" + (f" to {say_day(node['last'])}" if both else ""))
    if node["metres"] is not None:
        said.append(f"the nearest {node['metres']} m away")
    return "; ".join(said)


def say_axis(axis: Mapping[str, Any]) -> str:
    """One axis in one line; axes are never added to each other."""
    band = BANDS[axis["band"]].lower() if axis["band"] else "below the list by points"
    return f"{AXES[axis['axis']]}: {say_points(axis['points'])}, {band}"


def say_where(flag: Mapping[str, Any]) -> str:
    """The subject with its name, where it has one: places do, people are known here by id alone."""
    return f"{flag['name']} ({flag['subject']})" if flag["name"] else str(flag["subject"])


def say_result(reason: Mapping[str, Any]) -> str:
    """For an allocation: what the rule asks for before an offer, and how firmly."""
    if not reason["result"]:
        return ""
    level = LEVELS.get(reason["level"] or "", "")
    return RESULTS[str(reason["result"])] + (f" ({level})" if level else "")


def say_standing(card: Mapping[str, Any]) -> str:
    """The band; for an allocation, which no points rank, the weightiest thing asked for before an offer."""
    results = {reason["result"] for reason in card["reasons"]}
    heaviest = next((result for result in _HEAVIEST_RESULT if result in results), None)
    return RESULTS[heaviest] if heaviest else BANDS[str(card["band"])]


def say_capped(axis: Mapping[str, Any]) -> str:
    """Where one theme brought more points than may count, what is left of them; else nothing."""
    added = sum(part["faded"] for part in axis["parts"])
    if added - axis["before"] < _SEEN:
        return ""
    return f"{added:g} in all, of which {axis['before']:g} count: one theme brings no more than a set number of points"


def say_silence(late_feeds: Sequence[str]) -> list[str]:
    """Feeds that are late, a line each, and in one line those that never came: a new partnership has many."""
    never = [feed.removesuffix(_NEVER) for feed in late_feeds if feed.endswith(_NEVER)]
    return [*(feed for feed in late_feeds if not feed.endswith(_NEVER)),
            *([f"Never received: {'; '.join(never)}"] if never else [])]
