"""Customers and their subscriptions: who pays, which plan, how long.

`customer_core` has one row per paying lead with everything that its invoices need. The number of
invoice lines of each possible customer is known in closed form, so the aim for invoice lines
decides how many leads become customers before a single line is made.
"""

from typing import TYPE_CHECKING

from ingest.sample.draws import Draws, utc_text
from ingest.sample.sizes import Sizes

if TYPE_CHECKING:
    import duckdb

# Without an aim for invoice lines, this share of the leads that could pay becomes customers.
_DEFAULT_CUSTOMER_PERCENT = 45

# product and monthly price in US cents; other currencies are derived from it
_PLANS = (
    ("{product: 'prod_starter', cents: 4900}", 26), ("{product: 'prod_starter', cents: 9900}", 20),
    ("{product: 'prod_team', cents: 14900}", 18), ("{product: 'prod_team', cents: 24900}", 16),
    ("{product: 'prod_business', cents: 49900}", 12),
    ("{product: 'prod_business', cents: 99900}", 6),
    ("{product: 'prod_enterprise', cents: 240000}", 2),
)  # fmt: skip
# paid cycles until the end of the subscription; 999 stays
_MONTHLY_LIFE = (
    ("1", 5), ("2", 6), ("3", 5), ("4", 4), ("5", 3), ("6", 4), ("9", 6), ("12", 6), ("20", 5),
    ("999", 56),
)  # fmt: skip
_TAX_BASIS_POINTS = (
    "case country when 'DE' then 1900 when 'FR' then 2000 when 'NL' then 2100 when 'GB' then 2000 "
    "when 'JP' then 1000 when 'CA' then 500 else 0 end"
)


def create_customers(connection: "duckdb.DuckDBPyConnection", sizes: Sizes, draws: Draws) -> None:
    """Create `customer_core`: possible customers in drawn order until the lines are enough."""
    connection.execute(_possible_sql(sizes, draws))
    if sizes.invoice_lines is None:
        kept = f"""position * 100 <= {_DEFAULT_CUSTOMER_PERCENT}
            * (select count(*) from possible_customers)"""
    else:
        kept = f"lines_before < {sizes.invoice_lines}"
    connection.execute(f"""
        create table customer_core as
        with ordered as (
            select *,
                row_number() over by_draw as position,
                sum(line_count) over by_draw - line_count as lines_before
            from possible_customers
            window by_draw as (order by customer_draw, lead_no rows unbounded preceding)
        )
        select * exclude (position, lines_before) from ordered where {kept}
    """)
    connection.execute("drop table possible_customers")


def _possible_sql(sizes: Sizes, draws: Draws) -> str:
    """Every lead that could pay, with plan, term, extras and the number of its invoice lines."""
    return f"""
        create table possible_customers as
        with drawn as ({_drawn_sql(sizes, draws)}),
        counted as (
            select
                *,
                least(
                    life_cycles,
                    1 + date_sub('month', anchor_date, DATE '{sizes.end}' - 1) // cycle_months
                )::BIGINT as cycles
            from drawn where anchor_date < DATE '{sizes.end}' - 1
        ),
        upgraded as (
            select
                * exclude (drawn_upgrade),
                case when cycle_months = 1 and drawn_upgrade < cycles then drawn_upgrade end
                    as upgrade_cycle,
                case when life_cycles < 999
                    and anchor_date + to_months((life_cycles * cycle_months)::INTEGER)
                        < {sizes.end_sql}
                    then (anchor_date + to_months((life_cycles * cycle_months)::INTEGER))::DATE
                    end as ended_date
            from counted
        )
        select
            *,
            cycles * (1 + (seats > 0)::BIGINT) + has_usage::BIGINT * (cycles - 1)
                + has_setup::BIGINT + has_training::BIGINT + has_shipping::BIGINT
                + 2 * (upgrade_cycle is not null)::BIGINT as line_count
        from upgraded
    """


