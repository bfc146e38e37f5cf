"""A Word or Excel file as the same bytes every time: its parts are zipped again under one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo


def settle(file: bytes, at: datetime) -> bytes:
    """The same zip file, each of its parts dated `at` instead of by the clock."""
    moment = at.astimezone(UTC)
    settled = BytesIO()
    with ZipFile(BytesIO(file)) as found, ZipFile(settled, "w") as made:
        for part in found.namelist():
            entry = ZipInfo(part, (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second))
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o600 << 16
            made.writestr(entry, found.read(part))
    return settled.getvalue()
