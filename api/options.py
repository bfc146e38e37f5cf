"""The options and arguments that several commands share, said once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from api.intake import read_day

HOME = Path("wardwise-data")


def parse_day(text: str | date) -> date:
    """A day somebody typed, or a default. A door may read the clock, so `today` is understood."""
    if isinstance(text, date):
        return text
    try:
        return date.today() if text == "today" else read_day(text)
    except ValueError:
        raise typer.BadParameter(f"`{text}` is not a day; write it as 2026-11-23") from None


def give_example(*lines: str) -> str:
    """The end of a help text: commands that can be typed as they stand."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


Home = Annotated[Path, typer.Option(envvar="WARDWISE_HOME", help="The folder that keeps extracts and runs.")]
Rules = Annotated[Path, typer.Option(
    envvar="WARDWISE_RULES", help="The folder of rules, features and feeds.",
    show_default="the rules installed with Wardwise")]
Cards = Annotated[Path | None, typer.Option(
    "--cards", envvar="WARDWISE_CARDS", show_default="the home's `cards`, else those installed with Wardwise",
    help="The folder of score cards.")]
Day = Annotated[date | None, typer.Option(parser=parse_day, metavar="DATE", show_default=False)]
AsOf = Annotated[date | None, typer.Option(
    parser=parse_day, metavar="DATE", envvar="WARDWISE_AS_OF", show_default=False,
    help="Screen as of this day; today if left out.")]
NeededDay = Annotated[date, typer.Option(parser=parse_day, metavar="DATE")]
RunName = Annotated[str | None, typer.Option(
    "--run", metavar="NAME", help="A run or its date; the latest if left out.")]
FlagName = Annotated[str, typer.Argument(metavar="FLAG", help="A subject, or subject@date, from `wardwise list`.")]
Reason = Annotated[str, typer.Option(help="Why, in words whoever reads the list next understands.")]
By = Annotated[str, typer.Option(help="Who says so: a name or a post.")]
