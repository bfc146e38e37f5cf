"""What somebody reads in each kind of file, taken out of the file itself."""

from __future__ import annotations

import re
from io import BytesIO

from docx import Document
from openpyxl import load_workbook

from api.papers.wording import say_value


def read_pdf(file: bytes) -> str:
    """The text of a PDF that is not compressed: each glyph through the table that a screen reader uses too."""
    parts = dict(re.findall(rb"\n(\d+) 0 obj\n(.*?)\nendobj", file, re.DOTALL))
    fonts: dict[bytes, dict[bytes, str]] = {}
    for listed in parts.values():
        for name, number in re.findall(rb"/(\w+) (\d+) 0 R", listed):
            if found := re.search(rb"/Type0.*?/ToUnicode (\d+) 0 R", parts.get(number, b""), re.DOTALL):
                lines = re.findall(rb"<(\w{4})> <(\w+)>", parts[found[1]].split(b"beginbfchar")[1])
                fonts[name] = {glyph: bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in lines}
    said, font = [], dict[bytes, str]()
    for name, glyphs in re.findall(rb"/(\w+) [\d.]+ Tf|\[(<.*?)\] ?TJ", file):
        if name:
            font = fonts[name]
        else:
            said.append("".join(font[glyph] for run in re.findall(rb"<(\w+)>", glyphs)
                                for glyph in re.findall(rb"\w{4}", run)))
    return re.sub(r"Page \d+ of \d+", "", " ".join(said))


def read_word(file: bytes) -> str:
    """The text of a Word document: the marking, then its paragraphs and the cells of its tables."""
    document = Document(BytesIO(file))
    body = [text.text or "" if text.tag.endswith("}t") else " " for text in document.element.body.iter()]
    return " ".join([document.sections[0].header.paragraphs[0].text, "".join(body)])


def read_sheet(file: bytes) -> str:
    """The text of a workbook, as it shows its cells."""
    cells = [cell for sheet in load_workbook(BytesIO(file)).worksheets for row in sheet.iter_rows() for cell in row]
    return " ".join(say_value(cell.value.date() if cell.is_date else cell.value) for cell in cells
                    if cell.value is not None)


def find_words(text: str) -> list[str]:
    """Its words, without points, bullets and rules."""
    return re.findall(r"\w+", text)
