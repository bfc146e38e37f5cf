"""The commands about what partners send: invent it, take it in, say what came and what was refused.

The clock is read here for a file whose day nobody named, and nowhere below.
"""

from __future__ import annotations

import difflib
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from api import reports
from api.demo import MONTHS, SEED, UNTIL
from api.export import write_csv
from api.guard import bar, standing, steps
from api.intake import Delivery, read_manifest, take_in
from api.options import HOME, Day, Home, Rules, parse_day
from api.setting import RULES, Setting
from engine.errors import ExtractError, Problem, UsageError
from engine.invent import invent as invent_borough
from engine.ledger import Receipt


def invent(
    folder: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("wardwise-invented"),
    residents: Annotated[int, typer.Option(help="How many people live there.")] = 100_000,
    months: Annotated[int, typer.Option(help="How many months of records.")] = MONTHS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same borough.")] = SEED,
    until: Annotated[date, typer.Option(parser=parse_day, metavar="DATE", help="The first day not covered.")] = UNTIL,
    recorded: Annotated[float, typer.Option(
        min=0, max=1, metavar="SHARE", help="Of what the smaller group suffers, the share anybody is told of.")] = 1.0,
) -> None:
    """Invent a borough with every partner's extracts.

    Nobody in it exists. What is planted in it, and what is true of everybody, is written beside the extracts. With
    --recorded below 1 a smaller group in truth/equality.csv is heard less often, for an audit to find.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "truth").is_dir():
        raise UsageError(Problem(str(folder), "this folder holds other things", "a new or empty folder, or an "
                                 "invented borough to write again", "name another folder"))
    with steps("inventing") as say:
        borough = invent_borough(folder, residents, months, seed, until, say, recorded)
    typer.echo(f"{sum(borough.rows.values()):,} rows in {len(borough.rows)} feeds, with {len(borough.stories)} planted "
               f"stories, are in {folder}.\n\nNext:\n  wardwise ingest --folder {folder / 'extracts'}\n"
               f"  wardwise run --as-of {until}")


def ingest(
    feed: Annotated[str | None, typer.Argument(help="The feed the files belong to: `wardwise feeds`.")] = None,
    files: Annotated[list[Path] | None, typer.Argument(
        metavar="FILE...", help="CSV, XLSX, Parquet, .gz, or a zip of CSV as it was sent.")] = None,
    folder: Annotated[Path | None, typer.Option(
        help="A folder with manifest.csv: file,feed,received,complete_to.")] = None,
    received: Day = None, complete_to: Day = None,
    home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Take partners' files in and account for every row.

    --received is the day the partner sent the file (today if left out). --complete-to is the last day it covers
    completely: a feed that says so has spoken, even when nothing happened. The same file twice changes nothing.
    """
    if (folder is None) == (feed is None) or (feed is not None and not files):
        raise UsageError(Problem("ingest", "neither a feed with its files nor a folder", "one of the two",
                                 "wardwise ingest FEED FILE..., or wardwise ingest --folder DIR"))
    deliveries = read_manifest(folder) if folder else [
        Delivery(path, str(feed), received or date.today(), complete_to) for path in files or ()]
    done: list[Receipt] = []
    with standing(lambda: _say_standing(len(done), len(deliveries))), bar("taking in", len(deliveries)) as say:
        intake = take_in(Setting(home, rules).lake, deliveries, say, done)
    if intake.receipts:
        typer.echo(reports.write_receipts(intake.receipts))
    if intake.problems:
        raise ExtractError(intake.problems)


def feeds(
    feed: Annotated[str | None, typer.Option(help="Show one feed: its columns and the headers understood.")] = None,
    as_of: Day = None, home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Show every feed and whether it is up to date.

    For each: when it last spoke, whether its silence still means that nothing happened, and its rows.
    """
    setting, day = Setting(home, rules), as_of or date.today()
    if feed is not None:
        typer.echo(reports.write_feed(setting.contracts[_check_feed(setting, feed)]))
        return
    typer.echo(reports.write_feeds(setting.lake.freshness(day), setting.lake.counts_by_feed(), day))


def quarantine(
    feed: Annotated[str | None, typer.Argument(help="One feed; all if left out.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all of it to a CSV file.")] = None,
    show_values: Annotated[bool, typer.Option("--show-values", help="Also what was found; may be personal.")] = False,
    home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Show the rows that were refused and are still wrong.

    For each: where it is, what is allowed, and how to mend it.
    """
    setting = Setting(home, rules)
    refused = setting.lake.quarantined()
    if feed is not None:
        refused = refused[refused["feed"] == _check_feed(setting, feed)]
    if csv is None:
        typer.echo(reports.write_quarantine(refused, show_values))
        return
    columns = ["feed", "file", "row", "column", *(["found"] if show_values else []), "allowed", "fix", "received"]
    csv.write_bytes(write_csv(columns, refused[columns].to_numpy().tolist()).encode("utf-8-sig"))
    typer.echo(f"{len(refused):,} faults are in {csv}.")


# --- inside ---------------------------------------------------------------------------------------


def _check_feed(setting: Setting, feed: str) -> str:
    if feed not in setting.contracts:
        near = difflib.get_close_matches(feed, setting.contracts, 1)
        raise UsageError(Problem(feed, "there is no such feed", ", ".join(setting.contracts),
                                 f"did you mean {near[0]}?" if near else "name one of these"))
    return feed


def _say_standing(done: int, asked: int) -> str:
    return (f"{done} of {asked} files were taken in and stand; nothing of the one being read was kept. "
            "The same command again goes on from here.")
