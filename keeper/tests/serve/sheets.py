"""Writes XLSX files as openpyxl does, and some that lie; or says what another one has in it. Run by sheets.rs."""

import datetime
import io
import json
import re
import sys
import zipfile
from pathlib import Path

from openpyxl import Workbook, load_workbook

HEADER = ("Amount", "note", "ref", "recipient")
TO = "0x" + "22" * 20
SHEET = "xl/worksheets/sheet1.xml"


def ref(number):
    return f"0x{number:032x}"


def book(rows, change=lambda sheet: None):
    """A workbook whose first sheet has these rows, with each amount's format beside it."""
    made = Workbook()
    sheet = made.active
    sheet.append(HEADER)
    for amount, shown, reference, to in rows:
        sheet.append((amount, "=1+1" if reference == "note" else "x", reference, to))
        if shown:
            sheet.cell(sheet.max_row, 1).number_format = shown
    change(sheet)
    made.create_sheet("another").append(("ref", "recipient", "amount"))
    made["another"].append((ref(99), TO, "1"))
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def edited(whole, name, edit):
    """The same archive with one part edited."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            text = old.read(part)
            new.writestr(part, edit(text.decode()).encode() if part == name else text)
    return written.getvalue()


def shared(whole):
    """The same with its texts in a part of their own, as most programs write them, and which says that it has very many."""
    texts = []

    def moved(found):
        texts.append(found.group(2))
        return f'{found.group(1)} t="s"><v>{len(texts) - 1}</v></c>'

    def move(text):
        return re.sub(r'(<c [^>]*?) t="inlineStr"><is>(.*?)</is></c>', moved, text)

    whole = edited(whole, SHEET, move)
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    relation = f'<Relationship Type="{kind}" Target="/xl/sharedStrings.xml" Id="rId99"/></Relationships>'
    whole = edited(whole, "xl/_rels/workbook.xml.rels", lambda text: text.replace("</Relationships>", relation))
    items = "".join(f"<si>{text}</si>" for text in texts)
    written = io.BytesIO(whole)
    with zipfile.ZipFile(written, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="x" count="9" uniqueCount="99999999999">{items}</sst>')
    return written.getvalue()


def write(folder):
    good = book(
        [
            ("10", None, ref(1), TO),
            (20.25, None, ref(2), TO),
            (8.2, "#,##0.00", ref(3), TO),
            (1000, "0", ref(4), TO),
            (None, None, None, None),
            ("0.000001", None, "00000000-0000-0000-0000-000000000005", TO),
        ]
    )
    bad = book(
        [
            (1 / 3, None, ref(2), TO),
            (12.5, "0", ref(3), TO),
            ("=1+1", None, ref(4), TO),
            (datetime.date(2026, 1, 1), None, ref(5), TO),
            (0.5, "0%", ref(6), TO),
            ("1", None, 7, TO),
            (True, None, ref(8), TO),
            ("1", None, ref(9), TO),
            (None, None, ref(10), TO),
            ("1", None, ref(11), "0x12"),
            ("1e3", None, ref(12), TO),
            ("1", None, None, TO),
        ],
        lambda sheet: setattr(sheet.row_dimensions[9], "hidden", True),
    )
    spaces = edited(good, SHEET, lambda text: text.replace("<sheetData>", "<sheetData>" + " " * 40_000_000))
    with zipfile.ZipFile(io.BytesIO(spaces)) as archive:
        size = archive.getinfo(SHEET).file_size.to_bytes(4, "little")
    entities = '<!DOCTYPE x [<!ENTITY a "1"><!ENTITY b "&a;&a;">]>'
    many = [("1", None, ref(number), TO) for number in range(10_001)]
    files = {
        "good": good,
        # It says that it has very many texts, and a cell that is very far away.
        "boastful": edited(
            shared(good),
            SHEET,
            lambda text: text.replace("</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'),
        ),
        "bad": bad,
        "spaces": spaces,
        "liar": spaces.replace(size, (10).to_bytes(4, "little")),
        "entities": edited(good, SHEET, lambda text: entities + text.replace("<v>20.25</v>", "<v>&b;</v>")),
        "columns": edited(good, SHEET, lambda text: text.replace("<t>ref</t>", "<t>Amount</t>")),
        "hidden": edited(good, "xl/workbook.xml", lambda text: text.replace('state="visible"', 'state="hidden"', 1)),
        "empty": book([]),
        "many": book(many),
        "half": good[: len(good) // 2],
        "text": b"ref,recipient,amount\n",
    }
    for name, content in files.items():
        Path(folder, f"{name}.xlsx").write_bytes(content)


def read(path):
    """Each cell of the first sheet as its type and value; `f` would be a formula."""
    rows = load_workbook(path).worksheets[0].iter_rows()
    print(json.dumps([[[cell.data_type, cell.value] for cell in row] for row in rows]))


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](sys.argv[2])
