"""The mapping into the letters that banks take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payouts.files.latin import LATIN, has_letter_or_digit, latin_name, to_latin


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("Straße", "Strasse"),
        ("STRAẞE", "STRASSE"),
        ("Æsir ærø", "AEsir aero"),
        ("Łódź", "Lodz"),
        ("Smith & Co", "Smith + Co"),
        ("Ångström", "Angstrom"),
        ("A\u030angstro\u0308m", "Angstrom"),
        ("Nguyễn Thị", "Nguyen Thi"),
        ("İstanbul ı", "Istanbul i"),
        ("O’Neill", "O'Neill"),
        ("a–b_c", "a-b-c"),
        ("№ 5", "No 5"),
        ("½", "."),
        ("Ana\u00a0Díaz", "Ana Diaz"),
        ("  a \t b  ", "a b"),
        ("a\nb", "a b"),
        ("東京 Ltd", ".. Ltd"),
        ("🦊", "."),
        ("a@b#c", "a.b.c"),
        ("", ""),
    ],
)
def test_examples(text: str, latin: str) -> None:
    assert to_latin(text) == latin


def test_a_format_may_keep_more() -> None:
    assert to_latin("A&B", also="&") == "A&B"


def test_a_cut_name_does_not_end_with_a_space() -> None:
    assert latin_name("abc defg", 4) == "abc"
    assert latin_name("ßßß", 5) == "sssss"


def test_points_alone_name_nobody() -> None:
    assert not has_letter_or_digit(to_latin("🦊 … 東京"))
    assert has_letter_or_digit(to_latin("東京 1"))


@given(st.text(max_size=60))
def test_any_text_becomes_latin_and_stays_so(text: str) -> None:
    latin = to_latin(text)
    assert set(latin) <= LATIN
    assert latin == latin.strip()
    assert to_latin(latin) == latin
