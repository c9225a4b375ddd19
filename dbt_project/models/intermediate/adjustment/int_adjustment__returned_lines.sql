-- Grain: one row per (invoice_line_id, cause_type, cause_id): how much of what customers paid on the line, less
-- discounts and without tax, has gone back before that cause and after it. Rules R1–R3, R6, R7, M4, as for an
-- earning of the whole, but whatever the plans take back: this is revenue. A dispute counts once it is lost.
-- Lines of voided invoices have no revenue and are left out (R4).
with

lines as (

    select
        invoice_line_id,
        invoice_id,
        paid_amount_minor,
        paid_share as line_share,
        total_share as line_share_base,
        net_amount_minor + tax_amount_minor as line_total_amount_minor,
        {{ round_ratio(wide('net_amount_minor') ~ ' * paid_share', wide('total_share')) }} as earned_amount_minor
    from {{ ref('int_billing__paid_lines') }}
    where
        paid_amount_minor > 0
        and invoice_status is distinct from 'void'

),

causes as (

    select * from {{ ref('int_adjustment__causes') }}
    where policy <> 'chargeback_on_open'

),

applicable as (

    select
        lines.*,
        causes.cause_type,
        causes.cause_id,
        causes.event_at,
        causes.amount_minor as cause_amount_minor,
        case when causes.invoice_line_id is null then causes.amount_minor else 0 end as invoice_part_minor,
        case
            when causes.invoice_line_id = lines.invoice_line_id and lines.line_total_amount_minor > 0
                then causes.amount_minor
            else 0
        end as line_part_minor
    from lines
    inner join causes
        on lines.invoice_id = causes.invoice_id

),

running as (

    select
        applicable.*,
        coalesce(cast(sum(invoice_part_minor) over earlier as bigint), 0) as invoice_before_minor,
        coalesce(cast(sum(line_part_minor) over earlier as bigint), 0) as line_before_minor,
        coalesce(cast(sum(cause_amount_minor) over earlier as bigint), 0) as returned_before_minor
    from applicable
    window earlier as (
        partition by invoice_line_id
        order by event_at, cause_type, cause_id
        rows between unbounded preceding and 1 preceding
    )

)

select
    invoice_line_id,
    cause_type,
    cause_id,
    event_at,
    {{ reversal_target('0', '0', '0') }} as before_amount_minor,
    {{ reversal_target('invoice_part_minor', 'line_part_minor', 'cause_amount_minor') }} as after_amount_minor
from running
