"""A paper as a Word document that officers go on writing in, marked on each page, with header rows that repeat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from io import BytesIO
from typing import Any

from docx import Document
from docx.document import Document as Doc
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

from api.papers.archive import settle
from api.papers.paper import Column, Grid, Item, Paper, Section
from api.papers.wording import LANGUAGE, MAKER, clean, say_value

_INK, _ACCENT = RGBColor(0x0B, 0x0C, 0x0C), RGBColor(0x1D, 0x4F, 0x63)
_SHADE, _LINE = "EEF2F4", "B1B4B6"
_LONG, _SHORT, _MARGIN = Mm(297), Mm(210), Mm(15)     # A4 on its side, as in the PDF
_ROOM = 267             # millimetres between the margins
_LABELS = 58            # millimetres for the label beside what is told of an item
_FONT = "Arial"
_SIZES = {"Normal": 10, "Title": 24, "Heading 1": 16, "Heading 2": 12.5}


def write_word(paper: Paper) -> bytes:
    """The paper as DOCX: the same bytes for the same paper."""
    document = Document()
    _set_up(document, paper)
    document.add_paragraph(clean(paper.council))
    document.add_paragraph(clean(paper.title), style="Title")
    _list_pairs(document, [(label, (value,)) for label, value in paper.facts])
    for note in paper.notes:
        document.add_paragraph(clean(note), style="List Bullet")
    document.add_heading(paper.numbers.title, 1)
    _add_grid(document, paper.numbers)
    for section in paper.sections:
        _add_section(document, section)
    _head(document, paper.actions.title)
    _add_grid(document, paper.actions)
    file = BytesIO()
    document.save(file)
    return settle(file.getvalue(), paper.printed)


# --- the parts of a paper ------------------------------------------------------------------------------


def _add_section(document: Doc, section: Section) -> None:
    _head(document, section.title)
    document.add_paragraph(section.lead)
    if section.items:
        _add_table(document, section.columns, [[say_value(value) for value in item.cells] for item in section.items])
    for item in section.items:
        if item.says:
            _add_item(document, section, item)


def _add_item(document: Doc, section: Section, item: Item) -> None:
    document.add_heading(f"{say_value(item.cells[0])}. {say_value(item.cells[1])}", 2)
    short = [(column.title, (say_value(value),)) for column, value in
             list(zip(section.columns, item.cells, strict=True))[2:] if value is not None]
    _list_pairs(document, [*short, *zip(section.topics, item.says, strict=True)])


def _add_grid(document: Doc, grid: Grid) -> None:
    if grid.rows:
        _add_table(document, grid.columns, [[say_value(value) for value in row] for row in grid.rows])
    else:
        document.add_paragraph(grid.empty)


def _add_table(document: Doc, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """A table with a header row that repeats on each page, and rows that do not break over two."""
    table = document.add_table(rows=1 + len(rows), cols=len(columns))
    whole = sum(column.width for column in columns)
    _frame(table, [_ROOM * column.width / whole for column in columns], 1)
    # `table.cell` and `row.cells` walk the whole table each time: too slow for a hundred rows.
    lines = [[_Cell(cell, table) for cell in row.tc_lst] for row in table._tbl.tr_lst]
    for column, cell in zip(columns, lines[0], strict=True):
        _write(cell, [column.title], bold=True, right=column.kind == "number")
        _shade(cell)
    for row, line in zip(rows, lines[1:], strict=True):
        for column, text, cell in zip(columns, row, line, strict=True):
            _write(cell, [text], right=column.kind == "number")
    document.add_paragraph()


def _list_pairs(document: Doc, pairs: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Labels and what is said under each, as a table of two columns; several texts become a list."""
    table = document.add_table(rows=len(pairs), cols=2)
    _frame(table, [_LABELS, _ROOM - _LABELS], 0)
    for (label, texts), row in zip(pairs, table._tbl.tr_lst, strict=True):
        name, said = (_Cell(cell, table) for cell in row.tc_lst)
        _write(name, [label], bold=True)
        _write(said, texts, listed=len(texts) > 1)
    document.add_paragraph()


