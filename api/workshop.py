"""The command that hands history to the workshop and brings back a card; it is found by name, never imported."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from api.guard import steps
from api.options import HOME, Home, Rules, give_example
from api.setting import RULES, Setting
from engine.errors import Problem, UsageError

GROUP = "wardwise.workshop"
EXAMPLE = give_example("wardwise fit further_harm_90d", "wardwise fit further_incidents_90d --out cards --capacity 10")


def fit(
    outcome: Annotated[str, typer.Argument(help="What the card is to foresee, as models/outcomes.yaml names it.")],
    out: Annotated[Path | None, typer.Option(
        help="Where card and report are written; the home's `cards` if left out.")] = None,
    capacity: Annotated[int | None, typer.Option(min=1, help="How many one meeting can look at.")] = None,
    every: Annotated[int, typer.Option(min=1, max=6, help="Months between the dates learned from.")] = 1,
    seed: Annotated[int, typer.Option(help="Decides which rows are held out together.")] = 1,
    note: Annotated[str, typer.Option(help="What to say about the data, in the card and its report.")] = "",
    home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Learn a points card from your history, and say whether it deserves to be used.

    It is learned on earlier months and tested on later ones. What is written is a trial: it changes no list.
    """
    found = entry_points(group=GROUP, name="fit")
    if not found:
        raise UsageError(Problem("wardwise fit", "the workshop is not installed", "Wardwise with its models",
                                 "install it whole: `make setup`"))
    setting = Setting(home, rules)
    with steps("fitting a card") as say:
        sheet, report, text = next(iter(found)).load()(
            setting.lake, setting.pack, outcome, out or home / "cards", capacity=capacity,
            every=every, seed=seed, note=note, say=say)
    typer.echo(text.encode(), nl=False)
    typer.echo(f"\nWritten: {sheet} (the card, as a trial) and {report} (this report).")
