"""Cards in the weekly run: everybody is counted, in a column of the results, and no list and no flag knows of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from engine.card import Card, read_card
from engine.errors import RuleError
from engine.flag import write_json
from engine.tally import tally
from engine.weekly import Run, make_run

from ..week.made import AS_OF, ago
from ..week.test_runs import ADDRESS, REPORTS, Office, write_rules

TEXT = """\
card: {name}
subject: {subject}
axis: {axis}
status: {status}
licence: probability
fitted: {{rows: 9000, events: 900}}
bands: {{convene: 0.1}}
{applies}factors:
  - fact: {fact}
    bins:
      - {{when: {fact} >= 3, points: 5, share: 0.1}}
      - {{when: {fact} < 3, points: 0, share: 0.8}}
      - {{when: {fact} is missing, points: -2, share: 0.1}}
scores:
  - {{from: -2, to: 5, probability: 0.6, low: 0.5, high: 0.7, rows: 9000}}
"""


def a_card(folder: Path, name: str, fact: str, subject: str = "person", axis: str = "vulnerability",
           applies: str = "", status: str = "trial") -> Card:
    path = folder / f"{name}.yaml"
    path.write_text(TEXT.format(name=name, fact=fact, subject=subject, axis=axis, status=status,
                                applies=f"applies: {applies}\n" if applies else ""), encoding="utf-8")
    return read_card(path)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    root = tmp_path_factory.mktemp("carded")
    (root / "files").mkdir()
    office = Office(root / "home", write_rules(root / "rules"), root / "files")
    office.say_all_is_quiet(AS_OF)
    office.send("addresses", [ADDRESS], AS_OF, "addresses")
    office.send("first", REPORTS, AS_OF)
    return office


def run_with(office: Office, *cards: Card) -> Run:
    return make_run(office.lake, office.pack, AS_OF, office.runs.before(AS_OF), threads=1, cards=cards)


def test_a_card_counts_everybody_and_changes_no_entry_and_no_flag(office: Office, tmp_path: Path) -> None:
    """Even one that would put all of them on the top band, and even if it says it is live."""
    suffered = a_card(tmp_path, "suffered", "suffered_90d")
    did = a_card(tmp_path, "did", "did_90d", axis="harm", applies="age >= 10", status="live")
    heard = a_card(tmp_path, "heard", "reports_90d", "place", "place")
    plain, carded = run_with(office), run_with(office, suffered, did, heard)
    assert plain.flags
    assert write_json([carded.entries, carded.left, carded.flags, carded.digests]) == write_json(
        [plain.entries, plain.left, plain.flags, plain.digests])
    for card in (suffered, did, heard):
        assert card.subject is not None
        rows = carded.tables[card.subject].to_pyarrow().to_pylist()
        assert len(rows) >= 2
        assert [row[f"card:{card.name}"] for row in rows] == [tally(card, row).total for row in rows]
    totals = carded.tables["person"].to_pyarrow()
    assert set(totals["card:suffered"].to_pylist()) == set(totals["card:did"].to_pylist()) == {0, 5}
    assert set(carded.tables["person"].columns) - set(plain.tables["person"].columns) == {"card:suffered", "card:did"}


def test_a_run_keeps_what_the_cards_counted(office: Office, tmp_path: Path) -> None:
    name = office.save(run_with(office, a_card(tmp_path, "suffered", "suffered_90d")))
    kept = pd.read_parquet(office.home / "runs" / name / "features_person.parquet")
    assert sorted(kept["card:suffered"].unique()) == [0, 5]


def test_where_a_feed_is_late_nobody_gets_a_total(tmp_path: Path) -> None:
    """The police say nothing, not even that all is quiet: three reports counted are at least three, and no total."""
    (tmp_path / "files").mkdir()
    office = Office(tmp_path / "home", write_rules(tmp_path / "rules"), tmp_path / "files")
    office.send("addresses", [ADDRESS], ago(0), "addresses")
    office.send("first", REPORTS, ago(0))
    table = run_with(office, a_card(tmp_path, "suffered", "suffered_90d")).tables["person"].to_pyarrow()
    assert table.num_rows > 0
    assert table["card:suffered"].null_count == table.num_rows


def test_a_card_the_pack_does_not_let_in_stops_the_run(office: Office, tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="F-07"):
        run_with(office, a_card(tmp_path, "wrong", "suffered_90d", axis="harm", applies="age >= 10"))


def test_a_retired_card_is_not_counted(office: Office, tmp_path: Path) -> None:
    run = run_with(office, a_card(tmp_path, "old", "suffered_90d", status="retired"))
    assert "card:old" not in run.tables["person"].columns
