"""A paper made by hand, with words that try to be more than words. Nobody in it exists."""

from __future__ import annotations

from datetime import UTC, date, datetime

from api.papers.paper import Column, Grid, Item, Paper, Section, Told

PRINTED = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
HOSTILE = ("=HYPERLINK(1)", "+44 call", "-1+2", "@SUM(A1)", "\tcmd", "\rcmd", " =1+1", "<b>bold</b> & more",
           "<img src='http://elsewhere.example/seen.png'>", "{{ 7 * 7 }}", "&[Path]", "bell\x07 and\x00 nothing")
COLUMNS = (Column("Number", "number", 8), Column("Who or where", width=24), Column("Band"),
           Column("Harm caused, points", "number"), Column("Decided on", "day", 20))


def make_paper(items: int = 3) -> Paper:
    """One list whose first items carry the hostile words as names and reasons, and an empty one."""
    told = tuple(Item((n, HOSTILE[n % len(HOSTILE)] if n < 50 else f"P{n:06d}", "Convene", 5.5 if n % 2 else None,
                       date(2026, 11, 24)),
                      ((f"{HOSTILE[n % len(HOSTILE)]} six months", "Second reason"), ("None.",)))
                 for n in range(1, items + 1))
    grid = Grid("Actions", "Open actions", (*COLUMNS[:2], Column("Action", width=40), Column("Due", "day")),
                tuple((1, word, f"{word} by phone", date(2026, 12, 1)) for word in HOSTILE), "None.")
    return Paper(
        "agenda-2026-11-23", "Agenda & more, 23 November 2026", "Council of =A1 & <b>", "OFFICIAL-SENSITIVE",
        date(2026, 11, 23), PRINTED, (("Printed for", "=Priya Chair"), ("Audit log head", f"12:{'ab' * 32}")),
        ("It decides nothing.", "=1+1 is a note"),
        Grid("Numbers", "What is in this paper", (Column("List"), Column("New", "number")), (("People", items),)),
        (Section("People", "People", f"{items} on this list.", COLUMNS, ("Why", "Open actions"), told),
         Section("Places", "Places", "Nothing on this list.", COLUMNS, ("Why", "Open actions"), ())),
        grid, (Told(None, ()),))
