-- Grain: one row per invoice line of a landed version of an invoice (source, id, arrival, row_number).
-- Lines arrive inside their invoice; of an invoice with more of them than it embeds, all arrive
-- once more as pages of their own (is_paged).
-- Amount and discount are without tax (C2). Where the price includes tax, so does its discount: the tax that
-- was charged is on the discounted price, and the discount is reduced in the same proportion. Billing credits
-- lower a line like a discount, and the invoice's total with it.
with

embedded as (

    select
        invoices._source,
        invoices._arrival,
        invoices._row,
        invoices.object_id as invoice_id,
        upper({{ json_text('invoices.payload', 'currency') }}) as currency_code,
        false as is_paged,
        lines.element as line
    from {{ source('stripe', 'stripe__invoices') }} as invoices,
        {{ json_elements('invoices.payload', 'lines.data', 'lines') }}

),

paged as (

    select
        _source,
        _arrival,
        _row,
        coalesce(parent_id, {{ json_text('payload', 'invoice') }}) as invoice_id,
        upper({{ json_text('payload', 'currency') }}) as currency_code,
        true as is_paged,
        payload as line
    from {{ source('stripe', 'stripe__invoice_lines') }}
    where object_id <> ''

),

lines as (

    select * from embedded
    union all
    select * from paged

),

parts as (

    select
        *,
        cast({{ json_text('line', 'amount') }} as bigint) as priced_amount_minor,
        {{ json_sum('line', 'discount_amounts', 'amount') }}
        + coalesce(
            list_sum(
                list_transform(
                    cast(coalesce(json_extract(line, '$.pretax_credit_amounts'), '[]') as json[]),
                    lambda credit: case
                        when (credit ->> '$.type') = 'credit_balance_transaction'
                            then cast(credit ->> '$.amount' as bigint)
                        else 0
                    end
                )
            ),
            0
        ) as priced_discount_minor,
        {{ json_sum('line', 'tax_amounts', 'amount') }}
        + {{ json_sum('line', 'taxes', 'amount') }} as tax_amount_minor,
        coalesce(
            list_sum(
                list_transform(
                    list_concat(
                        cast(coalesce(json_extract(line, '$.tax_amounts'), '[]') as json[]),
                        cast(coalesce(json_extract(line, '$.taxes'), '[]') as json[])
                    ),
                    lambda tax: case
                        when (tax ->> '$.inclusive') = 'true' or (tax ->> '$.tax_behavior') = 'inclusive'
                            then cast(tax ->> '$.amount' as bigint)
                        else 0
                    end
                )
            ),
            0
        ) as included_tax_amount_minor
    from lines

),

without_tax as (

    select
        *,
        priced_amount_minor - priced_discount_minor - included_tax_amount_minor as net_amount_minor,
        case
            when included_tax_amount_minor = 0 or priced_amount_minor = priced_discount_minor
                then priced_discount_minor
            else {{ round_ratio(
                wide('priced_discount_minor')
                ~ ' * (priced_amount_minor - priced_discount_minor - included_tax_amount_minor)'
                ~ ' * sign(priced_amount_minor - priced_discount_minor)',
                'abs(' ~ wide('priced_amount_minor - priced_discount_minor') ~ ')'
            ) }}
        end as discount_amount_minor
    from parts

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    {{ json_text('line', 'id') }} as invoice_line_id,
    invoice_id,
    is_paged,
    {{ stripe_minor('net_amount_minor + discount_amount_minor', 'currency_code') }} as amount_minor,
    {{ stripe_minor('discount_amount_minor', 'currency_code') }} as discount_amount_minor,
    {{ stripe_minor('tax_amount_minor', 'currency_code') }} as tax_amount_minor,
    coalesce(
        {{ json_id('line', 'pricing.price_details.product') }},
        {{ json_id('line', 'price.product') }},
        {{ json_id('line', 'plan.product') }}
    ) as product_id,
    {{ epoch_utc(json_text('line', 'period.start')) }} as period_start_at,
    {{ epoch_utc(json_text('line', 'period.end')) }} as period_end_at,
    coalesce(
        {{ json_text('line', 'parent.subscription_item_details.proration') }},
        {{ json_text('line', 'parent.invoice_item_details.proration') }},
        {{ json_text('line', 'proration') }}
    ) = 'true' as is_proration,
    {{ json_text('line', 'quantity') }} as quantity_text
from without_tax
