"""Invoices, their lines and their payments, from `customer_core`.

`line_core`, `invoice_core` and `payment_core` hold whole numbers; the `bulk__` tables are their
texts. Line slots: 1 plan, 2 seats, 3 usage in arrears, 4 setup, 5 training, 6 shipping, 7 and 8
the two sides of an upgrade within the cycle. What a line earns does not belong here.
"""

from typing import TYPE_CHECKING

from ingest.sample.draws import Draws, utc_text
from ingest.sample.sizes import Sizes

if TYPE_CHECKING:
    import duckdb

# Multiplies the old price on an upgrade: 3/2, 2/1, 5/2.
_UPGRADE_HALVES = "(3 + lead_no % 3)"
_UNIT = "case when currency_code = 'JPY' then 3 else 2 end"

_SLOTS = f"""
    select *, 1 as slot, plan_amount_minor as amount_minor, product_id as line_product_id,
        period_start as line_start, period_end as line_end, false as is_proration, 1 as quantity
    from cycle_core
    union all
    select *, 2, seats * cycle_price_months * 750 * {_UNIT}, 'prod_seats', period_start,
        period_end, false, seats
    from cycle_core where seats > 0
    union all
    select *, 3, (20 + usage_draw) * 9 * {_UNIT}, 'prod_api_usage', previous_start,
        period_start, false, 20 + usage_draw
    from cycle_core where has_usage and cycle_no > 0
    union all
    select *, 4, 12450 * {_UNIT}, 'prod_setup', NULL, NULL, false, 1
    from cycle_core where has_setup and cycle_no = 0
    union all
    select *, 5, 29900 * {_UNIT}, 'prod_training', NULL, NULL, false, 1
    from cycle_core where has_training and cycle_no = 0
    union all
    select *, 6, 995 * {_UNIT}, 'prod_shipping', NULL, NULL, false, 1
    from cycle_core where has_shipping and cycle_no = 0
    union all
    select *, 7, -(month_amount_minor * upgrade_days // cycle_days), product_id,
        upgraded_date, period_start, true, 1
    from cycle_core where cycle_no = upgrade_cycle
    union all
    select *, 8, plan_amount_minor * upgrade_days // cycle_days, product_id, upgraded_date,
        period_start, true, 1
    from cycle_core where cycle_no = upgrade_cycle
"""


def create_invoices(connection: "duckdb.DuckDBPyConnection", sizes: Sizes, draws: Draws) -> None:
    """Create `line_core`, `invoice_core`, `payment_core` and their four `bulk__` tables."""
    connection.execute(_cycle_sql(draws))
    connection.execute(_line_sql())
    connection.execute(_invoice_sql(sizes, draws))
    connection.execute(_payment_sql(sizes))
    connection.execute("drop table cycle_core")
    connection.execute(_bulk_lines_sql())
    connection.execute(_bulk_invoices_sql(draws))
    connection.execute(f"""
        create table bulk__payments as
        select concat('pay_', invoice_no, '_', part_no) as payment_id,
            concat('in_', invoice_no) as invoice_id, amount_minor,
            {utc_text("paid_at")} as paid_at, _order * 2 + part_no as _order
        from payment_core
    """)


def _cycle_sql(draws: Draws) -> str:
    """One row per customer and billing cycle, all dates counted in months from the anchor."""
    usage = draws.pick("usage", "concat(lead_no, '/', cycle_no)", 400)
    months = "to_months((cycle_no * cycle_months)::INTEGER)"
    return f"""
        create table cycle_core as
        with numbered as (
            select *, unnest(range(cycles)) as cycle_no from customer_core
        ),
        dated as (
            select
                *,
                (anchor_date + {months})::DATE as period_start,
                (anchor_date + to_months(((cycle_no + 1) * cycle_months)::INTEGER))::DATE
                    as period_end,
                case when cycle_no > 0 then
                    (anchor_date + to_months(((cycle_no - 1) * cycle_months)::INTEGER))::DATE
                    end as previous_start
            from numbered
        )
        select
            lead_no, cycle_no, currency_code, product_id, seats, has_usage, has_setup,
            has_training, has_shipping, upgrade_cycle, discount_percent, discount_cycles,
            tax_basis_points, month_amount_minor, channel, promotion_code, cycles, ended_date,
            period_start, period_end, previous_start,
            first_issued_at + (period_start - anchor_date) * interval 1 day as issued_at,
            case when cycle_months = 12 then 10 else 1 end as cycle_price_months,
            case when cycle_months = 12 then year_amount_minor
                when cycle_no >= upgrade_cycle
                    then month_amount_minor * {_UPGRADE_HALVES} // 2
                else month_amount_minor end as plan_amount_minor,
            {usage} as usage_draw,
            6 + lead_no % 17 as upgrade_days,
            (period_start - (6 + lead_no % 17)::INTEGER) as upgraded_date,
            period_start - previous_start as cycle_days
        from dated
    """


def _line_sql() -> str:
    """Lines with discount and tax, the tax rounded half away from zero."""
    return f"""
        create table line_core as
        with slotted as ({_SLOTS}),
        discounted as (
            select *,
                case when slot <= 2 and cycle_no < discount_cycles
                    then (amount_minor * discount_percent + 50) // 100 else 0 end
                    as discount_minor
            from slotted
        )
        select
            lead_no, cycle_no, slot, amount_minor::BIGINT as amount_minor,
            discount_minor::BIGINT as discount_minor,
            (sign(amount_minor)::BIGINT
                * ((abs(amount_minor - discount_minor) * tax_basis_points + 5000) // 10000)
            )::BIGINT as tax_minor,
            line_product_id as product_id, line_start, line_end, is_proration, quantity
        from discounted
    """


