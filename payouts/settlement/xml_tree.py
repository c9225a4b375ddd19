"""XML of a bank as a plain tree by local names: no entities, no DTD, no network, limits of size.

What belongs here: the safe reading. What does not: the meaning of elements (``pain002``, ``camt``).
Source: payouts reference 7 (XML without entities, without network, with a size limit).

The standard library's expat does it: every declaration is refused in its handler, so that nothing
can expand or be fetched, and the line of each element is known for messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from payouts.settlement.encoding import undecodable_xml
from payouts.settlement.outcome import Fault, file_error

MAXIMUM_BYTES = 32 * 1024 * 1024
MAXIMUM_ELEMENTS = 1_000_000
MAXIMUM_DEPTH = 64
_CHUNK_BYTES = 1 << 16
_ASK_AGAIN = "Fetch the file from the bank again, unchanged."


class Element:
    """One element: local name, line, text without surrounding space, attributes, children."""

    __slots__ = ("name", "line", "text", "attributes", "children")

    def __init__(self, name: str, line: int, attributes: dict[str, str]) -> None:
        self.name = name
        self.line = line
        self.text = ""
        self.attributes = attributes
        self.children: list[Element] | tuple[()] = ()

    def all(self, name: str) -> Iterator[Element]:
        """Children of a name."""
        return (child for child in self.children if child.name == name)

    def find(self, path: str) -> Element | None:
        """The first element at a path of local names such as ``Refs/EndToEndId``."""
        found: Element | None = self
        for name in path.split("/"):
            found = next(found.all(name), None)
            if found is None:
                return None
        return found

    def value(self, *paths: str) -> str:
        """Text of the first of these paths that has one; empty when none has."""
        for path in paths:
            found = self.find(path)
            if found is not None and found.text:
                return found.text
        return ""


class _Refused(Exception):
    """Something in the file that a bank's report never has."""


class _Builder:
    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.namespace = ""
        self.root: Element | None = None
        self.open: list[Element] = []
        self.elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        self.elements += 1
        if self.elements > MAXIMUM_ELEMENTS:
            raise _Refused(f"more than {MAXIMUM_ELEMENTS} elements")
        if len(self.open) >= MAXIMUM_DEPTH:
            raise _Refused(f"elements nested deeper than {MAXIMUM_DEPTH}")
        element = Element(local, self.parser.CurrentLineNumber, attributes)
        if self.root is None:
            self.root, self.namespace = element, namespace
        else:
            parent = self.open[-1]
            if not parent.children:
                parent.children = []
            parent.children.append(element)
        self.open.append(element)

    def end(self, _name: str) -> None:
        element = self.open.pop()
        element.text = element.text.strip()

    def text(self, text: str) -> None:
        self.open[-1].text += text

    def refuse_declaration(self, *_arguments: object) -> None:
        raise _Refused("a document type or entity is declared, which no bank's report does")


def parse(content: bytes, file_name: str) -> tuple[str, Element]:
    """Namespace of the root and the root element.

    Raises: SettlementFileError with the line when it is not well-formed, declares a document type
    or an entity, or goes beyond a limit.
    """
    if len(content) > MAXIMUM_BYTES:
        raise file_error(
            file_name,
            [Fault(0, f"has {len(content)} bytes, more than {MAXIMUM_BYTES}")],
            "Ask the bank for one file per day.",
        )
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    builder = _Builder(parser)
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    for handler in (
        "StartDoctypeDeclHandler", "EntityDeclHandler", "UnparsedEntityDeclHandler",
        "ExternalEntityRefHandler", "NotationDeclHandler",
    ):  # fmt: skip
        setattr(parser, handler, builder.refuse_declaration)
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        for start in range(0, len(content), _CHUNK_BYTES):
            parser.Parse(content[start : start + _CHUNK_BYTES], False)
        parser.Parse(b"", True)
    except _Refused as error:
        raise file_error(
            file_name, [Fault(parser.CurrentLineNumber, str(error))], _ASK_AGAIN
        ) from None
    except expat.ExpatError as error:
        what = f"is no well-formed XML: {expat.ErrorString(error.code)}"
        found = undecodable_xml(content) or (error.lineno, what)
        raise file_error(file_name, [Fault(*found)], _ASK_AGAIN) from None
    except (LookupError, ValueError):
        # An encoding that the XML declaration names and nobody has.
        raise file_error(
            file_name, [Fault(1, "names an encoding that cannot be read")], _ASK_AGAIN
        ) from None
    return builder.namespace, builder.root
