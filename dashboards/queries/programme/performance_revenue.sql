-- What did customers pay in one currency, and what commission was earned in it before conversion, in the period and in
-- the one it is compared with? Grain: one row. Reads: marts.fct_partner_revenue_daily, marts.dim_partners.
-- Metrics: revenue, first_invoices, later_invoices, returned, effective_rate (commission ÷ revenue).
with

days as (

    select
        activity_date between $start and $end as is_asked,
        activity_date between $compare_start and $compare_end as is_compared,
        sum(revenue_amount_minor) as revenue_amount_minor,
        sum(commission_amount_minor) as commission_amount_minor,
        sum(first_invoice_amount_minor) as first_invoice_amount_minor,
        sum(collected_amount_minor - first_invoice_amount_minor) as later_invoice_amount_minor,
        sum(returned_amount_minor) as returned_amount_minor
    from marts.fct_partner_revenue_daily
    where
        currency_code = $currency
        and activity_date between least($start, $compare_start) and $end
        and ($partner_id = '' or partner_id = $partner_id)
        and (
            ($group_name = '' and not $only_pilot)
            or partner_id in (
                select partner_id from marts.dim_partners
                where
                    ($group_name = '' or "group" = $group_name)
                    and (not $only_pilot or is_pilot)
            )
        )
    group by activity_date

)

select
    coalesce(sum(revenue_amount_minor) filter (where is_asked), 0) as revenue,
    coalesce(sum(revenue_amount_minor) filter (where is_compared), 0) as revenue_before,
    coalesce(sum(commission_amount_minor) filter (where is_asked), 0) as commission,
    coalesce(sum(commission_amount_minor) filter (where is_compared), 0) as commission_before,
    coalesce(sum(first_invoice_amount_minor) filter (where is_asked), 0) as first_invoices,
    coalesce(sum(first_invoice_amount_minor) filter (where is_compared), 0) as first_invoices_before,
    coalesce(sum(later_invoice_amount_minor) filter (where is_asked), 0) as later_invoices,
    coalesce(sum(later_invoice_amount_minor) filter (where is_compared), 0) as later_invoices_before,
    -coalesce(sum(returned_amount_minor) filter (where is_asked), 0) as returned,
    -coalesce(sum(returned_amount_minor) filter (where is_compared), 0) as returned_before
from days
