"""What partners sent: which feeds are late and what that makes unknown, every file taken in, and what was refused and
how to mend it. What was found in a refused cell may be personal, so it stands on no page and in no file from here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Annotated, Literal

import pandas as pd
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.export import write_csv
from api.setting import Setting
from api.web.download import send_csv
from api.web.identity import check_form
from api.web.keeping import find_office
from api.web.layout import find_pages
from api.web.paging import count_pages, make_pagination
from api.web.reach import Reach, need
from engine.condition import exists_in, names_in, rules_in
from engine.history import Freshness
from engine.ledger import Receipt
from engine.pack import Pack
from engine.prose import name_agency
from engine.rule import Rule
from engine.world import TABLE_FEEDS

router = APIRouter(dependencies=[Depends(check_form)])
Me = Annotated[Reach, Depends(need("view_quarantine", "quarantine"))]

SIZE = 25
NAMED = 20          # row numbers of one fault; more is work for a spreadsheet, which the CSV is for
MOST = 100_000      # rows of the CSV: what a spreadsheet still opens
_FAULT = ["feed", "file", "column", "allowed", "fix"]
_PROBLEM = ["feed", "file", "row", "column", "allowed", "fix", "received"]      # and never `found`, nor whose it is
Page = Annotated[int, Query(ge=1, le=100_000)]


@dataclass(frozen=True)
class FeedLine:
    """One feed in words. `late`: days past when it should have spoken; `rules`: those that read it."""

    title: str
    agency: str
    received: date | None
    spoke: date | None
    expected: str
    state: Literal["Up to date", "Late", "Never received"]
    late: int | None
    records: int
    rules: tuple[Rule, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """One thing wrong with some rows of one file, and how to mend it."""

    feed: str
    file: str
    column: str
    allowed: str
    fix: str
    rows: tuple[int, ...]
    more: int

    @property
    def count(self) -> int:
        """How many rows in all."""
        return len(self.rows) + self.more


@router.get("/data")
def show_data(request: Request, me: Me) -> Response:
    """Each feed on this day, what is refused, and what the last run could not tell."""
    setting = find_office(request).setting
    receipts = setting.lake.ledger.read()
    mark, latest = _mark(setting), setting.runs.latest()
    manifest = setting.runs.manifest(latest) if latest else None
    feeds = [_tell_feed(one, receipts, setting.pack) for one in _read_freshness(setting, mark, me.today)]
    refused = _read_refused(setting, mark)
    values = {
        "day": me.today, "feeds": feeds, "late": [one for one in feeds if one.state == "Late"],
        "silent": [one for one in feeds if one.state == "Never received"], "files": len(receipts),
        "faults": len(refused), "refused_by": _count_by_feed(refused, setting),
        "run": latest, "manifest": manifest, "titles": {name: one.title for name, one in setting.contracts.items()},
    }
    return find_pages(request).show(request, "data.html", values)


@router.get("/data/quarantine")
def show_quarantine(
    request: Request, me: Me, feed: Annotated[str, Query(max_length=80)] = "", page: Page = 1,
) -> Response:
    """The refusals still open, by feed, file, column and reason, with how to mend them."""
    setting = find_office(request).setting
    refused = _of_feed(_read_refused(setting, _mark(setting)), feed)
    faults = group_faults(refused)
    pages = count_pages(len(faults), SIZE, page)
    path = f"/data/quarantine?feed={feed}&page=" if feed in setting.contracts else "/data/quarantine?page="
    values = {
        "faults": faults[(page - 1) * SIZE:page * SIZE], "rows": len(refused), "kinds": len(faults), "page": page,
        "pages": pages, "feed": feed if feed in setting.contracts else "", "most": MOST,
        "titles": {name: one.title for name, one in setting.contracts.items()},
        "csv": f"/data/quarantine.csv?feed={feed}" if feed in setting.contracts else "/data/quarantine.csv",
        "pagination": make_pagination(page, pages, lambda n: f"{path}{n}"),
    }
    return find_pages(request).show(request, "data_quarantine.html", values)


@router.get("/data/quarantine.csv")
def download_quarantine(request: Request, me: Me, feed: Annotated[str, Query(max_length=80)] = "") -> Response:
    """Every row refused and how to mend it, without what was found in it."""
    setting = find_office(request).setting
    refused = _of_feed(_read_refused(setting, _mark(setting)), feed).head(MOST)
    text = write_csv(_PROBLEM, [[row[name] if name != "received" else str(row[name])[:10] for name in _PROBLEM]
                                for row in refused.to_dict("records")])
    return send_csv(f"quarantine-{me.today}.csv", text)


@router.get("/data/files")
def show_files(request: Request, me: Me, page: Page = 1) -> Response:
    """Every file taken in, newest first, with what became of its rows."""
    setting = find_office(request).setting
    receipts = setting.lake.ledger.read()[::-1]
    pages = count_pages(len(receipts), SIZE, page)
    values = {
        "receipts": receipts[(page - 1) * SIZE:page * SIZE], "total": len(receipts), "page": page, "pages": pages,
        "pagination": make_pagination(page, pages, lambda n: f"/data/files?page={n}" if n > 1 else "/data/files"),
        "titles": {name: one.title for name, one in setting.contracts.items()},
    }
    return find_pages(request).show(request, "data_files.html", values)


def group_faults(refused: pd.DataFrame) -> list[Fault]:
    """The refusals of one file, column and reason together, those of most rows first."""
    found = []
    for key, group in refused.groupby(_FAULT, sort=False, dropna=False):
        rows = sorted(int(row) for row in group["row"])
        feed, file, column, allowed, fix = map(str, key)
        found.append(Fault(feed, file, column, allowed, fix, tuple(rows[:NAMED]), max(0, len(rows) - NAMED)))
    return sorted(found, key=lambda one: (-one.count, one.feed, one.file, one.column, one.allowed, one.fix))


# --- inside --------------------------------------------------------------------------------------------


def _mark(setting: Setting) -> tuple[int, int]:
    """What changes whenever a file is taken in."""
    path = setting.lake.ledger.path
    told = path.stat() if path.exists() else None
    return (told.st_mtime_ns, told.st_size) if told else (0, 0)


@lru_cache(4)
def _read_freshness(setting: Setting, mark: tuple[int, int], today: date) -> tuple[Freshness, ...]:
    """Takes a second, so it is asked once for each day and each file taken in."""
    return tuple(setting.lake.freshness(today))


@lru_cache(4)
def _read_refused(setting: Setting, mark: tuple[int, int]) -> pd.DataFrame:
    """The refusals still open, without what was found and whose it is: what is not read cannot be shown."""
    return setting.lake.quarantined()[_PROBLEM]


def _of_feed(refused: pd.DataFrame, feed: str) -> pd.DataFrame:
    return refused[refused["feed"] == feed] if feed else refused


def _count_by_feed(refused: pd.DataFrame, setting: Setting) -> list[tuple[str, str, int]]:
    """Feed, title and how many faults, those with most first."""
    counted = Counter(str(feed) for feed in refused["feed"])
    return [(feed, setting.contracts[feed].title, n)
            for feed, n in sorted(counted.items(), key=lambda one: (-one[1], one[0]))]


def _tell_feed(feed: Freshness, receipts: Sequence[Receipt], pack: Pack) -> FeedLine:
    own = [one.received for one in receipts if one.feed == feed.feed]
    rules, facts = find_readers(feed.feed, pack)
    state: Literal["Up to date", "Late", "Never received"] = (
        "Never received" if feed.last_spoke is None else "Up to date" if feed.fresh else "Late")
    late = feed.age_days - feed.fresh_within if state == "Late" and feed.age_days and feed.fresh_within else None
    return FeedLine(
        feed.title, name_agency(feed.agency), max(own, default=None), feed.last_spoke,
        f"at least every {feed.fresh_within} days" if feed.fresh_within else "now and then", state, late,
        feed.records, rules, facts)


def find_readers(feed: str, pack: Pack) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules, not retired, and the titles of the facts they read, that are not known while this feed is late."""
    rules, facts = dict[str, Rule](), dict[str, None]()
    for rule in (pack.rules[one] for one in pack.order):        # each after the rules it follows from
        own = pack.features_of(rule.subject)
        read = [own[name].title for name in names_in(rule.when) if name in own and feed in own[name].feeds]
        looks = any(feed in TABLE_FEEDS.get(block.table, (block.table,)) for block in exists_in(rule.when))
        follows = any(one in rules for one in rules_in(rule.when))
        if rule.status != "retired" and (read or looks or follows):
            rules[rule.id] = rule
            facts |= dict.fromkeys(read)
    return tuple(sorted(rules.values(), key=lambda rule: (rule.reference, rule.id))), tuple(sorted(facts))
