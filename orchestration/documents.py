"""What is shown to people, before it is text or a page: titles, facts, tables, sentences.

What belongs here: the parts of a document, and printing one in the terminal. What does not: pages
(`document_pages`), and what stands in a document (`evidence_document`, `statement_document`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestration.cli_common import out, print_table


@dataclass(frozen=True)
class Facts:
    """Names and values, one a line; those without a value are left out."""

    title: str
    rows: Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Table:
    """Rows under columns. right: columns of numbers. whole: of ids, not broken where they fit."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    right: Sequence[str] = ()
    whole: Sequence[str] = ()


@dataclass(frozen=True)
class Sentence:
    """One sentence. is_fault: somebody has to look at it."""

    text: str
    is_fault: bool = False


@dataclass(frozen=True)
class Sentences:
    """Several short sentences under a title."""

    title: str
    texts: Sequence[str]


Block = Facts | Table | Sentence | Sentences


@dataclass(frozen=True)
class Document:
    """A title, a line below it, and what follows."""

    title: str
    subtitle: str = ""
    blocks: list[Block] = field(default_factory=list)

    def add(self, *blocks: Block | None) -> None:
        """Append what there is; None and what is empty are left out."""
        self.blocks.extend(block for block in blocks if block is not None and not _is_empty(block))


def shown(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(shown(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(each)}" for name, each in value.items() if each)
    return str(value)


def filled(rows: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Names and values as people read them, without those that are empty."""
    texts = [(name, shown(value)) for name, value in rows]
    return [(name, text) for name, text in texts if text]


def print_document(document: Document) -> None:
    """A document in the terminal."""
    console = out()
    console.print(document.title, style="bold")
    if document.subtitle:
        console.print(document.subtitle)
    console.print()
    for block in document.blocks:
        if isinstance(block, Facts):
            console.print(block.title, style="bold")
            for name, text in filled(block.rows):
                console.print(f"  {name}: {text}")
            console.print()
        elif isinstance(block, Table):
            print_table(block.title, block.columns, block.rows, block.right, block.whole)
        elif isinstance(block, Sentences):
            console.print(block.title, style="bold")
            for text in block.texts:
                console.print(f"  - {text}")
            console.print()
        else:
            console.print(f"{'! ' if block.is_fault else ''}{block.text}\n")


def _is_empty(block: Block) -> bool:
    if isinstance(block, Facts):
        return not filled(block.rows)
    if isinstance(block, Table):
        return not block.rows
    return isinstance(block, Sentences) and not block.texts
