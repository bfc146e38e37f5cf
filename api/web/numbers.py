"""How many, and never who: the lists of the last runs in numbers, with what is small hidden.

Each table shares its totals with the others and nothing else, so that nothing hidden in one follows from another. What
is hidden does not depend on who looks: a councillor sees some lines of the table that everybody else sees whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response

from api.export import write_csv
from api.web.download import send_csv
from api.web.identity import check_form
from api.web.keeping import Office, find_database
from api.web.layout import find_pages
from api.web.reach import Reach, find_reach
from api.web.rights import Ward
from api.web.site_words import CHANGE_SHORT, LIST_TITLES, STATE_NAMES, WORK_NAMES, say_theme
from api.words import BANDS, say_day
from engine.small import hide_overlapping, hide_small
from engine.store.database import Reading
from engine.store.flags import Publication, find_publications
from engine.store.tallies import Tally, tally_actions, tally_flags

router = APIRouter(dependencies=[Depends(check_form)])

RUNS = 5
"""Runs shown: ten weeks of meetings, and few enough to read across on paper."""

LEAST = 5
"""Where a site has no rules behind it, the number of `small_cell` in the rules that come with Wardwise."""

UNKNOWN = "Ward not known"
_Line = tuple[str, tuple[int | None, ...]]


@dataclass(frozen=True)
class Table:
    """One table: a column for each run, `total` above its lines. None is hidden. `note`: how to read it."""

    key: str
    title: str
    heads: tuple[str, ...]
    total: tuple[int | None, ...]
    lines: tuple[_Line, ...]
    note: str = ""


def let_in(request: Request) -> Reach:
    """Whoever may see the numbers of the whole borough. Raises NotSignedIn; 403 for anybody else."""
    reach = find_reach(request)
    if not reach.may_do("view_aggregates", Ward()):
        raise HTTPException(403)
    return reach


Me = Annotated[Reach, Depends(let_in)]


@router.get("/numbers")
def show_numbers(request: Request, me: Me) -> Response:
    """The page."""
    least = find_least(request)
    with find_database(request).reading() as reading:
        tables, published = make_tables(reading, me, least)
    return find_pages(request).show(request, "numbers.html", {
        "tables": tables, "published": published, "least": least, "wards": sorted(me.asker.wards),
        "limited": not me.may_do("view_aggregates", Ward(UNKNOWN))})


@router.get("/numbers.csv")
def download_numbers(request: Request, me: Me) -> Response:
    """What the page shows, as CSV: a line for each line of each table."""
    least = find_least(request)
    with find_database(request).reading() as reading:
        tables, published = make_tables(reading, me, least)
    rows = [[table.title, name, head, f"under {least} or hidden" if count is None else count]
            for table in tables for name, counts in [("All", table.total), *table.lines]
            for head, count in zip(table.heads, counts, strict=True)]
    text = write_csv(["table", "line", "as of", "number"], rows)
    day = f"-{published[0].as_of}" if published else ""
    return send_csv(f"numbers{day}.csv", text)


def find_least(request: Request) -> int:
    """The smallest count that is shown, as the partnership decided it."""
    office: Office | None = request.app.state.office
    return office.setting.pack.policy.small_cell if office else LEAST


def make_tables(reading: Reading, me: Reach, least: int) -> tuple[list[Table], Sequence[Publication]]:
    """Every table this person may see, and the runs they are of, the last first."""
    published = find_publications(reading)[:RUNS]
    tallies = tally_flags(reading, [one.run for one in published])
    heads = tuple(say_day(one.as_of) for one in published)
    tables: list[Table] = []
    for name, title in LIST_TITLES.items() if published else ():
        some = [tallies.get((one.run, name), Tally()) for one in published]
        bands = {code: text[0].upper() + text[1:] for code, text in BANDS.items()}
        tables += [
            _split(f"{name}-band", f"{title}: band", heads, [one.band for one in some], bands, least),
            _split(f"{name}-state", f"{title}: where they stand, and what was decided", heads,
                   [one.state for one in some], STATE_NAMES, least),
            _split(f"{name}-change", f"{title}: changed since the list before", heads, [one.change for one in some],
                   CHANGE_SHORT, least),
            _name_themes(f"{name}-theme", f"{title}: theme", heads, some, least),
            _name_wards(f"{name}-ward", f"{title}: ward", heads, some, least, me)]
    acted = tally_actions(reading, me.today)
    words = {"overdue": "Overdue", "open": "Not due yet", "done": WORK_NAMES["done"],
             "cancelled": WORK_NAMES["cancelled"]}
    if sum(acted.values()):
        tables.append(_split("actions", "Actions agreed", (f"On {say_day(me.today)}",), [acted], words, least))
    return tables, published


def _split(
    key: str, title: str, heads: tuple[str, ...], counts: Sequence[Mapping[str, int]], words: Mapping[str, str],
    least: int, kept: Iterable[str] | None = None, note: str = "",
) -> Table:
    """A table of counts that add up. `words` has every line there can be; `kept` are those shown, or all."""
    hidden = [hide_small({code: some.get(code, 0) for code in words}, least) for some in counts]
    lines = [(words[code], tuple(one.parts[code] for one in hidden)) for code in (words if kept is None else kept)]
    return Table(key, title, heads, tuple(one.total for one in hidden), tuple(lines), note)


def _name_themes(key: str, title: str, heads: tuple[str, ...], tallies: Sequence[Tally], least: int) -> Table:
    themes = sorted({theme for one in tallies for theme in one.theme}, key=say_theme)
    hidden = [hide_overlapping({theme: one.theme.get(theme, 0) for theme in themes}, one.total, least)
              for one in tallies]
    return Table(key, title, heads, tuple(hide_small({"": one.total}, least).total for one in tallies),
                 tuple((say_theme(theme), tuple(one[theme] for one in hidden)) for theme in themes),
                 "One flag may be under several themes.")


def _name_wards(
    key: str, title: str, heads: tuple[str, ...], tallies: Sequence[Tally], least: int, me: Reach
) -> Table:
    """By ward, for the wards this person may see. Those of a councillor are there also where nothing is counted."""
    counted = {ward for one in tallies for ward in one.ward if ward}
    # Whoever looks, the same is hidden: what one person alone is shown comes last, and is empty.
    words = {ward: ward or UNKNOWN for ward in (*sorted(counted), "", *sorted(me.asker.wards - counted))}
    allowed = me.keep("view_aggregates", [Ward(words[ward]) for ward in words])
    kept = sorted((ward for ward, may in zip(words, allowed, strict=True) if may), key=lambda ward: (not ward, ward))
    return _split(key, title, heads, [one.ward for one in tallies], words, least, kept)
