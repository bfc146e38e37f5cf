"""What may stand in a cell, and what a partner is told when it may not."""

from __future__ import annotations

import pytest

from engine.lake import Lake

from .conftest import TODAY, Shows, WriteCsv, report, reports

GOOD = reports(*(f"G{n}" for n in range(20)))


@pytest.mark.parametrize(("column", "text", "allowed", "fix"), [
    ("Incident Date", "31/02/2025", "a day that exists in the calendar", "there is no such day"),
    ("Incident Date", "11/23/2026", "a day that exists in the calendar", "day before month"),
    ("Incident Date", "01/06/26", "YYYY-MM-DD, DD/MM/YYYY or DD Mon YYYY",
     "write the year in four digits"),
    ("Incident Date", "1 Jun 26", "DD Mon YYYY", "write the year in four digits"),
    ("Incident Date", "45000", "a date as YYYY-MM-DD", "write the date in one of these styles"),
    ("Incident Date", "01/06/1826", "a year from 1900 on", "correct the year"),
    ("Incident Date", "24/11/2026", "a day not after the file was received", "correct the date"),
    ("Incident Date", "", "a value in every row", "fill it in at the source"),
    ("Date Reported", "31/05/2026", "a day not before occurred", "correct reported or occurred"),
    ("Recorded", "2026-05-30", "a day not before occurred", "correct recorded or occurred"),
    ("Category", "Nose", "N01, V01", "have the spelling added to the feed under category"),
    ("Severity", "-2", "a whole number at least 1 and at most 5", "correct the number"),
    ("Severity", "2.5", "a whole number", "without decimals"),
    ("Severity", "NaN", "a finite number", "leave it blank"),
    ("Severity", "inf", "a finite number", "leave it blank"),
    ("Severity", "high", "a number", "write digits only"),
    ("Anonymous", "maybe", "Yes, No, Y, N, True, False, 1 or 0", "write Yes or No"),
    ("UPRN", "1.00030E+11", "1 to 12 digits", "a spreadsheet has rounded it"),
    ("UPRN", "10 Downing Street", "1 to 12 digits", "look the UPRN up in the gazetteer"),
    ("UPRN", "1234567890123", "1 to 12 digits", "look the UPRN up in the gazetteer"),
    ("UPRN", "0", "1 to 12 digits", "look the UPRN up in the gazetteer"),
    ("LSOA", "Chesterfield 001A", "an LSOA code, as E01019400", "the code of the area"),
    ("Subject Postcode", "S40", "a full postcode", "correct the postcode"),
    ("Subject DOB", "12/04/1726", "at most 120 years before", "correct the date of birth"),
    ("Subject DOB", "12/04/2030", "at most 120 years before", "correct the date of birth"),
    ("Incident Date", "#REF!", "a value", "formula error"),
])
def test_a_cell_that_cannot_be_used_says_what_is_allowed_and_how_to_mend_it(
    lake: Lake, write_csv: WriteCsv, column: str, text: str, allowed: str, fix: str
) -> None:
    bad = report("BAD") | {column: text}

    receipt = lake.ingest("council_asb", write_csv("asb.csv", [*GOOD, bad]), TODAY)

    assert (receipt.rows_in, receipt.new, receipt.refused) == (21, 20, 1)
    refusal, = lake.quarantined().to_dict("records")
    assert (refusal["file"], refusal["row"], refusal["identity"]) == ("asb.csv", 22, "BAD")
    assert refusal["found"] == text
    assert allowed in refusal["allowed"]
    assert fix in refusal["fix"]


@pytest.mark.parametrize(("easting", "northing", "allowed", "fix"), [
    ("438000", "", "both easting and northing, or neither", "fill in the other half"),
    ("0", "0", "easting 80000 to 656000", "in the sea or abroad"),
    ("700000", "700000", "easting 80000 to 656000", "in the sea or abroad"),
    ("900000", "438000", "easting 80000 to 656000", "swapped"),
])
def test_a_point_is_whole_and_on_land(
    lake: Lake, write_csv: WriteCsv, easting: str, northing: str, allowed: str, fix: str
) -> None:
    lake.ingest("council_asb", write_csv(
        "asb.csv", [*GOOD, report("BAD", Easting=easting, Northing=northing)]), TODAY)

    refusal, = lake.quarantined().to_dict("records")
    assert allowed in refusal["allowed"]
    assert fix in refusal["fix"]


