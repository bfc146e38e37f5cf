"""Every finished run: what went in, what came out, what changed, and whether it was put before people. Counts alone:
who is on a list stands on the lists, and whoever is held for other eyes is named nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response

from api.web.identity import check_form
from api.web.keeping import find_database, find_office, name_user
from api.web.layout import find_pages
from api.web.paging import count_pages, make_pagination
from api.web.reach import Reach, need
from api.web.rights import Register
from api.web.site_words import CHANGE_SHORT, LIST_TITLES, NOT_SHOWN
from api.words import STATUSES
from engine.pack import Pack
from engine.prose import name_agency
from engine.runs import Runs
from engine.store import flags
from engine.store.flags import Publication

router = APIRouter(dependencies=[Depends(check_form)])
Me = Annotated[Reach, Depends(need("view_runs", "runs"))]

SIZE = 20
_SAME_PERSON = "now the same person as "      # how `engine.lists` begins the one reason that names somebody
_DIGESTS = {"pack": "Rules", "snapshot": "What was taken in", "features": "How facts are declared"}


@dataclass(frozen=True)
class Summary:
    """A run without anybody in it. `statuses`, `changes` and `left` are counted by list."""

    name: str
    manifest: Mapping[str, Any]
    statuses: Mapping[str, Mapping[str, int]]
    changes: Mapping[str, Mapping[str, int]]
    left: Mapping[str, Mapping[str, int]]

    @property
    def used(self) -> int:
        """Rows of partners' files that it could use."""
        return sum(int(feed["used"]) for feed in self.manifest["feeds"])

    @property
    def quarantined(self) -> int:
        """Rows that were refused."""
        return sum(int(feed["quarantined"]) for feed in self.manifest["feeds"])

    def put_forward(self, list_name: str) -> int:
        """Entries of a list, shown or not."""
        return sum(self.statuses[list_name].values())


@router.get("/runs")
def show_runs(request: Request, me: Me, page: Annotated[int, Query(ge=1, le=10_000)] = 1) -> Response:
    """Every finished run, newest first."""
    runs = find_office(request).setting.runs
    names = runs.names()[::-1]
    pages = count_pages(len(names), SIZE, page)
    published = _find_published(request)
    values = {
        "runs": [(read_summary(runs.home, name), published.get(name)) for name in names[(page - 1) * SIZE:page * SIZE]],
        "total": len(names), "page": page, "pages": pages, "lists": LIST_TITLES,
        "may_make": me.may_do("make_run", Register("runs")),
        "pagination": make_pagination(page, pages, lambda n: f"/runs?page={n}" if n > 1 else "/runs"),
    }
    return find_pages(request).show(request, "runs.html", values)


@router.get("/runs/{name}")
def show_run(request: Request, name: str, me: Me) -> Response:
    """What one run was made from, what it found, and what it could not use. 404 where there is none of that name."""
    setting = find_office(request).setting
    runs = setting.runs
    if name not in runs.names():
        raise HTTPException(404)
    run = read_summary(runs.home, name)
    previous = run.manifest["previous"]
    earlier = read_summary(runs.home, previous) if previous in runs.names() else None
    published = _find_published(request).get(name)
    with find_database(request).reading() as reading:
        who = name_user(reading, published.actor) if published else ""
    values = {
        "run": run, "manifest": run.manifest, "earlier": earlier, "published": published, "who": who,
        "lists": LIST_TITLES, "changes": CHANGE_SHORT, "digests": _DIGESTS, "name_agency": name_agency,
        "feeds": _tell_feeds(run, earlier), "gaps": _tell_gaps(run.manifest), "statuses": _list_statuses(run),
        "left": [(LIST_TITLES[one], reason, n) for one, reasons in run.left.items() for reason, n in reasons.items()],
        "rules": _compare_rules(run, earlier, setting.pack), "shown": {
            one: (run.statuses[one].get("shown", 0), earlier.statuses[one].get("shown", 0) if earlier else None)
            for one in LIST_TITLES}}
    return find_pages(request).show(request, "run.html", values)


