"""A document as one page that needs nothing else: no script, no request, every value escaped.

It follows the reader's choice of light or dark, and prints in black on white. What does not belong
here: what stands in a document.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from orchestration.cli_common import CommandError
from orchestration.documents import Document, Facts, Sentence, Sentences, Table, filled, shown

_STYLE = """
:root { color-scheme: light dark; --text: #1a1d21; --muted: #5b6470; --line: #d8dde3;
  --page: #ffffff; --head: #f3f5f7; --fault: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8eb; --muted: #9aa3ad; --line: #363c44; --page: #15181c; --head: #1f242a;
    --fault: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 2rem 1.25rem; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.subtitle { color: var(--muted); margin: .25rem 0 1.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { background: var(--head); color: var(--muted); font-weight: 600; white-space: nowrap; }
th[scope=row] { color: var(--muted); font-weight: 400; width: 16rem; }
td.number, th.number { text-align: right; white-space: nowrap; overflow-wrap: normal; }
.fault { color: var(--fault); font-weight: 600; }
@media print {
  :root { --text: #000; --muted: #333; --line: #999; --page: #fff; --head: #fff; --fault: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  tr, h2 { break-inside: avoid; } h2 { break-after: avoid; } thead { display: table-header-group; }
  .scroll { overflow: visible; } }
"""


def page(document: Document) -> str:
    """The whole page as text."""
    return "\n".join(_lines(document)) + "\n"


def write_page(document: Document, file: Path) -> None:
    """Write the page. Raises: as `write_file`."""
    write_file(page(document).encode("utf-8"), file)


def write_file(content: bytes, file: Path) -> None:
    """Write what somebody asked for; a file of that name is replaced, never half written.

    Raises: CommandError when the file cannot be written.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CommandError(
            f"{file} cannot be written: {error.strerror}", "Name a file in a folder of yours."
        ) from error


def _lines(document: Document) -> Iterator[str]:
    title = escape(document.title)
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    # Nothing may be loaded or run, whatever a value holds.
    yield (
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{title}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield f"<h1>{title}</h1>"
    if document.subtitle:
        yield f'<p class="subtitle">{escape(document.subtitle)}</p>'
    for block in document.blocks:
        if isinstance(block, Facts):
            yield from _facts(block)
        elif isinstance(block, Table):
            yield from _table(block)
        elif isinstance(block, Sentences):
            yield from _sentences(block)
        elif isinstance(block, Sentence):
            mark = ' class="fault"' if block.is_fault else ""
            yield f"<p{mark}>{escape(block.text)}</p>"
    yield "</body>"
    yield "</html>"


def _facts(block: Facts) -> Iterator[str]:
    yield f"<h2>{escape(block.title)}</h2>"
    yield '<div class="scroll"><table><tbody>'
    for name, text in filled(block.rows):
        yield f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
    yield "</tbody></table></div>"


def _table(block: Table) -> Iterator[str]:
    classes = [' class="number"' if column in block.right else "" for column in block.columns]
    heads = zip(block.columns, classes, strict=True)
    yield f"<h2>{escape(block.title)}</h2>"
    yield '<div class="scroll"><table>'
    cells = "".join(f'<th scope="col"{mark}>{escape(name)}</th>' for name, mark in heads)
    yield f"<thead><tr>{cells}</tr></thead>"
    yield "<tbody>"
    for row in block.rows:
        yield f"<tr>{_cells(row, classes)}</tr>"
    yield "</tbody></table></div>"


def _cells(row: Sequence[Any], classes: Sequence[str]) -> str:
    return "".join(
        f"<td{mark}>{escape(shown(value))}</td>" for value, mark in zip(row, classes, strict=True)
    )


def _sentences(block: Sentences) -> Iterator[str]:
    yield f"<h2>{escape(block.title)}</h2>"
    yield "<ul>"
    for text in block.texts:
        yield f"<li>{escape(text)}</li>"
    yield "</ul>"
