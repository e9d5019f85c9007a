# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tables in Markdown, and where they go in a document."""
import re
from pathlib import Path


def table(titles, rows):
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write_part(document, name, text):
    """Puts text between <!-- begin NAME --> and <!-- end NAME -->."""
    path = Path(document)
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    old = path.read_text(encoding="utf-8")
    new, n = re.subn(f"{begin}.*?{end}", lambda _: f"{begin}\n{text}\n{end}", old, flags=re.S)
    if n != 1:
        raise SystemExit(f"{path}: expected one part from {begin} to {end}, found {n}")
    path.write_text(new, encoding="utf-8")


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"
