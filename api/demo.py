"""An invented borough from nothing to explained lists, in one go, in a home of its own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd

from api.guard import bar, steps
from api.intake import read_manifest, take_in
from api.listing import all_shown, build_listing
from api.making import keep_lists
from api.rehearsal import rehearse
from api.reports import write_run
from api.screened import write_screening
from api.screens import Asker, FrontDesk, Once
from api.setting import Setting
from api.text import write_flag, write_lists
from api.today import Today, read_clock
from api.web.keeping import prepare_demo
from engine.errors import ExtractError, Problem, UsageError
from engine.invent import invent
from engine.runs import Runs
from engine.store.database import SYSTEM, Database, upgrade
from engine.store.publishing import publish_run
from engine.wards import find_wards

UNTIL = date(2026, 11, 23)
MONTHS, SEED = 36, 1
_OF_EACH = 5        # of each list: enough to see how reasons read


def show_demo(setting: Setting, residents: int) -> str:
    """Invents, takes in, runs, and gives the text to print. The same again changes nothing."""
    borough = setting.home / "invented"
    _invent(setting, borough, residents)
    run = save_run(setting, UNTIL, None)
    listing = build_listing(setting.runs, run)
    parts = [f"Nobody in this borough exists. {residents:,} residents were invented with seed {SEED}.",
             write_run(run, setting.runs.manifest(run), setting.runs.lists(run)),
             write_lists(listing, most=_OF_EACH)]
    first = next(iter(all_shown(listing)), None)
    if first:
        flag = json.loads(setting.runs.flag_text(first["flag"], run))
        parts += ["One flag in full\n" + "=" * 16, write_flag(flag)]
    pair = find_example(setting.runs, run)
    if pair:
        parts += ["One offer screened, before it is made\n" + "=" * 37, _screen(setting, run, *pair)]
    return "\n\n".join([*parts, _say_next(setting.home, first["flag"] if first else "SUBJECT", borough, pair)])


def prepare(setting: Setting, store: str, residents: int = 20_000, *, met: bool = True) -> None:
    """An invented borough whose run stands before people in a store, for looking at the site. Twice is once.

    `met`: also the run of a fortnight earlier, and the meeting that the made-up people held over it.
    """
    upgrade(store)
    database = Database(store)
    borough = setting.home / "invented"
    if setting.runs.latest() is None or not borough.exists():
        _invent(setting, borough, residents)
        if met:
            _hold_meeting(setting, database)
        save_run(setting, UNTIL, None)
    _put_before_people(setting, database, setting.find_run(None), read_clock())
    database.close()


def _hold_meeting(setting: Setting, database: Database) -> None:
    """The lists of a fortnight earlier, and what was decided over them the day after."""
    earlier = UNTIL - timedelta(days=14)
    published = datetime.combine(earlier, time(9), UTC)
    prepare_demo(database, published)
    run = save_run(setting, earlier, None)
    _put_before_people(setting, database, run, published)
    rehearse(database, run, earlier + timedelta(days=1))


def _put_before_people(setting: Setting, database: Database, run: str, at: datetime) -> None:
    with steps("putting the run before people"):
        wards = find_wards(setting.runs, setting.lake, run)
        with database.writing(at, SYSTEM) as writing:
            publish_run(writing, setting.runs, run, wards)


def _invent(setting: Setting, borough: Path, residents: int) -> None:
    """Invents a borough into a home that holds nobody real, and takes its extracts in."""
    if (setting.home / "ledger.jsonl").exists() and not borough.exists():
        raise UsageError(Problem(str(setting.home), "this home already holds partners' records",
                                 "an empty home, so that nobody invented ever stands among real people",
                                 "name another with --home, or leave it out"))
    with steps("inventing a borough") as say:
        invent(borough, residents, MONTHS, SEED, UNTIL, say)
    _take_in_all(setting, borough / "extracts")


def find_example(runs: Runs, run: str) -> tuple[str, str] | None:
    """An open proposal, as application and home, whose screening has something to show: what support settles first."""
    listed = pd.read_parquet(runs.folder / run / "shortlists.parquet")
    proposed = listed[listed["proposal"].notna() & (listed["result"] != "nothing_found")]
    ordered = proposed.sort_values(["hard", "soft", "cannot_tell", "application"],
                                   ascending=[True, False, False, True])
    return (str(ordered["application"].iloc[0]), str(ordered["uprn"].iloc[0])) if len(ordered) else None


def _screen(setting: Setting, run: str, application: str, uprn: str) -> str:
    """The offer screened and kept, as `wardwise screen` would; once for each run."""
    front = FrontDesk(setting.home, Today(setting, lambda: UNTIL).open, read_clock)
    shown = front.screen(Asker("demo", "housing_officer"), application, uprn, (), Once(f"demo-{run}", ""), matches=True)
    return write_screening(json.loads(shown.text), shown.kept.id, json.loads(shown.matches or "[]"))


def save_run(setting: Setting, as_of: date, area: str | None) -> str:
    """Makes the lists of a day, keeps them, and gives the name of the run."""
    with steps("making the lists") as say:
        return keep_lists(setting, as_of, area, say)[0]


def _take_in_all(setting: Setting, folder: Path) -> None:
    deliveries = [d for d in read_manifest(folder) if d.received <= UNTIL]
    with bar("taking extracts in", len(deliveries)) as say:
        intake = take_in(setting.lake, deliveries, say, [])
    if intake.problems:
        raise ExtractError(intake.problems)


def _say_next(home: Path, flag: str, borough: Path, pair: tuple[str, str] | None) -> str:
    application, uprn = pair or ("APPLICATION", "UPRN")
    return "\n".join([
        "What to type next", "=" * 17,
        f"  export WARDWISE_HOME={home.resolve()}",
        "  wardwise list allocations                    every offer, and what to settle first",
        f"  wardwise explain {flag} --format html > flag.html",
        f"  wardwise replay {flag}",
        "  export WARDWISE_AS_OF=2026-11-23             the invented borough ends there",
        f"  wardwise screen --applicant {application} --property {uprn} --by Jo --ask",
        f"  wardwise shortlist {uprn}               everybody proposed for that home, in the scheme's order",
        "  wardwise serve                               the same over HTTP, for the housing system",
        "  wardwise feeds --as-of 2026-11-23            which partner is late",
        "  wardwise quarantine                          what was refused, and how to mend it",
        f"  wardwise ingest --folder {(borough / 'extracts').resolve()}",
        "  wardwise run --as-of 2026-12-01              a week later: who is new, who left and why"])