def _invoice_sql(sizes: Sizes, draws: Draws) -> str:
    """Invoices with total, fate and instants of payment; fates that lie past the end stay open.

    fate: paid, parts (two payments), part (one payment of a part, then nothing), credited (a
    credit note before payment), silent (paid without a payment record), void, written_off,
    written_off_part.
    """
    key = "concat(lead_no, '/', cycle_no)"
    draw = draws.pick("fate", key, 1000)
    delay = (
        f"case when {draws.pick('fate', key, 100, slot=1)} < 65 then to_minutes(1) "
        f"else to_minutes(600 + {draws.pick('fate', key, 30_000, slot=2)}) end"
    )
    share = f"30 + {draws.pick('fate', key, 45, slot=3)}"
    return f"""
        create table invoice_core as
        with totals as (
            select lead_no, cycle_no, sum(amount_minor - discount_minor + tax_minor)::BIGINT
                as total_minor
            from line_core group by lead_no, cycle_no
        ),
        fated as (
            select
                cycle_core.lead_no, cycle_no, currency_code, issued_at, total_minor, channel,
                promotion_code, cycle_no = cycles - 1 and ended_date is not null as is_last,
                concat(lead_no, '_', cycle_no + 1) as invoice_no,
                lead_no * 1024 + cycle_no as _order,
                case when total_minor <= 0 then 'silent'
                    when {draw} < 10 and cycle_no > 0 then 'void'
                    when {draw} < 16 and cycle_no > 0 then 'written_off'
                    when {draw} < 22 and cycle_no > 0 then 'written_off_part'
                    when {draw} < 62 then 'parts'
                    when {draw} < 70 then 'credited'
                    when {draw} < 74 then 'part'
                    when {draw} < 180 then 'silent'
                    else 'paid' end as fate,
                issued_at + {delay} as first_paid_at,
                (total_minor * ({share}) // 100)::BIGINT as first_part_minor,
                (total_minor * ({share}) // 400)::BIGINT as credited_minor
            from cycle_core inner join totals using (lead_no, cycle_no)
        ),
        paid as (
            select *,
                case fate when 'parts' then first_paid_at + interval 12 day
                    when 'paid' then first_paid_at when 'silent' then first_paid_at
                    when 'credited' then first_paid_at + interval 3 day end as drawn_paid_at
            from fated
        )
        select
            * exclude (drawn_paid_at),
            case when drawn_paid_at < {sizes.end_sql} then drawn_paid_at end as paid_at,
            case
                when fate = 'void' then 'void'
                when fate in ('written_off', 'written_off_part')
                    and issued_at + interval 60 day < {sizes.end_sql} then 'uncollectible'
                when drawn_paid_at < {sizes.end_sql} then 'paid'
                else 'open'
            end as status
        from paid where issued_at < {sizes.end_sql}
    """


def _payment_sql(sizes: Sizes) -> str:
    """Payments up to the end; a credit note of `credited_minor` lowers what is due."""
    return f"""
        create table payment_core as
        select lead_no, cycle_no, invoice_no, _order, 1 as part_no, first_paid_at as paid_at,
            case when fate = 'paid' then total_minor else first_part_minor end as amount_minor
        from invoice_core
        where fate in ('paid', 'parts', 'part', 'written_off_part')
            and first_paid_at < {sizes.end_sql}
        union all
        select lead_no, cycle_no, invoice_no, _order, 2, paid_at,
            total_minor - case when fate = 'credited' then credited_minor else first_part_minor end
        from invoice_core where fate in ('parts', 'credited') and paid_at is not null
    """


def _bulk_lines_sql() -> str:
    """Texts of invoice lines; the plan line of one in forty invoices carries no product."""
    return """
        create table bulk__invoice_lines as
        select
            concat('il_', lead_no, '_', cycle_no + 1, '_', slot) as invoice_line_id,
            concat('in_', lead_no, '_', cycle_no + 1) as invoice_id,
            amount_minor,
            discount_minor,
            tax_minor,
            case when slot > 1 or (lead_no + cycle_no) % 40 > 0 then product_id end as product_id,
            line_start as period_start,
            line_end as period_end,
            is_proration,
            quantity,
            (lead_no * 1024 + cycle_no) * 8 + slot - 1 as _order
        from line_core semi join invoice_core using (lead_no, cycle_no)
    """


def _bulk_invoices_sql(draws: Draws) -> str:
    """Texts of invoices; the newest monthly ones of some customers are still drafts."""
    return f"""
        create table bulk__invoices as
        select
            concat('in_', invoice_no) as invoice_id,
            concat('cus_', lead_no) as customer_id,
            case when status = 'open' and fate = 'written_off' then 'draft' else status end
                as status,
            currency_code,
            {draws.instant("issued", "_order", "issued_at")} as issued_at,
            concat('sub_', lead_no) as subscription_id,
            {draws.instant("paid", "_order", "paid_at")} as paid_at,
            total_minor,
            concat('AC-', lead_no, '-', lpad((cycle_no + 1)::VARCHAR, 4, '0')) as external_number,
            case when channel = 'promotion' and cycle_no = 0 and lead_no % 2 = 0
                then promotion_code end as code,
            _order
        from invoice_core
    """
