"""Corrections supersede without erasing: what was known on a day stays what was known then."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from engine.errors import ExtractError
from engine.history import connect
from engine.lake import Lake

from .conftest import TODAY, Shows, WriteCsv, report, reports

JUNE, JULY, AUGUST = date(2026, 6, 10), date(2026, 7, 10), date(2026, 8, 10)


def test_the_same_file_twice_changes_nothing(lake: Lake, write_csv: WriteCsv, shows: Shows) -> None:
    path = write_csv("asb.csv", reports("A1", "A2"))
    lake.ingest("council_asb", path, JUNE)
    before, files = shows("council_asb"), sorted(lake.home.rglob("*"))

    again = lake.ingest("council_asb", path, JULY)

    assert again.already_known
    assert (again.new, again.revised, again.unchanged) == (0, 0, 2)
    assert sorted(lake.home.rglob("*")) == files
    assert len(lake.ledger.read()) == 1
    pd.testing.assert_frame_equal(shows("council_asb"), before)


def test_a_correction_supersedes_and_the_day_before_it_still_shows_what_was_known(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    lake.ingest("council_asb", write_csv("june.csv", reports("A1", "A2")), JUNE)

    receipt = lake.ingest("council_asb", write_csv(
        "july.csv", [report("A1", Category="Fly tipping"), report("A2")]), JULY)

    assert (receipt.new, receipt.revised, receipt.unchanged) == (0, 1, 1)
    for as_of, category, revised in ((JULY, "N01", "2026-06-03"), (AUGUST, "E01", "2026-07-10")):
        rows = shows("council_asb", as_of).set_index("record")
        assert rows.loc["council_asb:A1", "category"] == category
        assert str(rows.loc["council_asb:A1", "revised"])[:10] == revised
        assert str(rows.loc["council_asb:A1", "known"])[:10] == "2026-06-03"


def test_a_record_is_not_seen_before_it_was_known(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    lake.ingest("council_asb", write_csv("asb.csv", reports("A1")), JUNE)

    assert len(shows("council_asb", date(2026, 6, 3))) == 0
    assert len(shows("council_asb", date(2026, 6, 4))) == 1


def test_known_is_the_recorded_day_else_the_reported_else_the_occurred(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    lake.ingest("council_asb", write_csv("asb.csv", [
        report("A1"), report("A2", Recorded=""),
        report("A3", Recorded="", Date_Reported="")]), JUNE)

    known = shows("council_asb").set_index("record")["known"].astype(str).str[:10]
    assert list(known) == ["2026-06-03", "2026-06-02", "2026-06-01"]


def test_a_correction_counts_from_the_day_it_was_amended_where_the_partner_says_so(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    lake.ingest("council_asb", write_csv("asb.csv", [
        report("A1"), report("A1", Category="Fly tipping", Amended="2026-06-20")]), AUGUST)

    assert list(shows("council_asb", date(2026, 6, 20))["category"]) == ["N01"]
    assert list(shows("council_asb", date(2026, 6, 21))["category"]) == ["E01"]


def test_a_later_amended_day_alone_is_no_change(lake: Lake, write_csv: WriteCsv) -> None:
    lake.ingest("council_asb", write_csv("june.csv", [report("A1", Amended="2026-06-05")]), JUNE)
    receipt = lake.ingest(
        "council_asb", write_csv("july.csv", [report("A1", Amended="2026-07-05")]), JULY)

    assert (receipt.revised, receipt.unchanged) == (0, 1)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_files_are_read_in_does_not_change_the_view(
    lake: Lake, write_csv: WriteCsv, shows: Shows, order: tuple[int, ...]
) -> None:
    """Said, unsaid, said again: the file between must not win by being read last."""
    files = [(write_csv("june.csv", [report("A1"), report("A2")]), JUNE),
             (write_csv("july.csv", [report("A1", Category="Fly tipping"), report("A3")]), JULY),
             (write_csv("august.csv", [report("A1"), report("A4")]), AUGUST)]
    for number in order:
        lake.ingest("council_asb", *files[number])

    for as_of, category in ((JULY, "N01"), (AUGUST, "E01"), (TODAY, "N01")):
        rows = shows("council_asb", as_of).set_index("record")
        assert rows.loc["council_asb:A1", "category"] == category
        assert list(rows.index) == [f"council_asb:A{n}" for n in (1, 2, 3, 4)]


def test_a_corrected_file_resolves_what_was_refused(lake: Lake, write_csv: WriteCsv) -> None:
    good = reports(*(f"G{n}" for n in range(20)))
    lake.ingest("council_asb", write_csv(
        "asb.csv", [*good, report("A1", Severity="9"), report("A2", UPRN="x"), report("")]), JUNE)
    assert len(lake.quarantined()) == 3

    lake.ingest("council_asb", write_csv("one.csv", [report("A1", Severity="4")]), JULY)
    assert list(lake.quarantined()["identity"]) == ["A2", ""]

    # The row without a reference cannot be told; the file it was in has come again.
    lake.ingest("council_asb", write_csv("asb.csv", [*good, report("A2"), report("A3")]), AUGUST)
    assert len(lake.quarantined()) == 0


def test_a_file_with_too_many_refused_rows_is_refused_whole(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    rows = [*reports("A1", "A2", "A3"), report("A4", Severity="9")]

    receipt = lake.ingest("council_asb", write_csv("asb.csv", rows), JUNE)

    assert receipt.refused_whole
    assert (receipt.rows_in, receipt.refused, receipt.used) == (4, 4, 0)
    assert len(shows("council_asb")) == 0
    refusals = lake.quarantined().sort_values("row")
    assert list(refusals["identity"]) == ["A1", "A2", "A3", "A4"]
    assert "at most 20% of the rows" in refusals["allowed"].iloc[0]
    assert refusals["found"].iloc[3] == "9"

    lake.ingest("council_asb", write_csv("asb.csv", reports("A1", "A2", "A3", "A4")), JULY)
    assert len(lake.quarantined()) == 0
    assert len(shows("council_asb")) == 4


def street(**other: str) -> dict[str, str]:
    return {"Crime ID": "", "Month": "2018-10", "Reported by": "Derbyshire Constabulary",
            "Location": "On or near High Street", "Crime type": "Anti-social behaviour"} | other


def test_rows_without_a_key_count_as_often_as_they_stand_in_the_file(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    receipt = lake.ingest("police_uk", write_csv(
        "2018-10-x-street.csv", [street(), street(), street(Location="Elm Road")]), JUNE)

    assert (receipt.new, receipt.repeated) == (3, 0)
    rows = shows("police_uk")
    assert rows["record"].is_unique
    assert {str(day)[:10] for day in rows["known"]} == {"2018-10-31"}


def test_a_later_file_replaces_the_whole_month_of_that_force(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    lake.ingest("police_uk", write_csv("first-street.csv", [
        street(), street(), street(Month="2018-11"),
        street(**{"Reported by": "Another Force"})]), JUNE)

    receipt = lake.ingest("police_uk", write_csv(
        "second-street.csv", [street(), street(Location="Elm Road")]), JULY)

    assert (receipt.new, receipt.unchanged, receipt.withdrawn) == (1, 1, 1)
    assert len(shows("police_uk", JULY)) == 4
    after = shows("police_uk", AUGUST)
    assert len(after) == 4
    assert "Elm Road" in set(after["location"])


def test_a_feed_that_says_it_is_complete_has_spoken_even_when_its_file_is_the_same(
    lake: Lake, write_csv: WriteCsv
) -> None:
    path = write_csv("asb.csv", reports("A1"))

    def fresh(as_of: date) -> tuple[date | None, int | None, bool, int]:
        found = {f.feed: f for f in lake.freshness(as_of)}["council_asb"]
        return found.last_spoke, found.age_days, found.fresh, found.records

    lake.ingest("council_asb", path, JUNE)
    assert fresh(JUNE) == (date(2026, 6, 3), 7, True, 1)
    assert fresh(JULY) == (date(2026, 6, 3), 37, False, 1)
    assert fresh(date(2026, 6, 1)) == (None, None, False, 0)

    assert lake.ingest("council_asb", path, JULY, complete_to=date(2026, 7, 9)).already_known
    assert fresh(JULY) == (date(2026, 7, 9), 1, True, 1)
    assert fresh(AUGUST) == (date(2026, 7, 9), 32, False, 1)


def test_a_record_that_refers_to_nothing_is_listed(lake: Lake, write_csv: WriteCsv) -> None:
    incident = {"Incident Ref": "I1", "Occurred": "2026-06-01", "Category": "Noise"}
    involved = {"Involvement ID": "V1", "Recorded": "2026-06-02", "Role": "VIC", "URN": "I1"}
    lake.ingest("police_incidents", write_csv("i.csv", [incident]), JUNE)
    lake.ingest("police_involvements", write_csv(
        "v.csv", [involved, involved | {"Involvement ID": "V2", "URN": "I9"}]), JUNE)

    orphans = lake.check_references(lake.tables(TODAY, connect()))

    assert orphans.to_dict("records") == [{
        "record": "police_involvements:V2", "feed": "police_involvements",
        "column": "incident_ref", "found": "I9"}]


def test_an_old_view_can_be_made_again_from_its_inputs_after_older_files_arrive(
    lake: Lake, write_csv: WriteCsv
) -> None:
    lake.ingest("council_asb", write_csv("june.csv", reports("A1")), JUNE)
    inputs = lake.inputs(JULY)
    lake.ingest("council_asb", write_csv("backlog.csv", reports("A0")), AUGUST)

    def records(only: list[str] | None) -> list[str]:
        return sorted(lake.tables(JULY, connect(), only)["council_asb"].execute()["record"])

    assert records(None) == ["council_asb:A0", "council_asb:A1"]
    assert records([path for path, _ in inputs]) == ["council_asb:A1"]


def test_a_span_says_whether_a_record_is_in_force(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    def tenancy(ref: str, start: str, end: str) -> dict[str, str]:
        return {"Tenancy Ref": ref, "Start Date": start, "End Date": end, "UPRN": "100030011234",
                "Recorded": "2026-01-05"}
    lake.ingest("housing_tenancies", write_csv("t.csv", [
        tenancy("T1", "2026-01-01", ""), tenancy("T2", "2026-01-01", "2026-06-10"),
        tenancy("T3", "2026-06-11", "")]), JUNE)

    assert list(shows("housing_tenancies", JUNE)["current"]) == [True, False, False]


def test_a_feed_that_never_sent_anything_is_an_empty_table_of_the_right_types(
    lake: Lake
) -> None:
    schema = lake.tables(TODAY, connect())["orders"].schema()

    assert (str(schema["started"]), str(schema["easting"]), str(schema["current"])) == (
        "date", "float64", "boolean")


def test_a_file_cannot_vouch_for_days_after_it_was_received(
    lake: Lake, write_csv: WriteCsv
) -> None:
    with pytest.raises(ExtractError, match="complete to 2026-07-10, received 2026-06-10"):
        lake.ingest("council_asb", write_csv("asb.csv", reports("A1")), JUNE, complete_to=JULY)


def test_file_and_folder_names_may_hold_quotes_and_spaces(
    tmp_path: Path, lake: Lake, write_csv: WriteCsv
) -> None:
    odd = Lake(tmp_path / "o'hare; \"the\" lake", lake.contracts)
    odd.ingest("council_asb", write_csv("o'hare's file.csv", reports("A1")), JUNE)
    odd.ingest("council_asb", write_csv(
        "second.csv", [report("A1"), report("A2", Severity="4")]), JULY)

    assert len(odd.tables(TODAY, connect())["council_asb"].execute()) == 2