def _head(document: Doc, title: str) -> None:
    document.add_heading(title, 1).paragraph_format.page_break_before = True


# --- how it looks --------------------------------------------------------------------------------------


def _set_up(document: Doc, paper: Paper) -> None:
    properties, moment = document.core_properties, paper.printed.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    properties.title, properties.author, properties.last_modified_by = clean(paper.title), clean(paper.council), MAKER
    properties.subject, properties.keywords, properties.comments = paper.marking, "", ""
    properties.language, properties.revision = LANGUAGE, 1
    properties.created = properties.modified = moment
    page = document.sections[0]
    page.orientation, page.page_width, page.page_height = WD_ORIENT.LANDSCAPE, _LONG, _SHORT
    page.left_margin = page.right_margin = _MARGIN
    page.top_margin, page.bottom_margin = Mm(20), Mm(18)
    page.header_distance = page.footer_distance = Mm(8)
    for name, size in _SIZES.items():
        _style(document.styles[name], size, name)
    _mark(page.header.paragraphs[0], paper.marking)
    foot = page.footer.paragraphs[0]
    _mark(foot, paper.marking)
    for text, field in ((". Page ", "PAGE"), (" of ", "NUMPAGES")):
        foot.add_run(text)
        _add_field(foot, field)


def _style(style: Any, size: float, name: str) -> None:
    style.font.name, style.font.size = _FONT, Pt(size)
    style.font.color.rgb = _ACCENT if name.startswith("Heading") else _INK
    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):      # a theme's font would win over ours
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), _FONT)
    if name == "Normal":
        style.paragraph_format.space_after = Pt(4)
        _put(properties, "w:lang", val=LANGUAGE)
    elif name == "Title":
        style.font.bold = True
        for border in style.element.get_or_add_pPr().findall(qn("w:pBdr")):
            border.getparent().remove(border)
    else:
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(10), Pt(3)


def _mark(paragraph: Paragraph, marking: str) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run(marking).bold = True


def _add_field(paragraph: Paragraph, name: str) -> None:
    """A number that Word counts."""
    field = _put(paragraph._p, "w:fldSimple", instr=name)
    run = _put(field, "w:r")
    text = _put(run, "w:t")
    text.text = "1"


def _frame(table: Table, widths: Sequence[float], headers: int) -> None:
    """Widths in millimetres, hairlines under each row, header rows that repeat, rows that stay whole."""
    table.autofit, table.alignment = False, WD_TABLE_ALIGNMENT.LEFT
    for column, width in zip(table._tbl.tblGrid.gridCol_lst, widths, strict=True):
        column.w = Mm(width)
    if headers:
        borders = OxmlElement("w:tblBorders")
        table._tbl.tblPr.find(qn("w:tblLayout")).addprevious(borders)   # the schema has an order
        for side in ("top", "bottom", "insideH"):
            _put(borders, f"w:{side}", val="single", sz="4", space="0", color=_LINE)
    for number, row in enumerate(table._tbl.tr_lst):
        properties = row.get_or_add_trPr()
        _put(properties, "w:cantSplit")
        if number < headers:
            _put(properties, "w:tblHeader")
        for cell, width in zip(row.tc_lst, widths, strict=True):
            cell.width = Mm(width)


def _write(cell: _Cell, texts: Iterable[str], *, bold: bool = False, right: bool = False, listed: bool = False) -> None:
    for number, text in enumerate(texts):
        paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        if listed:
            paragraph.style = "List Bullet"
        paragraph.paragraph_format.space_after = Pt(1)
        if right:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        paragraph.add_run(clean(text)).bold = bold


def _shade(cell: _Cell) -> None:
    _put(cell._tc.get_or_add_tcPr(), "w:shd", val="clear", color="auto", fill=_SHADE)


def _put(parent: Any, tag: str, **attributes: str) -> Any:
    """A new element of the file at the end of another."""
    made = OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), value)
    parent.append(made)
    return made
