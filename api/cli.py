"""The command `wardwise`: one thin verb per thing a person does. What is said is made in the modules beside it.

The clock is read here and nowhere below: a day nobody named is today.
"""

from __future__ import annotations

import difflib
import json
import tempfile
import time
from datetime import date
from importlib.metadata import version as read_version
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import typer

from api import html, offers, reports
from api.decisions import keep_review, keep_snooze
from api.demo import save_run, show_demo
from api.export import write_csv
from api.extracts import feeds, ingest, invent, quarantine
from api.guard import Doors, speak_utf8, standing, steps, tell
from api.listing import build_listing, csv_rows, find_aside
from api.options import HOME, By, Cards, Day, FlagName, Home, NeededDay, Reason, Rules, RunName, give_example
from api.people import user
from api.publishing import publish_pack
from api.serving import serve, token
from api.setting import RULES, Setting
from api.storing import audit, publish, store
from api.text import write_flag, write_lists
from api.workshop import DRIFT_EXAMPLE, EXAMPLE, FAIR_EXAMPLE, drift, fair, fit
from engine.cases import read_all_cases, run_cases
from engine.errors import Problem, RuleError, RunError
from engine.flag import write_json
from engine.registry import person_at

app = typer.Typer(
    cls=Doors, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="""Wardwise reads partners' extracts and puts forward the people, places and housing offers that need
agencies to act together early, each with its reasons. It suggests; a person decides.

\b
Start with:  wardwise demo
Then, with your own extracts:
  wardwise feeds                              what each partner should send
  wardwise ingest council_asb reports.csv     take a file in
  wardwise run --as-of 2026-11-23             make the lists
  wardwise list                               read them
""")


# --- extracts --------------------------------------------------------------------------------------

app.command(epilog=give_example("wardwise invent borough --residents 20000 --months 24 --seed 7"))(invent)
app.command(epilog=give_example(
    "wardwise ingest council_asb reports.csv --complete-to 2026-11-22",
    "wardwise ingest police_uk 2026-09.zip --received 2026-11-02",
    "wardwise ingest --folder borough/extracts"))(ingest)
app.command(epilog=give_example("wardwise feeds --as-of 2026-11-23", "wardwise feeds --feed council_asb"))(feeds)
app.command(epilog=give_example("wardwise quarantine council_asb", "wardwise quarantine --csv refused.csv"))(quarantine)


# --- running and reading --------------------------------------------------------------------------


@app.command(epilog=give_example("wardwise run --as-of 2026-11-23", "wardwise run --as-of 2026-11-23 --area Leeds"))
def run(
    as_of: NeededDay,
    area: Annotated[str | None, typer.Option(help="Only places whose name starts with this.")] = None,
    home: Home = HOME, rules: Rules = RULES, cards: Cards = None,
) -> None:
    """Make the lists of a day and keep them.

    They are made from what was known before that day. The same again gives the same, byte for byte. Score cards
    on trial are counted beside the rules and seen by analysts alone; a live one may lift a band and never lowers one.
    """
    setting, begun = Setting(home, rules, cards), time.monotonic()
    with standing(lambda: f"No run was kept; the last one stands: {setting.runs.latest() or 'none yet'}."):
        name = save_run(setting, as_of, area)
    manifest, lists = setting.runs.manifest(name), setting.runs.lists(name)
    typer.echo(reports.write_run(name, manifest, lists, time.monotonic() - begun))


