"""The commands that hand history to the workshop and bring back a card or an audit of one.

The workshop is found by name, never imported: nothing that shows a list needs a training library.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from api.guard import steps
from api.options import HOME, Cards, Home, Rules, give_example
from api.setting import RULES, Setting
from engine.card import Card, read_card
from engine.errors import Problem, UsageError

GROUP = "wardwise.workshop"
BY_RULES = "rules"
"""What is typed for the list of the rules, in place of a card."""
EXAMPLE = give_example("wardwise fit person --outcome further_harm_90d",
                       "wardwise fit place --outcome further_incidents_90d --out cards --capacity 10")
DRIFT_EXAMPLE = give_example("wardwise drift person_harm_v1", "wardwise drift cards/place_v1.yaml --seed 2")
FAIR_EXAMPLE = give_example(
    "wardwise fair person_vulnerability_v1 --equality equality.csv --capacity 200",
    "wardwise fair rules --outcome further_victim_90d --equality equality.csv")


def fit(
    subject: Annotated[Literal["person", "place", "allocation"], typer.Argument(help="Whom or what it is about.")],
    outcome: Annotated[str, typer.Option(help="What it is to foresee, as models/outcomes.yaml names it.")],
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
    work, setting = _find_work("fit"), Setting(home, rules)
    with steps("fitting a card") as say:
        sheet, report, text = work(setting.lake, setting.pack, subject, outcome, out or home / "cards",
                                   capacity=capacity, every=every, seed=seed, note=note, say=say)
    typer.echo(text.encode(), nl=False)
    typer.echo(f"\nWritten: {sheet} (the card, as a trial) and {report} (this report).")


def drift(
    card: Annotated[str, typer.Argument(metavar="CARD", help="A card's name or its file.")],
    seed: Annotated[int, typer.Option(help="Decides how totals are dealt again, to see what chance does.")] = 1,
    home: Home = HOME, rules: Rules = RULES, cards: Cards = None,
) -> None:
    """Ask whether a card still holds.

    Of the latest day of which it is told what followed: did as much happen as the card says, line by line? And are
    totals dealt today as they were when it was learned? The first sees a world that has changed, the second other
    people, or a feed that is lost.
    """
    work, setting = _find_work("drift"), Setting(home, rules, cards)
    with steps("looking at a card again") as say:
        page = work(setting.lake, setting.pack, _find_card(card, setting), seed=seed, say=say)
    typer.echo(page.encode(), nl=False)


def fair(
    card: Annotated[str, typer.Argument(
        metavar="CARD", help="A card's name or its file; `rules` for the list that the rules make.")],
    equality: Annotated[Path, typer.Option(help="CSV: `subject`, then a column for each characteristic.")],
    outcome: Annotated[str | None, typer.Option(
        help="What the list is judged by, as models/outcomes.yaml names it; a card names its own.")] = None,
    capacity: Annotated[int | None, typer.Option(
        min=1, help="Places on the list; those of the policy if left out. More places tell more.")] = None,
    truth: Annotated[Path | None, typer.Option(
        help="CSV: `subject`, `happened` (1 or 0): what followed, from a source nobody's reporting decides.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the page there; it is printed if left out.")] = None,
    home: Home = HOME, rules: Rules = RULES, cards: Cards = None,
) -> None:
    """Ask whether a list treats groups alike.

    The list is made as the card, or the rules, would have made it on the latest day of which it is told what followed,
    and held against a separate table of who belongs to which group: how often each is put forward, how often rightly,
    how often missed. Each answer is “shown to be alike”, “shown to differ” or “cannot tell”.

    A subject of the table is an id as `wardwise list` shows it, or an agency's own reference such as housing:A1234.
    No rule and no card can read the table. Nothing of it is kept, and counts under 10 are not shown.
    """
    work, setting = _find_work("fair"), Setting(home, rules, cards)
    found = None if card == BY_RULES else _find_card(card, setting)
    with steps("auditing a list") as say:
        page = work(setting.lake, setting.pack, found, equality, outcome=outcome, capacity=capacity,
                    truth=truth, say=say)
    if out is None:
        typer.echo(page.encode(), nl=False)
        return
    out.write_text(page, encoding="utf-8")
    typer.echo(f"Written: {out}. It holds no count under 10 and names nobody.")


# --- inside ---------------------------------------------------------------------------------------


def _find_work(name: str) -> Callable[..., Any]:
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise UsageError(Problem(f"wardwise {name}", "the workshop is not installed", "Wardwise with its models",
                                 "install it whole: `make setup`"))
    work: Callable[..., Any] = next(iter(found)).load()
    return work


def _find_card(card: str, setting: Setting) -> Card:
    """The card of a file, or of that name where cards are kept. Raises UsageError, RuleError."""
    path = Path(card) if card.endswith((".yaml", ".yml")) else setting.card_folder / f"{card}.yaml"
    if not path.is_file():
        names = sorted(each.stem for each in setting.card_folder.glob("*.yaml"))
        raise UsageError(Problem(str(path), "there is no such card", ", ".join([BY_RULES, *names]),
                                 "`wardwise fit` makes one; `--cards` names another folder"))
    return read_card(path)
