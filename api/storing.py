"""The commands about the operational store: make it or bring it up to date, put a run before people, check the log.

Which database it is, is said by a URL; a file in the home if nobody says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.guard import steps
from api.options import HOME, Home, RunName, give_example
from api.setting import RULES, Setting
from api.today import read_clock
from engine.errors import Problem, RunError, UsageError
from engine.store.audit import Head, head, verify
from engine.store.connections import find_file
from engine.store.database import SYSTEM, Database, upgrade
from engine.store.publishing import Published, publish_run
from engine.wards import find_wards

StoreUrl = Annotated[str | None, typer.Option(
    "--store", metavar="URL", envvar="WARDWISE_STORE", show_default="a SQLite file in the home",
    help="The database of flags, decisions and accounts, as postgresql+psycopg://... or sqlite:///FILE.")]

store = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="""Make the store, and bring it up to date.

Flags, reviews, actions, accounts and the audit log are kept in it. Take a backup before an upgrade.""")
audit = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="""Check the audit log.

Every change is a line tied to the line before. What somebody changed by hand breaks the chain.""")


def name_store(home: Path, url: str | None) -> str:
    """The URL somebody gave, or that of the file in the home."""
    return url or f"sqlite:///{home / 'store.db'}"


def has_store(url: str) -> bool:
    """Whether a store was made there: a file that is not there is none; a server is asked for when it is opened."""
    file = find_file(url)
    return file is None or file.exists()


def open_store(home: Path, url: str | None) -> Database:
    """The store, open. Raises Unready, saying what to run, where there is none or it is of another version."""
    return Database(name_store(home, url))


@store.command("upgrade", epilog=give_example(
    "wardwise store upgrade", "wardwise store upgrade --store postgresql+psycopg://wardwise@localhost/wardwise"))
def upgrade_store(home: Home = HOME, url: StoreUrl = None) -> None:
    """Make the store where there is none, or bring its tables to this version; whole or not at all."""
    upgrade(name_store(home, url))
    opened = open_store(home, url)
    typer.echo(f"The store ({opened.kind}) is there and up to date.")
    opened.close()


def publish(run: RunName = None, home: Home = HOME, url: StoreUrl = None) -> None:
    """Put the flags of a run before people, in the site's lists.

    What is still under way is handed on to the new flag of the same subject, and whoever is no longer put forward
    leaves. The same run again changes nothing.
    """
    setting = Setting(home, RULES)
    name, opened = setting.find_run(run), open_store(home, url)
    with steps("finding the wards"):
        wards = find_wards(setting.runs, setting.lake, name)
    with steps("putting the run before people"), opened.writing(read_clock(), SYSTEM) as writing:
        done = publish_run(writing, setting.runs, name, wards)
    opened.close()
    typer.echo(write_published(name, done))


@audit.command("verify", epilog=give_example(
    "wardwise audit verify", f"wardwise audit verify --anchor 1204:{'5f' * 32}"))
def verify_audit(
    anchor: Annotated[str | None, typer.Option(
        metavar="NUMBER:HASH", help="A head printed earlier: shows a log cut short or written anew.")] = None,
    home: Home = HOME, url: StoreUrl = None,
) -> None:
    """Walk the whole audit log and say whether it is what was written."""
    opened, earlier = open_store(home, url), _read_head(anchor)
    with steps("walking the log"), opened.reading() as reading:
        broken, last = verify(reading, earlier), head(reading)
    opened.close()
    if broken is not None:
        raise RunError(Problem(f"audit line {broken.id}", broken.because, "the line that was written",
                               "keep a copy of the store as it is, and tell information governance"))
    typer.echo(f"All {last.id:,} lines are what was written. The head is {last.id}:{last.hash}")


@audit.command("head", epilog=give_example("wardwise audit head"))
def show_head(home: Home = HOME, url: StoreUrl = None) -> None:
    """Print the head of the log, to keep where nobody can change it."""
    opened = open_store(home, url)
    with opened.reading() as reading:
        last = head(reading)
    opened.close()
    typer.echo(f"{last.id}:{last.hash}")


def write_published(name: str, done: Published) -> str:
    """What publishing did, in a line."""
    if done.again:
        return f"Run {name} was put before people earlier; nothing changed."
    return (f"Run {name}: {done.new:,} new flags, {done.handed_on:,} that carry on what is under way, "
            f"{done.left:,} left. `wardwise serve` shows them.")


def _read_head(text: str | None) -> Head | None:
    if text is None:
        return None
    number, _, digest = text.partition(":")
    if not number.isdigit() or len(digest) != 64:
        raise UsageError(Problem(f"--anchor {text}", "is not a head of the log",
                                 "NUMBER:HASH, as `wardwise audit head` prints it", "copy it whole from its pack"))
    return Head(int(number), digest)
