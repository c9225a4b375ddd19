"""T23, T24, T26, T27 on every rail: the same bytes everywhere, and names that people may type."""

from __future__ import annotations

import hashlib
import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from file_world import (
    PAYEES,
    PAYERS,
    RAILS_WITH_DETAILS,
    TODAY,
    batch_of,
    payout_id,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from payouts.errors import ExportRefusedError
from payouts.files import rails
from payouts.files.csv_cells import begins_like_a_formula, rows_of
from payouts.files.references import end_to_end_id

ROOT = Path(__file__).resolve().parents[4]

NAMES = (
    "=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1:A9)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1",
    "＋1", "－1", "＠SUM(1)", '"=1"', "'=1", "=HYPERLINK(\"http://example.com\")", ";=1", ",=1",
    "|calc", "%0A=1", "a\n=1", "a\r\n6220000", "a\x0b=1", "a\u2028=1", "a\u0085b",
    "../../etc/passwd", "..\\..\\x", "/etc/passwd", "C:\\x", "~/.ssh/id", "a/../../b", "\0", "nul",
    "%2e%2e%2f", "....//", "file:///etc/passwd", "$(id)", "`id`",
    "\u202eevil", "\u200b", "\ufeffAna", "נועה כהן", "محمد", "🦊", "🦊 Ana", "A" * 500, "ß" * 140,
    "<Nm>x</Nm>", "]]>", "&amp;", "<!ENTITY x SYSTEM 'file:///'>", "", " ", "''", "-", ".", "0",
)  # fmt: skip


def _named(rail: str, name: str):
    payees = tuple(replace(payee, holder_name=name) for payee in PAYEES[rail][:1])
    return batch_of(rail, payees)


def _check_name(rail: str, name: str) -> None:
    """A name is either refused, naming the payout and the field alone, or the file stands."""
    batch = _named(rail, name)
    try:
        files = rails.render(rail, batch)
    except ExportRefusedError as refused:
        # The shortest names stand in any sentence.
        assert len(name) < 6 or name not in str(refused)
        assert f"payout {payout_id(1)}: holder_name" in str(refused)
        return
    assert rails.check(rail, files, batch, TODAY) == []
    (file,) = files
    assert re.fullmatch(r"(paypal|wise|sepa|nacha)-1-of-1\.(csv|xml|ach)", file.name)
    if rail == "nacha":
        assert all(len(line) == 94 for line in file.content.decode("ascii").splitlines())
    if rail in ("paypal", "wise"):
        rows, _ = rows_of(file.content)
        assert not any(begins_like_a_formula(cell) for row in rows for cell in row)


@pytest.mark.parametrize("rail", RAILS_WITH_DETAILS)
@pytest.mark.parametrize("name", NAMES)
def test_corpus_of_hostile_names(rail: str, name: str) -> None:
    _check_name(rail, name)


@pytest.mark.parametrize("rail", RAILS_WITH_DETAILS)
@settings(max_examples=60, deadline=None)
@given(name=st.one_of(st.text(max_size=150), st.text("aß=\n\u202e🦊 .&<", max_size=30)))
@example(name="x" * 500)
def test_any_name_is_refused_or_gives_a_good_file(rail: str, name: str) -> None:
    _check_name(rail, name)


FIELDS = [
    (rail, field)
    for rail, fields in {
        "sepa": ("iban", "bic", "town", "street"),
        "nacha": ("routing_number", "account_number"),
        "paypal": ("recipient",),
        "wise": ("recipient_id", "recipient_email"),
    }.items()
    for field in fields
]


@pytest.mark.parametrize(("rail", "field"), FIELDS)
def test_hostile_texts_in_other_fields(rail: str, field: str) -> None:
    """T26: refused by the field's name, or written so that every check still holds."""
    for text in NAMES:
        payee = replace(PAYEES[rail][0], **{field: text})
        batch = batch_of(rail, (payee,))
        if payee.problems():
            with pytest.raises(ExportRefusedError) as refused:
                rails.render(rail, batch)
            assert f"payout {payout_id(1)}: {field}" in str(refused.value)
            assert len(text) < 6 or text not in str(refused.value)
        else:
            assert rails.check(rail, rails.render(rail, batch), batch, TODAY) == []


def _digest(shuffled_by: int | None) -> str:
    digest = hashlib.sha256()
    for rail in RAILS_WITH_DETAILS:
        batch = batch_of(rail)
        if shuffled_by is not None:
            payments = list(batch.payments)
            random.Random(shuffled_by).shuffle(payments)
            batch = replace(batch, payments=tuple(payments))
        for file in rails.render(rail, batch):
            digest.update(file.name.encode() + file.content)
    return digest.hexdigest()


def test_order_of_the_input_does_not_matter() -> None:
    assert {_digest(None), *(_digest(seed) for seed in range(6))} == {_digest(None)}


@pytest.mark.parametrize(
    ("zone", "language", "seed"),
    [("Pacific/Kiritimati", "de_DE.UTF-8", "1"), ("America/New_York", "C", "4242")],
)
def test_zone_locale_and_hash_seed_do_not_matter(zone: str, language: str, seed: str) -> None:
    """T23, each in a process of its own."""
    code = (
        "import locale, contextlib\n"
        "with contextlib.suppress(locale.Error): locale.setlocale(locale.LC_ALL, '')\n"
        "from test_any_rail import _digest\nprint(_digest(3))"
    )
    environment = {
        **os.environ,
        "TZ": zone,
        "LC_ALL": language,
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == _digest(None)


def test_references_come_from_the_payout_alone() -> None:
    text = payout_id(1)
    whole = end_to_end_id(text)
    assert len(whole) == 32 and "-" not in whole
    lengths = {rail: len(rails.reference(rail, text)) for rail in RAILS_WITH_DETAILS}
    assert lengths == {"sepa": 32, "nacha": 15, "paypal": 30, "wise": 10}
    assert all(whole.startswith(rails.reference(rail, text)) for rail in RAILS_WITH_DETAILS)


@pytest.mark.parametrize("rail", RAILS_WITH_DETAILS)
def test_what_no_rail_takes(rail: str) -> None:
    """Totals, ids, amounts, details of another rail: all told at once, the batch untouched."""
    batch = batch_of(rail)
    first, *others = batch.payments
    other = next(name for name in RAILS_WITH_DETAILS if name != rail)
    broken = replace(
        batch,
        total_amount_minor=batch.total_amount_minor + 1,
        payer=PAYERS[other],
        payments=(replace(first, amount_minor=-1), replace(others[0], details=PAYEES[other][0])),
    )
    with pytest.raises(ExportRefusedError) as refused:
        rails.render(rail, broken)
    told = str(refused.value)
    for part in ("add up to the approved total", f"payer's details are not of the rail {rail}",
                 f"payout {first.payout_id}: the amount is not positive",
                 f"payout {others[0].payout_id}: the details are not of the rail"):  # fmt: skip
        assert part in told
    for changes, part in (
        ({"payments": (), "total_amount_minor": 0}, "nothing to pay"),
        ({"batch_id": "../../x"}, "batch id holds"),
        ({"batch_id": "b\n"}, "batch id holds"),
        ({"payments": (replace(first, payout_id="../x"),)}, "not a uuid"),
        ({"payments": (first, first)}, "(I5)"),
    ):
        with pytest.raises(ExportRefusedError, match=re.escape(part)):
            rails.render(rail, replace(batch, **changes))


@pytest.mark.parametrize("rail", RAILS_WITH_DETAILS)
def test_a_file_that_is_missing_swapped_or_renamed_is_found(rail: str) -> None:
    batch = batch_of(rail)
    files = rails.render(rail, batch)
    assert rails.check(rail, files, batch, TODAY) == []
    assert rails.check(rail, [], batch, TODAY)
    renamed = [replace(files[0], name="../x.csv"), *files[1:]]
    assert any("file names" in fault for fault in rails.check(rail, renamed, batch, TODAY))
    doubled = rails.check(rail, [*files, files[0]], batch, TODAY)
    assert any("more than once" in fault for fault in doubled)
    told = [replace(files[0], items=files[0].items + 1), *files[1:]]
    assert any("told of it" in fault for fault in rails.check(rail, told, batch, TODAY))
    other = replace(batch, total_amount_minor=batch.total_amount_minor + 1)
    assert any("P10" in fault for fault in rails.check(rail, files, other, TODAY))


def test_the_generic_file_names_no_account() -> None:
    assert rails.RAILS == ("csv", *sorted(RAILS_WITH_DETAILS, key=rails.RAILS.index))
    assert not rails.needs_details("csv")
    assert all(rails.needs_details(rail) for rail in RAILS_WITH_DETAILS)
    with pytest.raises(ValueError, match="no file with accounts"):
        rails.render("csv", batch_of("wise"))
    with pytest.raises(ValueError, match="no file with accounts"):
        rails.check("csv", [], batch_of("wise"), TODAY)