@lru_cache(128)
def read_summary(folder: Path, name: str) -> Summary:
    """A run in counts, remembered: its name is a digest of what is in it. `folder` is its home."""
    runs = Runs(folder)
    manifest, lists = runs.manifest(name), runs.lists(name)
    events = Counter(event["kind"] for event in manifest.pop("identity_events", ()))
    entries: Sequence[Mapping[str, Any]] = lists["entries"]
    return Summary(
        name, manifest | {"identity": dict(sorted(events.items()))},
        {one: Counter(e["status"] for e in entries if e["list"] == one) for one in LIST_TITLES},
        {one: Counter(e["change"] for e in entries if e["list"] == one) for one in LIST_TITLES},
        {one: dict(Counter(say_reason(gone["because"]) for gone in lists["left"] if gone["list"] == one).most_common())
         for one in LIST_TITLES})


def say_reason(because: str) -> str:
    """Why somebody left, without naming whoever they turned out to be."""
    return "now the same person as somebody else on record" if because.startswith(_SAME_PERSON) else because


# --- inside --------------------------------------------------------------------------------------------


def _find_published(request: Request) -> dict[str, Publication]:
    with find_database(request).reading() as reading:
        return {one.run: one for one in flags.find_publications(reading)}


def _tell_feeds(run: Summary, earlier: Summary | None) -> list[dict[str, Any]]:
    """Each feed as the run found it, and whether it was otherwise the run before."""
    rows = {feed["feed"]: feed for feed in run.manifest["feeds"]}
    before = {one["feed"]: one["fresh"] for one in earlier.manifest["freshness"]} if earlier else {}
    none = {"rows_in": 0, "used": 0, "quarantined": 0}
    return [{**one, **{key: int(rows.get(one["feed"], none)[key]) for key in none}, "state": say_fresh(one),
             "turned": ("late since the run before" if not one["fresh"] else "heard of again")
             if one["feed"] in before and before[one["feed"]] != one["fresh"] else ""}
            for one in run.manifest["freshness"]]


def say_fresh(feed: Mapping[str, Any]) -> str:
    """Up to date, late, or never received."""
    return "Never received" if not feed["last_spoke"] else "Up to date" if feed["fresh"] else "Late"


def _tell_gaps(manifest: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """What the completeness gate found: feed, month, area and why, newest first."""
    ordered = sorted(manifest["partial_months"], key=lambda one: (one["month"], one["feed"]), reverse=True)
    return [(one["feed"], one["month"][:7], one["area"] or "the whole borough", one["why"]) for one in ordered]


def _list_statuses(run: Summary) -> list[tuple[str, dict[str, int]]]:
    """Each status there is, with how many of each list have it: shown first, the others by what they say."""
    there = {status for of_list in run.statuses.values() for status in of_list}
    named = sorted(there, key=lambda status: (status != "shown", status))
    return [("Shown" if status == "shown" else STATUSES.get(status, NOT_SHOWN).capitalize(),
             {one: run.statuses[one].get(status, 0) for one in LIST_TITLES}) for status in named]


def _compare_rules(run: Summary, earlier: Summary | None, pack: Pack) -> list[dict[str, Any]]:
    """Each rule with how often it fired, did not and could not tell; and how often it fired the run before."""
    before = {one["rule"]: int(one["fires"]) for one in earlier.manifest["rules"]} if earlier else {}
    rows = [{**one, "title": f"{rule.reference}: {rule.title}" if rule else one["rule"],
             "href": f"/rules/{rule.id}" if rule else "", "before": before.get(one["rule"])}
            for one in run.manifest["rules"] for rule in [pack.rules.get(one["rule"])]]
    return sorted(rows, key=lambda row: str(row["title"]))
