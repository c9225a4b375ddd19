"""The sample generator: same bytes, joined records, plausible money, sizes met."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ingest.entities import ENTITIES
from ingest.sample.bundled import write_bundled
from ingest.sample.errors import SampleError
from ingest.sample.fx import is_business_day
from ingest.sample.generate import generate
from ingest.sample.sizes import Sizes
from ingest.sample.stories import make_stories
from ingest.shapes import fault

BUNDLED = Path(__file__).parents[3] / "program" / "drop"
SMALL = {"seed": 3, "partners": 12, "leads": 80, "months": 8, "start": date(2024, 3, 1)}

# child column -> parent column; child values must exist in the parent, NULL may
REFERENCES = (
    ("partner_codes.partner_id", "partners.partner_id"),
    ("partners.referred_by", "partners.partner_id"),
    ("touchpoints.partner_id", "partners.partner_id"),
    ("deal_registrations.partner_id", "partners.partner_id"),
    ("deal_registrations.deal_id", "deals.deal_id"),
    ("contacts.company_id", "companies.company_id"),
    ("contacts.merged_into_id", "contacts.contact_id"),
    ("companies.merged_into_id", "companies.company_id"),
    ("deals.contact_id", "contacts.contact_id"),
    ("deals.company_id", "companies.company_id"),
    ("meetings.contact_id", "contacts.contact_id"),
    ("meetings.company_id", "companies.company_id"),
    ("customers.contact_id", "contacts.contact_id"),
    ("subscriptions.customer_id", "customers.customer_id"),
    ("invoices.customer_id", "customers.customer_id"),
    ("invoices.subscription_id", "subscriptions.subscription_id"),
    ("invoice_lines.invoice_id", "invoices.invoice_id"),
    ("invoice_lines.product_id", "products.product_id"),
    ("payments.invoice_id", "invoices.invoice_id"),
    ("refunds.invoice_id", "invoices.invoice_id"),
    ("refunds.invoice_line_id", "invoice_lines.invoice_line_id"),
    ("disputes.invoice_id", "invoices.invoice_id"),
    ("credit_notes.invoice_id", "invoices.invoice_id"),
    ("manual_commissions.partner_id", "partners.partner_id"),
    ("manual_commissions.customer_id", "customers.customer_id"),
    ("manual_commissions.invoice_id", "invoices.invoice_id"),
)

PAID = """(
    select invoice_id, total_minor::BIGINT as total_minor,
        coalesce(sum(payments.amount_minor::BIGINT),
            case when invoices.paid_at is not null then total_minor::BIGINT end, 0) as paid_minor,
        coalesce(min(instant(payments.paid_at)), instant(invoices.paid_at)) as first_at
    from invoices left join payments using (invoice_id)
    group by invoice_id, total_minor, invoices.paid_at
)"""

# Each query finds the records that break the sentence; none may be found.
SENTENCES = {
    "every invoice has a line": "from invoices anti join invoice_lines using (invoice_id)",
    "every invoice total is the sum of its lines": """
        from (
            select invoice_id, any_value(total_minor)::BIGINT as total_minor,
                sum(amount_minor::BIGINT - coalesce(discount_minor::BIGINT, 0)
                    + coalesce(tax_minor::BIGINT, 0)) as sum_minor
            from invoices inner join invoice_lines using (invoice_id) group by invoice_id
        ) where total_minor <> sum_minor""",
    "nobody pays more than the total": f"from {PAID} where paid_minor > greatest(total_minor, 0)",
    "no payment before its invoice": f"""
        from {PAID} inner join invoices using (invoice_id)
        where first_at < instant(issued_at)""",
    "refunds that did not fail stay within what was paid": f"""
        from (select invoice_id, sum(amount_minor::BIGINT) as refunded_minor from refunds
            where coalesce(status, 'succeeded') <> 'failed' group by invoice_id)
        inner join {PAID} using (invoice_id) where refunded_minor > paid_minor""",
    "no refund before the payment": f"""
        from refunds inner join {PAID} using (invoice_id)
        where first_at is null or instant(refunded_at) < first_at""",
    "no refund of a line above the line": """
        from refunds inner join invoice_lines using (invoice_line_id)
        where refunds.amount_minor::BIGINT > invoice_lines.amount_minor::BIGINT
            - invoice_lines.discount_minor::BIGINT + invoice_lines.tax_minor::BIGINT""",
    "every period begins before it ends": "from invoice_lines where period_start >= period_end",
    "only the late versions repeat an id": """
        from (select contact_id as id from contacts union all select deal_id from deals
            union all select touchpoint_id from touchpoints
            union all select invoice_line_id from invoice_lines
            union all select refund_id from refunds union all select payment_id from payments)
        where id not in ('ct_late_2', 'd_late') group by id having count(*) > 1""",
}


@pytest.fixture(scope="module")
def bundled() -> Iterator[duckdb.DuckDBPyConnection]:
    """The bundled files as text tables, and a macro that reads naive instants as New York time."""
    with duckdb.connect() as connection:
        connection.execute(
            "create macro instant(moment) as case when regexp_matches(moment, '(Z|[+-]..:..)$') "
            "then moment::TIMESTAMPTZ else timezone('America/New_York', moment::TIMESTAMP) end"
        )
        for entity in ENTITIES:
            connection.execute(
                f"create table {entity} as select * from read_csv('{BUNDLED}/{entity}*.csv', "
                "all_varchar = true, header = true)"
            )
        yield connection


def test_bundled_sample_generated_again_gives_identical_bytes(tmp_path: Path) -> None:
    """On a difference: `python -m ingest.sample --out program/drop --bundled`, read the diff."""
    write_bundled(tmp_path)
    expected = {path.name: path.read_bytes() for path in BUNDLED.glob("*.csv")}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == expected
    assert sum(map(len, expected.values())) < 1_500_000


def test_small_parquet_written_twice_gives_identical_bytes(tmp_path: Path) -> None:
    first = generate(tmp_path / "a", **SMALL, format="parquet")
    assert generate(tmp_path / "b", **SMALL, format="parquet") == first
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_seed_changed_gives_other_records(tmp_path: Path) -> None:
    generate(tmp_path / "a", **SMALL)
    generate(tmp_path / "b", **(SMALL | {"seed": 4}))
    for name in ("form_submissions.csv", "invoices.csv", "fx_rates.csv"):
        assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(("child", "parent"), REFERENCES)
def test_bundled_reference_always_finds_its_parent(
    bundled: duckdb.DuckDBPyConnection, child: str, parent: str
) -> None:
    (child_entity, child_column), (entity, column) = child.split("."), parent.split(".")
    orphans = bundled.execute(
        f"select {child_column} from {child_entity} where {child_column} is not null "
        f"and {child_column} not in (select {column} from {entity})"
    ).fetchall()
    assert orphans == []


@pytest.mark.parametrize("sentence", SENTENCES)
def test_bundled_money_has_no_record_that_breaks(
    bundled: duckdb.DuckDBPyConnection, sentence: str
) -> None:
    assert bundled.execute(f"select * {SENTENCES[sentence]}").fetchall() == []


@pytest.mark.parametrize("entity", ENTITIES)
def test_bundled_rows_have_the_declared_shape(
    bundled: duckdb.DuckDBPyConnection, entity: str
) -> None:
    cursor = bundled.execute(f"select * from {entity}")
    names = [column[0] for column in cursor.description]
    assert tuple(names) == ENTITIES[entity].column_names
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assert rows
    for row in rows:
        for column in names:
            assert fault(ENTITIES[entity], column, row) is None, (column, row)


def test_bundled_sample_has_the_wanted_variety(bundled: duckdb.DuckDBPyConnection) -> None:
    for query, wanted in (
        ('select distinct "group" from partners', {"default", "agency", "affiliate"}),
        ("select distinct status from partners", {"active", "paused", "terminated", "applied"}),
        ("select distinct currency_code from invoices", {"USD", "EUR", "JPY"}),
        ("select distinct payout_currency from partners", {"USD", "EUR", "JPY"}),
        ("select distinct status from disputes", {"open", "won", "lost"}),
        ("select distinct status from refunds", {"succeeded", "failed", "pending", None}),
        ("select distinct kind || to_balance from credit_notes",
         {"pre_paymentfalse", "post_paymenttrue", "post_paymentfalse"}),
        ("select distinct status from deal_registrations",
         {"pending", "approved", "declined", "withdrawn"}),
        ("select distinct outcome from meetings", {"held", "no_show", "canceled", "scheduled"}),
        ("select distinct kind from products where product_id in "
         "(select product_id from invoice_lines)",
         {"recurring", "one_off", "usage", "setup", "shipping"}),
        ("select distinct currency_code from fx_rates", {"USD", "JPY", "GBP"}),
    ):  # fmt: skip
        assert {row[0] for row in bundled.execute(query).fetchall()} >= wanted, query


def test_bundled_customers_mostly_join_a_lead(bundled: duckdb.DuckDBPyConnection) -> None:
    customers, joined, by_form_domain = bundled.execute("""
        select count(*),
            count(*) filter (
                contact_id is not null
                or lower(email) in (select lower(email) from form_submissions)
                or lower(email) in (select lower(email) from product_events)
            ),
            count(*) filter (
                company_domain in (select split_part(lower(email), '@', 2) from form_submissions)
            )
        from customers
    """).fetchone()
    assert customers > 100
    assert joined > customers * 9 // 10
    assert by_form_domain > customers // 2


def test_bundled_rates_only_on_business_days(bundled: duckdb.DuckDBPyConnection) -> None:
    days = bundled.execute("select distinct rate_date::DATE from fx_rates").fetchall()
    assert all(is_business_day(day) for (day,) in days)
    assert not is_business_day(date(2025, 4, 18))  # Good Friday
    assert not is_business_day(date(2025, 4, 21))  # Easter Monday


def test_stories_all_fit_the_bundled_span_and_shorter_spans_leave_some_out() -> None:
    long = make_stories(Sizes(1, 24, 1, 14, date(2025, 1, 1), None))
    short = make_stories(Sizes(1, 24, 1, 3, date(2025, 1, 1), None))
    ids = {row[0] for row in long["invoices"]}
    assert {"in_first_2", "in_annual_1", "in_monthend_4", "in_yen_2", "in_expired_1"} <= ids
    assert 0 < len(short["invoices"]) < len(long["invoices"])
    assert set(long) >= {"touchpoints-late", "deals-late", "contacts-late"}


def test_month_end_story_anchors_on_the_last_days() -> None:
    rows = make_stories(Sizes(1, 24, 1, 14, date(2025, 1, 1), None))["invoice_lines"]
    starts = [row[6] for row in rows if row[0].startswith("il_monthend")]
    assert starts == ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"]


def test_invoice_lines_aimed_at_are_met_within_one_customer(tmp_path: Path) -> None:
    stories = len(make_stories(Sizes(3, 12, 80, 8, date(2024, 3, 1), None))["invoice_lines"])
    summary = generate(tmp_path, **SMALL, invoice_lines=150)
    assert 150 <= summary.rows["invoice_lines"] - stories < 150 + 60


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"partners": 2}, "partners is 2"),
        ({"leads": 0}, "leads is 0"),
        ({"months": 1}, "months is 1"),
        ({"start": date(2025, 1, 15)}, "start is 2025-01-15"),
        ({"invoice_lines": -1}, "invoice_lines is -1"),
        ({"format": "xml"}, "format is 'xml'"),
    ],
)
def test_sizes_that_cannot_work_are_refused(
    tmp_path: Path, changed: dict[str, object], named: str
) -> None:
    with pytest.raises(SampleError, match=named):
        generate(tmp_path, **(SMALL | changed))


def test_folder_with_files_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "invoices.parquet").write_bytes(b"")
    with pytest.raises(SampleError, match="invoices.parquet"):
        generate(tmp_path, **SMALL)
