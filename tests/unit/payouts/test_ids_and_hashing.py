"""Ids are the same in Python and SQL; canonical text refuses what has no exact form."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import duckdb
import pytest

from payouts import ids
from payouts.hashing import canonical_json, instant_text, parse_instant


def test_namespace_is_fixed():
    assert ids.NAMESPACE == uuid.uuid5(uuid.NAMESPACE_URL, "https://partnerledger.dev/journal")


@pytest.mark.parametrize("text", ["", "earning", "a\x1fb\x1f", "Grüße 東京 😀", "x" * 500])
def test_uuid5_sql_any_text_equals_python(text):
    found = duckdb.execute(f"select {ids.uuid5_sql('?')}", [text] * 6).fetchone()[0]
    assert found == str(uuid.uuid5(ids.NAMESPACE, text))


def test_entry_ids_of_one_key_share_the_commission():
    key = ids.natural_key("earning", "recurring", "invoice_line", "il_1", "p_1", "", "")
    assert ids.entry_id(key, 1) != ids.entry_id(key, 2)
    assert ids.commission_id(key) == str(uuid.uuid5(ids.NAMESPACE, key))
    assert ids.entry_id(key, 2) == str(uuid.uuid5(ids.NAMESPACE, key + chr(31) + "2"))


def test_natural_key_with_separator_in_a_part_is_refused():
    with pytest.raises(ValueError, match="unit separator"):
        ids.natural_key("earning", "a\x1f", "invoice_line", "il_1", "p_1", "", "")


def test_batch_id_differs_by_version_and_legal_entity():
    day = date(2026, 2, 28)
    first = ids.batch_id("Acme Inc", "USD", "csv", day, 1)
    assert first.startswith("b-20260228-USD-csv-1-")
    assert len({first, ids.batch_id("Acme Inc", "USD", "csv", day, 2),
                ids.batch_id("Acme Ltd", "USD", "csv", day, 1)}) == 3  # fmt: skip


def test_canonical_json_orders_keys_and_refuses_floats():
    assert canonical_json({"b": 1, "a": [date(2026, 1, 2), None, "é"]}) == (
        '{"a":["2026-01-02",null,"é"],"b":1}'
    )
    with pytest.raises(TypeError, match="float"):
        canonical_json({"amount": 1.5})


def test_instant_text_aware_and_naive_agree():
    naive = datetime(2026, 3, 1, 23, 59, 59, 120)
    assert instant_text(naive) == instant_text(naive.replace(tzinfo=UTC))
    assert instant_text(naive) == "2026-03-01T23:59:59.000120Z"
    assert parse_instant(instant_text(naive)) == naive
