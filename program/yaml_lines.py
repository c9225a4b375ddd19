"""YAML with line numbers, exact decimals and no surprises.

Differences from plain YAML 1.1, all on purpose: a number with a point becomes a Decimal from its
very digits, never a float; only `true` and `false` are booleans, so that the country `NO` stays
text; keys are always text; duplicate keys, tags, merge keys, octal, hexadecimal and base-60
numbers are refused with their line. Does not belong here: what any setting means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from program.errors import Problem
from program.paths import SettingPath, format_path

TAG = "tag:yaml.org,2002:"
WHOLE_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
DECIMAL_NUMBER = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MAXIMUM_NODES = 200_000
"""Aliases multiply: a file of a few lines must not be able to fill the memory."""


@dataclass
class Document:
    """A read file: its plain values and the line of each of them.

    value: dict, list, str, int, Decimal, bool, date or None. lines: path -> 1-based line of the
    key or list item. problems: faults found while reading; value is then what could be read.
    """

    file: str
    value: Any = None
    lines: dict[SettingPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: SettingPath) -> int:
        """Line of a setting; of what contains it when the setting itself is not written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def add_problem(self, path: SettingPath, message: str, hint: str = "") -> None:
        """Note a fault at a setting."""
        line = self.line_of(path)
        self.problems.append(Problem(self.file, line, format_path(path), message, hint))


def read_yaml(path: Path) -> Document:
    """Read a YAML file; whatever is wrong becomes a problem of the document, nothing is raised."""
    document = Document(path.name)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        document.add_problem(
            (), f"{path} does not exist", "write a workspace with `partnerledger init DIR`"
        )
    except UnicodeDecodeError:
        document.add_problem((), "the file is not UTF-8 text", "save it as UTF-8")
    except OSError as error:
        document.add_problem((), f"{path} cannot be read: {error.strerror or error}")
    else:
        parse_yaml(text, document)
    return document


def parse_yaml(text: str, document: Document) -> None:
    """Fill a document from YAML text. Syntax errors become problems of the document."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            document.add_problem((), "the file is empty", "see `partnerledger init DIR`")
        else:
            document.value = _Builder(document).build(node, (), ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        reason = " ".join(part for part in (error.context, error.problem) if part)
        hint = "indent with spaces, never with tabs" if "\\t" in reason else ""
        document.problems.append(Problem(document.file, line, "", f"not YAML: {reason}", hint))
    except (yaml.YAMLError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        reason = " ".join(reason.split())
        document.problems.append(Problem(document.file, 1, "", f"not usable as YAML: {reason}"))


class _Builder:
    """Turns YAML nodes into plain values, noting lines and faults in the document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def build(self, node: yaml.Node, path: SettingPath, parents: tuple[int, ...]) -> Any:
        self._nodes += 1
        if self._nodes > MAXIMUM_NODES:
            raise yaml.YAMLError(f"more than {MAXIMUM_NODES} values")
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in parents:
            self._document.add_problem(path, "contains itself", "remove the alias")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        expected = "map" if isinstance(node, yaml.MappingNode) else "seq"
        if node.tag != TAG + expected:
            self._document.add_problem(path, f"the tag {node.tag!r} is not accepted", "remove it")
            return None
        inside = (*parents, id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, inside)
        return [self.build(item, (*path, index), inside) for index, item in enumerate(node.value)]

    def _mapping(
        self, node: yaml.MappingNode, path: SettingPath, parents: tuple[int, ...]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(line, path, "a key must be plain text")
                continue
            key = key_node.value
            key_path = (*path, key)
            if key_node.tag == TAG + "merge":
                self._refuse(line, key_path, "merge keys are not accepted", "write the keys out")
            elif key in values:
                first_line = self._document.lines[key_path]
                self._refuse(
                    line, key_path, f"is set twice, first on line {first_line}", "keep one of them"
                )
            else:
                self._document.lines[key_path] = line
                values[key] = self.build(value_node, key_path, parents)
        return values

    def _refuse(self, line: int, path: SettingPath, message: str, hint: str = "") -> None:
        problem = Problem(self._document.file, line, format_path(path), message, hint)
        self._document.problems.append(problem)

    def _scalar(self, node: yaml.ScalarNode, path: SettingPath) -> Any:
        text, kind = node.value, node.tag.removeprefix(TAG)
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true" if text.lower() in ("true", "false") else text
        if kind == "int" and WHOLE_NUMBER.fullmatch(text):
            return int(text) if len(text) <= 4000 else text
        if kind == "float" and DECIMAL_NUMBER.fullmatch(text):
            return Decimal(text)
        if kind == "timestamp":
            return self._date(text, path)
        if kind in ("int", "float"):
            self._document.add_problem(
                path,
                f"{text[:40]!r} is not a plain decimal number",
                "write digits and at most one point, or put text in quotes",
            )
            return None
        if kind in ("merge", "value"):
            return text
        self._document.add_problem(path, f"the tag {node.tag!r} is not accepted", "remove it")
        return None

    def _date(self, text: str, path: SettingPath) -> date | str | None:
        if not DATE.fullmatch(text):
            return text
        try:
            return date.fromisoformat(text)
        except ValueError:
            self._document.add_problem(path, f"{text} is not a day of the calendar")
            return None
