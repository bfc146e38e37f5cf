"""A stored run -> the lists a meeting works through, as plain values; text, page, CSV and JSON say the same.

Who is held for somebody else's eyes is counted and never named here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.words import AXES, PRIVATE, STATUSES, say_day
from engine.lists import LISTS, Entry
from engine.prose import name_agency
from engine.runs import Runs

Plain = dict[str, Any]

NAMES = tuple(LISTS.values())
_EMPTY = {
    "people": "no partner's extract has named anybody in the last three years",
    "places": "no address and no street-level record has been received",
    "allocations": "no open proposal has been received (feed `proposed_allocations`)",
}


def build_listing(runs: Runs, run: str, wanted: str | None = None, named: bool = False) -> Plain:
    """What one run put forward. `wanted`: one list, or all three; `named`: also name who is not shown."""
    manifest, stored = runs.manifest(run), runs.lists(run)
    before = runs.entries(manifest["previous"]) if manifest["previous"] in runs.names() else {}
    late = [_say_late(f) for f in manifest["freshness"] if not f["fresh"]]
    return {
        "run": run, "as_of": manifest["as_of"], "area": manifest["area"], "late_feeds": late,
        "expired_rules": manifest["expired_rules"],
        "lists": [_build_one(name, runs, run, stored, manifest, before.get(name, {}), named)
                  for name in NAMES if wanted in (None, name)],
    }


def find_aside(runs: Runs, run: str, subject: str) -> Plain:
    """What analysts alone are told beside a flag: rules one fact away from firing, and score cards on trial."""
    return {"near_misses": runs.near_misses(run).get(subject, []), "on_trial": runs.on_trial(run).get(subject, [])}


def csv_rows(listing: Mapping[str, Any]) -> tuple[list[str], list[list[object]]]:
    """The shown entries as a header and rows: one row per subject, one column per axis."""
    headers = ["list", "rank", "subject", "name", "band", "change", *AXES.values(), "reasons", "bring together",
               "newest evidence", "flag"]
    rows: list[list[object]] = []
    for one in listing["lists"]:
        for rank, card in enumerate(one["shown"], 1):
            said = [*(reason["because"] for reason in card["reasons"]), *(each["said"] for each in card["cards"])]
            points = {axis["axis"]: axis["points"] for axis in card["axes"]}
            rows.append([one["list"], rank, card["subject"], card["name"], card["band"], card["change"],
                         *(points.get(axis) for axis in AXES), " | ".join(said),
                         ", ".join(card["convene"]), card["latest_evidence"], card["flag"]])
    return headers, rows


# --- one list -------------------------------------------------------------------------------------


def _build_one(
    name: str, runs: Runs, run: str, stored: Mapping[str, Any], manifest: Mapping[str, Any],
    before: Mapping[str, Entry], named: bool,
) -> Plain:
    entries = [e for e in stored["entries"] if e["list"] == name]
    shown = [e for e in entries if e["status"] == "shown"]
    left = [one for one in stored["left"] if one["list"] == name]
    seen = [one for one in left if _was(before, one["subject"]) == "shown"]
    others = [one for one in left if _was(before, one["subject"]) not in ("shown", *PRIVATE)]
    return {
        "list": name, "judged": manifest["judged"][name], "put_forward": len(entries),
        "shown": [_build_card(e, runs, run, manifest["as_of"]) for e in shown],
        "not_shown": _count_hidden([e for e in entries if e["status"] != "shown"], named),
        "left": [_build_leaver(one, before) for one in seen + (others if named else [])],
        "left_unseen": len(left) - len(seen),
        "empty": "" if shown else _say_empty(name, manifest, len(entries)),
    }


def _build_card(entry: Mapping[str, Any], runs: Runs, run: str, as_of: str) -> Plain:
    flag = json.loads(runs.flag_text(entry["subject"], run))
    return {
        **{key: entry[key] for key in ("subject", "name", "band", "change", "latest_evidence", "last_shown")},
        "axes": [{key: axis[key] for key in ("axis", "points", "band")} for axis in entry["axes"]],
        "reasons": [{key: reason[key] for key in ("rule", "title", "because", "axis", "result", "level")}
                    for reason in flag["reasons"]],
        "cards": [{key: card[key] for key in ("card", "title", "axis", "band", "said")} for card in flag["cards"]
                  if card["card"] in entry["cards"]],
        "against": flag["against"], "routing": flag["routing"],
        "convene": [name_agency(code) for code in flag["convene"]],
        "flag": f"{entry['subject']}@{as_of}",
    }


def _count_hidden(entries: Sequence[Mapping[str, Any]], named: bool) -> list[Plain]:
    counts = Counter(entry["status"] for entry in entries)
    return [{"status": status, "why": STATUSES.get(status, status), "count": count,
             "subjects": [{key: e[key] for key in ("subject", "name", "band", "points")}
                          for e in entries if e["status"] == status] if named and status not in PRIVATE else []}
            for status, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


def _build_leaver(left: Mapping[str, Any], before: Mapping[str, Entry]) -> Plain:
    return {"subject": left["subject"], "name": before[left["subject"]].name, "because": left["because"]}


def _was(before: Mapping[str, Entry], subject: str) -> str:
    return before[subject].status if subject in before else "restricted"    # unknown: named nowhere


def _say_empty(name: str, manifest: Mapping[str, Any], put_forward: int) -> str:
    if not manifest["judged"][name]:
        return (f"Nothing could be judged: {_EMPTY[name]}. `wardwise feeds` shows what each partner sends, "
                "`wardwise ingest FEED FILE` takes a file in, and then the run is made again.")
    if put_forward:
        return "Nothing is shown; what was put forward is held elsewhere, as listed below."
    late = any(not f["fresh"] for f in manifest["freshness"])
    doubt = (" Some feeds are late or never came, so many rules could not tell: an empty list is not yet good "
             "news. `wardwise feeds` names them." if late else " Every feed was up to date.")
    return f"{manifest['judged'][name]:,} were judged and no rule put one forward.{doubt}"


def _say_late(feed: Mapping[str, Any]) -> str:
    if feed["last_spoke"] is None:
        return f"{feed['title']}: nothing has ever been received"
    return f"{feed['title']}: last heard of on {say_day(feed['last_spoke'])}, {feed['age_days']} days before"


def all_shown(listing: Mapping[str, Any]) -> Iterable[Plain]:
    """Every card of every list, in order."""
    return (card for one in listing["lists"] for card in one["shown"])
