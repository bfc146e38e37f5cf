"""A small partnership made by hand: two agencies' extracts about made-up people, taken in and run once."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)
STREET = "21600001"

Rows = Iterable[dict[str, str]]


@dataclass(frozen=True)
class Office:
    """A home in a temporary folder, and `wardwise` typed into it; `said` is what making the first lists said."""

    home: Path
    said: str = ""

    def type(self, *words: str, fails: bool = False) -> Result:
        """What `wardwise WORDS` does here; a failure nobody expected fails the test."""
        result = CliRunner().invoke(app, list(words), env={"WARDWISE_HOME": str(self.home), "WARDWISE_TRACEBACK": "1"})
        assert (result.exit_code != 0) == fails, result.output
        return result

    def read(self, *words: str) -> str:
        """The answer alone, without what is said beside it."""
        return self.type(*words).stdout


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "home")


@pytest.fixture(scope="session")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files as the partners wrote them, with a manifest."""
    folder = tmp_path_factory.mktemp("extracts")
    write_rows(folder / "asb.csv", council_reports())
    write_rows(folder / "police.csv", police_records())
    for feed, header in (("police_incidents", "incident_ref,occurred,recorded,category"),
                         ("police_involvements", "involvement_ref,incident_ref,recorded,role")):
        (folder / f"{feed}.csv").write_text(header + "\n", encoding="utf-8")     # nothing happened, and they say so
    write_rows(folder / "manifest.csv", [
        {"file": file, "feed": feed, "received": "2026-11-23", "complete_to": "2026-11-22"}
        for file, feed in (("asb.csv", "council_asb"), ("police.csv", "police_uk"),
                           ("police_incidents.csv", "police_incidents"),
                           ("police_involvements.csv", "police_involvements"))])
    return folder


@pytest.fixture(scope="session")
def worked(tmp_path_factory: pytest.TempPathFactory, extracts: Path) -> Office:
    """An office where everything has been taken in and the lists of 23 November are made."""
    office = Office(tmp_path_factory.mktemp("worked") / "home")
    office.type("ingest", "--folder", str(extracts))
    return replace(office, said=office.read("run", "--as-of", "2026-11-23"))


@pytest.fixture
def write_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows (header to text) as a CSV file in a temporary folder."""
    return lambda name, rows: write_rows(tmp_path / name, rows)


def write_rows(path: Path, rows: Rows) -> Path:
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def council_report(number: int, **other: str) -> dict[str, str]:
    """Ada Example reports Bob Sample: both are made up. One report every nine days."""
    day = str(TODAY - timedelta(days=3 + number * 9))
    return {
        "Report Ref": f"A{number}", "Incident Date": f"{day} 21:30", "Date Reported": day, "Recorded": day,
        "Category": "Neighbour Dispute" if number % 2 else "Verbal Abuse", "Evidence Level": "3",
        "Reporting Household": f"H{number % 4}", "USRN": STREET,
        "Complainant ID": "C1", "Complainant First Name": "Ada", "Complainant Last Name": "Example",
        "Complainant Date of Birth": "1980-02-03", "Subject ID": "C2", "Subject First Name": "Bob",
        "Subject Last Name": "Sample", "Subject DOB": "1985-04-05", **other}


def council_reports(count: int = 8) -> list[dict[str, str]]:
    return [council_report(number) for number in range(count)]


def police_records() -> list[dict[str, str]]:
    """Two reports a month at each of twelve map points; in October sixty at the first of them."""
    return [
        {"Crime ID": "", "Month": f"2026-{month:02d}", "Reported by": "Example Police",
         "Falls within": "Example Police", "Longitude": f"-1.5{point:02d}", "Latitude": "53.8",
         "Location": f"On or near {chr(65 + point)} Street", "LSOA code": "E01011229", "LSOA name": "Leeds 063B",
         "Crime type": "Anti-social behaviour", "Last outcome category": "", "Context": ""}
        for point in range(12) for month in range(1, 11) for _ in range(60 if (point, month) == (0, 10) else 2)]
