"""One cell's text -> its value, None where nothing is known, or a Reason why it cannot be used.

`build_parser` gives a plain function for a column; the border calls it once per *distinct* text. A
Reason says what is allowed and how to mend it, so the sender can act without knowing this program.
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.contract import Column, fold

MISSING = frozenset({"", "n/a", "na", "#n/a", "null", "none", "-", "--", "unknown", "not known"})
OLDEST_YEARS = 120          # no verified life in the United Kingdom has been longer
FIRST_YEAR = 1900           # an event dated before this is a typing error, not a record

Value = str | int | float | bool | date | datetime


@dataclass(frozen=True)
class Reason:
    """Why a text is refused: what is allowed there, and what to do about it."""

    allowed: str
    fix: str


Parser = Callable[[str], Value | Reason | None]


def build_parser(column: Column, received: date, *, needed: bool, excel: bool) -> Parser:
    """The function that reads one text of this column, in a file received on that day."""
    read = _READERS[column.type](column, received, excel)
    spellings = column.spellings

    def parse(text: str) -> Value | Reason | None:
        text = text.strip()
        if text.casefold() in MISSING and fold(text) not in spellings:
            return Reason("a value in every row", "fill it in at the source") if needed else None
        if text in _EXCEL_ERRORS:
            return Reason("a value", "the sheet holds a formula error: mend the formula")
        return read(text)

    return parse


_EXCEL_ERRORS = frozenset({"#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})
_Read = Callable[[str], Value | Reason]


# --- dates ---------------------------------------------------------------------------------------

_TIME = (r"(?:[T ,]+(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,]\d+)?)?"
         r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?)?$")
_DATES = (
    re.compile(r"(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})" + _TIME),
    re.compile(r"(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4})" + _TIME),
    re.compile(r"(?P<d>\d{1,2})(?:st|nd|rd|th)?[ -](?P<m>[A-Za-z]{3,9})[ ,-]+(?P<y>\d{4})" + _TIME),
)
_SHORT_YEAR = re.compile(r"\d{1,2}([/.-]\d{1,2}[/.-]|[ -][A-Za-z]{3,9}[ -])\d{2}(\D|$)")
_SERIAL = re.compile(r"\d{4,5}(\.\d+)?$")
_EXCEL_DAY_ZERO = datetime(1899, 12, 30)
_LONDON = ZoneInfo("Europe/London")
_MONTHS = {name.casefold(): number for names in (calendar.month_name, calendar.month_abbr)
           for number, name in enumerate(names) if name} | {"sept": 9}
_STYLES = "a date as YYYY-MM-DD, DD/MM/YYYY or DD Mon YYYY"


def _read_moment(text: str, excel: bool) -> datetime | Reason:
    if excel and _SERIAL.match(text):
        return _EXCEL_DAY_ZERO + timedelta(seconds=round(float(text) * 86400))
    for style in _DATES:
        if found := style.match(text):
            return _build_moment(found)
    if _SHORT_YEAR.match(text):
        return Reason(_STYLES, "write the year in four digits")
    return Reason(_STYLES, "write the date in one of these styles, day before month")


def _build_moment(found: re.Match[str]) -> datetime | Reason:
    part = found.groupdict()
    month = int(part["m"]) if part["m"].isdigit() else _MONTHS.get(part["m"].casefold(), 0)
    hour = int(part["h"] or 0)
    if part["half"]:
        hour = hour % 12 + (12 if part["half"].casefold() == "pm" else 0)
    try:
        moment = datetime(int(part["y"]), month, int(part["d"]), hour,
                          int(part["mi"] or 0), int(part["s"] or 0))
        if part["zone"]:
            zone = part["zone"].replace("Z", "+00:00")
            aware = datetime.fromisoformat(moment.isoformat() + zone)
            moment = aware.astimezone(_LONDON).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return Reason("a day that exists in the calendar",
                      "there is no such day: correct it (dates are read day before month)")
    return moment


def _moment_reader(column: Column, received: date, excel: bool) -> _Read:
    def read(text: str) -> Value | Reason:
        moment = _read_moment(text, excel)
        if isinstance(moment, Reason):
            return moment
        wrong = _check_day(column, moment.date(), received)
        return wrong or (moment if column.type == "datetime" else moment.date())
    return read


def _check_day(column: Column, day: date, received: date) -> Reason | None:
    if column.birth and (day > received or received.year - day.year > OLDEST_YEARS):
        return Reason(f"a birth at most {OLDEST_YEARS} years before the file was received",
                      "correct the date of birth, or leave it blank if it is not known")
    if day > received and not column.may_be_future:
        return Reason("a day not after the file was received",
                      "correct the date, or give the day the file was really received")
    if day.year < FIRST_YEAR and not column.birth:
        return Reason(f"a year from {FIRST_YEAR} on", "correct the year")
    return None


_MONTH_STYLES = ((re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})$"), int),
                 (re.compile(r"(?P<m>\d{1,2})/(?P<y>\d{4})$"), int),
                 (re.compile(r"(?P<m>[A-Za-z]{3,9})[ -](?P<y>\d{4})$"),
                  lambda name: _MONTHS.get(name.casefold(), 0)))


def _month_reader(column: Column, received: date, excel: bool) -> _Read:
    def read(text: str) -> Value | Reason:
        for style, number in _MONTH_STYLES:
            if found := style.match(text):
                year, month = int(found["y"]), number(found["m"])
                break
        else:
            moment = _read_moment(text, excel)
            if isinstance(moment, Reason):
                return Reason("a month as YYYY-MM", moment.fix if "four" in moment.fix
                              else "write the month as YYYY-MM")
            year, month = moment.year, moment.month
        if not 1 <= month <= 12 or year < FIRST_YEAR:
            return Reason("a month as YYYY-MM", "there is no such month: correct it")
        day = date(year, month, 1)
        return _check_day(column, day, received) or day
    return read


# --- numbers -------------------------------------------------------------------------------------

_NUMBER = re.compile(r"[-+]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?$|[-+]?\.\d+$")
_POWER = re.compile(r"[-+]?\d+(\.\d+)?[eE][-+]?\d+$")


def _read_number(text: str) -> float | Reason:
    plain = text.replace("£", "", 1).strip()
    if _NUMBER.match(plain) or _POWER.match(plain):
        number = float(plain.replace(",", ""))
        if math.isfinite(number):
            return number
    if fold(text) in ("nan", "inf", "infinity"):
        return Reason("a finite number", "leave it blank if it is not known")
    return Reason("a number", "write digits only, or leave it blank if it is not known")


def _number_reader(column: Column, received: date, excel: bool) -> _Read:
    bounds = [f"{word} {limit:g}" for word, limit in (
        ("at least", column.min), ("more than", column.above), ("at most", column.max))
        if limit is not None]
    whole = column.type == "integer"
    kind = "a whole number" if whole else "a number"
    outside = Reason(f"{kind} {' and '.join(bounds)}".strip(), "correct the number at the source")

    def read(text: str) -> Value | Reason:
        number = _read_number(text)
        if isinstance(number, Reason):
            return number
        if whole and (not number.is_integer() or abs(number) >= 2**53):
            return Reason("a whole number", "write it without decimals")
        if ((column.min is not None and number < column.min)
                or (column.max is not None and number > column.max)
                or (column.above is not None and number <= column.above)):
            return outside
        return int(number) if whole else number
    return read


def _coordinate_reader(column: Column, received: date, excel: bool) -> _Read:
    return _read_number     # whether it lies on land is judged with its partner, at the border


def _boolean_reader(column: Column, received: date, excel: bool) -> _Read:
    words = dict.fromkeys(("y", "yes", "true", "t", "1", "1.0"), True) \
        | dict.fromkeys(("n", "no", "false", "f", "0", "0.0"), False)

    def read(text: str) -> Value | Reason:
        return words.get(text.casefold(), Reason("Yes, No, Y, N, True, False, 1 or 0",
                                                 "write Yes or No, or leave it blank"))
    return read


# --- words and codes of places -------------------------------------------------------------------

def _text_reader(column: Column, received: date, excel: bool) -> _Read:
    return lambda text: text


def _code_reader(column: Column, received: date, excel: bool) -> _Read:
    spellings = column.spellings
    refused = Reason(", ".join(code for code, _ in column.values),
                     "use one of these, or have the spelling added to the feed under "
                     + column.name)
    return lambda text: spellings.get(fold(text), refused)


def _key_reader(digits: int, name: str) -> Callable[[Column, date, bool], _Read]:
    refused = Reason(f"a {name}: 1 to {digits} digits", f"look the {name} up in the gazetteer")
    rounded = Reason(f"a {name}: 1 to {digits} digits",
                     "a spreadsheet has rounded it and the last digits are lost: format the column "
                     "as text in the source and export it again")

    def build(column: Column, received: date, excel: bool) -> _Read:
        def read(text: str) -> Value | Reason:
            whole = text.removesuffix(".0")
            if whole.isascii() and whole.isdigit() and len(whole) <= digits and int(whole) > 0:
                return str(int(whole))
            return rounded if _POWER.match(text) else refused
        return read
    return build


def _pattern_reader(pattern: str, allowed: str, fix: str) -> Callable[[Column, date, bool], _Read]:
    shape, refused = re.compile(pattern), Reason(allowed, fix)

    def build(column: Column, received: date, excel: bool) -> _Read:
        def read(text: str) -> Value | Reason:
            found = shape.match("".join(text.split()).upper())
            return " ".join(found.groups()) if found else refused
        return read
    return build


_READERS: dict[str, Callable[[Column, date, bool], _Read]] = {
    "text": _text_reader, "code": _code_reader,
    "date": _moment_reader, "datetime": _moment_reader, "month": _month_reader,
    "integer": _number_reader, "decimal": _number_reader, "boolean": _boolean_reader,
    "uprn": _key_reader(12, "UPRN"), "usrn": _key_reader(8, "USRN"),
    "postcode": _pattern_reader(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})$",
                                "a full postcode, as S40 1LP",
                                "correct the postcode, or leave it blank"),
    "lsoa": _pattern_reader(r"([EWS]01\d{6}|N\d{8}|95[A-Z0-9]{6})$", "an LSOA code, as E01019400",
                            "send the code of the area, not its name"),
    "ward": _pattern_reader(r"([EWSN]\d{8})$", "a ward code, as E05013500",
                            "send the code of the ward, not its name"),
    "easting": _coordinate_reader, "northing": _coordinate_reader,
    "longitude": _coordinate_reader, "latitude": _coordinate_reader,
}
