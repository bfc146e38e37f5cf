"""The commands of a housing officer and a manager: screen an offer, ask, compare, override, record that it was made.

Who screens gives a name; who overrides a conflict or records an offer shows a token, because that is an act.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from api import reports
from api.guard import steps
from api.layout import wrap
from api.options import HOME, AsOf, By, Home, Reason, Rules, give_example
from api.screened import write_screening, write_shortlist
from api.screens import Asker, FrontDesk, Once, Shown
from api.setting import RULES, Setting
from api.today import Today, read_clock
from api.tokens import Right, Tokens
from api.words import ASK_OF
from engine.answers import Raw
from engine.errors import Problem, ScreenError, UsageError
from engine.flag import write_json

SCREENING = re.compile(r"S\d{6,12}")
ScreeningId = Annotated[str, typer.Argument(metavar="ID", help="A screening, such as S000001.")]
Token = Annotated[str, typer.Option(
    envvar="WARDWISE_TOKEN", prompt="Token", hide_input=True, show_default=False, show_envvar=True,
    help="Your token: `wardwise token add` gives one. Best kept in the environment, not typed.")]
Format = Annotated[Literal["text", "json"], typer.Option(help="How to write it; json is the stored text.")]


def screen(
    applicant: Annotated[str, typer.Option(help="An application's reference, or a person's id.")],
    property: Annotated[str, typer.Option(metavar="UPRN", help="The home's UPRN.")],
    by: By,
    answer: Annotated[list[str] | None, typer.Option(
        metavar="FACT=VALUE", help="What you were told; again for each fact.")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask me the open questions one by one, and screen again.")] = False,
    as_of: AsOf = None, format: Format = "text", home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Screen a home for an applicant before it is offered.

    Says what speaks against it, what was not checked, and what to ask first. It never refuses anybody, and it is kept.
    """
    front, day = _open(home, rules, as_of), as_of or date.today()
    told = [_read_answer(text, day) for text in answer or ()]
    with steps("screening") as say:
        say("opening the desk")
        shown = front.screen(Asker(by, "housing_officer"), applicant, property, told, _once(), matches=True)
    if ask:
        shown = _ask_all(front, by, shown, day)
    if format == "json":
        typer.echo(shown.text.encode(), nl=False)
        return
    found = json.loads(shown.matches) if shown.matches is not None else None
    typer.echo(write_screening(json.loads(shown.text), shown.kept.id, found).encode(), nl=False)


