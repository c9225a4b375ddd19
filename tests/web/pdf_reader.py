"""Reads a tagged PDF back by its structure: which text stands in which heading, cell or figure.

It knows what Typst writes (uncompressed objects, Identity-H fonts with a ToUnicode map), as much as
the tests of statements need; a file in another form fails loudly.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.S)
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.S)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
# Parts of a content stream; a text begins with "(" and ends where its parentheses are even.
_TOKEN = re.compile(rb"<<.*?>>|\(|[\[\]]|/?[^\s()<>\[\]/]+", re.S)


@dataclass
class Element:
    """A structure element. text: of it and all below it, in reading order."""

    tag: str
    alt: str | None
    children: list[Element] = field(default_factory=list)
    own: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join([*self.own, *(child.text for child in self.children)])

    def all(self, *tags: str) -> list[Element]:
        """Elements below it with one of these tags, in reading order."""
        found = []
        for child in self.children:
            if child.tag in tags:
                found.append(child)
            found += child.all(*tags)
        return found

    def rows(self) -> list[list[str]]:
        """Of a table: the texts of its cells."""
        return [[cell.text for cell in row.all("TH", "TD")] for row in self.all("TR")]


@dataclass
class Pdf:
    """A file. artifacts: texts outside the structure (footers), by page."""

    root: Element
    artifacts: list[str]
    info: bytes
    objects: dict[int, bytes]

    @property
    def tables(self) -> list[list[list[str]]]:
        return [table.rows() for table in self.root.all("Table")]


def read_pdf(content: bytes) -> Pdf:
    """The file by its structure."""
    objects = {int(found[1]): found[2] for found in _OBJECT.finditer(content)}
    pages = [number for number, text in objects.items() if b"<</Type/Page/" in text]
    texts: dict[tuple[int, int], str] = {}
    artifacts = []
    for page in pages:
        marked, artifact = _page(objects, objects[page])
        texts |= {(page, number): text for number, text in marked.items()}
        artifacts.append(artifact)
    (tree,) = (text for text in objects.values() if b"/Type/StructTreeRoot" in text)
    root = _element(objects, _references(_kids(tree))[0], texts)
    (info,) = (text for text in objects.values() if b"/CreationDate" in text)
    return Pdf(root, artifacts, info, objects)


def _kids(element: bytes) -> bytes:
    found = re.search(rb"/K\[(.*?)\]", element, re.S)
    return found[1] if found else b""


def _references(text: bytes) -> list[int]:
    return [int(number) for number in re.findall(rb"(\d+) 0 R", text)]


def _element(objects: dict[int, bytes], number: int, texts: dict) -> Element:
    raw = objects[number]
    alt = re.search(rb"/Alt(?:<([0-9A-F]+)>|\(((?:[^()\\]|\\.)*)\))", raw)
    element = Element(re.search(rb"/S/(\w+)", raw)[1].decode(), _alternative(alt))
    page = re.search(rb"/Pg (\d+) 0 R", raw)
    for each in re.finditer(rb"<<(.*?)>>|(\d+) 0 R|(\d+)", _kids(raw)):
        if each[1]:
            own_page = int(re.search(rb"/Pg (\d+) 0 R", each[1])[1])
            number = int(re.search(rb"/MCID (\d+)", each[1])[1])
            element.own.append(texts.get((own_page, number), ""))
        elif each[2]:
            element.children.append(_element(objects, int(each[2]), texts))
        else:
            element.own.append(texts.get((int(page[1]), int(each[3])), ""))
    return element


def _alternative(found: re.Match[bytes] | None) -> str | None:
    if found is None:
        return None
    if found[1]:
        return bytes.fromhex(found[1].decode()).decode("utf-16")
    return _unescaped(found[2]).decode("latin-1")


def _page(objects: dict[int, bytes], page: bytes) -> tuple[dict[int, str], str]:
    """Text by marked content number, and that of artifacts."""
    resources = objects[int(re.search(rb"/Resources (\d+) 0 R", page)[1])]
    fonts = {
        name: _to_unicode(objects, int(number))
        for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", resources)
    }
    marked: dict[int, str] = {}
    artifact, font, operands = "", {}, []
    # Of each marked content that is open: its number, if any, and whether it runs backwards.
    open_marks: list[tuple[int | None, bool]] = []
    for token in _tokens(_stream(objects[int(re.search(rb"/Contents (\d+) 0 R", page)[1])])):
        if token == b"BDC":
            number = re.search(rb"/MCID (\d+)", operands[-1])
            open_marks.append((int(number[1]) if number else None, False))
        elif token == b"BMC":
            open_marks.append((None, operands[-1] == b"/ReversedChars"))
        elif token == b"EMC":
            open_marks.pop()
        elif token == b"Tf":
            font = fonts[operands[-2].removeprefix(b"/")]
        elif token in (b"TJ", b"Tj"):
            codes = b"".join(_unescaped(each[1:-1]) for each in operands if each[:1] == b"(")
            text = "".join(font[codes[at : at + 2]] for at in range(0, len(codes), 2))
            is_reversed = any(backwards for _, backwards in open_marks)
            place = next((mark for mark, _ in reversed(open_marks) if mark is not None), None)
            if place is None:
                artifact += f"{text}\n"
            else:
                marked[place] = marked.get(place, "") + (text[::-1] if is_reversed else text)
        else:
            operands.append(token)
            continue
        operands.clear()
    return marked, artifact


def _tokens(stream: bytes) -> Iterator[bytes]:
    """Operands and the operators that the reader knows; others stay among the operands."""
    at = 0
    while found := _TOKEN.search(stream, at):
        at = found.end()
        if found[0] == b"(":
            at = _end_of_string(stream, found.start())
        yield stream[found.start() : at]


def _end_of_string(stream: bytes, start: int) -> int:
    depth, at = 0, start
    while True:
        if stream[at : at + 1] == b"\\":
            at += 1
        elif stream[at : at + 1] in b"()":
            depth += 1 if stream[at : at + 1] == b"(" else -1
        at += 1
        if depth == 0:
            return at


def _unescaped(text: bytes) -> bytes:
    def plain(found: re.Match[bytes]) -> bytes:
        if found[1].isdigit():
            return bytes([int(found[1], 8)])
        return _LETTERS.get(found[1], found[1])

    return _ESCAPED.sub(plain, text)


def _stream(raw: bytes) -> bytes:
    head, _, body = raw.partition(b"stream\n")
    body = body.removesuffix(b"endstream").removesuffix(b"\n")
    return zlib.decompress(body) if b"/FlateDecode" in head else body


def _to_unicode(objects: dict[int, bytes], font: int) -> dict[bytes, str]:
    (number,) = re.findall(rb"/ToUnicode (\d+) 0 R", objects[font])
    pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]*)>", _stream(objects[int(number)]))
    return {
        bytes.fromhex(code.decode()): bytes.fromhex(text.decode()).decode("utf-16-be")
        for code, text in pairs
    }