@app.command("list", epilog=give_example("wardwise list people", "wardwise list --all", "wardwise list --format csv"))
def show_list(
    which: Annotated[Literal["people", "places", "allocations"] | None, typer.Argument(
        metavar="[people|places|allocations]", help="One list; all three if left out.")] = None,
    run: RunName = None,
    everyone: Annotated[bool, typer.Option("--all", help="Also name who is not shown.")] = False,
    format: Annotated[Literal["text", "json", "csv", "html"], typer.Option(help="How to write it.")] = "text",
    home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Show the lists for a meeting, with reasons.

    Who, in what band, what changed, and why; then who is not shown, and who has left.
    Who is restricted, or goes to police and probation only, is counted and never named.
    """
    setting = Setting(home, rules)
    listing = build_listing(setting.runs, setting.find_run(run), which, everyone)
    match format:
        case "json":
            _print(write_json(listing))
        case "csv":
            _print(write_csv(*csv_rows(listing)))
        case "html":
            _print(html.render_lists(listing))
        case _:
            _print(write_lists(listing))


@app.command(epilog=give_example("wardwise explain P000123", "wardwise explain P000123@2026-11-23 --format html"))
def explain(
    flag: FlagName, run: RunName = None,
    format: Annotated[Literal["text", "html", "json"], typer.Option(
        help="json is the stored text byte for byte.")] = "text",
    analyst: Annotated[bool, typer.Option(
        "--analyst", help="Also rules one fact away from firing, and score cards on trial.")] = False,
    home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Show everything behind one line of a list.

    Its reasons and records, what speaks against it, what was not known, and when it lapses.
    """
    setting = Setting(home, rules)
    run_name, subject = setting.runs.find(flag, setting.find_run(run) if run else None)
    stored = setting.runs.flag_text(flag, run_name)
    aside = find_aside(setting.runs, run_name, subject) if analyst else None
    if format == "json":
        _print(stored)
    elif format == "html":
        _print(html.render_flag(json.loads(stored), aside))
    else:
        _print(write_flag(json.loads(stored), aside))


@app.command(epilog=give_example("wardwise replay P000123@2026-11-23", "wardwise replay S000001"))
def replay(flag: FlagName, run: RunName = None, home: Home = HOME, rules: Rules = RULES) -> None:
    """Make a flag, or a screening, again and compare it with what was kept.

    It is made from what its run, or its desk, recorded, and compared byte for byte.
    """
    setting = Setting(home, rules)
    if offers.SCREENING.fullmatch(flag):
        offers.replay_screening(setting, flag)
        return
    name = setting.find_run(run) if run else None
    with steps("making the run again") as say:
        stored, again = setting.runs.replay(flag, setting.lake, say, name)
    if stored == again:
        typer.echo(f"Identical: {flag} made again from its run gives the same {len(stored.encode()):,} bytes.")
        return
    _print("".join(difflib.unified_diff(stored.splitlines(True), again.splitlines(True), "stored", "made again")))
    raise RunError(Problem(flag, "made again, it is not what was kept", "the same bytes",
                           "the engine has changed since, or the flag was altered: keep both, and report this"))


@app.command(epilog=give_example("wardwise runs"))
def runs(home: Home = HOME, rules: Rules = RULES) -> None:
    """List the finished runs."""
    kept = Setting(home, rules).runs
    typer.echo(reports.write_runs([(n, kept.manifest(n), kept.lists(n)) for n in kept.names()], kept.latest()))


# --- offers ----------------------------------------------------------------------------------------

for _command, _example in offers.EXAMPLES.items():
    app.command(epilog=_example)(_command)

# --- people deciding ------------------------------------------------------------------------------

@app.command(epilog=give_example('wardwise snooze P000123 --until 2026-12-21 --reason "Move agreed" --by "ASB lead"'))
def snooze(flag: FlagName, until: NeededDay, reason: Reason, by: By, home: Home = HOME, rules: Rules = RULES) -> None:
    """Set a subject aside until a day.

    It returns sooner if it gets worse. What rests on a legal right or duty is never set aside.
    """
    typer.echo(keep_snooze(Setting(home, rules).runs, flag, until, reason, by))


@app.command(epilog=give_example('wardwise reviewed P000123 --reason "Plan in place" --by "ASB lead" --on 2026-11-24'))
def reviewed(
    flag: FlagName, reason: Reason, by: By, on: Day = None, home: Home = HOME, rules: Rules = RULES
) -> None:
    """Note that the agencies looked at a subject.

    It then cools down, unless it gets worse.
    """
    typer.echo(keep_review(Setting(home, rules).runs, flag, on or date.today(), reason, by))


@app.command(epilog=give_example("wardwise person P000123"))
def person(
    person: Annotated[str, typer.Argument(metavar="ID", help="A person's id, such as P000123.")],
    run: RunName = None, home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Say why a person has this id.

    Which agencies' identities it joins, since when and on what grounds, and what changed.
    """
    setting = Setting(home, rules)
    name = setting.find_run(run)
    folder = setting.runs.folder / name
    history = person_at(pd.read_parquet(folder / "registry.parquet"), person)
    if history.empty:
        raise RunError(Problem(person, f"nobody has this id in run {name}", "an id such as P000123",
                               "`wardwise list` shows ids; `--run` names an earlier run"))
    events = [e for e in setting.runs.manifest(name)["identity_events"] if person in (e["person"], e["other"])]
    typer.echo(reports.write_person(person, name, history, pd.read_parquet(folder / "links.parquet"), events))


# --- rules, and showing how -----------------------------------------------------------------------


@app.command(epilog=give_example("wardwise check", "wardwise check --as-of 2027-11-01 --rules draft-rules"))
def check(as_of: Day = None, rules: Rules = RULES) -> None:
    """Check the rules and their cases.

    The pack holds together, every case comes out as it says, and no rule is past its review date.
    """
    pack, day = Setting(HOME, rules).pack, as_of or date.today()
    expired = [Problem(rule.where_declared, f"{rule.id} had to be reviewed by {rule.review_by}",
                       f"a day not before {day}", f"{rule.owner} approves it again, or it is retired")
               for rule in pack.rules.values() if rule.status != "retired" and rule.expired(day)]
    problems = [*run_cases(pack), *expired]
    if problems:
        raise RuleError(problems)
    typer.echo(reports.write_check(pack, len(read_all_cases(pack.folder)[0]), day))


app.command(epilog=give_example(
    'wardwise publish-pack --out published --council "Ravensmoor Borough Council" --as-of 2026-11-23'))(publish_pack)


# --- the service ----------------------------------------------------------------------------------

app.command(epilog=give_example("wardwise serve", "wardwise serve --demo --home demo-data",
                                "wardwise serve --port 8080 --as-of 2026-11-23"))(serve)
app.add_typer(token, name="token")


# --- what people decide in the site ----------------------------------------------------------------

app.command(epilog=give_example("wardwise publish", "wardwise publish --run 2026-11-23"))(publish)
app.add_typer(user, name="user")
app.add_typer(store, name="store")
app.add_typer(audit, name="audit")


# --- the workshop ----------------------------------------------------------------------------------

app.command(epilog=EXAMPLE)(fit)
app.command(epilog=FAIR_EXAMPLE)(fair)
app.command(epilog=DRIFT_EXAMPLE)(drift)


@app.command(epilog=give_example("wardwise demo", "wardwise demo --residents 8000 --home demo-data"))
def demo(
    residents: Annotated[int, typer.Option(help="How many people to invent.")] = 20_000,
    home: Annotated[Path | None, typer.Option(help="Where to keep it; a new temporary folder if left out.")] = None,
    rules: Rules = RULES,
) -> None:
    """Show all of it on a small invented borough.

    Invents it, takes its extracts in, makes the lists, and shows them with one flag in full.
    """
    setting = Setting(home or Path(tempfile.mkdtemp(prefix="wardwise-demo-")), rules)
    tell(f"Keeping everything in {setting.home}.")
    _print(show_demo(setting, residents) + "\n")


@app.command(epilog=give_example("wardwise version"))
def version() -> None:
    """Say which version this is."""
    typer.echo(f"wardwise {read_version('wardwise')}")


# --- inside ---------------------------------------------------------------------------------------


def _print(text: str) -> None:
    """Text as UTF-8 bytes, whatever the terminal's own encoding: what is kept is what is printed."""
    typer.echo(text.encode(), nl=False)


def main() -> None:
    """The command line."""
    speak_utf8()
    app(prog_name="wardwise")


if __name__ == "__main__":
    main()