def test_longitude_and_latitude_the_wrong_way_round_are_recognised(
    lake: Lake, write_csv: WriteCsv
) -> None:
    street = {"Crime ID": "", "Month": "2018-10", "Reported by": "Derbyshire Constabulary",
              "Longitude": "-1.37", "Latitude": "53.09", "Crime type": "Burglary"}
    swapped = street | {"Longitude": "53.09", "Latitude": "-1.37"}

    lake.ingest("police_uk", write_csv("2018-10-street.csv", [*[street] * 40, swapped]), TODAY)

    refusal, = lake.quarantined().to_dict("records")
    assert refusal["fix"] == "longitude and latitude are swapped: exchange them"


def test_a_row_with_several_faults_is_refused_once_and_shows_them_all(
    lake: Lake, write_csv: WriteCsv
) -> None:
    bad = report("BAD", Severity="9", UPRN="x", Category="Nose")

    receipt = lake.ingest("council_asb", write_csv("asb.csv", [*GOOD, bad]), TODAY)

    assert receipt.refused == 1
    assert list(lake.quarantined()["column"]) == ["category", "severity", "uprn"]


def test_the_same_row_twice_in_a_file_is_used_once_and_counted(
    lake: Lake, write_csv: WriteCsv
) -> None:
    receipt = lake.ingest("council_asb", write_csv("asb.csv", reports("A1", "A1", "A2")), TODAY)

    assert (receipt.new, receipt.repeated, receipt.refused) == (2, 1, 0)


def test_two_rows_of_one_reference_that_contradict_each_other_are_both_refused(
    lake: Lake, write_csv: WriteCsv
) -> None:
    rows = [*GOOD, report("A1"), report("A1", Category="Fly tipping")]

    receipt = lake.ingest("council_asb", write_csv("asb.csv", rows), TODAY)

    assert (receipt.new, receipt.refused) == (20, 2)
    refusals = lake.quarantined()
    assert list(refusals["row"]) == [22, 23]
    assert set(refusals["fix"]) == {"these rows contradict each other: send only the right one"}


@pytest.mark.parametrize(("text", "value"), [
    ("2026-06-01", "2026-06-01 00:00"), ("01/06/2026", "2026-06-01 00:00"),
    ("1-6-2026", "2026-06-01 00:00"), ("1 Jun 2026", "2026-06-01 00:00"),
    ("01-Sept-2025", "2025-09-01 00:00"), ("2026-06-01T21:30:00", "2026-06-01 21:30"),
    ("2026-06-01 21:30:15.5", "2026-06-01 21:30:15"), ("01/06/2026 9:30 PM", "2026-06-01 21:30"),
    ("2026-06-01T20:30:00Z", "2026-06-01 21:30"), ("2026-01-01T20:30:00+00:00", "2026-01-01 20:30"),
])
def test_the_date_styles_councils_send_are_read(
    lake: Lake, write_csv: WriteCsv, shows: Shows, text: str, value: str
) -> None:
    lake.ingest("council_asb", write_csv(
        "asb.csv", [report("A1", **{"Incident Date": text})]), TODAY)

    row, = shows("council_asb").to_dict("records")
    assert str(row["occurred"]).startswith(value)


@pytest.mark.parametrize("blank", ["", " ", "N/A", "NULL", "-", "unknown", "Unknown"])
def test_the_ways_of_writing_nothing_mean_not_known(
    lake: Lake, write_csv: WriteCsv, shows: Shows, blank: str
) -> None:
    receipt = lake.ingest(
        "council_asb", write_csv("asb.csv", [report("A1", Severity=blank)]), TODAY)

    assert receipt.new == 1
    assert shows("council_asb")["severity"].isna().all()


def test_every_row_is_accounted_for_whatever_its_fate(lake: Lake, write_csv: WriteCsv) -> None:
    lake.ingest("council_asb", write_csv("first.csv", reports("A1", "A2", "A3")), TODAY)
    rows = [report("A1"), report("A2", Severity="3"), *reports("A4", "A4"), *GOOD,
            report("A5", UPRN="x")]

    receipt = lake.ingest("council_asb", write_csv("second.csv", rows), TODAY)

    assert (receipt.new, receipt.revised, receipt.unchanged, receipt.repeated, receipt.refused) == (
        21, 1, 1, 1, 1)
    counts = lake.counts_by_feed().set_index("feed").loc["council_asb"]
    assert counts["rows_in"] == counts["used"] + counts["quarantined"] == 28
