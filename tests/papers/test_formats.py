"""One paper in three formats: they say the same, run nothing, fetch nothing, and are the same bytes again."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from docx import Document
from docx.oxml.ns import qn
from openpyxl import load_workbook

from api.papers.paper import Paper
from api.papers.pdf import typeset, write_pdf
from api.papers.sheet import write_sheet
from api.papers.word import write_word
from api.papers.wording import say_value
from engine.errors import RunError
from tests.papers.made import HOSTILE, PRINTED, make_paper
from tests.papers.reading import find_words, read_pdf, read_sheet, read_word

FORMATS: dict[str, Callable[[Paper], bytes]] = {"pdf": write_pdf, "docx": write_word, "xlsx": write_sheet}
PAPER = make_paper(len(HOSTILE))


@pytest.fixture(scope="module")
def plain() -> bytes:
    """The paper as a PDF that can be read without unpacking it."""
    return write_pdf(PAPER, compressed=False)


@pytest.fixture(scope="module")
def texts(plain: bytes) -> dict[str, str]:
    return {"pdf": read_pdf(plain), "docx": read_word(write_word(PAPER)), "xlsx": read_sheet(write_sheet(PAPER))}


def find_said(value: Any) -> list[str]:
    """Every text, number and day in a paper that is to be read."""
    if is_dataclass(value) and not isinstance(value, type):
        hidden = {"kind", "width", "told", "printed", "day", "name"}
        hidden |= {"empty"} if getattr(value, "rows", ()) else set()
        hidden |= {"columns", "topics"} if not getattr(value, "items", True) else set()
        return [said for field in fields(value) if field.name not in hidden
                for said in find_said(getattr(value, field.name))]
    if isinstance(value, tuple):
        return [said for one in value for said in find_said(one)]
    return [say_value(value)]


# --- all three -----------------------------------------------------------------------------------------


def test_the_three_formats_say_the_same_words(texts: dict[str, str]) -> None:
    words = {name: set(find_words(text)) for name, text in texts.items()}
    assert words["pdf"] == words["docx"] == words["xlsx"]


@pytest.mark.parametrize("name", FORMATS)
def test_everything_in_the_paper_stands_in_each_format_word_for_word(name: str, texts: dict[str, str]) -> None:
    whole = " ".join(find_words(texts[name]))
    assert [said for said in find_said(PAPER) if " ".join(find_words(said)) not in whole] == []


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_paper_is_the_same_bytes_and_another_is_not(name: str) -> None:
    paper = make_paper(2)
    assert FORMATS[name](paper) == FORMATS[name](make_paper(2))
    assert FORMATS[name](paper) != FORMATS[name](replace(paper, notes=("Other.",)))


# --- PDF -----------------------------------------------------------------------------------------------


def test_the_pdf_is_tagged_and_says_that_it_is_accessible(plain: bytes) -> None:
    for told in (b'pdfuaid:part="1"', b"/StructTreeRoot", b"/MarkInfo <</Marked true>>", b"/Lang (en-GB)",
                 b"/DisplayDocTitle true", b"/S /H1", b"/S /H2", b"/S /H3", b"/S /TH", b"/Headers [(", b"/S /L",
                 b"/Outlines"):
        assert told.replace(b" ", b"") in plain.replace(b" ", b""), told


def test_each_page_of_the_pdf_is_marked_twice_and_numbered(plain: bytes) -> None:
    pages = plain.count(b"/Type/Page/") + plain.count(b"/Type /Page/")
    assert pages > 3
    assert read_pdf(plain).count(PAPER.marking) == 2 * pages


@pytest.mark.parametrize("markup", ['<img src="http://elsewhere.example/x.png" alt="x">',
                                    '<link rel="stylesheet" href="file:///etc/passwd">',
                                    '<p style="background: url(http://elsewhere.example/x.png)">x</p>'])
def test_a_page_that_wants_to_fetch_something_is_never_made(markup: str) -> None:
    with pytest.raises(RunError, match="asked to be fetched") as refused:
        typeset(f"<html lang='en'><title>x</title>{markup}")
    assert "elsewhere" not in str(refused.value)


def test_markup_in_a_name_is_read_as_it_was_typed(texts: dict[str, str]) -> None:
    assert "<b>bold</b> & more" in texts["pdf"]
    assert "<img src='http://elsewhere.example/seen.png'>" in texts["pdf"]
    assert "{{ 7 * 7 }}" in texts["pdf"]


def test_a_machine_without_pango_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(RunError, match="lacks Pango") as refused:
        write_pdf(make_paper(1))
    assert "ask for Word or Excel" in str(refused.value)


# --- Word ----------------------------------------------------------------------------------------------


def test_word_repeats_the_header_row_of_each_list_and_marks_each_page() -> None:
    document = Document(BytesIO(write_word(PAPER)))
    lists = [table for table in document.tables if len(table.columns) > 2]
    assert [bool(table.rows[0]._tr.trPr.findall(qn("w:tblHeader"))) for table in lists] == [True, True]
    page = document.sections[0]
    assert page.header.paragraphs[0].text == PAPER.marking
    assert page.footer.paragraphs[0].text.startswith(PAPER.marking)
    assert [one.get(qn("w:instr")) for one in page.footer._element.iter(qn("w:fldSimple"))] == ["PAGE", "NUMPAGES"]


def test_word_has_headings_a_language_and_its_own_moment() -> None:
    document = Document(BytesIO(write_word(PAPER)))
    styles = [each.style.name for each in document.paragraphs]
    assert {"Title", "Heading 1", "Heading 2", "List Bullet"} <= set(styles)
    core = document.core_properties
    assert (core.title, core.language, core.subject, core.created) == (PAPER.title, "en-GB", PAPER.marking, PRINTED)


# --- spreadsheet ---------------------------------------------------------------------------------------


def test_no_cell_of_the_workbook_is_a_formula_whatever_somebody_is_called() -> None:
    cells = [cell for sheet in load_workbook(BytesIO(write_sheet(PAPER))).worksheets for row in sheet.iter_rows()
             for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    texts = {cell.value: cell.quotePrefix for cell in cells if isinstance(cell.value, str)}
    for word in ("=HYPERLINK(1)", "+44 call", "-1+2", "@SUM(A1)", "\tcmd", "\ncmd", " =1+1", "=1+1 is a note"):
        assert texts[word], word     # and it stays text when somebody edits it
    assert not texts["Convene"]


def test_no_part_of_the_workbook_holds_a_formula_a_link_or_a_way_out() -> None:
    with ZipFile(BytesIO(write_sheet(PAPER))) as book:
        whole = "".join(book.read(name).decode() for name in book.namelist() if name.endswith((".xml", ".rels")))
    assert re.findall(r"<f[ >]|<hyperlink|TargetMode=.External", whole) == []


def test_the_workbook_has_a_sheet_for_each_list_with_numbers_as_numbers_and_days_as_days() -> None:
    book = load_workbook(BytesIO(write_sheet(PAPER)))
    assert book.sheetnames == ["About", "People", "Places", "Actions"]
    sheet = book["People"]
    assert [cell.data_type for cell in sheet[5]] == ["n", "s", "s", "n", "d", "s", "s"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows) == ("C5", "A4:G16", "$4:$4")
    for one in book.worksheets:
        assert (one.page_setup.orientation, one.page_setup.fitToWidth, one.sheet_properties.pageSetUpPr.fitToPage) == (
            "landscape", 1, True)
        assert one.oddHeader.center.text == one.oddFooter.center.text == PAPER.marking


def test_a_title_cannot_tell_a_spreadsheet_to_print_the_path_of_the_file() -> None:
    book = load_workbook(BytesIO(write_sheet(replace(PAPER, title="&Z&F and more"))))
    assert book["About"].oddFooter.left.text == "&&Z&&F and more"
