"""The register of rules, open to every role: what is in force, on trial or lapsed, on how many flags, and how often
people confirmed it. Where somebody may not see every flag of a list, small counts of it are hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.export import write_csv
from api.web.download import send_csv
from api.web.form import offer
from api.web.identity import check_form
from api.web.keeping import find_database, find_office
from api.web.layout import find_pages
from api.web.reach import Reach, need
from api.web.reviewing import STANDINGS, read_limits, say_interval, say_share
from api.web.rights import Register
from api.web.scope import Kind
from api.web.site_words import LIST_TITLES, say_theme
from api.words import AXES, THRESHOLDS
from engine.errors import Problem
from engine.forbid import read_forbidden
from engine.lists import LISTS
from engine.pack import Pack
from engine.rule import Rule
from engine.small import hide_overlapping
from engine.store import judgements
from engine.store.database import Reading
from engine.store.flags import Publication
from engine.store.judgements import Group

router = APIRouter(dependencies=[Depends(check_form)])
Me = Annotated[Reach, Depends(need("view_rules", "rules"))]

RULE_STATES = {"live": "In force", "trial": "On trial", "lapsed": "Lapsed", "retired": "Retired"}
RULE_ABOUT = {
    "live": "It puts subjects forward.", "trial": "It is counted, and shown to nobody.",
    "lapsed": "It is past the day by which it had to be looked at again, so it is not used.",
    "retired": "It is kept for the record only.",
}
SOON = 60       # days: two meetings and the time to prepare them, before a rule lapses
NO_VOLUME = "not shown"
_ORDERS = {"": "By reference", "title": "By title", "volume": "Most flags first", "share": "Least confirmed first",
           "review": "Next to be looked at first"}


@dataclass(frozen=True)
class Sought:
    """What the address asks for: empty means everything."""

    list: Literal["", "people", "places", "allocations"] = ""
    axis: Literal["", "vulnerability", "harm", "place", "process"] = ""
    theme: Annotated[str, Query(max_length=80)] = ""
    state: Literal["", "live", "trial", "lapsed", "retired"] = ""
    review: Literal["", "overdue", "soon"] = ""
    order: Literal["", "title", "volume", "share", "review"] = ""

    def lets_through(self, row: Row) -> bool:
        """Whether a rule is among those asked for."""
        return ((not self.list or row.list == self.list) and (not self.axis or row.rule.axis == self.axis)
                and (not self.theme or row.rule.theme == self.theme) and (not self.state or row.state == self.state)
                and (not self.review or row.review == self.review))


@dataclass(frozen=True)
class Row:
    """One rule of the register. `volume`: None is hidden, or nothing was put before people yet."""

    rule: Rule
    list: str
    state: str
    review: Literal["", "overdue", "soon"]
    volume: int | None
    group: Group | None
    standing: str


@router.get("/rules")
def show_rules(request: Request, me: Me, sought: Annotated[Sought, Depends()]) -> Response:
    """The register, filtered and in order."""
    rows, published, judged = _find_rows(request, me)
    pack = find_office(request).setting.pack
    query = urlencode({key: value for key, value in vars(sought).items() if value})
    chosen = _order([row for row in rows if sought.lets_through(row)], sought.order)
    values = {
        "rows": chosen, "all": len(rows), "published": published, "judged": judged, "day": me.today,
        "counts": {state: sum(row.state == state for row in rows) for state in RULE_STATES},
        "overdue": sum(row.review == "overdue" for row in rows), "filters": _offer(rows, sought, judged),
        "states": RULE_STATES, "about": RULE_ABOUT, "say_share": say_share, "say_interval": say_interval,
        "hidden": any(row.volume is None for row in rows) and published is not None,
        "forbidden": say_forbidden(pack), "csv": f"/rules.csv?{query}" if query else "/rules.csv",
        "narrowed": sought != Sought(order=sought.order), "lists": LIST_TITLES,
    }
    return find_pages(request).show(request, "rules.html", values)


@router.get("/rules.csv")
def download_rules(request: Request, me: Me, sought: Annotated[Sought, Depends()]) -> Response:
    """The same as CSV. It names nobody, so it is no disclosure."""
    rows, published, judged = _find_rows(request, me)
    heads = ["reference", "rule", "title", "list", "axis", "theme", "state", "owner", "review by", "review",
             "threshold", "authority", f"flags of {published.as_of}" if published else "flags"]
    heads += ["confirmed", "decided", "interval from", "interval to", "what follows"] if judged else []
    text = write_csv(heads, [_cells(row, judged) for row in _order(
        [row for row in rows if sought.lets_through(row)], sought.order)])
    return send_csv(f"rules-{me.today}.csv", text)


# --- for the page of one rule too ----------------------------------------------------------------------


def find_state(rule: Rule, today: date) -> str:
    """In force, on trial, lapsed or retired, on a day."""
    return "retired" if rule.status == "retired" else "lapsed" if rule.expired(today) else rule.status


def find_review(rule: Rule, today: date) -> Literal["", "overdue", "soon"]:
    """Whether somebody has to look at it again; a retired one nobody has to."""
    if rule.status == "retired" or rule.review_by > today + timedelta(days=SOON):
        return ""
    return "overdue" if rule.expired(today) else "soon"


def may_judge(me: Reach) -> bool:
    """Whether this person may see how often rules are confirmed."""
    return me.may_do("view_reviews", Register("reviews"))


def count_seen(
    reading: Reading, me: Reach, pack: Pack, cycles: Sequence[Publication]
) -> dict[str, dict[str, int | None]]:
    """By run and rule of the pack: on how many flags it had fired, as far as this person may know."""
    counted, totals = judgements.count_volumes(reading, cycles), judgements.count_flags(reading, cycles)
    found: dict[str, dict[str, int | None]] = {one.run: {} for one in cycles}
    for one, (subject, list_name) in product(cycles, LISTS.items()):
        here = counted.get((one.run, list_name), {})
        own = {rule.id: here.get(rule.id, 0) for rule in pack.rules.values() if rule.subject == subject}
        found[one.run] |= own if _sees_all(me, list_name) else hide_overlapping(
            own, totals.get((one.run, list_name), 0), pack.policy.small_cell)
    return found


def say_forbidden(pack: Pack) -> tuple[str, tuple[str, ...]]:
    """What no rule may use: in one sentence, and each by its title."""
    problems: list[Problem] = []
    refused = [one for one in read_forbidden(pack.folder / "forbidden.yaml", problems)
               if one.action == "refuse" and not one.on_cards]      # what only cards may not use, a rule may
    titles = tuple(one.title for one in refused)
    return (f"There are {len(titles)} things that no rule, or no rule about a person, may use or do, among them race, "
            "religion and sex, where somebody lives and whom they know; rules that try are refused whole.", titles)


# --- inside --------------------------------------------------------------------------------------------


def _sees_all(me: Reach, list_name: str) -> bool:
    return all(Kind(list_name, "", named, contested) in me.scope.kinds
               for named, contested in product((False, True), repeat=2))


def _find_rows(request: Request, me: Reach) -> tuple[list[Row], Publication | None, bool]:
    """Every rule, the publication its volume is of, and whether shares may be seen."""
    pack, judged = find_office(request).setting.pack, may_judge(me)
    with find_database(request).reading() as reading:
        cycles = judgements.find_cycles(reading, me.today)
        volumes = count_seen(reading, me, pack, cycles[-1:])
        shares = judgements.measure_shares(reading, "rule", cycles) if judged else ()
    last, groups = (cycles[-1] if cycles else None), {one.name: one for one in shares}
    seen: Mapping[str, int | None] = volumes[last.run] if last else {}
    limits = read_limits(pack.policy)
    return [Row(rule, LISTS[rule.subject], find_state(rule, me.today), find_review(rule, me.today), seen.get(rule.id),
                group := groups.get(rule.id), STANDINGS.get(group.stand(limits), "") if group else "")
            for rule in sorted(pack.rules.values(), key=_place)], last, judged


def _place(rule: Rule) -> tuple[str, str]:
    return rule.reference, rule.id


def _order(rows: Sequence[Row], order: str) -> list[Row]:
    """What is hidden goes last in whatever order: its place would tell how many there are."""
    keys: Mapping[str, Any] = {
        "": lambda row: _place(row.rule), "title": lambda row: (row.rule.title, row.rule.id),
        "volume": lambda row: (row.volume is None, -(row.volume or 0), _place(row.rule)),
        "share": lambda row: (row.group is None, (row.group.whole.share or 0.0) if row.group else 0, _place(row.rule)),
        "review": lambda row: (row.rule.review_by, _place(row.rule)),
    }
    return sorted(rows, key=keys[order])


def _offer(rows: Sequence[Row], sought: Sought, judged: bool) -> list[dict[str, Any]]:
    themes = sorted({row.rule.theme for row in rows}, key=say_theme)
    orders = {key: text for key, text in _ORDERS.items() if judged or key != "share"}
    offered: Sequence[tuple[str, str, Mapping[str, str]]] = (
        ("list", "List", {"": "All", **LIST_TITLES}), ("axis", "Axis", {"": "All", **AXES}),
        ("theme", "Theme", {"": "All", **{theme: say_theme(theme) for theme in themes}}),
        ("state", "State", {"": "All", **RULE_STATES}),
        ("review", "To be looked at again", {"": "All", "overdue": "Overdue", "soon": f"Within {SOON} days"}),
        ("order", "Order", orders))
    return [{"name": name, "label": label, "value": getattr(sought, name),
             "items": offer(choices)}
            for name, label, choices in offered]


def _cells(row: Row, judged: bool) -> list[object]:
    rule = row.rule
    cells: list[object] = [
        rule.reference, rule.id, rule.title, LIST_TITLES[row.list], AXES[rule.axis], say_theme(rule.theme),
        RULE_STATES[row.state], rule.owner, rule.review_by.isoformat(), row.review, THRESHOLDS[rule.evidence],
        rule.authority, NO_VOLUME if row.volume is None else row.volume]
    if judged and row.group is not None:
        low, high = row.group.whole.interval
        cells += [row.group.whole.confirmed, row.group.whole.decided, round(low, 4), round(high, 4), row.standing]
    return cells + [""] * 5 if judged and row.group is None else cells