def shortlist(
    property: Annotated[str, typer.Argument(metavar="UPRN", help="The home's UPRN.")],
    as_of: AsOf = None, format: Format = "text", home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Show a home's shortlist, everybody screened the same way.

    In the order of the published scheme, which no screening changes.
    """
    day, listed = _open(home, rules, as_of).shortlist(property)
    if format == "json":
        typer.echo(write_json({"as_of": day, "uprn": property, "shortlist": list(listed)}).encode(), nl=False)
        return
    typer.echo(write_shortlist(property, day.isoformat(), json.loads(write_json(list(listed)))).encode(), nl=False)


def override(
    id: ScreeningId, rule: Annotated[str, typer.Option(help="The rule set aside, as the screening names it.")],
    reason: Reason, mitigation: Annotated[str, typer.Option(help="What is put in place instead.")], token: Token,
    home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Set a hard conflict aside, as a housing manager.

    With a reason and a mitigation; it is kept, and reported to the partnership.
    """
    front, asker = _open(home, rules, None), _identify(home, token, "override")
    made = front.override(asker, id, rule, reason, mitigation)
    typer.echo(f"Noted: {made.by} set aside “{made.title}” on {id}. It is reported by `wardwise overrides`.")


def offer(
    id: ScreeningId, token: Token,
    applicant_view: Annotated[Literal["accepts", "declines"] | None, typer.Option(
        help="What the applicant says of the soft conflicts, once told.")] = None,
    home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Record that you have made this offer.

    Refused while a hard conflict stands that no manager has set aside, or a soft one the applicant has not accepted.
    """
    made = _open(home, rules, None).offer(_identify(home, token, "offer"), id, applicant_view)
    typer.echo(f"Noted: the offer of {id} was made. `wardwise withdraw {made.id}` takes it back.")


def withdraw(
    offer: Annotated[str, typer.Argument(metavar="OFFER", help="An offer, such as OF000001.")],
    reason: Reason, token: Token, home: Home = HOME, rules: Rules = RULES,
) -> None:
    """Take an offer back: recorded in error, or the applicant said no.

    The home is free again. The offer stays on record.
    """
    made = _open(home, rules, None).withdraw(_identify(home, token, "offer"), offer, reason)
    typer.echo(f"Noted: {made.id} no longer stands, and the home is free again.")


def overrides(home: Home = HOME, rules: Rules = RULES) -> None:
    """Show every hard conflict that a manager set aside."""
    typer.echo(reports.write_overrides(_open(home, rules, None).overrides()))


def replay_screening(setting: Setting, id: str) -> None:
    """Says whether a screening made again is what was kept. Raises ScreenError when it is not."""
    stored, again = FrontDesk(setting.home, _no_desk, read_clock).replay(id)
    if stored != again:
        raise ScreenError(Problem(id, "made again, it is not what was kept", "the same bytes",
                                  "the engine has changed since, or the screening was altered: keep both, report this"))
    typer.echo(f"Identical: {id} made again at its desk gives the same text, sha256 {stored}.")


EXAMPLES: dict[Callable[..., None], str] = {
    screen: give_example(
        'wardwise screen --applicant HR-1042 --property 100030001234 --by "Jo, Housing Options"',
        "wardwise screen --applicant HR-1042 --property 100030001234 --by Jo --answer travel_minutes=25",
        "wardwise screen --applicant HR-1042 --property 100030001234 --by Jo --ask"),
    shortlist: give_example("wardwise shortlist 100030001234"),
    override: give_example('wardwise override S000001 --rule allocation/witness-beside-party '
                           '--reason "The party moved away last week" --mitigation "Police confirm before the keys"'),
    offer: give_example("wardwise offer S000001 --applicant-view accepts"),
    withdraw: give_example('wardwise withdraw OF000001 --reason "The applicant chose another home"'),
    overrides: give_example("wardwise overrides"),
}


# --- inside ---------------------------------------------------------------------------------------


def _open(home: Path, rules: Path, as_of: date | None) -> FrontDesk:
    setting = Setting(home, rules)
    return FrontDesk(home, Today(setting, lambda: as_of or date.today()).open, read_clock)


def _no_desk() -> Any:
    raise AssertionError("a replay opens the desk it was made at")


def _once() -> Once:
    """Typed requests carry no key: typing it again is asking again."""
    return Once(None, hashlib.sha256(b"").hexdigest())


def _identify(home: Path, secret: str, right: Right) -> Asker:
    """Who shows a token, if their role has the right. Raises UsageError or ScreenError."""
    token = Tokens(home).find(secret, date.today())
    if token is None:
        raise UsageError(Problem("--token", "not a token that works today", "a token from `wardwise token add`",
                                 "set WARDWISE_TOKEN to yours, or ask for a new one"))
    if not token.may(right):
        raise ScreenError(Problem("--token", f"the role {token.role} may not do this", f"a role with “{right}”",
                                  "ask somebody with that role"), "forbidden")
    return Asker(token.name, token.role)


def _read_answer(text: str, day: date) -> Raw:
    fact, sign, value = text.partition("=")
    if not sign:
        raise UsageError(Problem("--answer", "no `=` between fact and value", "FACT=VALUE, such as travel_minutes=25",
                                 "write it as the screening shows it"))
    return Raw(fact.strip(), value.strip(), day)


def _ask_all(front: FrontDesk, by: str, shown: Shown, day: date) -> Shown:
    """The open questions, one at a time; after each answer everything is looked at again."""
    passed: set[str] = set()
    while question := next((q for q in _questions(shown) if q["fact"] not in passed), None):
        passed.add(question["fact"])
        allowed = {"boolean": "yes or no", "code": ", ".join(question["values"])}.get(question["type"], "a number")
        typer.echo("\n".join(["", *wrap(f"{ASK_OF[question['of']]}: {question['ask']}")]))
        said = typer.prompt(f"  {allowed}; leave blank if not known", default="", show_default=False).strip()
        if said:
            try:
                shown = front.answer(Asker(by, "housing_officer"), shown.kept.id, [Raw(question["fact"], said, day)],
                                     _once(), matches=True)
            except ScreenError as error:
                typer.echo(str(error.problems[0]))
                passed.discard(question["fact"])
    return shown


def _questions(shown: Shown) -> Sequence[dict[str, Any]]:
    return [q for q in json.loads(shown.text)["questions"] if q["now"]]
