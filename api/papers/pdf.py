"""A paper as PDF/UA-1: tagged, with a title, a language, bookmarks and table headers. Nothing is fetched for it.

WeasyPrint needs Pango, a library of the system. It is looked for when a PDF is asked for, so that a machine without it
still has the site, Word and the spreadsheet.
"""

from __future__ import annotations

from datetime import UTC
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.papers.paper import Paper
from api.papers.wording import LANGUAGE, MAKER, clean, say_value
from engine.errors import Problem, RunError

_HERE = Path(__file__).parent
_PAGES = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                     lstrip_blocks=True)
_PAGES.globals.update({"say_value": say_value, "clean": clean, "LANGUAGE": LANGUAGE, "MAKER": MAKER,
                       "pair": lambda one, other: list(zip(one, other, strict=True))})
_NO_PANGO = Problem("the PDF", "this machine lacks Pango, the library that sets the text of a PDF",
                    "Pango 1.44 or later", "ask for Word or Excel, or have Pango installed (Debian: libpangoft2-1.0-0)")


def write_pdf(paper: Paper, *, compressed: bool = True) -> bytes:
    """The paper as PDF: the same bytes for the same paper and fonts. Raises RunError where Pango is missing."""
    page = _PAGES.get_template("paper.html").render(paper=paper, moment=paper.printed.astimezone(UTC).isoformat())
    return typeset(page, compressed=compressed)


def typeset(page: str, *, compressed: bool = True) -> bytes:
    """A page of HTML as PDF, in the style of a paper. What it refers to is never fetched; raises RunError."""
    try:
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import FatalURLFetchingError, URLFetcher
    except (ImportError, OSError) as missing:
        raise RunError([_NO_PANGO]) from missing

    class Refusing(URLFetcher):     # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> NoReturn:
            raise FatalURLFetchingError("a paper fetches nothing")      # and the address, which may name anybody, stays

    fonts = FontConfiguration()
    style = CSS(string=(_HERE / "paper.css").read_text(encoding="utf-8"), font_config=fonts, url_fetcher=Refusing())
    try:
        made = HTML(string=page, url_fetcher=Refusing()).write_pdf(
            stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1", uncompressed_pdf=not compressed,
            pdf_identifier=sha256(page.encode()).digest()[:16])
    except FatalURLFetchingError:
        raise RunError([Problem("the PDF", "something in it asked to be fetched", "a paper in its own words alone",
                                "do not use it; report it as a defect")]) from None
    return bytes(made)