def _drawn_sql(sizes: Sizes, draws: Draws) -> str:
    """Drawn traits per possible customer. Anchors avoid days 29 to 31; a story has one."""
    life = draws.weighted("life", "lead_no", _MONTHLY_LIFE)
    plan = draws.weighted("plan", "lead_no", _PLANS)
    began = "case when is_demo_path then drawn_close_at else signup_at end"
    trial = f"case when {draws.pick('plan', 'lead_no', 100, slot=1)} < 50 then 14 else 1 end"
    wait = f"case when is_demo_path then 1 + lead_no % 3 else {trial} end"
    seconds = f"to_seconds(46800 + {draws.pick('plan', 'lead_no', 30_000, slot=2)})"
    return f"""
        with began as (
            select *, {began} as began_at,
                (({began})::DATE + to_days(({wait})::INTEGER))::DATE as first_date
            from lead_core
            where (is_demo_path and outcome = 'held' and drawn_close_at < {sizes.end_sql}
                and deal_at is not null) or signup_at is not null
        ),
        anchored as (
            select *,
                case when day(first_date) > 28 then first_date + 4 else first_date end
                    as anchor_date,
                {draws.pick("plan", "lead_no", 100, slot=3)} < 18 as is_annual,
                {plan} as plan
            from began
        )
        select
            lead_no, email, company_domain, country, currency_code, channel, partner_id,
            promotion_code, is_demo_path, has_contact, began_at, first_date, anchor_date,
            anchor_date + {seconds} as first_issued_at,
            {draws.bits("customer", "lead_no")} as customer_draw,
            plan.product as product_id,
            {_in_currency("plan.cents")} as month_amount_minor,
            {_in_currency("plan.cents")} * 10 as year_amount_minor,
            case when is_annual then 12 else 1 end as cycle_months,
            case when not is_annual then {life} when lead_no % 7 = 0 then 1 else 999 end
                as life_cycles,
            case when {draws.pick("extra", "lead_no", 100)} < 46
                then 1 + {draws.pick("extra", "lead_no", 12, slot=1)} else 0 end as seats,
            not is_annual and {draws.pick("extra", "lead_no", 100, slot=2)} < 46 as has_usage,
            {draws.pick("extra", "lead_no", 100, slot=3)} < 22 as has_setup,
            {draws.pick("extra2", "lead_no", 100)} < 8 as has_training,
            {draws.pick("extra2", "lead_no", 100, slot=1)} < 10 as has_shipping,
            case when {draws.pick("extra2", "lead_no", 100, slot=2)} < 26
                then 2 + {draws.pick("extra2", "lead_no", 8, slot=3)} else 999 end
                as drawn_upgrade,
            case when channel = 'promotion' then 20
                when {draws.pick("discount", "lead_no", 100)} < 12 then 10 else 0 end
                as discount_percent,
            case when channel = 'promotion' then 3 else 12 end as discount_cycles,
            case when country = 'US' and {draws.pick("discount", "lead_no", 100, slot=1)} < 40
                then 825 else {_TAX_BASIS_POINTS} end as tax_basis_points
        from anchored
    """


def _in_currency(cents: str) -> str:
    """SQL of a US price as price of the customer's currency: 1.5 yen per cent, euros as dollars."""
    return f"(case when currency_code = 'JPY' then {cents} * 3 // 2 else {cents} end)::BIGINT"


def create_customer_records(connection: "duckdb.DuckDBPyConnection", sizes: Sizes) -> None:
    """Create `bulk__customers` and `bulk__subscriptions`.

    One in ten business customers is known to billing by a shared mailbox, and only the contact
    id or the domain joins it to the lead.
    """
    connection.execute(f"""
        create table bulk__customers as
        select
            concat('cus_', lead_no) as customer_id,
            {utc_text("began_at + interval 2 minute")} as created_at,
            case
                when company_domain is not null and lead_no % 10 = 3
                    then concat('billing@', company_domain)
                when not is_demo_path or lead_no % 6 > 0 then email
            end as email,
            company_domain,
            case when is_demo_path then concat('ct_', lead_no) end as contact_id,
            country,
            case when channel = 'promotion' and is_demo_path then promotion_code end as code,
            lead_no as _order
        from customer_core
    """)
    connection.execute(f"""
        create table bulk__subscriptions as
        with ended as (
            select *, case when ended_date + interval 1 day <= {sizes.end_sql} then ended_date end
                as end_date
            from customer_core
        )
        select
            concat('sub_', lead_no) as subscription_id,
            concat('cus_', lead_no) as customer_id,
            case when end_date is not null then 'canceled' else 'active' end as status,
            {utc_text("least(began_at + interval 3 minute, first_issued_at)")} as started_at,
            case when anchor_date - began_at::DATE >= 14 then {utc_text("first_issued_at")} end
                as trial_end,
            {utc_text("end_date - to_days((1 + lead_no % 9)::INTEGER) + interval 15 hour")}
                as canceled_at,
            {utc_text("end_date + (first_issued_at - anchor_date)")} as ended_at,
            lead_no as _order
        from ended
    """)
