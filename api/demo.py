"""An invented borough from nothing to explained lists, in one go, in a home of its own."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from api.intake import read_manifest, take_in
from api.listing import all_shown, build_listing
from api.reports import write_run
from api.screen import bar, steps
from api.setting import Setting
from api.text import write_flag, write_lists
from engine.errors import ExtractError, Problem, UsageError
from engine.invent import invent
from engine.weekly import make_run

UNTIL = date(2026, 11, 23)
MONTHS, SEED = 36, 1
_OF_EACH = 5        # of each list: enough to see how reasons read


def show_demo(setting: Setting, residents: int) -> str:
    """Invents, takes in, runs, and gives the text to print. The same again changes nothing."""
    borough = setting.home / "invented"
    if (setting.home / "ledger.jsonl").exists() and not borough.exists():
        raise UsageError(Problem(str(setting.home), "this home already holds partners' records",
                                 "an empty home, so that nobody invented ever stands among real people",
                                 "name another with --home, or leave it out"))
    with steps("inventing a borough") as say:
        invent(borough, residents, MONTHS, SEED, UNTIL, say)
    _take_in_all(setting, borough / "extracts")
    run = save_run(setting, UNTIL, None)
    listing = build_listing(setting.runs, run)
    parts = [f"Nobody in this borough exists. {residents:,} residents were invented with seed {SEED}.",
             write_run(run, setting.runs.manifest(run), setting.runs.lists(run)),
             write_lists(listing, most=_OF_EACH)]
    first = next(iter(all_shown(listing)), None)
    if first:
        flag = json.loads(setting.runs.flag_text(first["flag"], run))
        parts += ["One flag in full\n" + "=" * 16, write_flag(flag)]
    return "\n\n".join([*parts, _say_next(setting.home, first["flag"] if first else "SUBJECT", borough)])


def save_run(setting: Setting, as_of: date, area: str | None) -> str:
    """Makes the lists of a day, keeps them, and gives the name of the run."""
    before = setting.runs.before(as_of, area)
    with steps("making the lists") as say:
        run = make_run(setting.lake, setting.pack, as_of, before, area=area, say=say)
        say("saving")
        return setting.runs.save(run, before, setting.pack, setting.lake)


def _take_in_all(setting: Setting, folder: Path) -> None:
    deliveries = [d for d in read_manifest(folder) if d.received <= UNTIL]
    with bar("taking extracts in", len(deliveries)) as say:
        intake = take_in(setting.lake, deliveries, say, [])
    if intake.problems:
        raise ExtractError(intake.problems)


def _say_next(home: Path, flag: str, borough: Path) -> str:
    return "\n".join([
        "What to type next", "=" * 17,
        f"  export WARDWISE_HOME={home.resolve()}",
        "  wardwise list allocations                    every offer, and what to settle first",
        f"  wardwise explain {flag} --format html > flag.html",
        f"  wardwise replay {flag}",
        "  wardwise feeds --as-of 2026-11-23            which partner is late",
        "  wardwise quarantine                          what was refused, and how to mend it",
        f"  wardwise ingest --folder {(borough / 'extracts').resolve()}",
        "  wardwise run --as-of 2026-12-01              a week later: who is new, who left and why"])
