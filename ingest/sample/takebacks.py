"""Refunds, disputes and credit notes of `invoice_core`, and the spreadsheet of the old programme.

Each invoice of the volume has at most one kind of take-back, so refunds never exceed what was
paid; the stories combine them. How much a take-back costs a partner does not belong here.
"""

from typing import TYPE_CHECKING

from ingest.sample.draws import Draws, utc_text
from ingest.sample.sizes import Sizes

if TYPE_CHECKING:
    import duckdb


def create_takebacks(connection: "duckdb.DuckDBPyConnection", sizes: Sizes, draws: Draws) -> None:
    """Create `bulk__refunds`, `bulk__disputes`, `bulk__credit_notes`."""
    connection.execute(_settled_sql(draws))
    connection.execute(_refunds_sql(sizes, draws))
    connection.execute(_disputes_sql(sizes, draws))
    connection.execute(_credit_notes_sql(sizes, draws))


def _settled_sql(draws: Draws) -> str:
    """Fully paid invoices with the take-back drawn for them, if any.

    Early leavers get their last invoice back more often than others.
    """
    draw = draws.pick("takeback", "_order", 1000)
    return f"""
        create table settled_core as
        with drawn as (
            select *, {draw} as draw,
                {draws.pick("takeback", "_order", 100, slot=1)} as kind_draw,
                to_minutes(2000 + {draws.pick("takeback", "_order", 55_000, slot=2)}) as delay,
                {draws.pick("takeback", "_order", 60, slot=3)} as share_draw
            from invoice_core
            where status = 'paid' and total_minor > 0 and fate <> 'credited'
        )
        select *,
            case when draw < 50 or (is_last and draw < 180) then 'refund'
                when draw between 900 and 906 then 'dispute'
                when draw between 920 and 929 then 'credit_note' end as takeback,
            paid_at + delay as taken_at
        from drawn
    """


def _refunds_sql(sizes: Sizes, draws: Draws) -> str:
    """Full, in part, in two parts, of one line, failed and tried again, lately pending.

    Parts: 15 + share_draw (0 … 59) per cent first, 20 per cent second, so the sum stays below
    the paid amount.
    """
    reason = draws.word(
        "reason", "_order", ("requested_by_customer", "duplicate", "fraudulent", "service_credit")
    )
    return f"""
        create table bulk__refunds as
        with refunded as (
            select *,
                case when kind_draw < 30 then 'full' when kind_draw < 62 then 'part'
                    when kind_draw < 80 then 'parts' when kind_draw < 90 then 'line'
                    when kind_draw < 97 then 'failed' else 'pending' end as kind
            from settled_core where takeback = 'refund'
        ),
        parts as (
            select *, 1 as part_no, taken_at as refunded_at, NULL as invoice_line_id,
                case when kind = 'failed' then 'failed'
                    when kind = 'pending' and taken_at > {sizes.end_sql} - interval 14 day
                        then 'pending'
                    else 'succeeded' end as refund_status,
                case when kind in ('full', 'failed', 'pending') then total_minor
                    else total_minor * (15 + share_draw) // 100 end as amount_minor
            from refunded where kind <> 'line'
            union all
            select *, 2, taken_at + interval 9 day, NULL, 'succeeded', total_minor * 20 // 100
            from refunded where kind = 'parts'
            union all
            select *, 2, taken_at + interval 2 day, NULL, 'succeeded', total_minor
            from refunded where kind = 'failed'
            union all
            select refunded.*, 1, taken_at, concat('il_', invoice_no, '_1'), 'succeeded',
                (line_core.amount_minor - discount_minor + tax_minor)
                    // (1 + refunded.lead_no % 2)
            from refunded inner join line_core
                on line_core.lead_no = refunded.lead_no
                and line_core.cycle_no = refunded.cycle_no and slot = 1
            where kind = 'line'
        )
        select
            concat('re_', invoice_no, '_', part_no) as refund_id,
            concat('in_', invoice_no) as invoice_id,
            amount_minor,
            {utc_text("refunded_at")} as refunded_at,
            case when refund_status <> 'succeeded' or lead_no % 5 > 0 then refund_status end
                as status,
            invoice_line_id,
            {reason} as reason,
            _order * 2 + part_no as _order
        from parts where refunded_at < {sizes.end_sql} and amount_minor > 0
    """


def _disputes_sql(sizes: Sizes, draws: Draws) -> str:
    """Chargebacks of the whole payment; those that closed within the span are won or lost."""
    closed_at = f"taken_at + to_days(20 + {draws.pick('dispute', '_order', 40)}::INTEGER)"
    return f"""
        create table bulk__disputes as
        with disputed as (
            select *, {closed_at} as closed_at from settled_core
            where takeback = 'dispute' and taken_at < {sizes.end_sql}
        )
        select
            concat('dp_', invoice_no) as dispute_id,
            concat('in_', invoice_no) as invoice_id,
            total_minor as amount_minor,
            {utc_text("taken_at")} as opened_at,
            case when closed_at >= {sizes.end_sql} then 'open' when kind_draw < 55 then 'lost'
                else 'won' end as status,
            case when closed_at < {sizes.end_sql} then {utc_text("closed_at")} end as closed_at,
            _order
        from disputed
    """


def _credit_notes_sql(sizes: Sizes, draws: Draws) -> str:
    """Before payment (what was due falls), after it, or to the balance; a few are voided."""
    voided_at = "issued_at + interval 5 day"
    return f"""
        create table bulk__credit_notes as
        with issued as (
            select invoice_no, _order, credited_minor as amount_minor,
                first_paid_at as issued_at, 'pre_payment' as kind, false as to_balance, 0 as void
            from invoice_core where fate = 'credited'
            union all
            select invoice_no, _order, total_minor * (15 + share_draw) // 100, taken_at,
                'post_payment', kind_draw < 40, {draws.pick("voided", "_order", 10)}
            from settled_core where takeback = 'credit_note'
        )
        select
            concat('cn_', invoice_no) as credit_note_id,
            concat('in_', invoice_no) as invoice_id,
            amount_minor,
            {utc_text("issued_at")} as issued_at,
            kind,
            to_balance,
            case when void = 9 and {voided_at} < {sizes.end_sql}
                then {utc_text(voided_at)} end as voided_at,
            _order
        from issued where issued_at < {sizes.end_sql} and amount_minor > 0
    """


def create_manual_rows(connection: "duckdb.DuckDBPyConnection", draws: Draws) -> None:
    """Create `bulk__manual_commissions`: what somebody typed for customers of pilot partners.

    The figures are only plausible, a drawn tenth to quarter of the invoice: they are there to be
    matched against, and mismatches are wanted.
    """
    share = f"(10 + {draws.pick('manual', 'invoice_core._order', 16)})"
    typed = draws.pick("manual", "invoice_core._order", 100, slot=1)
    connection.execute(f"""
        create table bulk__manual_commissions as
        select
            concat('row_', invoice_no) as row_id,
            lead_core.partner_id,
            total_minor * {share} // 100 as amount_minor,
            invoice_core.currency_code,
            strftime(paid_at, '%Y-%m') as period,
            concat('cus_', invoice_core.lead_no) as customer_id,
            case when {typed} < 85 then concat('in_', invoice_no) end as invoice_id,
            case when {typed} >= 95 then 'corrected by hand' end as note,
            invoice_core._order
        from invoice_core
        inner join lead_core on lead_core.lead_no = invoice_core.lead_no
        inner join partner_core on partner_core.partner_no = lead_core.partner_no
        where is_pilot and status = 'paid' and total_minor > 0 and {typed} < 92 + 8 * (cycle_no % 2)
    """)
