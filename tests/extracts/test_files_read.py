"""The files partners send, and what they are told when one cannot be read."""

from __future__ import annotations

import gzip
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from engine.errors import ExtractError
from engine.lake import Lake

from .conftest import TODAY, Shows, WriteCsv, report, reports

HEADER = "Report Ref,Incident Date,Category"
ROW = "A1,2026-06-01,Noise"
TEXT = f"{HEADER}\n{ROW}\n"


@pytest.mark.parametrize(("content", "said"), [
    (b"", "the file is empty"),
    (f"{HEADER}\n".encode(), "a header and no rows"),
    (TEXT.replace(",", "^").encode(), "no header of this feed.*comma, semicolon, tab or |"),
    (b"\x81\x8d\x8f\n" + TEXT.encode(), "text in an unknown encoding.*save it as CSV UTF-8"),
    (TEXT.encode("utf-16-le"), "an encoding that is not marked"),
    (f"{HEADER},category\n{ROW},x\n".encode(),
     "`Category` and `category` are both read as category"),
    (b"Report Ref,Incident Type,ASB Type,Incident Date\n1,a,b,2026-06-01\n",
     "`Incident Type` and `ASB Type` are both read as category"),
    (b"Report Ref,Incident Date\nA1,2026-06-01\n",
     "no column category among: Report Ref, Incident Date.*ASB Category"),
    (f'{HEADER}\nA1,2026-06-01,"Noise\n'.encode() + b"x" * 1_100_000, "a row that does not end"),
    (b"\xd0\xcf\x11\xe0 old workbook", "an old or password-protected Excel workbook"),
    (gzip.compress(TEXT.encode(), mtime=0)[:-9], "the file is damaged or protected"),
    (b"PAR1 and then nothing", "the file is damaged or protected"),
])
def test_a_file_that_cannot_be_read_gives_helpful_error(
    lake: Lake, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "asb.csv"
    path.write_bytes(content)

    with pytest.raises(ExtractError, match=f"(?s)asb.csv.*{said}"):
        lake.ingest("council_asb", path, TODAY)

    assert lake.ledger.read() == []
    assert not (lake.home / "lake").exists()


def test_a_file_that_is_not_there_or_is_for_no_feed_gives_helpful_error(
    lake: Lake, tmp_path: Path, write_csv: WriteCsv
) -> None:
    with pytest.raises(ExtractError, match="there is no such file"):
        lake.ingest("council_asb", tmp_path / "nothing.csv", TODAY)
    with pytest.raises(ExtractError, match=r"there is no feed `council_abs`(?s:.*)council_asb"):
        lake.ingest("council_abs", write_csv("asb.csv", reports("A1")), TODAY)


def test_an_error_never_repeats_what_a_row_holds(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "asb.csv"
    path.write_text("Jane,Sample,12/04/1980\nAnn,Other,13/04/1980\n", encoding="utf-8")

    with pytest.raises(ExtractError) as error:
        lake.ingest("council_asb", path, TODAY)

    assert "Sample" not in str(error.value)


@pytest.mark.parametrize("content", [
    TEXT.encode("utf-8-sig"), TEXT.encode("utf-16"), TEXT.replace(",", ";").encode(),
    TEXT.replace(",", "\t").encode(), TEXT.replace(",", "|").encode(),
    TEXT.replace("\n", "\r\n").encode(), gzip.compress(TEXT.encode(), mtime=0),
    f"ASB extract for June\n\n{TEXT}".encode(), f"{HEADER},,\n{ROW},,\n,,,,\n".encode(),
    b"CATEGORY,report_ref,incident-date\nnoise,A1,01/06/2026\n",
])
def test_the_forms_of_text_councils_really_send_are_read(
    lake: Lake, tmp_path: Path, shows: Shows, content: bytes
) -> None:
    path = tmp_path / "asb.csv"
    path.write_bytes(content)

    receipt = lake.ingest("council_asb", path, TODAY)

    assert (receipt.rows_in, receipt.new) == (1, 1)
    row, = shows("council_asb").to_dict("records")
    assert (row["record"], row["category"], row["known"].date()) == (
        "council_asb:A1", "N01", date(2026, 6, 1))


def test_windows_text_is_read_and_the_receipt_says_so(
    lake: Lake, tmp_path: Path, shows: Shows
) -> None:
    path = tmp_path / "asb.csv"
    path.write_bytes(f"{HEADER},Subject Surname\n{ROW},Muñoz\n".encode("cp1252"))

    receipt = lake.ingest("council_asb", path, TODAY)

    assert receipt.notes == ("read as Windows-1252 text, because it is not UTF-8",)
    assert list(shows("council_asb")["subject_surname"]) == ["Muñoz"]


def test_columns_nobody_declared_are_named_in_the_receipt(lake: Lake, write_csv: WriteCsv) -> None:
    receipt = lake.ingest("council_asb", write_csv(
        "asb.csv", [report("A1", Officer="x", Ethnicity="x")]), TODAY)

    assert receipt.unknown_columns == ("Officer", "Ethnicity")
    assert receipt.new == 1


def test_a_row_with_too_many_or_too_few_cells_is_refused_with_its_line(
    lake: Lake, tmp_path: Path
) -> None:
    good = "".join(f"G{n},2026-06-01,Noise\n" for n in range(20))
    path = tmp_path / "asb.csv"
    path.write_text(f"{HEADER}\n{good}A1,2026-06-01,Noise, loud\nA2,2026-06-01\n", encoding="utf-8")

    receipt = lake.ingest("council_asb", path, TODAY)

    assert (receipt.rows_in, receipt.refused) == (22, 2)
    refusals = lake.quarantined()
    assert list(refusals["row"]) == [22, 23]
    assert list(refusals["found"]) == ["4 cells", "2 cells"]
    assert set(refusals["allowed"]) == {"3 cells, as in the header"}


def test_a_header_alone_means_nothing_happened_when_the_partner_says_up_to_when(
    lake: Lake, tmp_path: Path
) -> None:
    path = tmp_path / "asb.csv"
    path.write_text(HEADER + "\n", encoding="utf-8")

    receipt = lake.ingest("council_asb", path, TODAY, complete_to=date(2026, 11, 22))

    assert receipt.rows_in == 0
    freshness = {f.feed: f for f in lake.freshness(TODAY)}["council_asb"]
    assert (freshness.last_spoke, freshness.fresh) == (date(2026, 11, 22), True)


def test_a_workbook_with_a_title_real_dates_and_serial_numbers_is_read(
    lake: Lake, tmp_path: Path, shows: Shows
) -> None:
    book = openpyxl.Workbook()
    notes, sheet = book.active, book.create_sheet("Export")
    assert notes is not None
    notes.append(["Read me first"])
    for row in (["ASB extract"], [],
                ["Report Ref", "Incident Date", "Category", "UPRN", "Severity"],
                ["A1", datetime(2026, 6, 1, 21, 30), "Noise", 100030011234.0, 3],
                ["A2", 46174.5, "Noise", "100030011235", None]):
        sheet.append(row)
    path = tmp_path / "asb.xlsx"
    book.save(path)

    receipt = lake.ingest("council_asb", path, TODAY)

    assert (receipt.new, receipt.refused) == (2, 0)
    assert receipt.notes == ("other sheets were not read: Sheet",)
    rows = shows("council_asb")
    assert list(rows["uprn"]) == ["100030011234", "100030011235"]
    assert [str(t) for t in rows["occurred"]] == ["2026-06-01 21:30:00", "2026-06-01 12:00:00"]


def test_parquet_is_read_with_the_types_it_carries(
    lake: Lake, tmp_path: Path, shows: Shows
) -> None:
    path = tmp_path / "asb.parquet"
    pd.DataFrame({"report_ref": [101, 102], "category": ["N01", "E01"], "severity": [3.0, None],
                  "occurred": pd.to_datetime(["2026-06-01 21:30", "2026-06-02 00:00"]),
                  "anonymous": [True, False]}).to_parquet(path)

    receipt = lake.ingest("council_asb", path, TODAY)

    assert (receipt.new, receipt.refused) == (2, 0)
    assert list(shows("council_asb")["record"]) == ["council_asb:101", "council_asb:102"]


def test_every_csv_in_a_zip_is_read_and_refusals_name_the_file_inside(
    lake: Lake, tmp_path: Path
) -> None:
    path = tmp_path / "asb.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("june.csv", TEXT)
        rows = "".join(f"B{n},2026-07-01,Noise\n" for n in range(9))
        archive.writestr("july.csv", f"{HEADER}\n{rows}B9,2026-07-41,Noise\n")
        archive.writestr("read me.txt", "hello")

    receipt = lake.ingest("council_asb", path, TODAY)

    assert (receipt.rows_in, receipt.new, receipt.refused) == (11, 10, 1)
    assert list(lake.quarantined()["file"]) == ["asb.zip/july.csv"]


def test_a_zip_with_nothing_of_the_feed_in_it_gives_helpful_error(
    lake: Lake, tmp_path: Path
) -> None:
    path = tmp_path / "asb.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("read me.txt", "hello")

    with pytest.raises(ExtractError, match="no file of this feed inside the zip"):
        lake.ingest("council_asb", path, TODAY)
