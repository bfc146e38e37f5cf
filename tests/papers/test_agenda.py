"""The agenda: the last lists as one person may take them out, each item with what speaks for and against it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from api.papers import agenda
from api.papers.agenda import TOPICS, build_agenda
from api.papers.paper import Item, Paper
from engine.store import actions, reviews
from engine.store.audit import head
from engine.store.chain import Note
from engine.store.database import Database, create
from engine.store.flags import FlagRow, history
from engine.store.problems import StoreError
from engine.store.tables import flags
from tests.papers.conftest import Print
from tests.papers.made import PRINTED
from tests.web.made import FORMULA, OFFERS, SCRIPT

Rows = dict[str, FlagRow]


def build(store: Database, cover: Print, role: str = "tasking_chair") -> Paper:
    with store.reading() as reading:
        return build_agenda(reading, cover(role))


def said(item: Item, topic: str) -> tuple[str, ...]:
    return item.says[TOPICS.index(topic)]


def hold(store: Database, id: str, status: str) -> None:
    with store.writing(PRINTED, "system") as writing:
        writing.change(Note("flag.held", id, {}), update(flags).where(flags.c.id == id).values(status=status))


def test_the_first_page_says_whose_it_is_under_what_and_which_log(store: Database, cover: Print) -> None:
    with store.reading() as reading:
        last = head(reading)
    paper = build(store, cover)
    assert dict(paper.facts) == {
        "Lists as of": "23 November 2026", "Marking": "OFFICIAL-SENSITIVE", "Council": "Example Council",
        "Printed": "24 November 2026 at 2:05pm",
        "Printed for": "Priya Chair, Community Safety",
        "Shared under": "DEMO-1: Made-up sharing agreement of the demonstration",
        "Purpose": "Prevent crime and disorder", "Audit log head": f"{last.id}:{last.hash}",
        "Run": "2026-11-23-00000000"}
    assert (paper.name, paper.marking) == ("agenda-2026-11-23", "OFFICIAL-SENSITIVE")
    assert "suggests and decides nothing" in paper.notes[0]
    assert any("destroy it once the minutes are agreed" in note for note in paper.notes)
    assert paper.notes[-1] == "Late feed. Fire service incidents: last heard of 79 days ago"


def test_the_numbers_are_those_of_the_items_printed(store: Database, cover: Print) -> None:
    assert build(store, cover).numbers.rows == (
        ("People", 0, 1, 1, 0, 1, 3), ("Places", 1, 0, 0, 0, 0, 1), ("Offers of a home", OFFERS, 0, 0, 0, 0, OFFERS))


def test_points_of_each_axis_have_a_column_and_are_never_added(store: Database, cover: Print) -> None:
    people, places, offers = build(store, cover).sections
    assert [column.title for column in people.columns] == [
        "Number", "Who or where", "Band", "Since last time", "Harm suffered (vulnerability), points",
        "Harm caused, points"]
    assert people.items[0].cells == (1, "P000001", "Convene", "as last time, with nothing new heard", 5.5, 7.0)
    assert people.items[1].cells[4:] == (5.5, None)
    assert [column.title for column in places.columns][4:] == ["Place, points"]
    assert [column.title for column in offers.columns][2:] == ["Before an offer", "Since last time"]
    assert offers.items[0].cells[2] == "Avoid this property"


def test_an_item_says_why_what_speaks_against_it_and_who_could_say_more(store: Database, cover: Print) -> None:
    people, places, _ = build(store, cover).sections
    item = people.items[0]
    assert said(item, "Why")[0] == "Reported 4 related incidents in six months; the published threshold is 3."
    assert said(item, "What speaks against it") == ("2 of the 4 records rest on a single report.",)
    assert said(item, "Not known, and who could say") == ("Support needs: Social Care could say.",)
    assert said(item, "Bring together") == ("Police, Housing",)
    assert said(places.items[0], "Why") == (f"{FORMULA} {SCRIPT}",)


def test_what_was_agreed_and_decided_about_an_earlier_flag_of_them_is_told(
    store: Database, cover: Print, rows: Rows
) -> None:
    me, flag = cover().me.id, rows["P000002"].id
    with store.writing(PRINTED - timedelta(days=9), me) as writing:
        actions.agree(writing, flag, "Visit together with housing", "housing", "Lee Officer", date(2026, 11, 20))
        version = reviews.take_up(writing, flag, rows["P000002"].version).version
        reviews.decide(writing, flag, version, "confirmed", "getting_worse", "The third report within a month.")
    paper = build(store, cover)
    item = paper.sections[0].items[1]
    assert said(item, "Open actions") == ("Visit together with housing (Housing, Lee Officer, due 20 November 2026)",)
    assert said(item, "Last decision") == (
        "Confirmed on 15 November 2026 by Priya Chair. It is getting worse: The third report within a month.",)
    assert paper.actions.rows == (("People", 2, "P000002", "Visit together with housing", "Housing", "Lee Officer",
                                   date(2026, 11, 20), "overdue"),)


@pytest.mark.parametrize("status", ["restricted", "routed"])
def test_what_was_agreed_about_a_flag_for_other_eyes_is_not_printed(
    status: str, store: Database, cover: Print, rows: Rows
) -> None:
    with store.reading() as reading:
        first = history(reading, "people", "P000001")[0]
    with store.writing(PRINTED, cover().me.id) as writing:
        actions.agree(writing, first.id, "Something only for other eyes", "police", "Sam Member", date(2026, 12, 1))
    assert "only for other eyes" in str(build(store, cover).sections)
    hold(store, first.id, status)
    assert "only for other eyes" not in str(build(store, cover))


def test_a_flag_for_other_eyes_is_neither_printed_nor_counted_nor_disclosed(
    store: Database, cover: Print, rows: Rows
) -> None:
    hold(store, rows["P000002"].id, "restricted")
    paper = build(store, cover)
    assert "P000002" not in str(paper)
    assert paper.numbers.rows[0][-1] == 2
    assert rows["P000002"].id not in paper.told[0].flags


def test_a_role_that_may_not_take_flags_out_gets_a_paper_without_any(store: Database, cover: Print) -> None:
    paper = build(store, cover, "analyst")      # sees every flag, and may not export one
    assert [section.items for section in paper.sections] == [(), (), ()]
    assert paper.told == ()


def test_what_is_told_of_is_exactly_what_is_printed(store: Database, cover: Print, rows: Rows) -> None:
    told, = build(store, cover).told
    assert told.agreement == cover().me.signed[0].id
    assert set(told.flags) == {row.id for row in rows.values() if row.as_of == date(2026, 11, 23)}


def test_a_list_longer_than_a_meeting_is_cut_and_says_so(
    store: Database, cover: Print, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agenda, "LONGEST", 5)
    offers = build(store, cover).sections[2]
    assert (len(offers.items), offers.lead.split(";")[0]) == (5, f"The first 5 of {OFFERS}")


def test_without_a_published_run_there_is_no_agenda(cover: Print, tmp_path) -> None:
    create(url := f"sqlite:///{tmp_path / 'empty.db'}")
    empty = Database(url)
    with empty.reading() as reading, pytest.raises(StoreError, match="no run has been put before people yet"):
        build_agenda(reading, cover())
    empty.close()
