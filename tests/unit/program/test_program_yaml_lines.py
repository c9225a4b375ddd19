"""Reading YAML: exact numbers, lines, and refusals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from program.yaml_lines import Document, parse_yaml, read_yaml


def _read(text: str) -> Document:
    document = Document("program.yml")
    parse_yaml(text, document)
    return document


def test_number_with_point_is_the_decimal_of_its_digits() -> None:
    document = _read("a: 0.1\nb: 50.00\nc: .5\nd: 12345678901234567890.123456789\n")
    assert document.value == {
        "a": Decimal("0.1"),
        "b": Decimal("50.00"),
        "c": Decimal("0.5"),
        "d": Decimal("12345678901234567890.123456789"),
    }
    assert all(isinstance(value, Decimal) for value in document.value.values())


def test_scalars_keep_their_types() -> None:
    document = _read("a: 5\nb: true\nc: NO\nd: ~\ne: 2025-03-01\nf: '0.1'\ng: text\nh: off\n")
    assert document.value == {
        "a": 5, "b": True, "c": "NO", "d": None, "e": date(2025, 3, 1), "f": "0.1",
        "g": "text", "h": "off",
    }  # fmt: skip


def test_keys_are_always_text() -> None:
    assert _read("{2025-01-01: 1, 12: 2, NO: 3, 0.5: 4}").value == {
        "2025-01-01": 1, "12": 2, "NO": 3, "0.5": 4,
    }  # fmt: skip


def test_lines_are_those_of_keys_and_list_items() -> None:
    document = _read("a:\n  - x: 1\n    y: 2\n  -\n    x: 3\nb: {c: 1,\n  d: 2}\n")
    assert document.line_of(("a",)) == 1
    assert document.line_of(("a", 0)) == 2
    assert document.line_of(("a", 0, "y")) == 3
    assert document.line_of(("a", 1, "x")) == 5
    assert document.line_of(("b", "d")) == 7
    assert document.line_of(("a", 0, "missing", 3)) == 2


def test_duplicate_keys_are_refused_with_both_lines() -> None:
    document = _read("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert [str(problem) for problem in document.problems] == [
        "program.yml:4: b.c: is set twice, first on line 3; keep one of them",
        "program.yml:5: a: is set twice, first on line 1; keep one of them",
    ]


@pytest.mark.parametrize("number", ["0x10", "010", "1_000", "1:30", ".inf", ".nan", "1_0.5"])
def test_number_in_another_notation_is_refused(number: str) -> None:
    document = _read(f"x: 1\na: {number}\n")
    assert len(document.problems) == 1
    assert str(document.problems[0]).startswith("program.yml:2: a: ")
    assert "plain decimal number" in str(document.problems[0])


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("a: 1\n\tb: 2\n", 2, "not YAML"),
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a: *unknown\n", 1, "not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "not YAML"),
        ("", 1, "the file is empty"),
        ("a: !!python/object:os.system x\n", 1, "is not accepted"),
        ("a: !secret x\n", 1, "is not accepted"),
        ("a: !!set {x}\n", 1, "is not accepted"),
        ("x: &x {b: 1}\na:\n  <<: *x\n", 3, "merge keys are not accepted"),
        ("a: &a [*a]\n", 1, "contains itself"),
        ("? [1, 2]\n: 3\n", 1, "a key must be plain text"),
        ("a: " + "[" * 3000, 1, "nested too deeply"),
    ],
)
def test_text_that_is_not_usable_is_one_problem_with_its_line(
    text: str, line: int, expected: str
) -> None:
    document = _read(text)
    assert len(document.problems) == 1
    assert document.problems[0].line == line
    assert expected in document.problems[0].message


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    document = _read("\n".join(lines))
    assert "more than" in document.problems[0].message


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "program.yml"
    path.write_bytes("name: Müller".encode("latin-1"))
    assert "not UTF-8" in read_yaml(path).problems[0].message


def test_file_with_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "program.yml"
    path.write_bytes(b"\xef\xbb\xbfname: x\r\nother: y\r\n")
    assert read_yaml(path).value == {"name": "x", "other": "y"}


def test_directory_in_place_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "program.yml").mkdir()
    assert "cannot be read" in read_yaml(tmp_path / "program.yml").problems[0].message
