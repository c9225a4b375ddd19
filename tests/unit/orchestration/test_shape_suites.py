"""What the shape suites say of landed records whose amounts are not whole minor units."""

import duckdb
import pytest

from orchestration.shape_suites import SHAPE_SUITES


def lacking(relation: str, *payloads: str) -> list[tuple]:
    """Objects that the suite of a relation finds without their keys. payloads: versions of one
    object, oldest first."""
    (suite,) = [each for each in SHAPE_SUITES if each.relation == f"raw.{relation}"]
    connection = duckdb.connect()
    connection.execute("create schema raw")
    connection.execute(
        f"create table {suite.relation} (object_id varchar, payload json, is_tombstone boolean, "
        "_source varchar, _arrival bigint, _row bigint)"
    )
    for arrival, payload in enumerate(payloads):
        connection.execute(
            f"insert into {suite.relation} values ('x', ?, false, 's', ?, 1)", [payload, arrival]
        )
    return connection.execute(suite.rules[0].violations).fetchall()


def invoice(lines: str) -> str:
    return f'{{"created":1,"total":100,"currency":"usd","lines":{{"data":[{lines}]}}}}'


@pytest.mark.parametrize(
    "lines", ["", '{"amount":100}', '{"amount":-5},{"amount":"7"},{"amount":0}']
)
def test_lines_of_whole_minor_units_pass(lines) -> None:
    assert lacking("stripe__invoices", invoice(lines)) == []


@pytest.mark.parametrize(
    "lines",
    ['{"amount":100.75}', '{"amount":1},{}', '{"amount":null}', '{"amount":"10.00"}',
     '{"amount":1e3}', '{"amount":"1_000"}', '{"amount":true}'],
)  # fmt: skip
def test_a_line_whose_amount_would_be_rounded_or_missing_is_named(lines) -> None:
    assert lacking("stripe__invoices", invoice(lines)) == [("x",)]


@pytest.mark.parametrize("relation", ["stripe__charges", "stripe__refunds", "stripe__disputes"])
def test_amounts_with_decimals_are_named(relation) -> None:
    assert lacking(relation, '{"created":1,"amount":1000}') == []
    assert lacking(relation, '{"created":1,"amount":10.75}') == [("x",)]


def test_paged_lines_need_their_amounts_too() -> None:
    assert lacking("stripe__invoice_lines", '{"amount":5}') == []
    assert lacking("stripe__invoice_lines", '{"amount":5.5}') == [("x",)]


def test_a_record_that_was_mended_at_the_vendor_is_settled() -> None:
    broken, mended = '{"created":1,"amount":10.75}', '{"created":1,"amount":1075}'
    assert lacking("stripe__charges", broken, mended) == []
    assert lacking("stripe__charges", mended, broken) == [("x",)]


def test_an_instant_in_milliseconds_is_named() -> None:
    assert lacking("stripe__customers", '{"created":1767225600}') == []
    assert lacking("stripe__customers", '{"created":1767225600000}') == [("x",)]


def test_objects_of_a_test_environment_are_told_and_stop_nothing() -> None:
    (suite,) = [each for each in SHAPE_SUITES if each.relation == "raw.stripe__customers"]
    (rule,) = [each for each in suite.rules if each.name == "words_are_known"]
    assert not rule.is_blocking
    assert "test environment" in rule.what_to_do
    assert "livemode" in rule.violations
