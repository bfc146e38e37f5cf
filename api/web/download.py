"""A text -> the answer that a browser saves as a file."""

from __future__ import annotations

from fastapi.responses import Response


def send_csv(name: str, text: str) -> Response:
    """CSV text as a file of this name, which is about nobody. With a byte order mark, or Excel takes it for another
    encoding."""
    return Response("\ufeff" + text, media_type="text/csv; charset=utf-8",
                    headers={"Content-Disposition": f'attachment; filename="{name}"'})
