"""The files in `api/static` and the council's colour -> addresses that change when they do, and are kept for ever."""

from __future__ import annotations

import mimetypes
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from starlette.responses import Response

from api.web.brand import Brand

FOLDER = Path(__file__).resolve().parent.parent / "static"
SENT = (".css", ".js", ".png", ".svg", ".ico")
"""What is sent; scripts that fetch, manifests and licences are kept beside it and are not."""

_FOR_EVER = "public, max-age=31536000, immutable"


class Assets:
    """Read once. `digest` names the whole, so that one style sheet can name another file beside it."""

    def __init__(self, brand: Brand) -> None:
        self._files = {path.relative_to(FOLDER).as_posix(): path.read_bytes()
                       for path in sorted(FOLDER.rglob("*")) if path.suffix in SENT}
        self._files["brand.css"] = brand.style.encode()

    @cached_property
    def digest(self) -> str:
        """The first sixteen characters of the digest of every file's name and bytes."""
        whole = sha256()
        for name, data in sorted(self._files.items()):
            whole.update(f"{name} {len(data)} ".encode() + data)
        return whole.hexdigest()[:16]

    def address(self, name: str) -> str:
        """Where a file is fetched from. Raises KeyError for a file that is not there."""
        if name not in self._files:
            raise KeyError(f"no such file in api/static: {name}")
        return f"/static/{self.digest}/{name}"

    def answer(self, digest: str, name: str) -> Response | None:
        """The file with how long it may be kept; under an old digest, the file of now, kept by nobody."""
        data = self._files.get(name)
        if data is None:
            return None
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        kept = _FOR_EVER if digest == self.digest else "no-store"
        return Response(data, media_type=kind, headers={"Cache-Control": kept})
