"""Whatever a partner sends, the answer is a value, a refusal or a helpful error, no traceback."""

from __future__ import annotations

import math
import tempfile
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.contract import TYPES, Column, read_contracts
from engine.errors import ExtractError
from engine.lake import Lake
from engine.values import Reason, build_parser

from .conftest import ROOT, TODAY

CONTRACTS = read_contracts(ROOT / "rules" / "feeds")
SAMPLES = ["1", "-1.5", "£1,000", "1e400", "-0", "9" * 400, "²", "\u0661", "2026-02-30",
           "0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00", "31/12/9999", "00/00/0000",
           "1 Foo 2026", "2026-13", "NaN", "\x00", "1.00030E+11", "S40 1LP",
           "E01019400", "Y", "12/2026", "Sept 2026", "2026-06-01 25:61"]


@pytest.mark.parametrize("kind", TYPES)
@settings(max_examples=60, deadline=None)
@given(text=st.one_of(st.text(max_size=30), st.sampled_from(SAMPLES), st.dates().map(str),
                      st.floats().map(str),
                      st.from_regex(r"\d{1,5}[-/. ]\w{1,4}[-/. ]\d{1,5}.{0,9}")),
       excel=st.booleans())
@example(text="0001-01-01T00:00:00+14:00", excel=False)
def test_every_text_gives_a_value_of_its_type_or_a_reason(
    kind: str, text: str, excel: bool
) -> None:
    column = Column("c", kind, values=(("A", ("a",)),) if kind == "code" else ())
    answer = build_parser(column, TODAY, needed=False, excel=excel)(text)

    kinds = {"date": date, "datetime": datetime, "month": date, "integer": int, "boolean": bool}
    expected = kinds.get(kind, float if kind in (
        "decimal", "easting", "northing", "longitude", "latitude") else str)
    assert answer is None or isinstance(answer, (Reason, expected))
    assert not isinstance(answer, float) or math.isfinite(answer)


@settings(max_examples=60, deadline=None)
@given(start=st.sampled_from([b"", b"Report Ref,Incident Date,Category\n", b"PK\x03\x04", b"PAR1",
                              b"\x1f\x8b\x08", b"\xff\xfe", b"\xef\xbb\xbf"]),
       rest=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_any_bytes_are_taken_in_or_refused_with_helpful_error(start: bytes, rest: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "asb.csv"
        path.write_bytes(start + rest)
        lake = Lake(Path(folder) / "home", {"council_asb": CONTRACTS["council_asb"]})
        try:
            receipt = lake.ingest("council_asb", path, TODAY)
        except ExtractError as error:
            assert error.problems[0].allowed
        else:
            assert receipt.rows_in == receipt.used + receipt.refused
